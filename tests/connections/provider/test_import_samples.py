"""Microsoft's documented payloads that the import reads, and that nothing of what the product shows is dropped."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connections.provider.partner_center import shapes
from connections.provider.partner_center.client import items_of
from connections.provider.partner_center.families import offer_of
from connections.provider.partner_center.notifications import event_in
from connections.provider.partner_center.price_sheets import promotion_row
from connections.provider.partner_center.reading_audit import _about
from connections.provider.partner_center.shapes import shaped
from connections.provider.partner_center.signatures import may_be_fetched
from mappings.eligibility import SubscriptionFacts, subscription_reasons
from tests.connections.provider.test_samples import sample

TODAY = date(2026, 5, 10)


def listed(name):
    return [shaped(shapes.Subscription, item) for item in items_of(sample(name))]


def one(name):
    return shaped(shapes.Subscription, sample(name))


def test_audit_records_name_what_to_look_at():
    records = [shaped(shapes.AuditRecord, item) for item in items_of(sample("audit_records.json"))]
    assert [(each.resource_type, each.operation_type) for each in records] == [
        ("order", "create_order"),
        ("license", "update_customer_user_licenses"),
    ]
    assert records[0].operation_date == datetime(2017, 6, 15, 22, 56, 5, 58930, tzinfo=UTC)
    assert list(_about(records[0])) == [("", {})]  # an order is no single subscription: all of the customer's


def test_an_audit_record_of_a_subscription_tells_its_quantity():
    new = {"Id": "S-1", "Quantity": 12, "Status": "active"}
    told = {"resourceType": "subscription", "resourceNewValue": json.dumps(new), "customerId": "c"}
    assert list(_about(shaped(shapes.AuditRecord, told))) == [("S-1", {"quantity": 12})]
    for broken in ("{", "[]", '"x"', '{"Quantity": "many"}', '{"Quantity": true}'):
        assert list(_about(shaped(shapes.AuditRecord, told | {"resourceNewValue": broken}))) == [("", {})]


def test_notifications_are_read():
    event = event_in(json.dumps(sample("webhook_event_subscription_updated.json"), default=str).encode())
    assert (event.name, event.at.year, event.customer_id) == ("subscription-updated", 2017, "")  # placeholders, no ids
    assert event_in(json.dumps(sample("webhook_event_generic.json"), default=str).encode()).name == "test-created"
    delivery = sample("synthetic/webhook_delivery_http.json")
    found = event_in(json.dumps(delivery["body"]).encode())
    assert found.customer_id == "94cd6638-11b6-4323-8c9f-6ae3088adc59"
    assert found.subscription_id == "0c353b8e-da9d-4007-d0d4-bca8bd5b5ce1"
    assert may_be_fetched(delivery["headers"]["X-MS-Certificate-Url"])


def test_promotions_are_read_with_what_they_are_for():
    first, second = (promotion_row(shaped(shapes.Promotion, item)) for item in items_of(sample("promotions_list.json")))
    assert (first.promotion_id, first.percent, first.starts_on) == (
        "39NFJQT1PJQB:0001:39NFJQT1Q5KN",
        Decimal("5.00"),
        date(2021, 9, 23),
    )
    assert first.of == (("CFQ7TTC0HD33", "0003", "P1Y", "annual"),)
    assert (second.percent, second.of[0][3]) == (Decimal("16.7"), "monthly")


@pytest.mark.parametrize(
    ("name", "category", "term", "billing"),
    [
        ("subscription_nce_license.json", "licence", "P1Y", "monthly"),
        ("subscription_legacy_azure.json", "legacy", "P1Y", "unknown"),
        ("synthetic/subscription_azure_plan.json", "azure_plan", "", "none"),
        ("synthetic/subscription_nce_suspended.json", "licence", "P1Y", "monthly"),
    ],
)
def test_each_family_is_known_by_the_subscription_alone(name, category, term, billing):
    offer = offer_of(one(name))
    assert (offer.category, offer.term, offer.billing) == (category, term, billing)
    assert offer.title


def test_what_cannot_be_mapped_says_why():
    for subscription in [*listed("subscriptions_collection_azure_legacy.json"), one("subscription_legacy_azure.json")]:
        offer = offer_of(subscription)
        facts = SubscriptionFacts(offer.title, offer.category, offer.billing, "EUR", TODAY, "EUR", TODAY)
        assert subscription_reasons(facts)
    for billing in ("triennial", "biennial", "one_time", "unknown"):
        facts = SubscriptionFacts("Three years", "licence", billing, "EUR", TODAY, "EUR", TODAY)
        assert billing.replace("_", "-") in str(subscription_reasons(facts)[0])
