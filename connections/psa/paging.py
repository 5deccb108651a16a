"""All rows of a large set by ascending id, several pages at once, although each page only tells where it ends.

A page is asked for by "id greater than". Where the next pages begin is guessed from how many ids the last page spanned:
dense ids make the guess exact. A guess that skips ids is filled before it counts; one that overlaps is trimmed. So
the result does not depend on the guess, only the number of requests does.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

AT_ONCE = 3
FAIR = 0.8  # a guess that lets more than this part of a page be new is worth asking for ahead

T = TypeVar("T", bound=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows by ascending id. `more`: whether the far side has rows behind them; `last_id` is -1 where there are none.

    `next_url`: where the far side says that the next page is; empty where it does not.
    """

    rows: Sequence[T]
    last_id: int
    more: bool
    next_url: str = ""


Prepare = Callable[[int, int | None], tuple[Any, Callable[[], Any]]]
Settle = Callable[[Any, Any], Page[Any]]
Places = Callable[[int], AbstractContextManager[int]]


def in_waves(
    prepare: Prepare,
    settle: Settle,
    *,
    after_id: int,
    at_once: int = AT_ONCE,
    places: Places = nullcontext,
) -> Iterator[Sequence[Any]]:
    """Pages of rows behind `after_id`, each id once.

    `prepare(after, through)` gives a request and what sends it; only the sending runs in threads of its own, so that
    `settle(request, answer)` may touch the database. `through` is None, or the last id that is wanted. `places(wanted)`
    holds at least one and at most so many places while as many requests are on their way; it gives how many.
    """

    def fetch(after: int, through: int | None = None) -> Page[Any]:
        request, sending = prepare(after, through)
        with places(1):
            answer = sending()
        return settle(request, answer)

    first = fetch(after_id)
    if first.rows:
        yield first.rows
    if not first.more:
        return
    walk = _Walk(first.last_id, _span(first))
    with ThreadPoolExecutor(at_once, thread_name_prefix="page") as pool:
        ready: list[Page[Any]] = []
        while not walk.done:
            with places(walk.ahead(at_once)) as granted:
                wave = [prepare(start, None) for start in walk.starts(granted)]
                sent = [(request, pool.submit(sending)) for request, sending in wave]
                try:
                    for page in ready:  # handed on while the next wave is on its way
                        yield page.rows
                finally:
                    wait([future for _, future in sent])
            pages = [settle(request, future.result()) for request, future in sent]
            ready = list(walk.taken(pages, fetch))
        for page in ready:
            yield page.rows


class _Walk:
    """How far the ids are read, and where to go on."""

    def __init__(self, covered: int, span: int) -> None:
        self.covered = covered
        self.done = False
        self._span = span
        self._trusted = True
        self._starts: list[int] = []

    def ahead(self, at_once: int) -> int:
        """How many pages are worth asking for at once: one, unless the last wave's guesses were good."""
        return at_once if self._trusted else 1

    def starts(self, count: int) -> list[int]:
        """Where the pages of the next wave begin."""
        self._starts = [self.covered + number * self._span for number in range(count)]
        return self._starts

    def taken(self, pages: Sequence[Page[Any]], fetch: Callable[[int, int | None], Page[Any]]) -> Iterator[Page[Any]]:
        """The new rows of a wave's pages, gaps between them filled."""
        fresh = asked = 0
        for start, page in zip(self._starts, pages, strict=True):
            while self.covered < start and not self.done:
                gap = fetch(self.covered, start)
                asked += 1
                self.covered = gap.last_id if gap.more else start
                if gap.rows:
                    yield gap
            new = [row for row in page.rows if row["id"] > self.covered]
            fresh += len(new)
            asked += 1
            if new:
                self.covered = page.last_id
                yield Page(new, page.last_id, page.more)
            if not page.more:
                self.done = True
                break
        self._learn(pages, fresh, asked)

    def _learn(self, pages: Sequence[Page[Any]], fresh: int, asked: int) -> None:
        full = [page for page in pages if page.more]
        if full:
            most = max(len(page.rows) for page in full)
            self._span = min(_span(page) for page in full)
            self._trusted = len(pages) == 1 or fresh >= FAIR * most * asked


def _span(page: Page[Any]) -> int:
    """How many ids lie between the beginnings of this page and of the next one, going by the page's second half.

    The first half may begin far below the rest: Autotask's own company has id 0.
    """
    tail = page.rows[len(page.rows) // 2 :]
    ids = page.last_id - int(tail[0]["id"])
    return max(1, ids * len(page.rows) // max(1, len(tail) - 1))
