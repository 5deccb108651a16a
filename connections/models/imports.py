"""What was read from Partner Center: readings, the customers that they saw, and hints that something changed there."""

from __future__ import annotations

from typing import Any

from django.db import models

from connections.models.connections import Connection
from portal.models import Customer


class ProviderImportQuerySet(models.QuerySet["ProviderImport"]):
    def for_user(self, user: Any) -> ProviderImportQuerySet:
        """The readings of connections of the person's own organization."""
        return self.filter(connection__organization_id=user.organization_id)

    def running(self) -> ProviderImportQuerySet:
        return self.filter(state=ProviderImport.State.RUNNING)

    def full(self) -> ProviderImportQuerySet:
        return self.filter(scope=ProviderImport.Scope.EVERYTHING)

    def of_changes(self) -> ProviderImportQuerySet:
        return self.filter(scope=ProviderImport.Scope.CHANGES)

    def bases(self) -> ProviderImportQuerySet:
        """Readings that a reading of audit records can begin from, the latest first."""
        return self.filter(as_of__isnull=False).exclude(state=ProviderImport.State.FAILED).order_by("-pk")

    def undecided(self) -> ProviderImportQuerySet:
        """Held readings that no later one has made pointless."""
        later = ProviderImport.objects.full().filter(
            connection=models.OuterRef("connection"), pk__gt=models.OuterRef("pk")
        )
        return self.filter(~models.Exists(later), state=ProviderImport.State.HELD)


class ProviderImport(models.Model):
    """One reading of Partner Center: everything that customers hold, or what its audit records tell since the last one.

    `cursor` says how far it got: the stage, and the token of the next page; which customers are through stands on their
    rows. `as_of` is the far side's clock when it began, from which the next reading of audit records starts. A full
    reading that misses too many subscriptions is held until a person decides.
    """

    class Scope(models.TextChoices):
        EVERYTHING = "everything", "Everything"
        CHANGES = "changes", "Changes"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        HELD = "held", "Needs a decision"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="imports")
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.EVERYTHING)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Attempts since something was stored.")
    cursor = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True, help_text="What was read and recorded, by kind.")
    problems = models.JSONField(default=list, blank=True, help_text="What a person should look at, in words.")
    gone = models.JSONField(default=list, blank=True, help_text="Subscriptions that Microsoft no longer shows, by id.")
    as_of = models.DateTimeField(null=True, blank=True, help_text="The far side's clock when the reading began.")
    since = models.DateTimeField(null=True, blank=True, help_text="Audit records from then on.")
    message = models.TextField(blank=True)

    objects = ProviderImportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"], condition=models.Q(state="running"), name="one_import_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="provider_imports_due")]  # the sweep

    def __str__(self) -> str:
        return f"Import through {self.connection} ({self.get_state_display()})"


class ProviderCustomer(models.Model):
    """A customer as one connection sees it: when the list last held it, and when what it bought was last compared.

    `missing` are the ids of the subscriptions that we know and that Microsoft did not show then.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    external_id = models.CharField("Microsoft tenant id", max_length=64)
    seen_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    missing = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="provider_customer_unique"),
        ]
        indexes = [models.Index(fields=["connection", "seen_at", "id"], name="customers_to_read")]  # the next to read

    def __str__(self) -> str:
        return f"{self.customer} through {self.connection}"


class HintQuerySet(models.QuerySet["Hint"]):
    def for_user(self, user: Any) -> HintQuerySet:
        """The hints of connections of the person's own organization."""
        return self.filter(connection__organization_id=user.organization_id)

    def waiting(self) -> HintQuerySet:
        return self.filter(state=Hint.State.WAITING)

    def about(self, hint: Hint) -> HintQuerySet:
        """All that wait for a look at the same subscription, or at the same customer."""
        target = {"customer_external_id": hint.customer_external_id}
        target |= {"subscription_external_id": hint.subscription_external_id}
        return self.waiting().filter(connection=hint.connection_id, **target)


class Hint(models.Model):
    """Something changed, or may have: a subscription, or all of a customer's, is to be read and compared.

    It never says what is true: Microsoft is asked. `said` holds what it told about when (moments, quantities, who), for
    the date on which a change took effect. `digest` tells deliveries of the same event apart from new ones.
    """

    class Source(models.TextChoices):
        WEBHOOK = "webhook", "Notification"
        AUDIT = "audit", "Audit record"
        PERSON = "person", "A person"

    class State(models.TextChoices):
        UNVERIFIED = "unverified", "Signature not checked yet"
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        IGNORED = "ignored", "Ignored"
        GIVEN_UP = "given_up", "Left to the nightly comparison"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="hints")
    source = models.CharField(max_length=8, choices=Source)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    digest = models.CharField(max_length=64)
    customer_external_id = models.CharField(max_length=64, blank=True)
    subscription_external_id = models.CharField(max_length=64, blank=True, help_text="Empty: all of the customer's.")
    said = models.JSONField(default=dict, blank=True)
    delivery = models.JSONField(default=dict, blank=True, help_text="Body and headers until the signature is checked.")
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    message = models.TextField(blank=True)

    objects = HintQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "digest"],
                name="hint_unique",
                violation_error_message="This event was received before.",
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="hints_due")]  # the sweep

    def __str__(self) -> str:
        return f"{self.get_source_display()} about {self.subscription_external_id or self.customer_external_id}"


class Pace(models.Model):
    """How many requests a partner's tenant may still be sent at this moment; all processes draw on the same row.

    `identity` is the Microsoft tenant of the partner. `level` is what was left at `at`.
    """

    identity = models.CharField(max_length=64, unique=True)
    level = models.FloatField()
    at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Pace of {self.identity}"


class Registration(models.Model):
    """Where Partner Center delivers notifications for a connection: an address with a key of its own.

    The key is no proof of anything: each delivery is signed.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="registration")
    key = models.SlugField(max_length=64, unique=True)
    events = models.JSONField(default=list, blank=True)
    registered_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True, help_text="When the last genuine one came.")
    problem = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"Notifications of {self.connection}"
