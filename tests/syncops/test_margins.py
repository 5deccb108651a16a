"""New margins reach every mapped subscription that they price, each by an operation of its own."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from portal.actions.margins import remove_rule, save_rule, update_settings
from portal.audit import Actor
from portal.models import AuditEntry, MarginRule, Subscription, SubscriptionChange
from syncops import tasks
from syncops.margins import fan_out
from syncops.models import MarginUpdate, SyncOperation
from syncops.undoing import undo_operation
from tests.cast import make_customer, make_subscription, make_variant
from tests.syncops.desk import TODAY

State = SyncOperation.State
JUNE_1 = date(2026, 6, 1)


def beside(desk, name, **fields):
    """Another subscription of the desk's customer, on the same contract."""
    row = make_subscription(
        fields.pop("customer", desk.subscription.customer),
        desk.subscription.variant,
        external_id=name,
        created_on=TODAY,
        starts_on=TODAY,
        **fields,
    )
    other = replace(desk, subscription=row)
    other.map(add_beside=True)
    other.drain()
    desk.psa.applied.clear()
    return other


def rule_for(desk, percent="50", **fields):
    rule = MarginRule(organization=desk.cast.csp, kind="markup", percent=Decimal(percent), **fields)
    return save_rule(rule, actor=Actor.user(desk.cast.billing), at=desk.clock.now)


def carried(desk):
    update = MarginUpdate.objects.get()
    while not fan_out(update.pk, desk.clock.now):
        pass
    desk.drain()
    return {one.subscription_id: one for one in update.operations.all()}


def price_of(desk, day=TODAY):
    row = next(row for row in desk.psa.rows(desk.line) if row.starts_on <= day <= row.ends_on)
    return row.price / row.units


def test_new_customer_margins_price_each_mapped_subscription_from_that_day_on(mapped):
    second = beside(mapped, "SUB-2")
    mapped.clock.wait(5 * 86400)
    rule_for(mapped, customer=mapped.subscription.customer)
    operations = carried(mapped)
    assert {one.state for one in operations.values()} == {State.SUCCEEDED}
    assert set(operations) == {mapped.subscription.pk, second.subscription.pk}
    assert [price_of(one, date(2026, 5, day)) for one in (mapped, second) for day in (14, 15)] == [5, 6, 5, 6]


def test_they_may_wait_for_the_next_period(mapped):
    mapped.decide(margin_date="next_period_start")
    rule_for(mapped)
    carried(mapped)
    assert [price_of(mapped, day) for day in (TODAY, JUNE_1)] == [5, 6]


def test_a_subscription_with_a_margin_of_its_own_keeps_it(mapped):
    own = beside(mapped, "SUB-2")
    MarginRule.objects.create(
        organization=mapped.cast.csp, subscription=own.subscription, kind="markup", percent=Decimal(10)
    )
    rule_for(mapped)
    assert set(carried(mapped)) == {mapped.subscription.pk}
    assert price_of(own) == 5


def test_who_is_not_billed_any_more_and_who_is_another_customer_are_left_out(mapped):
    gone = beside(mapped, "SUB-2")
    Subscription.objects.filter(pk=gone.subscription.pk).update(status="deleted")
    make_subscription(make_customer(mapped.cast.csp, "Fabrikam"), mapped.subscription.variant, external_id="SUB-3")
    rule_for(mapped, customer=mapped.subscription.customer)
    assert set(carried(mapped)) == {mapped.subscription.pk}


def test_another_category_or_customer_starts_nothing_at_all(mapped):
    rule_for(mapped, category="software")
    rule_for(mapped, customer=make_customer(mapped.cast.csp, "Fabrikam"))
    assert not MarginUpdate.objects.exists()


def test_a_line_that_has_the_price_already_gets_no_operation(mapped):
    rule_for(mapped, percent="25")  # 4.00 and 25 % is the 5.00 that it has
    assert carried(mapped) == {}
    assert MarginUpdate.objects.get().finished_at


def test_saved_again_as_it_was_nothing_is_carried_again(mapped):
    rule = rule_for(mapped)
    save_rule(rule, actor=Actor.user(mapped.cast.billing), at=mapped.clock.now)
    assert MarginUpdate.objects.count() == 1


def test_a_renewal_that_left_the_price_alone_does_not_count_as_its_price(mapped):
    mapped.decide(renewal="extend")
    rule_for(mapped)
    MarginUpdate.objects.update(finished_at=mapped.clock.now)  # the walk is put off
    mapped.record("renewed", TODAY, ends_on=date(2027, 6, 30))
    MarginUpdate.objects.update(finished_at=None)
    carried(mapped)
    assert price_of(mapped) == 6


def test_a_price_that_was_undone_does_not_count_either(mapped):
    rule = rule_for(mapped, subscription=mapped.subscription)
    mapped.drain()
    undo_operation(SyncOperation.objects.latest("pk"), actor=mapped.cast.admin, now=mapped.clock.now)
    mapped.drain()
    assert price_of(mapped) == 5
    MarginRule.objects.filter(pk=rule.pk).delete()
    rule_for(mapped)
    carried(mapped)
    assert price_of(mapped) == 6


def test_a_removed_rule_and_changed_settings_price_anew_as_well(mapped):
    rule = rule_for(mapped)
    carried(mapped)
    MarginUpdate.objects.all().update(created_at=mapped.clock.now)
    mapped.clock.wait(86400)
    remove_rule(rule, actor=Actor.user(mapped.cast.billing), at=mapped.clock.now)
    update = MarginUpdate.objects.latest("pk")
    fan_out(update.pk, mapped.clock.now)
    mapped.drain()
    assert [price_of(mapped, date(2026, 5, day)) for day in (10, 11)] == [6, 5]
    update_settings(
        mapped.cast.csp, changes={"markup_limit": True}, actor=Actor.user(mapped.cast.billing), at=mapped.clock.now
    )
    assert MarginUpdate.objects.latest("pk") != update


def test_two_workers_and_a_killed_one_plan_each_subscription_once(mapped):
    beside(mapped, "SUB-2")
    beside(mapped, "SUB-3")
    rule_for(mapped)
    update = MarginUpdate.objects.get()
    assert not fan_out(update.pk, mapped.clock.now, at_most=2)
    assert tasks.due(mapped.clock.now)
    tasks.fan_out_margins(update.pk)
    tasks.fan_out_margins(update.pk)
    assert update.operations.count() == 3
    assert AuditEntry.objects.filter(name="Update Customer Margins").count() == 1


def test_the_margin_of_one_subscription_is_a_change_of_its_price(mapped):
    other = beside(mapped, "SUB-2")
    rule_for(mapped, subscription=mapped.subscription)
    mapped.drain()
    assert not MarginUpdate.objects.exists()
    assert SubscriptionChange.objects.filter(kind="price_changed").get().subscription == mapped.subscription
    assert [price_of(one) for one in (mapped, other)] == [6, 5]


def test_a_margin_of_an_azure_plan_sends_nothing_and_says_why(mapped):
    mapped.subscription.variant.offer.category = "azure_plan"
    mapped.subscription.variant.offer.save()
    rule_for(mapped)
    [operation] = carried(mapped).values()
    assert operation.state == State.NOTHING_TO_SEND
    assert "no price of its own" in operation.error
    assert mapped.psa.applied == []


def test_the_page_tells_how_far_they_are(mapped, as_user):
    rule_for(mapped)
    update = MarginUpdate.objects.get()
    page = as_user(mapped.cast.reader).get(update.get_absolute_url()).content.decode()
    assert "being looked for" in page
    assert "hx-trigger" in page
    carried(mapped)
    page = as_user(mapped.cast.reader).get(update.get_absolute_url()).content.decode()
    assert "1 of 1 done" in page
    assert "hx-trigger" not in page
    assert update.what in as_user(mapped.cast.reader).get("/margins/").content.decode()


@pytest.mark.parametrize("who", ["stranger", "reseller_admin"])
def test_others_do_not_see_them(mapped, as_user, who):
    rule_for(mapped)
    stranger = as_user(getattr(mapped.cast, who))
    assert stranger.get(MarginUpdate.objects.get().get_absolute_url()).status_code == 404


def test_as_many_queries_for_ten_operations_as_for_twenty(mapped, as_user, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for number in range(2, 22):
        beside(mapped, f"SUB-{number}")
    rule_for(mapped)
    update, counts = MarginUpdate.objects.get(), []
    client = as_user(mapped.cast.reader)
    for at_most in (10, 11):
        fan_out(update.pk, mapped.clock.now, at_most=at_most)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(update.get_absolute_url())
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_what_a_csp_charges_its_reseller_is_the_resellers_cost(mapped):
    """The reseller bills in an Autotask of its own; its cost follows from its CSP's margins."""
    from portal.actions.repricing import Scope, priced_by

    customer = make_customer(mapped.cast.reseller, "Fabrikam")
    theirs = make_subscription(customer, make_variant(mapped.cast.csp, title="Visio"), external_id="SUB-9")
    assert list(priced_by([Scope(mapped.cast.csp.pk, for_resellers=True)])) == [theirs]
    assert theirs not in priced_by([Scope(mapped.cast.csp.pk)])
    assert not priced_by([Scope(mapped.cast.other_csp.pk, for_resellers=True)])
