"""Memory of the whole installation, web server and worker, while both have work."""

import threading
import time

import psutil

from tests.benchmarks.far_side import lines_database
from tests.benchmarks.list_page import ADMIN
from tests.benchmarks.report import Aim, Figure
from tests.benchmarks.site import Ground
from tests.benchmarks.web import Page, web_of

MOST_MB = 512
OPERATIONS = 60
ROUNDS = 10
PAGES = ("/", "/operations/", "/subscriptions/", "/customers/", "/orders/", "/audit/", "/inbox/", "/connections/")


def run(ground: Ground) -> list[Figure]:
    with ground.site(lines_database(OPERATIONS)) as site, web_of(site) as web:
        site.connected(OPERATIONS)
        worker = site.started_worker()
        site.inside("change_lines", 12)
        watch = Watch([web.process.pid, worker.pid])
        with watch:
            web.milliseconds({path: Page(path, ADMIN) for path in PAGES}, ROUNDS)
            site.wait_for(lambda: site.look("SELECT count(*) FROM syncops_syncoperation WHERE state = 'queued'") == 0)
            time.sleep(1)
    parts = f"web {watch.peak[0]:.0f} MB, worker {watch.peak[1]:.0f} MB, {watch.processes} processes"
    return [Figure("memory", sum(watch.peak), "MB", MOST_MB, Aim(1), parts)]


class Watch:
    """The proportional memory (PSS) of some process trees, looked at twice a second; `peak`: at the largest sum."""

    def __init__(self, roots: list[int]) -> None:
        self.roots = roots
        self.peak = [0.0] * len(roots)
        self.processes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.5):
            trees = [_tree(root) for root in self.roots]
            now = [sum(map(_megabytes, tree)) for tree in trees]
            if sum(now) > sum(self.peak):
                self.peak, self.processes = now, sum(map(len, trees))


def _tree(root: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(root)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _megabytes(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 1e6
    except psutil.Error:
        return 0.0
