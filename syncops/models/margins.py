"""New margins on their way to the subscriptions that they price."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.urls import reverse

from mappings.models import SubscriptionMapping
from portal.models import Organization, User


class MarginUpdateQuerySet(models.QuerySet["MarginUpdate"]):
    def for_user(self, user: Any) -> MarginUpdateQuerySet:
        """Those of the person's own organization: what others earn is their own business."""
        return self.filter(organization_id=user.organization_id)

    def unfinished(self) -> MarginUpdateQuerySet:
        return self.filter(finished_at__isnull=True)


class MarginUpdate(models.Model):
    """New margins on their way to the mapped subscriptions that they price: the parent of one operation each.

    `after_mapping` is how far the walk over the mappings has come; it is over when `finished_at` is set, the
    operations have states of their own.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    what = models.CharField(max_length=300, help_text="The margins that changed, in words.")
    scopes = models.JSONField(help_text="Whom they price: fields of portal.actions.repricing.Scope.")
    effective_on = models.DateField(help_text="The day on which the margins were completed.")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    correlation_id = models.UUIDField(default=uuid.uuid4, editable=False)
    after_mapping = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True, db_index=True)  # the sweep looks for those without

    objects = MarginUpdateQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.what

    def get_absolute_url(self) -> str:
        return reverse("syncops:margin_update", args=[self.pk])


class MarginPreviewQuerySet(models.QuerySet["MarginPreview"]):
    def for_user(self, user: Any) -> MarginPreviewQuerySet:
        """Those of the person's own organization."""
        return self.filter(mapping__connection__organization_id=user.organization_id)


class MarginPreview(models.Model):
    """What was shown to a person of one line before they saved new margins: it goes with the operation that follows.

    `key` is that of the draft, and the correlation id of what comes of it.
    """

    key = models.UUIDField()
    mapping = models.ForeignKey(SubscriptionMapping, on_delete=models.CASCADE, related_name="+")
    shown = models.JSONField(default=dict)
    shown_at = models.DateTimeField(db_index=True)  # old ones are forgotten

    objects = MarginPreviewQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["key", "mapping"], name="margin_preview_unique")]

    def __str__(self) -> str:
        return f"Preview of {self.mapping}"
