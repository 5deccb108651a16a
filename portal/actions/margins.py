"""Changes of margins: rules and how they treat promotions and limits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from portal.actions.repricing import MarginsChanged, reprice, scopes_of_all, tell
from portal.audit import Actor, record
from portal.models import MarginRule, MarginSettings, Organization

CREATE_RULE = "Create Margin Rule"
UPDATE_RULE = "Update Margin Rule"
REMOVE_RULE = "Remove Margin Rule"
UPDATE_SETTINGS = "Update Margin Settings"


def save_rule(rule: MarginRule, *, actor: Actor, at: datetime, correlation_id: UUID | None = None) -> MarginRule:
    """Create or update a rule. Raises ValidationError in words, also where another one came first."""
    rule.full_clean()
    try:
        with transaction.atomic():
            before = MarginRule.objects.select_for_update(no_key=True).filter(pk=rule.pk).first()
            rule.save()
            if before is None or rule_facts(before) != rule_facts(rule):
                reprice([before, rule] if before else [rule], actor=actor, at=at, correlation_id=correlation_id)
            record(
                UPDATE_RULE if before else CREATE_RULE,
                actor=actor,
                organization=rule.organization,
                subject=str(rule),
                customer=rule.customer,
                subscription=rule.subscription,
                before=rule_facts(before) if before else None,
                after=rule_facts(rule),
                at=at,
            )
    except IntegrityError as error:
        raise ValidationError("A rule for this level and category exists already.") from error
    return rule


def remove_rule(rule: MarginRule, *, actor: Actor, at: datetime, correlation_id: UUID | None = None) -> None:
    """Remove a rule; the next less specific one holds from now on."""
    with transaction.atomic():
        removed, _ = MarginRule.objects.filter(pk=rule.pk).delete()
        if removed:
            reprice([rule], actor=actor, at=at, correlation_id=correlation_id)
            record(
                REMOVE_RULE,
                actor=actor,
                organization=rule.organization,
                subject=str(rule),
                customer=rule.customer,
                subscription=rule.subscription,
                before=rule_facts(rule),
                at=at,
            )


def update_settings(
    organization: Organization,
    *,
    changes: Mapping[str, bool],
    actor: Actor,
    at: datetime,
    correlation_id: UUID | None = None,
) -> None:
    """Change how margins treat promotions and limits. Where nothing differs, nothing is recorded."""
    with transaction.atomic():
        row, _ = MarginSettings.objects.select_for_update(no_key=True).get_or_create(organization=organization)
        before = {name: getattr(row, name) for name in changes}
        if before == dict(changes):
            return
        MarginSettings.objects.filter(pk=row.pk).update(**changes)
        scopes = scopes_of_all(organization)
        told = MarginsChanged(organization, "promotions and limits", scopes, actor, at, correlation_id)
        tell(told)
        record(UPDATE_SETTINGS, actor=actor, organization=organization, before=before, after=changes, at=at)


def rule_facts(rule: MarginRule) -> dict[str, Any]:
    """A rule as the audit log keeps it."""
    return {
        "audience": rule.get_audience_display(),
        "category": rule.get_category_display() or "All categories",
        "customer": str(rule.customer) if rule.customer else None,
        "reseller": str(rule.reseller) if rule.reseller else None,
        "subscription": str(rule.subscription) if rule.subscription else None,
        "kind": rule.get_kind_display(),
        "percent": f"{rule.percent.normalize():f}",
    }
