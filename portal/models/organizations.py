"""Organizations and their people."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce


def valid_time_zone(name: str) -> None:
    """Raise ValidationError unless `name` is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValidationError(f"{name} is not a time zone; write it like Europe/Brussels.") from error


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def for_user(self, user: Any) -> OrganizationQuerySet:
        """The organizations whose business the person sees: their own and, for a CSP, its resellers."""
        return self.filter(Q(pk=user.organization_id) | Q(parent_id=user.organization_id))


class Organization(models.Model):
    """A CSP, or a reseller under a CSP. It owns people, customers and connections.

    A CSP with all its resellers is one tenant; `root` names it. Nothing crosses from one tenant to another.
    """

    class Kind(models.TextChoices):
        CSP = "csp", "CSP"
        RESELLER = "reseller", "Reseller"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=150)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="resellers")
    currency = models.CharField(max_length=3, help_text="ISO code of the currency that prices are kept in.")
    country = models.CharField(max_length=2, default="US", help_text="ISO code of the market.")
    time_zone = models.CharField(max_length=50, default="UTC", validators=[valid_time_zone])
    microsoft_tenant_id = models.CharField(max_length=64, blank=True)
    mpn_id = models.CharField("Microsoft partner id", max_length=20, blank=True)
    require_mfa = models.BooleanField("require a second factor", default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                name="organization_parent_fits_kind",
                condition=Q(kind="csp", parent__isnull=True) | Q(kind="reseller", parent__isnull=False),
                violation_error_message="A reseller needs its CSP as parent, a CSP has none.",
            ),
            models.UniqueConstraint(
                Coalesce("parent", 0, output_field=models.BigIntegerField()),
                "name",
                name="organization_name_unique_in_tenant",
                violation_error_message="An organization of this name exists already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def root_id(self) -> int:
        """The id of the CSP at the head of this tenant."""
        return self.parent_id or self.pk

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class UserQuerySet(models.QuerySet["User"]):
    def for_user(self, user: Any) -> UserQuerySet:
        """The people of the person's organization and, for a CSP, of its resellers."""
        return self.filter(Q(organization_id=user.organization_id) | Q(organization__parent_id=user.organization_id))


class UserManager(BaseUserManager["User"]):
    """People are known by their e-mail address."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def for_user(self, user: Any) -> UserQuerySet:
        return self.get_queryset().for_user(user)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A person. Their organization and role decide what they see and do; support staff have no organization."""

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator", "Administrator"
        BILLING = "billing", "Billing"
        OPERATIONS = "operations", "Operations"
        READER = "reader", "Reader"

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, blank=True, related_name="people"
    )
    role = models.CharField(max_length=20, choices=Role, default=Role.READER)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []
    objects = UserManager()  # type: ignore[misc,assignment]

    class Meta:
        ordering = ["email"]

    def __str__(self) -> str:
        return self.get_full_name() or self.email
