"""Excel files that mean harm, or are no Excel files at all, are refused before they are unpacked."""

import io
import zipfile

import pytest
from openpyxl import Workbook

from portal.archives import Unreadable
from tests.portal.test_sheet_reading import cells, read, workbook


def repacked(content, add=(), change=None):
    """A workbook with parts added, or with a part changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            data = old.read(part)
            new.writestr(part, change(part, data) if change else data)
        for name, data in add:
            new.writestr(name, data)
    return file.getvalue()


PLAIN = workbook(["Tenant id", "Company id"], ["a", 5])
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda: repacked(PLAIN, [("xl/vbaProject.bin", b"x")]), "holds macros"),
        (lambda: repacked(PLAIN, [("xl/media/a", b"\0" * 2_000_000)]), "Unpacked, the Excel file is too large"),
        (lambda: repacked(PLAIN, [(f"xl/media/{n}", b"") for n in range(2001)]), "too large"),
        (
            lambda: repacked(PLAIN, change=lambda name, data: data.replace(b"<worksheet", BOMB + b"<worksheet")),
            "declares",
        ),
        (
            lambda: repacked(PLAIN, change=lambda name, data: data.replace(b"sheet.main", b"sheet.macroEnabled.main")),
            "macros",
        ),
        (lambda: repacked(PLAIN, change=lambda name, data: data[:50] if "sheet1" in name else data), "is damaged"),
        (lambda: PLAIN[:-40], "is damaged"),
    ],
    ids=["macros", "bomb", "parts", "entities", "macro type", "cut part", "cut file"],
)
def test_an_excel_file_that_means_harm_is_refused_before_it_is_unpacked(content, words, monkeypatch):
    monkeypatch.setattr("portal.archives.MOST_UNPACKED", 1_000_000)
    with pytest.raises(Unreadable) as refusal:
        read(content())
    assert words in str(refusal.value)


def test_a_part_that_lies_about_its_size_is_not_unpacked_beyond_it():
    content = bytearray(repacked(PLAIN, [("xl/media/a", b"\0" * 1_000_000)]))
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = content.rindex(mark, 0, content.rindex(b"xl/media/a") if mark == b"PK\x01\x02" else None)
        content[start + place : start + place + 4] = (10).to_bytes(4, "little")
    assert cells(bytes(content)) == [("a", "5")]


def test_a_cell_far_to_the_right_makes_no_row_wide():
    book, file = Workbook(), io.BytesIO()
    book.active.append(["Tenant id", "Company id"])
    book.active.append(["a", 5])
    book.active.cell(row=2, column=16_384, value="far")
    book.save(file)
    assert cells(file.getvalue()) == [("a", "5")]
