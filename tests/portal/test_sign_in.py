import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from portal.models import User
from tests.cast import PASSWORD

PAGES_OF_ONES_OWN = [
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/password/change/",
    "/accounts/sessions/",
    "/accounts/logout/",
]


@pytest.fixture
def admin(cast):
    cast.admin.set_password(PASSWORD)
    cast.admin.save()
    return cast.admin


def sign_in(client, user: User, password: str = PASSWORD):
    return client.post("/accounts/login/", {"login": user.email, "password": password})


def test_signing_in_leads_to_the_overview(client, admin):
    response = sign_in(client, admin)
    assert (response.status_code, response.headers["Location"]) == (302, "/")


def test_a_wrong_password_keeps_the_address_that_was_typed(client, admin):
    page = sign_in(client, admin, "wrong").content.decode()
    assert f'value="{admin.email}"' in page
    assert 'role="alert"' in page


def test_nobody_signs_up(client, db):
    assert "Sign up" not in client.get("/accounts/login/").content.decode()
    client.post("/accounts/signup/", {"email": "x@x.example", "password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.exists()


def test_a_page_asked_for_before_signing_in_comes_after_it(client, cast):
    assert client.get("/customers/?q=a").headers["Location"] == "/accounts/login/?next=/customers/%3Fq%3Da"


@pytest.mark.parametrize("url", PAGES_OF_ONES_OWN)
def test_ones_own_pages_are_in_the_portals_look(client, admin, url):
    sign_in(client, admin)
    response = client.get(url, follow=True)
    page = response.content.decode()
    assert response.status_code == 200
    assert 'class="frame"' in page
    assert "portal/app.css" in page
    assert "Menu:" not in page


@pytest.mark.parametrize(
    "url", ["/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/key/1-a-b/"]
)
def test_pages_on_the_way_in_are_in_the_portals_look(client, db, url):
    assert 'class="entrance"' in client.get(url).content.decode()


def test_who_must_have_a_second_factor_is_led_to_it_and_told_why(client, admin, cast):
    cast.csp.require_mfa = True
    cast.csp.save()
    sign_in(client, admin)
    page = client.get("/customers/", follow=True)
    assert page.request["PATH_INFO"] == "/accounts/2fa/"
    assert "Alder Cloud asks everybody for a second factor" in page.content.decode()


def test_changing_how_one_signs_in_asks_for_the_password_again(client, admin):
    sign_in(client, admin)
    response = client.get("/accounts/2fa/totp/activate/", follow=True)
    assert "Confirm that it is you" in response.content.decode()


def test_a_second_factor_is_set_up_and_opens_the_portal(client, admin, cast):
    cast.csp.require_mfa = True
    cast.csp.save()
    sign_in(client, admin)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    form = client.get("/accounts/2fa/totp/activate/")
    secret = form.context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    client.post("/accounts/2fa/totp/activate/", {"code": code})
    assert client.get("/customers/").status_code == 200


def test_the_sessions_page_lists_where_one_is_signed_in(client, admin):
    sign_in(client, admin)
    page = client.get("/accounts/sessions/").content.decode()
    assert "This one" in page
    assert "127.0.0.1" in page
