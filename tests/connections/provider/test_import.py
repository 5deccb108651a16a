"""Importing everything from the stand-in: what is there afterwards, once, and whose it is."""

from decimal import Decimal

import pytest

from portal.models import AuditEntry, Customer, Organization, Subscription, SubscriptionChange, VariantPrice
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
    importing.everything()
    calls = importing.far_side.control("counters")["by_call"]
    catalogue = sum(number for path, number in calls.items() if "pricesheets" in path or "promotions" in path)
    assert sum(calls.values()) - catalogue <= 25 + 7


def test_what_arrives_has_the_price_of_the_price_sheet_and_its_promotion(importing):
    row = importing.everything()
    assert (row.problems, row.counts["promotions"]) == ([], 2)
    premium = importing.subscription("kliniek-linde", 1)
    assert (premium.list_price, premium.erp, premium.promotion.percent) == (Decimal("17.30"), Decimal("21.63"), 15)
    stored = VariantPrice.objects.count()
    importing.wait(days=1)
    again = importing.everything()
    assert ("prices" in again.counts, VariantPrice.objects.count()) == (False, stored)


def test_prices_that_cannot_be_read_are_told_and_stop_nothing(importing):
    importing.far_side.control("faults", {"fault": "error_500_json", "path": "pricesheets", "times": None})
    row = importing.everything()
    assert (row.state, row.counts["new"]) == ("succeeded", 120)
    assert "could not be read" in row.problems[0]
    assert "has no price in EUR" in row.problems[-1]
    importing.far_side.server.faults.clear()
    importing.wait(days=1)
    assert importing.everything().counts["changed"] > 50
    assert importing.subscription("kliniek-linde", 1).list_price == Decimal("17.30")
