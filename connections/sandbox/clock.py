"""The time that a stand-in believes in: the real one, or the real one moved by a persistent offset."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from .store import Store

OFFSET = "clock_offset_seconds"


class Clock:
    """Ticks like the real clock. `set` and `advance` move it, and the move survives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = timedelta(seconds=store.setting(OFFSET, 0))

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def today(self) -> date:
        return self.now().date()

    def stamp(self) -> str:
        """Now, as both vendors write it: UTC with milliseconds."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def set(self, moment: date | datetime) -> None:
        """From now on it is `moment`; a plain date keeps the time of day."""
        real = datetime.now(UTC)
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, real.time(), UTC)
        self._move(moment.astimezone(UTC) - real)

    def advance(self, *, days: float = 0, seconds: float = 0) -> None:
        self._move(self._offset + timedelta(days=days, seconds=seconds))

    def control(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body of a control request: {"today": "2026-03-10"}, {"now": ISO moment}, {"advance_days": n,
        "advance_seconds": n}, {"real": true} for the real time again, or {} to look.
        """
        if body.get("real"):
            self._move(timedelta())
        if "today" in body:
            self.set(date.fromisoformat(body["today"]))
        if "now" in body:
            self.set(datetime.fromisoformat(body["now"]))
        self.advance(days=float(body.get("advance_days", 0)), seconds=float(body.get("advance_seconds", 0)))
        return {
            "now": self.stamp(),
            "today": self.today().isoformat(),
            "offset_seconds": self._offset.total_seconds(),
        }

    def _move(self, offset: timedelta) -> None:
        if offset != self._offset:
            self._offset = offset
            self._store.set_setting(OFFSET, offset.total_seconds())
