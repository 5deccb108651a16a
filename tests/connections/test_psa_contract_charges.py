"""What every PSA promises about charges and about the end of a contract, in memory and over HTTP alike."""

from datetime import date
from decimal import Decimal

import pytest

from connections.psa.errors import Why, why
from connections.psa.types import AdjustmentRequest, ChargeRequest
from portal.far_side import OutcomeUnknown, Rejected, Unavailable
from tests.connections.far_sides import CONTRACT, LINE, MAY_10, MAY_31, InMemory, OverHttp, sandbox

LATER = date(2027, 3, 31)


@pytest.fixture(params=["in memory", "over HTTP"])
def far(request, tmp_path, settings):
    if request.param == "in memory":
        yield InMemory()
        return
    with sandbox(tmp_path, settings) as server:
        yield OverHttp(server)


def a_charge(**changes):
    fields = {"contract_id": CONTRACT, "billing_code_id": 21, "name": "Licences of May", "description": "2 units"}
    fields |= {"quantity": Decimal(1), "unit_price": Decimal("7.74"), "unit_cost": Decimal("6.20")}
    return ChargeRequest(**(fields | {"purchased_on": MAY_10, "key": "portal-1"} | changes))


def test_a_charge_is_found_again_by_its_key_on_its_contract(far):
    charge_id = far.psa.create_charge(a_charge())
    [charge] = far.psa.find_charges(CONTRACT, key="portal-1")
    assert (charge.id, charge.name, charge.amount, charge.unit_cost) == (
        charge_id,
        "Licences of May",
        Decimal("7.74"),
        Decimal("6.2"),
    )
    assert (charge.purchased_on, charge.billed) == (MAY_10, False)
    assert far.psa.find_charges(CONTRACT, key="portal-2") == []
    assert far.psa.find_charges(72, key="portal-1") == []


def test_a_charge_may_be_a_credit(far):
    far.psa.create_charge(a_charge(unit_price=Decimal("-7.74"), unit_cost=Decimal(0)))
    assert far.psa.find_charges(CONTRACT, key="portal-1")[0].amount == Decimal("-7.74")


def test_a_charge_says_when_it_was_billed(far):
    far.psa.create_charge(a_charge())
    far.bills_the_charges_of(MAY_31)
    assert far.psa.find_charges(CONTRACT, key="portal-1")[0].billed


def test_charges_are_booked_as_what_the_psa_offers(far):
    assert [(code.id, code.name) for code in far.psa.billing_codes()] == [(21, "Material")]


@pytest.mark.parametrize("wrong", [{"contract_id": 99}, {"billing_code_id": 99}])
def test_a_charge_on_what_is_not_there_is_refused(far, wrong):
    with pytest.raises(Rejected) as caught:
        far.psa.create_charge(a_charge(**wrong))
    assert why(caught.value) is Why.MISSING_REFERENCE


@pytest.mark.parametrize(("fault", "made"), [("drop_before", 0), ("drop_after", 1)])
def test_a_charge_without_an_answer_is_looked_up_by_its_key(far, fault, made):
    far.fails("create_charge", fault)
    with pytest.raises(OutcomeUnknown):
        far.psa.create_charge(a_charge())
    assert len(far.psa.find_charges(CONTRACT, key="portal-1")) == made


def test_a_lookup_without_an_answer_is_unavailable(far):
    far.fails("find_charges", "drop_before")
    with pytest.raises(Unavailable):
        far.psa.find_charges(CONTRACT, key="portal-1")


def test_an_extended_contract_takes_changes_up_to_its_new_end(far):
    day = date(2027, 1, 15)
    with pytest.raises(Rejected) as caught:
        far.psa.adjust(AdjustmentRequest(LINE, day, 1))
    assert why(caught.value) is Why.OUTSIDE_CONTRACT
    far.psa.extend_contract(CONTRACT, LATER)
    assert far.psa.contract(CONTRACT).ends_on == LATER
    far.psa.adjust(AdjustmentRequest(LINE, day, 1))
    rows = far.psa.unit_rows([LINE], since=date(2026, 12, 1))
    assert [(row.starts_on, row.units) for row in rows] == [
        (date(2026, 12, 1), 10),
        (date(2027, 1, 1), 10),
        (day, 11),
        (date(2027, 2, 1), 11),
        (date(2027, 3, 1), 11),
    ]
    assert {row.price / row.units for row in rows} == {Decimal(5)}


def test_a_contract_is_not_ended_before_what_is_posted(far):
    far.posts_through(MAY_31)
    with pytest.raises(Rejected) as caught:
        far.psa.extend_contract(CONTRACT, MAY_10)
    assert why(caught.value) is Why.POSTED_PERIOD


@pytest.mark.parametrize(("fault", "ends_on"), [("drop_before", date(2026, 12, 31)), ("drop_after", LATER)])
def test_an_extension_without_an_answer_is_unknown_whatever_became_of_it(far, fault, ends_on):
    far.fails("extend_contract", fault)
    with pytest.raises(OutcomeUnknown):
        far.psa.extend_contract(CONTRACT, LATER)
    assert far.psa.contract(CONTRACT).ends_on == ends_on
