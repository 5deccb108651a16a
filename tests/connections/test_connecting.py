"""Making a connection on the pages, and giving it new credentials: against the running sandbox."""

from uuid import uuid4

import pytest
import requests
from django.urls import reverse

from connections.models import Connection, ConnectionSecret
from portal.models import AuditEntry
from tests.connections.conftest import SECRETS
from tests.connections.sandbox.autotask_api import USER

NEW = "/connections/new/autotask/"
TYPED = {"key": str(uuid4()), "user_name": USER["user_name"], **SECRETS}


@pytest.fixture
def admin(as_user, cast):
    return as_user(cast.admin)


def connect(client):
    post(client)
    Connection.objects.update(state="active", name="Autotask EUR", currency="EUR")
    return Connection.objects.get()


def post(client, path=NEW, **typed):
    return client.post(path, TYPED | typed)


def nothing_was_stored():
    return not Connection.objects.exists() and not ConnectionSecret.objects.exists()


def test_the_steps_lead_from_the_kind_over_the_preparation_to_the_credentials(admin):
    first = admin.get(reverse("connections:connection_create")).content.decode()
    assert "?kind=autotask" in first
    assert "?kind=partner_center" in first
    second = admin.get("/connections/new/?kind=autotask").content.decode()
    assert "Security Levels" in second
    assert NEW in second
    third = admin.get(NEW)
    assert (third.status_code, b'aria-current="step">Credentials' in third.content) == (200, True)


def test_good_credentials_make_a_draft_and_lead_on(admin, cast, autotask):
    response = post(admin)
    draft = Connection.objects.get()
    assert response["Location"] == f"/connections/{draft.pk}/set-up/"
    assert (draft.organization, draft.state, draft.currencies) == (cast.csp, "draft", ["EUR"])
    assert draft.zone_url.startswith(autotask.url)
    assert draft.secrets.get(name="secret").reveal() == "right"
    page = admin.get(response["Location"]).content.decode()
    assert "The test has passed" in page
    assert "EUR, the base currency there" in page


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"secret": "wrong"}, "refuses the secret"),
        ({"integration_code": "WRONG"}, "tracking identifier"),
        ({"user_name": "nobody@example.com"}, "API user nobody@example.com"),
    ],
)
def test_credentials_that_fail_make_nothing_and_the_form_comes_back_without_the_secrets(admin, autotask, typed, words):
    response = post(admin, **typed)
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert (TYPED | typed)["user_name"] in page
    assert 'value="right"' not in page
    assert "wrong" not in page.lower().replace("field--wrong", "")
    assert nothing_was_stored()
    failed = AuditEntry.objects.get()
    assert (failed.name, failed.status) == ("Begin Connection", "failed")


def test_a_key_that_is_none_makes_a_draft_with_another(admin, autotask):
    assert post(admin, key="x").status_code == 302
    assert Connection.objects.get().key


def test_a_zone_that_is_not_reached_makes_nothing(admin, settings):
    settings.AUTOTASK_ZONE_URL = "http://127.0.0.1:9/zoneInformation"
    response = post(admin)
    assert (response.status_code, b"does not answer" in response.content) == (422, True)
    assert nothing_was_stored()


def test_a_missing_right_is_shown_and_makes_nothing(admin, autotask):
    requests.post(f"{autotask.url}/_control/rights", json={"entity": "Services", "allowed": []}, timeout=20)
    response = post(admin)
    page = response.content.decode()
    assert response.status_code == 422
    assert "Read services" in page
    assert "Missing" in page
    assert nothing_was_stored()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"secret": ""}, "This field is required"),
        ({"user_name": ""}, "This field is required"),
    ],
)
def test_what_is_typed_wrong_is_said_before_anything_is_asked(admin, settings, typed, words):
    settings.AUTOTASK_ZONE_URL = "http://127.0.0.1:9/never-asked"
    response = post(admin, **typed)
    assert (response.status_code, words in response.content.decode()) == (422, True)
    assert not AuditEntry.objects.exists()


def test_a_kind_that_is_not_known_has_no_page(admin):
    assert admin.get("/connections/new/halo/").status_code == 404
    assert b"Connect Autotask" in admin.get("/connections/new/?kind=halo").content


def test_markup_that_a_far_side_sends_is_shown_as_text(admin, autotask):
    fault = {"fault": "error_500_json", "path": "Companies/entityInformation", "text": "<script>alert(1)</script>"}
    requests.post(f"{autotask.url}/_control/faults", json=fault, timeout=20)
    page = post(admin).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_new_credentials_are_tested_before_the_old_ones_go(admin, autotask):
    connection = connect(admin)
    path = f"/connections/{connection.pk}/credentials/"
    assert USER["user_name"] in admin.get(path).content.decode()
    wrong = post(admin, path, secret="wrong")
    assert (wrong.status_code, b"refuses the secret" in wrong.content) == (422, True)
    assert connection.secrets.get(name="secret").reveal() == "right"
    requests.post(f"{autotask.url}/_control/users", json=USER | {"secret": "newer"}, timeout=20)
    assert post(admin, path, secret="newer").status_code == 302
    assert connection.secrets.get(name="secret").reveal() == "newer"


def test_new_credentials_that_lack_a_right_leave_the_old_ones(admin, autotask):
    connection = connect(admin)
    requests.post(f"{autotask.url}/_control/rights", json={"entity": "Services", "allowed": []}, timeout=20)
    response = post(admin, f"/connections/{connection.pk}/credentials/")
    assert (response.status_code, b"Read services" in response.content) == (422, True)
    assert connection.secrets.get(name="secret").reveal() == "right"
    failed = AuditEntry.objects.get(name="Rotate Connection Secret")
    assert (failed.status, failed.answered["test"]["Read services"][:3]) == ("failed", "no:")
