"""Runs benchmarks, all or those named. Exit codes: 0 all ran, 1 one of them broke, 2 no such name, 130 stopped."""

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.benchmarks import confirm_to_proof, drain, list_page, mapping_pages, memory, mirror, picker, plan, suggest
from tests.benchmarks.report import Figure, table, write_json
from tests.benchmarks.site import ROOT, Ground, prepare_ground

Benchmark = Callable[[Ground], list[Figure]]
BENCHMARKS: dict[str, tuple[Benchmark, int]] = {  # with the seconds after which it is broken off
    "plan": (plan.run, 60),
    "confirm_to_proof": (confirm_to_proof.run, 120),
    "drain": (drain.run, drain.LONGEST_S),
    "mirror": (mirror.run, 120),
    "list_page": (list_page.run, 240),
    "picker": (picker.run, 120),
    "mapping_pages": (mapping_pages.run, 900),
    "suggest": (suggest.run, 240),
    "memory": (memory.run, 120),
}
RESULTS = ROOT / "var" / "bench.json"


class TookTooLong(Exception):
    """A benchmark did not end in the time that it has."""


def main(names: Sequence[str]) -> int:
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"No benchmark called {', '.join(unknown)}. Known: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    before = os.getloadavg()[0]
    figures: list[Figure] = []
    broken = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        ground = prepare_ground(Path(folder))
        for name in names or BENCHMARKS:
            found = _run(name, ground)
            figures += found
            if not found:
                broken.append(name)
    print("\n" + table(figures))
    print(f"\nLoad of this machine: {before:.1f} before, {os.getloadavg()[0]:.1f} now, on {os.cpu_count()} processors.")
    write_json(figures, RESULTS)
    print(f"Written to {RESULTS.relative_to(ROOT)}.")
    if broken:
        print(f"Broken off: {', '.join(broken)}; see above.", file=sys.stderr)
    return 1 if broken else 0


def _run(name: str, ground: Ground) -> list[Figure]:
    """The figures of one benchmark; none where it broke: that is said, and the others go on."""
    benchmark, seconds = BENCHMARKS[name]
    print(f"{name} …", end=" ", flush=True)
    began = time.monotonic()
    try:
        with _at_most(seconds):
            found = benchmark(ground)
    except Exception:
        print("broke off", flush=True)
        traceback.print_exc()
        return []
    print(f"{time.monotonic() - began:.0f} s", flush=True)
    return found


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    def too_long(number: int, frame: FrameType | None) -> None:
        raise TookTooLong(f"not done after {seconds} s")

    former = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
