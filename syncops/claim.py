"""Who works on what: leases, fences, and giving them back. Every claim is a conditional UPDATE whose row count
decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from portal.processes import is_surely_gone
from portal.writers import in_turn
from syncops.models import NEVER, Lane, Stream


class LostLease(Exception):
    """Another worker holds the stream now; what this one found goes to the journal only."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A stream that is ours until its lease runs out; `fence` grows with every claim.

    `urgent`: a person waits for what is to be done.
    """

    stream_id: int
    fence: int
    urgent: bool = False


def claim_lane(connection_id: int, *, owner: str, now: datetime, seconds: float) -> bool:
    """Become the one drain of a connection for some seconds; also renews what is ours already."""
    lanes, until = Lane.objects.filter(connection_id=connection_id), now + timedelta(seconds=seconds)
    with in_turn():
        if lanes.filter(Q(lease_until__lte=now) | Q(owner=owner)).update(lease_until=until, owner=owner):
            return True
        made = Lane.objects.get_or_create(
            connection_id=connection_id, defaults={"compared_at": now, "lease_until": until, "owner": owner}
        )
        return made[1]


def release_lane(connection_id: int, *, owner: str) -> None:
    with in_turn():
        Lane.objects.filter(connection_id=connection_id, owner=owner).update(lease_until=NEVER, owner="")


def claim_streams(connection_id: int, *, owner: str, now: datetime, seconds: float, at_most: int) -> list[Claim]:
    """Claim the streams of a connection that are due and free: urgent ones, longest due first, and others only where
    none is urgent.

    A stream that somebody writes to at this very moment is left for the next time: never wait for several locks.
    """
    until = now + timedelta(seconds=seconds)
    waiting = Stream.objects.due(now).filter(connection_id=connection_id).order_by("-urgent", "due", "pk")
    with in_turn(), transaction.atomic():
        unlocked = waiting.select_for_update(skip_locked=True, no_key=True)
        rows = list(unlocked.values_list("pk", "urgent")[:at_most])
        found = [pk for pk, urgent in rows if urgent == rows[0][1]]
        chosen = Stream.objects.filter(pk__in=found)
        chosen.due(now).update(lease_until=until, fence=F("fence") + 1, owner=owner)
        fences = dict(chosen.filter(lease_until=until, owner=owner).values_list("pk", "fence"))
    return [Claim(pk, fences[pk], rows[0][1]) for pk in found if pk in fences]


@contextmanager
def held(claim: Claim) -> Iterator[Stream]:
    """A transaction in which the claimed stream is locked and surely ours. Raises LostLease where it is not."""
    with in_turn(), transaction.atomic():
        stream = Stream.objects.select_for_update(no_key=True).filter(pk=claim.stream_id, fence=claim.fence).first()
        if stream is None:
            raise LostLease(f"stream {claim.stream_id} has moved on from fence {claim.fence}")
        yield stream


@contextmanager
def held_together(claims: Iterable[Claim]) -> Iterator[dict[int, Stream]]:
    """A transaction in which those of the claimed streams that surely are ours are locked, by id; others are not
    among them. Locked in one order, whoever else locks several.
    """
    fences = {claim.stream_id: claim.fence for claim in claims}
    with in_turn(), transaction.atomic():
        locked = Stream.objects.select_for_update(no_key=True).filter(pk__in=fences).order_by("pk")
        yield {stream.pk: stream for stream in locked if stream.fence == fences[stream.pk]}


def renew(stream: Stream, *, now: datetime, seconds: float) -> None:
    """Have the full lease again, for the write that follows; inside `held`. Raises LostLease where it ran out."""
    if stream.lease_until <= now:
        raise LostLease(f"the lease of stream {stream.pk} ran out")
    stream.lease_until = now + timedelta(seconds=seconds)
    stream.save(update_fields=["lease_until"])


def free_dead(now: datetime) -> int:
    """End the leases of processes of this machine that are surely gone; how many. The fence keeps a doubt harmless."""
    freed = 0
    for model in (Stream, Lane):
        for owner in model.objects.filter(lease_until__gt=now).values_list("owner", flat=True).distinct():
            if is_surely_gone(owner):
                freed += model.objects.filter(owner=owner, lease_until__gt=now).update(lease_until=now)
    return freed
