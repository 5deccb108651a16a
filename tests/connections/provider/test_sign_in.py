import json
from urllib.parse import parse_qs

import pytest
import requests
import responses
from django.db import connection as database

from connections import vault
from connections.models import ConnectionSecret
from connections.provider.partner_center.auth import GRAPH, PARTNER_CENTER, Cache, Tokens
from connections.provider.partner_center.credentials import StoredKeeper
from connections.sandbox.seed import DEMO_PARTNER_CENTER
from portal.far_side import Unauthorized, Unavailable

LOGIN = "https://login.example"
URL = f"{LOGIN}/{DEMO_PARTNER_CENTER['tenant_id']}/oauth2/v2.0/token"
FIRST = DEMO_PARTNER_CENTER["refresh_token"]


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def login(settings):
    settings.PARTNER_CENTER_LOGIN_URL = LOGIN
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def clock():
    return Clock()


def tokens_of(connection, **options):
    return Tokens(StoredKeeper(connection), **({"cache": Cache()} | options))


def answer(access="access-1", refresh="refresh-1", **more):
    return {
        "json": {"token_type": "Bearer", "expires_in": 3600, "access_token": access, "refresh_token": refresh} | more
    }


def stored(connection, name="refresh_token"):
    return ConnectionSecret.objects.get(connection=connection, name=name).reveal()


def forms(login):
    return [{name: values[0] for name, values in parse_qs(call.request.body.decode()).items()} for call in login.calls]


def test_a_refresh_token_is_redeemed_and_the_newer_one_is_stored_encrypted(connection, login):
    login.post(URL, **answer())
    assert tokens_of(connection).token() == "access-1"
    (form,) = forms(login)
    assert (form["grant_type"], form["refresh_token"]) == ("refresh_token", FIRST)
    assert form["scope"].startswith(f"{PARTNER_CENTER}/.default")
    assert stored(connection) == "refresh-1"
    secret = ConnectionSecret.objects.get(connection=connection, name="refresh_token")
    assert "refresh-1" not in secret.ciphertext
    assert secret.hint == "-1"


@pytest.mark.django_db(transaction=True)
def test_the_newer_refresh_token_is_stored_outside_every_other_transaction(connection, login, monkeypatch):
    login.post(URL, **answer())
    open_while_sending = []
    keep = StoredKeeper.roll
    monkeypatch.setattr(
        StoredKeeper, "roll", lambda *args: open_while_sending.append(database.in_atomic_block) or keep(*args)
    )
    tokens_of(connection).token()
    assert (open_while_sending, stored(connection)) == ([False], "refresh-1")


def test_a_token_is_kept_per_audience_until_shortly_before_it_ends(connection, login, clock):
    login.post(URL, **answer("access-1", expires_in="3600"))
    login.post(URL, **answer("graph-1"))
    login.post(URL, **answer("access-2"))
    tokens = tokens_of(connection, clock=clock)
    assert [tokens.token(), tokens.token(GRAPH), tokens.token(), tokens.token(GRAPH)] == ["access-1", "graph-1"] * 2
    clock.now += 3600 - 300 - 1
    assert tokens.token() == "access-1"
    clock.now += 1
    assert tokens.token() == "access-2"
    assert len(login.calls) == 3


def test_connections_never_share_a_token(make_connection, login):
    login.post(URL, **answer("mine"))
    login.post(URL, **answer("theirs"))
    cache = Cache()
    assert tokens_of(make_connection(), cache=cache).token() == "mine"
    assert tokens_of(make_connection(), cache=cache).token() == "theirs"


def test_a_forgotten_token_is_redeemed_anew(connection, login):
    login.post(URL, **answer("access-1"))
    login.post(URL, **answer("access-2"))
    tokens = tokens_of(connection)
    tokens.forget(tokens.token())
    assert tokens.token() == "access-2"
    tokens.forget("access-1")
    assert tokens.token() == "access-2"


def test_the_application_alone_signs_in_without_a_refresh_token(connection, login):
    login.post(URL, **answer("app", refresh=""))
    assert tokens_of(connection).token(app_only=True) == "app"
    (form,) = forms(login)
    assert (form["grant_type"], "refresh_token" in form) == ("client_credentials", False)
    assert stored(connection) == FIRST


def test_a_token_that_a_person_replaced_meanwhile_is_not_overwritten(connection):
    keeper = StoredKeeper(connection)
    keeper.roll("not what is stored", "an heir of it")
    assert stored(connection) == FIRST


def test_two_processes_that_redeem_one_token_both_get_in(connection, login):
    other = ConnectionSecret.objects.get(connection=connection, name="refresh_token")
    login.post(URL, status=400, json={"error": "invalid_grant", "error_codes": [70000]})
    login.post(URL, **answer())

    def other_process(seconds):
        other.ciphertext = vault.encrypt("theirs", bound_to=ConnectionSecret.binding(connection, "refresh_token"))
        other.save()

    assert tokens_of(connection, sleep=other_process).token() == "access-1"
    assert [form["refresh_token"] for form in forms(login)] == [FIRST, "theirs"]


@pytest.mark.parametrize(
    ("status", "body", "words", "advice"),
    [
        (400, {"error": "invalid_grant", "error_codes": [70000]}, "reconnect needed", "new refresh token"),
        (400, {"error": "invalid_grant", "error_codes": [700082]}, "not used for 90 days", "new refresh token"),
        (400, {"error": "invalid_grant", "error_codes": [50076]}, "multi-factor", "Admin agents"),
        (400, {"error": "interaction_required"}, "sign in again", "new refresh token"),
        (401, {"error": "invalid_client", "error_codes": [7000215]}, "secret is wrong", "Certificates & secrets"),
        (401, {"error": "invalid_client", "error_codes": [7000222]}, "secret has expired", "Certificates & secrets"),
        (400, {"error": "unauthorized_client", "error_codes": [700016]}, "not known in this tenant", "overview page"),
        (400, {"error": "invalid_request", "error_codes": [90002]}, "does not know this tenant", "tenant id"),
        (400, {"error": "something_new"}, "refuses the sign-in", "new refresh token"),
    ],
)
def test_a_refused_sign_in_says_what_is_wrong_and_what_to_do(connection, login, status, body, words, advice):
    login.post(URL, status=status, json=body | {"error_description": "AADSTS: details"})
    with pytest.raises(Unauthorized, match=words) as refusal:
        tokens_of(connection, sleep=lambda seconds: None).token()
    assert advice in refusal.value.advice
    assert "AADSTS: details" in refusal.value.raw
    assert len(login.calls) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 503},
        {"status": 429, "json": {"error": "temporarily_unavailable"}},
        {"status": 200, "body": "<html>"},
        {"status": 200, "json": {"token_type": "Bearer"}},
        {"body": requests.ConnectionError("reset")},
        {"body": requests.ConnectTimeout()},
    ],
    ids=json.dumps and str,
)
def test_a_login_service_in_trouble_is_tried_later(connection, login, trouble):
    login.post(URL, **trouble)
    with pytest.raises(Unavailable, match="login service"):
        tokens_of(connection).token()


def test_a_connection_without_a_refresh_token_needs_one_before_anything_is_sent(make_connection, login):
    with pytest.raises(Unauthorized, match="reconnect needed"):
        tokens_of(make_connection(secrets={"client_secret": "x"}), sleep=lambda seconds: None).token()
    assert not login.calls


def test_secrets_that_the_keys_do_not_open_are_told_apart(connection, login, settings):
    settings.FIELD_KEYS = "another-key-that-is-long-enough-to-be-one"
    with pytest.raises(Unauthorized, match="cannot be read with the configured keys"):
        tokens_of(connection).token()


@pytest.mark.parametrize("mode", ["keep_old", "revoke_old"])
def test_the_token_rolls_on_against_a_running_login_service(connection, client, far_side, mode):
    far_side.control("modes", {"refresh_tokens": mode, "access_token_lifetime": 60})
    assert len(client.get("customers")["items"]) == 25
    first = stored(connection)
    far_side.advance(seconds=61)
    assert len(client.get("customers")["items"]) == 25
    assert len({FIRST, first, stored(connection)}) == 3


def test_a_revoked_sign_in_stops_with_the_steps_to_reconnect(client, far_side):
    client.get("customers")
    far_side.control("tokens", {"revoke": "refresh"})
    far_side.control("tokens", {"revoke": "access"})
    with pytest.raises(Unauthorized, match="reconnect needed"):
        client.get("customers")
