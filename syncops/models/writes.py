"""Runs, what they wrote, and their journal."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from portal.models import User
from syncops.models.operations import SyncOperation
from syncops.models.streams import Stream


class Run(models.Model):
    """One attempt at an operation."""

    operation = models.ForeignKey(SyncOperation, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    fence = models.PositiveIntegerField()
    owner = models.CharField(max_length=120)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["operation", "number"], name="run_number_unique")]

    def __str__(self) -> str:
        return f"Run {self.number} of {self.operation}"


class Write(models.Model):
    """One write to the PSA: journaled before its first byte, settled by its answer or by reading back.

    Adjustments cannot be read back as such, so these rows are the only memory of what was sent. The applied ones of a
    line, summed by date, are what the line shows because of us; everything else on it is somebody else's.
    """

    class Kind(models.TextChoices):
        CREATE_LINE = "create_line", "Create line"
        ADJUST = "adjust", "Adjust"
        ADOPTED = "adopted", "Taken over"
        CHARGE = "charge", "Create charge"
        EXTEND = "extend", "Extend contract"

    class State(models.TextChoices):
        SENDING = "sending", "Sending"
        UNKNOWN = "unknown", "Outcome unknown"
        ACCEPTED = "accepted", "Accepted, not proved yet"
        APPLIED = "applied", "Applied"
        REJECTED = "rejected", "Rejected"
        NOT_SENT = "not_sent", "Not sent"
        NOT_APPLIED = "not_applied", "Proved not applied"

    UNSETTLED = (State.SENDING, State.UNKNOWN)
    UNPROVED = (State.SENDING, State.UNKNOWN, State.ACCEPTED)

    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="writes")
    operation = models.ForeignKey(SyncOperation, on_delete=models.PROTECT, related_name="writes")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="writes")
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=12, choices=State, default=State.SENDING)
    contract_id = models.BigIntegerField()
    service_id = models.BigIntegerField()
    line_id = models.BigIntegerField(null=True, blank=True)
    effective_on = models.DateField(null=True, blank=True)
    units_before = models.IntegerField(default=0)
    unit_change = models.IntegerField(default=0)
    price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    cost = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    line_before = models.JSONField(default=list, blank=True, help_text="The line's timeline before this write.")
    sent_at = models.DateTimeField()
    sent_boot = models.FloatField(help_text="Seconds since this machine's boot, from a clock that runs while asleep.")
    boot_id = models.CharField(max_length=64, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)
    proved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["stream"], condition=Q(state__in=("sending", "unknown")), name="one_unsettled_write_per_stream"
            ),
            models.UniqueConstraint(
                fields=["operation"],
                condition=Q(kind="charge", state__in=("sending", "unknown", "accepted", "applied")),
                name="one_charge_per_operation",
            ),
        ]
        indexes = [models.Index(fields=["stream", "state"], name="writes_of_stream")]  # what a line shows because of us

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.unit_change:+d} on {self.effective_on}"


class DoubledWriteQuerySet(models.QuerySet["DoubledWrite"]):
    def for_user(self, user: Any) -> DoubledWriteQuerySet:
        """Those of the person's own organization."""
        return self.filter(write__operation__organization_id=user.organization_id)

    def open(self) -> DoubledWriteQuerySet:
        return self.filter(closed_at=None)


class DoubledWrite(models.Model):
    """A write of ours that its line seems to show twice: a person looks. Closed when it is gone, or by a person."""

    write = models.OneToOneField(Write, on_delete=models.PROTECT, related_name="doubled")
    line_id = models.BigIntegerField()
    found_at = models.DateTimeField()
    found_units = models.IntegerField(help_text="Units that begin on the write's date, as the line shows them.")
    closed_at = models.DateTimeField(null=True, blank=True, db_index=True)  # the inbox and its count look here
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it is right as it is; empty where it is gone.")

    objects = DoubledWriteQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.write} twice on line {self.line_id}"


class JournalEntry(models.Model):
    """What happened in a run, step by step. Append-only, also for workers whose lease was lost."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="journal")
    fence = models.PositiveIntegerField()
    phase = models.CharField(max_length=16)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "journal entries"

    def __str__(self) -> str:
        return f"{self.phase} at {self.at:%Y-%m-%d %H:%M:%S}"
