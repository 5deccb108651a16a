"""Customers, what they bought, and every change to it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.folding import without_accents
from portal.models.catalog import OfferVariant, Promotion
from portal.models.organizations import Organization, User
from portal.search import holds_every_word


class CustomerQuerySet(models.QuerySet["Customer"]):
    def for_user(self, user: Any) -> CustomerQuerySet:
        """The customers of the person's organization and, for a CSP, of its resellers."""
        return self.filter(Q(organization_id=user.organization_id) | Q(organization__parent_id=user.organization_id))

    def search(self, text: str) -> CustomerQuerySet:
        return self.filter(holds_every_word(text, "search_text"))


class Customer(models.Model):
    """The organization's end customer: one Microsoft tenant."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="customers")
    external_id = models.CharField("Microsoft tenant id", max_length=64)
    name = models.CharField(max_length=200)
    domain = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    email = models.EmailField(blank=True)
    search_text = models.CharField(
        max_length=500, editable=False, db_index=True, help_text="Name and domain, folded for searching."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "external_id"],
                name="customer_unique",
                violation_error_message="This Microsoft tenant is a customer already.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "name", "id"], name="customer_list")]  # the customer list

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("portal:customer_detail", args=[self.pk])


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def for_user(self, user: Any) -> SubscriptionQuerySet:
        """The subscriptions of the person's organization and, for a CSP, of its resellers."""
        return self.filter(Q(organization_id=user.organization_id) | Q(organization__parent_id=user.organization_id))

    def owned_by(self, organization: Organization) -> SubscriptionQuerySet:
        """The subscriptions that this organization bills itself: a CSP's direct ones, a reseller's own."""
        return self.filter(organization=organization)

    def search(self, text: str) -> SubscriptionQuerySet:
        """Those with every word in their own text or their customer's; customers are looked through once for a word."""
        found = self
        for word in without_accents(text).split():
            customers = Customer.objects.search(word).order_by().values("pk")
            found = found.filter(Q(search_text__contains=word) | Q(customer__in=customers))
        return found


class Subscription(models.Model):
    """A customer's purchase of an offer variant: quantity, status, prices, dates.

    Prices are per unit and billing period, as on the price sheet when the term began; the CSP's own purchase price.
    A subscription exists from its order on, pending until Microsoft has provisioned it; `external_id` is empty until
    then.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        EXPIRED = "expired", "Expired"
        DISABLED = "disabled", "Disabled"
        DELETED = "deleted", "Deleted"

    BILLED = (Status.ACTIVE, Status.SUSPENDED)

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="subscriptions", db_index=False
    )  # the indexes below begin with it
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    variant = models.ForeignKey(OfferVariant, on_delete=models.PROTECT, related_name="subscriptions")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="Our own id, sent to the PSA.")
    external_id = models.CharField("Partner Center id", max_length=64, blank=True)
    friendly_name = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status)
    currency = models.CharField(max_length=3)
    list_price = models.DecimalField(max_digits=14, decimal_places=4)
    erp = models.DecimalField("ERP", max_digits=14, decimal_places=4)
    promotion = models.ForeignKey(Promotion, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    auto_renew = models.BooleanField(default=True)
    created_on = models.DateField(help_text="The day it was bought, in the organization's time zone.")
    starts_on = models.DateField(null=True, blank=True, help_text="First day of the current term.")
    ends_on = models.DateField(null=True, blank=True, help_text="Last day of the current term, inclusive.")
    search_text = models.CharField(max_length=500, editable=False, db_index=True)
    version = models.PositiveIntegerField(default=1, help_text="Grows with every recorded change.")

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "external_id"],
                condition=~Q(external_id=""),
                name="subscription_unique",
                violation_error_message="This subscription is known already.",
            ),
        ]
        indexes = [
            # The subscription list. What Subscription Mapping narrows and searches it by is read from the index alone.
            models.Index(
                fields=["organization", "-id", "status", "customer", "variant", "search_text"],
                name="subscription_list",
            ),
            models.Index(fields=["organization", "status"], name="subscriptions_alive"),  # how many there are to map
            models.Index(fields=["organization", "variant"], name="variants_bought"),  # what Offer Mapping lists
            models.Index(fields=["customer", "-id"], name="subscription_of_customer"),  # the customer page
        ]

    def __str__(self) -> str:
        return f"{self.friendly_name} ({self.customer})"

    def get_absolute_url(self) -> str:
        return reverse("portal:subscription_detail", args=[self.pk])


class SubscriptionChange(models.Model):
    """A fact about a subscription with the date it took effect. Never edited, never deleted."""

    class Kind(models.TextChoices):
        ACTIVATED = "activated", "Activated"
        QUANTITY_CHANGED = "quantity_changed", "Quantity changed"
        PRICE_CHANGED = "price_changed", "Price changed"
        CANCELLED = "cancelled", "Cancelled"
        SUSPENDED = "suspended", "Suspended"
        REACTIVATED = "reactivated", "Reactivated"
        BILLING_CYCLE_CHANGED = "billing_cycle_changed", "Billing cycle changed"
        RENEWED = "renewed", "Renewed"
        UPGRADED = "upgraded", "Upgraded"
        RESELLER_CHANGED = "reseller_changed", "Reseller changed"
        MIGRATED = "migrated", "Migrated"
        DETAILS_CHANGED = "details_changed", "Name or auto-renew changed"
        ORDER_FAILED = "order_failed", "Order failed"
        NOTED = "noted", "Noted"  # a fact that no bill follows from

    class Source(models.TextChoices):
        PORTAL = "portal", "Portal"
        PARTNER_CENTER = "partner_center", "Partner Center"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=24, choices=Kind)
    effective_on = models.DateField(help_text="The day it took effect, in the organization's time zone.")
    recorded_at = models.DateTimeField()
    source = models.CharField(max_length=16, choices=Source)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    correlation_id = models.UUIDField(default=uuid.uuid4, editable=False)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.effective_on}"


class SubscriptionRequest(models.Model):
    """A person's wish to change a subscription at Microsoft: planned, sent once, recorded as a change when confirmed.

    `request_id` travels as Microsoft's idempotency key, so a repeat after a lost answer changes nothing twice.
    """

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        SENDING = "sending", "Sending"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    OPEN = (State.PLANNED, State.SENDING)

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="requests")
    kind = models.CharField(max_length=24, choices=[("quantity", "Quantity")])
    wanted = models.JSONField()
    shown = models.TextField(blank=True, help_text="What a higher app showed before it was confirmed, sealed by it.")
    request_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    advice = models.TextField(blank=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(state__in=("planned", "sending")),
                name="one_open_request_per_subscription",
                violation_error_message="A change of this subscription is on its way already; wait until it is done.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.subscription}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_stalled(self) -> bool:
        """True where the request stopped on its way and waits for a person."""
        return self.is_open and self.due_at is None
