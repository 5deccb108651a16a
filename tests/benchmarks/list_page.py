"""Pages of lists over many rows, against a view that does nothing but know who asks."""

import os

from tests.benchmarks.far_side import lines_database
from tests.benchmarks.report import Aim, Figure
from tests.benchmarks.site import Ground
from tests.benchmarks.web import EMPTY, Page, median, p95, web_of

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
ROUNDS = 40
ADMIN, STRANGER = "admin@alder.example", "admin@stranger.example"
LISTS = ("operations", "subscriptions", "customers", "audit")


def run(ground: Ground) -> list[Figure]:
    with ground.site(lines_database(5)) as site:
        site.connected(5)
        site.inside("change_lines", 12)
        site.manage("work", "--until-idle", "--patience", "1")
        deep = site.inside("fill_lists", ROWS)
        with web_of(site) as web:
            taken = web.milliseconds({"empty": Page(EMPTY, ADMIN)} | _pages(deep), ROUNDS)
    empty = median(taken.pop("empty"))
    figures = [
        Figure(f"list_page_{name}", median(times), "ms", empty, note=f"p95 {p95(times):.0f} ms")
        for name, times in taken.items()
    ]
    worst = max((one for one in figures if not one.name.endswith("_small_tenant")), key=lambda one: one.figure)
    note = f"the slowest: {worst.name.removeprefix('list_page_')}; {ROWS:,} rows each, empty view {empty:.1f} ms"
    return [Figure("list_page", worst.figure, "ms", empty, Aim(10), note), *figures]


def _pages(deep: dict[str, int]) -> dict[str, Page]:
    """Each list from its beginning, from its middle, and as somebody sees it whose few rows are the oldest."""
    pages = {}
    for name in LISTS:
        pages[name] = Page(f"/{name}/", ADMIN, "<table")
        pages[f"{name}_deep"] = Page(f"/{name}/?after={deep[name]}", ADMIN, "<table")
        pages[f"{name}_small_tenant"] = Page(f"/{name}/", STRANGER, "<table")
    return pages
