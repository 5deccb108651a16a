"""How many requests of an hour are used, by whom, and what may go on. Pure.

Autotask takes 10,000 requests in a rolling hour from all integrations of one database together, answers later from half
of them on, and refuses what is beyond. We keep to a share of it, and bulk work stops early: for people, and for others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

COUNT_EVERY = timedelta(minutes=5)
ANSWERED_IN = timedelta(seconds=8)
LIMIT, WINDOW_MIN = 10_000, 60  # until the far side has told its own
LEAST_SHARE, SHARE, MOST_SHARE = 5, 50, 100  # percent of the far side's limit
BULK_PERCENT = 80  # of our share; the rest is kept for people
PAUSE_PERCENT = 75  # of everybody's limit: from here on bulk work pauses


@dataclass(frozen=True, slots=True)
class Counted:
    """What the far side counts: requests of everybody in its window of minutes, and how many it takes."""

    limit: int
    window_min: int
    used: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Why no request may be made now, and from when on one may."""

    message: str
    advice: str
    until: datetime

    def seconds(self, now: datetime) -> float:
        return max(1.0, (self.until - now).total_seconds())


@dataclass(frozen=True, slots=True)
class Usage:
    """One budget at one moment. `minutes`: our requests by minute since 1970. `told`: everybody else's when the far
    side was last asked (None: never).
    """

    now: datetime
    limit: int = LIMIT
    window_min: int = WINDOW_MIN
    share: int = SHARE
    minutes: Mapping[int, int] | None = None
    told: int | None = None
    counted_at: datetime | None = None
    asked_at: datetime | None = None
    blocked_until: datetime | None = None
    zone: tzinfo = UTC

    @property
    def ours(self) -> int:
        """Our requests of the window. A minute counts until the last of its requests has surely left it."""
        return sum(self.recent().values())

    @property
    def others(self) -> int | None:
        """Everybody else's requests as last told; None where that is unknown or older than the window."""
        if self.counted_at is None or self.now - self.counted_at > timedelta(minutes=self.window_min):
            return None
        return self.told

    @property
    def used(self) -> int:
        return self.ours + (self.others or 0)

    @property
    def left(self) -> int:
        """How many requests the far side still takes, from anybody."""
        return max(0, self.limit - self.used)

    @property
    def own_limit(self) -> int:
        return max(1, self.limit * self.share // 100)

    @property
    def bulk_limit(self) -> int:
        return max(1, self.own_limit * BULK_PERCENT // 100)

    @property
    def count_is_due(self) -> bool:
        return self.asked_at is None or self.now - self.asked_at >= COUNT_EVERY

    @property
    def count_is_awaited(self) -> bool:
        """True while somebody has just asked for the count, and its answer decides whether bulk work may go on."""
        asked, told = self.asked_at, self.counted_at
        if asked is None or (told is not None and told >= asked) or self.now - asked > ANSWERED_IN:
            return False
        return self.pause(bulk=True, counting=True) is None and self.pause(bulk=True) is not None

    @property
    def bulk_pause(self) -> Pause | None:
        """What keeps bulk work waiting; nothing where it could ask the far side anew."""
        stopped = self.pause(bulk=True, counting=True)
        return stopped or (None if self.count_is_due else self.pause(bulk=True))

    def pause(self, *, bulk: bool, counting: bool = False) -> Pause | None:
        """What forbids a request now. `counting`: it asks how much is used, so a pause for others does not stop it."""
        if self.blocked_until is not None and self.now < self.blocked_until:
            return self._asked_to_wait(self.blocked_until)
        if not self.room(bulk=bulk):
            return self._share_used(self.bulk_limit if bulk else self.own_limit, bulk)
        if bulk and not counting and self.used * 100 >= self.limit * PAUSE_PERCENT:
            return self._everybody(max((self.asked_at or self.now) + COUNT_EVERY, self.now + timedelta(minutes=1)))
        return None

    def room(self, *, bulk: bool) -> int:
        """How many requests our share still allows."""
        return max(0, (self.bulk_limit if bulk else self.own_limit) - self.ours)

    def recent(self) -> dict[int, int]:
        """Our requests by minute, those of the window alone."""
        oldest = minute_of(self.now) - self.window_min
        return {minute: count for minute, count in (self.minutes or {}).items() if minute >= oldest}

    def _free_from(self, most: int) -> datetime:
        """When enough minutes have left the window for one more request."""
        left = self.ours
        for minute, count in sorted(self.recent().items()):
            left -= count
            if left < most:
                return datetime.fromtimestamp((minute + self.window_min + 1) * 60, UTC)
        return self.now + timedelta(minutes=1)

    def _asked_to_wait(self, until: datetime) -> Pause:
        return Pause(
            f"Autotask refused to take more requests, so none is made before {self._time(until)}. Nothing was sent.",
            "It goes on by itself. If it happens often, let the other integrations of this Autotask ask less.",
            until,
        )

    def _share_used(self, most: int, bulk: bool) -> Pause:
        until = self._free_from(most)
        whose = "Bulk work pauses: its part of the hourly share" if bulk else "The hourly share of requests"
        return Pause(
            f"{whose} is used up, {self.ours:,} of {most:,}. Nothing was sent.",
            f"It can go on from {self._time(until)}. An administrator sets the share on the page of the connection.",
            until,
        )

    def _everybody(self, until: datetime) -> Pause:
        return Pause(
            f"Bulk work pauses: {self.used:,} of {self.limit:,} requests of this Autotask are used, "
            f"{self.others or 0:,} of them by others.",
            f"It looks again at {self._time(until)} and goes on by itself below {PAUSE_PERCENT} %. People's own work "
            "goes on.",
            until,
        )

    def _time(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%H:%M}"


def minute_of(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def kept_minutes(usage: Usage, more: int, *, at: datetime) -> dict[int, int]:
    """The minutes with so many more requests in that of `at`; those that have left the window are forgotten."""
    this, kept = minute_of(at), usage.recent()
    return kept | {this: kept.get(this, 0) + more}
