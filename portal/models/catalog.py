"""The offer catalogue of a CSP: what can be bought, at which price, under which promotion."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q

from portal.models.organizations import Organization
from portal.search import holds_every_word


class Offer(models.Model):
    """A product of Microsoft's catalogue: one product id and SKU, as its CSP may sell it."""

    class Category(models.TextChoices):
        LICENCE = "licence", "Licence"
        AZURE_PLAN = "azure_plan", "Azure plan"
        AZURE_RESERVATION = "azure_reservation", "Azure reservation"
        PERPETUAL = "perpetual", "Perpetual software"
        SOFTWARE = "software", "Software subscription"
        LEGACY = "legacy", "Legacy licence"

    owner = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="offers")
    product_id = models.CharField(max_length=64)
    sku_id = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=250)
    description = models.TextField(blank=True)
    publisher = models.CharField(max_length=120, default="Microsoft Corporation")
    category = models.CharField(max_length=20, choices=Category)
    is_trial = models.BooleanField(default=False)
    is_addon = models.BooleanField(default=False)

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "product_id", "sku_id"], name="offer_unique_in_catalogue"),
        ]

    def __str__(self) -> str:
        return self.title


class OfferVariantQuerySet(models.QuerySet["OfferVariant"]):
    def for_user(self, user: Any) -> OfferVariantQuerySet:
        """The variants in the catalogue of the person's CSP."""
        return self.filter(offer__owner_id=user.organization.root_id)

    def purchasable(self) -> OfferVariantQuerySet:
        return self.filter(is_purchasable=True)

    def search(self, text: str) -> OfferVariantQuerySet:
        """Variants whose prepared text holds every word of `text`, anywhere."""
        return self.filter(holds_every_word(text, "search_text"))


class OfferVariant(models.Model):
    """An offer in one segment, term and billing frequency: what is bought and what is mapped."""

    class Segment(models.TextChoices):
        COMMERCIAL = "commercial", "Commercial"
        EDUCATION = "education", "Education"
        GOVERNMENT = "government", "Government"
        CHARITY = "charity", "Charity"

    class Term(models.TextChoices):
        NONE = "", "No term"
        MONTH = "P1M", "1 month"
        YEAR = "P1Y", "1 year"
        THREE_YEARS = "P3Y", "3 years"

    class Billing(models.TextChoices):
        MONTHLY = "monthly", "Monthly"
        ANNUAL = "annual", "Annual"
        TRIENNIAL = "triennial", "Triennial"
        ONE_TIME = "one_time", "One time"
        NONE = "none", "By usage"

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="variants")
    segment = models.CharField(max_length=12, choices=Segment, default=Segment.COMMERCIAL)
    term = models.CharField(max_length=4, choices=Term, blank=True)
    billing = models.CharField("billing frequency", max_length=10, choices=Billing)
    availability_id = models.CharField(max_length=64, blank=True)
    minimum_quantity = models.PositiveIntegerField(default=1)
    maximum_quantity = models.PositiveIntegerField(default=10_000_000)
    is_purchasable = models.BooleanField(default=True)
    search_text = models.CharField(max_length=500, editable=False, db_index=True, help_text="Folded for searching.")

    objects = OfferVariantQuerySet.as_manager()

    class Meta:
        ordering = ["offer__title", "segment", "term", "billing", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["offer", "segment", "term", "billing"], name="variant_unique"),
            models.CheckConstraint(
                name="variant_quantities_ordered",
                condition=Q(minimum_quantity__lte=models.F("maximum_quantity")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offer.title} · {self.terms}"

    @property
    def terms(self) -> str:
        """Segment, term and billing frequency in words, the usual segment left unsaid."""
        parts = [self.get_term_display() if self.term else "", self.get_billing_display().lower()]
        if self.segment != self.Segment.COMMERCIAL:
            parts.append(self.get_segment_display().lower())
        return ", ".join(part for part in parts if part)

    @property
    def catalog_item_id(self) -> str:
        """Microsoft's catalogue item id: product:sku:availability."""
        return f"{self.offer.product_id}:{self.offer.sku_id}:{self.availability_id}"


class VariantPrice(models.Model):
    """The price of one unit of a variant for one billing period, as on Microsoft's price sheet.

    `list_price` is what the CSP pays, `erp` is Microsoft's suggested retail price; both in `currency`.
    """

    variant = models.ForeignKey(OfferVariant, on_delete=models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3)
    list_price = models.DecimalField(max_digits=14, decimal_places=4)
    erp = models.DecimalField("ERP", max_digits=14, decimal_places=4)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text="Last day, inclusive; empty while in force.")

    class Meta:
        ordering = ["variant", "currency", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["variant", "currency", "valid_from"], name="price_unique_per_date"),
            models.CheckConstraint(name="price_not_negative", condition=Q(list_price__gte=0) & Q(erp__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.variant} {self.list_price} {self.currency}"


class PromotionQuerySet(models.QuerySet["Promotion"]):
    def running(self, day: date) -> PromotionQuerySet:
        return self.filter(starts_on__lte=day, ends_on__gte=day)


class Promotion(models.Model):
    """A Microsoft promotion: a percentage off the variants it names, for orders placed while it runs."""

    owner = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="promotions")
    promotion_id = models.CharField(max_length=120)
    name = models.CharField(max_length=200)
    percent = models.DecimalField(max_digits=7, decimal_places=4, help_text="Percent off, 0 to 100.")
    starts_on = models.DateField()
    ends_on = models.DateField()
    minimum_quantity = models.PositiveIntegerField(default=1)
    maximum_quantity = models.PositiveIntegerField(null=True, blank=True)
    variants = models.ManyToManyField(OfferVariant, related_name="promotions", blank=True)

    objects = PromotionQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_on", "name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "promotion_id"], name="promotion_unique"),
            models.CheckConstraint(
                name="promotion_percent_in_range", condition=Q(percent__gte=0) & Q(percent__lte=100)
            ),
        ]

    def __str__(self) -> str:
        return self.name
