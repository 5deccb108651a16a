"""Carts and orders."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.models.catalog import OfferVariant, Promotion
from portal.models.organizations import Organization, User
from portal.models.subscriptions import Customer, Subscription
from portal.search import holds_every_word


class OrderQuerySet(models.QuerySet["Order"]):
    def for_user(self, user: Any) -> OrderQuerySet:
        """The orders of the person's organization and, for a CSP, of its resellers."""
        return self.filter(Q(organization_id=user.organization_id) | Q(organization__parent_id=user.organization_id))

    def submitted(self) -> OrderQuerySet:
        return self.exclude(state=Order.State.CART)

    def search(self, text: str) -> OrderQuerySet:
        """Orders of this number (O-000012 or 12), or of customers whose name or domain holds every word."""
        number = text.strip().upper().removeprefix("O-")
        if number.isascii() and number.isdigit() and len(number) < 16:
            return self.filter(pk=int(number))
        return self.filter(holds_every_word(text, "customer__search_text"))

    def carts_of(self, user: Any) -> OrderQuerySet:
        """The person's own carts for customers that they still see."""
        return self.for_user(user).filter(state=Order.State.CART, created_by=user)

    def stalled(self) -> OrderQuerySet:
        """Orders that stopped on their way and wait for a person."""
        return self.filter(state__in=Order.OPEN, due_at__isnull=True)


class Order(models.Model):
    """What a customer buys in one go. It begins as a cart; submitting it sends it to Partner Center in the background.

    `request_id` is the seed of Microsoft's idempotency keys, so that a step repeated after a lost answer happens once.
    """

    class State(models.TextChoices):
        CART = "cart", "Cart"
        SUBMITTED = "submitted", "Submitted"
        PLACING = "placing", "Being placed"
        PROVISIONING = "provisioning", "Provisioning"
        COMPLETED = "completed", "Completed"
        PARTLY_FAILED = "partly_failed", "Partly failed"
        FAILED = "failed", "Failed"

    OPEN = (State.SUBMITTED, State.PLACING, State.PROVISIONING)
    FINAL = (State.COMPLETED, State.PARTLY_FAILED, State.FAILED)
    NEEDS_A_PERSON = (State.PARTLY_FAILED, State.FAILED)
    TRANSITIONS = {
        State.CART: (State.SUBMITTED,),
        State.SUBMITTED: (State.PLACING, State.FAILED),
        State.PLACING: (State.SUBMITTED, State.PROVISIONING, State.FAILED),
        State.PROVISIONING: (State.COMPLETED, State.PARTLY_FAILED, State.FAILED),
        State.COMPLETED: (),
        State.PARTLY_FAILED: (),
        State.FAILED: (),
    }

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="orders")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    state = models.CharField(max_length=14, choices=State, default=State.CART)
    currency = models.CharField(max_length=3)
    request_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    correlation_id = models.UUIDField(default=uuid.uuid4, editable=False)
    provider_cart_id = models.CharField(max_length=64, blank=True)
    provider_order_ids = models.JSONField(default=list, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, db_index=True)  # what the sweep looks for
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    advice = models.TextField(blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "created_by"],
                condition=Q(state="cart"),
                name="one_cart_per_person_and_customer",
                violation_error_message="You have a cart for this customer already.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="order_list")]  # the order list

    def __str__(self) -> str:
        return f"Order {self.number}"

    @property
    def number(self) -> str:
        """The order number that people quote."""
        return f"O-{self.pk:06d}"

    def may_become(self, state: str) -> bool:
        """True where the order may go from its state to `state`, or stay in it."""
        return state == self.state or state in self.TRANSITIONS[self.State(self.state)]

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_stalled(self) -> bool:
        """True where the order stopped on its way and waits for a person."""
        return self.is_open and self.due_at is None

    def get_absolute_url(self) -> str:
        return reverse("portal:order_detail", args=[self.pk])


class OrderLine(models.Model):
    """One variant on an order. Prices are per unit and billing period in the order's currency, in the owner's
    context.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(OfferVariant, on_delete=models.PROTECT, related_name="+")
    promotion = models.ForeignKey(Promotion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    friendly_name = models.CharField(max_length=200, blank=True)
    quantity = models.PositiveIntegerField()
    list_price = models.DecimalField(max_digits=14, decimal_places=4, help_text="The CSP's purchase price.")
    erp = models.DecimalField("ERP", max_digits=14, decimal_places=4)
    unit_cost = models.DecimalField(max_digits=14, decimal_places=4, help_text="What the organization pays.")
    unit_price = models.DecimalField(max_digits=14, decimal_places=4, help_text="What the customer pays.")
    subscription = models.OneToOneField(
        Subscription, on_delete=models.PROTECT, null=True, blank=True, related_name="order_line"
    )
    provider_order_id = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "variant"],
                name="order_line_unique_variant",
                violation_error_message="This offer is in the cart already; change its quantity there.",
            ),
            models.CheckConstraint(
                name="order_line_quantity_positive",
                condition=Q(quantity__gte=1),
                violation_error_message="The quantity must be at least 1.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.variant}"
