from datetime import date, timedelta

import pytest
import requests

from connections.sandbox.autotask.server import AutotaskServer
from connections.sandbox.seed import (
    BROKEN_AUTOTASK,
    DEMO_AUTOTASK,
    DEMO_AUTOTASK_RESELLER,
    autotask_databases,
    partner_center_data,
)
from connections.sandbox.seed.companies import COMPANY_IDS, FJORD_UK, GROENE_HART_TWIN, KLINIEK_OLD
from connections.sandbox.seed.contracts import INELIGIBLE, USABLE_MONTHLY
from connections.sandbox.seed.names import CUSTOMERS
from tests.connections.sandbox.partner_center_api import TODAY, subscription_path

MONTHLY, YEARLY, RECURRING, CUSTOMER = 2, 5, 7, 1


@pytest.fixture(scope="module")
def provider():
    return autotask_databases(TODAY)[0]


def by_id(rows):
    return {row["id"]: row for row in rows}


def kept_out(database, contract, *, company, created=TODAY, period=MONTHLY, azure=False):
    """What keeps a contract from a subscription of that company, bought on `created` and billed by that period."""
    companies = by_id(database["companies"])
    owner = companies[contract["companyID"]]
    reasons = {
        "not recurring service": contract["contractType"] != RECURRING,
        "inactive": contract["status"] != 1,
        "starts after the subscription": contract["startDate"] >= created,
        "wrong period type": contract["contractType"] == RECURRING and contract["contractPeriodType"] != period,
        "ended": contract["endDate"] < TODAY,
        "azure not on day 1": azure and contract["startDate"].day != 1,
        "azure ends within 12 months (warning)": azure and contract["endDate"] < TODAY + timedelta(days=365),
        "other currency": owner["currencyID"] != companies[company]["currencyID"],
        "other company": contract["companyID"] != company,
        "inactive company": not owner["isActive"],
    }
    return {reason for reason, holds in reasons.items() if holds}


def test_thirteen_customers_have_a_contract_that_takes_a_monthly_order_at_once(provider):
    contracts = by_id(provider["contracts"])
    usable = [each for each in USABLE_MONTHLY if not kept_out(provider, contracts[each.id], company=each.company)]
    assert len(usable) == len({each.company for each in usable}) == 13
    for each in usable:
        assert contracts[each.id]["endDate"] > date(TODAY.year + 4, 1, 1)


def test_the_usable_contracts_are_older_than_every_active_licence_of_their_customers(provider):
    contracts = by_id(provider["contracts"])
    held = partner_center_data(TODAY)["subscriptions"]
    for customer in CUSTOMERS:
        for each in USABLE_MONTHLY:
            if each.company == COMPANY_IDS.get(customer.key):
                created = [date.fromisoformat(one["creationDate"][:10]) for one in held[customer.tenant_id]]
                assert contracts[each.id]["startDate"] < min(created)


@pytest.mark.parametrize("reason", INELIGIBLE)
def test_every_reason_not_to_be_eligible_has_its_contracts(provider, reason):
    contracts = by_id(provider["contracts"])
    elsewhere = {FJORD_UK: "fjord-analytics", GROENE_HART_TWIN: "groene-hart", KLINIEK_OLD: "kliniek-linde"}
    for number in INELIGIBLE[reason]:
        contract = contracts[number]
        customer = elsewhere.get(contract["companyID"])
        company = COMPANY_IDS[customer] if customer else contract["companyID"]
        created = TODAY - timedelta(days=330) if number == 3212 else TODAY
        found = kept_out(provider, contract, company=company, created=created, azure=reason.startswith("azure"))
        assert reason in found
        assert found <= {reason, "other company"}


def test_one_line_waits_to_be_adopted(provider):
    line = by_id(provider["lines"])[5001]
    contract = by_id(provider["contracts"])[line["contractID"]]
    service = by_id(provider["services"])[line["serviceID"]]
    path = subscription_path("bakkerij-velde", 1)
    held = partner_center_data(TODAY)["subscriptions"][path.split("/")[2]][0]
    assert held["id"] == path.rpartition("/")[2]
    assert contract["companyID"] == COMPANY_IDS["bakkerij-velde"]
    assert (held["offerName"], held["billingCycle"]) == (service["name"], "monthly")
    assert sum(change["unitChange"] for change in line["units"]) == held["quantity"]
    assert held["id"] not in line["internalDescription"]


def test_some_company_names_are_exact_and_most_nearly_match(provider):
    names = {customer.tenant_id: customer.name for customer in CUSTOMERS if not customer.reseller}
    companies = {row["companyName"] for row in provider["companies"] if row["companyType"] == CUSTOMER}
    exact = [name for name in names.values() if name in companies]
    assert 4 <= len(exact) <= 7
    twins = [row["id"] for row in provider["companies"] if row["companyName"] == "Groene Hart Accountants"]
    assert twins == [1011, 1031]
    assert by_id(provider["companies"])[0]["companyName"] == "Northwind Cloud Services"


def test_services_are_exact_near_duplicate_inactive_and_of_every_period(provider):
    services = provider["services"]
    offers = {
        sku["title"] for product in partner_center_data(TODAY)["catalogue"]["products"] for sku in product["skus"]
    }
    assert len([row for row in services if row["name"] in offers and row["periodType"] == MONTHLY]) > 15
    assert len([row for row in services if row["name"] in offers and row["periodType"] == YEARLY]) >= 5
    assert {row["periodType"] for row in services} == {2, 3, 4, 5}
    assert len([row for row in services if row["name"] == "Visio Plan 1"]) == 2
    assert [row["unitPrice"] for row in services if row["name"].startswith("Azure plan")] == [0, 49]
    assert len([row for row in services if not row["isActive"]]) == 3


@pytest.mark.parametrize("today", [TODAY, date(2024, 2, 29), date(2026, 12, 31), date(2026, 3, 31)])
def test_contracts_begin_and_end_where_they_should_on_any_day(today):
    for database in autotask_databases(today):
        contracts = by_id(database["contracts"])
        assert all(row["startDate"] < row["endDate"] for row in contracts.values())
        for line in database["lines"]:
            contract = contracts[line["contractID"]]
            assert all(contract["startDate"] <= change["date"] <= contract["endDate"] for change in line["units"])
    assert by_id(autotask_databases(today)[0]["contracts"])[3008]["startDate"].day == 31


def test_both_databases_answer_over_http_to_their_own_users_alone(tmp_path):
    server = AutotaskServer(tmp_path, databases=autotask_databases(TODAY))
    server.start()
    try:
        assert count(server.url, DEMO_AUTOTASK, "Contracts") == (200, len(autotask_databases(TODAY)[0]["contracts"]))
        assert count(server.url, DEMO_AUTOTASK_RESELLER, "Companies") == (200, 9)
        assert count(server.url, BROKEN_AUTOTASK, "Companies")[0] == 401
    finally:
        server.stop()


def count(url, credentials, entity):
    """(status, rows) of a query for everything."""
    headers = {
        "UserName": credentials["user_name"],
        "Secret": credentials["secret"],
        "ApiIntegrationCode": credentials["integration_code"],
    }
    body = {"filter": [{"op": "gte", "field": "id", "value": 0}]}
    response = requests.post(f"{url}/ATServicesRest/V1.0/{entity}/query", json=body, headers=headers, timeout=10)
    return response.status_code, len(response.json()["items"]) if response.ok else 0
