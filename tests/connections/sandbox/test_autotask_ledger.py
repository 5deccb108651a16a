import time
from concurrent.futures import ThreadPoolExecutor

from tests.connections.sandbox.autotask_api import CONTRACT, Api, database


def test_the_ledger_survives_a_restart_and_fresh_starts_over(start_autotask):
    first = start_autotask()
    first.adjust("2026-05-20", 1)
    first.control("modes", {"same_date": "last_wins"})
    first.control("zone", {})
    first.server.stop()

    again = start_autotask(databases=[database(lines=[])])
    assert again.rows()[-1] == ("12-01", 11, 5)
    assert again.control("modes")["same_date"] == "last_wins"
    assert again.get("Companies/10").status_code == 401
    assert again.control("clock")["today"] == "2026-05-15"
    again.server.stop()

    fresh = start_autotask(fresh=True)
    assert fresh.rows()[-1] == ("12-01", 10, 5)
    assert fresh.control("modes")["same_date"] == "merge"


def test_reset_brings_the_beginning_back(autotask):
    autotask.adjust("2026-05-20", 1)
    autotask.control("modes", {"missing_row": "404"})
    autotask.control("rights", {"entity": "Companies", "allowed": []})
    autotask.fault("drop_before")
    autotask.control("reset", {})
    assert autotask.rows()[-1] == ("12-01", 10, 5)
    assert autotask.get("Companies/999").json() == {"item": None}
    assert autotask.control("journal", line=90) == {"adjustments": [], "applied": []}


def test_a_database_can_be_added_while_the_stand_in_runs(autotask):
    user = {"user_name": "late@example.com", "secret": "s", "integration_code": "L"}
    about = autotask.control("databases", database(key="late", name="Late", users=[user]))
    assert (about["key"], about["currency"]) == ("late", "EUR")
    late = Api(autotask.url, user)
    assert late.adjust("2026-05-20", 5).status_code == 200
    late.close()
    assert autotask.rows()[-1] == ("12-01", 10, 5)
    assert autotask.control("ledger", line=90, database="late")["lines"][0]["rows"][-1]["units"] == 15


def test_rows_of_loaded_lines_can_be_posted_and_priced(start_autotask):
    units = [{"date": "2026-01-01", "unitChange": 4, "price": "7.5"}, {"date": "2026-03-10", "unitChange": -1}]
    line = {"id": 91, "contractID": 70, "serviceID": 30, "units": units, "posted_through": "2026-02-28"}
    autotask = start_autotask(databases=[database(lines=[line])])
    rows = autotask.control("ledger", contract=70)["lines"][0]["rows"]
    assert [(row["units"], row["posted"] is not None) for row in rows[:4]] == [
        (4, True),
        (4, True),
        (4, False),
        (3, False),
    ]
    assert autotask.rows(91)[0] == ("01-01", 4, 7.5)


def test_customers_in_another_currency_have_internal_amounts_in_the_base_currency(start_autotask):
    currencies = [
        {"id": 1, "name": "EUR", "exchangeRate": 1, "isInternalCurrency": True},
        {"id": 2, "name": "SEK", "exchangeRate": 10},
    ]
    companies = [{"id": 10, "companyName": "Svea AB", "companyType": 1, "currencyID": 2}]
    autotask = start_autotask(databases=[database(currencies=currencies, companies=companies)])
    line = autotask.get("ContractServices/90").json()["item"]
    assert (line["unitPrice"], line["internalCurrencyUnitPrice"]) == (50, 5)
    autotask.adjust("2026-05-15", price=80)
    line = autotask.get("ContractServices/90").json()["item"]
    assert (line["unitPrice"], line["internalCurrencyAdjustedPrice"]) == (50, 8)


def test_a_person_can_change_any_record_behind_the_api(autotask):
    changed = autotask.control("records", {"entity": "Contracts", "id": 70, "values": {"status": 0}})
    assert changed["item"]["status"] == 0
    added = autotask.control(
        "records", {"entity": "Companies", "values": {"companyName": "Typed in", "companyType": 1}}
    )
    assert autotask.find("Companies", "companyName", "eq", "typed in") == [added["item"]["id"]]


def test_twenty_thousand_companies_and_fifty_thousand_contracts_load_in_seconds(start_autotask):
    companies = [{"id": n, "companyName": f"Company {n}", "companyType": 1} for n in range(1, 20_001)]
    contracts = [{"id": n, "companyID": n % 20_000 + 1, "contractName": "C", **CONTRACT} for n in range(1, 50_001)]
    before = time.process_time()
    autotask = start_autotask(databases=[database(companies=companies, contracts=contracts)])
    assert time.process_time() - before < 10
    assert autotask.find("Contracts", "companyID", "eq", 5) == [4, 20_004, 40_004]
    before = time.process_time()
    assert autotask.find("Companies", "companyName", "contains", "19999") == [19_999]
    assert time.process_time() - before < 0.5


def test_writes_that_come_at_once_are_all_applied_once(start_autotask):
    lines = [{"id": 100 + n, "contractID": 70, "serviceID": 30} for n in range(3)]
    autotask = start_autotask(databases=[database(lines=lines)])

    def add_twenty(line):
        api = Api(autotask.url)
        statuses = [api.adjust("2026-05-20", 1, line=line).status_code for _ in range(20)]
        api.close()
        return statuses

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(add_twenty, [100, 101, 102])) == [[200] * 20] * 3
    assert [autotask.rows(line)[-1] for line in (100, 101, 102)] == [("12-01", 20, 5)] * 3
    journal = autotask.control("journal")
    assert len(journal["adjustments"]) == 60
    assert journal["applied"][0] == {"line": 100, "date": "2026-05-20", "times": 20}
