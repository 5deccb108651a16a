import pytest

from portal.far_side import Rejected

API = "https://api.partnercenter.microsoft.com/v1"
LINK = {"uri": "/customers?size=2&seekOperation=Next", "method": "GET"}


def sent(web, name):
    return [call.request.headers.get(name) for call in web.calls]


def test_the_next_page_is_asked_for_by_a_header_until_nothing_follows(bare_client, web):
    link = LINK | {"headers": [{"key": "MS-ContinuationToken", "value": "a+b/c=,"}]}
    web.get(f"{API}/customers", json={"items": [{"id": "1"}, {"id": "2"}], "links": {"next": link}})
    web.get(f"{API}/customers", json={"items": [{"id": "3"}], "continuationToken": "beside", "links": {}})
    web.get(f"{API}/customers", json={"items": [{"id": "4"}], "links": {"self": {}}})
    pages = list(bare_client.pages("customers", params={"size": "2"}))
    assert [[item["id"] for item in page] for page in pages] == [["1", "2"], ["3"], ["4"]]
    assert sent(web, "MS-ContinuationToken") == [None, "a+b/c=,", "beside"]
    assert [call.request.params for call in web.calls] == [
        {"size": "2"},
        {"size": "2", "seekOperation": "Next"},
        {"size": "2", "seekOperation": "Next"},
    ]


def test_a_collection_may_end_with_a_refusal_and_a_repeated_token_ends_it_too(bare_client, web):
    page = {"items": [{"id": "1"}], "continuationToken": "t"}
    web.get(f"{API}/customers", json=page)
    web.get(f"{API}/customers", status=400, json={"code": 2000, "description": ""})
    assert len(list(bare_client.pages("customers"))) == 1
    web.get(f"{API}/relationships", json=page)
    assert len(list(bare_client.pages("relationships"))) == 2
    web.get(f"{API}/orders", status=400, json={"code": 2000, "description": ""})
    with pytest.raises(Rejected):
        list(bare_client.pages("orders"))


@pytest.mark.parametrize("end", ["missing_next", "code_2000"])
def test_all_customers_are_read_however_the_end_is_told(client, far_side, end):
    far_side.control("modes", {"paging_end": end})
    found = [customer["id"] for page in client.pages("customers", params={"size": "10"}) for customer in page]
    assert len(found) == len(set(found)) == 25
