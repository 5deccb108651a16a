from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from connections.models import Connection
from connections.psa.types import AdjustmentRequest
from portal.models import AuditEntry
from syncops.models import Stream, SyncOperation, Write, Run
from syncops.actions import retry_operation, dismiss_operation, decide_write
from tests.cast import make_subscription, make_variant
from tests.syncops.desk import Desk, operation_of, TODAY

State = SyncOperation.State
DAY = date(2026, 5, 10)
AUG = date(2026, 8, 15)

def neighbour(desk, key="SUB-2"):
    row = make_subscription(desk.subscription.customer, desk.subscription.variant, external_id=key, created_on=TODAY, starts_on=TODAY)
    return Desk(desk.cast, desk.psa, desk.connection, row, clock=desk.clock)

def settle(desk, rounds=40):
    for _ in range(rounds):
        desk.clock.wait(20)
        desk.drain()

class Killed(BaseException):
    pass

def die():
    raise Killed

def test_a_swallow_beside_neighbour(mapped):
    other = neighbour(mapped)
    mapped.psa.fail_next("adjust", "swallow")
    mapped.change_quantity(12, AUG)
    mapped.drain()
    assert operation_of(mapped, "change_quantity").state == State.UNCERTAIN
    other.map()
    mapped.clock.wait(3)
    mapped.drain()
    op = operation_of(mapped, "change_quantity")
    print(op.state, op.proof)
    settle(mapped)
    op = operation_of(mapped, "change_quantity")
    assert (op.state, op.error_kind) == (State.FAILED, "accepted_not_applied")

def test_b_prove_with_narrow_second_read(mapped):
    other = neighbour(mapped)
    other.map()
    mapped.drain()
    mapped.psa.fail_next("adjust", "reject")
    other.change_quantity(11, DAY)
    mapped.clock.wait(1)
    mapped.change_quantity(12, AUG)
    mapped.drain()
    op = operation_of(mapped, "change_quantity")
    assert operation_of(other, "change_quantity").state == State.FAILED
    assert op.state == State.SUCCEEDED
    assert op.proof["matched"]

def test_c_running_dead_then_same_day(mapped):
    mapped.change_quantity(12)
    mapped.psa.meanwhile("unit_rows", die)
    with pytest.raises(Killed):
        mapped.drain()
    mapped.change_quantity(15)
    mapped.clock.wait(121)
    mapped.drain()
    assert mapped.units(DAY) == 15

def test_d_sending_then_paused(mapped):
    mapped.psa.meanwhile("adjust", die)
    mapped.change_quantity(12)
    with pytest.raises(Killed):
        mapped.drain()
    Connection.objects.update(state="paused")
    mapped.clock.wait(121)
    mapped.drain()
    Connection.objects.update(state="active")
    mapped.psa.fail_next("unit_rows", "stale")
    mapped.clock.wait(15*60)
    mapped.drain()
    settle(mapped, 3)
    assert operation_of(mapped, "change_quantity").state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-05-10", 2)]

def test_d2_sending_then_paused_stale(mapped):
    mapped.psa.meanwhile("adjust", die)
    mapped.change_quantity(12)
    with pytest.raises(Killed):
        mapped.drain()
    Connection.objects.update(state="paused")
    mapped.clock.wait(121)
    mapped.drain()
    Connection.objects.update(state="active")
    mapped.psa.fail_next("unit_rows", "stale")
    Stream.objects.update(due=mapped.clock.now)
    mapped.drain()
    settle(mapped, 3)
    assert operation_of(mapped, "change_quantity").state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-05-10", 2)]

def test_e_bug_after_post(mapped):
    def bug():
        raise ValueError("x")
    mapped.psa.meanwhile("adjust", bug)
    mapped.change_quantity(12)
    mapped.drain()
    assert Write.objects.latest("pk").state in Write.UNPROVED
    mapped.psa.fail_next("unit_rows", "stale")
    settle(mapped, 10)
    assert operation_of(mapped, "change_quantity").state == State.SUCCEEDED
    assert mapped.units(DAY) == 12

def test_f_posted_hold_retry(mapped):
    mapped.connection.policies_json = {"posted_period": "hold"}
    mapped.connection.save()
    mapped.psa.post_through(100, date(2026, 5, 31))
    mapped.change_quantity(12, date(2026, 5, 20))
    mapped.drain()
    op = operation_of(mapped, "change_quantity")
    assert (op.state, op.error_kind) == (State.HELD, "posted_period")
    retry_operation(op, actor=mapped.cast.admin, now=mapped.clock.now)
    mapped.drain()
    op.refresh_from_db()
    assert op.state == State.SUCCEEDED
    assert mapped.adjustments() == [("2026-06-01", 2)]

def test_g_duplicate_on_second_write(mapped):
    mapped.change_quantity(15, date(2026, 5, 20))
    mapped.drain()
    mapped.psa.same_date = "duplicate"
    mapped.psa.fail_next("unit_rows", "stale", after=1)
    mapped.change_quantity(12, date(2026, 5, 15))
    mapped.drain()
    settle(mapped, 3)
    op = operation_of(mapped, "change_quantity")
    assert op.state == State.SUCCEEDED, (op.state, op.error)
    print(mapped.adjustments())
    assert [mapped.units(date(2026, 5, d)) for d in (15, 20, 21)] == [12, 17, 15]
    assert sum(g.units for g in op.shortfalls.all()) == -2

def test_g2_duplicate_hold_on_second_write(mapped):
    mapped.connection.policies_json = {"same_date": "hold"}
    mapped.connection.save()
    mapped.change_quantity(15, date(2026, 5, 20))
    mapped.drain()
    mapped.psa.same_date = "duplicate"
    mapped.change_quantity(12, date(2026, 5, 15))
    mapped.drain()
    settle(mapped, 3)
    op = operation_of(mapped, "change_quantity")
    assert op.state == State.HELD, (op.state, op.error)
    assert not Write.objects.filter(state__in=Write.UNPROVED).exists()

def test_h_two_lines_with_key(desk):
    desk.psa.fail_next("create_line", "drop_after")
    desk.map()
    desk.drain()
    desk.psa.add_line(100, 10, key="SUB-1")
    settle(desk, 60)
    op = operation_of(desk)
    assert op.state in State and op.state in SyncOperation.NEEDS_A_PERSON, (op.state, op.error)

def test_i_create_swallowed(desk):
    desk.psa.fail_next("create_line", "swallow", times=10)
    desk.map()
    desk.drain()
    settle(desk, 100)
    op = operation_of(desk)
    assert sum(v == "create_line" for v, _ in desk.psa.calls) == 1
    assert (op.state, op.error_kind) == (State.FAILED, "accepted_not_applied")

def test_j_drop_before_forever(mapped):
    mapped.psa.fail_next("adjust", "drop_before", times=1000)
    mapped.change_quantity(12)
    settle(mapped, 400)
    op = operation_of(mapped, "change_quantity")
    assert op.state in SyncOperation.NEEDS_A_PERSON, (op.state, op.attempts)

def test_k_duplicates_everywhere(mapped):
    mapped.psa._refuse = lambda entry, request: (_ for _ in ()).throw(dup())
    from tests.fake_psa import _no, Why
    def dup():
        return _no(Why.DUPLICATE_DATE, "dup")
    mapped.change_quantity(12)
    mapped.drain()
    settle(mapped, 10)
    op = operation_of(mapped, "change_quantity")
    n = sum(v == "adjust" for v, _ in mapped.psa.calls)
    assert op.state in SyncOperation.NEEDS_A_PERSON, (op.state, n)
    assert n < 20

def test_l_retired(mapped):
    Connection.objects.update(state="retired")
    mapped.change_quantity(12)
    mapped.drain()
    assert operation_of(mapped, "change_quantity").state == State.HELD

def test_n_change_without_mapping(desk):
    desk.psa.fail_next("create_line", "reject")
    desk.map()
    desk.drain()
    assert operation_of(desk).state == State.FAILED
    desk.change_quantity(14)
    desk.drain()
    assert desk.psa.lines_of(100) == []
    op = operation_of(desk, "change_quantity")
    print(op.state, op.waiting_for)
    retry_operation(operation_of(desk), actor=desk.cast.admin, now=desk.clock.now)
    desk.drain()
    settle(desk, 3)
    assert desk.units(DAY) == 14
    assert desk.psa.rows(desk.line)[-1].price == Decimal(70)

def test_o_retry_older_same_day(mapped):
    mapped.psa.fail_next("adjust", "reject")
    mapped.change_quantity(12)
    mapped.drain()
    old = operation_of(mapped, "change_quantity")
    mapped.change_quantity(15)
    mapped.drain()
    assert mapped.units(DAY) == 15
    retry_operation(old, actor=mapped.cast.admin, now=mapped.clock.now)
    mapped.drain()
    assert mapped.units(DAY) == 15

def test_p_landed_late(mapped):
    mapped.psa.fail_next("adjust", "swallow")
    mapped.change_quantity(12)
    mapped.drain()
    settle(mapped)
    op = operation_of(mapped, "change_quantity")
    assert op.error_kind == "accepted_not_applied"
    mapped.psa.adjust(AdjustmentRequest(mapped.line, DAY, 2))
    retry_operation(op, actor=mapped.cast.admin, now=mapped.clock.now)
    mapped.drain()
    settle(mapped, 5)
    assert mapped.units(DAY) == 12

def test_q_swallow_and_foreign(mapped):
    mapped.psa.fail_next("adjust", "swallow")
    mapped.psa.meanwhile("adjust", lambda: mapped.psa.edit(mapped.line, date(2026, 5, 20), 11))
    mapped.change_quantity(12)
    mapped.drain()
    settle(mapped)
    op = operation_of(mapped, "change_quantity")
    assert (op.state, op.error_kind) == (State.FAILED, "accepted_not_applied"), op.state

def test_r_dismiss_ends_audit(mapped):
    mapped.psa.fail_next("unit_rows", "unavailable")
    mapped.change_quantity(12)
    mapped.drain()
    op = operation_of(mapped, "change_quantity")
    dismiss_operation(op, reason="x", actor=mapped.cast.admin, now=mapped.clock.now)
    assert not AuditEntry.objects.filter(status="in_progress", ended_by=None).exists()

def test_s_unknown_then_all_posted(mapped):
    mapped.psa.fail_next("adjust", "drop_before")
    mapped.change_quantity(12)
    mapped.drain()
    mapped.psa.post_through(100, date(2027, 12, 31))
    settle(mapped)
    op = operation_of(mapped, "change_quantity")
    print(op.state, [str(w.state) for w in op.writes.all()], list(op.shortfalls.all()))
    assert op.writes.get().state == "not_applied"

def test_t_poison_read(mapped):
    other = neighbour(mapped)
    other.map(); mapped.drain()
    real = mapped.psa.unit_rows
    bad = mapped.line
    def poisoned(ids, *, since=None):
        if bad in ids:
            raise ValueError("Unit row has no dates")
        return real(ids, since=since)
    mapped.psa.unit_rows = poisoned
    mapped.change_quantity(12)
    other.change_quantity(13)
    for _ in range(40):
        mapped.clock.wait(60)
        mapped.drain()
    assert operation_of(other, "change_quantity").state == State.SUCCEEDED
    assert operation_of(mapped, "change_quantity").state == State.FAILED

def test_u_poison_connection(mapped):
    c2 = Connection.objects.create(organization=mapped.cast.csp, kind="autotask", name="B", currency="EUR", state="active")
    real = mapped.engine
    other = neighbour(mapped)
    other.connection = mapped.connection
    from syncops.engine import Engine
    mapped.change_quantity(12)
    s = Stream.objects.create(connection=c2, subscription=other.subscription, due=mapped.clock.now - timedelta(days=1))
    m = mapped.subscription.mappings.get()
    m.pk=None; m.connection=c2; m.subscription=other.subscription; m.line_id=None; m.save()
    SyncOperation.objects.create(stream=s, sequence=1, mapping=m, organization=mapped.cast.csp, connection=c2, subscription=other.subscription, kind="map_subscription", effective_on=DAY, payload={"units":1,"price":"1","cost":"1"}, created_at=mapped.clock.now)
    def psa(connection):
        if connection.pk == c2.pk:
            raise KeyError("x")
        return mapped.psa
    engine = Engine(clock=mapped.clock, limits=mapped.limits, psa=psa, owner="w")
    engine.drain()
    assert mapped.units(DAY) == 12

def test_v_since_and_partial_then_dismissed(mapped):
    # an op fails after the first of two writes
    mapped.change_quantity(15, date(2026, 5, 20))
    mapped.drain()
    mapped.psa.fail_next("adjust", "reject", after=1, times=2)
    mapped.change_quantity(12, date(2026, 5, 15))
    mapped.drain()
    settle(mapped, 5)
    op = operation_of(mapped, "change_quantity")
    print(op.state, op.error_kind, mapped.adjustments())
    assert op.state == State.FAILED
    mapped.psa._faults.clear()
    mapped.change_quantity(20, date(2026, 9, 10))
    mapped.drain()
    op = operation_of(mapped, "change_quantity")
    print(op.state, mapped.adjustments())
    assert op.proof["matched"]
    assert [mapped.units(d) for d in (date(2026,5,15), date(2026,5,20), date(2026,9,10))] == [10, 15, 20]

def test_v2_same_posted(mapped):
    mapped.change_quantity(15, date(2026, 5, 20))
    mapped.drain()
    mapped.psa.fail_next("adjust", "reject", after=1, times=2)
    mapped.change_quantity(12, date(2026, 5, 15))
    mapped.drain()
    settle(mapped, 5)
    mapped.psa._faults.clear()
    mapped.psa.post_through(100, date(2026, 6, 30))
    mapped.change_quantity(20, date(2026, 9, 10))
    mapped.drain()
    op = operation_of(mapped, "change_quantity")
    print(op.state, op.error, mapped.adjustments())
    assert op.state == State.SUCCEEDED
    assert [mapped.units(d) for d in (date(2026,5,15), date(2026,5,20), date(2026,7,1), date(2026,9,10))] == [12, 17, 15, 20]
    # what cannot be taken back any more is told
    assert op.shortfalls.exists()
