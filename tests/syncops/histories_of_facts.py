"""Random facts of one line: quantities and prices, on few dates so that they collide, each with a key of its own."""

from decimal import Decimal

from hypothesis import strategies as st

from syncops.operations.base import Fact
from tests.syncops.operations.lines import june, may

DAYS = [may(1), may(10), may(20), may(31), june(1), june(15)]
QUANTITIES = st.builds(
    lambda day, units: ("change_quantity", day, {"units": units}), st.sampled_from(DAYS), st.integers(0, 20)
)
PRICES = st.builds(
    lambda day, cents: ("change_price", day, {"price": str(Decimal(cents) / 100), "cost": "4.00"}),
    st.sampled_from(DAYS),
    st.integers(400, 900),
)


def facts_of_a_line() -> st.SearchStrategy[list[Fact]]:
    """One to six facts, in the order in which they were recorded."""
    drawn = st.lists(QUANTITIES | PRICES, min_size=1, max_size=6)
    return drawn.map(lambda many: [Fact(*one, key=number) for number, one in enumerate(many, 1)])
