"""Price sheets and promotions of Partner Center: files of one market, as CSV, packed or not; and a list.

A sheet is read line by line. A line that cannot be read is counted and left out; it does not hide the others. Only a
signed-in user may read sheets, and they lie with another service than the rest, for which there is a token of its own.
"""

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import IO

from connections.provider.partner_center.client import PartnerCenter
from connections.provider.partner_center.shapes import Promotion, last_day, shaped
from portal.actions.price_sheets import PromotionRow, SheetRow
from portal.far_side import Unavailable
from portal.models import Offer, OfferVariant

VIEWS = {
    "updatedlicensebased": Offer.Category.LICENCE,
    "software": Offer.Category.PERPETUAL,
    "azure_reservations": Offer.Category.AZURE_RESERVATION,
}
PLANS = {
    "monthly": OfferVariant.Billing.MONTHLY,
    "annual": OfferVariant.Billing.ANNUAL,
    "triennial": OfferVariant.Billing.TRIENNIAL,
    "onetime": OfferVariant.Billing.ONE_TIME,
    "one-time": OfferVariant.Billing.ONE_TIME,
    "none": OfferVariant.Billing.ONE_TIME,
}
LARGEST = 400 * 1024 * 1024  # bytes of an unpacked sheet; the largest of Microsoft's have some 60
FAR_FUTURE = 9000


@dataclass(slots=True)
class Sheet:
    """A price sheet of one market and view. `left_out` counts lines that could not be read."""

    view: str
    content: bytes
    left_out: int = 0
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256(self.content).hexdigest()

    def rows(self) -> Iterator[SheetRow]:
        """The lines, one after the other. Raises Unavailable where this is no price sheet."""
        with _opened(self.content) as stream:
            lines = csv.DictReader(io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline=""))
            try:
                for line in lines:
                    row = self._row({_plain(name): value or "" for name, value in line.items() if name})
                    if row is None:
                        self.left_out += 1
                    else:
                        yield row
            except csv.Error as error:
                raise Unavailable("Partner Center's price sheet cannot be read.", raw=str(error)) from error

    def _row(self, line: Mapping[str, str]) -> SheetRow | None:
        term = line.get("termduration", "").strip().upper()
        term = "" if term == "NOTERM" else term
        billing = PLANS.get(line.get("billingplan", "").strip().lower(), "")
        try:
            prices = Decimal(line["unitprice"].strip("' ")), Decimal(line["erpprice"].strip("' ") or "0")
            first, last = last_day(line["effectivestartdate"]), last_day(line.get("effectiveenddate"))
        except (KeyError, ValueError, InvalidOperation):
            return None
        tier = line.get("pricingtierrangemin", "").strip()
        wanted = first and billing and line.get("productid") and len(term) <= 4 and min(prices) >= 0
        if not wanted or first is None or tier not in ("", "0", "1"):
            return None
        return SheetRow(
            product_id=line["productid"].strip()[:64],
            sku_id=line.get("skuid", "").strip().zfill(4)[:64],
            title=line.get("skutitle") or line.get("producttitle") or line["productid"],
            description=line.get("skudescription", ""),
            publisher=line.get("publisher") or "Microsoft Corporation",
            category=_category(self.view, term),
            segment=line.get("segment", "").strip().lower()[:12] or OfferVariant.Segment.COMMERCIAL,
            term=term,
            billing=billing,
            currency=line.get("currency", "").strip().upper()[:3],
            list_price=prices[0],
            erp=prices[1],
            valid_from=first,
            valid_to=last if last and last.year < FAR_FUTURE else None,
        )


def sheet(client: PartnerCenter, market: str, view: str) -> Sheet:
    """The sheet that is in force now."""
    return Sheet(view, client.download(f"pricesheets(Market='{market}',PricesheetView='{view}')", "$value"))


def promotions(client: PartnerCenter, market: str) -> list[PromotionRow]:
    """The promotions of a market; those that are no percentage are left out."""
    params = {"country": market, "segment": "Commercial"}
    found = []
    for page in client.pages("productpromotions", params=params):
        for item in page:
            row = promotion_row(shaped(Promotion, item))
            if row is not None:
                found.append(row)
    return found


def promotion_row(told: Promotion) -> PromotionRow | None:
    """A promotion in the portal's words; a share of 0.05 is 5 percent."""
    shares = [policy.value for one in told.required_products for policy in one.pricing_policies if policy.is_percent]
    if not shares or shares[0] is None or told.start_date is None or told.end_date is None:
        return None
    of = tuple(
        (one.product_id, one.sku_id, one.term.duration, one.term.billing_cycle) for one in told.required_products
    )
    return PromotionRow(told.id, told.name, shares[0] * 100, told.start_date, told.end_date, of)


def _opened(content: bytes) -> IO[bytes]:
    """The CSV inside: of a zip file its first one. Packed by gzip it was unpacked on the way."""
    if not content.startswith(b"PK"):
        return io.BytesIO(content)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        names = [info for info in archive.infolist() if info.filename.lower().endswith(".csv")]
        if not names or names[0].file_size > LARGEST:
            raise Unavailable("Partner Center's price sheet is no file that can be read.")
        return archive.open(names[0])
    except zipfile.BadZipFile as error:
        raise Unavailable("Partner Center's price sheet is damaged.") from error


def _plain(name: str) -> str:
    return name.replace(" ", "").strip().lower()


def _category(view: str, term: str) -> str:
    if view == "software" and term:
        return Offer.Category.SOFTWARE
    return VIEWS[view]
