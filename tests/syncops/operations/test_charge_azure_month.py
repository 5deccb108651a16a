"""A charge for an Azure month leaves the line as it is."""

from syncops.operations.charge_azure_month import KIND
from syncops.timeline import Level, Timeline
from tests.syncops.operations.lines import ZERO, a_fact, after, may

PLAN = Timeline.from_steps([(may(1), Level(1, ZERO, ZERO))])


def test_one_unit_at_0_stays_one_unit_at_0():
    assert after(a_fact(KIND, may(31), month="2026-05-01", unit_price="312.40"), base=PLAN) == PLAN


def test_it_writes_to_the_contract_beside_the_line_and_is_never_sent_with_others():
    assert KIND.beside_line
    assert KIND.alone
    assert KIND.needs == {"contract_charges"}
