"""How many requests may be on their way to a far side at once, and how many in an hour, across all processes.

Autotask answers at most three requests at once per tracking identifier and entity, and refuses the fourth; of an hour
it takes so many from all integrations together. Both are kept in our own tables: a place is taken and the request
counted in one short transaction before it is sent, so that what is refused here was surely not sent. A process whose
threads stand in line for places counts some requests ahead and hands a place on among them (turns.py); what it counted
and did not make is given back, or, where the process is killed, lost to the hour.
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
from connections.turns import HOLD_S, Line, Turn, ahead_of, line_of
from connections.usage import Counted, Pause, Usage, kept_minutes, minute_of
from portal import audit
from portal.audit import Actor
from portal.far_side import Unavailable
from portal.processes import is_surely_gone, this_process
from portal.writers import in_turn

AT_ONCE = 3
LONGEST_WAIT_S = 10.0  # within the margin that leases leave around a request
LOOK_AGAIN_S = (0.02, 0.08)
WANTED_FOR = timedelta(seconds=1)
FREE = {"token": "", "owner": "", "lease_until": None}
MOST_AHEAD = 12  # requests that a place is counted for at once while others of the process are in line for it
FAR_FROM_THE_LIMIT = 50  # times as many have to be left of the share; near its end each request is counted alone

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

    def in_line(self, entity: str) -> AbstractContextManager[None]:
        """Around `places` for one request, and around what the thread waits for before: a place that comes free
        meanwhile in this process is handed to it.
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
        line = self._line(entity)
        turn = self._handed(line, entity) or self._wait_for_turn(line, entity, wanted, counting)
        try:
            yield turn.granted
        finally:
            if not line.keep(turn):
                self._give_back(line, turn)

    @contextmanager
    def in_line(self, entity: str) -> Iterator[None]:
        line = self._line(entity)
        line.join()
        try:
            yield
        finally:
            for turn in line.leave():
                self._give_back(line, turn)

    def learn(self, counted: Counted) -> None:
        now = self.clock()
        with transaction.atomic():
            budget = self._locked()
            budget.limit, budget.window_min = max(1, counted.limit), max(1, counted.window_min)
            ours = budget.usage(now).ours - ahead_of(self._key)
            budget.others = max(0, counted.used - ours)
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

    @property
    def _key(self) -> tuple[int, str]:
        return self.organization_id, self.identity

    def _line(self, entity: str) -> Line:
        return line_of(self._key, (entity.lower(), self.bulk))

    def _handed(self, line: Line, entity: str) -> Turn | None:
        """The turn that another thread has just ended, looked at anew; None where there is none, or not any more."""
        turn = line.taken()
        if turn is None:
            return None
        if turn.is_spent:
            return self._take(line, entity.lower(), 1, counting=False, instead_of=turn)
        now, asked = self.clock(), RequestSlot.objects.filter(token=turn.token)
        found = asked.values_list("wanted_until", "budget__blocked_until").first()
        if found is None or any(until is not None and until > now for until in found):
            self._give_back(line, turn)
            return None
        turn.ahead -= 1
        return turn

    def _wait_for_turn(self, line: Line, entity: str, wanted: int, counting: bool) -> Turn:
        deadline = time.monotonic() + self.longest_wait_s
        while (turn := self._take(line, entity.lower(), wanted, counting=counting)) is None:
            if time.monotonic() > deadline:
                raise OverBudget(
                    f"{AT_ONCE} requests about {entity} are on their way already. Nothing was sent.",
                    advice="It is tried again.",
                    retry_after=1,
                )
            time.sleep(random.uniform(*LOOK_AGAIN_S))  # noqa: S311  jitter, not a secret
        return turn

    def _take(
        self, line: Line, entity: str, wanted: int, *, counting: bool = False, instead_of: Turn | None = None
    ) -> Turn | None:
        """A turn, its requests counted, and some ahead where others are in line; None where no place is free.

        `instead_of`: a turn that is given back for it in the same breath. Raises OverBudget or CountDue.
        """
        until, now, turn = time.monotonic() + HOLD_S, self.clock(), None
        with in_turn(), transaction.atomic(durable=True):
            budget = self._locked()
            if instead_of is not None:
                _free(budget, instead_of)
            usage = budget.usage(now)
            pause, due, wait = self._may(usage, counting)
            if due:
                RequestBudget.objects.filter(pk=budget.pk).update(asked_at=now)
            elif pause is None and not wait:
                turn = self._taken(budget, usage, line, entity, wanted, until)
        if instead_of is not None:
            line.forget(instead_of)
        if turn is not None:
            line.hold(turn)
        if due:
            raise CountDue
        if pause is not None:
            raise over_budget(pause, now)
        return turn

    def _may(self, usage: Usage, counting: bool) -> tuple[Pause | None, bool, bool]:
        """What forbids the request, whether the far side's count is to be asked for first, or waited for."""
        if counting or not self.bulk:
            return usage.pause(bulk=self.bulk, counting=counting), False, False
        if usage.count_is_awaited:
            return None, False, True
        pause = usage.bulk_pause
        return pause, pause is None and usage.count_is_due, False

    def _taken(
        self, budget: RequestBudget, usage: Usage, line: Line, entity: str, wanted: int, until: float
    ) -> Turn | None:
        """Free places under a token of their own. What is counted ahead counts in the minute in which its time ends."""
        now, room = usage.now, usage.room(bulk=self.bulk)
        free = self._free_places(budget, entity, now)[: min(wanted, room)]
        if not free:
            return None
        token, lease = uuid.uuid4().hex, now + _lease()
        taken = RequestSlot.objects.filter(pk__in=free).update(token=token, owner=this_process(), lease_until=lease)
        ahead = min(MOST_AHEAD, room // FAR_FROM_THE_LIMIT) if line.is_waited_in and wanted == 1 else 0
        counted_on = now + timedelta(seconds=HOLD_S) if ahead else now
        budget.minutes = kept_minutes(usage, taken + ahead, at=counted_on)
        budget.save(update_fields=["minutes"])
        return Turn(token, taken, ahead, minute_of(counted_on), until)

    def _give_back(self, line: Line, turn: Turn) -> None:
        if turn.ahead:
            with in_turn(), transaction.atomic():
                _free(self._locked(), turn)
        else:
            with in_turn():
                RequestSlot.objects.filter(token=turn.token).update(**FREE)
        line.forget(turn)

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


def _free(budget: RequestBudget, turn: Turn) -> None:
    """Give back a turn of a budget that is locked, and what was counted for it and not made."""
    RequestSlot.objects.filter(token=turn.token).update(**FREE)
    if turn.ahead and (counted := budget.minutes.get(str(turn.minute), 0)):
        budget.minutes = budget.minutes | {str(turn.minute): max(0, counted - turn.ahead)}
        budget.save(update_fields=["minutes"])


def over_budget(pause: Pause, now: datetime) -> OverBudget:
    return OverBudget(pause.message, pause.advice, retry_after=pause.seconds(now))


def _made(budget: RequestBudget, entity: str) -> list[RequestSlot]:
    numbers = range(1, AT_ONCE + 1)
    return RequestSlot.objects.bulk_create(RequestSlot(budget=budget, entity=entity, number=n) for n in numbers)


def _lease() -> timedelta:
    """Longer than the longest request (connecting, the first byte, and the last part that is still waited for) that is
    begun while the turn lasts."""
    times = settings.EXECUTOR
    seconds = times["connect_timeout_s"] + 2 * times["read_timeout_s"] + times["guard_margin_s"]
    return timedelta(seconds=seconds + HOLD_S)
