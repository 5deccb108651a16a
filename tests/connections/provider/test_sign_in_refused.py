import pytest
import requests

from portal.far_side import Unauthorized, Unavailable
from tests.connections.provider.login import FIRST, URL, answer, forms, stored, tokens_of


def test_the_application_alone_signs_in_without_a_refresh_token(connection, login):
    login.post(URL, **answer("app", refresh=""))
    assert tokens_of(connection).token(app_only=True) == "app"
    (form,) = forms(login)
    assert (form["grant_type"], "refresh_token" in form) == ("client_credentials", False)
    assert stored(connection) == FIRST


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
    ids=str,
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


def test_a_revoked_sign_in_stops_with_the_steps_to_reconnect(client, far_side):
    client.get("customers")
    far_side.control("tokens", {"revoke": "refresh"})
    far_side.control("tokens", {"revoke": "access"})
    with pytest.raises(Unauthorized, match="reconnect needed"):
        client.get("customers")
