"""Worked examples of an undo, and its laws over random facts: it restores, and it does so once."""

from hypothesis import given
from hypothesis import strategies as st

from syncops.changes import fold, holding
from syncops.operations import change_price, change_quantity
from syncops.operations.base import Fact
from tests.syncops.histories_of_facts import facts_of_a_line
from tests.syncops.operations.lines import GRID, LINE, may

TO_12 = Fact("change_quantity", may(10), {"units": 12}, key=1)
TO_15 = Fact("change_quantity", may(20), {"units": 15}, key=2)
DEARER = Fact("change_price", may(10), {"price": "5.50", "cost": "4.00"}, key=3)


def undo(fact, key):
    return Fact("undo", fact.effective, {"undoes": fact.key}, key=key)


def folded(*facts):
    return fold(facts, grid=GRID, base=LINE)


def units(timeline):
    return [(str(day), level.units) for day, level in timeline.steps]


def test_ten_to_twelve_undone_is_ten():
    assert folded(TO_12, undo(TO_12, 9)) == LINE


def test_what_came_later_stays():
    assert units(folded(TO_12, TO_15, undo(TO_12, 9))) == [("2026-05-01", 10), ("2026-05-20", 15)]


def test_a_price_goes_back_to_what_it_was():
    assert folded(DEARER, undo(DEARER, 9)) == LINE


def test_an_undo_that_is_undone_takes_nothing_back():
    first = undo(TO_12, 9)
    assert folded(TO_12, first, undo(first, 10)) == folded(TO_12)


def test_an_undo_that_is_not_stored_yet_is_the_youngest():
    first = undo(TO_12, 9)
    assert folded(TO_12, first, undo(first, 0)) == folded(TO_12)


def test_kinds_are_named_as_the_registry_names_them():
    assert {TO_12.kind, DEARER.kind} == {change_quantity.KIND.name, change_price.KIND.name}


@given(st.data())
def test_undoing_one_is_as_if_it_had_never_been(data):
    facts = data.draw(facts_of_a_line())
    gone = data.draw(st.sampled_from(facts))
    rest = [fact for fact in facts if fact.key != gone.key]
    assert folded(*facts, undo(gone, 99)) == folded(*rest)


@given(st.data())
def test_undoing_twice_is_undoing_once(data):
    facts = data.draw(facts_of_a_line())
    gone = data.draw(st.sampled_from(facts))
    assert folded(*facts, undo(gone, 98), undo(gone, 99)) == folded(*facts, undo(gone, 99))


@given(st.data())
def test_a_chain_of_undos_holds_or_not_by_turns(data):
    facts = data.draw(facts_of_a_line())
    gone = data.draw(st.sampled_from(facts))
    chain, last = [], gone
    for key in range(50, 50 + data.draw(st.integers(1, 6))):
        last = undo(last, key)
        chain.append(last)
    held = {fact.key for fact in holding([*facts, *chain])}
    assert (gone.key in held) == (len(chain) % 2 == 0)
    assert {fact.key for fact in facts} - held <= {gone.key}
