"""Tables that leave the portal as CSV or Excel: streamed, and safe to open in a spreadsheet.

A spreadsheet runs a cell that begins like a formula. So text that does is led by an apostrophe, in both formats; money
and counts stay numbers, and everything else, identifiers above all, is text: leading zeros and long digits survive.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import FileResponse, Http404, HttpResponseBase, StreamingHttpResponse
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

FORMATS = ("csv", "xlsx")
MOST_ROWS = 100_000
STARTS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
LONGEST_CELL = 32_767  # characters that Excel keeps in a cell
EXCEL_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BYTE_ORDER_MARK = "\ufeff"  # Excel takes a CSV file without it for the local eight-bit encoding

Rows = Iterable[Sequence[Any]]


class _Echo:
    """What csv writes into: each row is handed on at once."""

    def write(self, text: str) -> str:
        return text


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


def download(name: str, kind: str, header: Sequence[str], rows: Rows) -> HttpResponseBase:
    """The table as a file to save. `name` is ours, without its ending. An unknown `kind` is 404."""
    if kind == "csv":
        content = StreamingHttpResponse(_csv(header, rows), content_type="text/csv; charset=utf-8")
        content["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return content
    if kind == "xlsx":
        return FileResponse(_excel(header, rows), as_attachment=True, filename=f"{name}.xlsx", content_type=EXCEL_TYPE)
    raise Http404


def _csv(header: Sequence[str], rows: Rows) -> Iterator[str]:
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_NONNUMERIC)
    yield BYTE_ORDER_MARK
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([_plain(value) for value in row])


def _excel(header: Sequence[str], rows: Rows) -> io.BytesIO:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([_bold(sheet, word) for word in header])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def _plain(value: Any) -> Any:
    """Numbers as numbers, empty for None, dates as ISO, all else harmless text."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return harmless(_words(value))
    return value


def _cell(sheet: Any, value: Any) -> Any:
    plain = _plain(value)
    if not isinstance(plain, str):
        return plain
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", plain)[:LONGEST_CELL])
    cell.data_type = "s"  # never a formula, whatever it begins with
    cell.number_format = "@"
    return cell


def _bold(sheet: Any, word: str) -> Any:
    cell = WriteOnlyCell(sheet, word)
    cell.font = Font(bold=True)
    return cell


def _words(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)
