"""Decisions about all operations that stopped for one reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from portal.models import Organization, User


class GroupDecisionQuerySet(models.QuerySet["GroupDecision"]):
    def for_user(self, user: Any) -> GroupDecisionQuerySet:
        """The decisions of the person's own organization."""
        return self.filter(organization_id=user.organization_id)

    def due(self, now: datetime) -> GroupDecisionQuerySet:
        """Decisions that are not carried out to the end."""
        return self.filter(due_at__lte=now)


class GroupDecision(models.Model):
    """A person's decision about all operations that stopped for one reason: try them again, or dismiss them.

    It covers those that had stopped by `seen_at`, when the person saw them. A worker carries it out one stream after
    the other; `last_stream` is how far it is, and `due_at` is empty once it is done.
    """

    class Verb(models.TextChoices):
        RETRY = "retry", "Retry"
        DISMISS = "dismiss", "Dismiss"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    verb = models.CharField(max_length=8, choices=Verb)
    error_kind = models.CharField(max_length=20, blank=True)
    error_group = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    seen_at = models.DateTimeField()
    created_at = models.DateTimeField()
    total = models.PositiveIntegerField(help_text="Operations that it was made for.")
    done = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0, help_text="Those that wait for a decision of their own.")
    last_stream = models.PositiveBigIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, db_index=True)  # the sweep looks here

    objects = GroupDecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "error_kind", "error_group"],
                condition=Q(due_at__isnull=False),
                name="one_open_decision_per_group",
                violation_error_message="These operations are being dealt with already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verb_display()} {self.total} operations"
