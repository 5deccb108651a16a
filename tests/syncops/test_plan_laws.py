"""Every law of planning over random lines; set LAWS_PROFILE=laws-thorough for many more of them."""

import pytest
from hypothesis import given

from syncops.plans import Plan, plan
from tests.syncops.laws import LAWS
from tests.syncops.lines import PROFILE, Line, lines


def planned(line: Line) -> Plan:
    return plan(line.wanted, line.held, contract=line.contract, currency="EUR", closed_through=line.closed)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@PROFILE
@given(line=lines())
def test_a_plan_for_any_line(law, line):
    law(line, planned)
