"""Subscriptions that came in, and what became of them where a policy maps them without a click."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q

from connections.models import Connection
from mappings.models import SubscriptionMapping
from portal.models import Organization, Subscription, User


class NewcomerQuerySet(models.QuerySet["Newcomer"]):
    def for_user(self, user: Any) -> NewcomerQuerySet:
        """Those of the person's own organization."""
        return self.filter(organization_id=user.organization_id)

    def expected(self) -> NewcomerQuerySet:
        return self.filter(state=Newcomer.State.EXPECTED)

    def announced(self) -> NewcomerQuerySet:
        """What the inbox shows until somebody has seen it; one that a person has mapped since is no news."""
        mapped = Exists(SubscriptionMapping.objects.open().filter(subscription=OuterRef("subscription")))
        return self.filter(Q(state=Newcomer.State.MAPPED) | (Q(state=Newcomer.State.LEFT) & ~mapped))


class Newcomer(models.Model):
    """A new subscription while the policy of its connection maps such ones, and what came of it.

    Mapped: on which contract is told by its mapping. Left: `reasons` (text and fix of each) say why a person has to.
    """

    class State(models.TextChoices):
        EXPECTED = "expected", "To be mapped"
        MAPPED = "mapped", "Mapped"
        LEFT = "left", "Not mapped"
        SEEN = "seen", "Seen"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="newcomers")
    subscription = models.OneToOneField(Subscription, on_delete=models.CASCADE, related_name="newcomer")
    state = models.CharField(max_length=10, choices=State, default=State.EXPECTED)
    contract_name = models.CharField(max_length=150, blank=True)
    reasons = models.JSONField(default=list, blank=True)
    came_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = NewcomerQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["state", "due_at"], name="newcomers_due"),  # the sweep
            models.Index(fields=["organization", "state", "-id"], name="newcomers_in_the_inbox"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} ({self.get_state_display().lower()})"
