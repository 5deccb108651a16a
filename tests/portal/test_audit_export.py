"""The audit log as a file: what the list shows, for those who may see it."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from portal.audit import Actor, record
from portal.views import audit
from tests.cast import make_customer


def write(organization, name="Create Order", *, day=10, **details):
    return record(
        name,
        actor=Actor.system("worker"),
        organization=organization,
        at=datetime(2026, 5, day, 23, 30, tzinfo=UTC),
        **details,
    )


def export(client, query="", kind="csv") -> list[list[str]]:
    content = client.get(f"/audit/export/{kind}/{query}").getvalue()
    if kind == "xlsx":
        return [[cell.value for cell in row] for row in load_workbook(io.BytesIO(content)).active.iter_rows()]
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_file_holds_what_the_filters_leave(cast, as_user, kind):
    contoso = make_customer(cast.csp)
    write(cast.csp, customer=contoso, asked={"quantity": 5, "secret": "hunter2"}, subject="=cmd()")
    write(cast.csp, "Change Quantity", day=11)
    header, *rows = export(as_user(cast.billing), "?name=Create+Order", kind)
    assert len(rows) == 1
    found = dict(zip(header, rows[0], strict=True))
    assert (found["Operation"], found["Customer"], found["Subject"]) == ("Create Order", str(contoso), "'=cmd()")
    assert '"quantity": 5' in found["Asked"]
    assert "hunter2" not in str(rows)


def test_moments_are_in_the_zone_of_the_organization(cast, as_user):
    cast.csp.time_zone = "Europe/Berlin"
    cast.csp.save()
    write(cast.csp)
    header, row = export(as_user(cast.billing))
    assert dict(zip(header, row, strict=True))["Started"] == "2026-05-11T01:30:00+02:00"


def test_a_reseller_exports_its_own_and_strangers_nothing_of_it(cast, as_user):
    write(cast.csp, "Of the CSP")
    write(cast.reseller, "Of the reseller")
    names = {row[3] for row in export(as_user(cast.reseller_admin))[1:]}
    assert names == {"Of the reseller"}
    assert export(as_user(cast.stranger))[1:] == []


def test_readers_export_nothing(cast, as_user):
    assert as_user(cast.reader).get("/audit/export/csv/").status_code == 403
    assert as_user(cast.billing).get("/audit/export/exe/").status_code == 404


def test_more_than_a_spreadsheet_holds_is_asked_to_be_narrowed(cast, as_user, monkeypatch):
    monkeypatch.setattr(audit, "MOST_ROWS", 1)
    for _ in range(2):
        write(cast.csp)
    answer = as_user(cast.billing).get("/audit/export/csv/?status=succeeded&after=1", follow=True)
    assert answer.redirect_chain == [("/audit/?status=succeeded", 302)]
    assert "Choose a shorter range of dates" in answer.content.decode()


def test_a_filter_that_is_not_understood_exports_nothing_instead_of_everything(cast, as_user):
    write(cast.csp)
    answer = as_user(cast.billing).get("/audit/export/csv/?since=yesterday", follow=True)
    assert answer.redirect_chain == [("/audit/?since=yesterday", 302)]


def test_twice_the_rows_take_no_more_queries(cast, as_user):
    def make_ten():
        for _ in range(10):
            write(cast.csp, customer=contoso)

    contoso = make_customer(cast.csp)
    client, found = as_user(cast.billing), []
    write(cast.csp)
    export(client)  # the first request of all fills what is remembered between requests
    for _ in range(2):
        make_ten()
        with CaptureQueriesContext(connection) as captured:
            assert len(export(client)) > 10
        found.append(len(captured))
    assert found[0] == found[1]


def test_the_page_links_to_the_files_with_its_filters(cast, as_user):
    write(cast.csp)
    page = as_user(cast.billing).get("/audit/?status=succeeded").content.decode()
    assert 'href="/audit/export/csv/?status=succeeded"' in page
    assert 'href="/audit/export/xlsx/?status=succeeded"' in page
