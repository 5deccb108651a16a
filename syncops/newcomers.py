"""New subscriptions that are mapped without a click: written down when they come, mapped in the background.

It takes the same way as a person's yes, and so refuses what that would. Where a question would be asked (which
contract, whose line), a person decides, and the inbox says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from connections.actions import mark_unauthorized
from connections.models import Connection
from connections.psa.base import Psa
from connections.registry import psa_for
from mappings import eligibility
from mappings.models import SubscriptionMapping
from mappings.reasons import Reason, reason
from portal import leases
from portal.audit import Actor, record
from portal.far_side import FarSideError, Unauthorized
from portal.models import Organization, Subscription, SubscriptionChange, User
from portal.queue import enqueue
from syncops.bulk_mapping import Candidate, candidates, mappable
from syncops.mapping_run import map_one
from syncops.models import Newcomer

RUN_TASK = "syncops.mapping_tasks.map_newcomer"
WORKER = Actor.system("new subscriptions")
SEE = "Close New Subscriptions"
NEW_FOR = timedelta(days=31)  # one that was bought earlier is no new one: from when it is billed is a person's choice
State = Newcomer.State


def meet(change: SubscriptionChange) -> None:
    """A subscription has started; called inside the transaction that records it."""
    if change.kind == SubscriptionChange.Kind.ACTIVATED:
        related = ("organization", "variant__offer")
        row = Subscription.objects.select_related(*related).get(pk=change.subscription_id)
        take_in([row], at=change.recorded_at)


def take_in(subscriptions: Iterable[Subscription], *, at: datetime) -> int:
    """Write down new subscriptions that a policy maps, and wake a worker; how many. For the transaction that brings
    them in, one or many, with variant, offer and organization at hand. Those that are known, mapped, bought long ago or
    never mapped by their kind are passed over.
    """
    rows = [row for row in subscriptions if _can_be(row, at)]
    mapped = SubscriptionMapping.objects.open().filter(subscription__in=rows).values_list("subscription_id", flat=True)
    known = Newcomer.objects.filter(subscription__in=rows).values_list("subscription_id", flat=True)
    passed, places, made = {*mapped, *known}, _Places(), []
    for row in rows:
        connection = None if row.pk in passed else places.of(row)
        if connection is not None:
            made.append(_newcomer(row, connection, at))
    Newcomer.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
    if made:
        enqueue(RUN_TASK, 0)
    return len(made)


def _newcomer(row: Subscription, connection: Connection, at: datetime) -> Newcomer:
    return Newcomer(organization_id=row.organization_id, connection=connection, subscription=row, came_at=at, due_at=at)


def _can_be(row: Subscription, at: datetime) -> bool:
    if row.created_on < timezone.localdate(at, timezone=row.organization.zone) - NEW_FOR:
        return False
    return row.variant.offer.category not in eligibility.OFFERS_NOT_MAPPABLE and row.status not in eligibility.ENDED


class _Places:
    """The connection that takes an organization's new subscriptions, asked for once each."""

    def __init__(self) -> None:
        self._known: dict[int, list[Connection]] = {}

    def of(self, row: Subscription) -> Connection | None:
        """The one of its currency whose policy says so; the first of several: there `judge` refuses to guess."""
        if row.organization_id not in self._known:
            self._known[row.organization_id] = mapping_connections(row.organization)
        same = [one for one in self._known[row.organization_id] if one.currency == row.currency]
        return same[0] if same else None


def mapping_connections(organization: Organization) -> list[Connection]:
    """The connections of an organization whose policy maps new subscriptions, oldest first."""
    usable = Connection.objects.autotask().usable().filter(organization=organization).order_by("pk")
    return [one for one in usable if one.policies.map_new_subscriptions]


def map_newcomers(*, clock: Callable[[], datetime], psa: Callable[..., Psa] = psa_for, at_most: int = 50) -> int:
    """Map those that are due, each in a transaction of its own; how many were looked at."""
    due = leases.due(Newcomer.objects.expected(), clock()).order_by("due_at", "pk")
    looked_at = 0
    for pk in list(due.values_list("pk", flat=True)[:at_most]):
        looked_at += 1
        if not map_newcomer(pk, clock=clock, psa=psa):
            break
    if looked_at == at_most:
        enqueue(RUN_TASK, 0)
    return looked_at


def map_newcomer(pk: int, *, clock: Callable[[], datetime], psa: Callable[..., Psa] = psa_for) -> bool:
    """Map one, or note why not; False where the PSA is away, so that the others wait as well."""
    now = clock()
    if not leases.claim(Newcomer.objects.expected(), pk, now):
        return True
    row = Newcomer.objects.select_related("connection__organization").get(pk=pk)
    try:
        reasons = _map(row, psa, now)
    except FarSideError as error:
        return _broke_off(row, error, clock())
    mapping = SubscriptionMapping.objects.open().filter(subscription=row.subscription_id).first()
    if mapping is not None and not reasons:
        ours = mapping.created_by_id is None  # mapped by a person meanwhile is no news
        leases.settle(
            row,
            state=State.MAPPED if ours else State.SEEN,
            contract_name=mapping.contract_name,
            reasons=[],
            done_at=clock(),
            due_at=None,
        )
    else:
        _leave(row, reasons, clock())
    return True


def _map(row: Newcomer, psa: Callable[..., Psa], now: datetime) -> tuple[Reason, ...]:
    today = timezone.localdate(now, timezone=row.connection.organization.zone)
    candidate = judge(row, today)
    if isinstance(candidate, tuple):
        return candidate
    if candidate.mapping is not None:
        return ()
    return map_one(candidate, lambda connection: psa(connection, bulk=True), actor=WORKER, today=today, now=now)


def judge(row: Newcomer, today: date) -> Candidate | tuple[Reason, ...]:
    """Where it would be billed from the start of its term on, or why that is a person's choice."""
    connection = row.connection
    if not connection.policies.map_new_subscriptions:
        return (reason("policy_off", connection=connection),)
    others = [one for one in mapping_connections(connection.organization) if one.currency == connection.currency]
    if len(others) > 1:
        return (reason("several_connections", count=len(others)),)
    subscription = mappable(connection).filter(pk=row.subscription_id).first()
    if subscription is None:
        return (reason("no_longer_there"),)
    if subscription.created_on < today - NEW_FOR:
        return (reason("not_new", subscription=subscription.friendly_name, day=_day(subscription.created_on)),)
    (candidate,) = candidates(connection, [subscription], since="term", today=today)
    return candidate


def _leave(row: Newcomer, reasons: Iterable[Reason], now: datetime) -> None:
    texts = [[one.text, one.fix] for one in reasons] or [["It could not be mapped.", "Map it on its own page."]]
    leases.settle(row, state=State.LEFT, reasons=texts, done_at=now, due_at=None)


def _broke_off(row: Newcomer, error: FarSideError, now: datetime) -> bool:
    if isinstance(error, Unauthorized):
        mark_unauthorized(row.connection, error, now=now)
    again = leases.try_after(error, row.attempts, now)
    if again is None:
        _leave(row, [Reason("far_side", error.message, error.advice or "Then try again here.")], now)
    else:
        leases.settle(row, due_at=again)
    return False


def try_again(user: User, *, now: datetime) -> int:
    """Look again at all that were left; how many."""
    with transaction.atomic():
        left = Newcomer.objects.for_user(user).announced().filter(state=State.LEFT)
        pks = list(left.values_list("pk", flat=True))
        again = Newcomer.objects.filter(pk__in=pks, state=State.LEFT)
        count = again.update(state=State.EXPECTED, due_at=now, attempts=0, done_at=None)
        if count:
            enqueue(RUN_TASK, 0)
    return count


def close(user: User, *, through: int, now: datetime) -> int:
    """Somebody has seen what was announced, up to the last one on their page; how many, with one entry."""
    organization = user.organization
    assert organization is not None  # who sees an inbox belongs to one
    with transaction.atomic():
        seen = Newcomer.objects.for_user(user).filter(state__in=(State.MAPPED, State.LEFT), pk__lte=through)
        count = seen.update(state=State.SEEN, seen_by=user)
        if count:
            subject = f"{count} new subscriptions"
            record(SEE, actor=Actor.user(user), organization=organization, subject=subject, at=now)
    return count


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
