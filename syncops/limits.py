"""How long things may take, and how often they are tried."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds; `quiet_s` is how long the far side may still be working on a write after its answer was given
    up.
    """

    lease_s: float = 120
    guard_margin_s: float = 15
    connect_timeout_s: float = 5
    read_timeout_s: float = 60
    quiet_s: float = 300
    drain_budget_s: float = 30
    threads: int = 3
    retries: int = 5
    first_batch: int = 18
    batch: int = 36  # their unit rows of a 12-month contract fit one page
    lane_s: float = 15
    back_off_s: float = 5

    @classmethod
    def from_settings(cls) -> Limits:
        known = {name: value for name, value in settings.EXECUTOR.items() if name in cls.__slots__}
        return cls(**known)

    @property
    def longest_drain_s(self) -> float:
        """No drain takes longer: its budget, and the one request that was under way when it ended."""
        return self.drain_budget_s + self.connect_timeout_s + self.read_timeout_s + self.guard_margin_s

    @property
    def unknown_for_s(self) -> float:
        """How long after a send without an answer nothing may be concluded from its not showing."""
        return self.connect_timeout_s + self.read_timeout_s + self.quiet_s
