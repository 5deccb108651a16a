"""Subscription mappings from a file: what each row would put on which contract, what that bills, and doing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from connections.actions import mark_unauthorized
from connections.models import Connection, MirroredContract
from connections.psa.types import Company, Contract
from connections.registry import psa_for
from mappings import eligibility, matching
from mappings.models import SubscriptionMapping
from mappings.reasons import Reason, reason, told
from mappings.resolve import contract_of, facts_of, mapped_reasons
from portal.audit import Actor
from portal.far_side import Unauthorized
from portal.imports import Choice, Effect, Kind, Place, Verdict, Why, add_kind, refused
from portal.models import ImportRow, SheetImport
from portal.sheet_reading import Column, SheetRow, whole_number
from portal.templatetags.portal import day as day_in_words
from portal.templatetags.portal import money as money_in_words
from syncops.actions import NotPossible, Refused
from syncops.bulk_mapping import Candidate, Known, billed_by, left_out_reasons, rehearse, service_there
from syncops.mapping_forms import SINCE
from syncops.mapping_run import map_one
from syncops.move_preview import read_move
from syncops.preview import MappingChoice, MappingPreview, first_day_billed, preview_mapping, read_facts
from syncops.remapping import move_mapping

KEY, CONTRACT_ID, CONTRACT, START, LINE = "Subscription id", "Contract id", "Contract", "Start", "Line id"
STARTS = {"today": "today", "open period": "open_period", "term": "term"}
NEW_LINE = "new"
COLUMNS = (
    Column(KEY, "The subscription’s id at Partner Center, or ours, as exported."),
    Column(CONTRACT_ID, "The contract’s id in Autotask. Empty: the row is left alone."),
    Column(CONTRACT, "The contract’s name; where it is given, it must be that of the id.", False),
    Column(START, "From when it is billed: today, open period or term. Empty: as chosen above.", False),
    Column(LINE, "A line of the contract to take over; “new” for one more beside it. Empty: there is none yet.", False),
)


def register() -> None:
    kind = Kind(
        name="subscription_mappings",
        title="Import subscription mappings",
        lead="Which contract bills which subscription, from a CSV or Excel file, with the next two bills in total.",
        permission="mappings.map",
        audit_name="Import Subscription Mappings",
        columns=COLUMNS,
        place=_place,
        judge=judge,
        apply=apply,
        choices=(Choice("since", "Bill them from", SINCE, "For the rows that do not say it themselves."),),
    )
    add_kind(kind)


def _place(organization_id: int, connection_id: int) -> Place | None:
    mine = Connection.objects.autotask().usable().filter(organization=organization_id, pk=connection_id).first()
    if mine is None:
        return None
    url = reverse("syncops:subscription_mapping", args=[mine.pk])
    return Place(mine.pk, f"Subscription Mapping on {mine}", organization_id, url)


def judge(run: SheetImport, rows: Sequence[SheetRow]) -> list[Verdict]:
    """Each row by the rules of the mapping page, from the mirror alone; those that can be are rehearsed one by one."""
    connection = Connection.objects.select_related("organization").get(pk=run.place_id)
    found = _File(connection, rows, run.options.get("since", "today"))
    return [found.verdict(row) for row in rows]


def apply(run: SheetImport, row: ImportRow, actor: Actor, now: datetime) -> list[Why]:
    """Map it after asking the PSA, or move it; why not, where it cannot be any more."""
    connection = Connection.objects.select_related("organization").get(pk=run.place_id)
    today = timezone.localdate(now, timezone=connection.organization.zone)
    try:
        return told(_apply(connection, row.target, actor, today, now))
    except Unauthorized as error:
        mark_unauthorized(connection, error, now=now)
        raise


def _apply(
    connection: Connection, target: dict[str, Any], actor: Actor, today: date, now: datetime
) -> Sequence[Reason]:
    subscription = billed_by(connection).filter(pk=target["subscription"]).first()
    if subscription is None:
        return (reason("changed_meanwhile"),)
    choice = _choice(connection, subscription, target)
    mapping = subscription.mappings.filter(ends_on=None).select_related("connection__organization").first()
    if mapping is not None and _is_there(mapping, choice):
        return ()
    if target["before"] is None:
        contract = _contracts(connection, [choice.contract_id]).get(choice.contract_id)
        candidate = Candidate(subscription, choice=choice, contract=contract, service_name=target["service_name"])
        return map_one(candidate, lambda connection: psa_for(connection, bulk=True), actor=actor, today=today, now=now)
    if mapping is None or mapping.pk != target["before"]:
        return (reason("changed_meanwhile"),)
    found = read_move(mapping, choice, psa_for(connection, bulk=True))
    try:
        move_mapping(mapping, choice, found, day=today, to_zero=True, actor=actor, today=today, now=now)
    except Refused as error:
        return error.reasons or (reason("changed_meanwhile"),)
    except NotPossible as error:
        return (Reason("not_possible", str(error), "Then hand the row in again."),)
    return ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a row asks for."""

    contract_id: int
    since: Any
    line: str

    @property
    def adopt_line_id(self) -> int | None:
        return whole_number(self.line)


class _File:
    """What is known of the subscriptions, contracts and lines that some rows of a file name."""

    def __init__(self, connection: Connection, rows: Sequence[SheetRow], since: str) -> None:
        self.connection, self.since = connection, since
        self.today = timezone.localdate(timezone=connection.organization.zone)
        keys = {row.cells[KEY] for row in rows if row.cells[KEY]}
        ours = [key for key in keys if _is_key(key)]
        named = billed_by(connection).filter(Q(external_id__in=keys) | Q(key__in=ours))
        self.subscriptions = {key: one for one in named for key in (one.external_id, str(one.key)) if key}
        self.known = Known(connection, list(named))
        ids = {number for row in rows if (number := whole_number(row.cells[CONTRACT_ID])) is not None}
        self.contracts = _contracts(connection, ids)

    def verdict(self, row: SheetRow) -> Verdict:
        key, text = row.cells[KEY], row.cells[CONTRACT_ID]
        subscription = self.subscriptions.get(key)
        if subscription is None:
            words = f"No subscription here has the id {key[:64]}." if key else f"{KEY} is empty."
            return refused(key, (words, "Look for a letter that is missing or was changed."))
        name, mapping = str(subscription), self.known.open.get(subscription.pk)
        mine = mapping is not None and mapping.connection.organization_id == self.connection.organization_id
        if not text:
            return Verdict(Effect.SKIP, name, f"Stays on {mapping.contract_name}." if mine and mapping else "")
        asked = self._asked(row)
        keys = {"ours_key": str(subscription.pk), "theirs_key": f"{subscription.pk}>{text}>{row.cells.get(START, '')}"}
        if isinstance(asked, tuple):
            return refused(name, asked, **keys)
        if asked.adopt_line_id:
            keys["theirs_key"] = f"line {asked.adopt_line_id}"
        if mapping and mine and mapping.connection_id == self.connection.pk:
            return self._mapped(name, subscription, mapping, asked, keys)
        if mapping:
            return refused(name, *told(mapped_reasons(subscription, self.connection)), **keys)
        return self._first(name, subscription, asked, keys)

    def _asked(self, row: SheetRow) -> _Asked | Why:
        text, said = row.cells[CONTRACT_ID], row.cells.get(CONTRACT, "")
        start, line = row.cells.get(START, "").casefold(), row.cells.get(LINE, "").casefold()
        number = whole_number(text)
        if number is None:
            return (f"“{text[:60]}” is no id.", "Write the number that Autotask shows, and save the column as text.")
        if start and start not in STARTS:
            return (f"“{start[:40]}” is no start.", f"Write {', '.join(STARTS)}, or leave it empty.")
        if line and line != NEW_LINE and not whole_number(line):
            return (f"“{line[:40]}” is no line.", f"Write the line’s id, “{NEW_LINE}”, or leave it empty.")
        contract = self.contracts.get(number)
        if contract is None:
            fix = "Correct the id; refresh the connection if the contract is new."
            return (f"Autotask has no contract {number}.", fix)
        if said and not matching.match(said, contract.name):
            words = f"The file calls contract {number} “{said[:80]}”, in Autotask it is {contract.name}."
            return (words, "Correct the id or the name, or leave the name empty.")
        return _Asked(number, STARTS.get(start, self.since), line)

    def _mapped(
        self, name: str, subscription: Any, mapping: SubscriptionMapping, asked: _Asked, keys: dict[str, Any]
    ) -> Verdict:
        """A mapping that is there already: the same one, or another contract from today on."""
        if mapping.contract_id == asked.contract_id:
            return Verdict(Effect.SAME, name, f"Is on {mapping.contract_name} already.", **keys)
        place = self._place(subscription, asked, moved=True)
        if isinstance(place, list):
            return refused(name, *told(place), **keys)
        contract, target = place
        words = (
            f"Moves from {mapping.contract_name} to {contract.name} from {day_in_words(self.today)} on; "
            "the old line goes to 0 once the new one is proved."
        )
        return Verdict(Effect.CHANGE, name, words, target=target | {"before": mapping.pk}, **keys)

    def _first(self, name: str, subscription: Any, asked: _Asked, keys: dict[str, Any]) -> Verdict:
        place = self._place(subscription, asked, moved=False)
        if isinstance(place, list):
            return refused(name, *told(place), **keys)
        contract, target = place
        choice, day = _choice(self.connection, subscription, target), self._day(subscription, contract, asked)
        candidate = Candidate(subscription, None, choice, contract, target["service_name"], day)
        seen = self._seen(candidate)
        if seen.refusals or seen.needs_line_choice:
            return refused(name, *told(seen.refusals), *_lines(seen, contract, target["service_name"]), **keys)
        shown = {"units": seen.units, "price": str(seen.unit_price)}
        return Verdict(
            Effect.CREATE,
            name,
            _words(seen, candidate),
            warnings=tuple(told(seen.warnings)),
            target=target | shown | ({} if asked.since == "today" else {"day": str(day)}),
            money=tuple(
                (bill.label, bill.after - bill.before, bill.currency)
                for bill in seen.bills
                if bill.after is not None and bill.before is not None
            ),
            **keys,
        )

    def _seen(self, candidate: Candidate) -> MappingPreview:
        """Rehearsed from the mirror; what a line that is taken over shows now, the PSA alone knows."""
        choice = candidate.choice
        if choice is None or choice.adopt_line_id is None:
            return rehearse(candidate, today=self.today)
        facts = read_facts(choice, psa_for(self.connection, bulk=True))
        return preview_mapping(choice, facts, today=self.today)

    def _place(
        self, subscription: Any, asked: _Asked, *, moved: bool
    ) -> tuple[Contract, dict[str, Any]] | list[Reason]:
        """The contract and what would be done; or what stands against it."""
        contract, customer = self.contracts[asked.contract_id], self.known.companies.get(subscription.customer_id)
        before = subscription.pk in self.known.before
        facts = facts_of(subscription, self.connection, today=self.today, mapped_before=before or moved)
        left_out = () if moved else left_out_reasons(subscription)
        reasons = [*left_out, *eligibility.subscription_reasons(facts)]
        if customer is None:
            reasons.append(reason("customer_not_mapped", customer=subscription.customer.name))
        if subscription.service_id is None:
            reasons.append(reason("offer_not_mapped", offer=subscription.variant))
        if customer is not None:
            company = Company(customer.company_id, customer.company_name, eligibility.CUSTOMER_TYPE, True)
            reasons += eligibility.contract_reasons(contract, facts, company=company)
        if reasons or customer is None:
            return reasons
        service_id, service_name = service_there(self.connection, subscription, contract.id, self.today)
        return contract, {
            "subscription": subscription.pk,
            "company": customer.company_id,
            "service": service_id,
            "service_name": service_name,
            "contract": contract.id,
            "line": asked.line,
            "since": asked.since,
            "before": None,
        }

    def _day(self, subscription: Any, contract: Contract, asked: _Asked) -> date:
        return first_day_billed(subscription, contract, self.today, asked.since)


def _lines(seen: MappingPreview, contract: Contract, service: str) -> Iterable[Why]:
    if seen.needs_line_choice and not seen.refusals:
        lines = ", ".join(str(line.line_id) for line in seen.existing_lines)
        words = f"{contract.name} holds a line of {service} already: {lines}."
        yield (words, f"Write its id into {LINE} to take it over, or “{NEW_LINE}” for one more beside it.")


def _words(seen: MappingPreview, one: Candidate) -> str:
    """What would be billed, where and from when."""
    assert one.contract and one.choice  # noqa: PT018  it was rehearsed
    first = "its start" if one.subscription.status == "pending" else day_in_words(one.first_day)
    line = f", taking over line {one.choice.adopt_line_id}" if one.choice.adopt_line_id else ""
    price = money_in_words(seen.unit_price, seen.currency)
    return f"{seen.units} × {price} on {one.contract.name} as {one.service_name}, from {first} on{line}."


def _choice(connection: Connection, subscription: Any, target: dict[str, Any]) -> MappingChoice:
    return MappingChoice(
        connection_id=connection.pk,
        subscription_id=subscription.pk,
        company_id=target["company"],
        service_id=target["service"],
        contract_id=target["contract"],
        adopt_line_id=whole_number(target["line"]),
        add_beside=target["line"] == NEW_LINE,
        since=target["since"],
    )


def _is_there(mapping: SubscriptionMapping, choice: MappingChoice) -> bool:
    here = (mapping.connection_id, mapping.contract_id, mapping.service_id)
    return here == (choice.connection_id, choice.contract_id, choice.service_id)


def _contracts(connection: Connection, ids: Iterable[int]) -> dict[int, Contract]:
    rows = MirroredContract.objects.filter(connection=connection, remote_id__in=ids)
    return {row.remote_id: contract_of(row) for row in rows}


def _is_key(text: str) -> bool:
    return len(text) == 36 and all(one in "0123456789abcdef-" for one in text.lower())
