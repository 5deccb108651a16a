"""The demonstration's Azure plans: one on its contract with a month that was set, and one that waits to be sent."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from django.utils import timezone

from connections.models import Connection
from connections.registry import psa_for
from portal.actions.prices import USAGE_BASED
from portal.audit import Actor
from portal.models import Subscription
from portal.supervisor import work_until_idle
from syncops.actions import sync_to_connection
from syncops.azure.amounts import Amount
from syncops.azure.entering import Origin, enter
from syncops.azure.listing import last_month
from syncops.azure.previews import preview_months
from syncops.azure.sending import send_month
from syncops.demo.seed import SeedFailed, obvious_choice
from syncops.demo.tenant import Tenant
from syncops.models import AzureMonth
from syncops.periods import add_months
from syncops.preview import preview_mapping, read_facts

AMOUNTS = (("1284.17", "96.40"), ("1347.92", "96.40"))  # usage and reservations, of the month before last and the last
REPORT = "G000024135"


def show_azure(tenant: Tenant, *, say: Callable[[str], None]) -> None:
    """Put the first plan that fits on its contract, and send its older month. What was made before stays."""
    connection = Connection.objects.get(organization=tenant.csp, kind=Connection.Kind.AUTOTASK)
    if AzureMonth.objects.filter(organization=tenant.csp).exists():
        return
    plans = Subscription.objects.owned_by(tenant.csp).filter(variant__offer__category__in=USAGE_BASED, status="active")
    for plan in plans.filter(mappings=None).select_related("customer", "variant__offer", "organization").order_by("pk"):
        if _put_on_contract(tenant, connection, plan):
            _bill(tenant, plan)
            say(f"{plan} with an Azure month that was set, and one to send")
            return


def _put_on_contract(tenant: Tenant, connection: Connection, plan: Subscription) -> bool:
    now, today = timezone.now(), _today(tenant)
    choice = obvious_choice(plan, connection, today, since="term")
    if choice is None:
        return False
    facts = read_facts(choice, psa_for(connection))
    preview = preview_mapping(choice, facts, today=today)
    if not preview.can_be_confirmed or preview.warnings:
        return False
    operation = sync_to_connection(choice, facts, actor=tenant.administrator, today=today, now=now)
    work_until_idle(patience=5, at_most=60)
    operation.refresh_from_db()
    if operation.state != operation.State.SUCCEEDED:
        raise SeedFailed(f"{operation}: {operation.get_state_display()}. {operation.error or operation.waiting_for}")
    return True


def _bill(tenant: Tenant, plan: Subscription) -> None:
    today, now, actor = _today(tenant), timezone.now(), Actor.user(tenant.administrator)
    last = last_month(today)
    amounts = [
        Amount(plan.pk, month, Decimal(usage), Decimal(reserved), plan.currency, is_complete=True)
        for month, (usage, reserved) in zip((add_months(last, -1), last), AMOUNTS, strict=True)
    ]
    origin = Origin(AzureMonth.Source.RECONCILIATION, REPORT)
    enter(tenant.csp, amounts, origin, actor=actor, today=today, now=now)
    older = AzureMonth.objects.select_related("operation", "subscription").filter(subscription=plan).earliest("month")
    [preview] = preview_months([older], today=today)
    if preview.problem:
        raise SeedFailed(f"{older}: {preview.problem}")
    send_month(preview, None, actor=tenant.administrator, now=now)
    work_until_idle(patience=5, at_most=60)


def _today(tenant: Tenant) -> date:
    return timezone.now().astimezone(tenant.csp.zone).date()
