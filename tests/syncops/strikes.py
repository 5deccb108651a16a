"""Where faults may strike, and what has to be true when all is over."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F

from connections.models import RequestBudget
from portal.audit import breaks
from portal.models import AuditEntry
from syncops.models import JournalEntry, Stream, SyncOperation, Write
from tests.syncops.site import TODAY, Site

PLACES = {  # method, path, how many requests like it come before
    "contract": ("GET", "Contracts/70$", 0),
    "look-up": ("POST", "ContractServices/query$", 0),
    "creation": ("POST", "Contracts/70/Services$", 0),
    "read before": ("POST", "ContractServiceUnits/query$", 0),
    "adjustment": ("POST", "ContractServiceAdjustments$", 0),
    "read back": ("POST", "ContractServiceUnits/query$", 1),
}


@dataclass
class Table:
    """A site whose subscription of 10 is to be mapped, so that one run passes every place."""

    site: Site
    operation: SyncOperation

    def strike(self, fault: str, place: str, **fields: object) -> None:
        method, path, skip = PLACES[place]
        self.site.control("faults", {"fault": fault, "method": method, "path": path, "skip": skip} | fields)

    def run(self, *, hours: int = 1) -> SyncOperation:
        """Let the worker come whenever something is due, until nothing is within the time."""
        clock = self.site.clock
        over = clock.now + timedelta(hours=hours)
        while clock.now < over:
            self.site.drain()
            self.operation.refresh_from_db()
            due = Stream.objects.get().due
            if due is None:
                break
            self.wait(max(0.1, (due - clock.now).total_seconds()))
        return self.operation

    def wait(self, seconds: float) -> None:
        """Move the clock by hand; the budget goes by the machine's, so what it waits for comes nearer instead."""
        self.site.clock.wait(seconds)
        blocked = RequestBudget.objects.exclude(blocked_until=None)
        blocked.update(blocked_until=F("blocked_until") - timedelta(seconds=seconds))

    def requests(self) -> int:
        return self.site.control("counters", method="GET")["requests"]

    def lines(self) -> list[dict]:
        return self.site.control("ledger", method="GET", contract=70)["lines"]

    def outcomes(self) -> list[str]:
        """What became of every adjustment that reached the stand-in."""
        journal = self.site.control("journal", method="GET", contract=70)["adjustments"]
        return [one["outcome"] for one in journal if one["line"] != 90]


def is_right(table: Table) -> None:
    """Ten units from today on, sent once; proved, and told so in the journal and in the audit log."""
    ours = [line for line in table.lines() if line["id"] != 90]
    assert len(ours) == 1
    assert table.site.units(TODAY) == 10
    assert table.outcomes() == ["applied"]
    assert table.operation.proof["matched"]
    assert table.operation.error == ""
    applied = Write.objects.filter(state=Write.State.APPLIED)
    assert sorted(applied.values_list("kind", flat=True)) == ["adjust", "create_line"]
    assert not Write.objects.filter(state__in=Write.UNPROVED).exists()
    assert JournalEntry.objects.filter(phase="proof").count() == 1
    is_told_honestly(table, AuditEntry.Status.SUCCEEDED)


def is_told_honestly(table: Table, status: str) -> None:
    ends = AuditEntry.objects.filter(began=table.operation.audit_began)
    assert [end.status for end in ends] == [status]
    assert list(breaks(table.site.cast.csp)) == []
