"""The web server as it is installed, and a browser that asks it for pages in turn."""

import http.client
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.benchmarks.site import ROOT, Site
from tests.faults.stage import end_tree

EMPTY = "/benchmark/empty/"
START_S = 30.0


@dataclass(frozen=True, slots=True)
class Page:
    """An address, the person who asks for it, and what the answer must hold."""

    path: str
    email: str
    holds: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Web:
    """A running web server; `process` is its parent."""

    site: Site
    port: int
    process: subprocess.Popen[bytes]
    cookies: dict[str, str] = field(default_factory=dict)

    def milliseconds(self, pages: Mapping[str, Page], rounds: int) -> dict[str, list[float]]:
        """How long each page took one client, the pages in turn so that all see one machine; two rounds warm up."""
        browser = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        taken: dict[str, list[float]] = {name: [] for name in pages}
        for number in range(-2, rounds):
            for name, page in pages.items():
                elapsed = self._ask(browser, page)
                if number >= 0:
                    taken[name].append(elapsed)
        browser.close()
        return taken

    def _ask(self, browser: http.client.HTTPConnection, page: Page) -> float:
        headers = {"Cookie": self._cookie(page.email), **page.headers}
        began = time.perf_counter()
        browser.request("GET", page.path, headers=headers)
        answer = browser.getresponse()
        body = answer.read()
        elapsed = (time.perf_counter() - began) * 1000
        if answer.status != 200 or page.holds.encode() not in body:
            raise RuntimeError(f"{page.path} answered {answer.status} without {page.holds!r}: {body[:500]!r}")
        return elapsed

    def _cookie(self, email: str) -> str:
        if email not in self.cookies:
            session = self.site.inside("sign_in", email)
            self.cookies[email] = f"{session['name']}={session['value']}"
        return self.cookies[email]


@contextmanager
def web_of(site: Site) -> Iterator[Web]:
    """The server of an installation, with the empty view beside the product's pages."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-w", "2", "--threads", "4", "-b", f"127.0.0.1:{port}", "portal.wsgi"]
    environ = site.environ | {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings"}
    with (site.folder / "web.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(port)
        yield Web(site, port, process)
    finally:
        end_tree(process)


def median(values: list[float]) -> float:
    return statistics.median(values)


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the web server did not answer within {START_S:.0f} s")
