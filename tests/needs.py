"""What some tests need that is not a Python package: a browser, PostgreSQL, Redis. Without it they are skipped, and say
what is missing and how to get it. Where CI=true they fail instead, but for what CI_WITHOUT names (comma-separated):
what could not be installed there.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Need:
    """The marker of tests that need it, where it is (None: nowhere), and how to get it."""

    marker: str
    found: Callable[[], str | None]
    how: str


def chromium() -> str | None:
    """The browser that tests drive: what CHROMIUM names, else the first one in the PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


NEEDS = (
    Need("browser", chromium, "There is no Chromium here. apt-get install chromium, or name one in CHROMIUM."),
    Need(
        "postgres",
        lambda: os.environ.get("TEST_POSTGRES_URL"),
        "TEST_POSTGRES_URL is not set. apt-get install postgresql, then for example "
        "TEST_POSTGRES_URL=postgres://portal:portal@127.0.0.1/portal with a role that may create databases.",
    ),
    Need(
        "redis",
        lambda: os.environ.get("TEST_REDIS_URL"),
        "TEST_REDIS_URL is not set. apt-get install redis-server, then TEST_REDIS_URL=redis://127.0.0.1:6379/15.",
    ),
)


def is_obligatory(need: Need) -> bool:
    without = os.environ.get("CI_WITHOUT", "").split(",")
    return os.environ.get("CI") == "true" and need.marker not in without
