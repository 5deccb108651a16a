"""Tables that people hand in: every way in which Excel writes them is read, and no file does harm."""

import io
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from portal.archives import Unreadable
from portal.sheet_reading import MOST_BYTES, Column, open_sheet, plain, whole_number
from portal.sheets import download

COLUMNS = (Column("Tenant id"), Column("Company id"), Column("Company", required=False))


def read(content, columns=COLUMNS):
    if isinstance(content, str):
        content = content.encode()
    return list(open_sheet(content, columns).rows)


def cells(content):
    return [tuple(row.cells.values()) for row in read(content)]


def workbook(*rows, title="Sheet"):
    book, file = Workbook(), io.BytesIO()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


TABLE = "Tenant id{0}Company{0}Company id\r\n001{0}Müller{0}5\r\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_encoding_and_separator_of_excel_is_read(separator, encoding):
    assert cells(TABLE.format(separator).encode(encoding)) == [("001", "5", "Müller")]


def test_the_separator_that_the_file_names_counts_and_rows_keep_their_numbers():
    (row,) = read("sep=;\r\n" + TABLE.format(";"))
    assert (row.number, row.cells["Company id"]) == (3, "5")


def test_headings_stand_where_they_are_in_whatever_case_and_others_are_told():
    sheet = open_sheet(b"My list,,\n\nTENANT ID,company ID,Notes\na,5,x\n", COLUMNS)
    assert sheet.unused == ("Notes",)
    (row,) = sheet.rows
    assert (row.number, dict(row.cells)) == (4, {"Tenant id": "a", "Company id": "5"})


def test_empty_rows_are_left_out_and_space_around_words_as_well():
    assert cells("Tenant id,Company id\n\n , \n\u00a0a\u200b ,\ufeff5 \n,,\n") == [("a", "5")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \r\n ", "is empty"),
        (b"a,b\n1,2\n", "columns Tenant id and Company id are missing. The first row has: a, b"),
        (b"Tenant id,Company id,company ID\n", "2 columns called Company id"),
        (b'Tenant id,Company id\n"a,5\nb,6\n', "quotation mark is not closed"),
        (b'Tenant id,Company id\na,"5" x\n', "quotation mark is not closed"),
        (b"MZ\x00\x01\x02", "neither a CSV nor an Excel file"),
        (b"Tenant id\x81\xff", "letters cannot be read"),
        (b"\xff\xfe\x00", "letters cannot be read"),
        (b"\xd0\xcf\x11\xe0 old", "old Excel file (.xls) or has a password"),
        (b"PK\x03\x04 broken", "is damaged"),
        (b"x" * (MOST_BYTES + 1), "larger than 20 MB"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(content, words):
    with pytest.raises(Unreadable) as refusal:
        read(content)
    assert words in str(refusal.value)


def test_a_row_with_more_cells_than_headings_is_not_guessed_at():
    (row,) = read("Tenant id,Company id\nAcme, Inc,5\n")
    assert "more cells than there are headings" in row.problem


def test_a_cell_that_is_a_book_is_refused_and_cut():
    (row,) = read(f"Tenant id,Company id\n{'a' * 1001},5\n")
    assert "too long" in row.problem
    assert len(row.cells["Tenant id"]) == 1000


def test_too_many_rows_are_told_and_not_cut_off(monkeypatch):
    monkeypatch.setattr("portal.sheet_reading.MOST_ROWS", 3)
    assert len(cells("Tenant id,Company id\n" + "a,5\n" * 3)) == 3
    with pytest.raises(Unreadable, match="more than 3 rows"):
        read("Tenant id,Company id\n" + "a,5\n" * 4)


def test_excel_numbers_dates_and_text_become_what_they_look_like():
    rows = read(
        workbook(["Tenant id", "Company id", "Company"], ["007", 5.0, date(2026, 5, 10)], [True, 29682865, None])
    )
    assert [tuple(row.cells.values()) for row in rows] == [("007", "5", "2026-05-10"), ("True", "29682865", "")]
    assert [row.number for row in rows] == [2, 3]


def test_a_formula_in_a_column_that_counts_is_refused_and_elsewhere_passed_over():
    content = workbook(["Tenant id", "Company id", "Notes"], ["a", "=VLOOKUP(1,B:C,2)", "x"], ["b", 5, "=1+1"])
    formula, plain = read(content)
    assert "Company id holds a formula" in formula.problem
    assert (plain.problem, plain.cells["Company id"]) == ("", "5")


def test_the_first_sheet_with_the_columns_is_read():
    book, file = Workbook(), io.BytesIO()
    book.active.append(["About this file"])
    second = book.create_sheet()
    second.append(["Tenant id", "Company id"])
    second.append(["a", 5])
    book.save(file)
    assert cells(file.getvalue()) == [("a", "5")]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@settings(max_examples=30, deadline=None)
@given(words=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20), max_size=5))
def test_what_was_exported_comes_back(kind, words):
    rows = [(word, "5", word) for word in words]
    file = b"".join(download("table", kind, ("Tenant id", "Company id", "Company"), rows).streaming_content)
    assert [one[0] for one in cells(file)] == [plain(word) for word in words]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("0005", 5),
        ("5.0", 5),
        ("", None),
        ("5.5", None),
        ("1e3", None),
        ("٥", None),
        ("-5", None),
        ("9" * 19, None),
    ],
)
def test_an_id_is_a_whole_number_and_nothing_like_one(text, number):
    assert whole_number(text) == number
