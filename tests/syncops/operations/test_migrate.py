"""A migration of a legacy subscription, in numbers."""

from syncops.operations.migrate import KIND
from tests.syncops.operations.lines import a_fact, after, may


def test_the_old_line_ends_with_the_migration():
    line = after(a_fact(KIND, may(20)))
    assert [line.at(may(day)).units for day in (19, 20, 31)] == [10, 0, 0]
