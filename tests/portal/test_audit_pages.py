from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from portal.audit import Actor, record
from portal.models import AuditEntry
from portal.views.details import Details, Table, changed_rows
from tests.cast import make_customer
from tests.queries import assert_same_queries

AUTOTASK = SimpleNamespace(pk=7, name="Autotask EUR")


def write(cast, name="Create Order", *, person=None, day=10, **details):
    details.setdefault("organization", cast.csp)
    actor = Actor.user(person) if person else Actor.system("worker")
    return record(name, actor=actor, at=datetime(2026, 5, day, 12, tzinfo=UTC), **details)


def names_on(page: str) -> set[str]:
    return {name for name in ("Create Order", "Change Quantity", "Invite Member") if f">{name}</a>" in page}


@pytest.mark.parametrize("role", ["reader", "operations"])
def test_the_log_is_for_those_who_bill_and_administer(cast, as_user, role):
    assert as_user(getattr(cast, role)).get("/audit/").status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Create Order", "Change Quantity", "Invite Member"}),
        ("name=Create+Order", {"Create Order"}),
        ("status=failed", {"Change Quantity"}),
        ("since=2026-05-11", {"Change Quantity", "Invite Member"}),
        ("until=2026-05-11", {"Create Order", "Change Quantity"}),
        ("since=2026-05-11&until=2026-05-11", {"Change Quantity"}),
        ("person=system", {"Create Order"}),
        ("connection=Autotask+EUR", {"Change Quantity"}),
    ],
)
def test_the_list_can_be_narrowed(cast, as_user, query, found):
    write(cast)
    write(cast, "Change Quantity", person=cast.operations, day=11, status="failed", connection=AUTOTASK)
    write(cast, "Invite Member", person=cast.admin, day=12)
    page = as_user(cast.billing).get(f"/audit/?{query}", headers={"HX-Request": "true"}).content.decode()
    assert names_on(page) == found


def test_the_list_can_be_narrowed_to_a_person_and_a_customer(cast, as_user):
    contoso = make_customer(cast.csp)
    write(cast, person=cast.admin, customer=contoso)
    write(cast, "Change Quantity", person=cast.operations)
    client = as_user(cast.billing)
    for query in (f"person={cast.admin.pk}", f"customer={contoso.pk}"):
        page = client.get(f"/audit/?{query}", headers={"HX-Request": "true"}).content.decode()
        assert names_on(page) == {"Create Order"}


def test_a_thing_that_took_time_is_one_row(cast, as_user):
    began = write(cast, status="in_progress")
    write(cast, began=began, day=11)
    page = as_user(cast.billing).get("/audit/").content.decode()
    assert page.count(">Create Order</a>") == 1


def test_a_reseller_reads_its_own_entries_alone(cast, as_user):
    write(cast)
    write(cast, "Change Quantity", organization=cast.reseller)
    assert names_on(as_user(cast.reseller_admin).get("/audit/").content.decode()) == {"Change Quantity"}


def test_the_page_of_an_entry_shows_everything_but_secrets(cast, as_user):
    began = write(cast, status="in_progress", asked={"api_secret": "hunter2", "quantity": 12})
    entry = write(cast, began=began, answered={"http_status": 200}, before={"units": 10}, after={"units": 12})
    page = as_user(cast.billing).get(f"/audit/{entry.pk}/").content.decode()
    assert "hunter2" not in page
    assert "********" in page
    assert "Http status" in page
    assert "<del>10</del>" in page
    assert "<ins>12</ins>" in page
    assert f"/audit/{began.pk}/" in page
    assert f"correlation={entry.correlation_id}" in page
    assert "Unaltered" in page


def test_the_page_of_an_entry_that_was_tampered_with_says_so(cast, as_user, settings):
    entry = write(cast)
    settings.AUDIT_KEY = "as if the content differed"
    assert "Does not hold" in as_user(cast.billing).get(f"/audit/{entry.pk}/").content.decode()


def test_an_entry_of_another_tenant_is_not_there(cast, as_user):
    assert as_user(cast.stranger).get(f"/audit/{write(cast).pk}/").status_code == 404


def test_the_list_asks_the_same_for_ten_rows_and_twenty(cast, as_user):
    contoso = make_customer(cast.csp)
    assert_same_queries(
        as_user(cast.billing),
        "/audit/",
        lambda: [write(cast, person=cast.admin, customer=contoso, connection=AUTOTASK) for _ in range(10)],
    )
    assert AuditEntry.objects.count() == 20


def test_stored_details_are_named_by_their_path():
    stored = {
        "line": {"unit_price": "4.50", "posted": False},
        "errors": [],
        "ids": [1, 2],
        "at": "2026-05-10T12:00:05.25+00:00",
        "no_date": "2026-02-31",
    }
    assert Details.of(stored).rows == (
        ("line › unit price", "4.50"),
        ("line › posted", "no"),
        ("errors", "–"),
        ("ids", "1, 2"),
        ("at", "10\u00a0May\u00a02026, 12:00:05"),
        ("no date", "2026-02-31"),
    )


def test_a_list_of_like_things_is_a_table():
    rows = [{"start": "2026-05-01", "units": 3}, {"start": "2026-06-01", "units": None}]
    assert Details.of({"proof": {"rows": rows}}).tables == (
        Table(
            "proof › rows",
            ((("start", "1\u00a0May\u00a02026"), ("units", "3")), (("start", "1\u00a0Jun\u00a02026"), ("units", "–"))),
        ),
    )


@pytest.mark.parametrize("rows", [[{"a": 1}, {"b": 2}], [{"a": {"b": 1}}], [{"a": 1}, 2], [[1], [2]]])
def test_a_list_of_other_things_is_shown_value_by_value(rows):
    details = Details.of({"rows": rows})
    assert not details.tables
    assert details.rows[0][0].startswith("rows › 1")


def test_what_differs_comes_first():
    rows = changed_rows({"same": 1, "old": 1, "gone": 5}, {"same": 1, "old": 2, "new": 3})
    assert [(row.name, row.before, row.after) for row in rows] == [
        ("old", "1", "2"),
        ("gone", "5", None),
        ("new", None, "3"),
        ("same", "1", "1"),
    ]
