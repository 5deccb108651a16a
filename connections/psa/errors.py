"""Why a PSA said no, in words that callers may branch on: `Rejected.context["why"]` holds one where it is known."""

from enum import StrEnum

from portal.far_side import FarSideError


class Why(StrEnum):
    """The refusals that change what a caller does next."""

    DUPLICATE_DATE = "duplicate_date"
    OUTSIDE_CONTRACT = "outside_contract"
    POSTED_PERIOD = "posted_period"
    BELOW_ZERO = "below_zero"
    MISSING_REFERENCE = "missing_reference"
    MISSING_RIGHT = "missing_right"
    SEVERAL_LINES = "several_lines"


def why(error: FarSideError) -> Why | None:
    """The known reason of a refusal, or None where only its words tell."""
    code = error.context.get("why", "")
    return Why(code) if code in set(Why) else None
