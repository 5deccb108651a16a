"""Excel files that people hand in, opened with care: no macros, no bombs, nothing that is not a workbook."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

from openpyxl import load_workbook

PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")  # a zip archive, an empty one, Excel's old container
OLD_CONTAINER = b"\xd0\xcf\x11\xe0"
MOST_UNPACKED = 200 * 1024 * 1024
MOST_SHARED = 64 * 1024 * 1024  # the shared strings are held in memory
MOST_PARTS = 2000
PROLOGUE = 64 * 1024  # a document type stands before the first element
PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Unreadable(Exception):
    """The file cannot be read; the words say what to do about it."""


def workbook_of(content: bytes) -> Any:
    """An .xlsx file as a workbook whose rows are read as they are asked for. Raises Unreadable."""
    if content.startswith(OLD_CONTAINER):
        raise Unreadable("The file is an old Excel file (.xls) or has a password. Save it as .xlsx without one.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _look_through(archive)
        return load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable("The Excel file is damaged. Open it in Excel and save it anew.") from error


def _look_through(archive: zipfile.ZipFile) -> None:
    """Refuse what is no plain workbook before it is unpacked. Of a part, no more is unpacked than it says it holds."""
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        raise Unreadable("The file is not an Excel workbook (.xlsx). Save it as .xlsx or as CSV.")
    if any("vbaproject" in name.lower() or "/macrosheets/" in name.lower() for name in names):
        raise Unreadable("The file holds macros. Save it as an Excel workbook without macros (.xlsx).")
    unpacked = sum(part.file_size for part in parts)
    shared = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
    if unpacked > MOST_UNPACKED or shared > MOST_SHARED or len(parts) > MOST_PARTS:
        raise Unreadable("Unpacked, the Excel file is too large. Split it, or save it as CSV.")
    if any(part.flag_bits & 1 or part.compress_type not in PLAIN_METHODS for part in parts):
        raise Unreadable("The Excel file is packed in a way that is not read. Open it in Excel and save it anew.")
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            _no_document_type(archive, part)


def _no_document_type(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """No workbook declares entities; one that does means harm."""
    try:
        with archive.open(part) as opened:
            beginning = opened.read(PROLOGUE)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise Unreadable("The Excel file is damaged. Open it in Excel and save it anew.") from error
    if b"<!DOCTYPE" in beginning or b"<!ENTITY" in beginning:
        raise Unreadable("The Excel file declares what no workbook does. Open it in Excel and save it anew.")
    if part.filename == "[Content_Types].xml" and b"macroEnabled" in beginning:
        raise Unreadable("The file may hold macros. Save it as an Excel workbook without macros (.xlsx).")
