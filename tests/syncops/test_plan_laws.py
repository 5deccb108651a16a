"""Every law of planning over random lines; set LAWS_PROFILE=laws-thorough for many more of them."""

import pytest
from hypothesis import given

from tests.syncops.laws import LAWS
from tests.syncops.lines import PROFILE, lines
from tests.syncops.planners import planned


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@PROFILE
@given(line=lines())
def test_a_plan_for_any_line(law, line):
    law(line, planned)
