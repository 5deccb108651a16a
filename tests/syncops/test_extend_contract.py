"""A contract that ends too early is extended, and what waited for that goes on by itself."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from connections.models import MirroredContract
from portal.models import AuditEntry
from syncops.actions import NotPossible
from syncops.extensions import end_needed_by, extend_contract, preview_extension
from syncops.models import Shortfall, SyncOperation
from syncops.tasks import sweep
from tests.syncops.desk import operation_of
from tests.syncops.mishaps import Killed, change_of, choose, die, keep_looking

State = SyncOperation.State
END, JULY_15, JULY_31 = date(2026, 6, 30), date(2026, 7, 15), date(2026, 7, 31)


def ends(desk, end=END):
    desk.psa.put_contract(replace(desk.psa._contracts[100], ends_on=end))
    MirroredContract.objects.update(ends_on=end)


@pytest.fixture
def waiting(mapped):
    """A change to 12 from the 15th of July waits: the contract ends in June."""
    ends(mapped)
    mapped.change_quantity(12, JULY_15)
    mapped.drain()
    mapped.psa.calls.clear()
    return mapped


def preview(desk, **asked):
    return preview_extension(change_of(desk), desk.psa, **asked)


def extend(desk, extension=None):
    return extend_contract(extension or preview(desk), actor=desk.cast.admin, today=desk.today, now=desk.clock.now)


def extensions():
    return SyncOperation.objects.get(kind="extend_contract")


def test_the_preview_says_until_when_and_what_that_bills(waiting):
    waiting.psa.add_line(100, 10, units=3)
    one = preview(waiting)
    assert (one.ends_on, one.needed, one.new_end) == (END, JULY_15, JULY_31)
    # July: 10 x 5.00 x 14/31 + 12 x 5.00 x 17/31 here, 3 x 5.00 on the line of somebody else
    assert one.this_line == Decimal("22.58") + Decimal("32.90")
    assert (one.other_lines, one.others) == (Decimal("15.00"), 1)
    assert [verb for verb, _ in waiting.psa.calls] == ["contract", "lines_of", "unit_rows"]


@pytest.mark.parametrize(
    ("until", "words"),
    [(date(2026, 7, 14), "15\xa0Jul\xa02026 or later"), (date(2046, 1, 1), "more than 10 years")],
)
def test_an_end_that_does_not_help_is_refused(waiting, until, words):
    one = preview(waiting, until=until)
    assert words in one.problem
    with pytest.raises(NotPossible):
        extend(waiting, one)


def test_the_contract_is_extended_and_the_change_goes_on_by_itself(waiting):
    extend(waiting)
    waiting.drain()
    assert waiting.psa._contracts[100].ends_on == JULY_31
    assert MirroredContract.objects.get(remote_id=100).ends_on == JULY_31
    assert waiting.units(JULY_15) == 12
    assert (extensions().state, change_of(waiting).state) == (State.SUCCEEDED, State.SUCCEEDED)
    assert end_needed_by(change_of(waiting)) is None
    names = AuditEntry.objects.filter(status="succeeded").values_list("name", flat=True)
    assert {"Extend Contract", "Update Subscription on Connection"} <= set(names)


def test_a_second_click_begins_nothing(waiting):
    one = preview(waiting)
    assert extend(waiting, one) == extend(waiting, one)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "unavailable"])
def test_whatever_becomes_of_the_answer_the_contract_is_extended(waiting, fault):
    extend(waiting)
    waiting.psa.fail_next("extend_contract", fault)
    waiting.drain()
    keep_looking(waiting)
    assert waiting.psa._contracts[100].ends_on == JULY_31
    assert waiting.units(JULY_15) == 12


@pytest.mark.parametrize("verb", ["contract", "extend_contract"])
def test_a_killed_worker_loses_nothing(waiting, verb):
    extend(waiting)
    waiting.psa.meanwhile(verb, die)
    with pytest.raises(Killed):
        waiting.drain()
    waiting.clock.wait(121)
    keep_looking(waiting)
    assert waiting.units(JULY_15) == 12


def test_an_end_that_is_later_already_is_never_brought_back(waiting):
    extend(waiting)
    ends(waiting, date(2028, 12, 31))
    waiting.drain()
    assert waiting.psa._contracts[100].ends_on == date(2028, 12, 31)
    assert not [verb for verb, _ in waiting.psa.calls if verb == "extend_contract"]
    assert waiting.units(JULY_15) == 12


def test_a_refused_extension_needs_a_person_and_the_change_still_waits(waiting):
    extend(waiting)
    waiting.psa.fail_next("extend_contract", "reject")
    waiting.drain()
    assert (extensions().state, change_of(waiting).state) == (State.FAILED, State.FAILED)


def test_a_mapping_that_never_got_its_line_gets_it_with_the_extension(desk):
    ends(desk, date(2026, 5, 20))
    operation = desk.map()
    SyncOperation.objects.update(effective_on=date(2026, 5, 25))
    desk.drain()
    assert operation_of(desk).error_kind == "beyond_contract"
    extend_contract(
        preview_extension(operation_of(desk), desk.psa), actor=desk.cast.admin, today=desk.today, now=desk.clock.now
    )
    desk.drain()
    assert operation_of(desk).state == State.SUCCEEDED
    assert desk.units(date(2026, 5, 25)) == 10
    assert operation.pk == operation_of(desk).pk


def test_a_line_that_is_held_after_a_failure_is_extended_all_the_same(mapped):
    choose(mapped, after_failure="hold_line")
    ends(mapped)
    mapped.change_quantity(12, date(2026, 7, 1))
    mapped.drain()
    mapped.clock.wait(60 * 86400)
    mapped.today = date(2026, 7, 9)
    extend(mapped)
    mapped.drain()
    assert mapped.units(date(2026, 7, 1)) == 12


def test_an_end_that_somebody_moved_in_autotask_is_found_by_the_sweep(waiting):
    ends(waiting, JULY_31)
    sweep(waiting.clock.now)
    waiting.drain()
    assert change_of(waiting).state == State.SUCCEEDED
    assert waiting.units(JULY_15) == 12


def test_the_sweep_leaves_alone_what_still_lies_beyond(waiting):
    sweep(waiting.clock.now)
    assert change_of(waiting).state == State.FAILED


@pytest.fixture
def cut_off(mapped):
    """12 from the 15th of July were sent; then somebody ends the contract in June, and 11 from today are sent."""
    mapped.change_quantity(12, JULY_15)
    mapped.drain()
    ends(mapped)
    mapped.change_quantity(11)
    mapped.drain()
    return mapped


def test_a_step_beyond_the_end_beside_what_was_sent_is_recorded_once(cut_off):
    row = Shortfall.objects.get(reason="beyond_contract")
    assert (row.starts_on, row.needed_end, row.units, row.amount) == (JULY_15, JULY_15, 1, None)
    assert row.operation.state == State.SUCCEEDED
    cut_off.change_quantity(9, date(2026, 5, 12))
    cut_off.drain()
    open_rows = Shortfall.objects.unsettled().filter(reason="beyond_contract")
    assert [(one.starts_on, one.units) for one in open_rows] == [(JULY_15, 3)]


def test_a_step_beyond_the_end_is_sent_with_the_extension_and_settled_by_it(cut_off):
    row = Shortfall.objects.get(reason="beyond_contract")
    extension = preview_extension(row.operation, cut_off.psa)
    extend_contract(extension, actor=cut_off.cast.admin, today=cut_off.today, now=cut_off.clock.now)
    cut_off.drain()
    assert cut_off.units(JULY_15) == 12
    row.refresh_from_db()
    assert row.settled_by == extensions()


def test_a_step_beyond_the_end_is_not_given_up(cut_off):
    ends(cut_off, JULY_31)
    cut_off.change_quantity(13, date(2026, 5, 20))
    cut_off.drain()
    assert cut_off.units(JULY_15) == 12
    assert not Shortfall.objects.unsettled()


def test_an_end_that_the_mirror_has_not_heard_of_cuts_nothing_off(mapped):
    mapped.change_quantity(12, JULY_15)
    mapped.drain()
    MirroredContract.objects.update(ends_on=END)
    mapped.psa.edit(mapped.line, date(2026, 7, 20), 15)
    mapped.change_quantity(1, date(2026, 7, 25))
    mapped.drain()
    assert [mapped.units(date(2026, 7, day)) for day in (15, 20, 25)] == [12, 15, 4]
    assert not Shortfall.objects.exists()


def test_a_price_beyond_the_end_waits_as_well(mapped):
    """On days behind the end the line shows nothing, and a price of nothing is never missing."""
    ends(mapped)
    operation = mapped.record("price_changed", JULY_15, erp=Decimal("5.50"))
    mapped.drain()
    operation.refresh_from_db()
    assert (operation.state, end_needed_by(operation)) == (State.FAILED, JULY_15)
    one = preview_extension(operation, mapped.psa)
    extend_contract(one, actor=mapped.cast.admin, today=mapped.today, now=mapped.clock.now)
    mapped.drain()
    [july] = [row for row in mapped.psa.rows(mapped.line) if row.starts_on == date(2026, 7, 1)]
    assert july.price == 10 * Decimal("5.50")
