import json
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from connections.sandbox.seed import partner_center_data
from connections.sandbox.seed.names import CUSTOMERS, HARBOURLINE, LUMEN

TODAY = date(2026, 3, 18)
DAYS = [TODAY, date(2024, 2, 29), date(2026, 3, 31), date(2026, 1, 1), date(2025, 12, 31)]


@pytest.fixture(scope="module")
def data():
    return partner_center_data(TODAY)


def subscriptions(data):
    return [held for all_held in data["subscriptions"].values() for held in all_held]


def test_there_are_25_customers_of_a_provider_and_two_resellers(data):
    owners = Counter(customer.get("associatedPartnerId", "direct") for customer in data["customers"])
    assert owners == {"direct": 15, LUMEN.tenant_id: 6, HARBOURLINE.tenant_id: 4}
    assert len(data["organizations"]["resellers"]) == 2


def test_there_are_120_subscriptions_most_of_them_active_and_some_in_every_other_state(data):
    states = Counter(held["status"] for held in subscriptions(data))
    assert sum(states.values()) == 120
    assert states["active"] > 100
    assert set(states) == {"active", "suspended", "expired", "disabled", "deleted", "pending"}


def test_the_same_day_gives_the_same_world():
    assert partner_center_data(TODAY) == partner_center_data(TODAY)
    json.dumps(partner_center_data(TODAY))


def test_ids_are_unique_and_stay_when_the_day_changes(data):
    ids = [held["id"].lower() for held in subscriptions(data)]
    orders = [order["id"] for held in data["orders"].values() for order in held]
    assert len(set(ids)) == len(set(orders)) == 120
    assert [held["id"].lower() for held in subscriptions(partner_center_data(DAYS[1]))] == ids


@pytest.mark.parametrize("today", DAYS)
def test_the_term_of_what_is_active_covers_today(today):
    for held in subscriptions(partner_center_data(today)):
        started = date.fromisoformat(held["effectiveStartDate"][:10])
        ends = held.get("commitmentEndDate", "9999-12-31")[:10]
        if held["status"] in ("active", "pending") and "productType" in held:
            assert started <= today, held
            assert today.isoformat() <= ends, held
        if held["status"] in ("expired", "disabled"):
            assert ends < today.isoformat(), held
        assert held["creationDate"][:10] <= today.isoformat()


def test_everything_held_is_in_the_catalogue_on_a_plan_it_is_sold_on(data):
    plans = {
        availability["catalogItemId"]: {(term["duration"], term["billingCycle"]) for term in availability["terms"]}
        for product in data["catalogue"]["products"]
        for sku in product["skus"]
        for availability in sku["availabilities"]
    }
    legacy = {offer["id"] for offer in data["catalogue"]["legacyOffers"]}
    for held in subscriptions(data):
        if held["offerId"] in legacy:
            assert "productType" not in held
        else:
            assert (held["termDuration"], held["billingCycle"]) in plans[held["offerId"]]


def test_the_catalogue_has_every_kind_segment_and_term(data):
    skus = [sku for product in data["catalogue"]["products"] for sku in product["skus"]]
    availabilities = [availability for sku in skus for availability in sku["availabilities"]]
    terms = {(term["duration"], term["billingCycle"]) for each in availabilities for term in each["terms"]}
    assert {product["productType"]["id"] for product in data["catalogue"]["products"]} == {
        "OnlineServicesNCE",
        "Azure",
        "AzureReservations",
        "Software",
    }
    assert {each["segment"] for each in availabilities} == {"commercial", "education", "government"}
    assert {("P1M", "monthly"), ("P1Y", "monthly"), ("P1Y", "annual"), ("P3Y", "triennial"), ("", "one_time")} <= terms
    assert len({each["id"] for each in availabilities}) == len(availabilities) >= 33
    assert any(sku["isTrial"] for sku in skus)


def test_a_partner_earns_on_every_price_and_longer_terms_are_cheaper(data):
    rows = data["prices"]["NL"]["updatedlicensebased"]
    assert all(Decimal(row["UnitPrice"]) <= Decimal(row["ERP Price"]) for row in rows)
    premium = {
        (row["TermDuration"], row["BillingPlan"]): Decimal(row["UnitPrice"])
        for row in rows
        if row["SkuTitle"] == "Microsoft 365 Business Premium"
    }
    assert premium["P1Y", "Annual"] / 12 < premium["P1Y", "Monthly"] < premium["P1M", "Monthly"]


def test_segments_are_kept(data):
    educated = {customer.tenant_id for customer in CUSTOMERS if customer.segment == "education"}
    buyers = {
        owner
        for owner, held in data["subscriptions"].items()
        if any("Education" in subscription["offerName"] for subscription in held)
    }
    assert buyers == educated


def test_resellers_stand_on_the_subscriptions_of_their_customers(data):
    mpn = {reseller["id"]: reseller["mpnId"] for reseller in data["organizations"]["resellers"]}
    for customer in data["customers"]:
        expected = mpn.get(customer.get("associatedPartnerId"), "")
        assert {held["partnerId"] for held in data["subscriptions"][customer["id"]]} == {expected}


def test_some_seats_can_still_be_given_back(data):
    refundable = [held["refundableQuantity"] for held in subscriptions(data) if held.get("refundableQuantity")]
    assert len(refundable) >= 5
    assert all(each["totalQuantity"] > 0 for each in refundable)
