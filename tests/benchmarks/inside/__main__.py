"""Calls one verb; its answer is the last line that is printed."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from tests.benchmarks.inside import asking, changes, lines, many, people, planning, rows  # noqa: E402  Django has to be set up first

VERBS = {
    "change_lines": changes.change_lines,
    "connect": people.connect,
    "confirm": changes.confirm,
    "count_queries": asking.count_queries,
    "fill_companies": rows.fill_companies,
    "fill_lists": rows.fill_lists,
    "fill_mappings": many.fill_mappings,
    "map_lines": lines.map_lines,
    "optimize": asking.optimize,
    "plan_cost": planning.plan_cost,
    "progress": changes.progress,
    "sign_in": people.sign_in,
}
verb, *words = sys.argv[1:]
print(json.dumps(VERBS[verb](*words)))
