"""At most one of each, whoever is first: two connections to the database try at the same moment."""

import threading
from functools import partial

import pytest
from django.db import connection as database
from django.db import connections, transaction

from mappings.actions import AlreadyMapped, hold_mappings, map_customer, map_offer
from mappings.automatic import start_match
from mappings.boards import CustomerBoard
from mappings.models import CustomerMapping, MatchRun, OfferMapping, SubscriptionMapping
from mappings.removals import InUse, remove_customer_mapping
from portal.audit import breaks
from portal.models import AuditEntry
from tests.cast import TODAY, make_customer
from tests.fake_psa import a_company, a_contract, a_service
from tests.mappings.conftest import NOW

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def two_writers():
    if database.vendor != "postgresql":
        pytest.skip("Tests share one connection on SQLite. Set DATABASE_URL to a server of yours (postgres://…).")


def at_once(*attempts):
    """Run each in a thread of its own, all let go together; what each gave or raised."""
    gate, found = threading.Barrier(len(attempts)), [None] * len(attempts)

    def run(place, attempt):
        gate.wait()
        try:
            found[place] = attempt()
        except (AlreadyMapped, InUse) as error:
            found[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(attempts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def refused(found):
    return [one for one in found if isinstance(one, Exception)]


def test_one_company_goes_to_one_customer(mapping, cast):
    for round_ in range(5):
        rivals = [make_customer(cast.csp, f"Rival {round_} {number}") for number in range(2)]
        company = a_company(round_ + 1)
        found = at_once(*(partial(map_customer, customer=one, company=company, **mapping.common) for one in rivals))
        assert len(refused(found)) == 1
    assert CustomerMapping.objects.count() == AuditEntry.objects.count() == 5
    assert list(breaks(cast.csp)) == []


def test_one_offer_gets_one_service(mapping):
    services = [a_service(10), a_service(11, "Another")]
    found = at_once(*(partial(map_offer, variant=mapping.variant, service=one, **mapping.common) for one in services))
    assert len(refused(found)) == 1
    assert OfferMapping.objects.count() == 1


def test_one_subscription_is_billed_in_one_place(mapping):
    contracts = [a_contract(100), a_contract(101, "Another")]
    found = at_once(*(partial(mapping.map, contract=one) for one in contracts))
    assert len(refused(found)) == 1
    assert SubscriptionMapping.objects.open().count() == 1


def test_one_matching_runs_per_page(mapping):
    board = CustomerBoard(mapping.connection, TODAY)
    start = partial(start_match, board, "alike", threshold=85, actor=mapping.actor, now=NOW)
    found = at_once(start, start)
    assert found[0] == found[1]
    assert MatchRun.objects.count() == 1


def test_a_mapping_is_not_removed_from_under_what_builds_on_it(mapping):
    row = map_customer(customer=mapping.customer, company=a_company(), **mapping.common)

    @transaction.atomic
    def bill():
        hold_mappings(mapping.connection, mapping.subscription)
        map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
        return mapping.map()

    at_once(bill, lambda: remove_customer_mapping(row, actor=mapping.actor, at=NOW))
    assert CustomerMapping.objects.exists() == SubscriptionMapping.objects.exists() is True
