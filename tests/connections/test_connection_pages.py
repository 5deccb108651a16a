"""The list of connections, one connection, and what its buttons do."""

from datetime import timedelta

import pytest
from django.urls import reverse

from connections import mirror
from connections.models import Connection, MirroredCompany, MirrorRefresh
from portal import panels
from portal.models import AuditEntry
from portal.panels import Panel, add_panel
from tests.connections.conftest import NOW, make_connection
from tests.queries import assert_same_queries

BUTTONS = ["test", "refresh", "drop", "pause", "resume", "rename", "credentials", "policies", "retire"]
FORMS = ["rename", "credentials", "policies", "retire"]


def address(connection, button=""):
    return f"/connections/{connection.pk}/{button + '/' if button else ''}"


@pytest.fixture
def admin(as_user, cast):
    return as_user(cast.admin)


def test_the_list_shows_the_connections_of_ones_own_organization(admin, cast, connection):
    make_connection(cast.reseller, "Of the reseller")
    make_connection(cast.other_csp, "Of a stranger")
    page = admin.get(reverse("connections:connection_list")).content.decode()
    assert "Autotask EUR" in page
    assert "Active" in page
    assert "Of the reseller" not in page
    assert "Of a stranger" not in page


def test_the_list_is_filtered_by_name_kind_and_state(admin, cast, connection):
    make_connection(cast.csp, "Second one", state="paused")
    make_connection(cast.csp, "Microsoft", kind="partner_center")

    def names(**filters):
        return [row.name for row in admin.get("/connections/", filters).context["page"].rows]

    assert names() == ["Autotask EUR", "Microsoft", "Second one"]
    assert names(q="one second") == ["Second one"]
    assert names(kind="partner_center") == ["Microsoft"]
    assert names(state="paused") == ["Second one"]


def test_an_empty_list_says_what_to_do_next(admin):
    assert reverse("connections:connection_create") in admin.get("/connections/").content.decode()
    assert "No connection matches" in admin.get("/connections/?q=x").content.decode()


def test_the_list_answers_htmx_with_its_table_alone(admin, connection):
    part = admin.get("/connections/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="table"')


def test_more_connections_ask_no_more_questions(admin, cast):
    def make_ten():
        count = Connection.objects.count()
        for number in range(10):
            make_connection(cast.csp, f"Connection {count + number:03}")

    assert_same_queries(admin, "/connections/", make_ten)


def statuses(client, path):
    return {client.get(path).status_code, client.post(path).status_code}


@pytest.mark.parametrize("role", ["billing", "operations", "reader"])
@pytest.mark.parametrize("path", ["", "new/", "new/autotask/", *(f"1/{button}/" for button in BUTTONS)])
def test_only_administrators_come_in(as_user, cast, role, path):
    client = as_user(getattr(cast, role))
    assert {client.get(f"/connections/{path}").status_code, client.post(f"/connections/{path}").status_code} <= {
        403,
        405,
    }


@pytest.mark.parametrize("button", ["", *BUTTONS])
def test_a_connection_of_somebody_else_is_not_there(as_user, cast, connection, button):
    for person in (cast.stranger, cast.reseller_admin):
        assert statuses(as_user(person), address(connection, button)) <= {404, 405}


@pytest.mark.parametrize("button", [button for button in BUTTONS if button not in FORMS])
def test_a_button_is_not_pressed_by_a_link(admin, connection, button):
    assert admin.get(address(connection, button)).status_code == 405


def test_the_page_tells_health_data_credentials_and_policies(admin, connection, far):
    mirror.run_refresh(mirror.start_refresh(connection, now=NOW).pk, clock=lambda: NOW)
    Connection.objects.update(policies_json={"posted_period": "hold"}, last_failure="It was down.")
    page = admin.get(address(connection)).content.decode()
    for words in ("It was down.", "api@example.com", "Companies", "It waits for a person", "By a person", "Refresh"):
        assert words in page
    assert "every 2s" not in page


def test_what_others_know_about_a_connection_is_on_its_page(admin, connection, monkeypatch):
    monkeypatch.setattr(panels, "_panels", {})
    form = {"non_field_errors": [connection.name]}
    source = lambda request, row: Panel("portal/_errors.html", {"form": form}) if row == connection else None  # noqa: E731
    add_panel("connection", source)
    assert f"<p>{connection.name}</p>" in admin.get(address(connection)).content.decode()


def test_a_reading_shows_its_progress_and_asks_again_by_itself(admin, connection, far):
    refresh = mirror.start_refresh(connection, now=NOW)
    MirrorRefresh.objects.filter(pk=refresh.pk).update(counts={"companies": 1234})
    part = admin.get(address(connection), headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<section class="card stack" id="mirror"')
    assert 'hx-trigger="every 2s"' in part
    assert "1234" in part


def test_the_test_button_says_what_it_found(admin, connection, far):
    page = admin.post(address(connection, "test"), follow=True).content.decode()
    assert "every right is there" in page
    far.revokes_reading_contracts()
    page = admin.post(address(connection, "test"), follow=True).content.decode()
    assert "this is missing: Read contracts" in page
    assert "Missing" in page


def test_a_test_with_refused_credentials_stops_the_connection(admin, connection, far):
    far.psa.fail_next("probe", "unauthorized")
    page = admin.post(address(connection, "test"), follow=True).content.decode()
    assert "The PSA refuses the credentials." in page
    assert Connection.objects.get().state == "unauthorized"
    admin.post(address(connection, "test"))
    assert Connection.objects.get().state == "active"


def test_a_test_without_an_answer_says_so(admin, connection, far):
    far.psa.fail_next("probe", "unavailable")
    assert "does not answer" in admin.post(address(connection, "test"), follow=True).content.decode()
    assert Connection.objects.get().state == "active"


def test_a_retired_connection_is_not_tested(admin, cast, far):
    connection = make_connection(cast.csp, state="retired")
    assert "It is retired." in admin.post(address(connection, "test"), follow=True).content.decode()
    assert far.psa.calls == []


def test_the_refresh_button_starts_a_reading(admin, connection, far):
    admin.post(address(connection, "refresh"))
    assert MirrorRefresh.objects.get().state == "running"


def test_a_refresh_that_is_refused_says_why(admin, cast, far):
    connection = make_connection(cast.csp, state="unauthorized")
    assert "Press Test first." in admin.post(address(connection, "refresh"), follow=True).content.decode()


def test_held_rows_are_dropped_on_a_persons_word(admin, connection, far):
    refresh = MirrorRefresh.objects.create(
        connection=connection, state="held", started_at=NOW, gone={"companies": 1}, message="Gone."
    )
    row = {"name": "Old", "search_name": "old", "is_active": True, "read_at": NOW - timedelta(days=1)}
    MirroredCompany.objects.create(connection=connection, remote_id=1, **row)
    assert "Drop them" in admin.get(address(connection)).content.decode()
    admin.post(address(connection, "drop"))
    refresh.refresh_from_db()
    assert (refresh.state, MirroredCompany.objects.count()) == ("succeeded", 0)
    assert admin.post(address(connection, "drop")).status_code == 404


def test_pause_and_resume(admin, connection):
    admin.post(address(connection, "pause"))
    assert "Resume" in admin.get(address(connection)).content.decode()
    admin.post(address(connection, "resume"))
    assert Connection.objects.get().state == "active"
    assert "It is active." in admin.post(address(connection, "resume"), follow=True).content.decode()


def test_rename(admin, cast, connection):
    make_connection(cast.csp, "Second")
    assert admin.get(address(connection, "rename")).status_code == 200
    taken = admin.post(address(connection, "rename"), {"name": "second"})
    assert (taken.status_code, b"exists already" in taken.content, b'value="second"' in taken.content) == (
        422,
        True,
        True,
    )
    admin.post(address(connection, "rename"), {"name": "First"})
    connection.refresh_from_db()
    assert connection.name == "First"


def test_retiring_says_what_stays_before_it_happens(admin, connection):
    assert b"goes on being billed" in admin.get(address(connection, "retire")).content
    assert Connection.objects.get().state == "active"
    admin.post(address(connection, "retire"))
    assert Connection.objects.get().state == "retired"
    assert AuditEntry.objects.get().name == "Retire Connection"


def test_the_first_page_names_connections_that_wait_for_a_person(as_user, cast, connection):
    client = as_user(cast.reader)
    assert "connections-waiting" not in client.get("/").content.decode()
    Connection.objects.update(state="unauthorized", last_failure="The secret is refused.")
    page = client.get("/").content.decode()
    assert "The secret is refused." in page
    assert address(connection) not in page
    assert address(connection) in as_user(cast.admin).get("/").content.decode()
