"""While a connection rehearses, no verb of its PSA writes: neither those that exist nor those that come later."""

import inspect

import pytest

from connections import registry
from connections.models import Connection
from connections.psa.base import Psa
from connections.psa.live_only import READS, Rehearsing, live_only
from tests.fake_psa import WRITES, FakePsa

VERBS = {name for name in vars(Psa) if not name.startswith("_")} | set(inspect.get_annotations(Psa))


def test_every_verb_of_the_port_is_known_to_read_or_to_write():
    assert set(VERBS) == READS | set(WRITES)


@pytest.mark.parametrize("verb", [*WRITES, "delete_contract"])
def test_a_write_is_refused_and_asked_anew_each_time(verb):
    psa, mode = FakePsa(), ["rehearse"]
    psa.delete_contract = psa.adjust = lambda *args, **kwargs: "written"
    guarded = live_only(psa, lambda: mode == ["live"], "Autotask")
    with pytest.raises(Rehearsing, match="Autotask rehearses, so nothing was sent"):
        getattr(guarded, verb)(None)
    assert psa.calls == []
    mode[:] = ["live"]
    assert guarded.adjust(None) == "written"


def test_every_client_of_the_product_stands_behind_the_wall(cast, monkeypatch):
    psa = FakePsa()
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: psa)
    row = Connection.objects.create(organization=cast.csp, kind="autotask", name="Autotask", currency="EUR")
    client = registry.psa_for(row)
    Connection.objects.filter(pk=row.pk).update(mode="rehearse")  # after the client was made
    with pytest.raises(Rehearsing):
        client.extend_contract(1, None)
    assert psa.calls == []
    assert client.companies(after_id=0)
