"""CPU time of planning one change on a line with 40 changes over 18 months."""

from tests.benchmarks.far_side import long_database
from tests.benchmarks.report import Aim, Figure
from tests.benchmarks.site import Ground

LIMIT_MS = 5.0


def run(ground: Ground) -> list[Figure]:
    with ground.site(long_database()) as site:
        site.connected(1)
        cost = site.inside("plan_cost")
    return [
        Figure("plan", cost["engine"], "ms", LIMIT_MS, Aim(1), f"{cost['rows']} unit rows, our own tables read"),
        Figure("plan_rules", cost["rules"], "ms", LIMIT_MS, Aim(1), "the pure functions alone"),
    ]
