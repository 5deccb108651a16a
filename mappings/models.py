"""Which of ours is which of theirs."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from connections.models import Connection
from portal.models import Customer, OfferVariant, Subscription, User


class ConnectionOwnedQuerySet(models.QuerySet[Any]):
    def for_user(self, user: Any) -> ConnectionOwnedQuerySet:
        """Rows of connections of the person's own organization."""
        return self.filter(connection__organization_id=user.organization_id)


class CustomerMapping(models.Model):
    """A customer is this company of the PSA: one to one per connection."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="customer_mappings")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="mappings")
    company_id = models.BigIntegerField("company id in the PSA")
    company_name = models.CharField(max_length=150)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    objects = ConnectionOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "customer"],
                name="customer_mapped_once",
                violation_error_message="This customer is mapped on this connection already.",
            ),
            models.UniqueConstraint(
                fields=["connection", "company_id"],
                name="company_mapped_once",
                violation_error_message="This company is mapped to another customer already.",
            ),
            models.CheckConstraint(
                name="company_is_not_our_own",
                condition=~Q(company_id=0),
                violation_error_message="Company 0 is the owner's own company.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} is {self.company_name}"


class OfferMapping(models.Model):
    """An offer variant is this service of the PSA: one to one per connection."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="offer_mappings")
    variant = models.ForeignKey(OfferVariant, on_delete=models.PROTECT, related_name="mappings")
    service_id = models.BigIntegerField("service id in the PSA")
    service_name = models.CharField(max_length=150)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    objects = ConnectionOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "variant"],
                name="variant_mapped_once",
                violation_error_message="This offer is mapped on this connection already.",
            ),
            models.UniqueConstraint(
                fields=["connection", "service_id"],
                name="service_mapped_once",
                violation_error_message="This service is mapped to another offer already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant} is {self.service_name}"


class SubscriptionMappingQuerySet(ConnectionOwnedQuerySet):
    def open(self) -> SubscriptionMappingQuerySet:
        return self.filter(ends_on__isnull=True)


class SubscriptionMapping(models.Model):
    """A subscription is billed on this line of this contract, from a date on.

    Open while `ends_on` is empty; a replay uses the mapping that was valid on the operation's date. `line_id` is
    empty until the line exists. An adopted line was on the contract before.
    """

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="subscription_mappings")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="mappings")
    company_id = models.BigIntegerField()
    company_name = models.CharField(max_length=150)
    service_id = models.BigIntegerField()
    service_name = models.CharField(max_length=150)
    contract_id = models.BigIntegerField()
    contract_name = models.CharField(max_length=150)
    line_id = models.BigIntegerField(null=True, blank=True)
    line_key = models.CharField(max_length=100, blank=True, help_text="What the line's internal description holds.")
    adopted = models.BooleanField(default=False, help_text="The line was on the contract before.")
    starts_on = models.DateField(
        null=True, blank=True, help_text="First day billed; empty until the subscription starts."
    )
    ends_on = models.DateField(null=True, blank=True, help_text="Last day billed here; empty while open.")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    objects = SubscriptionMappingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(ends_on__isnull=True),
                name="subscription_mapped_once",
                violation_error_message="This subscription is mapped already; a subscription is billed in one place.",
            ),
            models.UniqueConstraint(
                fields=["connection", "line_id"],
                condition=Q(ends_on__isnull=True) & Q(line_id__isnull=False),
                name="line_mapped_once",
                violation_error_message="This line bills another subscription already.",
            ),
            models.CheckConstraint(
                name="mapping_dates_ordered",
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} on {self.contract_name}"
