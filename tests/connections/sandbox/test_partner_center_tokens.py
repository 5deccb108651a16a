import pytest

from tests.connections.sandbox.partner_center_api import API, code, read


def oauth_error(response):
    return response.status_code, response.json()["error"]


def test_the_first_endpoint_writes_numbers_as_text_and_the_second_as_numbers(far_side):
    first, second = read(far_side.token()), read(far_side.token(v2=True))
    assert (first["expires_in"], second["expires_in"]) == ("3600", 3600)
    assert first["resource"] == API
    assert "expires_on" not in second


def test_every_answer_brings_another_refresh_token_and_the_old_one_still_works(far_side):
    first = read(far_side.token())["refresh_token"]
    second = read(far_side.token(refresh_token=first))["refresh_token"]
    assert first != second
    assert far_side.token(refresh_token=first).ok


def test_a_redeemed_refresh_token_can_be_made_to_end(far_side):
    far_side.control("modes", {"refresh_tokens": "revoke_old"})
    first = read(far_side.token())["refresh_token"]
    assert far_side.token(refresh_token=first).ok
    assert oauth_error(far_side.token(refresh_token=first)) == (400, "invalid_grant")


def test_an_unused_refresh_token_dies_after_ninety_days(far_side):
    unused = read(far_side.token())["refresh_token"]
    far_side.advance(days=89)
    assert far_side.token().ok
    far_side.advance(days=2)
    assert far_side.token().ok
    assert oauth_error(far_side.token(refresh_token=unused)) == (400, "invalid_grant")


def test_revoked_refresh_tokens_are_an_invalid_grant(far_side):
    far_side.control("tokens", {"revoke": "refresh"})
    assert oauth_error(far_side.token()) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"client_id": "wrong"}, (400, "unauthorized_client")),
        ({"tenant": "wrong"}, (400, "invalid_request")),
        ({"resource": "https://example.com"}, (400, "invalid_resource")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"refresh_token": "wrong"}, (400, "invalid_grant")),
    ],
)
def test_the_login_service_refuses_in_its_own_form(far_side, form, answer):
    response = far_side.token(**form)
    assert oauth_error(response) == answer
    assert response.json()["error_codes"]


def test_one_refresh_token_serves_several_audiences_but_each_token_only_its_own(far_side):
    far_side.sign_in(resource="https://graph.microsoft.com")
    assert code(far_side.get("/customers")) == (401, 400)
    far_side.sign_in(v2=True, scope=f"offline_access {API}/user_impersonation")
    assert far_side.get("/customers").ok


def test_the_former_graph_audience_is_dead(far_side):
    far_side.sign_in(resource="https://graph.windows.net")
    assert code(far_side.get("/customers")) == (401, 900420)


def test_an_application_alone_may_read_customers_but_no_price_sheets(far_side):
    answer = read(far_side.token(grant_type="client_credentials"))
    assert "refresh_token" not in answer
    far_side.sign_in(grant_type="client_credentials")
    assert far_side.get("/customers").ok
    sheet = "/v1.0/sales/pricesheets(Market='NL',PricesheetView='updatedlicensebased')/$value"
    assert code(far_side.session.get(far_side.url + sheet)) == (403, 900329)


def test_an_expired_token_gets_a_challenge_without_json(far_side):
    far_side.advance(seconds=3601)
    response = far_side.get("/customers")
    assert (response.status_code, response.content) == (401, b"")
    assert "invalid_token" in response.headers["WWW-Authenticate"]


def test_tokens_end_when_the_far_side_revokes_them_or_they_are_tampered_with(far_side):
    genuine = far_side.session.headers["Authorization"]
    far_side.session.headers["Authorization"] = genuine[:-4] + "AAAA"
    assert far_side.get("/customers").status_code == 401
    far_side.session.headers["Authorization"] = genuine
    far_side.control("tokens", {"revoke": "access"})
    assert far_side.get("/customers").status_code == 401


def test_a_call_without_a_token_is_told_so(far_side):
    del far_side.session.headers["Authorization"]
    assert code(far_side.get("/customers")) == (401, 800001)


def test_a_user_without_mfa_is_refused_and_the_probe_says_so_beforehand(far_side):
    probe = {"ValidateMfa": "true"}
    assert far_side.get("/customers", headers=probe).headers["isMfaCompliant"] == "true"
    far_side.control("modes", {"amr_mfa": False})
    far_side.sign_in()
    assert code(far_side.get("/customers")) == (401, 900421)
    far_side.control("modes", {"require_mfa": False})
    response = far_side.get("/customers", headers=probe)
    assert (response.status_code, response.headers["isMfaCompliant"]) == (200, "false")


def test_applications_are_not_asked_for_mfa(far_side):
    far_side.control("modes", {"amr_mfa": False})
    far_side.sign_in(grant_type="client_credentials")
    assert far_side.get("/customers").ok
