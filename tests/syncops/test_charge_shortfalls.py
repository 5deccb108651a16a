"""A shortfall becomes one charge on the contract: never none, never two."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from portal.models import AuditEntry
from syncops.actions import NotPossible, dismiss_operation, retry_operation
from syncops.models import Shortfall, SyncOperation, Write
from syncops.standing import standings
from tests.syncops.late import JUNE_3, MAY_20, MAY_31, charge, draft, late_change
from tests.syncops.mishaps import Killed, die, keep_looking

State = SyncOperation.State


@pytest.fixture
def late(mapped):
    late_change(mapped)
    mapped.psa.calls.clear()
    return mapped


def standing(desk):
    return standings([desk.subscription.pk])[desk.subscription.pk]


def test_the_draft_says_everything_about_the_charge(late):
    one = draft(late)
    assert one.name == "Microsoft 365 Business Basic (2026-05-20 to 2026-05-31)"
    assert one.description == "2026-05-20 to 2026-05-31: +2 units at 5 per period, 3.87 EUR"
    assert (one.unit_price, one.unit_cost, one.currency) == (Decimal("3.87"), Decimal("3.10"), "EUR")
    assert one.purchased_on == JUNE_3
    assert not one.is_credit
    assert [verb for verb, _ in late.psa.calls] == ["contract", "unit_rows", "billing_codes"]


def test_a_charge_is_dated_into_a_period_that_can_still_bill_it(late):
    late.psa.post_through(100, date(2026, 6, 30))
    assert draft(late).purchased_on == date(2026, 7, 1)


def test_on_a_contract_that_is_posted_to_its_end_nothing_is_charged(late):
    late.psa.post_through(100, date(2027, 12, 31))
    assert "posted to its end" in draft(late).problem
    with pytest.raises(NotPossible):
        charge(late)


def test_the_worker_makes_one_charge_and_proves_it(late):
    charge(late)
    late.drain()
    [made] = late.psa.charges
    assert (made.contract_id, made.amount, made.unit_cost, made.purchased_on) == (
        100,
        Decimal("3.87"),
        Decimal("3.10"),
        JUNE_3,
    )
    assert len(made.key) <= 50
    operation = SyncOperation.objects.get(kind="charge_shortfall")
    assert operation.state == State.SUCCEEDED
    assert operation.proof["charge"] == {"id": 500, "amount": "3.87", "purchased_on": "2026-06-03", "billed": False}
    assert [verb for verb, _ in late.psa.calls if "charge" in verb] == ["find_charges", "create_charge", "find_charges"]


def test_the_shortfall_says_by_which_charge_it_was_settled_and_is_not_missing_any_more(late):
    assert standing(late).missing == {"EUR": Decimal("3.87")}
    operation = charge(late)
    assert Shortfall.objects.get().settled_by == operation
    assert standing(late).missing == {"EUR": Decimal("3.87")}
    late.drain()
    assert standing(late).missing == {}
    assert standing(late).text == "Synced"


def test_the_charge_is_in_the_audit_log_from_its_yes_to_its_proof(late):
    charge(late)
    late.drain()
    began, ended = AuditEntry.objects.filter(name="Create Contract Charge").order_by("pk")
    assert began.asked["unit_price"] == "3.87"
    assert (began.actor_label, ended.status) == (late.cast.admin.email, "succeeded")
    assert ended.answered["proof"]["charge"]["id"] == 500


def test_the_line_is_not_touched_and_stays_as_it_is(late):
    before = late.psa.rows(late.line)
    charge(late)
    late.drain()
    assert late.psa.rows(late.line) == before
    late.change_quantity(15, JUNE_3)
    late.drain()
    assert late.units(JUNE_3) == 15
    assert late.units(MAY_31) == 10


def test_too_many_billed_units_become_a_credit(mapped):
    late_change(mapped, 7)
    one = draft(mapped)
    assert one.is_credit
    assert one.name.endswith("(credit for 2026-05-20 to 2026-05-31)")
    charge(mapped, one)
    mapped.drain()
    assert mapped.psa.charges[0].amount == Decimal("-5.81")  # -3 x 5.00 x 0.3871


def test_a_second_click_gives_the_charge_that_the_first_began(late):
    one = draft(late)
    assert charge(late, one) == charge(late, one)
    late.drain()
    assert len(late.psa.charges) == 1


def test_what_is_settled_cannot_be_charged_with_others(late):
    one = draft(late)
    charge(late, one)
    late.change_quantity(14, MAY_20)
    late.drain()
    both = type(one)(
        **{name: getattr(one, name) for name in one.__slots__} | {"shortfalls": (*Shortfall.objects.all(),)}
    )
    with pytest.raises(NotPossible, match="charged meanwhile"):
        charge(late, both)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "nameless", "unavailable"])
def test_whatever_becomes_of_the_answer_there_is_one_charge(late, fault):
    charge(late)
    late.psa.fail_next("create_charge", fault)
    late.drain()
    keep_looking(late)
    assert len(late.psa.charges) == 1
    assert SyncOperation.objects.get(kind="charge_shortfall").state == State.SUCCEEDED


@pytest.mark.parametrize("verb", ["find_charges", "create_charge"])
def test_a_killed_worker_leaves_one_charge(late, verb):
    charge(late)
    late.psa.meanwhile(verb, die)
    with pytest.raises(Killed):
        late.drain()
    late.clock.wait(121)
    keep_looking(late)
    assert len(late.psa.charges) == 1
    assert SyncOperation.objects.get(kind="charge_shortfall").state == State.SUCCEEDED


def test_a_worker_that_stood_still_makes_no_second_charge(late):
    charge(late)

    def usurp():
        late.clock.wait(130)
        late.engine("usurper").drain()

    late.psa.meanwhile("find_charges", usurp)
    late.drain()
    keep_looking(late)
    assert len(late.psa.charges) == 1


def test_an_accepted_charge_that_does_not_show_needs_a_person(late):
    charge(late)
    late.psa.fail_next("create_charge", "swallow")
    late.drain()
    keep_looking(late)
    operation = SyncOperation.objects.get(kind="charge_shortfall")
    assert (operation.state, operation.error_kind) == (State.FAILED, "accepted_not_applied")
    retry_operation(operation, actor=late.cast.admin, now=late.clock.now)
    late.drain()
    assert len(late.psa.charges) == 1


def test_a_refused_charge_leaves_the_shortfall_to_a_person_who_may_dismiss_it(late):
    charge(late)
    late.psa.fail_next("create_charge", "reject")
    late.drain()
    operation = SyncOperation.objects.get(kind="charge_shortfall")
    assert operation.state == State.FAILED
    dismiss_operation(operation, reason="By hand.", actor=late.cast.admin, now=late.clock.now)
    assert Shortfall.objects.get().settled_by is None
    assert charge(late) != operation


def test_two_charges_of_one_key_are_a_fault_that_a_person_mends(late):
    charge(late)
    late.psa.meanwhile("create_charge", lambda: late.psa.charges.append(late.psa.charges[0]))
    late.drain()
    operation = SyncOperation.objects.get(kind="charge_shortfall")
    assert operation.state == State.HELD
    assert "delete all but one" in operation.advice
    assert Write.objects.filter(kind="charge").count() == 1


def test_a_charge_that_somebody_changed_is_shown_as_it_is(late):
    charge(late)
    late.psa.fail_next("create_charge", "drop_after")
    late.drain()
    [made] = late.psa.charges
    late.psa.charges[0] = type(made)(**{n: getattr(made, n) for n in made.__slots__} | {"unit_price": Decimal(1)})
    keep_looking(late)
    operation = SyncOperation.objects.get(kind="charge_shortfall")
    assert (operation.state, operation.proof["matched"]) == (State.SUCCEEDED, False)
    assert operation.proof["charge"]["amount"] == "1"


def test_a_charge_that_somebody_canceled_settles_nothing_and_is_not_made_again(late):
    charge(late)
    late.psa.fail_next("create_charge", "drop_after")
    late.drain()
    late.psa.charges[0] = replace(late.psa.charges[0], canceled=True)
    keep_looking(late)
    operation = SyncOperation.objects.get(kind="charge_shortfall")
    assert operation.needs_a_person
    assert "never billed" in operation.error
    assert len(late.psa.charges) == 1
