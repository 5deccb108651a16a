import pytest

from tests.connections.sandbox.autotask_api import CONTRACT, database

MAY = {"contract": 70, "period": "2026-05-15"}


def billed(answer):
    return [(i["kind"], i["start"][5:], i["quantity"], i["part"], i["amount"]) for i in answer["items"]]


def test_a_period_bills_each_row_for_its_share_of_the_days(autotask):
    autotask.adjust("2026-05-10", 2, price=7)
    answer = autotask.control("bill", MAY)
    # 9 of 31 days are 0.2903, 22 of 31 are 0.7097.
    assert billed(answer) == [("row", "05-01", 10, 0.2903, 14.52), ("row", "05-10", 12, 0.7097, 59.61)]
    assert answer["total"] == 74.13
    assert autotask.control("bill", MAY) == answer


@pytest.mark.parametrize(
    ("currency", "amounts"), [("JPY", (15, 146)), ("EUR", (14.52, 145.66)), ("KWD", (14.515, 145.655))]
)
def test_amounts_are_rounded_half_up_to_the_minor_unit_of_the_currency(start_autotask, currency, amounts):
    autotask = start_autotask(databases=[database(currency=currency)])
    autotask.adjust("2026-05-10", price="20.5235")
    assert tuple(item["amount"] for item in autotask.control("bill", MAY)["items"]) == amounts


def test_a_contract_that_ends_inside_a_period_bills_that_part_of_it(start_autotask):
    contract = {"id": 70, "companyID": 10, "contractName": "Short", **CONTRACT, "endDate": "2026-05-10"}
    autotask = start_autotask(databases=[database(contracts=[contract])])
    answer = autotask.control("bill", {"contract": 70, "period": "2026-05-01"})
    assert billed(answer) == [("row", "05-01", 10, 0.3226, 16.13)]


def test_approve_and_post_closes_the_rows_and_makes_billing_items(autotask):
    autotask.adjust("2026-05-10", 2)
    assert autotask.control("post", MAY)["total"] == 57.1
    items = autotask.query("BillingItems", {"op": "eq", "field": "contractID", "value": 70})
    rows = autotask.query("ContractServiceUnits", {"op": "exist", "field": "approveAndPostDate"})
    assert sorted(row["startDate"][5:10] for row in rows) == ["05-01", "05-10"]
    assert {item["contractServicePeriodID"] for item in items} == {row["id"] for row in rows}
    assert [(item["quantity"], item["rate"], item["extendedPrice"]) for item in items] == [
        (10, 5, 14.52),
        (12, 5, 42.58),
    ]
    assert autotask.control("post", MAY)["items"] == []


def test_posted_periods_can_be_opened_again(autotask):
    autotask.control("post", MAY)
    assert autotask.control("unpost", MAY) == {"rows": 1}
    assert autotask.query("BillingItems", {"op": "exist", "field": "id"}) == []
    assert autotask.adjust("2026-05-10", 1).status_code == 200


def test_every_period_that_is_over_is_posted_at_once(autotask):
    autotask.adjust("2026-02-15", 1)
    answer = autotask.control("post", {"through": "2026-05-31"})
    assert [item["start"] for item in answer["items"]] == ["2026-02-15", "2026-03-01", "2026-04-01", "2026-05-01"]


@pytest.mark.parametrize("date", ["2026-04-10", "2026-05-01", "2026-05-20"])
def test_an_adjustment_that_reaches_a_posted_row_is_rejected(autotask, date):
    autotask.control("post", MAY)
    autotask.adjust(date, 1)
    assert "already approved and posted contract period" in autotask.errors()
    assert autotask.adjust("2026-06-01", 1).status_code == 200
    assert autotask.rows()[:2] == [("05-01", 10, 5), ("06-01", 11, 5)]


def test_an_adjustment_of_posted_days_may_move_to_the_next_period(autotask):
    autotask.control("modes", {"posted_period": "next_period"})
    autotask.control("post", MAY)
    autotask.adjust("2026-05-20", 3, price=6)
    assert autotask.rows()[:2] == [("05-01", 10, 5), ("06-01", 13, 6)]
    journal = autotask.control("journal", line=90)["adjustments"][0]
    assert (journal["asked"][:10], journal["effective"][:10]) == ("2026-05-20", "2026-06-01")


def test_an_adjustment_of_posted_days_may_bill_them_as_a_separate_item(autotask):
    autotask.control("modes", {"posted_period": "separate"})
    autotask.control("post", MAY)
    autotask.adjust("2026-05-20", 3)
    assert autotask.rows()[:2] == [("05-01", 10, 5), ("06-01", 13, 5)]
    june = {"contract": 70, "period": "2026-06-01"}
    expected = [("row", "06-01", 13, 1, 65), ("separate", "05-20", 3, 0.3871, 5.81)]
    assert billed(autotask.control("post", june)) == expected
    item = autotask.query("BillingItems", {"op": "eq", "field": "billingItemType", "value": 9})[0]
    assert item["contractServiceAdjustmentID"] is not None
    assert billed(autotask.control("bill", {"contract": 70, "period": "2026-07-01"})) == [("row", "07-01", 13, 1, 65)]


def test_moving_the_contracts_end_makes_and_removes_rows(autotask):
    autotask.adjust("2026-12-10", 2, price=6)
    autotask.patch("Contracts", {"id": 70, "endDate": "2027-02-10"})
    assert autotask.rows()[-3:] == [("12-10", 12, 6), ("01-01", 12, 6), ("02-01", 12, 6)]
    autotask.patch("Contracts", {"id": 70, "endDate": "2026-06-15"})
    assert autotask.rows() == [("05-01", 10, 5), ("06-01", 10, 5)]
    assert autotask.get("Contracts/70").json()["item"]["endDate"] == "2026-06-15T00:00:00Z"


def test_the_contracts_end_cannot_move_before_a_posted_row_and_its_start_stays_put(autotask):
    autotask.control("post", MAY)
    autotask.patch("Contracts", {"id": 70, "endDate": "2026-05-20"})
    assert "already approved and posted" in autotask.errors()
    autotask.patch("Contracts", {"id": 70, "startDate": "2026-02-01"})
    assert "startDate" in autotask.errors()
    assert autotask.patch("Contracts", {"id": 70, "endDate": "2026-05-31"}).status_code == 200
