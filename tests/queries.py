"""Lists must not ask more questions for more rows."""

from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def assert_same_queries(client: Client, url: str, make_ten: Callable[[], object]) -> None:
    """`url` shows 10 rows and then 20, made by calling `make_ten` twice, with the same number of queries.

    The first request of all is not counted: it fills what is remembered between requests.
    """
    make_ten()
    client.get(url)
    ten = questions(client, url)
    make_ten()
    twenty = questions(client, url)
    assert len(ten) == len(twenty), "\n".join(["More rows, more queries:", *twenty])


def questions(client: Client, url: str) -> list[str]:
    """The SQL that one GET of `url` sends."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200
    return [query["sql"] for query in captured.captured_queries]
