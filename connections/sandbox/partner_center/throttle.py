"""The rate limit of the service: so many calls a minute per partner and customer, refused ones included."""

import math
import threading
import time
from collections.abc import Callable


class Throttle:
    """Token buckets by name. `waiting(name, limit)` counts a call and says how long to wait, 0 when it may pass."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def waiting(self, name: str, per_minute: float) -> int:
        """Seconds until a call passes again. A call made while throttled lengthens the wait, by at most a minute."""
        now = self._clock()
        with self._lock:
            level, since = self._buckets.get(name, (per_minute, now))
            level = min(per_minute, level + (now - since) * per_minute / 60)
            level = max(level - 1, -per_minute)
            self._buckets[name] = (level, now)
        return 0 if level >= 0 else math.ceil(-level * 60 / per_minute)

    def clear(self) -> None:
        with self._lock:
            self._buckets.clear()
