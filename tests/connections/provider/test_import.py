"""Importing everything from the stand-in: what is there afterwards, once, and whose it is."""

import pytest

from portal.models import AuditEntry, Customer, Organization, Subscription, SubscriptionChange
from tests.connections.provider.imports import Importing


@pytest.fixture(autouse=True)
def nobody_listens(settings):
    settings.PORTAL_CHANGE_LISTENERS = []


@pytest.fixture
def importing(connection, far_side):
    return Importing(connection, far_side)


def test_everything_arrives_with_its_owner_and_a_second_import_finds_nothing_new(importing, cast):
    row = importing.everything()
    assert (row.state, row.message) == ("succeeded", "")
    assert Customer.objects.count() == 25
    assert Subscription.objects.count() == 120
    lumen = Organization.objects.get(name="Lumen & Partners IT")
    assert (lumen.parent, lumen.mpn_id, lumen.currency) == (cast.csp, "4847383", "EUR")
    assert Subscription.objects.filter(organization=lumen).exists()
    assert Customer.objects.filter(organization=lumen).exists()
    entries, changes = AuditEntry.objects.count(), SubscriptionChange.objects.count()
    importing.wait(days=1)
    again = importing.everything()
    assert {name: again.counts.get(name, 0) for name in ("new", "changed", "unchanged", "gone")} == {
        "new": 0,
        "changed": 0,
        "unchanged": 120,
        "gone": 0,
    }
    assert (AuditEntry.objects.count(), SubscriptionChange.objects.count()) == (entries, changes)


def test_an_import_takes_a_request_per_customer_and_few_beside(importing):
    before = importing.requests()
    importing.everything()
    assert importing.requests() - before <= 25 + 6
