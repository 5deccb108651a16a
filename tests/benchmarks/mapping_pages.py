"""The mapping pages over a large business, against a view that does nothing but know who asks; their queries counted.

On SQLite, and where TEST_POSTGRES_URL names a server, on PostgreSQL too. BENCH_DATABASE=sqlite: only there.
"""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.benchmarks.report import Aim, Figure
from tests.benchmarks.site import ROOT, Ground, Site
from tests.benchmarks.web import EMPTY, Page, median, p95, web_of

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "30"))
ADMIN = "admin@alder.example"
MOST_QUERIES = 12
TYPED = ("", "c", "hotel", "hotel ba", "nobody of that name")
STATES = ("mapped", "not_mapped", "suggested", "conflict", "left_out")
OF_SUBSCRIPTIONS = ("", "all", "mapped", "ready", "customer", "offer")
NOUNS = {"customer": "company", "offer": "service"}
BUILT_BY = ("inside/many.py", "suggest.py")
CACHE = ROOT / "var" / "bench"


def run(ground: Ground) -> list[Figure]:
    figures: list[Figure] = []
    for vendor in ("sqlite", "postgresql"):
        if os.environ.get("BENCH_DATABASE", vendor) == vendor and (vendor == "sqlite" or _server()):
            with _filled(ground, vendor) as (site, places):
                figures += _measured(site, places, "" if vendor == "sqlite" else f"_{vendor}")
    return figures


def _measured(site: Site, places: dict[str, int], suffix: str) -> list[Figure]:
    pages, typed = _pages(places), _typed(places)
    asked = site.folder / "asked.json"
    asked.write_text(json.dumps({name: (page.path, page.headers) for name, page in (pages | typed).items()}))
    questions = site.inside("count_queries", ADMIN, asked)
    with web_of(site) as web:
        taken = web.milliseconds({EMPTY: Page(EMPTY, ADMIN)} | pages | typed, ROUNDS)
    empty = median(taken.pop(EMPTY))
    of_pages, of_typing = ({name: taken[name] for name in names} for names in (pages, typed))
    slowest, late = (max(of_pages, key=lambda name: which(of_pages[name])) for which in (median, p95))
    typing = max(of_typing, key=lambda name: median(of_typing[name]))
    most = max(questions, key=lambda name: questions[name])
    if "BENCH_ALL" in os.environ:
        for name, times in sorted(taken.items(), key=lambda one: -median(one[1])):
            print(f"{median(times) / empty:6.1f} {p95(times) / empty:6.1f} {questions[name]:4} {name}")
    note = f"the slowest of {len(pages)}: {slowest}; empty view {empty:.1f} ms"
    return [
        Figure(f"mapping_pages{suffix}", median(of_pages[slowest]), "ms", empty, Aim(15), note),
        Figure(f"mapping_pages_p95{suffix}", p95(of_pages[late]), "ms", empty, Aim(25), late),
        Figure(f"mapping_typing{suffix}", median(of_typing[typing]), "ms", empty, Aim(8), f"the slowest: {typing}"),
        Figure(f"mapping_queries{suffix}", questions[most], "queries", MOST_QUERIES, Aim(1), f"the most: {most}"),
    ]


def _pages(places: dict[str, int]) -> dict[str, Page]:
    """Every page and fragment, where nothing, half and all of it is mapped."""
    found: list[Page] = []
    for where in ("fresh", "half", "full"):
        base = f"/connections/{places[where]}"
        for noun, theirs in NOUNS.items():
            row, page = f"{base}/{noun}s/{places[noun]}/", f"{base}/{noun}s/"
            found += _lists(page, STATES)
            found += [Page(row, ADMIN), _fragment(row), Page(f"{page}match/", ADMIN, "Alike names")]
            found += [_fragment(f"{row}?{theirs}-left_out=on&{theirs}-q={typed}") for typed in ("", "nobody")]
            found += [_fragment(f"{row}?{theirs}-left_out=on&{theirs}-page=5")]
        found += _lists(f"{base}/subscriptions/", OF_SUBSCRIPTIONS)
    return {_name(page): page for page in found}


def _lists(address: str, states: tuple[str, ...]) -> list[Page]:
    """A list from its beginning, in every state, searched, and with what is mapped."""
    asked = [f"?state={state}" for state in states] + ["?q=hotel", "?q=nobody", "?hide=no", "?state=suggested&q=ba"]
    return [*(Page(address + query, ADMIN, "<table") for query in asked), _fragment(f"{address}?q=ba")]


def _typed(places: dict[str, int]) -> dict[str, Page]:
    """What is swapped while somebody types in a row."""
    found = []
    for where in ("fresh", "half"):
        for noun, theirs in NOUNS.items():
            row, target = f"/connections/{places[where]}/{noun}s/{places[noun]}/", f"options-{places[noun]}"
            found += [_fragment(f"{row}?{theirs}-q={quote(text)}", **{"HX-Target": target}) for text in TYPED]
    return {_name(page): page for page in found}


def _name(page: Page) -> str:
    return page.path + (" in its page" if page.headers else "")


def _fragment(address: str, **headers: str) -> Page:
    return Page(address, ADMIN, headers={"HX-Request": "true", **headers})


@contextmanager
def _filled(ground: Ground, vendor: str) -> Iterator[tuple[Site, dict[str, int]]]:
    """An installation with everything in it: on SQLite a copy of a file that is kept until tables or rows change."""
    with ground.site({"key": "main", "name": "Empty", "currency": "EUR", "zone": "EU"}) as site:
        if vendor == "sqlite":
            yield site, _kept(site)
            return
        server, name = _server(), f"bench_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        try:
            site.extra["DATABASE_URL"] = f"{server.rsplit('/', 1)[0]}/{name}"
            site.manage("migrate", "--verbosity", "0")
            places = site.inside("fill_mappings")
            with psycopg.connect(site.extra["DATABASE_URL"], autocommit=True) as connection:
                connection.execute("ANALYZE")
            yield site, places
        finally:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _kept(site: Site) -> dict[str, int]:
    sources = [*sorted(ROOT.glob("*/migrations/*.py")), *(Path(__file__).parent / name for name in BUILT_BY)]
    key = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:16]
    database, facts = CACHE / f"mapping-{key}.sqlite3", CACHE / f"mapping-{key}.json"
    if not facts.exists():
        places = site.inside("fill_mappings")
        site.inside("optimize")
        CACHE.mkdir(parents=True, exist_ok=True)
        for old in CACHE.glob("mapping-*"):
            old.unlink()
        shutil.copy(site.folder / "portal.sqlite3", database)
        facts.write_text(json.dumps(places), encoding="utf-8")
    shutil.copy(database, site.folder / "portal.sqlite3")
    found: dict[str, int] = json.loads(facts.read_text(encoding="utf-8"))
    return found


def _server() -> str:
    return os.environ.get("TEST_POSTGRES_URL", "")
