"""What happens to a connection, and what is written down about it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django_q.models import OrmQ

from connections import actions
from connections.models import Connection, ConnectionSecret, MirrorRefresh
from connections.psa.types import ProbeResult
from connections.refusals import Refused
from portal.audit import MASK, Actor
from portal.far_side import Unauthorized, Unavailable
from portal.models import AuditEntry
from tests.connections.conftest import NOW, SECRETS, a_trial, make_connection

GRANTED = ProbeResult("Read companies", True)
MISSING = ProbeResult("Read contracts", False, "Tick it.")
REFUSED = Unauthorized("Autotask refuses the secret.", "Set it again.", raw="{}")
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def actor(cast):
    return Actor.user(cast.admin)


def create(cast, actor, *results, name="Autotask EUR", organization=None):
    return actions.create_connection(
        organization or cast.csp,
        kind="autotask",
        name=name,
        currency="EUR",
        settings={"user_name": "api@example.com"},
        trial=a_trial(*(results or (GRANTED,)), zone_url="https://webservices14.autotask.net/ATServicesRest/V1.0"),
        key=uuid4(),
        actor=actor,
        now=NOW,
    )


def entry(name):
    return AuditEntry.objects.get(name=name)


def test_a_connection_that_passed_its_test_is_stored_with_its_secrets_sealed(cast, actor):
    connection = create(cast, actor)
    assert (connection.state, connection.tested_at, connection.last_success_at) == ("active", NOW, NOW)
    assert connection.zone_url.startswith("https://webservices14")
    assert connection.probe == [{"need": "Read companies", "granted": True, "advice": "", "optional": False}]
    secrets = {secret.name: secret for secret in ConnectionSecret.objects.all()}
    assert {name: secret.reveal() for name, secret in secrets.items()} == SECRETS
    assert SECRETS["secret"] not in secrets["secret"].ciphertext
    assert secrets["secret"].hint == SECRETS["secret"][-2:]


def test_its_creation_is_audited_without_a_secret(cast, actor):
    connection = create(cast, actor)
    created = entry("Create Connection")
    assert (created.connection_id, created.actor, created.status) == (connection.pk, cast.admin, "succeeded")
    assert created.asked["user_name"] == "api@example.com"
    assert created.asked["secret"].startswith(MASK)
    assert created.asked["integration_code"].startswith(MASK)
    assert created.answered == {"test": {"Read companies": "yes"}}


def test_its_data_are_read_in_the_background_at_once(cast, actor):
    connection = create(cast, actor)
    assert MirrorRefresh.objects.get().connection == connection
    [message] = OrmQ.objects.all()
    assert (message.task["func"], message.task["args"]) == ("connections.tasks.refresh_mirror", (connection.pk,))


def test_a_test_that_found_something_missing_stores_nothing(cast, actor):
    with pytest.raises(Refused):
        create(cast, actor, GRANTED, MISSING)
    assert not Connection.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_name_is_given_once_per_organization(cast, actor):
    create(cast, actor)
    with pytest.raises(Refused, match="exists already"):
        create(cast, actor)
    assert ConnectionSecret.objects.count() == 2
    create(cast, actor, organization=cast.reseller)
    assert Connection.objects.count() == 2


def test_a_failed_attempt_is_remembered(cast, actor):
    asked = {"kind": "autotask", "settings": {"user_name": "a@b.example"}, "actor": actor, "now": NOW}
    actions.record_failed_attempt(cast.csp, **asked, error=REFUSED)
    actions.record_failed_attempt(cast.csp, **asked, trial=a_trial(MISSING))
    second, first = AuditEntry.objects.all()
    assert {first.status, second.status} == {"failed"}
    assert first.answered["message"] == "Autotask refuses the secret."
    assert second.answered == {"test": {"Read contracts": "no: Tick it."}}


def test_new_secrets_replace_the_old_ones_and_let_stopped_work_go_on(cast, actor):
    connection = create(cast, actor)
    actions.mark_unauthorized(connection, REFUSED, now=NOW)
    new = a_trial(GRANTED, secrets={"secret": "new", "integration_code": "CODE"})
    actions.rotate_secrets(connection, settings={"user_name": "b@example.com"}, trial=new, actor=actor, now=LATER)
    assert (connection.state, connection.settings["user_name"]) == ("active", "b@example.com")
    assert connection.secrets.get(name="secret").reveal() == "new"
    rotated = entry("Rotate Connection Secret")
    assert rotated.before["user_name"] == "api@example.com"
    assert "new" not in str(rotated.after["secret"])


def test_what_is_left_empty_with_new_credentials_is_gone_and_other_settings_stay(cast, actor):
    connection = create(cast, actor)
    connection.settings |= {"impersonate_resource_id": 29, "charge_billing_code": 5}
    connection.save()
    actions.rotate_secrets(connection, settings={"user_name": "b@example.com"}, trial=a_trial(), actor=actor, now=LATER)
    assert connection.settings == {"user_name": "b@example.com", "charge_billing_code": 5}


def test_secrets_that_do_not_pass_leave_the_old_ones(cast, actor):
    connection = create(cast, actor)
    with pytest.raises(Refused):
        actions.rotate_secrets(connection, settings={}, trial=a_trial(MISSING), actor=actor, now=LATER)
    assert connection.secrets.get(name="secret").reveal() == SECRETS["secret"]


def test_refused_credentials_stop_the_connection_once_and_tell_people(connection):
    assert actions.mark_unauthorized(connection, REFUSED, now=NOW)
    assert (connection.state, connection.sends) == ("unauthorized", False)
    assert connection.last_failure == "Autotask refuses the secret. Set it again."
    assert not actions.mark_unauthorized(connection, REFUSED, now=LATER)
    stopped = entry("Stop Connection")
    assert (stopped.status, stopped.actor_label) == ("failed", "system: credentials refused")
    assert OrmQ.objects.count() == 1


def test_a_passed_test_lets_it_go_on(cast, actor):
    connection = make_connection(cast.csp, state="unauthorized")
    actions.record_test(connection, a_trial(GRANTED), actor=actor, now=NOW)
    assert (connection.state, connection.tested_at) == ("active", NOW)
    assert entry("Test Connection").status == "succeeded"


def test_a_passed_test_does_not_resume_what_a_person_paused(cast, actor):
    connection = make_connection(cast.csp, state="paused")
    actions.record_test(connection, a_trial(GRANTED), actor=actor, now=NOW)
    assert connection.state == "paused"


def test_a_test_that_finds_something_missing_keeps_the_state_and_says_what(cast, actor):
    connection = make_connection(cast.csp, state="unauthorized")
    actions.record_test(connection, a_trial(GRANTED, MISSING), actor=actor, now=NOW)
    assert connection.state == "unauthorized"
    assert connection.probe[1]["advice"] == "Tick it."
    assert entry("Test Connection").status == "failed"


def test_a_test_without_an_answer_is_remembered_as_a_failure(connection, actor):
    actions.record_test(connection, None, error=Unavailable("No answer.", "Later."), actor=actor, now=NOW)
    assert (connection.last_failure, connection.tested_at) == ("No answer. Later.", None)
    assert entry("Test Connection").answered["message"] == "No answer."


def test_pausing_holds_and_resuming_goes_on(connection, actor):
    actions.pause_connection(connection, actor=actor, now=NOW)
    assert (connection.state, connection.sends) == ("paused", False)
    actions.resume_connection(connection, actor=actor, now=NOW)
    assert connection.sends
    assert entry("Pause Connection").after == {"state": "Paused"}
    assert entry("Resume Connection").before == {"state": "Paused"}


def test_refused_credentials_are_not_resumed_without_a_test(cast, actor):
    connection = make_connection(cast.csp, state="unauthorized")
    with pytest.raises(Refused, match="Test"):
        actions.resume_connection(connection, actor=actor, now=NOW)


def test_a_retired_connection_forgets_its_secrets_and_never_comes_back(cast, actor):
    connection = create(cast, actor)
    actions.retire_connection(connection, actor=actor, now=NOW)
    assert (connection.state, connection.secrets.count()) == ("retired", 0)
    for verb in (actions.pause_connection, actions.resume_connection, actions.retire_connection):
        with pytest.raises(Refused):
            verb(connection, actor=actor, now=NOW)


def test_renaming_is_audited_and_refused_where_the_name_is_taken(cast, connection, actor):
    make_connection(cast.csp, "Second")
    actions.rename_connection(connection, name="First", actor=actor, now=NOW)
    assert (connection.name, entry("Rename Connection").before) == ("First", {"name": "Autotask EUR"})
    with pytest.raises(Refused, match="exists already"):
        actions.rename_connection(connection, name="Second", actor=actor, now=NOW)
    connection.refresh_from_db()
    assert connection.name == "First"


@pytest.mark.parametrize("before", Connection.State.values)
@pytest.mark.parametrize(
    ("verb", "after"),
    [
        (actions.pause_connection, "paused"),
        (actions.resume_connection, "active"),
        (actions.retire_connection, "retired"),
    ],
)
def test_every_transition_that_is_not_allowed_is_refused(cast, actor, before, verb, after):
    connection = make_connection(cast.csp, state=before)
    allowed = after in Connection.TRANSITIONS[before]
    needs_a_test = before in ("unauthorized", "draft") and after == "active"
    if allowed and not needs_a_test:
        verb(connection, actor=actor, now=NOW)
    else:
        with pytest.raises(Refused):
            verb(connection, actor=actor, now=NOW)
    assert Connection.objects.get().state == (after if allowed and not needs_a_test else before)
