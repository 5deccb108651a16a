"""The client of each connection, and trying credentials over HTTP: each failure in its own words."""

from uuid import uuid4

import pytest
import requests
from django.utils import timezone

from connections.actions import create_connection
from connections.models import Connection
from connections.registry import Trial, credentials_form, psa_for, try_connection, try_credentials
from portal.audit import Actor
from portal.far_side import Unauthorized, Unavailable
from portal.models import Organization
from tests.connections.conftest import SECRETS
from tests.connections.sandbox.autotask_api import USER

SETTINGS = {"user_name": USER["user_name"]}


pytestmark = pytest.mark.usefixtures("cast")


def tried(secrets=SECRETS, **settings):
    organization = Organization.objects.filter(kind="csp").first()
    return try_credentials("autotask", SETTINGS | settings, secrets, uuid4(), organization=organization)


def control(server, path, body):
    assert requests.post(f"{server.url}/_control/{path}", json=body, timeout=20).status_code == 200


def stored(organization):
    return create_connection(
        organization,
        kind="autotask",
        name="Autotask EUR",
        currency="EUR",
        settings=SETTINGS,
        trial=tried(),
        key=uuid4(),
        actor=Actor.system("test"),
        now=timezone.now(),
    )


def test_good_credentials_pass_with_every_right_and_the_zone(autotask):
    trial = tried()
    assert trial.passed
    assert len(trial.results) == 16
    assert trial.secrets == SECRETS
    assert trial.facts["zone_url"] == f"{autotask.url}/ATServicesRest/V1.0"


def test_a_stored_connection_signs_in_with_what_was_stored(cast, autotask):
    connection = Connection.objects.get(pk=stored(cast.csp).pk)
    assert psa_for(connection).contract(70).name == "Monthly"
    assert try_connection(connection).passed


def test_a_connection_follows_its_database_to_another_zone(cast, autotask):
    connection = stored(cast.csp)
    control(autotask, "zone", {})
    assert psa_for(connection).contract(70).name == "Monthly"
    assert Connection.objects.get().zone_url == f"{autotask.url}/zone1/ATServicesRest/V1.0"


@pytest.mark.parametrize(
    ("secrets", "public", "cause", "words"),
    [
        (SECRETS | {"secret": "wrong"}, {}, "credentials", "refuses the secret"),
        (SECRETS | {"integration_code": "WRONG"}, {}, "tracking_identifier", "tracking identifier"),
        (SECRETS, {"user_name": "nobody@example.com"}, "unknown_user", "API user nobody@example.com"),
    ],
)
def test_each_wrong_credential_is_named(autotask, secrets, public, cause, words):
    with pytest.raises(Unauthorized, match=words) as caught:
        tried(secrets, **public)
    assert caught.value.context["cause"] == cause
    assert "In Autotask, open Admin" in caught.value.advice


def test_a_wrong_secret_is_tried_only_once_so_that_the_user_does_not_lock(autotask):
    control(autotask, "modes", {"lock_after": 2})
    with pytest.raises(Unauthorized):
        tried(SECRETS | {"secret": "wrong"})
    assert tried().passed


def test_a_locked_user_is_told_to_be_unlocked(autotask):
    control(autotask, "modes", {"lock_after": 1})
    with pytest.raises(Unauthorized):
        tried(SECRETS | {"secret": "wrong"})
    with pytest.raises(Unauthorized, match="locked"):
        tried()


def test_a_zone_that_is_not_reached_is_named(settings):
    settings.AUTOTASK_ZONE_URL = "http://127.0.0.1:9/zoneInformation"
    with pytest.raises(Unavailable, match=r"zone directory \(127.0.0.1\) does not answer"):
        tried()


def test_an_autotask_that_is_down_is_named(autotask):
    control(autotask, "faults", {"fault": "error_503", "path": "Companies"})
    with pytest.raises(Unavailable, match="out of service"):
        tried()


def test_an_hour_that_is_used_up_is_named(autotask):
    control(autotask, "modes", {"hourly_limit": 3, "hourly_latency": 0})
    with pytest.raises(Unavailable, match="hourly limit"):
        tried()


def test_each_missing_right_is_named_with_the_place_to_give_it(autotask):
    control(autotask, "rights", {"entity": "ContractServiceAdjustments", "allowed": []})
    trial = tried()
    [missing] = [result for result in trial.results if not result.granted]
    assert not trial.passed
    assert missing.need == "Change units and prices"
    assert "Security Levels" in missing.advice


def test_secrets_that_no_key_opens_say_so(cast, autotask, settings):
    connection = stored(cast.csp)
    settings.FIELD_KEYS = "k2:" + "another key " * 4
    with pytest.raises(Unauthorized, match="cannot be opened"):
        psa_for(Connection.objects.get(pk=connection.pk))


@pytest.mark.parametrize("kind", Connection.Kind.values)
def test_every_kind_has_a_form_for_its_credentials(kind):
    form = credentials_form(kind)()
    assert callable(form.public_settings)
    assert callable(form.secrets)


def test_a_trial_never_shows_its_secrets():
    assert "right" not in repr(Trial((), SECRETS))
