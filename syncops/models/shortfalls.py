"""What could not be mended, in money."""

from __future__ import annotations

from typing import Any

from django.db import models

from syncops.models.operations import SyncOperation
from syncops.models.streams import Stream


class ShortfallQuerySet(models.QuerySet["Shortfall"]):
    def for_user(self, user: Any) -> ShortfallQuerySet:
        """Those of the person's own organization."""
        return self.filter(operation__organization_id=user.organization_id)

    def unsettled(self) -> ShortfallQuerySet:
        """Nobody has done anything about them yet."""
        return self.filter(settled_by=None)

    def given_up(self) -> ShortfallQuerySet:
        """Days that stay as they are; what lies beyond the contract's end is still wanted."""
        return self.exclude(reason=Shortfall.Reason.BEYOND_CONTRACT)


class Shortfall(models.Model):
    """What a run could not mend: the days, the units, and the money. What was given up stays given up on the line.

    `settled_by` is the one operation that makes up for it: a charge, or an extension of the contract.
    """

    class Reason(models.TextChoices):
        POSTED = "posted", "Period posted"
        SAME_DATE = "same_date", "Second change on one date"
        BEYOND_CONTRACT = "beyond_contract", "Beyond the contract's end"

    operation = models.ForeignKey(SyncOperation, on_delete=models.PROTECT, related_name="shortfalls")
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="shortfalls")
    reason = models.CharField(max_length=16, choices=Reason)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="Last day, inclusive.")
    units = models.IntegerField(help_text="Wanted minus shown.")
    unit_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    amount = models.DecimalField(
        max_digits=16, decimal_places=4, null=True, blank=True, help_text="Empty where no price is known."
    )
    cost_amount = models.DecimalField(
        max_digits=16, decimal_places=4, null=True, blank=True, help_text="The same of the purchase."
    )
    currency = models.CharField(max_length=3)
    needed_end = models.DateField(null=True, blank=True, help_text="The contract end that would mend it.")
    settled_by = models.ForeignKey(
        SyncOperation, on_delete=models.PROTECT, null=True, blank=True, related_name="settles"
    )
    created_at = models.DateTimeField()

    objects = ShortfallQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} from {self.starts_on} to {self.ends_on}"

    @property
    def can_be_charged(self) -> bool:
        """Whether a charge may still make up for it: its money is known, and nobody has settled it."""
        beyond = self.reason == self.Reason.BEYOND_CONTRACT
        return not beyond and self.amount is not None and self.settled_by_id is None
