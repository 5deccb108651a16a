"""Pages of a query. A page's address carries where it starts; the next one is fetched with the verb of the first.

The address of a page after a query by body has no search in it, that of a query by URL has: so a wrong verb is noticed.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from .errors import Rejected

REMEMBERED_PAGES = 50


class Page:
    """Where a page starts: after `after`; `before` holds the starts of the pages before it, the latest last."""

    def __init__(self, size: int | None = None, after: int = -1, before: Sequence[int] = ()) -> None:
        self.size = size
        self.after = after
        self.before = tuple(before)

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Page":
        try:
            paging = json.loads(query["paging"])
            return cls(int(paging["pageSize"]), int(paging["nextIds"][0]), [int(i) for i in paging["previousIds"]])
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise Rejected("Invalid paging information.") from error

    def details(self, url: str, search: str | None, ids: Sequence[int], *, size: int, more: bool) -> dict[str, Any]:
        """The page details of an answer with these ids; `url` is that of the entity's query."""
        following = previous = None
        if more:
            before = [*self.before, self.after][-REMEMBERED_PAGES:]
            following = _address(url, search, size, ids[-1], before)
        if self.before:
            previous = _address(url, search, size, self.before[-1], self.before[:-1])
        return {"count": len(ids), "requestCount": size, "prevPageUrl": previous, "nextPageUrl": following}


def _address(url: str, search: str | None, size: int, after: int, before: Sequence[int]) -> str:
    paging = {"pageSize": size, "previousIds": list(before), "nextIds": [after]}
    query = {"paging": json.dumps(paging, separators=(",", ":"))}
    if search is not None:
        query["search"] = search
    return f"{url}/next?{urlencode(query)}"
