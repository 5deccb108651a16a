"""The switches of the Partner Center stand-in: where the real service differs between days, tenants and releases."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..store import Store

SETTING = "modes"

DEFAULTS: dict[str, Any] = {
    "order_visible_after": 0.5,
    "provisioning_delay": 2.0,
    "slow_patch": 0.0,
    "pending_code": 900278,
    "checkout_failures": {},
    "no_agreement": [],
    "bom": "checkout",
    "dates": "mixed",
    "numbers": "plain",
    "doubled_headers": False,
    "paging_end": "missing_next",
    "amr_mfa": True,
    "require_mfa": True,
    "refresh_tokens": "keep_old",
    "access_token_lifetime": 3600,
    "idempotency_minutes": 30,
    "calls_per_minute": 500,
    "webhooks": "once",
}
"""
order_visible_after    seconds until a new order is found by its id (404 20000 before)
provisioning_delay     seconds until it is fulfilled and its subscriptions are active
slow_patch             0: a change is answered 200 at once; more: 202, and visible after so many seconds
pending_code           what a second change meets meanwhile: 900278, 800082 or 800014 (all 409)
checkout_failures      {catalogue item id or product id: code}: such lines end in orderErrors, the rest is ordered
no_agreement           customers without a Microsoft Customer Agreement: checkout answers 403 13605
bom                    never | checkout | always: whether bodies begin with a UTF-8 byte order mark
dates                  mixed | plain: seven digits, offsets and missing zones as in the service, or one form
numbers                plain | strings: amounts of money as JSON numbers or as text
doubled_headers        echo "x,x" for MS-RequestId and MS-CorrelationId x
paging_end             missing_next | code_2000: how the last page of customers is told
amr_mfa                whether new tokens say that the user signed in with MFA
require_mfa            whether tokens of users without that are refused (401 900421)
refresh_tokens         keep_old | revoke_old: whether redeeming a refresh token ends it
access_token_lifetime  seconds
idempotency_minutes    for so long the same MS-RequestId gets the stored answer of a write again
calls_per_minute       per partner and customer; beyond it 429
webhooks               once | twice | off: how often a registered address is told of a change
"""

_CHOICES = {
    "bom": ("never", "checkout", "always"),
    "dates": ("mixed", "plain"),
    "numbers": ("plain", "strings"),
    "paging_end": ("missing_next", "code_2000"),
    "refresh_tokens": ("keep_old", "revoke_old"),
    "webhooks": ("once", "twice", "off"),
    "pending_code": (900278, 800082, 800014),
}


class Modes:
    """The switches as set, persistent. `modes["bom"]` reads one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._values = DEFAULTS | store.setting(SETTING, {})

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def as_json(self) -> dict[str, Any]:
        return dict(self._values)

    def change(self, values: Mapping[str, Any]) -> None:
        """Set some; ValueError, and nothing set, where a name or a value is unknown."""
        values = {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}
        for name, value in values.items():
            if name not in DEFAULTS:
                raise ValueError(f"unknown mode {name!r}; known: {', '.join(DEFAULTS)}")
            allowed = _CHOICES.get(name)
            if allowed and value not in allowed:
                raise ValueError(f"{name} is one of {', '.join(map(str, allowed))}")
            if not allowed and not isinstance(value, _kind(DEFAULTS[name])):
                raise ValueError(f"{name} takes a value like {DEFAULTS[name]!r}")
        self._values |= values
        changed = {name: value for name, value in self._values.items() if value != DEFAULTS[name]}
        self._store.set_setting(SETTING, changed)

    def reset(self) -> None:
        self._values = dict(DEFAULTS)
        self._store.set_setting(SETTING, {})


def _kind(default: Any) -> tuple[type, ...]:
    if isinstance(default, bool):
        return (bool,)
    return (int, float) if isinstance(default, int | float) else (type(default),)
