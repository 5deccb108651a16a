"""The first stage of a full import: price sheets and promotions, so that what arrives after them has its price.

Nothing of it stops an import: what could not be read is told, and subscriptions keep the prices that they have. A sheet
that is the same as at the last import is not stored again.
"""

from connections.models import ProviderImport
from connections.provider.partner_center import price_sheets
from connections.provider.partner_center.progress import Progress
from portal.actions.price_sheets import PriceBookkeeper, store_promotions
from portal.far_side import FarSideError
from portal.models import Organization

SHEETS = "sheets"


def read(progress: Progress) -> None:
    """Sheets of every market in which the tenant sells, one per currency."""
    csp = progress.row.connection.organization
    known, digests = _known(progress.row), dict[str, str]()
    for market in markets(csp):
        for view in price_sheets.VIEWS:
            place = f"{market} {view}"
            digests[place] = _read_sheet(progress, csp, market, view, known.get(place, ""))
    try:
        progress.count("promotions", store_promotions(csp, price_sheets.promotions(progress.client, csp.country)))
    except FarSideError as error:
        progress.note([f"Promotions could not be read: {error}"])
    with progress.stored(**{SHEETS: digests}):
        pass


def markets(csp: Organization) -> list[str]:
    """A country per currency: the CSP's own, and those of resellers who are billed in another one."""
    found = {csp.currency: csp.country}
    for currency, country in csp.resellers.order_by("pk").values_list("currency", "country"):
        found.setdefault(currency, country)
    return [country for country in found.values() if country]


def _read_sheet(progress: Progress, csp: Organization, market: str, view: str, known: str) -> str:
    """The digest of the sheet that is stored now."""
    try:
        sheet = price_sheets.sheet(progress.client, market, view)
        if sheet.digest != known:
            progress.count("prices", PriceBookkeeper(csp).store(sheet.rows()))
    except FarSideError as error:
        progress.note([f"The price sheet {view} of {market} could not be read: {error}"])
        return known
    if sheet.left_out:
        progress.note([f"{sheet.left_out} lines of the price sheet {view} of {market} are in no form that is known."])
    return sheet.digest


def _known(row: ProviderImport) -> dict[str, str]:
    """The digests of the sheets that the last full import stored."""
    last = ProviderImport.objects.full().filter(connection=row.connection_id, pk__lt=row.pk).exclude(cursor={})
    found = last.order_by("-pk").first()
    return dict(found.cursor.get(SHEETS, {})) if found else {}
