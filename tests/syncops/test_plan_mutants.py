"""The laws must notice every wrong planner, or they prove nothing."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.syncops.lines import Line, lines
from tests.syncops.planners import MUTANTS, planned

SAMPLE = settings(
    max_examples=200,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def sample() -> list[Line]:
    found: list[Line] = []

    @SAMPLE
    @given(line=lines())
    def collect(line):
        found.append(line)

    collect()
    return found


@pytest.mark.parametrize(("law", "planner"), MUTANTS.values(), ids=MUTANTS.keys())
def test_a_wrong_planner_breaks_a_law(law, planner, sample):
    def is_broken(line: Line) -> bool:
        try:
            law(line, planner)
        except (AssertionError, KeyError):
            return True
        return False

    assert any(is_broken(line) for line in sample)
    for line in sample[:50]:
        law(line, planned)
