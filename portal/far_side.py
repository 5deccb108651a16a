"""What can go wrong with a far side, named by what to do next. Both kinds of far side raise these."""

from dataclasses import dataclass, field


@dataclass
class FarSideError(Exception):
    """A call that did not succeed.

    `message`: what happened, in plain words. `advice`: what to do next and where. `raw`: what the far side said,
    secrets masked.
    """

    message: str
    advice: str = ""
    raw: str = ""
    context: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class Rejected(FarSideError):
    """The far side says no: repeating changes nothing, a person looks."""


@dataclass
class Unavailable(FarSideError):
    """Nothing was sent, or surely nothing happened: try later. `retry_after` in seconds where the far side names it."""

    retry_after: float | None = None


class OutcomeUnknown(FarSideError):
    """A write was sent and no readable answer came: prove what happened before anything else is written."""


class Unauthorized(FarSideError):
    """The credentials are refused: stop, tell people, never try in a loop, because the API user locks."""
