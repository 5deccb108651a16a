"""What every PSA promises about making services and contracts, in memory and over HTTP alike."""

from datetime import date
from decimal import Decimal

import pytest

from connections.psa.errors import Why, why
from connections.psa.types import ContractRequest, ServiceRequest
from portal.far_side import OutcomeUnknown, Rejected
from tests.connections.far_sides import COMPANY, InMemory, OverHttp, sandbox


@pytest.fixture(params=["in memory", "over HTTP"])
def far(request, tmp_path, settings):
    if request.param == "in memory":
        yield InMemory()
        return
    with sandbox(tmp_path, settings) as server:
        yield OverHttp(server)


def a_service(**changes):
    fields = {"name": "Microsoft 365 E5", "period": "yearly", "billing_code_id": 20, "note": "portal-1"}
    return ServiceRequest(**(fields | {"unit_price": Decimal("54.75"), "unit_cost": Decimal("43.8")} | changes))


def a_contract(**changes):
    days = {"starts_on": date(2026, 5, 1), "ends_on": date(2027, 4, 30)}
    return ContractRequest(
        **({"company_id": COMPANY, "name": "CSP", "period": "monthly", "number": "p-1"} | days | changes)
    )


def test_a_service_is_made_and_found_again_by_its_note(far):
    made = far.psa.create_service(a_service())
    [service] = far.psa.find_services(note="portal-1")
    assert (service.id, service.name, service.period, service.is_active) == (made, "Microsoft 365 E5", "yearly", True)
    assert (service.unit_price, service.unit_cost) == (Decimal("54.75"), Decimal("43.8"))
    assert far.psa.service(made).name == service.name
    assert far.psa.find_services(note="portal") == []


def test_a_contract_is_made_and_found_again_by_its_number_at_its_company(far):
    made = far.psa.create_contract(a_contract(billing="Manually"))
    [contract] = far.psa.find_contracts(COMPANY, number="p-1")
    assert (contract.id, contract.name, contract.period) == (made, "CSP", "monthly")
    assert (contract.type_label, contract.is_active) == ("Recurring Service", True)
    assert (contract.starts_on, contract.ends_on) == (date(2026, 5, 1), date(2027, 4, 30))
    assert far.psa.contract(made).number == contract.number
    assert far.psa.find_contracts(11, number="p-1") == []


def test_what_can_be_chosen_for_them(far):
    assert [(code.id, code.name) for code in far.psa.billing_codes(of_services=True)] == [(20, "Recurring")]
    assert "Manually" in far.psa.billing_preferences()


def test_what_is_not_there_is_refused(far):
    for make in (
        lambda: far.psa.create_service(a_service(billing_code_id=99)),
        lambda: far.psa.create_contract(a_contract(company_id=99)),
    ):
        with pytest.raises(Rejected) as caught:
            make()
        assert why(caught.value) is Why.MISSING_REFERENCE


@pytest.mark.parametrize(("fault", "made"), [("drop_before", 0), ("drop_after", 1)])
def test_without_an_answer_each_is_looked_up(far, fault, made):
    far.fails("create_service", fault)
    with pytest.raises(OutcomeUnknown):
        far.psa.create_service(a_service())
    assert len(far.psa.find_services(note="portal-1")) == made
    far.fails("create_contract", fault)
    with pytest.raises(OutcomeUnknown):
        far.psa.create_contract(a_contract())
    assert len(far.psa.find_contracts(COMPANY, number="p-1")) == made


@pytest.mark.parametrize("noun", ["service", "contract"])
def test_the_right_to_make_them_is_asked_for_only_here(far, noun):
    assert far.psa.missing_right(noun) == ""
    far.revokes_creating(noun)
    assert noun in far.psa.missing_right(noun)
    assert all(result.granted or result.optional for result in far.psa.probe())
