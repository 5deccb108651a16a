"""A contract that already holds a line of the service: take it over, or add one beside it."""

from datetime import date

import pytest

from syncops.models import SyncOperation
from tests.syncops.flow import Flow, make_flow


@pytest.fixture
def flow(desk, client, monkeypatch, time_machine) -> Flow:
    flow = make_flow(desk, client, monkeypatch, time_machine)
    flow.desk.psa.add_line(100, 10, units=9, since=date(2026, 1, 1), line_id=5001)
    return flow


def test_the_page_says_so_before_anything_is_sent_and_asks(flow: Flow):
    html = flow.preview().content.decode()
    assert "This contract already holds this service" in html
    assert 'value="adopt-5001"' in html
    assert 'value="beside"' in html
    assert "Confirm Sync" not in html


def test_confirming_without_the_choice_is_refused_and_says_what_is_missing(flow: Flow):
    answer = flow.confirm()
    assert answer.status_code == 422
    assert "Choose one before you confirm" in answer.content.decode()
    assert SyncOperation.objects.count() == 0


def test_a_line_that_is_taken_over_gets_the_difference(flow: Flow):
    html = flow.preview(line="adopt-5001").content.decode()
    assert 'value="adopt-5001" required checked' in html
    assert "taking over line 5001" in html
    assert "+1<" in html
    assert "Confirm Sync" in html
    assert flow.confirm(line="adopt-5001").status_code == 302
    mapping = SyncOperation.objects.get().mapping
    assert (mapping.line_id, mapping.adopted) == (5001, True)


def test_a_line_beside_it_gets_everything(flow: Flow):
    html = flow.preview(line="beside").content.decode()
    assert "+10<" in html
    assert flow.confirm(line="beside").status_code == 302
    mapping = SyncOperation.objects.get().mapping
    assert (mapping.line_id, mapping.adopted) == (None, False)


@pytest.mark.parametrize("line", ["adopt-77", "adopt-", "both", "adopt-5001; drop"])
def test_a_line_that_is_not_there_is_refused(flow: Flow, line):
    answer = flow.confirm(line=line)
    assert answer.status_code == 422
    assert SyncOperation.objects.count() == 0
