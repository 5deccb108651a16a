import pytest
from django.db import transaction

from connections import vault
from connections.models import ConnectionSecret
from connections.provider.partner_center.auth import GRAPH, PARTNER_CENTER, Cache
from connections.provider.partner_center.credentials import StoredKeeper
from tests.connections.provider.login import FIRST, URL, answer, forms, stored, tokens_of


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


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
def test_the_newer_refresh_token_is_never_part_of_another_transaction(connection, login):
    login.post(URL, **answer())
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        tokens_of(connection).token()
    tokens_of(connection).token()
    assert stored(connection) == "refresh-1"


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


def test_another_application_never_uses_the_token_of_the_one_before(connection, login):
    login.post(URL, **answer("first"))
    login.post(URL, **answer("second"))
    cache = Cache()
    tokens_of(connection, cache=cache).token()
    connection.settings = connection.settings | {"client_id": "another"}
    assert tokens_of(connection, cache=cache).token() == "second"


def test_a_forgotten_token_is_redeemed_anew(connection, login):
    login.post(URL, **answer("access-1"))
    login.post(URL, **answer("access-2"))
    tokens = tokens_of(connection)
    tokens.forget(tokens.token())
    assert tokens.token() == "access-2"
    tokens.forget("access-1")
    assert tokens.token() == "access-2"


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


@pytest.mark.parametrize("mode", ["keep_old", "revoke_old"])
def test_the_token_rolls_on_against_a_running_login_service(connection, client, far_side, mode):
    far_side.control("modes", {"refresh_tokens": mode, "access_token_lifetime": 60})
    assert len(client.get("customers")["items"]) == 25
    first = stored(connection)
    far_side.advance(seconds=61)
    assert len(client.get("customers")["items"]) == 25
    assert len({FIRST, first, stored(connection)}) == 3
