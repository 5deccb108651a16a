"""Entry points for the queue and the supervisor; they take ids and carry no logic."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from portal.queue import busy, enqueue
from syncops import doubles, groups, margins
from syncops.azure import looking
from syncops.claim import free_dead
from syncops.dues import go_on, remember
from syncops.engine import Engine
from syncops.limits import Limits
from syncops.models import GroupDecision, MarginUpdate, Stream
from syncops.rehearsals import follow_policies
from syncops.waiting import take_up_extended


def drain(connection_id: int | None = None) -> int:
    """Work on everything that is due. The id only says who rang; losing it loses nothing."""
    engine = Engine(ring=lambda pk: enqueue("syncops.tasks.drain", pk))
    with busy(engine.limits.longest_drain_s):
        return engine.drain()


def carry_out(decision_id: int) -> None:
    """Go on with a person's decision about a group of operations."""
    limits = Limits.from_settings()
    with busy(limits.longest_drain_s):
        groups.carry_out(decision_id, budget_s=limits.drain_budget_s)


def compare_lines(connection_id: int) -> None:
    """Look for writes that the lines of a connection show twice."""
    with busy(Limits.from_settings().longest_drain_s):
        doubles.compare_connection(connection_id, timezone.now())


def read_azure_months(connection_id: int) -> None:
    """Look at what the lines of Azure plans show: what is posted, and what no month asks for."""
    with busy(Limits.from_settings().longest_drain_s):
        looking.look(connection_id, timezone.now())


def fan_out_margins(update_id: int) -> None:
    """Carry new margins to the next of the subscriptions that they price."""
    margins.fan_out(update_id, timezone.now())


def due(now: datetime) -> bool:
    """Whether any stream has work that nobody holds, or a decision or new margins are on their way."""
    streams, decisions = Stream.objects.due(now), GroupDecision.objects.due(now)
    return streams.exists() or decisions.exists() or MarginUpdate.objects.unfinished().exists()


def sweep(now: datetime | None = None) -> int:
    """Free what dead workers hold, take up what a connection stopped, and wake a worker where something is due; how
    many things that is.
    """
    swept = _sweep(now or timezone.now())
    return swept.due + swept.decisions


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: leases freed, operations taken up, lines made due, and lines and decisions that are due."""

    freed: int
    taken_up: int
    forgotten: int
    due: int
    decisions: int


def sweep_everything(now: datetime) -> Swept:
    """`sweep`, and a look at every open operation: one whose line is never due again would wait in silence."""
    return _sweep(now, forgotten=remember(now))


def _sweep(now: datetime, *, forgotten: int = 0) -> Swept:
    freed, taken_up, decisions = free_dead(now), go_on(now), _decisions(now)
    follow_policies(now)
    for pk in decisions:
        enqueue(groups.CARRY_OUT, pk)
    for update in MarginUpdate.objects.unfinished():
        enqueue(margins.FAN_OUT, update.pk)
    for connection_id in doubles.connections_due(now):
        enqueue("syncops.tasks.compare_lines", connection_id)
    for connection_id in looking.connections_due(now):
        enqueue("syncops.tasks.read_azure_months", connection_id)
    take_up_extended(now)
    waiting = Stream.objects.due(now).count()
    if waiting:
        enqueue("syncops.tasks.drain", 0)
    return Swept(freed, taken_up, forgotten, waiting, len(decisions))


def work(now: datetime) -> None:
    """Do everything that is due, in this process."""
    free_dead(now)
    go_on(now)
    follow_policies(now)
    for pk in _decisions(now):
        carry_out(pk)
    for update in MarginUpdate.objects.unfinished():
        while not margins.fan_out(update.pk, now):
            pass
    take_up_extended(now)
    Engine().drain()
    for connection_id in doubles.connections_due(now):
        doubles.compare_connection(connection_id, now)
    for connection_id in looking.connections_due(now):
        looking.look(connection_id, now)


def _decisions(now: datetime) -> list[int]:
    return list(GroupDecision.objects.due(now).values_list("pk", flat=True))
