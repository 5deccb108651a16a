"""Renewing a contract in the stand-in: a new contract, with copies of the lines as they are when the old one ends."""

import pytest


def renew(autotask, **fields):
    return autotask.control("renew", {"contract": 70, "end": "2027-12-31"} | fields)


def line_of(autotask, contract):
    return autotask.control("ledger", contract=contract)["lines"][0]


def test_the_new_contract_follows_the_old_one_with_its_units_and_prices(autotask):
    autotask.adjust("2026-07-01", 3, adjustedUnitPrice=6)
    new = renew(autotask)["contract"]
    assert (new["startDate"][:10], new["endDate"][:10], new["companyID"]) == ("2027-01-01", "2027-12-31", 10)
    assert autotask.get("Contracts/70").json()["item"]["renewedContractID"] == new["id"]
    line = line_of(autotask, new["id"])
    assert (line["serviceID"], line["internalDescription"], len(line["rows"])) == (30, None, 12)
    assert {(row["units"], row["unit_price"], row["posted"]) for row in line["rows"]} == {(13, "6.0000", None)}
    assert autotask.control("ledger", contract=70)["lines"][0]["rows"][-1]["units"] == 13


def test_the_new_one_may_name_the_old_one_and_copy_the_keys(autotask):
    new = renew(autotask, named_on="new", keys=True)["contract"]
    assert new["renewedContractID"] == 70
    assert autotask.get("Contracts/70").json()["item"]["renewedContractID"] is None
    assert line_of(autotask, new["id"])["internalDescription"] == "sub-1"


@pytest.mark.parametrize("fields", [{"contract": 7}, {"end": "2026-12-31"}])
def test_what_cannot_be_renewed_is_refused(autotask, fields):
    with pytest.raises(AssertionError, match="error"):
        renew(autotask, **fields)


def test_a_contract_is_renewed_once(autotask):
    renew(autotask)
    with pytest.raises(AssertionError, match="once"):
        renew(autotask)
