"""What is billed otherwise than the mappings say: another service on one contract, fewer units, or nothing at all."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import F, Q

from connections.models import Connection
from mappings.models.mapped import ConnectionOwnedQuerySet
from portal.models import OfferVariant, Subscription, User


class ServiceOverrideQuerySet(ConnectionOwnedQuerySet):
    def open(self) -> ServiceOverrideQuerySet:
        return self.filter(ends_before__isnull=True)

    def on(self, day: date) -> ServiceOverrideQuerySet:
        """Those in force on a day."""
        return self.filter(Q(ends_before__isnull=True) | Q(ends_before__gt=day), starts_on__lte=day)


class ServiceOverride(models.Model):
    """On this contract an offer is billed as this service instead of the one that it is mapped to, from a day on.

    `ends_before`: the first day on which it does not hold any more; empty while it is open.
    """

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="service_overrides")
    variant = models.ForeignKey(OfferVariant, on_delete=models.PROTECT, related_name="+")
    contract_id = models.BigIntegerField("contract id in the PSA")
    contract_name = models.CharField(max_length=150)
    service_id = models.BigIntegerField("service id in the PSA")
    service_name = models.CharField(max_length=150)
    starts_on = models.DateField(help_text="First day on which it holds.")
    ends_before = models.DateField(null=True, blank=True, help_text="First day on which it does not hold any more.")
    reason = models.CharField(max_length=300)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    objects = ServiceOverrideQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "contract_id", "variant"],
                condition=Q(ends_before__isnull=True),
                name="one_service_override",
                violation_error_message="On this contract the offer is billed as another service already.",
            ),
            models.CheckConstraint(
                name="override_dates_ordered",
                condition=Q(ends_before__isnull=True) | Q(ends_before__gte=F("starts_on")),
            ),
            models.CheckConstraint(name="override_has_a_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.variant} as {self.service_name} on {self.contract_name}"


class ExclusionQuerySet(models.QuerySet["Exclusion"]):
    def for_user(self, user: Any) -> ExclusionQuerySet:
        """Those of subscriptions that the person's own organization bills."""
        return self.filter(subscription__organization_id=user.organization_id)

    def open(self) -> ExclusionQuerySet:
        return self.filter(ends_before__isnull=True)

    def left_out(self) -> ExclusionQuerySet:
        """Open ones of whole subscriptions."""
        return self.open().filter(units__isnull=True)


class Exclusion(models.Model):
    """Units of a subscription that are not billed from a day on; all of it, which is then not mapped, without `units`.

    `ends_before`: the first day on which they are billed again; empty while it is open, and equal to `starts_on` where
    it never held.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="exclusions")
    units = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: all of it, and it is not mapped.")
    starts_on = models.DateField(help_text="First day on which they are not billed.")
    ends_before = models.DateField(null=True, blank=True, help_text="First day on which they are billed again.")
    reason = models.CharField(max_length=300)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    objects = ExclusionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(ends_before__isnull=True),
                name="one_exclusion",
                violation_error_message="Units of this subscription are left out already.",
            ),
            models.CheckConstraint(name="exclusion_of_something", condition=Q(units__isnull=True) | Q(units__gt=0)),
            models.CheckConstraint(
                name="exclusion_dates_ordered",
                condition=Q(ends_before__isnull=True) | Q(ends_before__gte=F("starts_on")),
            ),
            models.CheckConstraint(name="exclusion_has_a_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{'All' if self.units is None else self.units} of {self.subscription}"
