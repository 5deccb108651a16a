"""What a person may decide per connection. Each policy has a default and a closed list of other values."""

import hashlib
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any, Literal, get_args, get_type_hints


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of one Autotask connection. Values outside the lists are refused when read."""

    reactivation: Literal["leave", "restore"] = "leave"
    licence_suspension: Literal["leave", "zero"] = "leave"
    cycle_change: Literal["refuse", "move"] = "refuse"
    upgrade: Literal["refuse", "pair"] = "refuse"
    renewal: Literal["refuse", "extend", "extend_and_reprice"] = "refuse"
    reseller_change: Literal["refuse", "hand_over"] = "refuse"
    price_change: Literal["set_price", "zero_and_restore"] = "set_price"
    posted_period: Literal["next_open", "hold"] = "next_open"
    after_failure: Literal["continue", "hold_line"] = "continue"
    margin_date: Literal["completion_date", "next_period_start"] = "completion_date"
    seat_increase: Literal["on_date", "next_period"] = "on_date"
    seat_decrease: Literal["on_date", "next_period"] = "on_date"
    settle_minutes: int = 0
    same_date: Literal["next_day", "hold"] = "next_day"
    foreign_change: Literal["report", "put_back"] = "report"
    azure_billing: Literal["service_price", "contract_charge"] = "service_price"
    azure_period: Literal["usage_month", "following_month"] = "usage_month"
    map_new_subscriptions: bool = False

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Policies":
        """The policies in `stored`, defaults for the rest. Raises ValueError for a name or value that is not known."""
        hints = _hints() if stored else {}
        for name, value in stored.items():
            if name not in hints:
                raise ValueError(f"{name} is not a policy.")
            choices = get_args(hints[name])
            if choices and value not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
            if not choices and type(value) is not hints[name]:
                raise ValueError(f"{name} must be of type {hints[name].__name__}.")
        return cls(**stored)

    def fingerprint(self) -> str:
        """Differs where any policy differs: what a page showed is compared with what is stored when it is saved."""
        return hashlib.sha256(repr(sorted(self.as_json().items())).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """Only what differs from the defaults, so that a better default reaches those who never chose."""
        defaults = Policies()
        return {f.name: value for f in fields(self) if (value := asdict(self)[f.name]) != getattr(defaults, f.name)}


@lru_cache(maxsize=1)
def _hints() -> dict[str, Any]:
    return get_type_hints(Policies)


# Values that nothing acts on yet: shown, and not to be chosen. What makes one act takes it off this list.
NOT_YET: frozenset[tuple[str, str | bool]] = frozenset()
