"""How long after the commit of a confirmed change it is proved in Autotask: real worker, idle queue, real HTTP."""

import statistics

from tests.benchmarks.far_side import LINES_PER_CONTRACT, lines_database
from tests.benchmarks.report import Aim, Figure
from tests.benchmarks.site import LATENCY_S, Ground

ROUNDS = 15
REQUESTS = 3  # read, write, read back


def run(ground: Ground) -> list[Figure]:
    lines = ROUNDS * LINES_PER_CONTRACT
    with ground.site(lines_database(lines)) as site:
        site.connected(lines)
        site.started_worker()
        site.slow_down()
        found = site.inside("confirm", ROUNDS)
        requests = site.requests() / ROUNDS
    limit = REQUESTS * LATENCY_S + found["poll"] / 2
    seconds = found["seconds"]
    note = f"{min(seconds):.2f} to {max(seconds):.2f} s, {requests:.1f} requests each"
    return [Figure("confirm_to_proof", statistics.median(seconds), "s", limit, Aim(2.5), note)]
