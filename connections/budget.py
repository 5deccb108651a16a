"""How many requests may be on their way to a far side at once, and how many in an hour, across all processes.

Autotask answers at most three requests at once per tracking identifier and entity, and refuses the fourth; of an hour
it takes so many from all integrations together. Both are kept in our own tables: a place is taken and the request
counted in one short transaction before it is sent, so that what is refused here was surely not sent.
"""

import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from connections.models import Connection, RequestBudget, RequestSlot
from connections.usage import Counted, Pause, Usage, kept_minutes
from portal import audit
from portal.audit import Actor
from portal.far_side import Unavailable
from portal.processes import is_surely_gone, this_process

AT_ONCE = 3
LONGEST_WAIT_S = 10.0  # within the margin that leases leave around a request
LOOK_AGAIN_S = (0.02, 0.08)
WANTED_FOR = timedelta(seconds=1)

Clock = Callable[[], datetime]


class OverBudget(Unavailable):
    """Our own budget forbids the request now. Nothing was sent, and it does not count as an attempt."""


class CountDue(Exception):
    """The caller is the one to ask the far side for its count, before anything else; then it asks for a place again."""


class Budget(Protocol):
    """What a client asks before each request, and tells afterwards."""

    def places(self, entity: str, wanted: int = 1, *, counting: bool = False) -> AbstractContextManager[int]:
        """Hold at least one and at most `wanted` of the few places of this entity while as many requests are on their
        way; gives how many. `counting`: the request asks for the far side's count. Raises OverBudget with nothing
        sent, or CountDue.
        """

    def learn(self, counted: Counted) -> None:
        """Note what the far side counts."""

    def block(self, seconds: float) -> None:
        """The far side refused to take more: make no request for so long."""


@dataclass(frozen=True, slots=True)
class SharedBudget:
    """The budget of an organization's credentials, shared by every process. Safe to use from several threads.

    Never asked for inside a transaction: what it counts must stay counted.
    """

    organization_id: int
    identity: str
    bulk: bool = False
    clock: Clock = timezone.now
    longest_wait_s: float = LONGEST_WAIT_S

    @contextmanager
    def places(self, entity: str, wanted: int = 1, *, counting: bool = False) -> Iterator[int]:
        token, granted = self._wait_for_places(entity.lower(), wanted, counting)
        try:
            yield granted
        finally:
            RequestSlot.objects.filter(token=token).update(token="", owner="", lease_until=None)

    def learn(self, counted: Counted) -> None:
        now = self.clock()
        with transaction.atomic():
            budget = self._locked()
            budget.limit, budget.window_min = max(1, counted.limit), max(1, counted.window_min)
            budget.others = max(0, counted.used - budget.usage(now).ours)
            budget.counted_at = budget.asked_at = now
            budget.save(update_fields=["limit", "window_min", "others", "counted_at", "asked_at"])

    def block(self, seconds: float) -> None:
        until = self.clock() + timedelta(seconds=seconds)
        earlier = Q(blocked_until__isnull=True) | Q(blocked_until__lt=until)
        self._rows().filter(earlier).update(blocked_until=until)

    def usage(self) -> Usage:
        """What is used now. Writes nothing."""
        row = self._rows().select_related("organization").first()
        return (row or RequestBudget(organization_id=self.organization_id)).usage(self.clock())

    def set_share(self, share: int, *, actor: Actor, connection: Connection) -> None:
        """A person's word on a connection's page: how many percent of the far side's hourly limit are ours."""
        now = self.clock()
        with transaction.atomic():
            budget = self._locked()
            before, budget.share = budget.share, share
            budget.save(update_fields=["share"])
            audit.record(
                "Change Request Share",
                actor=actor,
                organization=budget.organization,
                connection=connection,
                subject=connection.name,
                before={"share": f"{before} %"},
                after={"share": f"{share} %"},
                at=now,
            )

    def _wait_for_places(self, entity: str, wanted: int, counting: bool) -> tuple[str, int]:
        """The token of the places taken, and how many there are."""
        token, deadline = uuid.uuid4().hex, time.monotonic() + self.longest_wait_s
        while not (granted := self._take(entity, token, wanted, counting)):
            if time.monotonic() > deadline:
                raise OverBudget(
                    f"{AT_ONCE} requests about {entity} are on their way already. Nothing was sent.",
                    advice="It is tried again.",
                    retry_after=1,
                )
            time.sleep(random.uniform(*LOOK_AGAIN_S))  # noqa: S311  jitter, not a secret
        return token, granted

    def _take(self, entity: str, token: str, wanted: int, counting: bool) -> int:
        """How many places were taken, their requests counted; 0 where none is free. Raises OverBudget or CountDue."""
        now, taken = self.clock(), 0
        with transaction.atomic(durable=True):
            budget = self._locked()
            usage = budget.usage(now)
            if self.bulk and not counting and usage.count_is_awaited:
                return 0
            pause = usage.bulk_pause if self.bulk and not counting else usage.pause(bulk=self.bulk, counting=counting)
            due = self.bulk and not counting and pause is None and usage.count_is_due
            if due:
                RequestBudget.objects.filter(pk=budget.pk).update(asked_at=now)
            elif pause is None:
                free = self._free_places(budget, entity, now)[: min(wanted, usage.room(bulk=self.bulk))]
                taken = RequestSlot.objects.filter(pk__in=free).update(
                    token=token, owner=this_process(), lease_until=now + _lease()
                )
                budget.minutes = kept_minutes(usage, taken)
                budget.save(update_fields=["minutes"])
        if due:
            raise CountDue
        if pause is not None:
            raise over_budget(pause, now)
        return taken

    def _free_places(self, budget: RequestBudget, entity: str, now: datetime) -> list[int]:
        """The free places of the entity. A person who finds none has the next one kept from bulk work."""
        places = RequestSlot.objects.filter(budget=budget, entity=entity)
        found = list(places) or _made(budget, entity)
        if self.bulk and any(place.wanted_until and place.wanted_until > now for place in found):
            return []
        free = [place.pk for place in found if place.lease_until is None or place.lease_until <= now]
        free = free or [place.pk for place in found if is_surely_gone(place.owner)]
        if not free and not self.bulk:
            places.update(wanted_until=now + WANTED_FOR)
        return free

    def _locked(self) -> RequestBudget:
        """Our row, locked: everything about one budget happens one after the other."""
        rows = self._rows().select_for_update(of=("self",), no_key=True).select_related("organization")
        if row := rows.first():
            return row
        RequestBudget.objects.get_or_create(organization_id=self.organization_id, identity=self.identity)
        return rows.get()

    def _rows(self) -> models.QuerySet[RequestBudget]:
        return RequestBudget.objects.filter(organization_id=self.organization_id, identity=self.identity)


def over_budget(pause: Pause, now: datetime) -> OverBudget:
    return OverBudget(pause.message, pause.advice, retry_after=pause.seconds(now))


def _made(budget: RequestBudget, entity: str) -> list[RequestSlot]:
    numbers = range(1, AT_ONCE + 1)
    return RequestSlot.objects.bulk_create(RequestSlot(budget=budget, entity=entity, number=n) for n in numbers)


def _lease() -> timedelta:
    """Longer than the longest request: connecting, the first byte, and the last part that is still waited for."""
    times = settings.EXECUTOR
    seconds = times["connect_timeout_s"] + 2 * times["read_timeout_s"] + times["guard_margin_s"]
    return timedelta(seconds=seconds)
