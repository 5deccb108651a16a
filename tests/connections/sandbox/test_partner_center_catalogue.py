import csv
import io

import pytest

from connections.sandbox.seed.names import BY_KEY
from tests.connections.sandbox.partner_center_api import NOORDZEE, code, read

BASIC = "/products/CFQ7TTC0LH18"
SCHOOL = f"/customers/{BY_KEY['onderwijs-rijnmond'].tenant_id}"
BRITISH = f"/customers/{BY_KEY['kestrel-crowe'].tenant_id}"


def sheet(far_side, market="NL", view="updatedlicensebased", **options):
    address = f"{far_side.url}/v1.0/sales/pricesheets(Market='{market}',PricesheetView='{view}')/$value"
    response = far_side.session.get(address, **options)
    assert response.ok, response.text
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_a_view_holds_one_kind_of_product(far_side):
    kinds = {}
    for view in ("OnlineServices", "Azure", "AzureReservationsVM", "SoftwarePerpetual", "MarketplaceSaaS"):
        items = read(far_side.get(f"/products?country=NL&targetView={view}"))["items"]
        kinds[view] = {item["productType"]["id"] for item in items}
    assert kinds == {
        "OnlineServices": {"OnlineServicesNCE"},
        "Azure": {"Azure"},
        "AzureReservationsVM": {"AzureReservations"},
        "SoftwarePerpetual": {"Software"},
        "MarketplaceSaaS": set(),
    }


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/products?country=NL", (403, 400036)),
        ("/products?country=NL&targetView=Nothing", (403, 400036)),
        ("/products?country=NL&targetView=OnlineServices&targetSegment=nobody", (403, 400030)),
        ("/products?targetView=OnlineServices", (400, 800002)),
        ("/products/NOTHING?country=NL", (404, 400013)),
        (f"{BASIC}/skus/9999?country=NL", (404, 400018)),
        (f"{BASIC}/skus/0001/availabilities/NOTHING?country=NL", (404, 400019)),
        ("/productpromotions/nothing?country=NL", (404, 1000)),
    ],
)
def test_what_is_not_in_the_catalogue_is_refused_by_its_own_code(far_side, path, answer):
    assert code(far_side.get(path)) == answer


def test_the_links_lead_from_a_product_to_its_plans(far_side):
    product = read(far_side.get(f"{BASIC}?country=IE"))
    sku = read(far_side.get(product["links"]["skus"]["uri"]))["items"][0]
    availability = read(far_side.get(sku["links"]["availabilities"]["uri"]))["items"][0]
    assert read(far_side.get(availability["links"]["self"]["uri"])) == availability
    assert read(far_side.get(f"{BASIC}/skus/0001?country=IE")) == sku
    assert availability["catalogItemId"] == f"CFQ7TTC0LH18:0001:{availability['id']}"
    assert [(term["duration"], term["billingCycle"]) for term in availability["terms"]] == [
        ("P1M", "monthly"),
        ("P1Y", "monthly"),
        ("P1Y", "annual"),
    ]
    assert (availability["country"], availability["defaultCurrency"]["code"]) == ("IE", "EUR")


def test_a_customer_sees_its_own_segment_and_currency(far_side):
    everywhere = read(far_side.get("/products?country=NL&targetView=OnlineServices&targetSegment=education"))
    assert everywhere["totalCount"] == 2
    query = "products?targetView=OnlineServices&targetSegment=education"
    assert read(far_side.get(f"{SCHOOL}/{query}"))["totalCount"] == 2
    assert read(far_side.get(f"/customers/{NOORDZEE}/{query}"))["totalCount"] == 0
    path = f"{BRITISH}{BASIC}/skus/0001/availabilities"
    assert read(far_side.get(path))["items"][0]["defaultCurrency"] == {"code": "GBP", "symbol": "£"}


def test_a_price_sheet_has_one_row_for_each_plan_with_cost_and_retail_price(far_side):
    rows = [row for row in sheet(far_side) if (row["ProductId"], row["SkuId"]) == ("CFQ7TTC0LCHC", "0002")]
    found = {(row["TermDuration"], row["BillingPlan"]): (row["UnitPrice"], row["ERP Price"]) for row in rows}
    assert found == {
        ("P1M", "Monthly"): ("19.78", "24.72"),
        ("P1Y", "Monthly"): ("17.30", "21.63"),
        ("P1Y", "Annual"): ("197.76", "247.20"),
    }
    assert {(row["Market"], row["Currency"], row["Segment"]) for row in rows} == {("NL", "EUR", "Commercial")}


def test_markets_have_their_currency_and_unknown_ones_no_sheet(far_side):
    assert {row["Currency"] for row in sheet(far_side, "GB")} == {"GBP"}
    assert {(row["Market"], row["Currency"]) for row in sheet(far_side, "DE", "software")} == {("DE", "EUR")}
    address = f"{far_side.url}/v1.0/sales/pricesheets(Market='JP',PricesheetView='software')/$value"
    assert code(far_side.session.get(address)) == (400, 800002)


def test_a_price_sheet_comes_compressed_or_plain_and_is_empty_for_the_future(far_side):
    address = f"{far_side.url}/v1.0/sales/pricesheets(Market='NL',PricesheetView='software')/$value"
    packed = far_side.session.get(address, headers={"Accept-Encoding": "gzip"})
    plain = far_side.session.get(address, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.content == plain.content
    assert sheet(far_side, params={"timeline": "future"}) == []


def test_two_promotions_are_on(far_side):
    items = read(far_side.get("/productpromotions?country=NL&segment=Commercial"))["items"]
    assert len(items) == 2
    assert read(far_side.get(f"/productpromotions/{items[0]['id']}?country=NL")) == items[0]
    assert items[0]["requiredProducts"][0]["pricingPolicies"] == [{"policyType": "PercentDiscount", "value": "0.15"}]
    assert read(far_side.get("/productpromotions?country=NL&segment=Education"))["items"] == []
