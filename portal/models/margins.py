"""Margins: how a selling price follows from a purchase price."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse

from portal.models.catalog import Offer
from portal.models.organizations import Organization
from portal.models.subscriptions import Customer, Subscription


class MarginRuleQuerySet(models.QuerySet["MarginRule"]):
    def for_user(self, user: Any) -> MarginRuleQuerySet:
        """The rules of the person's own organization; what a reseller earns is its own business."""
        return self.filter(organization_id=user.organization_id)


class MarginRule(models.Model):
    """One rule of an organization. The most specific wins: subscription, then customer and category, then default per
    category.

    `audience` tells whom a default is for: the organization's own customers, or (a CSP only) its resellers.
    """

    class Kind(models.TextChoices):
        MARKUP = "markup", "Markup on list price"
        ERP_DISCOUNT = "erp_discount", "ERP minus discount"
        SPLIT = "split", "Split of ERP and list price"

    class Audience(models.TextChoices):
        CUSTOMERS = "customers", "Customers"
        RESELLERS = "resellers", "Resellers"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="margin_rules")
    audience = models.CharField(max_length=10, choices=Audience, default=Audience.CUSTOMERS)
    category = models.CharField(max_length=20, choices=Offer.Category, blank=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="margin_rules")
    reseller = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    subscription = models.OneToOneField(
        Subscription, on_delete=models.CASCADE, null=True, blank=True, related_name="margin_rule"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    percent = models.DecimalField(max_digits=7, decimal_places=4, help_text="Percent, for example 15 for 15 %.")

    objects = MarginRuleQuerySet.as_manager()

    class Meta:
        ordering = ["organization", "category", "pk"]
        constraints = [
            models.UniqueConstraint(
                "organization",
                "audience",
                "category",
                Coalesce("customer", 0, output_field=models.BigIntegerField()),
                Coalesce("reseller", 0, output_field=models.BigIntegerField()),
                condition=Q(subscription__isnull=True),
                name="margin_rule_unique_per_level",
                violation_error_message="A rule for this level and category exists already.",
            ),
            models.CheckConstraint(
                name="margin_percent_in_range",
                condition=Q(percent__gte=-100) & Q(percent__lte=1000),
                violation_error_message="The percentage must lie between -100 and 1000.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.percent.normalize():f} %"

    def get_absolute_url(self) -> str:
        return reverse("portal:margin_edit", args=[self.pk])


class MarginSettings(models.Model):
    """How an organization's margins treat promotions and limits."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="margin_settings")
    pass_promotions = models.BooleanField("pass Microsoft promotions on", default=True)
    markup_limit = models.BooleanField("never above ERP", default=False)
    discount_limit = models.BooleanField("never below list price", default=True)

    class Meta:
        verbose_name_plural = "margin settings"

    def __str__(self) -> str:
        return f"Margin settings of {self.organization}"
