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


class SuggestionQuerySet(ConnectionOwnedQuerySet):
    def waiting(self) -> SuggestionQuerySet:
        return self.filter(state__in=Suggestion.WAITING)


class Suggestion(models.Model):
    """A row of the PSA that a customer or an offer may be, found by its name; rejected, one that it is not.

    `score`: how alike the names are, 0 to 100. A rejected one is kept, so that it is not suggested again.
    """

    class State(models.TextChoices):
        OPEN = "open", "Suggested"
        CONFLICT = "conflict", "Conflict"
        REJECTED = "rejected", "Rejected"

    WAITING = (State.OPEN, State.CONFLICT)

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="suggestions")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    variant = models.ForeignKey(OfferVariant, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    remote_id = models.BigIntegerField("id in the PSA")
    remote_name = models.CharField("name in the PSA", max_length=150)
    score = models.PositiveSmallIntegerField()
    why = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    found_at = models.DateTimeField()

    objects = SuggestionQuerySet.as_manager()

    class Meta:
        ordering = ["-score", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "customer", "remote_id"], name="customer_suggested_once"),
            models.UniqueConstraint(fields=["connection", "variant", "remote_id"], name="variant_suggested_once"),
            models.CheckConstraint(
                name="suggestion_of_one_thing",
                condition=Q(customer__isnull=True, variant__isnull=False)
                | Q(customer__isnull=False, variant__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["connection", "remote_id"], name="suggestions_of_theirs")]  # once it is taken

    def __str__(self) -> str:
        return f"{self.customer or self.variant} may be {self.remote_name}"


class MatchRunQuerySet(ConnectionOwnedQuerySet):
    def running(self) -> MatchRunQuerySet:
        return self.filter(state=MatchRun.State.RUNNING)


class MatchRun(models.Model):
    """One pass over the customers, offers or subscriptions of a connection, in the background.

    `cursor` is the id of ours that it came to: a run that is killed goes on behind it.
    """

    class Kind(models.TextChoices):
        DRY = "dry", "Dry run"
        EXACT = "exact", "Map equal names"
        ALIKE = "alike", "Suggest alike names"
        ACCEPT = "accept", "Accept suggestions"
        MAP = "map", "Map subscriptions"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OF_NAMES = [(kind, kind.label) for kind in (Kind.DRY, Kind.EXACT, Kind.ALIKE, Kind.ACCEPT)]

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="match_runs")
    nouns = models.CharField(max_length=13, help_text="customers, offers or subscriptions")
    kind = models.CharField(max_length=6, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    threshold = models.PositiveSmallIntegerField(default=0, help_text="How alike names must be at least, 0 to 100.")
    since = models.CharField(max_length=11, blank=True, help_text="From when subscriptions are billed.")
    chosen = models.JSONField(default=list, blank=True, help_text="Ids of subscriptions; empty for every one.")
    problems = models.JSONField(default=list, blank=True, help_text="The first that were refused: name and reason.")
    shown = models.JSONField(default=dict, blank=True, help_text="What a dry run found: findings.Findings.shown.")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    mapped = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0, help_text="Suggestions and conflicts.")
    cursor = models.BigIntegerField(default=0)
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = MatchRunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "nouns"], condition=Q(state="running"), name="one_match_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="matches_due")]  # the sweep

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.nouns} on {self.connection}"

    @property
    def outcome(self) -> str:
        """What came of it, in words."""
        if self.kind == self.Kind.DRY:
            found = self.shown or {"pairs": 0, "conflicts": 0}
            return f"{found['pairs']} have one equal name, {found['conflicts']} several"
        if self.kind == self.Kind.ALIKE:
            return f"{self.found} suggested"
        return f"{self.mapped} mapped" + (f", {self.refused} refused" if self.refused else "")


class DefaultContract(models.Model):
    """The contract that takes a customer's new subscriptions of one period type, where it has several."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="default_contracts")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    period = models.CharField(max_length=12)
    contract_id = models.BigIntegerField()
    contract_name = models.CharField(max_length=150)

    objects = ConnectionOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "customer", "period"], name="one_default_contract"),
        ]

    def __str__(self) -> str:
        return f"{self.contract_name} for {self.customer}"


class SubscriptionMappingQuerySet(ConnectionOwnedQuerySet):
    def open(self) -> SubscriptionMappingQuerySet:
        return self.filter(ends_on__isnull=True)


class SubscriptionMapping(models.Model):
    """A subscription is billed on this line of this contract, from a date on.

    Open while `ends_on` is empty; a replay uses the mapping that was valid on the operation's date. `line_id` is
    empty until the line exists. An adopted line was on the contract before.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="subscription_mappings", db_index=False
    )  # an index below begins with it
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
        indexes = [
            models.Index(fields=["connection", "ends_on"], name="mappings_open"),  # how many a connection bills
        ]

    def __str__(self) -> str:
        return f"{self.subscription} on {self.contract_name}"
