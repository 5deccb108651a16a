"""Links to the far sides, and their secrets."""

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

    def set_up(self) -> ConnectionQuerySet:
        """All but drafts."""
        return self.exclude(state=Connection.State.DRAFT)

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
        DRAFT = "draft", "Not finished"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        UNAUTHORIZED = "unauthorized", "Credentials refused"
        RETIRED = "retired", "Retired"

    class Mode(models.TextChoices):
        LIVE = "live", "Live"
        REHEARSE = "rehearse", "Rehearsal"

    class Told(models.TextChoices):
        WELL = "well", "It works"
        FAILING = "failing", "It does not answer"
        UNAUTHORIZED = "unauthorized", "Credentials refused"

    TAKES_WORK = (State.ACTIVE, State.PAUSED, State.UNAUTHORIZED)
    SENDS = (State.ACTIVE,)
    NEEDS_A_PERSON = (State.DRAFT, State.UNAUTHORIZED)
    TRANSITIONS = {
        State.DRAFT: {State.ACTIVE},  # by the last step of setting it up; else it is discarded
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
    currencies = models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text="ISO codes that the far side knows, its base currency first.",
    )
    tested_at = models.DateTimeField(null=True, blank=True)
    probe = models.JSONField(default=list, blank=True, editable=False, help_text="What the last test found.")
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure = models.TextField(blank=True)
    failing_since = models.DateTimeField(null=True, blank=True, help_text="The first failure since the last answer.")
    told = models.CharField(
        "last mail", max_length=12, choices=Told, default=Told.WELL, help_text="What the administrators know of it."
    )
    told_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When the last mail was tried.")
    mirrored_at = models.DateTimeField(null=True, blank=True, help_text="When the mirror was last complete.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=~models.Q(state="draft"),  # drafts have no name at first, and take it when they are finished
                name="connection_name_unique",
                violation_error_message="A connection of this name exists already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"New connection to {self.get_kind_display()}"

    def get_absolute_url(self) -> str:
        """Its own page; of a draft, the step that comes next."""
        page = "connection_setup" if self.state == self.State.DRAFT else "connection_detail"
        return reverse(f"connections:{page}", args=[self.pk])

    @property
    def policies(self) -> Policies:
        return Policies.from_json(self.policies_json)

    @property
    def foreign_to(self) -> str:
        """The far side's base currency where this connection is kept in another one, else empty."""
        base = self.currencies[0] if self.currencies else ""
        return base if base != self.currency else ""

    @property
    def lacking(self) -> list[dict[str, Any]]:
        """The rights that the last test did not find, those that only some policies need among them."""
        return [result for result in self.probe if not result["granted"]]

    @property
    def sends(self) -> bool:
        """True where operations may be sent now."""
        return self.works and self.mode == self.Mode.LIVE

    @property
    def works(self) -> bool:
        """True where the far side may be asked for what waits: to send it, or only to plan it."""
        return self.state in self.SENDS

    @property
    def rehearses(self) -> bool:
        """True where everything is planned and nothing is sent."""
        return self.mode == self.Mode.REHEARSE


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
