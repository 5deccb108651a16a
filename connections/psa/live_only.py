"""The one wall between a connection that rehearses and its PSA: whatever is asked of a client, only reads get through.

What is not known to be a read counts as a write, so that a verb that comes later cannot slip by.
"""

from collections.abc import Callable
from typing import Any, cast

from connections.psa.base import Psa
from portal.far_side import Unavailable

READS = frozenset(
    {
        "as_of",
        "billing_codes",
        "billing_preferences",
        "capabilities",
        "companies",
        "company",
        "contract",
        "contracts",
        "count_requests",
        "currencies",
        "dated",
        "find_charges",
        "find_contracts",
        "find_lines",
        "find_services",
        "lines",
        "lines_of",
        "missing_right",
        "next_in_line",  # a place to ask from; what is asked there passes the wall itself
        "probe",
        "service",
        "services",
        "unit_rows",
    }
)


class Rehearsing(Unavailable):
    """Nothing was sent, because the connection rehearses."""


def refusal(connection: object) -> Rehearsing:
    """Why nothing is written through a connection that rehearses."""
    return Rehearsing(f"{connection} rehearses, so nothing was sent.", "It is sent when the connection goes live.")


class LiveOnly:
    """A PSA whose writes are refused while `is_live()` says no: asked anew before every one of them.

    Raises Rehearsing in place of a write.
    """

    def __init__(self, psa: Psa, is_live: Callable[[], bool], name: object) -> None:
        self._psa, self._is_live, self._name = psa, is_live, name

    def __getattr__(self, verb: str) -> Any:
        found = getattr(self._psa, verb)
        return found if verb in READS else self._while_live(found)

    def _while_live(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not self._is_live():
                raise refusal(self._name)
            return write(*args, **kwargs)

        return guarded


def live_only(psa: Psa, is_live: Callable[[], bool], name: object) -> Psa:
    """`psa` behind the wall."""
    return cast(Psa, LiveOnly(psa, is_live, name))
