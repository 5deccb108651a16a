"""Fills a database with the demonstration: the tenant, connections that were tested, a mirror, and some synced lines.

Everything here may be repeated: what was made before stays as people left it.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from django.conf import settings
from django.utils import timezone

from connections import mirror
from connections.actions import create_connection
from connections.models import Connection, MirroredCompany, MirrorRefresh
from connections.registry import psa_for, try_credentials
from connections.sandbox.seed import DEMO_AUTOTASK, DEMO_PARTNER_CENTER
from connections.tasks import refresh_mirror
from mappings.models import SubscriptionMapping
from mappings.pickers import Scope, Search, contract_picker
from mappings.resolve import company_for, company_of, facts_of, service_for
from portal.actions.prices import USAGE_BASED
from portal.audit import Actor
from portal.models import Subscription
from portal.supervisor import work_until_idle
from syncops.actions import sync_to_connection
from syncops.demo.tenant import Tenant, ensure_tenant
from syncops.models import SyncOperation
from syncops.preview import MappingChoice, Since, preview_mapping, read_facts

AUTOTASK, PARTNER_CENTER = "Autotask", "Partner Center"
SYNCED = 6
Say = Callable[[str], None]


class SeedFailed(Exception):
    """The demonstration could not be made; the words say what stood in the way."""


def seed(today: date, *, say: Say, synced: int = SYNCED) -> Tenant:
    """Make what is missing. `today`: the day that the sandbox's ledgers were made. `synced`: lines to begin with."""
    tenant = ensure_tenant(today, timezone.now())
    say(f"{tenant.csp.name} with its resellers, people, customers and subscriptions")
    connect(tenant, Connection.Kind.PARTNER_CENTER, PARTNER_CENTER, DEMO_PARTNER_CENTER, ("tenant_id", "client_id"))
    connection = connect(tenant, Connection.Kind.AUTOTASK, AUTOTASK, DEMO_AUTOTASK, ("user_name",))
    say("Connections to Partner Center and Autotask, tested")
    fill_mirror(connection)
    say("What Autotask holds, read")
    missing = synced - SubscriptionMapping.objects.filter(connection=connection).count()
    if missing > 0:
        say(f"Subscriptions on their contracts: {sync_some(tenant, connection, missing)}, proved")
    return tenant


def connect(tenant: Tenant, kind: str, name: str, given: Mapping[str, str], public: Iterable[str]) -> Connection:
    """The connection of that kind, its credentials tried for real. Another port is another zone."""
    connection = Connection.objects.filter(organization=tenant.csp, kind=kind).order_by("pk").first()
    if connection is not None:
        if connection.zone_url and not connection.zone_url.startswith(_origin(settings.AUTOTASK_ZONE_URL)):
            Connection.objects.filter(pk=connection.pk).update(zone_url="", web_url="")
            connection.refresh_from_db()
        return connection
    own = {field: given[field] for field in public}
    secret_names = (
        ("secret", "integration_code") if kind == Connection.Kind.AUTOTASK else ("client_secret", "refresh_token")
    )
    key = uuid.uuid4()
    trial = try_credentials(kind, own, {field: given[field] for field in secret_names}, key, organization=tenant.csp)
    return create_connection(
        tenant.csp,
        kind=kind,
        name=name,
        currency=tenant.csp.currency,
        settings=own,
        trial=trial,
        key=key,
        actor=Actor.user(tenant.administrator),
        now=timezone.now(),
    )


def fill_mirror(connection: Connection) -> None:
    """Read Autotask whole, where that was not done yet. Raises SeedFailed."""
    if connection.mirrored_at is not None:
        return
    mirror.start_refresh(connection, now=timezone.now())
    refresh_mirror(connection.pk)
    refresh = MirrorRefresh.objects.filter(connection=connection).latest("pk")
    if refresh.state != MirrorRefresh.State.SUCCEEDED:
        raise SeedFailed(f"Autotask could not be read: {refresh.message or refresh.get_state_display()}")


def sync_some(tenant: Tenant, connection: Connection, wanted: int) -> int:
    """Put subscriptions of different customers on their contracts, as a person does on the pages; how many."""
    done: set[int] = set()
    candidates = Subscription.objects.owned_by(tenant.csp).filter(status=Subscription.Status.ACTIVE)
    candidates = candidates.exclude(variant__offer__category__in=USAGE_BASED)
    for subscription in candidates.select_related("customer", "variant__offer", "organization").order_by("pk"):
        if len(done) < wanted and subscription.customer_id not in done and _sync(tenant, connection, subscription):
            done.add(subscription.customer_id)
    work_until_idle(patience=5, at_most=60)
    unproved = SyncOperation.objects.filter(connection=connection).exclude(state=SyncOperation.State.SUCCEEDED)
    if first := unproved.first():
        raise SeedFailed(f"{first}: {first.get_state_display()}. {first.error or first.waiting_for}")
    return len(done)


def _sync(tenant: Tenant, connection: Connection, subscription: Subscription) -> bool:
    """True where everything that a person has to choose is clear, and it was confirmed."""
    now = timezone.now()
    today = now.astimezone(tenant.csp.zone).date()
    choice = obvious_choice(subscription, connection, today)
    if choice is None:
        return False
    facts = read_facts(choice, psa_for(connection))
    if not preview_mapping(choice, facts, today=today).can_be_confirmed:
        return False
    sync_to_connection(choice, facts, actor=tenant.administrator, today=today, now=now)
    return True


def obvious_choice(
    subscription: Subscription, connection: Connection, today: date, since: Since = "today"
) -> MappingChoice | None:
    """What the page fills in beforehand, where it fills in all three fields."""
    facts = facts_of(subscription, connection, today=today)
    company, service = company_for(subscription, connection, facts), service_for(subscription, connection, facts)
    if company is None or service is None:
        return None
    row = MirroredCompany.objects.get(connection=connection, remote_id=company.id)
    contracts = contract_picker(Scope(subscription, connection, facts), Search(), company_of(row))
    if contracts.chosen is None:
        return None
    return MappingChoice(connection.pk, subscription.pk, company.id, service.id, contracts.chosen, since=since)


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3]) + "/"
