"""How fast pending operations are sent and proved, and how many requests each costs; real worker, real HTTP."""

import os
import time

from tests.benchmarks.far_side import lines_database
from tests.benchmarks.report import Aim, Figure
from tests.benchmarks.site import AT_ONCE, LATENCY_S, Ground, Site

OPERATIONS = int(os.environ.get("BENCH_OPERATIONS", "300"))
OPEN = "SELECT count(*) FROM syncops_syncoperation WHERE state IN ('queued', 'running', 'uncertain')"
WORST_PER_S = 4  # slower than that is broken off
LONGEST_S = 90 + OPERATIONS // WORST_PER_S


def run(ground: Ground) -> list[Figure]:
    with ground.site(lines_database(OPERATIONS)) as site:
        site.connected(OPERATIONS)
        pending = site.inside("change_lines", 12)
        assert pending == OPERATIONS, f"{pending} operations are pending"
        site.slow_down()
        site.start_worker()
        seconds = _drained(site)
        requests = site.requests()
    rate, limit = OPERATIONS / seconds, AT_ONCE / LATENCY_S
    return [
        Figure("drain", rate, "operations/s", limit, Aim(0.9, at_least=True), f"{OPERATIONS} in {seconds:.1f} s"),
        Figure("drain_requests", requests / OPERATIONS, "requests/operation", 1.1, Aim(1), f"{requests} requests"),
    ]


def _drained(site: Site) -> float:
    """Seconds from the first operation's start to the last one's proof."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        time.sleep(1)
        if site.look(OPEN) == 0:
            break
    found = site.inside("progress")
    if found["proved"] != OPERATIONS:
        raise RuntimeError(f"not all were proved: {found}; the worker said: {site.worker_log()[-2000:]}")
    return float(found["seconds"])
