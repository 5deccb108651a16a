"""What a person had created in a PSA."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from connections.models.connections import Connection
from portal.models import AuditEntry, User


class CreationQuerySet(models.QuerySet["Creation"]):
    def for_user(self, user: Any) -> CreationQuerySet:
        """Those on connections of the person's own organization."""
        return self.filter(connection__organization_id=user.organization_id)

    def open(self) -> CreationQuerySet:
        """Those of which nobody knows yet what became of them."""
        return self.filter(state__in=Creation.OPEN)


class Creation(models.Model):
    """A service or a contract that a person had created in the PSA: written down before the first byte of the request.

    `key` is what the created row carries in a field of its own, and what it is looked up by. One press is one row,
    however often its button is pressed; it is sent once, and never again.
    """

    class Noun(models.TextChoices):
        SERVICE = "service", "Service"
        CONTRACT = "contract", "Contract"

    class State(models.TextChoices):
        SENDING = "sending", "Sending"
        UNKNOWN = "unknown", "Outcome unknown"
        MADE = "made", "Created"
        REFUSED = "refused", "Refused"
        NOT_MADE = "not_made", "Not created"

    OPEN = (State.SENDING, State.UNKNOWN)

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="creations")
    noun = models.CharField(max_length=8, choices=Noun)
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    name = models.CharField(max_length=150)
    company_id = models.BigIntegerField(default=0, help_text="Of a contract.")
    request = models.JSONField(help_text="What was asked for; money and dates as text.")
    state = models.CharField(max_length=10, choices=State, default=State.SENDING)
    remote_id = models.BigIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    advice = models.TextField(blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    began = models.ForeignKey(AuditEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField(null=True, blank=True)

    objects = CreationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "noun", "company_id", "name"],
                condition=Q(state__in=("sending", "unknown")),
                name="created_one_at_a_time",
                violation_error_message="One of this name is being created already.",
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="creations_due")]  # the sweep

    def __str__(self) -> str:
        return f"{self.get_noun_display()} {self.name}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
