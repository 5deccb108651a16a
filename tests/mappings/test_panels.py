"""What a connection's page says is mapped there."""

from mappings.actions import map_customer
from mappings.models import SubscriptionMapping
from mappings.panels import mapped_panel
from tests.fake_psa import a_company


def page(client, cast, mapping):
    client.force_login(cast.admin)
    return client.get(mapping.connection.get_absolute_url()).content.decode()


def test_a_connection_says_what_is_mapped_on_it(mapping, cast, client):
    assert "Map the customers first, then the offers" in page(client, cast, mapping)
    map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
    mapping.map()
    assert "billed on contracts of this Autotask" in page(client, cast, mapping)


def test_a_mapping_that_ended_is_not_counted(mapping, cast, rf):
    mapping.map()
    SubscriptionMapping.objects.update(starts_on="2026-05-01", ends_on="2026-05-09")
    request = rf.get("/")
    request.user = cast.admin
    assert mapped_panel(request, mapping.connection).context["subscriptions"] == 0


def test_what_maps_nothing_shows_nothing(mapping, rf):
    mapping.connection.kind = "partner_center"
    assert mapped_panel(rf.get("/"), mapping.connection) is None
