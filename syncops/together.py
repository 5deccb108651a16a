"""What several jobs share: rows that a transaction stores at its end, in one go instead of one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Store = Callable[[list[Any]], object]


class _Gathered(threading.local):
    kept: dict[Store, list[Any]] | None = None


_gathered = _Gathered()


def keep(store: Store, item: Any) -> None:
    """`store([item])` now; inside `gathering()` at its end, together with all others that are stored the same way."""
    if _gathered.kept is None:
        store([item])
    else:
        _gathered.kept.setdefault(store, []).append(item)


@contextmanager
def gathering() -> Iterator[None]:
    """Store at the end what is kept meanwhile, kind by kind, in the order in which each kind came first.

    Inside a transaction: where an error ends it, nothing of what was kept is stored.
    """
    before, _gathered.kept = _gathered.kept, {}
    try:
        yield
        kept = _gathered.kept
    finally:
        _gathered.kept = before
    for store, items in kept.items():
        store(items)
