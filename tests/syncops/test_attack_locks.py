"""Everybody locks in one order, and so that rows which only point at a locked one can still be written.

A row that is locked FOR UPDATE cannot be pointed at by anybody until the lock is gone: a worker that writes an audit
entry about a subscription would wait for whoever changes it, who waits for the audit log, which the worker holds.
"""

import ast
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal import provider as port
from portal.actions.lifecycle import UpgradedPart, record_upgraded_in_part
from portal.models import Subscription
from syncops.actions import decide_write, dismiss_operation, retry_operation, sync_now
from syncops.groups import carry_out, decide_group
from syncops.models import SyncOperation
from tests.cast import make_cast, make_variant
from tests.fake_provider import FakeProvider
from tests.fake_psa import a_service
from tests.portal.purchases import advance, make_order
from tests.syncops.desk import TODAY, make_desk
from tests.syncops.mishaps import change_of, keep_looking
from tests.syncops.test_moving import learned, sold_as

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
def test_who_decides_about_many_locks_in_the_same_order(postgres):
    desk = make_desk(make_cast())
    person = {"actor": desk.cast.admin, "now": desk.clock.now}
    desk.map()
    desk.drain()
    with CaptureQueriesContext(connection) as queries:
        for days, again in (
            ((12, 15), lambda: sync_now(desk.subscription.mappings.get(), **person)),
            ((20, 23), lambda: carry_out(group(desk).pk, clock=lambda: desk.clock.now, budget_s=9)),
        ):
            desk.psa.fail_next("adjust", "reject", times=2)
            for day in days:
                desk.change_quantity(day, TODAY.replace(day=day))
                desk.drain()
            assert SyncOperation.objects.filter(state="failed").count() == 2
            again()
            desk.drain()
    assert not SyncOperation.objects.exclude(state="succeeded").exists()
    assert_in_order(queries)


@pytest.mark.django_db(transaction=True)
def test_seats_that_become_another_subscription_lock_in_the_same_order(postgres):
    desk = make_desk(make_cast())
    desk.decide(upgrade="pair")
    desk.map()
    desk.drain()
    better = sold_as(desk, 11, title="Microsoft 365 E5")
    part = UpgradedPart("SUB-NEW", 6, better, list_price=Decimal(30), erp=Decimal(40))
    with CaptureQueriesContext(connection) as queries:
        record_upgraded_in_part(desk.subscription, learned(desk), staying=4, part=part)
        record_upgraded_in_part(desk.subscription, learned(desk), staying=2, part=replace(part, quantity=8))
        desk.drain()
    assert not SyncOperation.objects.exclude(state="succeeded").exists()
    assert_in_order(queries)


@pytest.mark.django_db(transaction=True)
def test_two_who_learn_of_the_same_upgraded_seats_plan_them_once(postgres):
    desk = make_desk(make_cast())
    desk.decide(upgrade="pair")
    desk.map()
    desk.drain()
    better = sold_as(desk, 11, title="Microsoft 365 E5")
    part = UpgradedPart("SUB-NEW", 6, better, list_price=Decimal(30), erp=Decimal(40))
    gate = threading.Barrier(2)

    def learn():
        gate.wait()
        try:
            record_upgraded_in_part(desk.subscription, learned(desk), staying=4, part=part)
        finally:
            connection.close()

    threads = [threading.Thread(target=learn) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert SyncOperation.objects.filter(kind="upgrade").count() == 1
    assert Subscription.objects.filter(external_id="SUB-NEW").count() == 1


def group(desk):
    reason = {"kind": "rejected", "words": "The PSA says no. No."}
    return decide_group("retry", **reason, actor=desk.cast.admin, seen_at=desk.clock.now, now=desk.clock.now)


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
