"""What a worker claims, and the drain that works on a connection."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models

from connections.models import Connection
from portal.models import Subscription

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class StreamQuerySet(models.QuerySet["Stream"]):
    def due(self, now: datetime) -> StreamQuerySet:
        """Streams with work whose time has come and that nobody holds."""
        return self.filter(due__lte=now, lease_until__lte=now)


class Stream(models.Model):
    """The operations of one subscription on one connection: what a worker claims, there before the line is.

    `due` is when there is something to do, empty while idle; `urgent` while a person waits for some of it, which then
    goes before the others. `lease_until` and `fence` make one worker at a time its holder: every write-back names the
    fence it was claimed with, and a stale one changes nothing.
    """

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="streams")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="streams")
    next_sequence = models.PositiveIntegerField(default=1)
    stops_at = models.PositiveIntegerField(
        default=0, help_text="Of the operations up to this sequence, later ones wait for one that fails: a manual sync."
    )
    due = models.DateTimeField(null=True, blank=True, db_index=True)  # the claim looks here
    urgent = models.BooleanField(default=False)
    lease_until = models.DateTimeField(default=NEVER)
    owner = models.CharField(max_length=120, blank=True)
    fence = models.PositiveIntegerField(default=0)

    objects = StreamQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "subscription"], name="stream_unique")]

    def __str__(self) -> str:
        return f"{self.subscription} on {self.connection}"


class Lane(models.Model):
    """The one drain that works on a connection at a time, so that batches share their reads.

    Losing it costs nothing but politeness: what must not happen twice is guarded by the streams' own leases.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, related_name="lane")
    lease_until = models.DateTimeField(default=NEVER)
    owner = models.CharField(max_length=120, blank=True)
    compared_at = models.DateTimeField(default=NEVER, help_text="When its lines were last searched for double writes.")
    months_read_at = models.DateTimeField(default=NEVER, help_text="When its Azure months were last read back.")

    def __str__(self) -> str:
        return f"Lane of {self.connection}"
