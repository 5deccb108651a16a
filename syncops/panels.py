"""What this app shows on the floor's pages: where a subscription is billed, or how to put it on a contract."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone

from connections.models import Connection
from mappings.models import Exclusion, SubscriptionMapping
from portal.counting import counts_of
from portal.models import Order, Subscription, SubscriptionRequest
from portal.panels import Panel, add_panel
from portal.permissions import allowed
from syncops import successions
from syncops.chain import chain_of
from syncops.excluding import exclusion_of, money_left_out
from syncops.margin_previews import keep_shown, preview_margins
from syncops.mending import mending_of_mapping
from syncops.models import AzureAlarm, DoubledWrite, MarginUpdate, Newcomer, SyncOperation
from syncops.overriding import open_override
from syncops.preview import preview_quantity, sealed
from syncops.standing import standings
from syncops.staying import staying

MOST_COUNTED = 100
LATEST = 6
NOTHING_TO_BILL = (Subscription.Status.EXPIRED, Subscription.Status.DISABLED, Subscription.Status.DELETED)


def register() -> None:
    add_panel("subscription", subscription_panel)
    add_panel("order", order_panel)
    add_panel("quantity_preview", quantity_panel)
    add_panel("home", home_panel)
    add_panel("margins", margins_panel)
    add_panel("margin_preview", margin_preview_panel)
    add_panel("connection_retire", retire_panel)


def waiting_for_a_person(request: HttpRequest) -> int:
    """How many things of each sort are in the inbox; more than a hundred count as a hundred."""
    user: Any = request.user
    found = counts_of(
        user.organization_id,
        at_most=MOST_COUNTED,
        waiting=SyncOperation.objects.for_user(user).filter(state__in=SyncOperation.NEEDS_A_PERSON),
        doubled=DoubledWrite.objects.for_user(user).open(),
        renewed=successions.waiting(user),
        new=Newcomer.objects.for_user(user).announced(),
        alarms=AzureAlarm.objects.for_user(user).open(),
    )
    return sum(found.values())


def waiting_in_rehearsal(request: HttpRequest) -> int:
    """How many operations wait for a connection to go live; more than a hundred count as a hundred."""
    waiting = SyncOperation.objects.for_user(request.user).filter(state=SyncOperation.State.REHEARSED)
    return waiting.order_by()[:MOST_COUNTED].count()


def subscription_panel(request: HttpRequest, subscription: Subscription) -> Panel:
    """Where the subscription is billed; else the way there, or what stands in it."""
    user: Any = request.user
    context: dict[str, Any] = {"subscription": subscription, "over": subscription.status in NOTHING_TO_BILL}
    if subscription.organization_id != user.organization_id:
        return Panel("syncops/sync_panel.html", context | {"owner": subscription.organization})
    mapping = SubscriptionMapping.objects.open().select_related("connection").filter(subscription=subscription).first()
    if mapping is None:
        left_out = subscription.exclusions.left_out().first()
        return Panel("syncops/sync_panel.html", context | _ways(request) | {"left_out": left_out})
    return Panel("syncops/sync_panel.html", context | standing_of(mapping, user))


def order_panel(request: HttpRequest, order: Order) -> Panel | None:
    """Per line of the order: where it is billed, or the way there. As many queries for one line as for many."""
    user: Any = request.user
    if order.organization_id != user.organization_id:
        return None
    bought = Subscription.objects.filter(order_line__order=order).order_by("order_line__pk")
    subscriptions = list(bought.exclude(status__in=NOTHING_TO_BILL))
    if not subscriptions:
        return None
    mappings = SubscriptionMapping.objects.open().select_related("connection")
    mapped = {mapping.subscription_id: mapping for mapping in mappings.filter(subscription__in=subscriptions)}
    found = standings(list(mapped))
    rows = [(row, mapped.get(row.pk), found.get(row.pk)) for row in subscriptions]
    return Panel("syncops/sync_order_panel.html", {"rows": rows} | _ways(request))


def standing_of(mapping: SubscriptionMapping, user: Any) -> dict[str, Any]:
    """What a page needs to show a person where a mapped subscription stands, and how far its last operation is."""
    operation = last_operations([mapping.pk]).get(mapping.pk)
    chain = chain_of(mapping)
    return {
        "mapping": mapping,
        "standing": standings([mapping.subscription_id]).get(mapping.subscription_id),
        "operation": operation,
        "mending": mending_of_mapping(mapping),
        "look": appearances([*chain.operations, *filter(None, [operation])]),
        "chain": chain,
        "excluded": _excluded(mapping),
        "override": open_override(mapping),
        "may_map": allowed(user, "mappings.map"),
        "may_sync": allowed(user, "syncops.sync"),
        "may_resolve": allowed(user, "syncops.resolve"),
    }


def _excluded(mapping: SubscriptionMapping) -> tuple[Exclusion, Decimal | None] | None:
    """The units that are left out, and what that is per period."""
    held = exclusion_of(mapping.subscription)
    today = timezone.localdate(timezone=mapping.subscription.organization.zone)
    return (held, money_left_out(mapping, held, today)) if held else None


def appearance(operation: SyncOperation) -> str:
    """Changes with anything that a page shows of an operation on its way."""
    shown = (operation.pk, operation.state, operation.waiting_for, operation.retry_at, operation.error)
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def appearances(operations: Sequence[SyncOperation]) -> str:
    """Changes with anything that a list shows of these."""
    return hashlib.sha256("".join(map(appearance, operations)).encode()).hexdigest()[:16]


def last_operations(mapping_ids: Sequence[int]) -> dict[int, SyncOperation]:
    """The newest operation of each mapping."""
    newest = SyncOperation.objects.filter(mapping_id__in=mapping_ids).values("mapping").annotate(last=Max("pk"))
    operations = SyncOperation.objects.filter(pk__in=newest.order_by().values("last"))
    return {operation.mapping_id: operation for operation in operations.select_related("superseded_by")}


def quantity_panel(request: HttpRequest, wished: SubscriptionRequest) -> Panel | None:
    """What a wished-for quantity would send to the PSA and bill there; `wished` need not be saved."""
    subscription = wished.subscription
    user: Any = request.user
    if subscription.organization_id != user.organization_id:
        return None
    today = timezone.now().astimezone(subscription.organization.zone).date()
    quantity = int(wished.wanted["quantity"])
    preview = preview_quantity(subscription, quantity, today=today)
    if preview is None:
        return None
    return Panel("syncops/quantity_panel.html", {"preview": preview, "shown": sealed(preview, quantity)})


def home_panel(request: HttpRequest, row: None) -> Panel | None:
    """What waits for a person, and what was done last; nothing before there is any work."""
    mine = SyncOperation.objects.for_user(request.user).select_related(
        "subscription__customer", "mapping", "connection"
    )
    latest = list(mine[:LATEST])
    waiting = list(mine.filter(state__in=SyncOperation.NEEDS_A_PERSON)[:LATEST])
    return Panel("syncops/home_panel.html", {"latest": latest, "waiting": waiting}) if latest else None


def margins_panel(request: HttpRequest, row: None) -> Panel | None:
    """The latest changes of margins that were carried to the PSA; nothing before there is one."""
    latest = list(MarginUpdate.objects.for_user(request.user)[:LATEST])
    return Panel("syncops/margins_panel.html", {"updates": latest}) if latest else None


def margin_preview_panel(request: HttpRequest, page: Any) -> Panel | None:
    """What new margins would send to the lines of a page's subscriptions; kept for the operations that follow."""
    prices = {row.subscription.pk: (row.after, row.cost) for row in page.rows}
    mapped = SubscriptionMapping.objects.open().for_user(request.user).filter(subscription__in=prices)
    related = ("connection__organization", "subscription__customer")
    mappings = list(mapped.select_related(*related).order_by("subscription__customer__name", "pk"))
    if not mappings:
        return None
    now, own = timezone.now(), page.draft.subscription_id is not None
    today = now.astimezone(page.draft.organization.zone).date()
    previews = preview_margins(mappings, prices, own=own, today=today)
    keep_shown(page.draft.key, previews, now)
    return Panel("syncops/margin_preview_panel.html", {"previews": previews, "bills": ("This period", "Next period")})


def retire_panel(request: HttpRequest, connection: Connection) -> Panel | None:
    """What Autotask goes on billing, in money, and what is not sent any more; nothing where there is neither."""
    today = timezone.now().astimezone(connection.organization.zone).date()
    left = staying(connection, today=today)
    if not (left.subscriptions or left.waiting):
        return None
    return Panel("syncops/retire_panel.html", {"connection": connection, "left": left})


def _ways(request: HttpRequest) -> dict[str, Any]:
    """Whether there is a connection to sync to, and whether the person may."""
    connected = Connection.objects.for_user(request.user).autotask().usable().exists()
    return {"connected": connected, "may_map": allowed(request.user, "mappings.map")}
