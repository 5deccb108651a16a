import pytest

FROM_MAY = [("05-01", 10, 5), ("06-01", 10, 5), ("07-01", 10, 5), ("08-01", 10, 5)]


def units_on(autotask, date):
    condition = [{"field": "startDate", "op": "lte", "value": date}, {"field": "endDate", "op": "gte", "value": date}]
    line = {"field": "contractServiceID", "op": "eq", "value": 90}
    return [row["units"] for row in autotask.query("ContractServiceUnits", line, *condition)]


def test_rows_carry_the_full_count_and_the_total_of_the_row(autotask):
    autotask.adjust("2026-05-10", 2)
    rows = autotask.query("ContractServiceUnits", {"field": "startDate", "op": "gte", "value": "2026-05-01"})
    may = sorted((row for row in rows if row["startDate"] < "2026-06-01"), key=lambda row: row["startDate"])
    assert [(r["startDate"], r["endDate"], r["units"], r["price"], r["cost"]) for r in may] == [
        ("2026-05-01T00:00:00Z", "2026-05-09T00:00:00Z", 10, 50, 40),
        ("2026-05-10T00:00:00Z", "2026-05-31T00:00:00Z", 12, 60, 48),
    ]
    assert units_on(autotask, "2026-12-31") == [12]


def test_success_answers_item_id_null_and_reading_the_line_shows_the_current_price(autotask):
    assert autotask.adjust("2026-05-15", price=6.5).json() == {"itemId": None}
    autotask.adjust("2026-06-01", price=9)
    line = autotask.get("ContractServices/90").json()["item"]
    assert (line["internalCurrencyAdjustedPrice"], line["unitPrice"]) == (6.5, 5)
    autotask.control("clock", {"today": "2026-06-01"})
    assert autotask.get("ContractServices/90").json()["item"]["internalCurrencyAdjustedPrice"] == 9


def test_item_id_is_a_number_where_the_tenant_answers_so(autotask):
    autotask.control("modes", {"adjustment_item_id": "int"})
    assert isinstance(autotask.adjust("2026-05-15", 1).json()["itemId"], int)


@pytest.mark.parametrize("date", ["2025-12-31", "2027-01-01"])
def test_a_date_outside_the_contract_is_refused(autotask, date):
    autotask.adjust(date, 1)
    assert "effectiveDate must be between the start date and end date" in autotask.errors()


def test_units_never_fall_below_zero(autotask):
    autotask.adjust("2026-05-20", -11)
    assert "negative number of units" in autotask.errors()
    autotask.adjust("2026-05-20", -10)
    assert units_on(autotask, "2026-05-20") == [0]


def test_contract_and_service_name_the_line_and_add_it_where_there_is_none(autotask):
    autotask.adjust("2026-05-20", 1, line=None, contractID=70, serviceID=30)
    assert units_on(autotask, "2026-05-20") == [11]
    autotask.adjust("2026-05-01", 3, line=None, contractID=70, serviceID=31)
    added = autotask.query("ContractServices", {"field": "serviceID", "op": "eq", "value": 31})
    assert [(line["contractID"], line["unitPrice"]) for line in added] == [(70, 20.5)]
    assert autotask.rows(added[0]["id"])[0][:2] == ("05-01", 3)


def test_a_repeated_service_needs_to_be_asked_for_and_then_the_pair_is_ambiguous(autotask):
    pair = {"line": None, "contractID": 70, "serviceID": 30}
    autotask.adjust("2026-05-20", 1, **pair, allowRepeatService=True)
    assert len(autotask.find("ContractServices", "serviceID", "eq", 30)) == 2
    autotask.adjust("2026-05-20", 1, **pair)
    assert "More than one ContractService" in autotask.errors()


def test_a_line_needs_a_recurring_contract_and_an_active_service(autotask):
    autotask.adjust("2026-05-20", 1, line=None, contractID=71, serviceID=30)
    assert "Recurring Service Contract" in autotask.errors()
    autotask.adjust("2026-05-20", 1, line=None, contractID=70, serviceID=32)
    assert "serviceID" in autotask.errors()
    autotask.adjust("2026-05-20", 1, line=None, contractID=70)
    assert "Missing Required Field: serviceID" in autotask.errors()
    assert autotask.find("ContractServices", "id", "exist") == [90]


def test_the_parents_address_checks_that_the_line_is_its_own(autotask):
    body = {"contractServiceID": 90, "effectiveDate": "2026-05-20", "unitChange": 1}
    assert autotask.post("Contracts/70/ServiceAdjustments", body).status_code == 200
    autotask.post("Contracts/72/ServiceAdjustments", body)
    assert "does not belong" in autotask.errors()
    assert units_on(autotask, "2026-05-20") == [11]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("merge", ("05-20", 15, 5)), ("last_wins", ("05-20", 13, 5)), ("duplicate_error", ("05-20", 12, 5))],
)
def test_a_second_adjustment_of_one_date(autotask, mode, expected):
    autotask.control("modes", {"same_date": mode})
    autotask.adjust("2026-05-20", 2)
    answer = autotask.adjust("2026-05-20", 3)
    assert autotask.rows()[1] == expected
    assert (answer.status_code == 500) == (mode == "duplicate_error")
    if mode == "duplicate_error":
        assert "duplicate data into contract_service_period" in autotask.errors()


def test_the_last_of_three_adjustments_of_one_date_replaces_the_one_before_it_only(autotask):
    autotask.control("modes", {"same_date": "last_wins"})
    for units in (2, 3, 4):
        autotask.adjust("2026-05-20", units)
    assert autotask.rows()[1] == ("05-20", 14, 5)
    outcomes = [entry["outcome"] for entry in autotask.control("journal", line=90)["adjustments"]]
    assert outcomes == ["replaced", "replaced", "applied"]


def test_a_price_inside_a_period_may_wait_for_the_next_one(autotask):
    autotask.control("modes", {"price_timing": "next_period"})
    autotask.adjust("2026-05-20", 2, price=7)
    assert autotask.rows()[:3] == [("05-01", 10, 5), ("05-20", 12, 5), ("06-01", 12, 7)]
    autotask.adjust("2026-07-01", price=8)
    assert autotask.rows()[3] == ("07-01", 12, 8)


def test_a_tenant_may_ignore_a_price_without_units_and_refuse_zero_units(autotask):
    autotask.control("modes", {"price_only": "ignore", "zero_units": "reject"})
    assert autotask.adjust("2026-05-01", price=7).status_code == 200
    autotask.adjust("2026-06-01", -10)
    assert "cannot be 0" in autotask.errors()
    assert autotask.rows()[:4] == FROM_MAY


def test_every_adjustment_leaves_a_note_and_a_line_in_the_journal(autotask):
    autotask.adjust("2026-05-20", 2)
    autotask.control("edit", {"line": 90, "date": "2026-06-01", "unitChange": -1, "price": "6.25"})
    journal = autotask.control("journal", key="sub-1")["adjustments"]
    assert [(a["effective"][:10], a["unitChange"], a["origin"]) for a in journal] == [
        ("2026-05-20", 2, "api"),
        ("2026-06-01", -1, "person"),
    ]
    notes = autotask.get("Contracts/70/Notes").json()["items"]
    assert [note["title"] for note in notes] == ["Service units adjusted"] * 2
    assert autotask.rows()[2] == ("06-01", 11, pytest.approx(6.25))


@pytest.mark.parametrize("body", [{"unitChange": "two"}, {"unitChange": 1.5}, {"effectiveDate": "soon"}, {"foo": 1}])
def test_a_body_with_wrong_values_is_refused(autotask, body):
    autotask.post(
        "ContractServiceAdjustments", {"contractServiceID": 90, "effectiveDate": "2026-05-20", "unitChange": 1} | body
    )
    assert "Conversion failed" in autotask.errors() or "'foo'" in autotask.errors()
    assert autotask.rows()[:4] == FROM_MAY


def test_adjustments_cannot_be_read(autotask):
    assert autotask.post("ContractServiceAdjustments/query", {"filter": []}).status_code == 404
    assert autotask.get("ContractServiceAdjustments").status_code == 405
    assert autotask.get("ContractServiceAdjustments/entityInformation").json()["info"]["canQuery"] is False
