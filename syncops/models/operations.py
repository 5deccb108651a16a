"""Operations: our intent to make the PSA show one change."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from connections.models import Connection
from mappings.models import SubscriptionMapping
from portal.models import Organization, Subscription, SubscriptionChange, User
from portal.search import holds_every_word
from syncops.models.streams import Stream


class SyncOperationQuerySet(models.QuerySet["SyncOperation"]):
    def for_user(self, user: Any) -> SyncOperationQuerySet:
        """The operations of the person's own organization."""
        return self.filter(organization_id=user.organization_id)

    def open(self) -> SyncOperationQuerySet:
        return self.filter(state__in=SyncOperation.OPEN)

    def search(self, text: str) -> SyncOperationQuerySet:
        """Operations whose subscription or customer holds every word of `text`."""
        return self.filter(holds_every_word(text, "subscription__search_text", "subscription__customer__search_text"))

    def chronological(self) -> SyncOperationQuerySet:
        """Oldest effective date first; those without a date yet come first, as what they wait for comes first.

        Those of one date and place in their lines: in the order in which they came."""
        return self.order_by(models.F("effective_on").asc(nulls_first=True), "sequence", "pk")


class SyncOperation(models.Model):
    """Our intent to make the PSA show one change: planned, run, proved, audited. Never deleted."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        REHEARSED = "rehearsed", "Rehearsed"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Uncertain"
        HELD = "held", "Held"
        UNSUPPORTED = "unsupported", "Unsupported"
        NOTHING_TO_SEND = "nothing_to_send", "Nothing to send"
        SUPERSEDED = "superseded", "Superseded"
        DISMISSED = "dismissed", "Dismissed"

    MOVING = (State.PLANNED, State.QUEUED, State.RUNNING, State.UNCERTAIN)  # these go on by themselves
    OPEN = (*MOVING, State.REHEARSED)
    NEEDS_A_PERSON = (State.FAILED, State.HELD)
    FINAL = (State.SUCCEEDED, State.UNSUPPORTED, State.NOTHING_TO_SEND, State.SUPERSEDED, State.DISMISSED)
    COUNTS = (*OPEN, *NEEDS_A_PERSON, State.SUCCEEDED)
    TRANSITIONS: dict[str, tuple[str, ...]] = {
        State.PLANNED: (State.QUEUED, State.RUNNING, State.HELD, State.SUPERSEDED, State.DISMISSED, State.FAILED),
        State.QUEUED: (
            State.RUNNING,
            State.REHEARSED,
            State.PLANNED,
            State.UNCERTAIN,
            State.HELD,
            State.SUPERSEDED,
            State.DISMISSED,
            State.FAILED,
            State.UNSUPPORTED,
            State.NOTHING_TO_SEND,
        ),
        State.RUNNING: (
            State.QUEUED,
            State.PLANNED,
            State.SUCCEEDED,
            State.FAILED,
            State.UNCERTAIN,
            State.HELD,
        ),
        State.REHEARSED: (State.QUEUED, State.HELD, State.DISMISSED, State.SUPERSEDED),
        State.UNCERTAIN: (State.RUNNING, State.SUCCEEDED, State.FAILED, State.HELD, State.QUEUED),
        State.FAILED: (State.QUEUED, State.DISMISSED, State.SUPERSEDED),
        State.HELD: (State.QUEUED, State.DISMISSED, State.SUPERSEDED),
        State.SUCCEEDED: (),
        State.UNSUPPORTED: (State.DISMISSED,),
        State.NOTHING_TO_SEND: (),
        State.SUPERSEDED: (),
        State.DISMISSED: (),
    }

    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="operations")
    sequence = models.PositiveIntegerField()
    mapping = models.ForeignKey(SubscriptionMapping, on_delete=models.PROTECT, related_name="operations")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="operations")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="operations")
    change = models.ForeignKey(SubscriptionChange, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=40)
    effective_on = models.DateField(null=True, blank=True, help_text="Empty until the subscription's start is known.")
    payload = models.JSONField(default=dict)
    policies_json = models.JSONField(
        default=dict, blank=True, help_text="The policies that decide about it, as they were when it was recorded."
    )
    holds_from = models.DateField(null=True, blank=True, help_text="First day of the line that it changes.")
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    waiting_for = models.CharField(max_length=200, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    error_kind = models.CharField(max_length=20, blank=True)
    error_group = models.CharField(max_length=200, blank=True, help_text="The error without names, dates and numbers.")
    error = models.TextField(blank=True)
    advice = models.TextField(blank=True)
    raw_answer = models.TextField(blank=True)
    preview = models.JSONField(default=dict, blank=True, help_text="What was shown before it was confirmed.")
    plan = models.JSONField(default=dict, blank=True, help_text="What the last run planned.")
    proof = models.JSONField(default=dict, blank=True, help_text="Rows read back: expected, found, when.")
    after = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="It waits for this one."
    )
    margin_update = models.ForeignKey(
        "MarginUpdate", on_delete=models.PROTECT, null=True, blank=True, related_name="operations"
    )
    superseded_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    undoes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undoings")
    correlation_id = models.UUIDField(default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    audit_began = models.ForeignKey(
        "portal.AuditEntry", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = SyncOperationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["stream", "sequence"], name="operation_sequence_unique"),
            models.UniqueConstraint(
                fields=["stream", "change"],
                condition=Q(change__isnull=False),
                name="one_operation_per_change",
            ),
            models.UniqueConstraint(
                fields=["stream", "margin_update"],
                condition=Q(margin_update__isnull=False),
                name="one_operation_per_margin_update",
            ),
            models.UniqueConstraint(
                fields=["undoes"],
                condition=Q(undoes__isnull=False) & ~Q(state="dismissed"),
                name="undone_once",
                violation_error_message="This operation is being undone already.",
            ),
        ]
        indexes = [
            models.Index(fields=["stream", "state"], name="operation_open_of_stream"),  # the head of a stream
            models.Index(fields=["organization", "-id"], name="operation_list"),  # the operations list
            models.Index(fields=["organization", "state"], name="operation_by_state"),  # the count in the navigation
            models.Index(  # what waits for a contract to be extended
                fields=["stream"],
                condition=Q(state="failed", error_kind="beyond_contract"),
                name="operation_beyond_contract",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} for {self.subscription}"

    @property
    def label(self) -> str:
        from syncops.operations import label_of

        return label_of(self.kind)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_moving(self) -> bool:
        """Whether it goes on by itself: what is rehearsed waits for a person to go live."""
        return self.state in self.MOVING

    @property
    def needs_a_person(self) -> bool:
        return self.state in self.NEEDS_A_PERSON

    @property
    def undone_by(self) -> SyncOperation | None:
        """The operation that took this one back and was not taken back itself."""
        done = (one for one in self.undoings.all() if one.state == self.State.SUCCEEDED and not one.is_undone)
        return next(done, None)

    @property
    def is_undone(self) -> bool:
        return self.undone_by is not None

    @property
    def extends_to(self) -> date | None:
        """The last day that it gives its contract, where it does."""
        return date.fromisoformat(self.payload["extend_to"]) if "extend_to" in self.payload else None

    def get_absolute_url(self) -> str:
        return reverse("syncops:operation_detail", args=[self.pk])
