"""Everybody locks in one order, and so that rows which only point at a locked one can still be written.

A row that is locked FOR UPDATE cannot be pointed at by anybody until the lock is gone: a worker that writes an audit
entry about a subscription would wait for whoever changes it, who waits for the audit log, which the worker holds.
"""

import ast
import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import provider as port
from portal.models import Subscription
from syncops.actions import decide_write, dismiss_operation, retry_operation
from syncops.models import SyncOperation
from tests.cast import make_cast, make_variant
from tests.fake_provider import FakeProvider
from tests.fake_psa import a_service
from tests.portal.purchases import advance, make_order
from tests.syncops.desk import TODAY, make_desk
from tests.syncops.mishaps import change_of, keep_looking

RANKS = {
    name: rank
    for rank, name in enumerate(
        ("portal_order", "portal_subscription", "syncops_stream", "syncops_syncoperation", "portal_audithead")
    )
}
LOCKS = re.compile(r'^SELECT .*FROM "(\w+)".* FOR NO KEY UPDATE', re.DOTALL)


def test_a_locked_row_may_still_be_pointed_at():
    found = []
    for app in ("portal", "connections", "mappings", "syncops"):
        for file in (settings.BASE_DIR / app).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".select_for_update"):
                    found += [] if "no_key" in {word.arg for word in node.keywords} else [f"{file}:{node.lineno}"]
    assert found == []


def transactions(queries: list[dict[str, str]]) -> Iterator[list[str]]:
    """The tables in which each transaction locked rows, in its order; a row that it holds already counts once.

    Whoever holds an order's subscriptions holds the way to their streams as well.
    """
    locked: dict[tuple[str, str], str] = {}
    for query in queries:
        sql = query["sql"]
        if sql.startswith(("BEGIN", "COMMIT", "ROLLBACK;")):
            yield list(locked.values())
            locked = {}
        elif (lock := LOCKS.match(sql)) and lock[1] in RANKS:
            whole_order = any("order_line" in where for _, where in locked)
            if not (whole_order and lock[1] in ("portal_subscription", "syncops_stream")):
                locked.setdefault((lock[1], sql.replace("portal_orderline", "order_line")), lock[1])
    yield list(locked.values())


def assert_in_order(queries: CaptureQueriesContext) -> None:
    found = [locked for locked in transactions(queries.captured_queries) if len(locked) > 1]
    assert found
    assert [locked for locked in found if locked != sorted(locked, key=RANKS.__getitem__)] == []


@pytest.fixture
def postgres():
    if connection.vendor != "postgresql":
        pytest.skip("Locks are only seen on PostgreSQL. Set DATABASE_URL to a server of yours (postgres://…).")


@pytest.mark.django_db(transaction=True)
def test_workers_and_people_lock_in_the_same_order(postgres):
    desk = make_desk(make_cast())
    person = {"actor": desk.cast.admin, "now": desk.clock.now}
    with CaptureQueriesContext(connection) as queries:
        desk.map()
        desk.drain()
        desk.psa.fail_next("adjust", "reject")
        desk.change_quantity(12)
        desk.drain()
        retry_operation(change_of(desk), **person)
        desk.psa.fail_next("adjust", "drop_before")
        desk.drain()
        desk.psa.edit(desk.line, TODAY.replace(day=20), 11)
        keep_looking(desk, minutes=8)
        decide_write(change_of(desk), applied=False, reason="Seen.", **person)
        dismiss_operation(change_of(desk), reason="No.", **person)
    assert SyncOperation.objects.filter(state="dismissed").count() == 1
    assert_in_order(queries)


@pytest.mark.django_db(transaction=True)
def test_an_order_of_which_one_line_fails_holds_all_its_subscriptions_before_the_audit_log(postgres, monkeypatch):
    desk, provider = make_desk(make_cast()), FakeProvider()
    monkeypatch.setattr(port, "import_string", lambda name: provider)
    variants = [make_variant(desk.cast.csp, title) for title in ("Failing", "Working")]
    provider.fail_provisioning_of = {variants[0].catalog_item_id}
    order = make_order(desk.cast.admin, *variants, customer=desk.subscription.customer)
    for number, desk.subscription in enumerate(Subscription.objects.filter(order_line__order=order), start=20):
        desk.psa._services[number] = a_service(number)
        desk.map(service_id=number, add_beside=True)
    with CaptureQueriesContext(connection) as queries:
        advance(order)
    assert order.state == "partly_failed"
    assert_in_order(queries)
