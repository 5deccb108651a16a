"""Contracts that were renewed in the PSA."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.urls import reverse

from connections.models import Connection
from portal.models import User


class SuccessionQuerySet(models.QuerySet["Succession"]):
    def for_user(self, user: Any) -> SuccessionQuerySet:
        """Those of connections of the person's own organization."""
        return self.filter(connection__organization_id=user.organization_id)

    def proposed(self) -> SuccessionQuerySet:
        return self.filter(state=Succession.State.PROPOSED)

    def accepted(self) -> SuccessionQuerySet:
        """Those that are carried out, or will be once their day has come."""
        return self.filter(state=Succession.State.ACCEPTED)


class Succession(models.Model):
    """A mapped contract was renewed in the PSA: one proposal to move all its subscriptions to the contract after it.

    Decided once; one that was rejected stays, so that it is not proposed again. A worker moves one subscription after
    the other; `cursor` is the last mapping that it looked at.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    NEEDS_A_PERSON = (State.PROPOSED, State.STOPPED, State.DONE)  # while a subscription is on the old contract

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="successions")
    old_contract_id = models.BigIntegerField()
    old_contract_name = models.CharField(max_length=150)
    new_contract_id = models.BigIntegerField()
    new_contract_name = models.CharField(max_length=150)
    day = models.DateField(help_text="First day billed on the new contract.")
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    found_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    total = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list, blank=True, help_text="The first that were not moved: name and reason.")
    message = models.TextField(blank=True)
    cursor = models.BigIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = SuccessionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "old_contract_id", "new_contract_id"],
                name="succession_proposed_once",
                violation_error_message="This renewal is proposed already.",
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="successions_due")]  # the sweep and the inbox

    def __str__(self) -> str:
        return f"{self.old_contract_name} was renewed as {self.new_contract_name}"

    @property
    def looked_at(self) -> int:
        return self.moved + self.refused

    @property
    def can_be_taken_back(self) -> bool:
        """Whether nothing of what was accepted has begun: its day is to come."""
        return self.state == self.State.ACCEPTED and not self.fence

    def get_absolute_url(self) -> str:
        return reverse("syncops:succession_detail", args=[self.pk])
