"""What a rehearsal found, and how it ended."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.urls import reverse

from connections.models import Connection
from portal.models import User
from syncops.models.operations import SyncOperation


class GoingLiveQuerySet(models.QuerySet["GoingLive"]):
    def for_user(self, user: Any) -> GoingLiveQuerySet:
        """Those of the person's own organization."""
        return self.filter(connection__organization_id=user.organization_id)


class GoingLive(models.Model):
    """A person ended a rehearsal: what gathered was sent or dismissed as they had chosen, at the money they saw."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="goings_live")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    sent = models.PositiveIntegerField()
    dismissed = models.PositiveIntegerField()
    shown = models.JSONField(default=dict, help_text="The totals that the person confirmed; money as text.")
    correlation_id = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField()

    objects = GoingLiveQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "goings live"

    def __str__(self) -> str:
        return f"{self.connection} went live with {self.sent} operations"

    def get_absolute_url(self) -> str:
        return reverse("syncops:gone_live", args=[self.pk])


class RehearsalQuerySet(models.QuerySet["Rehearsal"]):
    def for_user(self, user: Any) -> RehearsalQuerySet:
        """Those of the person's own organization."""
        return self.filter(operation__organization_id=user.organization_id)

    def gathered(self) -> RehearsalQuerySet:
        """What waits for a person to go live."""
        return self.filter(operation__state=SyncOperation.State.REHEARSED)


class Rehearsal(models.Model):
    """What sending an operation would do, on top of those before it; and whether it is to be sent when the connection
    goes live. Kept afterwards, as what was seen then.

    Money is what it changes on the bills of the connection's currency; empty where no price is known.
    """

    class Verdict(models.TextChoices):
        SENDS = "sends", "Is sent"
        NOTHING = "nothing", "Nothing to send"
        STOPS = "stops", "Would stop"

    class Choice(models.TextChoices):
        SEND = "send", "Send"
        DISMISS = "dismiss", "Dismiss"

    operation = models.OneToOneField(
        SyncOperation, on_delete=models.CASCADE, primary_key=True, related_name="rehearsal"
    )
    rehearsed_at = models.DateTimeField()
    basis = models.CharField(max_length=16, blank=True, help_text="The policies that it was planned by.")
    verdict = models.CharField(max_length=8, choices=Verdict)
    problem = models.TextField(blank=True, help_text="Why it would stop, or why there is nothing to send.")
    advice = models.TextField(blank=True)
    shown = models.JSONField(default=dict, blank=True, help_text="The preview: adjustments, bills, shortfalls.")
    earlier = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    this_bill = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    next_bill = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    shortfall = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    choice = models.CharField(max_length=8, choices=Choice, default=Choice.SEND)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it is not sent.")
    going_live = models.ForeignKey(
        GoingLive, on_delete=models.PROTECT, null=True, blank=True, related_name="rehearsals"
    )

    objects = RehearsalQuerySet.as_manager()

    class Meta:
        ordering = ["operation"]

    def __str__(self) -> str:
        return f"Rehearsal of {self.operation}"

    @property
    def is_sent(self) -> bool:
        return self.choice == self.Choice.SEND
