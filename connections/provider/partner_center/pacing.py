"""The rate of a partner's tenant, shared by all processes: 500 requests a minute for customers, orders, subscriptions.

One row per tenant is a bucket that fills by the second. What nobody waits for leaves a fifth of it to people, and is
paused for a little where the bucket is empty; a throttle that the service answers blocks everybody for its time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from connections.models import Connection
from connections.models import Pace as PaceRow
from portal.far_side import Unavailable

PER_MINUTE = 500.0
FOR_PEOPLE = 0.2  # of the bucket
PATIENCE_S = 15.0


class Pace(Protocol):
    """What the client asks before each request."""

    def take(self) -> None:
        """Count one request, after a pause where needed. Raises Unavailable where the pause would be long."""

    def block(self, seconds: float) -> None:
        """The service refused for being asked too often: nobody asks for so long."""


class NoPace:
    """For credentials that are only tried."""

    def take(self) -> None:
        pass

    def block(self, seconds: float) -> None:
        pass


@dataclass(frozen=True, slots=True)
class SharedPace:
    """The bucket of one partner tenant. `bulk`: nobody waits for the answers. Never taken inside a transaction."""

    identity: str
    bulk: bool = False
    per_minute: float = PER_MINUTE
    clock: Callable[[], datetime] = timezone.now
    sleep: Callable[[float], None] = time.sleep

    def take(self) -> None:
        while wait := self._wait():
            if wait > PATIENCE_S:
                raise Unavailable(
                    "Partner Center was asked as often as it allows in a minute. Nothing was sent.",
                    "It goes on by itself.",
                    retry_after=wait,
                )
            self.sleep(wait)

    def block(self, seconds: float) -> None:
        until = self.clock() + timedelta(seconds=seconds)
        earlier = Q(blocked_until__isnull=True) | Q(blocked_until__lt=until)
        PaceRow.objects.filter(earlier, identity=self.identity).update(blocked_until=until)

    def _wait(self) -> float:
        """Seconds until a request may be sent; 0 where this one is counted and may go now."""
        now = self.clock()
        with transaction.atomic(durable=True):
            row = self._locked(now)
            passed = max(0.0, (now - row.at).total_seconds())
            level = min(self.per_minute, row.level + passed * self.per_minute / 60)
            wait = self._blocked_for(row, now, level)
            if not wait:
                PaceRow.objects.filter(pk=row.pk).update(level=level - 1, at=max(now, row.at))
        return wait

    def _blocked_for(self, row: PaceRow, now: datetime, level: float) -> float:
        blocked = (row.blocked_until - now).total_seconds() if row.blocked_until else 0.0
        kept = FOR_PEOPLE * self.per_minute if self.bulk else -self.per_minute
        empty = (kept + 1 - level) * 60 / self.per_minute
        return max(0.0, blocked, empty)

    def _locked(self, now: datetime) -> PaceRow:
        rows = PaceRow.objects.select_for_update(no_key=True).filter(identity=self.identity)
        if row := rows.first():
            return row
        PaceRow.objects.get_or_create(identity=self.identity, defaults={"level": self.per_minute, "at": now})
        return rows.get()


def pace_of(connection: Connection, *, bulk: bool, clock: Callable[[], datetime] = timezone.now) -> SharedPace:
    """The pace of the partner's tenant: connections to the same one share it."""
    identity = str(connection.settings.get("tenant_id", "")).lower() or str(connection.key)
    return SharedPace(identity[:64], bulk, clock=clock)
