"""The Azure ledger: what each Azure plan costs and bills in a month, and lines that would bill a month twice."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from connections.models import Connection
from mappings.models import SubscriptionMapping
from portal.models import Organization, Subscription, User
from syncops.models.operations import SyncOperation

Done = SyncOperation.State


class AzureMonthQuerySet(models.QuerySet["AzureMonth"]):
    def for_user(self, user: Any) -> AzureMonthQuerySet:
        """The months of the person's own organization."""
        return self.filter(organization_id=user.organization_id)

    def went_out(self) -> AzureMonthQuerySet:
        """Months whose amount was proved in the PSA, as it is now or as it was before it was corrected."""
        return self.filter(operation__state=Done.SUCCEEDED, set_at__isnull=False)


class AzureMonth(models.Model):
    """What one Azure plan costs and bills in one calendar month, where that came from, and what became of it.

    `cost` is usage and reservations together in the owner's purchase context, `price` what the customer pays; both
    rounded to the currency's minor unit. What begins with `sent_` went out with `operation`, the last of the month:
    an amount that differs from it was corrected since. `set_at`, `zeroed_at` and `posted_at`: when the PSA showed it.
    """

    class Source(models.TextChoices):
        PERSON = "person", "Entered by hand"
        FILE = "file", "From a file"
        RECONCILIATION = "reconciliation", "From the billed reconciliation"

    class SentAs(models.TextChoices):
        PRICE = "service_price", "Price of the service"
        CHARGE = "contract_charge", "Contract charge"

    class State(models.TextChoices):
        INCOMPLETE = "incomplete", "Not complete"
        READY = "ready", "Ready to send"
        NOTHING = "nothing", "Nothing to bill"
        ON_ITS_WAY = "on_its_way", "On its way"
        NEEDS_A_PERSON = "needs_a_person", "Needs you"
        CORRECTED = "corrected", "Corrected since"
        SET = "set", "Set"
        POSTED = "posted", "Posted"

    TONES = {
        State.INCOMPLETE: "muted",
        State.READY: "warn",
        State.NOTHING: "muted",
        State.ON_ITS_WAY: "info",
        State.NEEDS_A_PERSON: "bad",
        State.CORRECTED: "warn",
        State.SET: "ok",
        State.POSTED: "ok",
    }
    TO_SEND = (State.READY, State.CORRECTED)

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="azure_months")
    month = models.DateField(help_text="The first day of the month in which it was used.")
    currency = models.CharField(max_length=3)
    usage_cost = models.DecimalField(max_digits=16, decimal_places=4)
    reservations_cost = models.DecimalField(max_digits=16, decimal_places=4, default=Decimal(0))
    cost = models.DecimalField(max_digits=16, decimal_places=4)
    price = models.DecimalField(max_digits=16, decimal_places=4)
    price_rule = models.CharField(max_length=120, blank=True, help_text="The margin rule; empty where it was given.")
    is_complete = models.BooleanField(default=False, help_text="Its billed reconciliation is complete.")
    source = models.CharField(max_length=14, choices=Source)
    source_name = models.CharField(max_length=200, blank=True, help_text="The file or report.")
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    operation = models.ForeignKey(SyncOperation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    sent_as = models.CharField(max_length=16, choices=SentAs, blank=True)
    sent_cost = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    sent_price = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    period = models.DateField(null=True, blank=True, help_text="First day of the billing period that it went on.")
    set_at = models.DateTimeField(null=True, blank=True)
    zeroed_at = models.DateTimeField(null=True, blank=True, help_text="When the period after it showed 0.")
    posted_at = models.DateTimeField(null=True, blank=True)

    objects = AzureMonthQuerySet.as_manager()

    class Meta:
        ordering = ["-month", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "month"],
                name="azure_month_once",
                violation_error_message="This plan has an amount of this month already.",
            ),
            models.CheckConstraint(
                name="azure_amounts_not_negative",
                condition=Q(usage_cost__gte=0, reservations_cost__gte=0, cost__gte=0, price__gte=0),
                violation_error_message="An amount of Azure is never below zero.",
            ),
            models.CheckConstraint(
                name="azure_month_sent_whole",
                condition=Q(operation__isnull=True)
                | Q(connection__isnull=False, sent_cost__isnull=False, sent_price__isnull=False, period__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["organization", "month"], name="azure_months_of_month")]  # the list

    def __str__(self) -> str:
        return f"{self.subscription} in {self.month:%B %Y}"

    def get_absolute_url(self) -> str:
        return reverse("syncops:azure_month", args=[self.subscription_id, self.month.year, self.month.month])

    @property
    def differs(self) -> bool:
        """Whether the amount is another than the one that went out."""
        return (self.cost, self.price) != (self.sent_cost, self.sent_price)

    @property
    def state(self) -> str:
        if self.operation and self.operation.is_open:
            return self.State.ON_ITS_WAY
        if self.operation and self.operation.needs_a_person:
            return self.State.NEEDS_A_PERSON
        if self.operation and self.operation.state == Done.SUCCEEDED and self.set_at:
            if self.differs:
                return self.State.CORRECTED if self.is_complete else self.State.INCOMPLETE
            return self.State.POSTED if self.posted_at else self.State.SET
        if not self.is_complete:
            return self.State.INCOMPLETE
        return self.State.READY if self.cost or self.price else self.State.NOTHING

    @property
    def state_label(self) -> str:
        return self.State(self.state).label

    @property
    def tone(self) -> str:
        return self.TONES[self.State(self.state)]

    @property
    def fingerprint(self) -> str:
        """Differs where the amount differs: what a page showed is compared with what is stored when it is saved."""
        shown = (self.usage_cost, self.reservations_cost, self.price, self.price_rule, self.is_complete)
        return hashlib.sha256(repr([str(value) for value in shown]).encode()).hexdigest()[:16]


def in_state(state: str, prefix: str = "") -> Q:
    """The months that are in a state, as a condition on rows that reach them by `prefix`."""
    State = AzureMonth.State

    def where(**fields: Any) -> Q:
        return Q(**{f"{prefix}{name}": value for name, value in fields.items()})

    same = where(cost=F(f"{prefix}sent_cost"), price=F(f"{prefix}sent_price"))
    out = where(operation__state=Done.SUCCEEDED, set_at__isnull=False)
    held = where(operation__state__in=(*SyncOperation.OPEN, *SyncOperation.NEEDS_A_PERSON))
    idle = where(pk__isnull=False) & ~held & ~out
    complete, nothing = where(is_complete=True), where(cost=0, price=0)
    return {
        State.ON_ITS_WAY: where(operation__state__in=SyncOperation.OPEN),
        State.NEEDS_A_PERSON: where(operation__state__in=SyncOperation.NEEDS_A_PERSON),
        State.POSTED: out & same & where(posted_at__isnull=False),
        State.SET: out & same & where(posted_at__isnull=True),
        State.CORRECTED: out & ~same & complete,
        State.INCOMPLETE: (idle | (out & ~same)) & where(is_complete=False),
        State.READY: idle & complete & ~nothing,
        State.NOTHING: idle & complete & nothing,
    }[State(state)]


class AzureAlarmQuerySet(models.QuerySet["AzureAlarm"]):
    def for_user(self, user: Any) -> AzureAlarmQuerySet:
        """Those of connections of the person's own organization."""
        return self.filter(mapping__connection__organization_id=user.organization_id)

    def open(self) -> AzureAlarmQuerySet:
        return self.filter(closed_at=None)


class AzureAlarm(models.Model):
    """The line of an Azure plan shows a price after a month that was set, and no amount of the ledger asks for it.

    Unless it is mended, the period that begins on `period` bills it. Closed when the line shows 0 there.
    """

    mapping = models.ForeignKey(SubscriptionMapping, on_delete=models.PROTECT, related_name="azure_alarms")
    period = models.DateField(help_text="First day of the period that would bill it.")
    price = models.DecimalField(max_digits=16, decimal_places=4)
    found_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, db_index=True)  # the inbox and its count look here
    operation = models.ForeignKey(
        SyncOperation, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="What mends it."
    )

    objects = AzureAlarmQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["mapping"], condition=Q(closed_at__isnull=True), name="one_open_azure_alarm_per_line"
            )
        ]

    def __str__(self) -> str:
        return f"{self.mapping.subscription}: {self.price} from {self.period}"

    @property
    def is_being_mended(self) -> bool:
        return self.operation is not None and self.operation.is_open
