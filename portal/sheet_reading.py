"""Tables that people hand in, as CSV or Excel files, read into rows of text: pure, and on guard against every file.

What a file is, its content says, not its name. A row that cannot be taken as it stands carries its `problem`; a file
that cannot be read at all raises Unreadable, in words that say what to do. What `portal.sheets` wrote comes back as it
was.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from portal.archives import PACKED, Unreadable, workbook_of
from portal.sheets import STARTS_A_FORMULA

MOST_BYTES = 20 * 1024 * 1024
MOST_ROWS = 100_000
MOST_COLUMNS = 60
MOST_SHEETS = 20
LONGEST_CELL = 1000  # characters; longer ones are no name and no id
HEADING_WITHIN = 20  # rows above the headings are passed over
SEPARATORS = (";", ",", "\t")
WHOLE = re.compile(r"\d{1,18}(?:\.0+)?")
SPACES = re.compile(r"[\s\ufeff\u200b]+")
FORMULA = "holds a formula: copy the column in Excel and paste it as values"

Record = tuple[int, list[Any]]  # the row's number as a spreadsheet shows it, and its cells


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is asked for, by its heading in whatever case. `about` tells people what belongs in it."""

    name: str
    about: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its number as the spreadsheet shows it, and the text of the columns that were asked for.

    `problem`: why it cannot be taken as it stands, in words; empty where it can.
    """

    number: int
    cells: Mapping[str, str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table whose headings were found; `unused` are those nobody asked for. Reading `rows` may raise Unreadable."""

    unused: tuple[str, ...]
    rows: Iterator[SheetRow]


def open_sheet(content: bytes, columns: Sequence[Column]) -> Sheet:
    """Find the columns in a file; its rows are read as they are asked for, those without a word in them left out.

    Raises Unreadable.
    """
    if not content.strip():
        raise Unreadable("The file is empty. Choose another one.")
    if len(content) > MOST_BYTES:
        raise Unreadable(f"The file is larger than {MOST_BYTES // 1024**2} MB. Split it into smaller ones.")
    tables = _excel(content) if content.startswith(PACKED) else _text(content)
    problem = ""
    for table in tables:
        try:
            return _with_headings(table, columns)
        except Unreadable as error:
            problem = problem or str(error)
    raise Unreadable(problem or "The file holds no table.")


def whole_number(text: str) -> int | None:
    """An id that Excel may have made a number of ("123", "123.0"); None where it is none."""
    return int(text.split(".")[0]) if text.isascii() and WHOLE.fullmatch(text) else None


def plain(value: Any) -> str:
    """A cell as text: without surrounding space, and without the apostrophe that `portal.sheets.harmless` put there."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    if isinstance(value, datetime):
        value = value.date() if value.time() == datetime.min.time() else value
    text = SPACES.sub(" ", value.isoformat() if isinstance(value, date) else str(value)).strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(STARTS_A_FORMULA) else text


def _with_headings(table: Iterable[Record], columns: Sequence[Column]) -> Sheet:
    """The table below the first row that holds every column; what stands above is passed over."""
    records, above = iter(table), ""
    for _, cells in islice(records, HEADING_WITHIN):
        found = [plain(_value(cell)) for cell in cells]
        if not any(found):
            continue
        places = _places(found, columns)
        missing = [one.name for one in columns if one.required and one.name not in places]
        if not missing:
            known = set(places.values())
            unused = tuple(name for place, name in enumerate(found) if name and place not in known)
            return Sheet(unused, _rows(records, places, len(found)))
        shown = ", ".join(name for name in found if name)[:300]
        which = f"column {missing[0]} is" if len(missing) == 1 else f"columns {' and '.join(missing)} are"
        above = above or f"The {which} missing. The first row has: {shown}."
    raise Unreadable(above or "The file is empty. Choose another one.")


def _places(found: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    places: dict[str, int] = {}
    for column in columns:
        here = [place for place, name in enumerate(found) if name.casefold() == column.name.casefold()]
        if len(here) > 1:
            raise Unreadable(f"There are {len(here)} columns called {column.name}. Keep one of them.")
        if here:
            places[column.name] = here[0]
    return places


def _rows(records: Iterator[Record], places: Mapping[str, int], width: int) -> Iterator[SheetRow]:
    count = 0
    for number, cells in records:
        if not any(plain(_value(cell)) for cell in cells):
            continue
        count += 1
        if count > MOST_ROWS:
            raise Unreadable(f"The file has more than {MOST_ROWS:,} rows. Split it into smaller ones.")
        yield _row(number, cells, places, width)


def _row(number: int, cells: Sequence[Any], places: Mapping[str, int], width: int) -> SheetRow:
    problem, read = "", {}
    for name, place in places.items():
        cell = cells[place] if place < len(cells) else None
        text = plain(_value(cell))
        if getattr(cell, "data_type", "") == "f":
            problem, text = problem or f"{name} {FORMULA}.", ""
        elif len(text) > LONGEST_CELL:
            problem, text = problem or f"{name} is too long: {len(text):,} characters.", text[:LONGEST_CELL]
        read[name] = text
    if any(plain(_value(cell)) for cell in cells[width:]):
        problem = "It has more cells than there are headings: put text that holds a separator into quotation marks."
    return SheetRow(number, read, problem)


def _value(cell: Any) -> Any:
    return cell.value if hasattr(cell, "data_type") else cell


def _excel(content: bytes) -> Iterator[Iterator[Record]]:
    book = workbook_of(content)
    for sheet in book.worksheets[:MOST_SHEETS]:
        yield _guarded(enumerate(sheet.iter_rows(max_col=MOST_COLUMNS), start=1))


def _guarded(rows: Iterable[tuple[int, Any]]) -> Iterator[Record]:
    """The rows of a workbook; whatever a damaged one does to its reader is told as what it is."""
    try:
        for number, cells in rows:
            yield number, list(cells)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable("The Excel file is damaged. Open it in Excel and save it anew.") from error


def _text(content: bytes) -> Iterator[Iterator[Record]]:
    """The file read with each separator that may be meant; the one that its first line names counts alone."""
    text = decoded(content)
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        yield _lines(rest, first.strip()[4], 2)
        return
    for separator in sorted(SEPARATORS, key=lambda one: -first.count(one)):
        yield _lines(text, separator, 1)


def _lines(text: str, separator: str, start: int) -> Iterator[Record]:
    number = start
    try:
        for number, cells in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), start
        ):
            yield number, list(cells)
    except csv.Error as error:
        words = "A quotation mark is not closed, or stands inside a cell by itself"
        raise Unreadable(
            f"{words}, at row {number} or the one after it. Mend it and hand the file in again."
        ) from error


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16, as its mark or its bytes tell; else in Windows' Western encoding."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return _decoded(content, encoding)
    if b"\x00" in content:
        raise Unreadable("The file is neither a CSV nor an Excel file (.xlsx). Save it as one of the two.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(content, "cp1252")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable("The file's letters cannot be read. In Excel save it as “CSV UTF-8”.") from error
