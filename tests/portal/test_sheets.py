"""Tables that leave the portal: safe to open, numbers as numbers, identifiers as text."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.http import Http404
from openpyxl import load_workbook

from portal.sheets import download, harmless

HEADER = ("Id", "Units", "Price", "Day", "Words")
ROW = ("00123456789012345678", 12, Decimal("5.50"), date(2026, 5, 10), '=HYPERLINK("http://x")')


def content_of(kind: str, rows=(ROW,)) -> bytes:
    return b"".join(download("table", kind, HEADER, rows).streaming_content)


def read_csv(rows=(ROW,)) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content_of("csv", rows).decode("utf-8-sig"))))


def read_excel(rows=(ROW,)):
    return list(load_workbook(io.BytesIO(content_of("xlsx", rows))).active.iter_rows())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠1"])
def test_what_begins_like_a_formula_is_text(text):
    assert harmless(text) == f"'{text}"
    assert read_csv([(text,)])[1] == [f"'{text}"]
    cell = read_excel([(text,)])[1][0]
    assert cell.data_type == "s"
    assert cell.value.startswith("'")


def test_numbers_stay_numbers_and_identifiers_text_in_both():
    assert read_csv()[1] == [ROW[0], "12", "5.50", "2026-05-10", f"'{ROW[4]}"]
    assert '"00123456789012345678",12,5.50,"2026-05-10"' in content_of("csv").decode()
    cells = read_excel()[1]
    assert [cell.data_type for cell in cells] == ["s", "n", "n", "s", "s"]
    assert [cell.value for cell in cells[:3]] == [ROW[0], 12, 5.5]
    assert cells[0].number_format == "@"


def test_a_negative_amount_is_no_formula():
    assert read_csv([(Decimal("-5.50"),)])[1] == ["-5.50"]
    assert read_excel([(Decimal("-5.50"),)])[1][0].value == -5.5


def test_text_that_excel_cannot_hold_is_cut_and_cleaned():
    cell = read_excel([("a\x00b" + "c" * 40_000,)])[1][0]
    assert cell.value.startswith("abccc")
    assert len(cell.value) == 32_767


def test_the_file_is_saved_under_our_name():
    for kind in ("csv", "xlsx"):
        assert download("table", kind, HEADER, [])["Content-Disposition"] == f'attachment; filename="table.{kind}"'
    with pytest.raises(Http404):
        download("table", "exe", HEADER, [])
