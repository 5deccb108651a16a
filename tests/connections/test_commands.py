"""Connecting and reading from a shell: what is printed, and the exit codes."""

import json
from io import StringIO

import pytest
import requests
from django.core.management import CommandError, call_command

from connections import vault
from connections.models import Connection, ConnectionSecret, MirrorRefresh
from portal.models import AuditEntry
from tests.connections.conftest import SECRETS, make_connection
from tests.connections.sandbox.autotask_api import USER


@pytest.fixture(autouse=True)
def secrets_in_the_environment(monkeypatch):
    for variable in ("AUTOTASK_SECRET", "AUTOTASK_INTEGRATION_CODE", "AUTOTASK_USER"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(f"{variable}_FILE", raising=False)
    monkeypatch.setenv("AUTOTASK_SECRET", SECRETS["secret"])
    monkeypatch.setenv("AUTOTASK_INTEGRATION_CODE", SECRETS["integration_code"])


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def connect(*more, name="Autotask EUR", user=USER["user_name"], organization="Alder Cloud", currency="EUR"):
    given = ["--organization", organization, "--name", name, "--currency", currency]
    return run("connect", "autotask", *given, *(["--user", user] if user else []), *more)


def exit_code(command, *arguments, **options):
    """(exit code, words of the error)"""
    with pytest.raises(CommandError) as caught:
        command(*arguments, **options)
    return caught.value.returncode, str(caught.value)


def test_connecting_prints_what_the_test_found(cast, autotask):
    assert "yes  Read companies\n" in (said := connect())
    assert said.endswith("Autotask EUR is connected.\n")
    assert Connection.objects.get().organization == cast.csp
    assert AuditEntry.objects.get().actor_label == "system: connect"


def test_connecting_answers_scripts_in_json(cast, autotask):
    facts = json.loads(connect("--json"))
    assert facts["connection"] == Connection.objects.get().pk
    assert facts["created"]
    assert {"need": "Read contracts", "granted": True, "advice": "", "optional": False} in facts["test"]


def test_connecting_again_tests_what_is_there_and_changes_nothing(cast, autotask):
    connect()
    assert not json.loads(connect("--json"))["created"]
    assert Connection.objects.count() == 1


def test_connecting_again_with_credentials_that_are_refused_by_now_stops_the_connection(cast, autotask):
    connect()
    requests.post(f"{autotask.url}/_control/users", json=USER | {"secret": "newer"}, timeout=20)
    assert exit_code(connect)[0] == 3
    assert Connection.objects.get().state == "unauthorized"


def test_secrets_and_user_may_come_from_files(cast, autotask, monkeypatch, tmp_path):
    for variable, value in (("AUTOTASK_SECRET", "right"), ("AUTOTASK_USER", USER["user_name"])):
        (tmp_path / variable).write_text(f"{value}\n")
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / variable))
    connect(user=None)
    assert Connection.objects.exists()


@pytest.mark.parametrize(
    ("environment", "options", "code", "words"),
    [
        ({"AUTOTASK_SECRET": "wrong"}, {}, 3, "refuses the secret"),
        ({}, {"user": "nobody@example.com"}, 3, "does not know the API user"),
        ({"AUTOTASK_SECRET": ""}, {}, 1, "AUTOTASK_SECRET: This field is required."),
        (
            {"AUTOTASK_SECRET": "", "AUTOTASK_SECRET_FILE": "/no/such/file"},
            {},
            1,
            "AUTOTASK_SECRET_FILE cannot be read",
        ),
        ({}, {"user": None}, 1, "--user: This field is required."),
        ({}, {"currency": "XQZ"}, 1, "--currency: Enter the three letters"),
        ({}, {"organization": "Nobody"}, 1, "There is no organization called Nobody. There are: Alder Cloud, "),
    ],
)
def test_what_is_refused_is_said_with_a_code_and_nothing_is_stored(
    cast, autotask, monkeypatch, environment, options, code, words
):
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    found = exit_code(connect, **options)
    assert found[0] == code
    assert words in found[1]
    assert not Connection.objects.exists()


def test_an_autotask_that_is_not_reached_has_its_own_code(cast, settings, capsys):
    settings.AUTOTASK_ZONE_URL = "http://127.0.0.1:9/zoneInformation"
    assert exit_code(connect)[0] == 5


def test_a_missing_right_has_its_own_code_and_is_listed(cast, autotask):
    requests.post(f"{autotask.url}/_control/rights", json={"entity": "Services", "allowed": []}, timeout=20)
    out = StringIO()
    given = ["--organization", "Alder Cloud", "--name", "A", "--currency", "EUR", "--user", USER["user_name"]]
    code, _ = exit_code(call_command, "connect", "autotask", *given, stdout=out)
    assert code == 4
    assert "NO   Read services" in out.getvalue()
    assert not Connection.objects.exists()


def test_a_name_that_another_kind_or_a_retired_connection_has_is_refused(cast, autotask):
    make_connection(cast.csp, "Microsoft", kind="partner_center")
    make_connection(cast.csp, "Old", state="retired")
    assert exit_code(connect, name="Microsoft")[0] == 1
    assert exit_code(connect, name="Old")[0] == 1


def test_the_mirror_is_read_in_this_process(connection, far):
    facts = json.loads(run("mirror", "--connection", "Autotask EUR", "--json"))
    assert facts["read"] == {"companies": 4, "services": 3, "contracts": 3, "lines": 1}
    assert facts["state"] == "succeeded"
    assert "read 4 companies, 3 services" in run("mirror", "--connection", "Autotask EUR")


def test_only_what_changed_is_read_where_that_is_asked(connection, far):
    assert exit_code(run, "mirror", "--connection", "Autotask EUR", "--changes")[0] == 1
    run("mirror", "--connection", "Autotask EUR")
    facts = json.loads(run("mirror", "--connection", "Autotask EUR", "--changes", "--json"))
    assert (facts["scope"], facts["state"], facts["gone"]) == ("changes", "succeeded", {})


@pytest.mark.parametrize(
    ("fault", "code", "state"),
    [("unavailable", 5, "running"), ("reject", 1, "failed"), ("unauthorized", 3, "failed")],
)
def test_a_mirror_that_is_not_complete_has_a_code(connection, far, fault, code, state):
    far.psa.fail_next("contracts", fault)
    assert exit_code(run, "mirror", "--connection", "Autotask EUR")[0] == code
    assert MirrorRefresh.objects.get().state == state
    connection.refresh_from_db()
    assert connection.state == ("unauthorized" if fault == "unauthorized" else "active")


def test_a_connection_is_found_by_its_name_and_where_needed_its_organization(cast, connection, far):
    make_connection(cast.other_csp)
    assert exit_code(run, "mirror", "--connection", "No such")[0] == 1
    assert "--organization" in exit_code(run, "mirror", "--connection", "Autotask EUR")[1]
    run("mirror", "--connection", "Autotask EUR", "--organization", "Alder Cloud")


OLD, NEW = "k1:" + "an old key of some length " * 2, "k2:" + "a new key of some length " * 2


@pytest.fixture
def sealed(connection, settings):
    settings.FIELD_KEYS = OLD
    bound_to = ConnectionSecret.binding(connection, "secret")
    return ConnectionSecret.objects.create(
        connection=connection,
        name="secret",
        ciphertext=vault.encrypt("right", bound_to=bound_to),
        set_at=connection.created_at,
    )


def test_secrets_move_to_the_first_key(sealed, settings):
    settings.FIELD_KEYS = f"{NEW},{OLD}"
    assert json.loads(run("rotate_keys", "--json")) == {"keys_before": {"k1": 1}, "rotated": 1, "unreadable": []}
    settings.FIELD_KEYS = NEW
    sealed.refresh_from_db()
    assert sealed.reveal() == "right"
    assert "Re-encrypted 0 secrets; 1 were under the first key" in run("rotate_keys")


def test_a_secret_whose_key_is_gone_is_named_and_left_as_it_is(sealed, settings):
    settings.FIELD_KEYS = NEW
    code, words = exit_code(run, "rotate_keys")
    assert (code, "secret of Autotask EUR" in words) == (1, True)
    settings.FIELD_KEYS = OLD
    assert ConnectionSecret.objects.get().reveal() == "right"
