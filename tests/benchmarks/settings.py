"""The product's settings with one more address: the empty view that list pages are compared with."""

from portal.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.urls"
