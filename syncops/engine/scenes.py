"""What is known of the streams that are rehearsed together: read at once, whatever their number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from connections.models import Connection, MirroredLine
from connections.psa.base import Psa
from connections.psa.types import UnitRow
from mappings.models import SubscriptionMapping
from portal.models import Subscription
from syncops.errands import EXTEND_TO
from syncops.jobs import PROVISIONING_CHECK, line_key_of, reach_of
from syncops.models import Rehearsal, Stream, SyncOperation
from syncops.planning import History, histories_of
from syncops.rehearsing import Line, Scene, line_of
from syncops.shelf import Shelf
from syncops.simulating import AnyContract, SimulatedLine, extended

Verdict, Choice = Rehearsal.Verdict, Rehearsal.Choice


@dataclass
class Scenes:
    """Streams of one connection that are rehearsed together.

    By stream: `waiting` operations, and those put `aside`, with what they wait for and until when. `unproved` and
    `idle` streams are left alone. `ends`: by contract, the latest end that an operation would give it.
    """

    connection: Connection
    streams: Mapping[int, Stream]
    shelf: Shelf
    now: datetime
    waiting: dict[int, list[SyncOperation]] = field(default_factory=dict)
    aside: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    unproved: set[int] = field(default_factory=set)
    idle: set[int] = field(default_factory=set)
    dismissed: frozenset[int] = frozenset()
    sent_elsewhere: frozenset[int] = frozenset()
    ends: dict[int, date] = field(default_factory=dict)
    histories: dict[tuple[int, Line], History] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Connection, streams: Mapping[int, Stream], now: datetime) -> Scenes:
        """Read what the database holds; the streams are locked."""
        scenes = cls(connection, streams, Shelf.of(connection, list(streams.values())), now)
        for pk in streams:
            scenes._sort(pk)
        operations = [one for group in scenes.waiting.values() for one in group]
        scenes._note_choices(operations)
        scenes._find_lines(operations)
        scenes._note_histories()
        return scenes

    def _sort(self, stream_id: int) -> None:
        waiting = self.shelf.waiting.get(stream_id, [])
        if self.shelf.unproved.get(stream_id):
            self.unproved.add(stream_id)
        elif not waiting:
            self.idle.add(stream_id)
        elif waiting[0].effective_on is None or waiting[0].subscription.status == Subscription.Status.PENDING:
            self.aside[stream_id] = ("Microsoft to provision the subscription", self.now + PROVISIONING_CHECK)
        else:
            self.waiting[stream_id] = waiting

    def _note_choices(self, operations: list[SyncOperation]) -> None:
        rows = Rehearsal.objects.gathered().filter(operation__connection=self.connection)
        self.dismissed = frozenset(rows.filter(choice=Choice.DISMISS).values_list("pk", flat=True))
        firsts = rows.filter(pk__in={one.after_id for one in operations if one.after_id})
        sent = firsts.exclude(verdict=Verdict.STOPS).exclude(choice=Choice.DISMISS)
        self.sent_elsewhere = frozenset(sent.values_list("pk", flat=True))
        extending = SyncOperation.objects.open().filter(connection=self.connection, payload__has_key=EXTEND_TO)
        for pk, contract, payload in extending.values_list("pk", "mapping__contract_id", "payload"):
            if pk not in self.dismissed:
                end = date.fromisoformat(payload[EXTEND_TO])
                self.ends[contract] = max(end, self.ends.get(contract, end))

    def _find_lines(self, operations: list[SyncOperation]) -> None:
        """A mapping without a line goes onto the one that carries its key already, as the run would find it."""
        new = [one for one in operations if one.mapping.line_id is None]
        lines = MirroredLine.objects.filter(connection=self.connection).exclude(key="")
        rows = lines.filter(contract_remote_id__in={one.mapping.contract_id for one in new})
        known = {(row.contract_remote_id, row.service_remote_id, row.key): row.remote_id for row in rows} if new else {}
        for one in new:
            one.mapping.line_id = known.get((one.mapping.contract_id, one.mapping.service_id, line_key_of(one)))

    def _note_histories(self) -> None:
        """Three queries for the first line of every stream, three for the second ones, and so on."""
        lines: dict[int, dict[Line, SubscriptionMapping]] = {
            pk: {line_of(one): one.mapping for one in group} for pk, group in self.waiting.items()
        }
        for number in range(max((len(found) for found in lines.values()), default=0)):
            chosen = {pk: list(found.items())[number] for pk, found in lines.items() if len(found) > number}
            found = histories_of([(self.streams[pk], mapping) for pk, (_, mapping) in chosen.items()])
            self.histories |= {(pk, line): found[pk] for pk, (line, _) in chosen.items()}

    @property
    def line_ids(self) -> list[int]:
        return sorted({line[2] for _, line in self.histories if line[2] is not None})

    @property
    def since(self) -> date | None:
        """Rows that end before this day do not matter to any of them."""
        days = [self._since(pk) for pk in self.waiting]
        return None if None in days else min(day for day in days if day)

    def _since(self, stream_id: int) -> date | None:
        known, dated = self.shelf.contracts, [one for one in self.waiting[stream_id] if one.effective_on]
        days = [reach_of(one, known.get(one.mapping.contract_id)) for one in dated]
        days += self.shelf.stray[stream_id]
        return None if None in days else min((day for day in days if day), default=None)

    def read_contracts(self, psa: Psa) -> None:
        """Contracts that the mirror does not hold; one that is not there at all is left out."""
        wanted = {one.mapping.contract_id for group in self.waiting.values() for one in group}
        for contract_id in sorted(wanted - self.shelf.contracts.keys()):
            found: Any = psa.contract(contract_id)
            if found is not None:
                self.shelf.contracts[contract_id] = found

    def scene(self, stream_id: int, rows: Mapping[int, list[UnitRow]]) -> Scene:
        """One stream with its rows, ready to be foreseen."""
        stream, operations, since = self.streams[stream_id], self.waiting[stream_id], self._since(stream_id)
        contracts = {one.mapping.contract_id: self._contract(one) for one in operations}
        lines: dict[Line, SimulatedLine] = {}
        for one in operations:
            line = line_of(one)
            shown = [row for row in rows.get(line[2] or 0, ()) if since is None or row.ends_on >= since]
            shown.sort(key=attrgetter("starts_on"))
            held = SimulatedLine(tuple(shown), self.histories[stream_id, line])
            contract = contracts[one.mapping.contract_id]
            if contract is not None and shown and one.mapping.contract_id in self.ends:
                held = held.until(self.ends[one.mapping.contract_id], contract, one.mapping)
            lines[line] = held
        return Scene(
            operations,
            contracts,
            lines,
            self.dismissed,
            self.shelf.begins,
            self.shelf.holds.get(stream_id),
            holds_line=self.connection.policies.after_failure == "hold_line",
            stops_at=stream.stops_at,
            sent_elsewhere=self.sent_elsewhere,
            stray=self.shelf.stray[stream_id],
            today=self.now.astimezone(self.connection.organization.zone).date(),
        )

    def _contract(self, operation: SyncOperation) -> AnyContract | None:
        contract_id = operation.mapping.contract_id
        contract = self.shelf.contracts.get(contract_id)
        if contract is None or contract_id not in self.ends:
            return contract
        return extended(contract, self.ends[contract_id])
