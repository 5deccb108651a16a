"""Reading a large Autotask into the mirror, then what changed: requests, time against three at once, memory."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.far_side import FIRST_COMPANY, FIRST_CONTRACT, wide_database
from tests.benchmarks.report import Aim, Figure
from tests.benchmarks.site import AT_ONCE, LATENCY_S, ROOT, Ground, Site

COMPANIES, CONTRACTS = 20_000, 50_000
ROWS_A_PAGE = 500
PAGES = (COMPANIES + CONTRACTS) // ROWS_A_PAGE
MOST_REQUESTS, MOST_MB = 142, 120
CHANGED, MOST_FOR_CHANGES = 10, 4


def run(ground: Ground) -> list[Figure]:
    with ground.site(wide_database(COMPANIES, CONTRACTS)) as site:
        name = site.inside("connect")
        site.slow_down()
        seconds, peak_mb = _read(site, name)
        requests = site.requests()
        of_changes = _read_changes(site, name)
    limit = PAGES * LATENCY_S / AT_ONCE
    return [
        Figure("mirror", seconds, "s", limit, Aim(1.4), f"{COMPANIES + CONTRACTS:,} rows, {PAGES} pages"),
        Figure("mirror_requests", requests, "requests", MOST_REQUESTS, Aim(1)),
        Figure("mirror_changes", of_changes, "requests", MOST_FOR_CHANGES, Aim(1), f"{CHANGED} changed rows"),
        Figure("mirror_memory", peak_mb, "MB", MOST_MB, Aim(1), "peak of the whole process"),
    ]


def _read(site: Site, name: str) -> tuple[float, float]:
    """`manage.py mirror` in a process of its own: seconds as it says, and its peak memory in MB."""
    command = [sys.executable, "manage.py", "mirror", "--connection", name, "--json"]
    process = subprocess.Popen(command, cwd=ROOT, env=site.environ, stdout=subprocess.PIPE, text=True)
    site.workers.append(process)  # ended with the site, should this be broken off
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _peak_mb(process.pid))
        time.sleep(0.02)
    assert process.stdout
    facts = json.loads(process.stdout.read())
    if process.returncode or facts["read"].get("contracts") != CONTRACTS:
        raise RuntimeError(f"the mirror is not complete: {facts}")
    return float(facts["seconds"]), peak


def _read_changes(site: Site, name: str) -> int:
    """The requests of `manage.py mirror --changes` after some companies and contracts were edited."""
    for number in range(CHANGED // 2):
        for entity, first, field in (
            ("Companies", FIRST_COMPANY, "companyName"),
            ("Contracts", FIRST_CONTRACT, "contractName"),
        ):
            site.control("records", {"entity": entity, "id": first + number, "values": {field: f"Edited {number}"}})
    before = site.requests()
    command = [sys.executable, "manage.py", "mirror", "--connection", name, "--changes", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=site.environ, capture_output=True, text=True, check=True)
    read = json.loads(done.stdout)["read"]
    if read.get("companies", 0) + read.get("contracts", 0) < CHANGED:
        raise RuntimeError(f"not every change was read: {read}")
    return site.requests() - before


def _peak_mb(pid: int) -> float:
    """The most memory that a process ever had resident; what its parent had before it was born does not count."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0
