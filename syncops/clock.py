"""Two clocks: the wall's, which people set, and the machine's, which only runs forward."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from portal.processes import boot_id


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks; `boot` counts seconds since this machine's boot, asleep or not."""

    now: datetime
    boot: float
    boot_id: str

    def surely_after(self, earlier: "Moment", seconds: float) -> bool:
        """True where `seconds` have passed since `earlier` by the wall clock and, on the same boot, by the machine's
        clock too.

        A wall clock that was set forward, or differs between machines, must not shorten a quiet time.
        """
        if self.now < earlier.now + timedelta(seconds=seconds):
            return False
        return self.boot_id != earlier.boot_id or self.boot >= earlier.boot + seconds


class Clock(Protocol):
    def moment(self) -> Moment: ...


class SystemClock:
    """The machine's clocks."""

    def moment(self) -> Moment:
        boot_clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return Moment(datetime.now(tz=UTC), time.clock_gettime(boot_clock), boot_id())
