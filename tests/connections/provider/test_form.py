import pytest

from connections.provider.partner_center.form import PartnerCenterForm, probe, probe_client
from connections.sandbox.seed import BROKEN_PARTNER_CENTER, DEMO_PARTNER_CENTER
from portal.far_side import Unauthorized, Unavailable
from tests.connections.provider.conftest import PUBLIC, SECRETS

TYPED = {name: DEMO_PARTNER_CENTER[name] for name in ("tenant_id", "client_id", "client_secret", "refresh_token")}


def test_what_is_typed_is_split_into_settings_and_secrets():
    form = PartnerCenterForm(TYPED | {"client_id": f" {TYPED['client_id'].upper()} "})
    assert form.is_valid()
    assert (form.public_settings(), form.secrets()) == (PUBLIC, SECRETS)


@pytest.mark.parametrize(
    ("field", "value"),
    [("tenant_id", "my tenant"), ("tenant_id", "../common"), ("client_id", "portal"), ("refresh_token", "")],
)
def test_a_wrong_value_is_refused_before_anything_is_sent(field, value):
    form = PartnerCenterForm(TYPED | {field: value})
    assert list(form.errors) == [field]


def test_secrets_are_never_rendered_again():
    form = PartnerCenterForm(TYPED)
    shown = f"{form}"
    assert not any(secret in shown for secret in SECRETS.values())
    assert TYPED["tenant_id"] in shown


def test_working_credentials_pass_every_check_and_keep_the_newest_refresh_token(far_side):
    secrets = dict(SECRETS)
    results = probe(PUBLIC, secrets)
    assert [result.need for result in results if not result.granted] == []
    assert len(results) == 6
    assert secrets["refresh_token"] != SECRETS["refresh_token"]
    assert secrets["client_secret"] == SECRETS["client_secret"]


def test_a_test_of_a_connection_does_not_trust_a_token_from_before(client, far_side):
    client.get("customers")
    far_side.control("tokens", {"revoke": "refresh"})
    with pytest.raises(Unauthorized):
        probe_client(client)


def test_a_probe_changes_nothing_at_microsoft(far_side):
    probe(PUBLIC, dict(SECRETS))
    assert far_side.control("audit")["records"] == []


def test_a_sign_in_without_mfa_is_told_before_microsoft_enforces_it(far_side):
    far_side.control("modes", {"amr_mfa": False, "require_mfa": False})
    missing = [result for result in probe(PUBLIC, dict(SECRETS)) if not result.granted]
    assert [result.need for result in missing] == ["Signed in with multi-factor authentication"]
    assert "multi-factor" in missing[0].advice


def test_a_revoked_refresh_token_is_unauthorized_and_a_dead_service_unavailable(far_side, settings):
    with pytest.raises(Unauthorized, match="reconnect needed"):
        probe(PUBLIC, {name: BROKEN_PARTNER_CENTER[name] for name in SECRETS})
    settings.PARTNER_CENTER_LOGIN_URL = "http://127.0.0.1:9"
    with pytest.raises(Unavailable, match="login service"):
        probe(PUBLIC, dict(SECRETS))
