"""Price sheets line by line: packed or not, with the oddities of the real ones."""

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest

from connections.provider.partner_center.price_sheets import Sheet
from portal.actions.price_sheets import PriceBookkeeper
from portal.far_side import Unavailable
from portal.models import OfferVariant, VariantPrice

HEAD = (
    "ProductTitle,ProductId,SkuId,SkuTitle,Publisher,SkuDescription,UnitOfMeasure,TermDuration,BillingPlan,Market,"
    "Currency,UnitPrice,PricingTierRangeMin,PricingTierRangeMax,EffectiveStartDate,EffectiveEndDate,Tags,ERP Price,"
    "Segment"
)


def line(sku="1", term="P1Y", plan="Monthly", price="4.48", tier="", end="9999-12-31T00:00:00Z", erp="5.60"):
    return (
        f'"Basic, plain",CFQ7TTC0LH18,{sku},Business Basic,Microsoft,,1 User,{term},{plan},BE,EUR,{price},{tier},,'
        f"2026-01-01T00:00:00Z,{end},,{erp},Commercial"
    )


def csv_of(*lines):
    return "\ufeff".encode() + "\r\n".join((HEAD, *lines)).encode()


def zipped(content, name="sheet.csv"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("pack", [bytes, zipped])
def test_a_line_becomes_its_price_packed_or_not(pack):
    (row,) = Sheet("updatedlicensebased", pack(csv_of(line()))).rows()
    assert (row.product_id, row.sku_id, row.term, row.billing) == ("CFQ7TTC0LH18", "0001", "P1Y", "monthly")
    assert (row.list_price, row.erp, row.currency) == (Decimal("4.48"), Decimal("5.60"), "EUR")
    assert (row.valid_from, row.valid_to, row.segment) == (date(2026, 1, 1), None, "commercial")


def test_lines_that_cannot_be_used_are_counted_and_hide_no_others():
    bad = [line(price="much"), line(plan="Weekly"), line(price="-1"), line(tier="100"), line(erp="x"), "too,short"]
    sheet = Sheet("updatedlicensebased", csv_of(*bad, line(price="'4.480000000000000000", end="2026-06-30T00:00:00Z")))
    (row,) = sheet.rows()
    assert (row.list_price, row.valid_to, sheet.left_out) == (Decimal("4.48"), date(2026, 6, 30), 6)


@pytest.mark.parametrize("content", [b"PK damaged", zipped(b"x", "readme.txt")])
def test_what_is_no_price_sheet_says_so(content):
    with pytest.raises(Unavailable):
        list(Sheet("software", content).rows())


def test_prices_are_stored_once_and_a_later_one_beside_the_earlier(cast):
    content = csv_of(line(), line(term="P1M"), line(term="NoTerm", plan="OneTime"))
    for _ in range(2):
        assert PriceBookkeeper(cast.csp).store(Sheet("updatedlicensebased", content).rows()) == 3
    assert (OfferVariant.objects.count(), VariantPrice.objects.count()) == (3, 3)
    PriceBookkeeper(cast.csp).store(Sheet("updatedlicensebased", csv_of(line(price="4.99"))).rows())
    assert set(VariantPrice.objects.values_list("list_price", flat=True)) == {Decimal("4.48"), Decimal("4.99")}
    assert VariantPrice.objects.count() == 3
    assert not OfferVariant.objects.filter(is_purchasable=True).exists()
