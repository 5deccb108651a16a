"""The mirror: readings of a far side, and the rows that they brought."""

from __future__ import annotations

from typing import Any

from django.db import models

from connections.models.connections import Connection
from portal.search import holds_every_word

SEARCH_NAME = 150  # characters


class MirrorRefreshQuerySet(models.QuerySet["MirrorRefresh"]):
    def for_user(self, user: Any) -> MirrorRefreshQuerySet:
        """The refreshes of connections of the person's own organization."""
        return self.filter(connection__organization_id=user.organization_id)

    def running(self) -> MirrorRefreshQuerySet:
        return self.filter(state=MirrorRefresh.State.RUNNING)

    def undecided(self) -> MirrorRefreshQuerySet:
        """Held refreshes that no later one has made pointless."""
        later = MirrorRefresh.objects.full().filter(
            connection=models.OuterRef("connection"), pk__gt=models.OuterRef("pk")
        )
        return self.filter(~models.Exists(later), state=MirrorRefresh.State.HELD)

    def full(self) -> MirrorRefreshQuerySet:
        return self.filter(scope=MirrorRefresh.Scope.EVERYTHING)

    def of_changes(self) -> MirrorRefreshQuerySet:
        return self.filter(scope=MirrorRefresh.Scope.CHANGES)

    def bases(self) -> MirrorRefreshQuerySet:
        """Readings that a reading of changes can begin from, the latest first."""
        return self.filter(state=MirrorRefresh.State.SUCCEEDED, as_of__isnull=False).order_by("-pk")


class MirrorRefresh(models.Model):
    """One reading of a far side into the mirror, of everything or of what changed.

    `cursor` holds per kind of row the last id that was stored, and `done` once all were: a reading that is killed goes
    on from there. A reading that would drop too many rows at once is held until a person decides. `as_of`, `since` and
    `seen` (the highest id per kind) are the far side's own: its clock and its ids, so that ours may be wrong.
    """

    class Scope(models.TextChoices):
        EVERYTHING = "everything", "Everything"
        CHANGES = "changes", "Changes"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        HELD = "held", "Needs a decision"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="refreshes")
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.EVERYTHING)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Attempts since the last page that was stored.")
    cursor = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True, help_text="Rows read, by kind.")
    gone = models.JSONField(default=dict, blank=True, help_text="Rows that the far side no longer has, by kind.")
    as_of = models.DateTimeField(null=True, blank=True, help_text="The far side's clock when the reading began.")
    since = models.DateTimeField(null=True, blank=True, help_text="Changes from then on, by the far side's clock.")
    seen = models.JSONField(default=dict, blank=True, help_text="The highest id ever read, by kind.")
    message = models.TextField(blank=True)

    objects = MirrorRefreshQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "mirror refreshes"
        constraints = [
            models.UniqueConstraint(
                fields=["connection"], condition=models.Q(state="running"), name="one_refresh_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="refreshes_due")]  # the sweep

    def __str__(self) -> str:
        return f"Refresh of {self.connection} ({self.get_state_display()})"


class MirrorQuerySet(models.QuerySet[Any]):
    def search(self, text: str) -> MirrorQuerySet:
        """Rows whose prepared name holds every word of `text`, anywhere."""
        return self.filter(holds_every_word(text, "search_name"))


class Mirrored(models.Model):
    """A row of a far side as it was last read. `remote_id` is the far side's id."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    remote_id = models.BigIntegerField()
    read_at = models.DateTimeField()

    objects = MirrorQuerySet.as_manager()

    class Meta:
        abstract = True


class MirroredCompany(Mirrored):
    """A company of the PSA. `type_label` is the far side's own word (Customer, Vendor, …)."""

    name = models.CharField(max_length=150)
    search_name = models.CharField(max_length=SEARCH_NAME, help_text="Folded for searching.")
    type_label = models.CharField(max_length=60, blank=True)
    is_active = models.BooleanField()
    currency = models.CharField(max_length=3, blank=True)
    modified_at = models.DateTimeField(null=True, blank=True, help_text="By the far side's clock.")

    class Meta:
        ordering = ["search_name", "remote_id"]
        verbose_name_plural = "mirrored companies"
        constraints = [models.UniqueConstraint(fields=["connection", "remote_id"], name="mirrored_company_unique")]
        indexes = [models.Index(fields=["connection", "search_name", "remote_id"], name="company_picker")]

    def __str__(self) -> str:
        return self.name


class MirroredService(Mirrored):
    """A catalogue service of the PSA. `period` is monthly, quarterly, semi_annual, yearly or empty where unknown."""

    name = models.CharField(max_length=150)
    search_name = models.CharField(max_length=SEARCH_NAME)
    period = models.CharField(max_length=12, blank=True)
    is_active = models.BooleanField()
    unit_price = models.DecimalField(max_digits=14, decimal_places=4)
    unit_cost = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    sku = models.CharField(max_length=50, blank=True)
    modified_at = models.DateTimeField(null=True, blank=True, help_text="By the far side's clock.")

    class Meta:
        ordering = ["search_name", "remote_id"]
        constraints = [models.UniqueConstraint(fields=["connection", "remote_id"], name="mirrored_service_unique")]
        indexes = [models.Index(fields=["connection", "search_name", "remote_id"], name="service_picker")]

    def __str__(self) -> str:
        return self.name


class MirroredContract(Mirrored):
    """A contract of the PSA. Dates are calendar dates without a time zone; `ends_on` is inclusive."""

    company_remote_id = models.BigIntegerField()
    name = models.CharField(max_length=150)
    search_name = models.CharField(max_length=SEARCH_NAME)
    number = models.CharField(max_length=60, blank=True)
    type_label = models.CharField(max_length=60, blank=True)
    period = models.CharField(max_length=12, blank=True)
    is_active = models.BooleanField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    renewed_contract_id = models.BigIntegerField(null=True, blank=True)
    modified_at = models.DateTimeField(null=True, blank=True, help_text="By the far side's clock.")

    class Meta:
        ordering = ["search_name", "remote_id"]
        constraints = [models.UniqueConstraint(fields=["connection", "remote_id"], name="mirrored_contract_unique")]
        indexes = [
            models.Index(fields=["connection", "company_remote_id"], name="contracts_of_company"),
            models.Index(  # the sweep looks for renewals
                fields=["connection"],
                condition=models.Q(renewed_contract_id__isnull=False),
                name="contracts_renewed",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MirroredLine(Mirrored):
    """A ContractService of the PSA: one service on one contract. `key` is what its internal description holds."""

    contract_remote_id = models.BigIntegerField()
    service_remote_id = models.BigIntegerField()
    key = models.CharField(max_length=100, blank=True)
    unit_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    unit_cost = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)

    class Meta:
        ordering = ["remote_id"]
        constraints = [models.UniqueConstraint(fields=["connection", "remote_id"], name="mirrored_line_unique")]
        indexes = [models.Index(fields=["connection", "contract_remote_id"], name="lines_of_contract")]

    def __str__(self) -> str:
        return f"Line {self.remote_id}"
