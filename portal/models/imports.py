"""Files that change many rows at once: their dry run, and what came of applying it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from portal.models.organizations import Organization, User


class SheetImportQuerySet(models.QuerySet["SheetImport"]):
    def for_user(self, user: Any) -> SheetImportQuerySet:
        """The imports of the person's own organization."""
        return self.filter(organization_id=user.organization_id)

    def working(self) -> SheetImportQuerySet:
        """What a worker goes on with."""
        return self.filter(state__in=SheetImport.WORKING)

    def light(self) -> SheetImportQuerySet:
        """Without the file."""
        return self.defer("content")


class SheetImport(models.Model):
    """A file that a person handed in. It is read and judged row by row first, and applied when the person says so.

    `kind` names what its rows are (`portal.imports`), `place_id` what they belong to: a connection, say. `content` is
    the file until it is read. `cursor` is the number of the row that the present step came to.
    """

    class State(models.TextChoices):
        READING = "reading", "Being read"
        READY = "ready", "Waits for you"
        CHECKING = "checking", "Checked once more"
        APPLYING = "applying", "Being applied"
        APPLIED = "applied", "Applied"
        FAILED = "failed", "Stopped"
        DISCARDED = "discarded", "Discarded"

    WORKING = (State.READING, State.CHECKING, State.APPLYING)

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    place_id = models.BigIntegerField()
    place_name = models.CharField(max_length=150)
    file_name = models.CharField(max_length=200)
    content = models.BinaryField(default=bytes, blank=True)
    options = models.JSONField(default=dict, blank=True, help_text="One choice for all rows that make none.")
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    problem = models.TextField(blank=True, help_text="Why it stopped, or waits again.")
    partial = models.BooleanField(default=False, help_text="A person accepted that refused rows are left out.")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    cursor = models.PositiveIntegerField(default=0)
    money = models.JSONField(default=list, blank=True, help_text="What it would bill: label, amount, currency.")
    correlation_id = models.UUIDField(default=uuid.uuid4, editable=False)
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = SheetImportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="import_accepted_before_applied",
                condition=Q(accepted_at__isnull=False) | ~Q(state__in=["checking", "applying", "applied"]),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="imports_due"),  # the sweep
            models.Index(fields=["organization", "kind", "place_id", "-id"], name="imports_of_place"),  # the last ones
        ]

    def __str__(self) -> str:
        return f"{self.file_name} for {self.place_name}"

    @property
    def is_working(self) -> bool:
        return self.state in self.WORKING

    def get_absolute_url(self) -> str:
        return reverse("portal:import_detail", args=[self.pk])


class ImportRowQuerySet(models.QuerySet["ImportRow"]):
    def wanted(self) -> ImportRowQuerySet:
        """Rows that would change something."""
        return self.filter(effect__in=ImportRow.WANTED)

    def to_apply(self) -> ImportRowQuerySet:
        return self.wanted().filter(outcome=ImportRow.Outcome.WAITING)

    def not_done(self) -> ImportRowQuerySet:
        """What was refused, in the dry run or when it was applied."""
        return self.filter(Q(effect=ImportRow.Effect.REFUSE) | Q(outcome=ImportRow.Outcome.REFUSED))


class ImportRow(models.Model):
    """One row of such a file: what it would do, and what it did.

    `ours_key` and `theirs_key` name what it lays claim to: two rows of a file that disagree about one are refused.
    `target` is what it would do, as its kind wrote it down; it is compared with what it would do when it is applied.
    """

    class Effect(models.TextChoices):
        CREATE = "create", "New"
        CHANGE = "change", "Changes"
        SAME = "same", "As it is"
        SKIP = "skip", "Left alone"
        REFUSE = "refuse", "Refused"

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Not applied"
        DONE = "done", "Applied"
        REFUSED = "refused", "Refused when applied"

    WANTED = (Effect.CREATE, Effect.CHANGE)

    run = models.ForeignKey(SheetImport, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="The row's number as the spreadsheet shows it.")
    cells = models.JSONField(default=dict)
    effect = models.CharField(max_length=6, choices=Effect)
    outcome = models.CharField(max_length=7, choices=Outcome, default=Outcome.WAITING)
    ours = models.CharField(max_length=300, blank=True)
    words = models.CharField(max_length=500, blank=True, help_text="What it would do.")
    reasons = models.JSONField(default=list, blank=True, help_text="Why not: text and what to do, for each reason.")
    warnings = models.JSONField(default=list, blank=True)
    ours_key = models.CharField(max_length=80, blank=True)
    theirs_key = models.CharField(max_length=80, blank=True)
    target = models.JSONField(default=dict, blank=True)
    money = models.JSONField(default=list, blank=True, help_text="Label, amount, currency.")

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        ordering = ["run", "number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="import_row_read_once"),
            models.CheckConstraint(
                name="import_row_done_only_if_wanted",
                condition=Q(effect__in=["create", "change"]) | Q(outcome="waiting"),
            ),
        ]
        indexes = [models.Index(F("run"), F("effect"), F("number"), name="import_rows_by_effect")]  # the page's filter

    def __str__(self) -> str:
        return f"Row {self.number} of {self.run}"
