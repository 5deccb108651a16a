"""What is not known about Autotask, or differs between tenants, as switches. They survive a restart.

The first value of each is the default.

posted_period         an adjustment whose date or later rows are posted: reject it; move it to the next_period that is
                      open; or bill the posted days as a separate item and change the open rows only
same_date             a second adjustment for a line and date: merge, duplicate_error, or last_wins (replaces the first)
zero_units            whether an adjustment may leave 0 units
price_timing          a price given inside a period: from_date, or only from the next_period
price_only            a price given without a change of units: apply or ignore
adjustment_item_id    what a successful adjustment answers as itemId: null or int
missing_right         how a call without the right to it is refused: with status 500, 403 or 401
zone_url              how the zone information writes the API's address: with a slash at its end, bare, in lower
                      case, or with the version
missing_row           getting an id that does not exist: null (200 with item null) or 404
unknown_properties    properties in a body that the entity does not have: reject or ignore
unauthorized_body     the body of a 401: empty, errors, or errors with the reason for a locked user
contract_modified     a contract's lastModifiedDateTime moves when its own record changes, or with its lines too
notes                 whether an adjustment by API writes a contract note: write or none
lock_after            failed log-ins that lock an API user; null for never
threads               requests at once per tracking identifier and entity; null for no limit
hourly_limit          requests per database in 60 minutes; null for no limit
hourly_latency        seconds added above 75 % of the hourly limit, half of it above 50 %
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..store import Store

CHOICES: dict[str, tuple[str, ...]] = {
    "posted_period": ("reject", "next_period", "separate"),
    "same_date": ("merge", "duplicate_error", "last_wins"),
    "zero_units": ("allow", "reject"),
    "price_timing": ("from_date", "next_period"),
    "price_only": ("apply", "ignore"),
    "adjustment_item_id": ("null", "int"),
    "missing_right": ("500", "403", "401"),
    "zone_url": ("slash", "bare", "lower", "version"),
    "missing_row": ("null", "404"),
    "unknown_properties": ("reject", "ignore"),
    "unauthorized_body": ("empty", "errors", "reason"),
    "contract_modified": ("record", "lines"),
    "notes": ("write", "none"),
}
NUMBERS: dict[str, float | None] = {"lock_after": 10, "threads": 3, "hourly_limit": 10_000, "hourly_latency": 1.0}
_KEY = "modes"


class Modes:
    """The switches of one stand-in: `modes["same_date"]`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._values: dict[str, Any] = _defaults() | store.setting(_KEY, {})

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def change(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Set some switches; ValueError, and nothing set, where a name or a value is unknown."""
        for name, value in values.items():
            if name in CHOICES and value in CHOICES[name]:
                continue
            if name in NUMBERS and (value is None or isinstance(value, int | float | Decimal)):
                continue
            known = CHOICES.get(name) or ("a number",) if name in CHOICES or name in NUMBERS else ()
            raise ValueError(f"no such mode: {name}={value!r}; known: {', '.join(known or [*CHOICES, *NUMBERS])}")
        self._values |= {n: float(v) if isinstance(v, Decimal) else v for n, v in values.items()}
        self._store.set_setting(_KEY, self._values)
        return dict(self._values)

    def reset(self) -> None:
        self._values = _defaults()
        self._store.set_setting(_KEY, {})


def _defaults() -> dict[str, Any]:
    return {**{name: values[0] for name, values in CHOICES.items()}, **NUMBERS}
