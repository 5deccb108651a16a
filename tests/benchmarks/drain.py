"""How fast pending operations are sent and proved, and how many requests each costs; real worker, real HTTP."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.benchmarks.far_side import FIRST_LINE, TODAY, lines_database
from tests.benchmarks.report import Aim, Figure
from tests.benchmarks.site import AT_ONCE, LATENCY_S, Ground, Site
from tests.connections.sandbox.autotask_api import USER

OPERATIONS = int(os.environ.get("BENCH_OPERATIONS", "300"))
SPARE = 60  # lines that only the far side's own speed is measured with
OPEN = "SELECT count(*) FROM syncops_syncoperation WHERE state IN ('queued', 'running', 'uncertain')"
WORST_PER_S = 4  # slower than that is broken off
LONGEST_S = 90 + OPERATIONS // WORST_PER_S


def run(ground: Ground) -> list[Figure]:
    with ground.site(lines_database(OPERATIONS + SPARE)) as site:
        site.connected(OPERATIONS)
        pending = site.inside("change_lines", 12)
        assert pending == OPERATIONS, f"{pending} operations are pending"
        site.slow_down()
        site.start_worker()
        seconds = _drained(site)
        sent, bare = site.requests(), _bare(site)
    rate, limit = OPERATIONS / seconds, AT_ONCE / LATENCY_S
    return [
        Figure("drain", rate, "operations/s", limit, Aim(0.9, at_least=True), f"{OPERATIONS} in {seconds:.1f} s"),
        Figure("drain_requests", sent / OPERATIONS, "requests/operation", 1.1, Aim(1), f"{sent} requests"),
        Figure("drain_bare", bare, "operations/s", limit, note="the far side alone: three clients that only write"),
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


def _bare(site: Site) -> float:
    """Writes per second of three clients that do nothing else."""
    url = f"{site.sandbox.autotask_url}/ATServicesRest/V1.0/ContractServiceAdjustments"
    headers = {"UserName": USER["user_name"], "Secret": USER["secret"], "ApiIntegrationCode": USER["integration_code"]}

    def write(client: int) -> None:
        with requests.Session() as session:
            for line in range(FIRST_LINE + OPERATIONS + client, FIRST_LINE + OPERATIONS + SPARE, AT_ONCE):
                body = {"id": 0, "contractServiceID": line, "effectiveDate": TODAY, "unitChange": 2}
                session.post(url, json=body, headers=headers, timeout=20).raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(write, range(AT_ONCE)))
    return SPARE / (time.perf_counter() - began)
