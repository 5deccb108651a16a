"""Looking at what hints name: a subscription, or all that a customer holds, is read and compared.

Several hints about the same thing are one look. What cannot be concluded yet (our own change or order is on its way, or
the answer may be an old one) is looked at again, ever more rarely, for two hours; then the nightly comparison has it.
"""

from collections.abc import Callable
from datetime import datetime

from django.db.models import Q

from connections.models import Connection, Hint, ProviderCustomer
from connections.provider.partner_center import listing
from connections.provider.partner_center.comparing import ENDED, Told
from connections.provider.partner_center.holdings import compare_all
from connections.provider.partner_center.provider import noted
from connections.provider.partner_center.reach import READS, client_of
from connections.provider.partner_center.recording import NAME, SOURCE, Outcome, Recorder
from connections.provider.partner_center.shapes import moment
from portal import leases
from portal.actions.arrivals import arrive_customer
from portal.actions.lifecycle import Learned
from portal.audit import Actor
from portal.far_side import FarSideError, Rejected, Unavailable
from portal.models import Customer, Offer, Organization

State = Hint.State


def look(hint_id: int, *, clock: Callable[[], datetime]) -> Hint:
    """Read what the hint is about, with all that wait for the same; Unauthorized rises after it is recorded."""
    now = clock()
    claimed = leases.claim(Hint.objects.waiting(), hint_id, now)
    hint = Hint.objects.select_related("connection__organization").get(pk=hint_id)
    if not claimed:
        return hint
    same = list(Hint.objects.about(hint).order_by("pk"))
    try:
        outcome = _looked(hint, [told for one in same for told in told_by(one)], clock)
    except FarSideError as error:
        _broke_off(hint, error, clock())
        raise
    _settle(hint, [one.pk for one in same], outcome, clock())
    hint.refresh_from_db()
    return hint


def told_by(hint: Hint) -> list[Told]:
    """When it changed, and what it was then, where the hint says so."""
    at = moment(hint.said.get("at"))
    return [Told(at, str(hint.said.get("by", "")), hint.said.get("quantity"))] if at else []


def _looked(hint: Hint, told: list[Told], clock: Callable[[], datetime]) -> Outcome:
    connection = hint.connection
    if connection.state not in READS:
        raise Unavailable("The connection cannot be read now.", "Press Test on its page.")
    look = _Look(connection, hint.customer_external_id, clock)
    with noted(connection):
        if hint.subscription_external_id:
            return look.at_one(hint.subscription_external_id, told)
        return look.at_all()


class _Look:
    """One customer, looked at through one connection."""

    def __init__(self, connection: Connection, customer_id: str, clock: Callable[[], datetime]) -> None:
        self._connection, self._customer_id, self._clock = connection, customer_id, clock
        self._client = client_of(connection, bulk=False, clock=clock)
        self._recorder = Recorder(connection, clock)

    def at_one(self, subscription_id: str, told: list[Told]) -> Outcome:
        """A legacy subscription that ended may have been migrated, which only the whole list tells."""
        customer = self._known()
        if customer is None:
            return self.at_all()
        held = self._recorder.held(customer)
        listed = listing.subscription(self._client, self._customer_id, subscription_id)
        if listed is None:
            return Outcome.SAME  # gone from the lists, too: the nightly comparison decides about that
        row = held.rows.get(listed.id.casefold())
        if row and row.variant.offer.category == Offer.Category.LEGACY and listed.status in ENDED:
            return self.at_all()
        return self._recorder.compare(held, listed, told)

    def at_all(self) -> Outcome:
        customer = self._known(anew=True)
        assert customer
        held = self._recorder.held(customer)
        compare_all(self._recorder, held, listing.subscriptions(self._client, self._customer_id))
        return Outcome.SAME  # what has to wait has a hint of its own by now

    def _known(self, *, anew: bool = False) -> Customer | None:
        """The customer here; `anew`: as Microsoft has it now, made where it is not here yet."""
        root = self._connection.organization
        tenant = Q(organization=root) | Q(organization__parent=root)
        found = Customer.objects.filter(tenant, external_id__iexact=self._customer_id)
        row = found.select_related("organization__parent").order_by("pk").first()
        if not anew:
            return row
        listed = listing.customer(self._client, self._customer_id)
        owner = self._owner(listed.associated_partner_id)
        now, profile = self._clock(), listed.company_profile
        told = {"domain": profile.domain[:200], "country": profile.address.country[:2], "email": profile.email[:254]}
        learned = Learned(now.astimezone(owner.zone).date(), SOURCE, Actor.system(NAME), now)
        row, _ = arrive_customer(owner, learned, external_id=listed.id, name=profile.company_name[:200], **told)
        defaults = {"customer": row, "seen_at": now}
        ProviderCustomer.objects.get_or_create(
            connection=self._connection, external_id=listed.id.lower(), defaults=defaults
        )
        return row

    def _owner(self, tenant_id: str) -> Organization:
        root = self._connection.organization
        theirs = root.resellers.filter(microsoft_tenant_id__iexact=tenant_id).select_related("parent")
        return (theirs.first() if tenant_id else None) or root


def _settle(hint: Hint, about: list[int], outcome: Outcome, now: datetime) -> None:
    if outcome is Outcome.LATER:
        due_at = leases.next_try(hint.attempts, now)
        state = State.WAITING if due_at else State.GIVEN_UP
        message = "Something of our own is on its way, or what Microsoft shows may be old."
        leases.settle(hint, state=state, due_at=due_at, message=message)
        return
    if leases.settle(hint, state=State.DONE, due_at=None, finished_at=now, message=outcome.value):
        Hint.objects.waiting().filter(pk__in=about).update(
            state=State.DONE, due_at=None, finished_at=now, message=outcome.value
        )


def _broke_off(hint: Hint, error: FarSideError, now: datetime) -> None:
    """A refusal is final for the hint; the nightly comparison looks again anyway."""
    again = None if isinstance(error, Rejected) else leases.try_after(error, hint.attempts, now)
    state = State.WAITING if again else State.GIVEN_UP
    leases.settle(hint, state=state, due_at=again, message=str(error), finished_at=None if again else now)
