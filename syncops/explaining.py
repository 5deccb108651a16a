"""One operation in full, for operators at a shell: as plain facts, and as aligned text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from syncops.models import SyncOperation, Write
from syncops.timeline import Timeline

Facts = dict[str, Any]
HEAD = (
    "state",
    "subscription",
    "microsoft_id",
    "connection",
    "contract",
    "line",
    "effective",
    "waiting_for",
    "looked_at_again",
    "attempts",
    "advice",
    "correlation",
)


def facts_of(operation: SyncOperation) -> Facts:
    """Everything that is stored about an operation, ready for JSON."""
    plan, proof = operation.plan, operation.proof
    return {
        "operation": operation.pk,
        "kind": operation.kind,
        "label": operation.label,
        "state": operation.state,
        "subscription": f"{operation.subscription}",
        "microsoft_id": operation.subscription.external_id,
        "connection": operation.connection.name,
        "contract": f"{operation.mapping.contract_name} (#{operation.mapping.contract_id})",
        "line": operation.mapping.line_id,
        "effective": operation.effective_on,
        "waiting_for": operation.waiting_for,
        "looked_at_again": operation.retry_at or operation.stream.due,
        "attempts": operation.attempts,
        "error": {"kind": operation.error_kind, "text": operation.error, "answer": operation.raw_answer},
        "advice": operation.advice,
        "correlation": str(operation.correlation_id),
        "payload": operation.payload,
        "before": proof.get("before") or plan.get("actual") or [],
        "wanted": proof.get("expected") or plan.get("wanted") or [],
        "after": proof.get("found", []),
        "preview": operation.preview,
        "plan": plan.get("adjustments", []),
        "beyond_contract": plan.get("beyond", []),
        "writes": [_write(write) for write in operation.writes.order_by("pk")],
        "journal": [
            {"run": run.number, "at": entry.at, "phase": entry.phase, "detail": entry.detail}
            for run in operation.runs.prefetch_related("journal")
            for entry in run.journal.all()
        ],
        "proof": {name: proof[name] for name in ("at", "matched", "foreign") if name in proof},
        "shortfalls": [
            {
                "from": gap.starts_on, "to": gap.ends_on, "reason": gap.reason, "units": gap.units,
                "amount": gap.amount, "currency": gap.currency, "needed_end": gap.needed_end,
            }
            for gap in operation.shortfalls.all()
        ],
    }  # fmt: skip


def text_of(facts: Facts) -> str:
    """The facts as text for a terminal, columns aligned."""
    parts = [_head(facts), _part("Line, by date", _timelines(facts))]
    parts.append(_part("Preview", _previewed(facts["preview"])))
    parts.append(_part("Plan", (_adjustment(one) for one in facts["plan"])))
    parts.append(_part("Beyond the contract", (_words(one) for one in facts["beyond_contract"])))
    parts.append(_part("Writes", (_sent(one) for one in facts["writes"])))
    parts.append(_part("Journal", (_entry(one) for one in facts["journal"])))
    parts.append(_part("Proof", ([name, str(value)] for name, value in facts["proof"].items())))
    parts.append(_part("Shortfalls", (_shortfall(one) for one in facts["shortfalls"])))
    return "\n\n".join(part for part in parts if part)


def _write(write: Write) -> Facts:
    names = ("kind", "state", "line_id", "effective_on", "units_before", "unit_change", "price", "cost")
    return {name: getattr(write, name) for name in (*names, "sent_at", "answered_at", "proved_at", "answer")}


def _head(facts: Facts) -> str:
    rows = [[name.replace("_", " "), str(facts[name])] for name in HEAD if facts[name] not in (None, "")]
    error = facts["error"]
    rows += [[name, error[key]] for name, key in (("error", "text"), ("they said", "answer")) if error[key]]
    return _part(f"Operation {facts['operation']}: {facts['label']}", rows)


def _timelines(facts: Facts) -> list[list[str]]:
    """One row per date on which one of the three timelines changes."""
    lines = [Timeline.from_json(facts[name]) for name in ("before", "wanted", "after")]
    days = sorted({day for line in lines for day in line.breakpoints})
    if not days:
        return []
    rows = [["from", "to", "before", "wanted", "after"]]
    for number, day in enumerate(days):
        last = str(days[number + 1] - timedelta(days=1)) if number + 1 < len(days) else "and on"
        rows.append([str(day), last, *(_level(line, day) for line in lines)])
    return rows


def _level(line: Timeline, day: Any) -> str:
    if not line.steps:
        return "-"
    level = line.at(day)
    return f"{level.units}" if level.price is None else f"{level.units} @ {level.price}"


def _previewed(preview: Facts) -> list[list[str]]:
    """What was shown before it was confirmed: adjustments, then the bills that they change."""
    rows = [[*_adjustment(one), one["lands_in"]] for one in preview.get("adjustments", [])]
    for bill in preview.get("bills", []):
        money = [f"{name} {bill[name] or 'not known'}" for name in ("before", "after")]
        rows.append([f"{bill['start']} to {bill['end']}", bill["label"], *money, bill["currency"]])
    return rows + ([["contract to end on", preview["contract_ends"]]] if "contract_ends" in preview else [])


def _adjustment(one: Facts) -> list[str]:
    money = [f"{name} {one[name] or 'unchanged'}" for name in ("price", "cost")]
    return [one["effective"], f"{int(one['unit_change']):+d}", *money]


def _sent(one: Facts) -> list[str]:
    changed = f"{one['unit_change']:+d} on {one['effective_on']}" if one["effective_on"] else f"line {one['line_id']}"
    return [str(one["sent_at"]), one["kind"], changed, one["state"], str(one["answer"])[:60]]


def _entry(one: Facts) -> list[str]:
    said = ", ".join(f"{name}={value}" for name, value in one["detail"].items() if value not in (None, "", "None"))
    return [f"run {one['run']}", str(one["at"]), one["phase"], said[:100]]


def _shortfall(one: Facts) -> list[str]:
    money = f"{one['amount']} {one['currency']}" if one["amount"] is not None else "price not known"
    return [f"{one['from']} to {one['to']}", one["reason"], f"{one['units']:+d} units", money]


def _words(one: Facts) -> list[str]:
    return [f"{name} {value}" for name, value in one.items()]


def _part(title: str, rows: Iterable[Sequence[str]]) -> str:
    """A heading and its rows, columns as wide as their widest word but for the last; "" where there are no rows."""
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    if not rows:
        return ""
    widths = [max(len(row[at]) for row in rows if len(row) > at) for at in range(max(map(len, rows)) - 1)]
    lines = [
        "  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]])
        for row in rows
    ]
    return "\n".join([title, *(line.rstrip() for line in lines)])
