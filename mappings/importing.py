"""Mappings of customers and offers from a file: what each row would do, by the rules of the picker, and doing it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from connections.models import Connection
from mappings import eligibility, matching
from mappings.actions import AlreadyMapped
from mappings.boards import BOARDS, Board
from mappings.models import SubscriptionMapping
from mappings.reasons import Reason, reason, told
from mappings.remapping import remap_customer, remap_offer
from mappings.removals import InUse
from portal.audit import Actor
from portal.imports import Effect, Kind, Place, Verdict, Why, add_kind, refused
from portal.models import ImportRow, SheetImport
from portal.sheet_reading import Column, SheetRow, whole_number

TENANT_ID, ITEM, DETAILS = "Microsoft tenant id", "Catalogue item", "Details"
CHANGES = ("customer_mapped", "offer_mapped")  # what a change of a mapping goes past knowingly


def register() -> None:
    for board in BOARDS.values():
        add_kind(_kind(board))


def _kind(board: type[Board]) -> Kind:
    noun, theirs = board.noun, board.theirs
    ours = {
        "customer": (Column(TENANT_ID, "The customer’s tenant id at Microsoft."),),
        "offer": (
            Column(ITEM, "Product, SKU and availability, as exported."),
            Column(DETAILS, "Term and billing frequency, as exported; needed where an item has several.", False),
        ),
    }[noun]
    return Kind(
        name=f"{noun}_mappings",
        title=f"Import {noun} mappings",
        lead=f"Which {noun} is which {theirs}, from a CSV or Excel file.",
        permission="mappings.map",
        audit_name=f"Import Connection {noun.capitalize()} Mappings",
        columns=(
            *ours,
            Column(f"{theirs.capitalize()} id", f"The {theirs}’s id in Autotask. Empty: the row is left alone."),
            Column(theirs.capitalize(), f"The {theirs}’s name; where it is given, it must be that of the id.", False),
        ),
        place=partial(_place, board),
        judge=partial(judge, board),
        apply=partial(apply, board),
    )


def _place(board: type[Board], organization_id: int, connection_id: int) -> Place | None:
    mine = Connection.objects.autotask().usable().filter(organization=organization_id, pk=connection_id).first()
    if mine is None:
        return None
    url = reverse(f"mappings:{board.noun}_mapping", args=[mine.pk])
    return Place(mine.pk, f"{board.noun.capitalize()} Mapping on {mine}", organization_id, url)


def judge(kind: type[Board], run: SheetImport, rows: Sequence[SheetRow]) -> list[Verdict]:
    """Each row by the rules of the mapping page; five queries, however many there are."""
    board = _board(kind, run)
    known = _Known(board, rows)
    return [known.verdict(row) for row in rows]


def apply(kind: type[Board], run: SheetImport, row: ImportRow, actor: Actor, now: datetime) -> list[Why]:
    """Map it, or map it otherwise where that is what was shown; why not, where it cannot be any more."""
    board, target = _board(kind, run), row.target
    ours = board.everything().filter(pk=target["ours"]).first()
    found = board.mirror.objects.filter(connection=board.connection, remote_id=target["theirs"]).first()
    if ours is None or found is None:
        return told([reason("not_there", noun=board.theirs)])
    theirs = board.read(found)
    mapping = board.mappings.objects.filter(connection=board.connection, **{board.ours: ours}).first()
    held = getattr(mapping, f"{board.theirs}_id", None)
    changes = mapping is not None and held == target["before"] != theirs.id
    against = [one for one in board.refusals(ours, theirs) if not (changes and one.code in CHANGES)]
    if against:
        return told(against)
    about: dict[str, Any] = {"actor": actor, "at": now, "correlation_id": run.correlation_id}
    try:
        if changes:
            (remap_customer if board.noun == "customer" else remap_offer)(mapping, theirs, **about)
        else:
            board.write(ours, theirs, **about)
    except (AlreadyMapped, InUse) as error:
        return told([error.reason])
    return []


class _Known:
    """What our rows, theirs, and the mappings of both say, for many rows of a file at once."""

    def __init__(self, board: Board, rows: Sequence[SheetRow]) -> None:
        self.board = board
        self.id_column, self.name_column = f"{board.theirs.capitalize()} id", board.theirs.capitalize()
        self.ours = _ours(board, rows)
        ids = [number for row in rows if (number := whole_number(row.cells[self.id_column])) is not None]
        mirrored = board.mirror.objects.filter(connection=board.connection, remote_id__in=ids)
        self.theirs = {row.remote_id: board.read(row) for row in mirrored}
        found = {ours.pk for group in self.ours.values() for ours in group}
        here = Q(**{f"{board.ours}__in": found}) | Q(**{f"{board.theirs}_id__in": ids})
        related = board.mappings.objects.filter(here, connection=board.connection)
        related = related.select_related("customer" if board.noun == "customer" else "variant__offer")
        self.mapped = {getattr(one, f"{board.ours}_id"): one for one in related}
        self.taken = {getattr(one, f"{board.theirs}_id"): one for one in self.mapped.values()}
        column = f"subscription__{board.ours}_id"
        billed = SubscriptionMapping.objects.open().filter(connection=board.connection, **{f"{column}__in": found})
        self.billed = Counter(billed.values_list(column, flat=True))

    def verdict(self, row: SheetRow) -> Verdict:
        ours = self._one(row)
        if not isinstance(ours, self.board.everything().model):
            return refused(self._key(row), ours)
        name, text = _named(self.board, ours), row.cells[self.id_column]
        mapping = self.mapped.get(ours.pk)
        now = self._name(mapping)
        if not text:
            return Verdict(Effect.SKIP, name, f"Stays {now}." if mapping else "Nothing is asked for.")
        keys: dict[str, Any] = {"ours_key": str(ours.pk), "theirs_key": text}
        remote_id = whole_number(text)
        if remote_id is None:
            words = (f"“{text[:60]}” is no id.", "Write the number that Autotask shows, and save the column as text.")
            return refused(name, words, **keys)
        keys["theirs_key"] = str(remote_id)
        if remote_id not in self.theirs:
            fix = f"Correct the id; refresh the connection if the {self.board.theirs} is new."
            return refused(name, (f"Autotask has no {self.board.theirs} {remote_id}.", fix), **keys)
        theirs = self.theirs[remote_id]
        if mapping and getattr(mapping, f"{self.board.theirs}_id") == remote_id:
            return Verdict(Effect.SAME, name, f"Is {now} already.", **keys)
        if reasons := [*self._misnamed(row, theirs), *told(self._against(ours, theirs, mapping))]:
            return refused(name, *reasons, **keys)
        return self._wanted(name, ours, theirs, mapping, keys)

    def _wanted(self, name: str, ours: Any, theirs: Any, mapping: Any, keys: dict[str, Any]) -> Verdict:
        words = f"Becomes {theirs.name} (#{theirs.id})" + (f" instead of {self._name(mapping)}." if mapping else ".")
        before = getattr(mapping, f"{self.board.theirs}_id", None)
        target = {"ours": ours.pk, "theirs": theirs.id, "before": before}
        return Verdict(Effect.CHANGE if mapping else Effect.CREATE, name, words, target=target, **keys)

    def _one(self, row: SheetRow) -> Any:
        """The row of ours that is meant; or why that cannot be told."""
        key, noun = self._key(row), self.board.noun
        found = self.ours.get(key, [])
        if len(found) > 1:
            details = row.cells.get(DETAILS, "").casefold()
            found = [one for one in found if one.terms.casefold() == details]
            if len(found) != 1:
                why = f"{key} is sold with several terms or billing frequencies."
                return (why, f"Keep the column {DETAILS} as it was exported.")
        if found:
            return found[0]
        column = TENANT_ID if noun == "customer" else ITEM
        if not key:
            return (f"{column} is empty.", f"Write it, or leave the {noun}’s row out.")
        what = TENANT_ID if noun == "customer" else "catalogue item"
        return (f"No {noun} here has the {what} {key[:80]}.", "Look for a letter that is missing or was changed.")

    def _key(self, row: SheetRow) -> str:
        return row.cells[TENANT_ID if self.board.noun == "customer" else ITEM]

    def _name(self, mapping: Any) -> str:
        """What it is mapped to, in words."""
        theirs = self.board.theirs
        return f"{getattr(mapping, f'{theirs}_name')} (#{getattr(mapping, f'{theirs}_id')})" if mapping else ""

    def _misnamed(self, row: SheetRow, theirs: Any) -> list[Why]:
        said = row.cells.get(self.name_column, "")
        if not said or matching.match(said, theirs.name):
            return []
        words = f"The file calls {self.board.theirs} {theirs.id} “{said[:80]}”, in Autotask it is {theirs.name}."
        return [(words, f"Correct the id or the name, or leave the {self.board.theirs}’s name empty.")]

    def _against(self, ours: Any, theirs: Any, mapping: Any) -> Iterable[Reason]:
        """The rules of the picker; a mapping that is there already is changed, as long as nothing is billed by it."""
        taker = self.taken.get(theirs.id)
        facts = self.board.pair(ours).facts
        if self.board.noun == "customer":
            yield from eligibility.company_reasons(theirs, facts, taken_by=str(taker.customer) if taker else "")
        else:
            yield from eligibility.subscription_reasons(facts)
            yield from eligibility.service_reasons(theirs, facts, taken_by=str(taker.variant) if taker else "")
        if mapping and (count := self.billed[ours.pk]):
            code = "customer_in_use" if self.board.noun == "customer" else "offer_in_use"
            yield reason(code, count=count, **{self.board.theirs: getattr(mapping, f"{self.board.theirs}_name")})


def _ours(board: Board, rows: Sequence[SheetRow]) -> dict[str, list[Any]]:
    """Our rows by the key that a file names them by; an offer's key may be that of several."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    if board.noun == "customer":
        for one in board.everything().filter(external_id__in={row.cells[TENANT_ID] for row in rows}):
            found[one.external_id].append(one)
        return found
    products = {row.cells[ITEM].split(":")[0] for row in rows}
    for one in board.everything().filter(offer__product_id__in=products):
        found[one.catalog_item_id].append(one)
    return found


def _named(board: Board, ours: Any) -> str:
    return str(ours) if board.noun == "offer" else f"{ours.name} ({ours.domain})" if ours.domain else ours.name


def _board(kind: type[Board], run: SheetImport) -> Board:
    connection = Connection.objects.select_related("organization").get(pk=run.place_id)
    return kind(connection, timezone.localdate(timezone=connection.organization.zone))
