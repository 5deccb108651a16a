"""Talking to a sandbox that runs somewhere on this machine: its control endpoints, and whether it answers at all.

A running sandbox keeps its addresses in `addresses.json` in its data folder, so that other commands find it.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

ADDRESSES = "addresses.json"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotRunning(Exception):
    """Nothing answers at the address, or no sandbox left one."""


class Refused(Exception):
    """The sandbox answered, and says what is wrong with the request."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two stand-ins listen, without a slash at the end."""

    autotask: str
    partner_center: str

    @property
    def zone_url(self) -> str:
        """Where a connection's Autotask zone is looked up."""
        return f"{self.autotask}/atservicesrest/v1.0/zoneInformation"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a product that is to work with this sandbox instead of the real far sides."""
        return {
            "AUTOTASK_ZONE_URL": self.zone_url,
            "PARTNER_CENTER_URL": self.partner_center,
            "PARTNER_CENTER_LOGIN_URL": self.partner_center,
            "PARTNER_CENTER_GRAPH_URL": self.partner_center,
        }

    def write(self, data_dir: Path) -> None:
        draft = data_dir / f".{ADDRESSES}.{os.getpid()}"
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.replace(data_dir / ADDRESSES)

    @classmethod
    def read(cls, data_dir: Path) -> "Addresses":
        """The addresses of the sandbox that runs on this folder. Raises NotRunning where none left them."""
        try:
            return cls(**json.loads((data_dir / ADDRESSES).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise NotRunning(f"no sandbox runs on {data_dir}") from error

    @staticmethod
    def forget(data_dir: Path) -> None:
        with suppress(OSError):
            (data_dir / ADDRESSES).unlink()


def control(base: str, method: str, name: str, body: Any = None, **query: Any) -> Any:
    """One call of a control endpoint, for example `control(base, "GET", "ledger", contract=3001)`. Money is Decimal.

    Raises NotRunning where nothing answers, Refused with the stand-in's own words.
    """
    asked = urlencode({key: value for key, value in query.items() if value is not None})
    status, text = _exchange(base, method, f"/_control/{name}" + (f"?{asked}" if asked else ""), body)
    try:
        answer = json.loads(text, parse_float=Decimal) if text.strip() else None
    except ValueError as error:
        raise NotRunning(f"what answers at {base} is not a sandbox") from error
    if status >= 400:
        words = answer.get("error") or answer.get("description") if isinstance(answer, dict) else None
        raise Refused(str(words or f"{method} {name} was answered with {status}"))
    return answer


def status_of(url: str, *, seconds: float = 2.0) -> int | None:
    """The HTTP status that an address on this machine answers with; None where nothing answers."""
    parts = urlsplit(url)
    try:
        return _exchange(f"{parts.scheme}://{parts.netloc}", "GET", parts.path or "/", seconds=seconds)[0]
    except NotRunning:
        return None


def row_words(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Unit rows of the ledger as lines of a table; neighbours that say the same stand on one line."""
    yield f"  {'from':<10}  {'to':<10}  {'rows':>4}  {'units':>7}  {'unit price':>11}  {'unit cost':>11}"
    for (units, price, cost, is_posted), group in groupby(rows, _levels):
        same = list(group)
        money = f"{Decimal(price or 0):>11,.4f}  {Decimal(cost or 0):>11,.4f}"
        ends = f"{same[0]['start']}  {same[-1]['end']}"
        yield f"  {ends}  {len(same):>4}  {units:>7}  {money}{'  posted' if is_posted else ''}"


def _levels(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["units"], row["unit_price"], row["unit_cost"], bool(row["posted"])


def _exchange(base: str, method: str, path: str, body: Any = None, *, seconds: float = 30.0) -> tuple[int, bytes]:
    parts = urlsplit(base)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise NotRunning(f"{base} is not an address of this machine")
    connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=seconds)
    try:
        sent = None if body is None else json.dumps(body, default=str)
        connection.request(method, path, sent, {"Content-Type": "application/json"} if sent else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException) as error:
        raise NotRunning(f"nothing answers at {base}") from error
    finally:
        connection.close()
