"""Amounts of Azure months from a file, and the file to fill in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from portal.audit import Actor
from portal.imports import Effect, Kind, Place, Verdict, Why, add_kind, refused
from portal.models import ImportRow, Organization, SheetImport, Subscription
from portal.sheet_reading import Column, SheetRow
from syncops.azure.amounts import Amount
from syncops.azure.entering import Judged, Origin, enter, judge, plans_of
from syncops.models import AzureMonth
from syncops.money import to_minor_unit

KIND = "azure_months"
MONTH, PLAN, USAGE, RESERVATIONS = "Month", "Subscription id", "Usage cost", "Reservations cost"
PRICE, RETAIL, CURRENCY, COMPLETE = "Price", "Retail", "Currency", "Complete"
HEADER = (MONTH, "Customer", "Plan", PLAN, USAGE, RESERVATIONS, PRICE, RETAIL, CURRENCY, COMPLETE, "State")
COLUMNS = (
    Column(MONTH, "The month of the usage, as 2026-05."),
    Column(PLAN, "The plan’s subscription id at Microsoft."),
    Column(USAGE, "What the usage costs you, without tax. Empty: the row is left alone."),
    Column(RESERVATIONS, "What reservations cost you.", False),
    Column(PRICE, "What the customer pays. Empty: it follows from the margins.", False),
    Column(RETAIL, "The same at Microsoft’s retail prices, where a margin rule asks for it.", False),
    Column(CURRENCY, "Where it is given, it must be the plan’s.", False),
    Column(COMPLETE, "yes, once the billed reconciliation of the month is.", False),
)
YES, NO = ("yes", "y", "true", "1", "x"), ("no", "n", "false", "0", "")
CHUNK = 500
_MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-\d{1,2})?", re.ASCII)
_PLAIN = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_COMMA = re.compile(r"(?![1-9]\d{0,2},\d{3}$)\d+,\d+", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?:(?P<mark>[ '.,])\d{3})(?:(?P=mark)\d{3})*(?P<rest>[.,]\d+)?", re.ASCII)


class NotRead(ValueError):
    """A cell that cannot be read; the words say why and what to write."""


def register() -> None:
    add_kind(
        Kind(
            name=KIND,
            title="Import Azure months",
            lead="What each Azure plan cost in a month, from a CSV or Excel file.",
            permission="syncops.resolve",
            audit_name="Import Azure Months",
            columns=COLUMNS,
            place=_place,
            judge=judged,
            apply=apply,
        )
    )


def _place(organization_id: int, place_id: int) -> Place | None:
    if organization_id != place_id:
        return None
    return Place(place_id, "Azure months", organization_id, reverse("syncops:azure_months"))


def judged(run: SheetImport, rows: Sequence[SheetRow]) -> list[Verdict]:
    """What each row would do; six queries, however many there are."""
    organization = Organization.objects.get(pk=run.organization_id)
    plans = plans_of(organization, external_ids=[row.cells[PLAN] for row in rows])
    currencies = dict(Subscription.objects.filter(pk__in=plans.values()).values_list("pk", "currency"))
    read: dict[int, Amount | Why | None] = {}
    for index, row in enumerate(rows):
        plan = plans.get(row.cells[PLAN])
        read[index] = NO_PLAN if plan is None else amount_of(row, plan, currencies[plan])
    amounts = {index: one for index, one in read.items() if isinstance(one, Amount)}
    today = timezone.localdate(timezone=organization.zone)
    found = dict(zip(amounts, judge(organization, list(amounts.values()), _origin(run), today=today), strict=True))
    return [_verdict(row, found[index] if index in found else read[index]) for index, row in enumerate(rows)]


NO_PLAN: Why = ("No Azure plan of yours has this subscription id.", "Copy it from the exported file, or leave it out.")


def amount_of(row: SheetRow, plan: int, currency: str) -> Amount | Why | None:
    """The amount of a row; None where none is given, or why it cannot be read."""
    cells = row.cells
    if not cells[USAGE]:
        return None
    try:
        return Amount(
            plan,
            month_of(cells[MONTH]),
            money_of(cells[USAGE]),
            money_of(cells.get(RESERVATIONS) or "0"),
            (cells.get(CURRENCY) or currency).upper(),
            money_of(cells[PRICE]) if cells.get(PRICE) else None,
            money_of(cells[RETAIL]) if cells.get(RETAIL) else None,
            is_yes(cells.get(COMPLETE, "")),
        )
    except NotRead as error:
        words, fix = error.args
        return words, fix


def _verdict(row: SheetRow, one: Judged | Why | Amount | None) -> Verdict:
    named = f"{row.cells[PLAN]}, {row.cells[MONTH]}"
    if one is None or isinstance(one, Amount):
        return Verdict(Effect.SKIP, named, "No amount is given.")
    if isinstance(one, tuple):
        return refused(named, one)
    amount, ours = one.amount, f"{one.plan}, {one.amount.month:%B %Y}"
    target = target_of(one)
    said = hashlib.sha256(repr(sorted(target.items())).encode()).hexdigest()[:32]
    keys: dict[str, Any] = {"ours_key": f"{amount.subscription_id} {amount.month}", "theirs_key": said}
    if one.outcome == "refused":
        return refused(ours, (one.problem, "Correct the row, or leave it out."), **keys)
    words = f"Cost {one.cost:,.2f}, price {one.price:,.2f} {amount.currency} ({one.rule or 'as given'})"
    words += ", complete." if amount.is_complete else ", not complete yet."
    if one.outcome == "unchanged":
        return Verdict(Effect.SAME, ours, words, **keys)
    before = f" Instead of {one.row.price:,.2f}." if one.row else ""
    effect = Effect.CHANGE if one.row else Effect.CREATE
    grows = to_minor_unit(one.price - (one.row.price if one.row else Decimal(0)), amount.currency)
    return Verdict(effect, ours, words + before, target=target, money=(("Price", grows, amount.currency),), **keys)


def target_of(one: Judged) -> dict[str, Any]:
    """What applying the row would write, in values that JSON keeps; with what is there now."""
    amount = one.amount
    given = {"price": amount.price, "retail": amount.retail}
    return {
        "plan": amount.subscription_id,
        "month": str(amount.month),
        "usage": str(amount.usage_cost),
        "reservations": str(amount.reservations_cost),
        "currency": amount.currency,
        "complete": amount.is_complete,
        "sold_at": str(one.price),
        "before": one.row.fingerprint if one.row else "",
    } | {name: None if value is None else str(value) for name, value in given.items()}


def apply(run: SheetImport, row: ImportRow, actor: Actor, now: datetime) -> list[Why]:
    """Write the amount down; why not, where it cannot be any more."""
    target = row.target
    amount = Amount(
        target["plan"],
        date.fromisoformat(target["month"]),
        Decimal(target["usage"]),
        Decimal(target["reservations"]),
        target["currency"],
        None if target["price"] is None else Decimal(target["price"]),
        None if target["retail"] is None else Decimal(target["retail"]),
        target["complete"],
    )
    organization = run.organization
    today = now.astimezone(organization.zone).date()
    [one] = enter(organization, [amount], _origin(run), actor=actor, today=today, now=now)
    return [(one.problem, "Hand the file in again.")] if one.outcome == "refused" else []


def _origin(run: SheetImport) -> Origin:
    return Origin(AzureMonth.Source.FILE, run.file_name)


def month_of(text: str) -> date:
    """The first day of a month: 2026-05, or any day of it. Raises NotRead."""
    found = _MONTH.fullmatch(text)
    if found is None or not (2000 <= int(found[1]) <= 9998 and 1 <= int(found[2]) <= 12):
        raise NotRead(f"“{text[:40]}” is no month.", "Write it as 2026-05, and save the column as text.")
    return date(int(found[1]), int(found[2]), 1)


def money_of(text: str) -> Decimal:
    """An amount as people of any country write it, where only one reading is possible. Raises NotRead."""
    said = text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'").strip()
    sign, bare = ("-", said[1:]) if said[:1] in ("-", "−") else ("", said)
    if _PLAIN.fullmatch(bare):
        return Decimal(sign + bare)
    if _COMMA.fullmatch(bare):
        return Decimal(sign + bare.replace(",", "."))
    grouped = _GROUPED.fullmatch(bare)
    rest = grouped["rest"] if grouped else None
    twice = bool(grouped) and bare.count(grouped["mark"]) > 1  # type: ignore[index]
    if grouped and grouped["mark"] != (rest or "")[:1] and (rest or twice or grouped["mark"] in " '"):
        whole = bare[: len(bare) - len(rest or "")].replace(grouped["mark"], "")
        return Decimal(sign + whole + (rest or "").replace(",", "."))
    raise NotRead(f"“{text[:40]}” is no amount that can be read in one way.", "Write it as 1234.56.")


def is_yes(text: str) -> bool:
    """Whether a cell says yes. Raises NotRead for what says neither yes nor no."""
    said = text.casefold()
    if said not in (*YES, *NO):
        raise NotRead(f"“{text[:40]}” says neither yes nor no.", f"Write yes or no under {COMPLETE}.")
    return said in YES


def exported(plans: QuerySet[Subscription], month: date) -> Iterator[tuple[Any, ...]]:
    """The plans in the order of their ids, a few at a time, as HEADER names the columns."""
    last = 0
    while chunk := list(plans.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = chunk[-1].pk
        months = AzureMonth.objects.filter(subscription__in=chunk, month=month).select_related("operation")
        found = {one.subscription_id: one for one in months}
        for plan in chunk:
            yield (
                f"{month:%Y-%m}",
                str(plan.customer),
                plan.friendly_name,
                plan.external_id,
                *_cells(plan, found.get(plan.pk)),
            )


def _cells(plan: Subscription, row: AzureMonth | None) -> tuple[Any, ...]:
    if row is None:
        return (None, None, None, None, plan.currency, "no", "No amount yet")
    given = None if row.price_rule else row.price
    complete = "yes" if row.is_complete else "no"
    return (row.usage_cost, row.reservations_cost, given, None, row.currency, complete, row.state_label)
