"""The audit log."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from portal.models.organizations import Organization, User
from portal.models.subscriptions import Customer, Subscription


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def for_user(self, user: Any) -> AuditEntryQuerySet:
        """What happened in the person's organization and, for a CSP, in its resellers."""
        return self.filter(Q(organization_id=user.organization_id) | Q(organization__parent_id=user.organization_id))

    def current(self) -> AuditEntryQuerySet:
        """One entry per thing that happened: beginnings whose end is recorded are left out."""
        return self.filter(ended_by__isnull=True)


class AuditEntry(models.Model):
    """One thing that happened. Rows are never changed or deleted; a trigger in the database refuses it.

    A thing that takes time has two rows: its beginning (in progress) and its end, which `began` joins. Each row
    carries the hash of the row before it in its tenant, so that a missing or edited one is found by `manage.py
    verify_audit`.
    """

    class Status(models.TextChoices):
        IN_PROGRESS = "in_progress", "In progress"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    tenant = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveBigIntegerField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80, db_index=True)
    status = models.CharField(max_length=12, choices=Status)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    actor_label = models.CharField(max_length=254)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    connection_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    connection_name = models.CharField(max_length=120, blank=True)
    subject = models.CharField(max_length=250, blank=True, help_text="What it was done to, in words.")
    asked = models.JSONField(default=dict)
    answered = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    correlation_id = models.UUIDField(db_index=True)
    began = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="ended_by")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "audit entries"
        constraints = [models.UniqueConstraint(fields=["tenant", "sequence"], name="audit_sequence_unique")]
        indexes = [models.Index(fields=["organization", "-id"], name="audit_list")]  # the audit list

    def __str__(self) -> str:
        return f"{self.name}: {self.get_status_display()}"

    def get_absolute_url(self) -> str:
        return reverse("portal:audit_detail", args=[self.pk])


class AuditHead(models.Model):
    """The end of a tenant's chain; locked while an entry is added, so that the sequence has no gaps."""

    tenant = models.OneToOneField(Organization, on_delete=models.PROTECT, primary_key=True, related_name="+")
    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"Audit chain of {self.tenant} at {self.sequence}"
