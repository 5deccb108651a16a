"""The stages of a full import, each stored as far as it got: resellers, their customers, all customers, what they hold.

The customers of each reseller are asked for first: lists do not tell through whom a customer buys. So an import takes
one request per customer, one per reseller, one per 500 customers, and one for the resellers.
"""

from collections.abc import Iterator, Sequence

from django.db.models import F, Q

from connections.models import ProviderCustomer
from connections.provider.partner_center import listing, reading_prices
from connections.provider.partner_center.client import code_of
from connections.provider.partner_center.holdings import compare_all
from connections.provider.partner_center.progress import Progress
from connections.provider.partner_center.recording import NAME, SOURCE, Recorder
from connections.provider.partner_center.shapes import Customer as Listed
from portal.actions.arrivals import arrive_customer, arrive_reseller
from portal.actions.lifecycle import Learned
from portal.audit import Actor
from portal.far_side import Rejected
from portal.models import Organization

RESELLERS, ASSOCIATIONS, CUSTOMERS, SUBSCRIPTIONS = "resellers", "associations", "customers", "subscriptions"
Pages = Iterator[tuple[Sequence[Listed], str]]
TOKEN_REFUSED = "400"  # noqa: S105  a status


def read(progress: Progress) -> bool:
    """Go on where it stopped; False where time is up before the end."""
    if reading_prices.SHEETS not in progress.row.cursor:
        reading_prices.read(progress)
    stage = str(progress.row.cursor.get("stage", RESELLERS))
    if stage == RESELLERS:
        _read_resellers(progress)
    return all(step(progress) for step in (_read_associations, _read_customers, _read_subscriptions))


def _read_resellers(progress: Progress) -> None:
    found = listing.resellers(progress.client)
    csp = progress.row.connection.organization
    progress.count("resellers", len(found))
    with progress.stored(stage=ASSOCIATIONS, token="", reseller=0):
        for one in found:
            learned = _learned(progress)
            names = {"name": one.name, "tenant_id": one.id, "mpn_id": one.mpn_id, "country": one.location}
            arrive_reseller(csp, learned, **names)


def _read_associations(progress: Progress) -> bool:
    """The customers of one reseller after the other."""
    if progress.row.cursor["stage"] != ASSOCIATIONS:
        return True
    csp = progress.row.connection.organization
    rows = csp.resellers.exclude(microsoft_tenant_id="").order_by("pk")
    for reseller in rows.filter(pk__gte=progress.row.cursor["reseller"]):
        token = progress.row.cursor["token"] if progress.row.cursor["reseller"] == reseller.pk else ""
        pages = listing.customers(progress.client, token, reseller=reseller.microsoft_tenant_id)
        for page, following in _from_the_start_where_refused(pages, progress, token, reseller.microsoft_tenant_id):
            with progress.stored(reseller=reseller.pk if following else reseller.pk + 1, token=following):
                _arrive(progress, page, reseller)
            if progress.is_over:
                return False
    with progress.stored(stage=CUSTOMERS, token=""):
        return True


def _read_customers(progress: Progress) -> bool:
    if progress.row.cursor["stage"] != CUSTOMERS:
        return True
    token = progress.row.cursor["token"]
    pages = listing.customers(progress.client, token)
    for page, following in _from_the_start_where_refused(pages, progress, token, ""):
        stage = CUSTOMERS if following else SUBSCRIPTIONS
        progress.count("customers", len(page))
        with progress.stored(stage=stage, token=following):
            _arrive(progress, page, progress.row.connection.organization)
        if progress.is_over:
            return False
    return True


def _from_the_start_where_refused(pages: Pages, progress: Progress, token: str, reseller: str) -> Pages:
    """Tokens of pages live for minutes: an import that goes on later begins that list again, which changes nothing."""
    try:
        yield from pages
    except Rejected as error:
        if not token or error.context.get("status") != TOKEN_REFUSED:
            raise
        yield from listing.customers(progress.client, "", reseller=reseller)


def _arrive(progress: Progress, page: Sequence[Listed], owner: Organization) -> None:
    """The page's customers, and that they were seen; those that are known already keep their owner."""
    connection, seen_at = progress.row.connection, progress.row.started_at
    for one in page:
        profile = one.company_profile
        told = {"domain": profile.domain[:200], "country": profile.address.country[:2], "email": profile.email[:254]}
        customer, is_new = arrive_customer(
            owner, _learned(progress), external_id=one.id, name=profile.company_name[:200], **told
        )
        progress.count("new_customers", int(is_new))
        ProviderCustomer.objects.update_or_create(
            connection=connection,
            external_id=one.id.lower(),
            defaults={"seen_at": seen_at, "customer": customer},
        )


def _read_subscriptions(progress: Progress) -> bool:
    """What each customer holds, compared and recorded, one customer after the other."""
    recorder = Recorder(progress.row.connection, progress.clock)
    while (seen := _next(progress)) is not None:
        missing = _read_one(progress, recorder, seen)
        progress.note(recorder.problems)
        recorder.problems.clear()
        progress.count("customers_read")
        with progress.stored():
            ProviderCustomer.objects.filter(pk=seen.pk).update(read_at=progress.clock(), missing=missing)
        if progress.is_over:
            return False
    return True


def _next(progress: Progress) -> ProviderCustomer | None:
    unread = Q(read_at__isnull=True) | Q(read_at__lt=F("seen_at"))
    rows = ProviderCustomer.objects.filter(unread, connection=progress.row.connection, seen_at=progress.row.started_at)
    return rows.select_related("customer__organization__parent").order_by("pk").first()


def _read_one(progress: Progress, recorder: Recorder, seen: ProviderCustomer) -> list[int]:
    """The ids of those that Microsoft does not show any more."""
    held = recorder.held(seen.customer)
    try:
        bought = listing.subscriptions(progress.client, seen.external_id)
    except Rejected as error:
        progress.note([f"{seen.customer}: {error} ({code_of(error)})"])
        return []
    if bought.unread:
        progress.note([f"{seen.customer}: {len(bought.unread)} subscriptions are in a form that cannot be read."])
    compare_all(recorder, held, bought, progress)
    shown = {one.id.casefold() for one in bought.subscriptions} | {one.casefold() for one in bought.unread}
    billed = (row for key, row in held.rows.items() if key not in shown and row.status in row.BILLED)
    return [row.pk for row in billed] if "" not in bought.unread else []


def _learned(progress: Progress) -> Learned:
    now = progress.clock()
    today = now.astimezone(progress.row.connection.organization.zone).date()
    return Learned(today, SOURCE, Actor.system(NAME), now)
