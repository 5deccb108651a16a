import uuid

import pytest

from connections.models import Connection
from connections.provider.partner_center.provider import for_organization
from portal.far_side import Rejected, Unauthorized, Unavailable
from portal.models import AuditEntry
from portal.provider import LineRequest, OrderRequest, provider_for
from tests.connections.sandbox.partner_center_api import NOORDZEE


def order(**more):
    line = LineRequest(0, "CFQ7TTC0LH18:0001:CFQ7TTC0876Z", 1, "P1Y", "monthly")
    return OrderRequest(NOORDZEE, (line,), uuid.uuid4(), **more)


def test_an_organization_without_a_connection_is_told_to_connect_first(cast, make_connection):
    make_connection(cast.other_csp)
    make_connection(state="retired")
    make_connection(state="draft")
    with pytest.raises(Rejected, match="no connection to Partner Center") as refusal:
        for_organization(cast.csp)
    assert "Connect Partner Center first" in refusal.value.advice


def test_a_reseller_buys_through_its_csp_and_needs_a_partner_id(cast, connection, far_side):
    provider = provider_for(cast.reseller)
    with pytest.raises(Rejected, match="no Microsoft partner id"):
        provider.create_cart(order(), request_id=uuid.uuid4())
    assert provider.create_cart(order(partner_id="4847383"), request_id=uuid.uuid4())


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"state": "unauthorized", "last_failure": "Sign in again."}, Unauthorized, "Sign in again"),
        ({"state": "paused"}, Unavailable, "is paused"),
        ({"mode": "rehearse"}, Rejected, "rehearses"),
    ],
)
def test_a_connection_that_may_not_send_says_why(cast, make_connection, fields, error, words):
    make_connection(**fields)
    with pytest.raises(error, match=words):
        for_organization(cast.csp)


def test_refused_credentials_stop_the_connection_and_are_audited(provider, connection, far_side):
    far_side.control("modes", {"amr_mfa": False})
    with pytest.raises(Unauthorized, match="without multi-factor"):
        provider.subscription(NOORDZEE, "any")
    connection.refresh_from_db()
    assert connection.state == Connection.State.UNAUTHORIZED
    assert "multi-factor" in connection.last_failure
    assert AuditEntry.objects.filter(name="Stop Connection", connection_id=connection.pk).exists()


def test_an_answer_counts_as_life_even_where_it_is_a_refusal(provider, connection, far_side):
    with pytest.raises(Rejected):
        provider.subscription(str(uuid.uuid4()), "any")
    connection.refresh_from_db()
    assert connection.last_success_at
    assert connection.last_failure_at is None


def test_silence_is_noted_as_a_failure(provider, connection, far_side):
    far_side.control("faults", {"fault": "error_503", "times": 9, "path": "^/v1"})
    with pytest.raises(Unavailable):
        provider.subscription(NOORDZEE, "any")
    connection.refresh_from_db()
    assert "not available" in connection.last_failure
    assert connection.state == Connection.State.ACTIVE
