"""Random histories of lines: what customers, Autotask's people and every kind of mishap do to them in 18 months.

One seed is one history. `History.play` lives it, `mend` then takes every mishap away and lets people decide and retry;
what the lines have to show is told day by day from what was recorded, without the product's timelines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from operator import itemgetter
from random import Random
from typing import Any

from connections.models import Connection, MirroredContract
from connections.psa.types import Contract, UnitRow
from portal.far_side import FarSideError
from syncops.actions import NotPossible, decide_write, dismiss_operation, retry_operation
from syncops.dues import go_on
from syncops.models import Shortfall, Stream, SyncOperation, Write
from syncops.stops import POSTED_SINCE
from syncops.undoing import undo_operation
from tests.cast import Cast, make_subscription
from tests.fake_psa import FakePsa, a_company, a_contract, a_service, period_starts
from tests.syncops.desk import NOON, TODAY, Desk, HandClock, make_desk
from tests.syncops.late import charge, draft

DAY = timedelta(days=1)
UNMISTAKABLE = 97  # units; no change of ours is as large
BEYOND = "beyond_contract"
LEAP_DAY, BEFORE_A_LEAP_DAY = date(2028, 2, 29), date(2027, 9, 30)
FAULTS = {
    "contract": ("unavailable", "drop_after", "unauthorized"),
    "unit_rows": ("unavailable", "drop_before", "unauthorized"),
    "find_lines": ("unavailable", "drop_after"),
    "create_line": ("drop_before", "drop_after", "reject", "unavailable", "swallow", "nameless"),
    "adjust": ("drop_before", "drop_after", "reject", "unavailable", "swallow", "unauthorized"),
    "extend_contract": ("drop_before", "drop_after", "reject", "unavailable", "swallow"),
    "find_charges": ("unavailable", "drop_after"),
    "create_charge": ("drop_before", "drop_after", "reject", "unavailable", "swallow", "nameless"),
}
STEPS = ("contract", "find_lines", "create_line", *["unit_rows", "adjust"] * 4)
ERRANDS = {"renew": ("contract", "extend_contract"), "charge": ("find_charges", "create_charge")}


class Killed(BaseException):
    """The worker's process is gone, whatever it was doing."""


class SlowPsa(FakePsa):
    """A PSA in memory that may show a line once more as it was before its last write."""

    def __init__(self, **rows: Any) -> None:
        super().__init__(**rows)
        self.lagging: set[int] = set()
        self.met: Counter[str] = Counter()

    def _call(self, verb: str, argument: Any) -> Any:
        self.met.update(f"{verb} {fault}" for fault in self._faults[verb][:1] if fault)
        return super()._call(verb, argument)

    def unit_rows(self, line_ids: Sequence[int], *, since: date | None = None) -> Sequence[UnitRow]:
        rows = super().unit_rows(line_ids, since=since)
        late = {line for line in self.lagging & set(line_ids) if line in self._before}
        self.lagging -= set(line_ids)
        old = [row for line in late for row in self._before[line] if since is None or row.ends_on >= since]
        return [row for row in rows if row.line_id not in late] + old

    def land(self, request: Any) -> None:
        """The far side was still working on a write whose answer was given up."""
        self._take(self._lines[request.line_id], request)
        self.applied.append(request)


@dataclass
class Told:
    """What was recorded about one subscription's line."""

    desk: Desk
    base: dict[date, int] = field(default_factory=dict)
    facts: list[tuple[date, int, int]] = field(default_factory=list)
    prices: list[tuple[date, Decimal, int]] = field(default_factory=list)
    people: list[tuple[date, int]] = field(default_factory=list)

    @property
    def line(self) -> int | None:
        return self.desk.subscription.mappings.values_list("line_id", flat=True).first()

    def expected(self, days: Sequence[date]) -> dict[date, int]:
        """Per day what the last fact that reaches it says, what people added, less what was given up."""
        gaps = list(Shortfall.objects.given_up().filter(stream__subscription=self.desk.subscription))
        facts, found = reaching(self.facts), {}
        for day in days:
            wanted = last(facts, day, self.base.get(day, 0))
            others = sum(units for start, units in self.people if start <= day)
            found[day] = wanted + others - sum(gap.units for gap in gaps if gap.starts_on <= day <= gap.ends_on)
        return found

    def expected_prices(self, days: Sequence[date]) -> dict[date, Decimal]:
        prices = reaching(self.prices)
        return {day: last(prices, day, Decimal(5)) for day in days}


def reaching(facts: Sequence[tuple[date, Any, int]]) -> list[tuple[date, Any]]:
    """From when on each fact that was sent holds, the youngest last; of one date the one recorded last."""
    done = SyncOperation.objects.filter(state="succeeded").prefetch_related("undoings")
    sent = {one.pk: one.holds_from for one in done if not one.is_undone}
    return [(sent[key], value) for _, value, key in sorted(facts, key=itemgetter(0)) if key in sent]


def last(facts: Sequence[tuple[date, Any]], day: date, otherwise: Any) -> Any:
    return next((value for since, value in reversed(facts) if since <= day), otherwise)


class History:
    def __init__(self, cast: Cast, seed: int) -> None:
        self.seed, self.random = seed, Random(seed)
        self.begins = self.random.choice((TODAY, TODAY, BEFORE_A_LEAP_DAY))
        start = date(self.begins.year, 1, self.random.choice((1, 1, 15, 29, 30, 31)))
        end = self.begins + timedelta(days=self.random.randrange(150, 600))
        contract = a_contract(starts_on=start, ends_on=end)
        self.psa = SlowPsa(companies=[a_company()], services=[a_service()], contracts=[contract])
        self.psa.same_date = self.random.choice(("merge", "duplicate"))
        first = make_desk(cast, created_on=self.begins, starts_on=self.begins)
        first.psa, first.today = self.psa, self.begins
        first.clock = HandClock(NOON + (self.begins - TODAY))
        self.clock, self.connection, self.actor = first.clock, first.connection, cast.admin
        MirroredContract.objects.update(starts_on=start, ends_on=end)
        self.strides = (0, 0, 60, 3600, 86400, 5 * 86400, self.random.choice((30, 90)) * 86400)
        self.lived: Counter[str] = Counter()
        policies = {
            "posted_period": self.random.choice(("next_open", "next_open", "hold")),
            "same_date": self.random.choice(("next_day", "next_day", "hold")),
            "price_change": self.random.choice(("set_price", "set_price", "zero_and_restore")),
            "settle_minutes": self.random.choice((0, 0, 5)),
            "seat_increase": self.random.choice(("on_date", "on_date", "next_period")),
            "seat_decrease": self.random.choice(("on_date", "on_date", "next_period")),
            "licence_suspension": self.random.choice(("leave", "zero")),
            "after_failure": self.random.choice(("continue", "continue", "hold_line")),
            "renewal": self.random.choice(("refuse", "extend")),
        }
        Connection.objects.update(policies_json=policies)
        self.told = [Told(first)]
        for number in range(2, self.random.choice((2, 3, 3, 4))):
            row = make_subscription(
                first.subscription.customer,
                first.subscription.variant,
                external_id=f"SUB-{number}",
                created_on=self.begins,
                starts_on=self.begins,
            )
            self.told.append(Told(Desk(cast, self.psa, self.connection, row, clock=self.clock, today=self.begins)))
        self.posted = date.min

    # What happens

    def play(self) -> None:
        for told in self.told:
            self.map(told)
            self.work()
        events = (self.change,) * 4 + (
            self.price,
            self.pause,
            self.edit,
            self.post,
            self.extend,
            self.decide,
            self.undo,
            self.renew,
            self.charge,
            self.rename,
        )
        for _ in range(self.random.choice((2, 3, 4, 5, 6, 8, 10, 12, 40))):
            self.psa._faults.clear()
            self.psa.lagging.clear()
            self.clock.wait(self.random.choice(self.strides))
            event = self.random.choice(events)
            self.lived[event.__name__] += 1
            self.mishap(ERRANDS.get(event.__name__, STEPS))
            event()
            self.work()

    @property
    def today(self) -> date:
        return self.clock.now.date()

    @property
    def contract(self) -> Contract:
        return self.psa._contracts[100]

    def map(self, told: Told) -> None:
        fields = {}
        if self.random.random() < 0.3:
            units, since = self.random.randrange(1, 20), self.contract.starts_on + self.random.randrange(60) * DAY
            fields["adopt_line_id"] = self.psa.add_line(100, 10, units=units, since=since)
            told.base = {since + n * DAY: units for n in range((self.contract.ends_on - since).days + 800)}
        else:
            fields["add_beside"] = True
        self.psa._faults.clear()
        self.psa._meanwhile.clear()
        operation = told.desk.map(**fields)
        told.facts.append((self.begins, 10, operation.pk))
        told.prices.append((self.begins, Decimal(5), operation.pk))
        self.mishap(STEPS)

    def sometime(self) -> date:
        """When a change took effect: often today, sometimes long ago, sometimes soon."""
        late = self.random.choice((0, 0, 0, 1, 3, 20, 60, -5))
        day = max(self.today - late * DAY, self.begins)
        if abs(LEAP_DAY - self.today) < 60 * DAY and self.random.random() < 0.3:
            day = LEAP_DAY
        self.lived["leap day"] += day == LEAP_DAY
        return day

    def price(self) -> None:
        """Another price for one subscription, from the start of the period on."""
        told, day = self.random.choice(self.told), self.sometime()
        price = Decimal(self.random.randrange(400, 700)) / 100
        operation = told.desk.record("price_changed", day, erp=price)
        told.prices.append((day, price, operation.pk))

    def pause(self) -> None:
        """Suspended or cancelled, and mostly back some days later."""
        told, day = self.random.choice(self.told), self.sometime()
        kind = self.random.choice(("suspended", "suspended", "cancelled"))
        told.facts.append((day, 0, told.desk.record(kind, day).pk))
        if kind == "suspended" and self.random.random() < 0.8:
            day += self.random.randrange(9) * DAY
            operation = told.desk.record("reactivated", day)
            told.facts.append((day, operation.payload["units"], operation.pk))

    def change(self) -> None:
        told, day = self.random.choice(self.told), self.sometime()
        units = self.random.choice((0, *range(1, 30)))
        for _ in range(self.random.choice((1, 1, 1, 3))):
            units += self.random.randrange(3)
            told.desk.change_quantity(units, day)
            told.facts.append((day, units, SyncOperation.objects.latest("pk").pk))

    def undo(self) -> None:
        """What was done is taken back, or what was taken back is done again."""
        done = list(SyncOperation.objects.filter(state="succeeded").exclude(kind="map_subscription").order_by("pk"))
        if done:
            with suppress(NotPossible):
                undo_operation(self.random.choice(done), actor=self.actor, now=self.clock.now)

    def edit(self) -> None:
        """A person in Autotask adds units from some open day on, or takes away what people had added."""
        told = self.random.choice(self.told)
        first = max(self.contract.starts_on, self.posted + DAY)
        if told.line is None or first > self.contract.ends_on:
            return
        day = min(first + self.random.randrange(90) * DAY, self.contract.ends_on)
        starts = [start for start, _ in told.people if start > day]
        spare = min(sum(units for since, units in told.people if since <= start) for start in [day, *starts])
        units = self.random.choice((1, 2, 4, -spare))
        if Write.objects.filter(line_id=told.line, state__in=Write.UNPROVED).exists():
            units = UNMISTAKABLE  # what undoes or repeats a write to the unit looks like its fate to everybody
        self.psa.edit(told.line, day, self.psa.units_on(told.line, day) + units)
        told.people.append((day, units))

    def post(self) -> None:
        """The oldest open period is posted, sometimes several."""
        ends = [start - DAY for start in period_starts(self.contract)[1:]] + [self.contract.ends_on]
        passed = [end for end in ends if self.posted < end <= self.today + 31 * DAY]
        if passed:
            self.posted = self.random.choice(passed[:3])
            self.psa.post_through(100, self.posted)

    def extend(self) -> None:
        self.psa.put_contract(replace(self.contract, ends_on=self.contract.ends_on + 60 * DAY))

    def renew(self) -> None:
        """For a term that ends before the contract does, or behind it."""
        term = {"starts_on": self.today, "ends_on": self.contract.ends_on + self.random.choice((-30, 30, 60)) * DAY}
        self.random.choice(self.told).desk.record("renewed", self.today, **term)

    def rename(self) -> None:
        self.random.choice(self.told).desk.record("details_changed", self.today, friendly_name="Sales")

    def charge(self) -> None:
        """What is missing on posted days is billed by a charge."""
        desk = self.random.choice(self.told).desk
        desk.today = self.today
        with suppress(FarSideError):
            one = draft(desk)
            if one.can_be_made:
                charge(desk, one)
                self.lived["charge made"] += 1

    def mishap(self, steps: Sequence[str]) -> None:
        """At most one per event: a fault, a slow or dying worker, a late or lagging far side, an edit by others."""
        self.psa._meanwhile.clear()
        self.late = False
        verb = self.random.choice(steps)
        kind = self.random.choice(("", "fault", "fault", "fault", "late", "death", "lease", "lag", "edit"))
        self.lived[f"mishap {kind}"] += 1
        if kind == "fault":
            fault, after = self.random.choice(FAULTS[verb]), self.random.randrange(2)
            self.psa.fail_next(verb, fault, after=after, times=self.random.choice((1, 1, 2)))
        elif kind == "late":
            self.late = True
            self.psa.fail_next("adjust", "drop_before")
        elif kind == "death":
            self.psa.meanwhile(verb, self.die)
        elif kind == "lease":
            self.psa.meanwhile(verb, self.usurp)
        elif kind == "lag":
            self.psa.meanwhile("adjust", lambda: self.psa.lagging.update(told.line or 0 for told in self.told))
        elif kind == "edit":
            self.psa.meanwhile(verb, self.edit)

    def die(self) -> None:
        raise Killed

    def usurp(self) -> None:
        """This worker stands still for longer than its lease, and another one goes on."""
        self.clock.wait(130)
        self.told[0].desk.engine("usurper").drain()

    # What is done about it

    def work(self, rounds: int | None = None) -> None:
        """Some drains, each at the time when something is due."""
        for _ in range(self.random.randrange(4) if rounds is None else rounds):
            try:
                self.told[0].desk.engine().drain()
            except Killed:
                self.clock.wait(self.random.choice((1, 121)))
            self.land()
            assert_nobody_waits_silently()
            upcoming = Stream.objects.exclude(due=None).order_by("due").first()
            if upcoming is None:
                return
            moment = max(upcoming.due, upcoming.lease_until)
            self.clock.wait(max(0, (moment - self.clock.now).total_seconds()))

    def land(self) -> None:
        write = Write.objects.filter(state="unknown", kind="adjust").last()
        in_time = write is not None and (self.clock.now - write.sent_at).total_seconds() < 300
        if self.late and in_time and not self.is_applied(write):
            self.psa.land(self.requests()[write.pk])
            self.late = False

    def decide(self) -> None:
        """A person looks at what needs one: decides truly, retries, sometimes dismisses."""
        for operation in SyncOperation.objects.filter(state__in=SyncOperation.NEEDS_A_PERSON).exclude(
            error_kind=BEYOND
        ):
            unproved = list(operation.writes.filter(state__in=Write.UNPROVED))
            now = {"actor": self.actor, "now": self.clock.now}
            if unproved:
                in_doubt = [write for write in unproved if write.state == "unknown"] or unproved
                decide_write(operation, applied=all(map(self.is_applied, in_doubt)), reason="I looked.", **now)
            elif operation.error_kind == POSTED_SINCE:
                dismiss_operation(operation, reason="Too late.", **now)
            elif operation.change_id and self.random.random() < 0.1 and not operation.writes.filter(state="applied"):
                dismiss_operation(operation, reason="Not wanted.", **now)
            else:
                retry_operation(operation, **now)

    def mend(self) -> None:
        """No mishap any more; people look at everything until nothing is left."""
        self.psa._faults.clear()
        self.psa._meanwhile.clear()
        self.psa.lagging.clear()
        self.late, self.psa.same_date = False, "merge"
        Connection.objects.update(policies_json={}, state="active")
        for _ in range(60):
            go_on(self.clock.now)
            self.work(rounds=12)
            if not Stream.objects.exclude(due=None) and not self.waiting_for_a_person():
                return
            self.decide()
        raise AssertionError(f"it never ends: {list(SyncOperation.objects.values_list('kind', 'state', 'error'))}")

    def waiting_for_a_person(self) -> bool:
        return SyncOperation.objects.filter(state__in=SyncOperation.NEEDS_A_PERSON).exclude(error_kind=BEYOND).exists()

    # The truth

    def requests(self) -> dict[int, Any]:
        """What each journaled adjustment asked of the far side: both are in sending order."""
        asked = [argument for verb, argument in self.psa.calls if verb == "adjust"]
        writes = Write.objects.filter(kind="adjust").exclude(run=None).order_by("pk").values_list("pk", flat=True)
        return dict(zip(writes, asked, strict=True))

    def is_applied(self, write: Write) -> bool:
        wanted = (write.contract_id, write.service_id, write.stream.subscription.external_id)
        if write.kind == "create_line":
            lines = [entry.line for entry in self.psa._lines.values()]
            return wanted in [(line.contract_id, line.service_id, line.key) for line in lines]
        if write.kind == "charge":
            return write.operation.payload["key"] in [one.key for one in self.psa.charges]
        if write.kind == "extend":
            return self.contract.ends_on >= date.fromisoformat(write.operation.payload["extend_to"])
        return any(request is self.requests()[write.pk] for request in self.psa.applied)


def assert_nobody_waits_silently() -> None:
    silent = SyncOperation.objects.open().filter(stream__due=None)
    assert not silent, [(one.kind, one.state, one.waiting_for) for one in silent]
