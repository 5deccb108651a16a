"""Asking for pages inside a process with Django: how many queries each sends."""

import json
from pathlib import Path

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.benchmarks.inside.people import session_of


def count_queries(email: str, file: str) -> dict[str, int]:
    """The queries of each page in a JSON file: {name: [address, headers]}. The first request of all is not counted."""
    client, asked = session_of(email), json.loads(Path(file).read_text(encoding="utf-8"))
    client.get(next(iter(asked.values()))[0])
    return {name: _questions(client, address, headers) for name, (address, headers) in asked.items()}


def _questions(client: Client, address: str, headers: dict[str, str]) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address, headers=headers)
    assert answer.status_code == 200, f"{address}: {answer.status_code}"
    return len(captured)


def optimize() -> str:
    """Let SQLite look at what the tables hold, and put everything into one file."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA optimize")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return "done"
