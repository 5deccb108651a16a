"""Nothing crosses from one tenant to another: the other tenant's administrator asks for every address with an id."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from connections.models import Connection
from mappings.models import SubscriptionMapping
from portal.audit import Actor, record
from portal.models import MarginRule, Order, OrderLine
from syncops.models import AzureAlarm, AzureMonth, MarginUpdate, Stream, SyncOperation
from tests.architecture.test_views import OURS
from tests.cast import make_customer, make_subscription, make_user, make_variant

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
WITH_ID = [pattern for pattern in OURS if pattern.pattern.converters]


@pytest.fixture
def ids(cast) -> set[int]:
    """One row and more of everything that has a page, all of the first tenant; the ids that any of them has."""
    variant, customer = make_variant(cast.csp), make_customer(cast.csp)
    subscription = make_subscription(customer, variant)
    rows = [cast.csp, cast.admin, variant, customer, subscription]
    for state in ("cart", "completed"):
        order = Order.objects.create(
            organization=cast.csp, customer=customer, state=state, currency="EUR", created_by=cast.admin
        )
        money = dict.fromkeys(("list_price", "erp", "unit_cost", "unit_price"), Decimal(4))
        rows += [order, OrderLine.objects.create(order=order, variant=variant, quantity=1, **money)]
    rows.append(MarginRule.objects.create(organization=cast.csp, kind="markup", percent=5))
    rows.append(record("Thing", actor=Actor.system("test"), organization=cast.csp))
    connection = Connection.objects.create(
        organization=cast.csp, kind="autotask", name="Autotask", currency="EUR", state="active"
    )
    billed = {"subscription": subscription, "connection": connection}
    mapping = SubscriptionMapping.objects.create(
        **billed, company_id=1, service_id=1, contract_id=1, starts_on=date(2026, 5, 1), created_at=NOW
    )
    stream = Stream.objects.create(**billed)
    operation = SyncOperation.objects.create(
        stream=stream, sequence=1, mapping=mapping, organization=cast.csp, kind="map", created_at=NOW, **billed
    )
    amount = {"usage_cost": 1, "cost": 1, "price": 1, "currency": "EUR", "source": "person", "entered_at": NOW}
    month = {"organization": cast.csp, "subscription": subscription, "month": date(2026, 5, 1)}
    rows.append(AzureMonth.objects.create(**month, **amount))
    alarm = {"mapping": mapping, "period": date(2026, 6, 1), "price": 1, "found_at": NOW}
    rows.append(AzureAlarm.objects.create(**alarm))
    rows.append(MarginUpdate.objects.create(organization=cast.csp, scopes=[], effective_on=NOW.date(), created_at=NOW))
    return {row.pk for row in [*rows, connection, mapping, stream, operation]}


def test_there_is_something_to_ask_for():
    assert len(WITH_ID) >= 8


@pytest.mark.parametrize("pattern", WITH_ID, ids=lambda pattern: pattern.name)
def test_the_other_tenants_administrator_finds_nothing(pattern, ids, cast, as_user):
    make_user("spare@stranger.example", cast.other_csp, "administrator")
    client = as_user(cast.stranger)
    theirs = set(cast.other_csp.people.values_list("pk", flat=True))
    app = pattern.callback.__module__.split(".")[0]
    for pk in ids - (theirs if pattern.name.startswith("member") else set()):
        url = reverse(f"{app}:{pattern.name}", kwargs=dict.fromkeys(pattern.pattern.converters, pk))
        for answer in (client.get(url, follow=True), client.post(url, follow=True)):
            assert answer.status_code in (404, 405), f"{url}: {answer.status_code}"
