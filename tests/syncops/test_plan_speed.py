"""Planning is done for every line of every drain: it has to cost next to nothing."""

from datetime import date, timedelta
from decimal import Decimal
from time import process_time

from syncops.plans import plan
from syncops.timeline import Level, Term, Timeline

CONTRACT = Term(date(2026, 1, 1), date(2027, 6, 30))


def changes(count: int, *, offset: int) -> Timeline:
    """`count` changes over 18 months, each another quantity and every third another price."""
    return Timeline.from_steps(
        (CONTRACT.start + timedelta(offset + n * 13), Level(5 + n * 7 % 11, Decimal(5 + n // 3 % 4), Decimal(3)))
        for n in range(count)
    )


def cost_in_ms(desired: Timeline, actual: Timeline) -> float:
    def once() -> float:
        started = process_time()
        plan(desired, actual, contract=CONTRACT, currency="EUR", closed_through=date(2026, 3, 31))
        return (process_time() - started) * 1000

    return min(once() for _ in range(20))


def test_a_line_with_forty_changes_over_eighteen_months_is_planned_in_five_milliseconds():
    assert cost_in_ms(changes(40, offset=0), changes(40, offset=5)) < 5
    assert cost_in_ms(changes(40, offset=0), changes(1, offset=0)) < 5
