"""Links to the far sides, their secrets, and the mirror of what was read from them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.urls import reverse

from connections import vault
from connections.policies import Policies
from portal.models import Organization


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def for_user(self, user: Any) -> ConnectionQuerySet:
        """The connections of the person's own organization; a CSP does not see those of its resellers."""
        return self.filter(organization_id=user.organization_id)

    def autotask(self) -> ConnectionQuerySet:
        return self.filter(kind=Connection.Kind.AUTOTASK)

    def search(self, text: str) -> ConnectionQuerySet:
        """Connections whose name holds every word of `text`, anywhere."""
        found = self
        for word in text.split():
            found = found.filter(name__icontains=word)
        return found

    def usable(self) -> ConnectionQuerySet:
        """Connections that take new work; a paused one gathers it."""
        return self.filter(state__in=Connection.TAKES_WORK)


class Connection(models.Model):
    """A link to one far side: an Autotask instance in one currency, or a Partner Center tenant.

    `settings` holds what is not secret (user name, tenant id); secrets have rows of their own.
    """

    class Kind(models.TextChoices):
        AUTOTASK = "autotask", "Autotask"
        PARTNER_CENTER = "partner_center", "Partner Center"

    class State(models.TextChoices):
        DRAFT = "draft", "Not tested"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        UNAUTHORIZED = "unauthorized", "Credentials refused"
        RETIRED = "retired", "Retired"

    class Mode(models.TextChoices):
        LIVE = "live", "Live"
        REHEARSE = "rehearse", "Rehearsal"

    TAKES_WORK = (State.ACTIVE, State.PAUSED, State.UNAUTHORIZED)
    SENDS = (State.ACTIVE,)
    NEEDS_A_PERSON = (State.DRAFT, State.UNAUTHORIZED)
    TRANSITIONS = {
        State.DRAFT: {State.ACTIVE, State.RETIRED},
        State.ACTIVE: {State.PAUSED, State.UNAUTHORIZED, State.RETIRED},
        State.PAUSED: {State.ACTIVE, State.UNAUTHORIZED, State.RETIRED},
        State.UNAUTHORIZED: {State.ACTIVE, State.RETIRED},
        State.RETIRED: set(),
    }

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="connections")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=14, choices=State, default=State.DRAFT)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.LIVE)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="Binds the secrets to this row.")
    settings = models.JSONField(default=dict, blank=True)
    policies_json = models.JSONField("policies", default=dict, blank=True)
    zone_url = models.URLField(blank=True, editable=False)
    web_url = models.URLField(blank=True, editable=False)
    tested_at = models.DateTimeField(null=True, blank=True)
    probe = models.JSONField(default=list, blank=True, editable=False, help_text="What the last test found.")
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure = models.TextField(blank=True)
    mirrored_at = models.DateTimeField(null=True, blank=True, help_text="When the mirror was last complete.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                name="connection_name_unique",
                violation_error_message="A connection of this name exists already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("connections:connection_detail", args=[self.pk])

    @property
    def policies(self) -> Policies:
        return Policies.from_json(self.policies_json)

    @property
    def sends(self) -> bool:
        """True where operations may be sent now."""
        return self.state in self.SENDS and self.mode == self.Mode.LIVE


class ConnectionSecret(models.Model):
    """One secret of a connection, encrypted and bound to it: moved to another row it does not decrypt."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=40)
    ciphertext = models.TextField()
    hint = models.CharField(max_length=8, blank=True, help_text="The last two characters, for telling secrets apart.")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["connection", "name"], name="secret_unique")]

    def __str__(self) -> str:
        return f"{self.name} of {self.connection}"

    @staticmethod
    def binding(connection: Connection, name: str) -> str:
        """What a secret is bound to: tenant, table, row and field."""
        return f"{connection.organization.root_id}|connection|{connection.key}|{name}"

    def reveal(self) -> str:
        """The secret in clear text. Raises vault.CannotDecrypt."""
        return vault.decrypt(self.ciphertext, bound_to=self.binding(self.connection, self.name))


class MirrorRefreshQuerySet(models.QuerySet["MirrorRefresh"]):
    def for_user(self, user: Any) -> MirrorRefreshQuerySet:
        """The refreshes of connections of the person's own organization."""
        return self.filter(connection__organization_id=user.organization_id)

    def running(self) -> MirrorRefreshQuerySet:
        return self.filter(state=MirrorRefresh.State.RUNNING)

    def undecided(self) -> MirrorRefreshQuerySet:
        """Held refreshes that no later one has made pointless."""
        later = MirrorRefresh.objects.filter(connection=models.OuterRef("connection"), pk__gt=models.OuterRef("pk"))
        return self.filter(~models.Exists(later), state=MirrorRefresh.State.HELD)


class MirrorRefresh(models.Model):
    """One full reading of a far side into the mirror.

    `cursor` holds per kind of row the last id that was stored, and `done` once all were: a reading that is killed goes
    on from there. A reading that would drop too many rows at once is held until a person decides.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        HELD = "held", "Needs a decision"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="refreshes")
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
        found = self
        for word in text.lower().split():
            found = found.filter(search_name__contains=word)
        return found


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
    search_name = models.CharField(max_length=150, help_text="Lower-case, for searching.")
    type_label = models.CharField(max_length=60, blank=True)
    is_active = models.BooleanField()
    currency = models.CharField(max_length=3, blank=True)

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
    search_name = models.CharField(max_length=150)
    period = models.CharField(max_length=12, blank=True)
    is_active = models.BooleanField()
    unit_price = models.DecimalField(max_digits=14, decimal_places=4)
    unit_cost = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    sku = models.CharField(max_length=50, blank=True)

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
    search_name = models.CharField(max_length=150)
    number = models.CharField(max_length=60, blank=True)
    type_label = models.CharField(max_length=60, blank=True)
    period = models.CharField(max_length=12, blank=True)
    is_active = models.BooleanField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    renewed_contract_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["search_name", "remote_id"]
        constraints = [models.UniqueConstraint(fields=["connection", "remote_id"], name="mirrored_contract_unique")]
        indexes = [
            models.Index(fields=["connection", "company_remote_id"], name="contracts_of_company"),
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
