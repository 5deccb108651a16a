"""The budget of requests that all processes share: what is used of the hour, and the places of those on their way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from connections.usage import LEAST_SHARE, LIMIT, MOST_SHARE, SHARE, WINDOW_MIN, Usage
from portal.models import Organization


class RequestBudgetQuerySet(models.QuerySet["RequestBudget"]):
    def for_user(self, user: Any) -> RequestBudgetQuerySet:
        """The budgets of the person's own organization."""
        return self.filter(organization_id=user.organization_id)


class RequestBudget(models.Model):
    """What one organization asks with one set of credentials; its connections that use them share it.

    `identity` is a digest of the tracking identifier, by which the far side counts requests at once. `minutes` holds
    our requests of the last hour by minute, `others` what the far side counted beyond them at `counted_at`.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    identity = models.CharField(max_length=64)
    share = models.PositiveSmallIntegerField(
        default=SHARE,
        validators=[MinValueValidator(LEAST_SHARE), MaxValueValidator(MOST_SHARE)],
        help_text="Percent of the far side's hourly limit that we may use.",
    )
    limit = models.PositiveIntegerField(default=LIMIT, help_text="Requests in the window, of everybody together.")
    window_min = models.PositiveIntegerField(default=WINDOW_MIN)
    others = models.PositiveIntegerField(null=True, blank=True)
    counted_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When the far side's count was last asked for.")
    blocked_until = models.DateTimeField(null=True, blank=True)
    minutes = models.JSONField(default=dict, blank=True)

    objects = RequestBudgetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "identity"], name="request_budget_unique"),
            models.CheckConstraint(
                condition=Q(share__gte=LEAST_SHARE, share__lte=MOST_SHARE),
                name="request_share_in_range",
                violation_error_message=f"The share is between {LEAST_SHARE} and {MOST_SHARE} percent.",
            ),
        ]

    def __str__(self) -> str:
        return f"Requests of {self.organization}"

    def usage(self, now: datetime) -> Usage:
        """What is used at this moment."""
        return Usage(
            now=now,
            limit=self.limit,
            window_min=self.window_min,
            share=self.share,
            minutes={int(minute): count for minute, count in self.minutes.items()},
            told=self.others,
            counted_at=self.counted_at,
            asked_at=self.asked_at,
            blocked_until=self.blocked_until,
            zone=self.organization.zone,
        )


class RequestSlot(models.Model):
    """One of the few places for requests about one entity; held by whoever knows its token, until the lease ends or
    its process is gone.

    `wanted_until`: until then a person waits for a place of this entity, and bulk work takes none.
    """

    budget = models.ForeignKey(RequestBudget, on_delete=models.CASCADE, related_name="slots")
    entity = models.CharField(max_length=60)
    number = models.PositiveSmallIntegerField()
    token = models.CharField(max_length=32, blank=True)
    owner = models.CharField(max_length=120, blank=True, help_text="The process that holds it.")
    lease_until = models.DateTimeField(null=True, blank=True)
    wanted_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["budget", "entity", "number"], name="request_slot_unique")]

    def __str__(self) -> str:
        return f"Place {self.number} of {self.entity}"
