"""Putting a subscription on a contract: its mapping, its audit entry, and who was first."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from mappings.actions import AlreadyMapped, refuse_mapping
from mappings.models import SubscriptionMapping
from mappings.reasons import reason
from portal.audit import Actor
from tests.cast import make_subscription
from tests.fake_psa import a_contract
from tests.mappings.conftest import NOW
from tests.mappings.mirror import make_connection


def test_a_subscription_mapping_begins_an_entry_that_another_ends(mapping):
    done = mapping.map(starts_on=date(2026, 5, 10), status="in_progress")
    assert (done.entry.name, done.entry.status) == ("Trigger Subscription Mapping To Connection", "in_progress")
    assert done.entry.subscription == mapping.subscription
    assert done.entry.asked["contract"] == {"id": 100, "name": "Microsoft 365 (CSP)"}
    assert (done.mapping.starts_on, done.mapping.line_id, done.mapping.adopted) == (date(2026, 5, 10), None, False)


def test_a_subscription_is_billed_in_one_place_and_the_refusal_names_it(mapping, cast):
    mapping.map()
    with pytest.raises(AlreadyMapped) as refused:
        mapping.map(contract=a_contract(101, "Another"))
    assert "Microsoft 365 (CSP) on Autotask" in refused.value.reason.text
    assert SubscriptionMapping.objects.count() == 1


def test_where_another_organization_has_it_its_contract_is_not_named(mapping, cast):
    mapping.map()
    elsewhere = make_connection(cast.reseller, "Birch Autotask")
    with pytest.raises(AlreadyMapped) as refused:
        mapping.map(connection=elsewhere)
    assert "Microsoft 365 (CSP)" not in refused.value.reason.text
    assert "another organization" in refused.value.reason.text


def test_a_line_is_taken_over_by_one_subscription(mapping):
    mapping.map(adopt_line_id=5001)
    second = make_subscription(mapping.customer, mapping.variant)
    with pytest.raises(AlreadyMapped) as refused:
        mapping.map(subscription=second, adopt_line_id=5001)
    assert refused.value.reason.code == "line_taken"
    assert "Microsoft 365 Business Basic (Contoso)" in refused.value.reason.text


def test_a_mapping_that_ended_makes_room(mapping):
    first = mapping.map(starts_on=date(2026, 5, 1)).mapping
    SubscriptionMapping.objects.filter(pk=first.pk).update(ends_on=date(2026, 5, 9))
    assert mapping.map(contract=a_contract(101, "Another")).mapping.contract_id == 101


def test_a_refused_mapping_is_kept_with_its_reasons(mapping, cast):
    entry = refuse_mapping(
        organization=cast.csp,
        subscription=mapping.subscription,
        connection=mapping.connection,
        asked={"contract": "100"},
        reasons=(reason("contract_inactive", contract="Old"),),
        actor=Actor.user(cast.admin),
        at=NOW,
    )
    assert (entry.name, entry.status) == ("Trigger Subscription Mapping To Connection", "failed")
    assert entry.answered["reasons"][0]["text"] == "Old is inactive."


def test_the_database_itself_holds_the_rules(mapping):
    mapping.map()
    fields = {"company_id": 1, "service_id": 10, "contract_id": 100, "created_at": NOW}
    with pytest.raises(IntegrityError), transaction.atomic():
        SubscriptionMapping.objects.create(connection=mapping.connection, subscription=mapping.subscription, **fields)
