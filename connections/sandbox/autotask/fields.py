"""What a field of an Autotask entity is, and how its value looks on the wire and in the ledger.

In the ledger a value has the form in which it can be compared: dates and times as UTC text, booleans as 0 and 1,
amounts as text with four decimals. Autotask shows amounts with four decimals and dates without time as midnight UTC.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

DATA_TYPES = {"int": "integer", "long": "long", "double": "double", "bool": "boolean", "str": "string"}
COLUMN_TYPES = {"int": "INTEGER", "long": "INTEGER", "bool": "INTEGER"}
FOUR_PLACES = Decimal("0.0001")
_LINE = re.compile(r"(?P<name>\w+) (?P<type>\w+)(?:\((?P<length>\d+)\))?(?P<flags>.*)")


class WrongType(ValueError):
    """A value that the field cannot hold; the text is Autotask's."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `fixed`: given on create, never changed afterwards. `read_only`: set by Autotask alone."""

    name: str
    type: str
    length: int = 0
    required: bool = False
    read_only: bool = False
    fixed: bool = False
    queryable: bool = True
    picklist: bool = False
    reference: str = ""

    @property
    def data_type(self) -> str:
        return DATA_TYPES.get(self.type, "datetime")

    @property
    def column_type(self) -> str:
        return COLUMN_TYPES.get(self.type, "TEXT")

    def stored(self, value: Any) -> Any:
        """`value` as the ledger keeps it. WrongType where it is none."""
        if value is None:
            return None
        match self.type:
            case "int" | "long":
                return _integer(value)
            case "bool":
                return _boolean(value)
            case "double":
                return amount_text(_decimal(value))
            case "date":
                return f"{moment(value):%Y-%m-%d}T00:00:00Z"
            case "datetime":
                return moment_text(moment(value))
        return value if isinstance(value, str) else str(value)

    def shown(self, stored: Any) -> Any:
        """The ledger's value as the API answers it."""
        if stored is None:
            return None
        if self.type == "double":
            return Decimal(stored)
        return bool(stored) if self.type == "bool" else stored


def parse_fields(table: str) -> Iterator[Field]:
    """Fields from lines `name type(length) flags`.

    Flags: R required, RO read-only, FX fixed after create, NQ not queryable, PL picklist, >Entity reference.
    """
    for line in table.strip().splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"not a field: {line!r}")
        flags = match["flags"].split()
        yield Field(
            name=match["name"],
            type=match["type"],
            length=int(match["length"] or 0),
            required="R" in flags,
            read_only="RO" in flags,
            fixed="FX" in flags,
            queryable="NQ" not in flags,
            picklist="PL" in flags,
            reference=next((flag[1:] for flag in flags if flag.startswith(">")), ""),
        )


def amount_text(value: Decimal) -> str:
    return format(value.quantize(FOUR_PLACES, ROUND_HALF_UP), "f")


def moment_text(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def moment(value: Any) -> datetime:
    """A date or time as clients send it: ISO with or without time and offset (none is UTC), or MM-dd-yyyy."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    text = str(value)
    for parse in (datetime.fromisoformat, lambda sent: datetime.strptime(sent, "%m-%d-%Y")):
        try:
            return moment(parse(text))
        except ValueError:
            continue
    raise WrongType("Conversion failed when converting date and/or time from character string.")


def day(stored: str) -> date:
    """The calendar date of a stored date or time."""
    return date.fromisoformat(stored[:10])


def _integer(value: Any) -> int:
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and value == int(value):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value.strip()):
        return int(value)
    raise WrongType(f"Conversion failed when converting the varchar value '{value}' to data type int.")


def _boolean(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return int(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return int(value.lower() == "true")
    raise WrongType(f"Conversion failed when converting the varchar value '{value}' to data type bit.")


def _decimal(value: Any) -> Decimal:
    if not isinstance(value, bool | dict | list):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise WrongType(f"Conversion failed when converting the varchar value '{value}' to data type numeric.")
