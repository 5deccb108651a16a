"""Pages from several sources as they arrive: while the pages of one are stored, those of another are on their way."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections as databases

AT_ONCE = 2
WAITING = 4
PATIENCE_S = 0.1

Source = tuple[str, Callable[[], Iterator[Sequence[Any]]]]


def merged(sources: Sequence[Source], *, at_once: int = AT_ONCE) -> Generator[tuple[str, Sequence[Any] | None]]:
    """(name, page) of every source, each source's pages in their own order; (name, None) once a source is through.

    Sources are read in threads of their own, `at_once` of them at a time, beginning with the first. What goes wrong in
    one rises here, behind the pages that it gave before, and ends the others.
    """
    arrived: queue.Queue[tuple[str, Sequence[Any] | None, BaseException | None]] = queue.Queue(WAITING)
    over = threading.Event()

    def hand_over(name: str, page: Sequence[Any] | None, error: BaseException | None = None) -> None:
        while not over.is_set():
            try:
                return arrived.put((name, page, error), timeout=PATIENCE_S)
            except queue.Full:
                continue

    def feed(name: str, read: Callable[[], Iterator[Sequence[Any]]]) -> None:
        try:
            for page in () if over.is_set() else read():
                hand_over(name, page)
                if over.is_set():
                    return
            hand_over(name, None)
        except BaseException as error:  # it rises again in the thread that takes the pages
            hand_over(name, None, error)
        finally:
            databases.close_all()

    with ThreadPoolExecutor(at_once, thread_name_prefix="feed") as pool:
        for name, read in sources:
            pool.submit(feed, name, read)
        try:
            through = 0
            while through < len(sources):
                name, page, error = arrived.get()
                if error is not None:
                    raise error
                through += page is None
                yield name, page
        finally:
            over.set()
