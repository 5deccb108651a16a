"""One of two processes that want the same thing at the same moment.

`python -m tests.mappings.rivals` reads one line of JSON for each attempt and answers it with another one:

    {"do": "set_up"}                                   the attempts of each case: {case: [[one, other], …]}
    {"do": "sign_in", "email"}                         from now on that person posts
    {"do": "post", "path", "posted", "at"}             a person's POST; {"status", "body"}
    {"do": "map", "connection", "subscription", …}     the action alone; {"status": 200 or 422, "body"}
    {"do": "count"}                                    how many rows of each kind there are

`at`: when to begin, by the machine's monotonic clock.
"""

import json
import sys
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402  the settings have to be there first
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from connections import registry  # noqa: E402
from connections.models import Connection  # noqa: E402
from mappings import models  # noqa: E402
from mappings.actions import AlreadyMapped, map_customer, map_offer, map_subscription  # noqa: E402
from portal.audit import Actor  # noqa: E402
from portal.models import AuditEntry, Customer, OfferVariant, Subscription, User  # noqa: E402
from tests.cast import Cast, make_cast, make_customer, make_subscription, make_variant  # noqa: E402
from tests.fake_psa import FakePsa, a_company, a_contract, a_service  # noqa: E402
from tests.mappings.mirror import company_row, contract_row, make_connection, service_row  # noqa: E402

ROUNDS = 3
BOUGHT = date(2026, 5, 1)
CONTRACTS = (100, 101)  # of company 40
Attempt = dict[str, Any]


def set_up() -> dict[str, list[tuple[Attempt, Attempt]]]:
    """Rows for every round of every case, none of which is in the way of another."""
    cast = make_cast()
    connection, elsewhere = make_connection(cast.csp), make_connection(cast.reseller, "Theirs")
    known = {"connection": connection, "actor": Actor.user(cast.admin), "at": timezone.now()}
    for number in range(1, 41):
        company_row(connection, number, f"Company {number}")
        service_row(connection, number, f"Service {number}")
    for number in CONTRACTS:
        contract_row(connection, number, f"Contract {number}", company_remote_id=40)
    home = make_customer(cast.csp, "Home")
    map_customer(customer=home, company=a_company(40, "Company 40"), **known)
    cases: dict[str, list[tuple[Attempt, Attempt]]] = {}
    for number in range(ROUNDS):
        for name, pair in _round(number, cast, connection, elsewhere, home, known):
            cases.setdefault(name, []).append(pair)
    return cases


def _round(
    number: int, cast: Cast, connection: Connection, elsewhere: Connection, home: Customer, known: dict[str, Any]
) -> Iterator[tuple[str, tuple[Attempt, Attempt]]]:
    free = number * 6 + 1  # companies and services that only this round takes
    one, other, third = (make_customer(cast.csp, f"Customer {number} {each}") for each in range(3))
    first, second, third_offer, billed, shared = (make_variant(cast.csp, f"Offer {number} {each}") for each in range(5))
    for variant in (first, second, third_offer):
        make_subscription(one, variant)
    at = [connection.pk]
    yield "company", _rows("customer", at, (one, free), (other, free))
    yield "customer", _rows("customer", at, (third, free + 1), (third, free + 2))
    yield "service", _rows("offer", at, (first, free), (second, free))
    yield "offer", _rows("offer", at, (third_offer, free + 1), (third_offer, free + 2))

    map_offer(variant=billed, service=a_service(free + 3, f"Service {free + 3}"), **known)
    sold = make_subscription(home, billed, created_on=BOUGHT)
    path = reverse("syncops:sync_confirm", args=[sold.pk])
    asked = {"connection": connection.pk, "company": 40, "service": free + 3}
    yield "subscription", tuple(_post(path, asked | {"contract": one}) for one in CONTRACTS)

    moved = make_subscription(one, first)
    yield "tenant", tuple(_map(here, moved) for here in (connection, elsewhere))
    lined = [make_subscription(one, first) for _ in range(2)]
    yield "line", tuple(_map(connection, each, adopt_line_id=500 + number) for each in lined)

    map_offer(variant=shared, service=a_service(free + 4, f"Service {free + 4}"), **known)
    chooser = make_customer(cast.csp, f"Chooser {number}")
    map_customer(customer=chooser, company=a_company(free + 4, f"Company {free + 4}"), **known)
    choices = [200 + number, 300 + number]
    for each in choices:
        contract_row(connection, each, f"Contract {each}", company_remote_id=free + 4)
    open_ = make_subscription(chooser, shared, created_on=BOUGHT)
    path = reverse("syncops:default_contract", args=at)
    yield "default", tuple(_post(path, {"subscription": open_.pk, "contract": one}) for one in choices)

    unsure = make_customer(cast.csp, f"Unsure {number}")
    models.Suggestion.objects.create(
        connection=connection,
        customer=unsure,
        remote_id=free + 5,
        remote_name="Alike",
        score=90,
        why="Alike names",
        found_at=timezone.now(),
    )
    path = reverse("mappings:customer_reject", args=[*at, unsure.pk])
    yield "rejected", (_post(path, {}), _post(path, {}))


def _rows(noun: str, at: list[int], *pairs: tuple[Customer | OfferVariant, int]) -> tuple[Attempt, ...]:
    theirs = {"customer": "company", "offer": "service"}[noun]
    return tuple(_post(reverse(f"mappings:{noun}_row", args=[*at, ours.pk]), {theirs: id}) for ours, id in pairs)


def _post(path: str, posted: dict[str, Any]) -> Attempt:
    return {"do": "post", "path": path, "posted": posted}


def _map(connection: Connection, subscription: Subscription, **fields: Any) -> Attempt:
    return {"do": "map", "connection": connection.pk, "subscription": subscription.pk, **fields}


def post(client: Client, path: str, posted: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, posted, follow=True)
    return {"status": answer.status_code, "body": answer.content.decode()}


def map_one(connection: int, subscription: int, **fields: Any) -> dict[str, Any]:
    try:
        map_subscription(
            connection=Connection.objects.get(pk=connection),
            subscription=Subscription.objects.get(pk=subscription),
            company=a_company(),
            service=a_service(),
            contract=a_contract(),
            actor=Actor.system("rival"),
            at=timezone.now(),
            **fields,
        )
    except AlreadyMapped as refused:
        return {"status": 422, "body": str(refused.reason)}
    return {"status": 200, "body": ""}


def count() -> dict[str, int]:
    names = ("CustomerMapping", "OfferMapping", "SubscriptionMapping", "DefaultContract")
    found = {name: getattr(models, name).objects.count() for name in names}
    found["rejected"] = models.Suggestion.objects.filter(state="rejected").count()
    return found | {"rejections": AuditEntry.objects.filter(name="Reject Mapping Suggestion").count()}


def far_side() -> FakePsa:
    companies = [a_company(40, "Company 40")]
    services = [a_service(number, f"Service {number}") for number in range(1, 41)]
    return FakePsa(
        companies=companies,
        services=services,
        contracts=[a_contract(number, f"Contract {number}", company_id=40) for number in CONTRACTS],
    )


def main() -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    psa, client = far_side(), Client(raise_request_exception=False, headers={"Host": "localhost"})
    registry.PSAS["autotask"] = lambda connection, **how: psa
    for line in sys.stdin:
        asked = json.loads(line)
        do, at = asked.pop("do"), asked.pop("at", 0.0)
        if do == "sign_in":
            client.force_login(User.objects.get(email=asked["email"]), backend=settings.AUTHENTICATION_BACKENDS[0])
            said: Any = client.get(reverse("mappings:mapping_home"), follow=True).status_code  # everything is loaded
        else:
            while time.monotonic() < at:
                pass
            said = {"set_up": set_up, "count": count, "map": map_one, "post": lambda **it: post(client, **it)}[do](
                **asked
            )
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
