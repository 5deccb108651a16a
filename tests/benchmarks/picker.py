"""Searching a company as one types, over a large mirror, against a view that does nothing but know who asks."""

from urllib.parse import urlencode

from tests.benchmarks.far_side import lines_database
from tests.benchmarks.report import Aim, Figure
from tests.benchmarks.site import Ground
from tests.benchmarks.web import EMPTY, Page, median, p95, web_of

COMPANIES = 20_000
ROUNDS = 30
ADMIN = "admin@alder.example"
TYPED = ("", "c", "ce", "cedar", "cedar cl", "cedar clinic 0", "19999", "nobody of that name")


def run(ground: Ground) -> list[Figure]:
    with ground.site(lines_database(5)) as site:
        site.connected(5)
        place = site.inside("fill_companies", COMPANIES)
        base = f"/connections/{place['connection']}/subscriptions/{place['subscription']}/companies/"
        with web_of(site) as web:
            pages = {text: _typed(base, text) for text in TYPED}
            taken = web.milliseconds({EMPTY: Page(EMPTY, ADMIN)} | pages, ROUNDS)
    empty = median(taken.pop(EMPTY))
    everything = [elapsed for times in taken.values() for elapsed in times]
    slowest = max(taken, key=lambda text: median(taken[text]))
    worst = Figure("picker_slowest", median(taken[slowest]), "ms", empty, note=f"typed {slowest!r}")
    note = f"{COMPANIES:,} companies, p95 {p95(everything):.0f} ms, empty view {empty:.1f} ms"
    return [Figure("picker", median(everything), "ms", empty, Aim(10), note), worst]


def _typed(base: str, text: str) -> Page:
    return Page(f"{base}?{urlencode({'company-q': text})}", ADMIN, headers={"HX-Request": "true"})
