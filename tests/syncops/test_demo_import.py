"""The demonstration is what Partner Center's stand-in holds: importing finds nothing that differs."""

from datetime import datetime

import pytest

from connections.models import Connection
from connections.provider.partner_center import importer
from connections.sandbox.seed import DEMO_PARTNER_CENTER
from portal.models import Customer, Offer, SubscriptionChange
from syncops.demo.seed import connect
from syncops.demo.tenant import ensure_tenant
from tests.connections.provider.imports import NOON
from tests.connections.sandbox.partner_center_api import TODAY, PartnerCenter


@pytest.fixture
def far_side(tmp_path, settings):
    with PartnerCenter(tmp_path) as running:
        settings.PARTNER_CENTER_URL = settings.PARTNER_CENTER_LOGIN_URL = running.url
        yield running


def test_importing_what_the_demonstration_has_changes_nothing(db, far_side):
    tenant = ensure_tenant(TODAY, NOON)
    connection = connect(
        tenant, Connection.Kind.PARTNER_CENTER, "Partner Center", DEMO_PARTNER_CENTER, ("tenant_id", "client_id")
    )
    customers, offers = Customer.objects.count(), Offer.objects.count()

    def clock() -> datetime:
        return NOON

    row = importer.run_import(importer.start_import(connection, now=NOON).pk, clock=clock)
    assert (row.state, row.problems, row.counts["unchanged"]) == ("succeeded", [], 120)
    assert not SubscriptionChange.objects.exists()
    assert (Customer.objects.count(), Offer.objects.count()) == (customers, offers)
