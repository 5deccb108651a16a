"""A change made in Partner Center reaches the Autotask line with its proof, by each way alone, over real HTTP on both
sides and with nobody touching the portal.
"""

import threading
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from connections import provider_tasks
from connections.models import Connection, Hint
from connections.provider.partner_center import registering
from connections.sandbox.seed import DEMO_PARTNER_CENTER
from portal.audit import Actor
from syncops.demo.seed import connect
from syncops.demo.tenant import Tenant
from syncops.models import SyncOperation
from tests.connections.provider.imports import Importing
from tests.connections.sandbox.partner_center_api import PartnerCenter
from tests.syncops.site import open_site

MORNING = datetime(2026, 5, 10, 8, tzinfo=UTC)
MAPPED, CHANGED = date(2026, 5, 10), date(2026, 5, 12)
COPILOT = 7  # the seventh subscription of Noordzee Logistics: 5 seats since the 14th of March


class Both:
    """Partner Center and Autotask, and one subscription that goes from one to the other."""

    def __init__(self, site, far_side, cast, travel):
        self.site, self.far_side, self._travel = site, far_side, travel
        public = ("tenant_id", "client_id")
        kind = Connection.Kind.PARTNER_CENTER
        connection = connect(Tenant(cast.csp, cast.admin), kind, "Partner Center", DEMO_PARTNER_CENTER, public)
        self.importing = Importing(connection, far_side)
        self.importing.clock = timezone.now
        self.importing.only("noordzee-logistics")
        assert self.importing.everything().state == "succeeded"
        site.subscription = self.importing.subscription(number=COPILOT)
        assert site.settle(site.map()).state == SyncOperation.State.SUCCEEDED

    def change(self, **fields):
        self.wait(days=2)
        self.importing.there(self.site.subscription, **fields)

    def wait(self, **time):
        """For everybody: the portal and both far sides go by the machine's clock here."""
        self._travel.shift(timedelta(**time))

    def units(self, day):
        (line,) = self.site.control("ledger", method="GET", key=self.site.subscription.external_id)["lines"]
        return next(row["units"] for row in line["rows"] if row["start"] <= str(day) <= row["end"])

    def settled(self):
        """The operation that followed, once the line proved it."""
        return self.site.settle(SyncOperation.objects.exclude(change=None).get())


@pytest.fixture(autouse=True)
def in_may():
    """Everybody's clock shows that day, but for those that are moved on by hand."""
    with time_machine.travel(MORNING, tick=True) as travel:
        yield travel


@pytest.fixture
def both(cast, tmp_path, settings, in_may):
    settings.EXECUTOR = settings.EXECUTOR | {"quiet_s": 1}
    cache.clear()
    with open_site(cast, tmp_path / "autotask", settings) as site, PartnerCenter(tmp_path / "microsoft") as far_side:
        settings.PARTNER_CENTER_URL = settings.PARTNER_CENTER_LOGIN_URL = far_side.url
        far_side.control("clock", {"real": True})
        far_side.sign_in()
        yield Both(site, far_side, cast, in_may)


def assert_it_arrived(both, quantity, day):
    operation = both.settled()
    assert (operation.state, operation.effective_on) == (SyncOperation.State.SUCCEEDED, day)
    assert operation.change.source == "partner_center"
    assert (both.units(MAPPED), both.units(CHANGED)) == (5, quantity)
    assert operation.runs.exists()


def test_by_audit_records_alone(both):
    both.change(quantity=8)
    both.wait(hours=1)
    both.importing.changes()
    assert_it_arrived(both, 8, CHANGED)


def test_by_the_nightly_comparison_alone(both):
    both.change(quantity=8)
    both.wait(hours=2)
    both.importing.everything()
    assert_it_arrived(both, 8, CHANGED)


class Doorstep(BaseHTTPRequestHandler):
    """Where the stand-in delivers: what came is handed to the portal by the test, in its own thread."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.put((self.path, body, dict(self.headers)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format, *args):
        pass


@pytest.fixture
def doorstep():
    server = HTTPServer(("127.0.0.1", 0), Doorstep)
    server.came = Queue()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_by_a_notification_alone(both, doorstep, settings):
    settings.PUBLIC_URL = f"http://127.0.0.1:{doorstep.server_port}"
    registering.register(both.importing.connection, replace=False, actor=Actor.system("test"), now=timezone.now())
    both.change(quantity=8)
    path, body, headers = doorstep.came.get(timeout=10)
    kind = headers.pop("Content-Type")
    assert Client().post(path, body, content_type=kind, headers=headers).status_code == 200
    provider_tasks.look(Hint.objects.get(state="unverified").pk)
    provider_tasks.look(Hint.objects.waiting().get().pk)
    assert_it_arrived(both, 8, CHANGED)
