"""Who works on what: leases, fences, and giving them back. Every claim is a conditional UPDATE whose row count
decides.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil
from django.db import transaction
from django.db.models import F

from syncops.clock import SystemClock
from syncops.models import NEVER, Lane, Stream


class LostLease(Exception):
    """Another worker holds the stream now; what this one found goes to the journal only."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A stream that is ours until its lease runs out; `fence` grows with every claim."""

    stream_id: int
    fence: int


def owner_name() -> str:
    """This process as others can check it: host, boot, process id, start time."""
    return f"{_host()}|{SystemClock().boot_id}|{os.getpid()}|{psutil.Process().create_time():.2f}"


def _host() -> str:
    """This machine's name, short enough for an owner's name to fit its column."""
    return socket.gethostname()[:50]


def claim_lane(connection_id: int, *, owner: str, now: datetime, seconds: float) -> bool:
    """Become the one drain of a connection for some seconds; also renews what is ours already."""
    Lane.objects.get_or_create(connection_id=connection_id)
    free = Lane.objects.filter(connection_id=connection_id, lease_until__lte=now)
    ours = Lane.objects.filter(connection_id=connection_id, owner=owner)
    until = now + timedelta(seconds=seconds)
    return bool(free.update(lease_until=until, owner=owner) or ours.update(lease_until=until))


def release_lane(connection_id: int, *, owner: str) -> None:
    Lane.objects.filter(connection_id=connection_id, owner=owner).update(lease_until=NEVER, owner="")


def claim_streams(connection_id: int, *, owner: str, now: datetime, seconds: float, at_most: int) -> list[Claim]:
    """Claim the streams of a connection that are due and free, longest due first.

    A stream that somebody writes to at this very moment is left for the next time: never wait for several locks.
    """
    until = now + timedelta(seconds=seconds)
    waiting = Stream.objects.due(now).filter(connection_id=connection_id).order_by("due", "pk")
    claims = []
    with transaction.atomic():
        unlocked = waiting.select_for_update(skip_locked=True, no_key=True)
        for pk in list(unlocked.values_list("pk", flat=True)[:at_most]):
            won = Stream.objects.due(now).filter(pk=pk).update(lease_until=until, fence=F("fence") + 1, owner=owner)
            if won:
                claims.append(pk)
        fences = dict(Stream.objects.filter(pk__in=claims).values_list("pk", "fence"))
    return [Claim(pk, fences[pk]) for pk in claims]


@contextmanager
def held(claim: Claim) -> Iterator[Stream]:
    """A transaction in which the claimed stream is locked and surely ours. Raises LostLease where it is not."""
    with transaction.atomic():
        stream = Stream.objects.select_for_update(no_key=True).filter(pk=claim.stream_id, fence=claim.fence).first()
        if stream is None:
            raise LostLease(f"stream {claim.stream_id} has moved on from fence {claim.fence}")
        yield stream


def renew(claim: Claim, *, now: datetime, seconds: float) -> None:
    """Have the full lease again, for the write that follows. Raises LostLease."""
    until = now + timedelta(seconds=seconds)
    if not Stream.objects.filter(pk=claim.stream_id, fence=claim.fence, lease_until__gt=now).update(lease_until=until):
        raise LostLease(f"the lease of stream {claim.stream_id} ran out")


def free_dead(now: datetime) -> int:
    """End the leases of processes of this machine that are surely gone; how many. The fence keeps a doubt harmless."""
    host, boot = _host(), SystemClock().boot_id
    freed = 0
    for model in (Stream, Lane):
        for owner in model.objects.filter(lease_until__gt=now).values_list("owner", flat=True).distinct():
            if _surely_gone(owner, host, boot):
                freed += model.objects.filter(owner=owner, lease_until__gt=now).update(lease_until=now)
    return freed


def _surely_gone(owner: str, host: str, boot: str) -> bool:
    parts = owner.split("|")
    if len(parts) != 4 or parts[0] != host or parts[1] != boot:
        return False
    try:
        return abs(psutil.Process(int(parts[2])).create_time() - float(parts[3])) > 0.05
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
