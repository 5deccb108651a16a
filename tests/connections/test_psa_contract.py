"""What every PSA promises, held against the one in memory and against the real client on the sandbox alike."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connections.psa.base import Psa
from connections.psa.errors import Why, why
from connections.psa.types import AdjustmentRequest, Capabilities, Since
from portal.far_side import OutcomeUnknown, Rejected, Unauthorized, Unavailable
from tests.connections.far_sides import (
    COMPANY,
    CONTRACT,
    JUNE_1,
    LINE,
    MAY_1,
    MAY_10,
    MAY_31,
    PREMIUM,
    SERVICE,
    InMemory,
    OverHttp,
    sandbox,
)


@pytest.fixture(params=["in memory", "over HTTP"])
def far(request, tmp_path, settings):
    if request.param == "in memory":
        yield InMemory()
        return
    with sandbox(tmp_path, settings) as server:
        yield OverHttp(server)


def adjusted(far, day=MAY_10, units=2, **prices):
    far.psa.adjust(AdjustmentRequest(LINE, day, units, **prices))


def shown(far, since=None):
    """(start, units, unit price) of the rows with units."""
    rows = far.psa.unit_rows([LINE], since=since)
    return [(row.starts_on, row.units, row.price / row.units) for row in rows if row.units]


def refusal(far, *args, **kwargs):
    with pytest.raises(Rejected) as caught:
        adjusted(far, *args, **kwargs)
    return why(caught.value)


@pytest.mark.parametrize("verb", [name for name in vars(Psa) if not name.startswith("_")] + ["capabilities"])
def test_every_verb_of_the_port_is_held_against_both(verb):
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_psa_contract*.py"))
    assert f"psa.{verb}" in tests


def test_what_callers_ask_before_they_ask(far):
    assert far.psa.capabilities == Capabilities()
    assert far.psa.currencies()[0] == "EUR"


def test_all_kinds_are_read_whole_in_order_of_their_ids(far):
    assert [each.id for page in far.psa.companies() for each in page] == [0, 10, 11, 12]
    assert [each.id for page in far.psa.services(after_id=30) for each in page] == [31, 32]
    assert [each.id for page in far.psa.contracts() for each in page] == [70, 71, 72]
    assert [each.id for page in far.psa.lines() for each in page] == [90]


def ids(pages):
    return [each.id for page in pages for each in page]


def test_the_psas_own_clock_is_told_with_its_first_answer(far):
    far.psa.company(COMPANY)
    assert far.psa.as_of.date() == date(2026, 5, 15)


def test_what_changed_is_told_by_its_time_and_what_is_new_by_its_id(far):
    assert far.psa.dated() == {"companies", "services", "contracts"}
    far.renames("Renamed")
    yesterday = Since(1000, datetime(2026, 5, 14, tzinfo=UTC))
    assert ids(far.psa.companies(since=yesterday)) == [COMPANY]
    assert ids(far.psa.services(since=yesterday)) == [SERVICE]
    [[contract]] = far.psa.contracts(since=yesterday)
    assert (contract.id, contract.name, contract.modified_at.date()) == (CONTRACT, "Renamed", date(2026, 5, 15))
    tomorrow = datetime(2026, 5, 16, tzinfo=UTC)
    assert ids(far.psa.companies(since=Since(11, tomorrow))) == [12]
    assert ids(far.psa.contracts(since=Since(70, tomorrow), after_id=71)) == [72]


def test_lines_are_told_by_their_ids_and_their_contracts(far):
    line = far.psa.create_line(72, SERVICE, key="yearly")
    tomorrow = datetime(2026, 5, 16, tzinfo=UTC)
    assert ids(far.psa.lines(since=Since(LINE, tomorrow))) == [line]
    assert ids(far.psa.lines(since=Since(10_000, tomorrow, [CONTRACT]))) == [LINE]
    assert ids(far.psa.lines(since=Since(LINE, tomorrow, [CONTRACT, 71]))) == [LINE, line]


def test_a_company_says_what_it_is(far):
    company, vendor = far.psa.company(COMPANY), far.psa.company(12)
    assert (company.name, company.type_label, company.is_active, company.currency) == (
        "Müller Bau GmbH",
        "Customer",
        True,
        "EUR",
    )
    assert vendor.type_label == "Vendor"
    assert not far.psa.company(11).is_active


def test_a_service_says_what_it_costs(far):
    service = far.psa.service(PREMIUM)
    assert (service.name, service.period, service.unit_price, service.unit_cost) == (
        "Premium",
        "monthly",
        Decimal("20.50"),
        Decimal(16),
    )
    assert not far.psa.service(32).is_active


def test_a_contract_says_when_it_holds_and_what(far):
    contract = far.psa.contract(CONTRACT)
    assert (contract.company_id, contract.type_label, contract.period) == (COMPANY, "Recurring Service", "monthly")
    assert (contract.starts_on, contract.ends_on, contract.is_active) == (date(2026, 1, 1), date(2026, 12, 31), True)
    assert far.psa.contract(71).type_label == "Time & Materials"
    assert far.psa.contract(72).period == "yearly"


def test_what_does_not_exist_is_none(far):
    assert far.psa.company(99) is None
    assert far.psa.service(99) is None
    assert far.psa.contract(99) is None
    assert far.psa.lines_of(99) == []
    assert far.psa.unit_rows([99]) == []


def test_a_line_carries_its_key_and_its_prices(far):
    [line] = far.psa.lines_of(CONTRACT)
    assert (line.id, line.service_id, line.key) == (LINE, SERVICE, "sub-1")
    assert (line.unit_price, line.unit_cost) == (Decimal(5), Decimal(4))


def test_a_row_per_period_shows_the_full_count(far):
    rows = far.psa.unit_rows([LINE])
    assert len(rows) == 12
    assert [row.units for row in rows] == [0] * 4 + [10] * 8
    assert (rows[4].starts_on, rows[4].ends_on) == (MAY_1, MAY_31)
    assert (rows[4].price, rows[4].cost, rows[4].posted) == (Decimal(50), Decimal(40), False)


def test_rows_that_ended_before_a_day_are_left_out(far):
    assert far.psa.unit_rows([LINE], since=MAY_31)[0].starts_on == MAY_1
    assert far.psa.unit_rows([LINE], since=JUNE_1)[0].starts_on == JUNE_1


def test_an_adjustment_splits_its_period_and_ripples_to_later_ones(far):
    adjusted(far)
    assert shown(far, since=MAY_1)[:3] == [(MAY_1, 10, 5), (MAY_10, 12, 5), (JUNE_1, 12, 5)]


def test_a_price_holds_for_all_units_from_its_date_on(far):
    adjusted(far, JUNE_1, 0, price=Decimal("5.5"), cost=Decimal("4.25"))
    assert shown(far, since=MAY_1)[:2] == [(MAY_1, 10, 5), (JUNE_1, 10, Decimal("5.5"))]
    assert far.psa.unit_rows([LINE], since=JUNE_1)[0].cost == Decimal("42.5")


def test_a_decrease_without_a_price_keeps_the_price(far):
    adjusted(far, JUNE_1, -10)
    adjusted(far, date(2026, 7, 1), 3)
    assert shown(far, since=MAY_1) == [(MAY_1, 10, 5)] + [(date(2026, month, 1), 3, 5) for month in range(7, 13)]


def test_a_line_is_made_with_no_units_and_found_again_by_its_key(far):
    line_id = far.psa.create_line(CONTRACT, PREMIUM, key="sub-2")
    [line] = far.psa.find_lines(CONTRACT, PREMIUM, key="sub-2")
    assert line.id == line_id
    assert far.psa.find_lines(CONTRACT, PREMIUM, key="sub-3") == []
    assert {row.units for row in far.psa.unit_rows([line_id])} == {0}
    far.psa.adjust(AdjustmentRequest(line_id, MAY_10, 4))
    assert far.psa.unit_rows([line_id], since=MAY_31)[-1].units == 4


def test_two_lines_of_one_service_are_kept_apart_by_their_keys(far):
    far.psa.create_line(CONTRACT, SERVICE, key="sub-2")
    assert len(far.psa.lines_of(CONTRACT)) == 2
    assert [line.id for line in far.psa.find_lines(CONTRACT, SERVICE, key="sub-1")] == [LINE]


def test_what_a_person_changes_there_is_seen_here(far):
    far.person_edits(MAY_10, 1)
    assert shown(far, since=MAY_31)[0][1] == 11


def test_a_date_outside_the_contract_is_refused(far):
    assert refusal(far, date(2027, 1, 1)) is Why.OUTSIDE_CONTRACT
    assert refusal(far, date(2025, 12, 31)) is Why.OUTSIDE_CONTRACT


def test_a_posted_period_is_refused_and_shows_as_posted(far):
    far.posts_through(MAY_31)
    assert refusal(far) is Why.POSTED_PERIOD
    posted = [row.starts_on for row in far.psa.unit_rows([LINE]) if row.posted]
    assert posted[-1] == MAY_1


def test_what_stands_in_line_for_its_turn_takes_effect_once_and_fails_as_it_would_without(far):
    with far.psa.next_in_line():
        far.psa.adjust(AdjustmentRequest(LINE, MAY_10, 4))
    assert far.adjustments_applied() == 1
    with pytest.raises(Rejected), far.psa.next_in_line():
        far.psa.adjust(AdjustmentRequest(9999, MAY_10, 1))


def test_fewer_than_no_units_are_refused(far):
    assert refusal(far, MAY_10, -11) is Why.BELOW_ZERO


def test_a_line_that_is_not_there_is_refused(far):
    with pytest.raises(Rejected) as caught:
        far.psa.adjust(AdjustmentRequest(9999, MAY_10, 1))
    assert why(caught.value) is Why.MISSING_REFERENCE
    with pytest.raises(Rejected) as caught:
        far.psa.create_line(CONTRACT, 9999, key="sub-9")
    assert why(caught.value) is Why.MISSING_REFERENCE


def test_a_second_adjustment_of_a_date_merges_or_is_refused(far):
    adjusted(far)
    adjusted(far)
    assert shown(far, since=MAY_31)[0][1] == 14
    far.refuses_a_second_adjustment_of_a_date()
    assert refusal(far) is Why.DUPLICATE_DATE


@pytest.mark.parametrize(("fault", "applied"), [("drop_before", 0), ("drop_after", 1)])
def test_a_write_without_an_answer_is_unknown_whatever_became_of_it(far, fault, applied):
    far.fails("adjust", fault)
    with pytest.raises(OutcomeUnknown):
        adjusted(far)
    assert far.adjustments_applied() == applied
    assert shown(far, since=MAY_31)[0][1] == 10 + 2 * applied


def test_a_line_whose_creation_went_unanswered_is_found_by_its_key(far):
    far.fails("create_line", "drop_after")
    with pytest.raises(OutcomeUnknown):
        far.psa.create_line(CONTRACT, PREMIUM, key="sub-2")
    assert len(far.psa.find_lines(CONTRACT, PREMIUM, key="sub-2")) == 1


@pytest.mark.parametrize(
    ("fault", "error"), [("reject", Rejected), ("unavailable", Unavailable), ("unauthorized", Unauthorized)]
)
def test_a_refused_write_did_nothing(far, fault, error):
    far.fails("adjust", fault)
    with pytest.raises(error):
        adjusted(far)
    assert far.adjustments_applied() == 0


@pytest.mark.parametrize("verb", ["contract", "unit_rows"])
def test_a_read_without_an_answer_is_unavailable(far, verb):
    far.fails(verb, "drop_before")
    with pytest.raises(Unavailable):
        far.psa.contract(CONTRACT) if verb == "contract" else far.psa.unit_rows([LINE])


def test_a_write_may_be_accepted_and_forgotten(far):
    far.fails("adjust", "swallow")
    adjusted(far)
    assert shown(far, since=MAY_31)[0][1] == 10


def test_a_read_may_be_stale(far):
    adjusted(far)
    far.fails("unit_rows", "stale")
    assert shown(far, since=MAY_31)[0][1] == 10
    assert shown(far, since=MAY_31)[0][1] == 12


def test_what_the_far_side_counts_is_noted_where_it_counts(far):
    """The contract, and the asking itself."""
    far.psa.contract(CONTRACT)
    far.psa.count_requests()
    used = far.counted()
    far.psa.contract(CONTRACT)
    far.psa.count_requests()
    assert far.counted() == used + (2 if used else 0)


def test_the_probe_names_every_right_and_the_missing_one(far):
    assert all(result.granted for result in far.psa.probe())
    far.revokes_reading_contracts()
    [missing] = [result for result in far.psa.probe() if not result.granted]
    assert missing.need == "Read contracts"
    assert missing.advice
