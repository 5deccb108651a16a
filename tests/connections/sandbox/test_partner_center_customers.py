import json

import pytest

from connections.sandbox.seed.names import CUSTOMERS, HARBOURLINE, LUMEN
from tests.connections.sandbox.partner_center_api import NOORDZEE, code, read


def next_page(far_side, body):
    following = body["links"]["next"]
    headers = {header["key"]: header["value"] for header in following["headers"]}
    return far_side.get(following["uri"], headers=headers)


def test_pages_follow_each_other_by_the_token_in_the_header_until_no_next_link_is_left(far_side):
    body = read(far_side.get("/customers?size=10"))
    pages = [body]
    while "next" in body["links"]:
        body = read(next_page(far_side, body))
        pages.append(body)
    assert [page["totalCount"] for page in pages] == [10, 10, 5]
    assert [item["id"] for page in pages for item in page["items"]] == [customer.tenant_id for customer in CUSTOMERS]
    assert "continuationToken" not in pages[-1]


def test_the_token_counts_in_the_header_alone(far_side):
    body = read(far_side.get("/customers?size=10"))
    query = {"size": 10, "seekOperation": "Next", "MS-ContinuationToken": body["continuationToken"]}
    assert code(far_side.get("/customers", params=query)) == (400, 800002)
    assert any(sign in body["continuationToken"] for sign in "/+=,")


def test_the_end_can_be_told_by_a_refusal_instead(far_side):
    far_side.control("modes", {"paging_end": "code_2000"})
    body = read(far_side.get("/customers?size=25"))
    assert body["totalCount"] == 25
    assert code(next_page(far_side, body)) == (400, 2000)


def test_a_continuation_token_is_short_lived(far_side):
    body = read(far_side.get("/customers?size=10"))
    far_side.advance(seconds=601)
    assert code(next_page(far_side, body)) == (400, 800002)


@pytest.mark.parametrize("size", ["0", "501", "many"])
def test_a_page_has_between_one_and_five_hundred_customers(far_side, size):
    assert code(far_side.get(f"/customers?size={size}")) == (400, 800002)


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"Field": "CompanyName", "Value": "NOORD", "Operator": "starts_with"}, 1),
        ({"Field": "IndirectReseller", "Value": LUMEN.tenant_id, "Operator": "starts_with"}, 6),
        ({"Field": "Domain", "Value": "stald", "Operator": "starts_with"}, 1),
        ({"Field": "CompanyName", "Value": "Nobody", "Operator": "starts_with"}, 0),
    ],
)
def test_customers_are_filtered_by_name_domain_or_reseller(far_side, asked, count):
    assert read(far_side.get("/customers", params={"filter": json.dumps(asked)}))["totalCount"] == count


def test_an_unknown_filter_field_is_an_invalid_property(far_side):
    assert code(far_side.get("/customers", params={"filter": '{"Field":"Colour","Value":"x"}'})) == (400, 3000)


def test_one_customer_is_found_by_its_id_in_any_case(far_side):
    customer = read(far_side.get(f"/customers/{NOORDZEE.upper()}"))
    assert customer["companyProfile"]["companyName"] == "Noordzee Logistics B.V."
    assert customer["billingProfile"]["defaultAddress"]["country"] == "NL"
    assert "associatedPartnerId" not in customer
    profile = read(far_side.get(f"/customers/{NOORDZEE}/profiles/billing"))
    assert profile == customer["billingProfile"]


def test_an_unknown_customer_is_an_unknown_tenant(far_side):
    assert code(far_side.get("/customers/00000000-0000-0000-0000-000000000000")) == (404, 60003)


def test_the_provider_has_two_resellers_and_nobody_above_it(far_side):
    down = read(far_side.get("/relationships?relationship_type=IsIndirectCloudSolutionProviderOf"))
    assert {item["mpnId"] for item in down["items"]} == {LUMEN.mpn, HARBOURLINE.mpn}
    assert read(far_side.get("/relationships?relationship_type=IsIndirectResellerOf"))["totalCount"] == 0


def test_a_customer_names_its_reseller(far_side):
    kestrel = next(customer for customer in CUSTOMERS if customer.key == "kestrel-crowe")
    path = f"/customers/{kestrel.tenant_id}"
    assert read(far_side.get(path))["associatedPartnerId"] == HARBOURLINE.tenant_id
    assert [item["name"] for item in read(far_side.get(f"{path}/relationships"))["items"]] == [HARBOURLINE.name]
    assert read(far_side.get(f"/customers/{NOORDZEE}/relationships"))["items"] == []


def test_schools_and_councils_are_qualified_for_their_segment(far_side):
    council = next(customer for customer in CUSTOMERS if customer.segment == "government")
    assert far_side.get(f"/customers/{council.tenant_id}/qualifications").json() == [{"qualification": "government"}]
    assert far_side.get(f"/customers/{NOORDZEE}/qualifications").json() == []
