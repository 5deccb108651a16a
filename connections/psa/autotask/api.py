"""Autotask's REST API as verbs: get, query, create, describe. It knows addresses and errors, not what rows mean.

Queries go by POST, because an address with a search in it is limited to some 2,000 characters. Nothing is ever sent by
PUT: Autotask blanks every field that a PUT leaves out.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from connections import http
from connections.budget import Budget, CountDue
from connections.psa.autotask.answers import answered_at, blocked_for, no_answer, not_sent, understood
from connections.psa.autotask.zone import Zone, look_up
from connections.psa.paging import Page, in_waves
from connections.usage import Counted
from portal.far_side import FarSideError, Rejected, Unauthorized, Unavailable

PAGE = 500
MOST_VALUES = 500
FEW_PAGES = 10
COUNTER = "ThresholdInformation"
THRESHOLD_FIELDS = ("externalRequestThreshold", "requestThresholdTimeframe", "currentTimeframeRequestCount")
KEPT_FOR_S = 24 * 3600

Row = dict[str, Any]
T = TypeVar("T")
Condition = Mapping[str, Any]


class Cache(Protocol):
    """Where descriptions of entities are kept; Django's cache will do."""

    def get(self, key: str) -> Any: ...

    def set(self, key: str, value: Any, timeout: int | None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the API user signs in with. Never shown. `worked_at`: when Autotask last took them, None for new ones."""

    user_name: str
    secret: str = field(repr=False)
    integration_code: str = field(repr=False)
    impersonate_resource_id: int | None = None
    worked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """An entity of this Autotask: its fields, for each picklist the labels by the integer that is stored, and the
    fields that a query may name."""

    fields: frozenset[str]
    labels: Mapping[str, Mapping[int, str]]
    queryable: frozenset[str] = frozenset()

    def label(self, name: str, value: Any) -> str:
        """The label of a picklist's value; empty where the value is empty or not on the list."""
        return self.labels.get(name, {}).get(int(value), "") if value is not None else ""

    def value(self, name: str, label: str) -> int:
        """The integer that this tenant stores for a label of a picklist. Raises Rejected where it has none."""
        labels = self.labels.get(name, {})
        for value, known in labels.items():
            if known.strip().lower() == label.lower():
                return value
        raise Rejected(
            f"Autotask's list {name} has no entry {label}. Its entries: {', '.join(labels.values()) or 'none'}.",
            "Name an entry of that list so in Autotask, press Test on the connection, then retry.",
        )


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    entity: str
    body: bytes | None
    writes: bool


class Api:
    """One Autotask, signed in with one set of credentials. `key` names the connection in sessions and caches."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        key: str,
        budget: Budget,
        cache: Cache,
        zone: Zone | None = None,
        keep_zone: Callable[[Zone], Any] = lambda zone: None,
    ) -> None:
        self._credentials = credentials
        self._key = key
        self._budget = budget
        self._cache = cache
        self._zone = zone
        self._keep_zone = keep_zone
        self.as_of: datetime | None = None

    @property
    def zone(self) -> Zone:
        """Where this Autotask lives; looked up on first use. Raises Unauthorized or Unavailable."""
        if self._zone is None:
            self._look_up_zone()
        assert self._zone is not None
        return self._zone

    def get(self, entity: str, row_id: int) -> Row | None:
        """One row, or None where there is none: Autotask answers {"item": null}, older zones status 404."""
        request = _Request("GET", f"{entity}/{row_id}", entity, None, writes=False)
        answer = self._send(request)
        if answer.status == 404:
            return None
        item = self._settled(request, answer).get("item")
        return item if isinstance(item, dict) else None

    def query(
        self, entity: str, conditions: Sequence[Condition], fields: Sequence[str], *, size: int = PAGE
    ) -> Page[Row]:
        """The first `size` rows (1 to 500) that meet all conditions, by ascending id."""
        request = self._query(entity, conditions, fields, size)
        return _page(self._settled(request, self._send(request)), size)

    def rows(
        self, entity: str, conditions: Sequence[Condition], fields: Sequence[str], *, after_id: int = -1
    ) -> Iterator[Sequence[Row]]:
        """All rows of a small set, in pages by ascending id, one request at a time.

        A further page is asked for where the page before it says, by the same verb and with the same body; Autotask
        answers 405 to any other. It remembers only the latest 50 pages of everybody, so one that it has forgotten,
        and everything behind the first few, is asked for by the last id.
        """

        def behind(last_id: int) -> _Request:
            return self._query(entity, [*conditions, condition("gt", "id", last_id)], fields, PAGE)

        request = first = behind(after_id)
        for number in itertools.count(1):
            try:
                page = _page(self._settled(request, self._send(request)), PAGE)
            except Rejected:
                if request.path == first.path:
                    raise
                request = behind(after_id)
                continue
            if page.rows:
                yield page.rows
                after_id = page.last_id
            if not page.more:
                return
            path = self._path_of(page.next_url, entity) if number < FEW_PAGES else ""
            request = replace(first, path=path) if path else behind(after_id)

    def _path_of(self, url: str, entity: str) -> str:
        """The path of the next page's address; empty where it leads elsewhere: no credentials are sent there."""
        begins = f"{self.zone.url}/{entity}/query/next?"
        return f"{entity}/query/next?{url[len(begins) :]}" if url.lower().startswith(begins.lower()) else ""

    def all_rows(self, entity: str, fields: Sequence[str], *, after_id: int = -1) -> Iterator[Sequence[Row]]:
        """Every row of an entity behind `after_id`, in pages by ascending id, up to three requests at once."""

        def prepare(after: int, through: int | None) -> tuple[_Request, Callable[[], http.Answer]]:
            conditions = [condition("gt", "id", after)]
            if through is not None:
                conditions.append(condition("lte", "id", through))
            request = self._query(entity, conditions, fields, PAGE)
            return request, lambda: self._sent(request)

        def settle(request: _Request, answer: http.Answer) -> Page[Row]:
            return _page(self._settled(request, answer), PAGE)

        return in_waves(prepare, settle, after_id=after_id, places=lambda wanted: self._places(entity, wanted))

    def count(self, entity: str, conditions: Sequence[Condition]) -> int:
        """How many rows meet all conditions."""
        body = _encoded({"filter": list(conditions)})
        return int(self._call("POST", f"{entity}/query/count", entity, body)["queryCount"])

    def create(self, path: str, entity: str, values: Row) -> int | None:
        """Create a row; its id, or None where Autotask names none: an adjustment is answered with {"itemId": null}."""
        found = self._call("POST", path, entity, _encoded({"id": 0} | values), writes=True).get("itemId")
        return int(found) if found is not None else None

    def patch(self, path: str, entity: str, row_id: int, values: Row) -> None:
        """Change some fields of a row. Autotask takes this on the collection's address, with the id in the body."""
        self._call("PATCH", path, entity, _encoded({"id": row_id} | values), writes=True)

    def count_requests(self) -> None:
        """Ask how many requests of everybody Autotask counts, and note it in the budget. Asking counts as well."""
        body = self._call("GET", COUNTER, COUNTER)
        try:
            limit, window, used = (int(body[name]) for name in THRESHOLD_FIELDS)
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable("Autotask does not tell how many requests it counts.", raw=str(body)[:200]) from error
        self._budget.learn(Counted(limit, window, used))

    def information(self, entity: str) -> Row:
        """What may be done with an entity: canQuery, userAccessForQuery (All, Restricted, None), …"""
        info = self._call("GET", f"{entity}/entityInformation", entity).get("info")
        return info if isinstance(info, dict) else {}

    def description(self, entity: str, *, fresh: bool = False) -> Description:
        """Fields and picklists of an entity; kept for a day, because picklists hardly change. `fresh` reads anew."""
        return self.kept(f"described:{entity}", lambda: self._described(entity), fresh=fresh)

    def kept(self, name: str, read: Callable[[], T], *, fresh: bool = False) -> T:
        """What `read` gives, kept for a day for this connection; an empty answer is not kept."""
        place = f"autotask:{self._key}:{name}"
        known = None if fresh else self._cache.get(place)
        if known is None:
            known = read()
            if known:
                self._cache.set(place, known, KEPT_FOR_S)
        return known

    def _described(self, entity: str) -> Description:
        found = self._call("GET", f"{entity}/entityInformation/fields", entity).get("fields") or []
        queryable = frozenset(str(each["name"]) for each in found if each.get("isQueryable"))
        return Description(frozenset(str(each["name"]) for each in found), _labels(found), queryable)

    def _query(self, entity: str, conditions: Sequence[Condition], fields: Sequence[str], size: int) -> _Request:
        body = {"MaxRecords": size, "IncludeFields": list(fields), "filter": list(conditions)}
        return _Request("POST", f"{entity}/query", entity, _encoded(body), writes=False)

    def _call(self, method: str, path: str, entity: str, body: bytes | None = None, *, writes: bool = False) -> Row:
        request = _Request(method, path, entity, body, writes)
        return self._settled(request, self._send(request))

    def _send(self, request: _Request) -> http.Answer:
        """Send once, in a place of the budget. Raises OutcomeUnknown or Unavailable where no whole answer came back."""
        with self._places(request.entity, 1):
            return self._sent(request)

    def _sent(self, request: _Request) -> http.Answer:
        url = f"{self.zone.url}/{request.path}"
        try:
            answer = http.send(self._key, request.method, url, headers=self._headers(request), data=request.body)
        except http.NotSent as problem:
            raise not_sent(problem, urlsplit(url).hostname or "") from problem
        except http.NoAnswer as problem:
            raise no_answer(problem, writes=request.writes) from problem
        self.as_of = self.as_of or answered_at(answer)
        return answer

    def in_line(self, entity: str) -> AbstractContextManager[None]:
        """Around one request that waits for others of this process before it is sent."""
        return self._budget.in_line(entity)

    @contextmanager
    def _places(self, entity: str, wanted: int) -> Iterator[int]:
        """Places of the budget for requests about the entity, after asking for Autotask's count where that is due."""
        with ExitStack() as held:
            try:
                granted = held.enter_context(self._budget.places(entity, wanted, counting=entity == COUNTER))
            except CountDue:
                with suppress(Rejected, Unavailable):  # then what was known before has to do
                    self.count_requests()
                granted = held.enter_context(self._budget.places(entity, wanted))
            yield granted

    def _settled(self, request: _Request, answer: http.Answer) -> Row:
        """What the answer holds. After a 401 the zone is looked up once; only a database that moved is asked again."""
        if answer.status == 401 and self._moved():
            answer = self._send(request)
        try:
            return understood(answer, writes=request.writes, worked_at=self._credentials.worked_at)
        except FarSideError as error:
            for secret in (self._credentials.secret, self._credentials.integration_code):
                error.raw = error.raw.replace(secret, "********") if secret else error.raw
            if isinstance(error, Unavailable) and (seconds := blocked_for(error)):
                self._budget.block(seconds)
            raise

    def _moved(self) -> bool:
        """True where the database lives in another zone by now. A user who is gone there is Unauthorized."""
        before = self._zone
        try:
            self._look_up_zone()
        except Unavailable:
            return False
        except Unauthorized as error:
            self._zone = before
            raise error
        return before is None or before.url != self.zone.url

    def _look_up_zone(self) -> None:
        zone = look_up(self._credentials.user_name, self._credentials.integration_code, key=self._key)
        if zone != self._zone:
            self._zone = zone
            self._keep_zone(zone)

    def _headers(self, request: _Request) -> dict[str, str]:
        headers = {
            "ApiIntegrationCode": self._credentials.integration_code,
            "UserName": self._credentials.user_name,
            "Secret": self._credentials.secret,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        if request.writes and self._credentials.impersonate_resource_id is not None:
            headers["ImpersonationResourceId"] = str(self._credentials.impersonate_resource_id)
        return headers


def condition(operator: str, name: str, value: Any) -> dict[str, Any]:
    """One condition of a query. At most 500 values in a list: Autotask counts each like an OR."""
    assert not isinstance(value, list) or len(value) <= MOST_VALUES, "too many values for one query"
    return {"op": operator, "field": name, "value": value}


def any_of(conditions: Sequence[Condition]) -> dict[str, Any]:
    """One condition that holds where at least one of these does."""
    return {"op": "or", "items": list(conditions)}


def _page(body: Row, size: int) -> Page[Row]:
    rows = [row for row in body.get("items") or [] if isinstance(row, dict)]
    details = body.get("pageDetails")
    next_url = str(details.get("nextPageUrl") or "") if isinstance(details, dict) else ""
    more = bool(next_url) if isinstance(details, dict) else len(rows) >= size
    return Page(rows, int(rows[-1]["id"]) if rows else -1, more and bool(rows), next_url)


def _labels(fields: Sequence[Row]) -> dict[str, dict[int, str]]:
    picklists = [each for each in fields if each.get("isPickList")]
    return {str(each["name"]): _values(each.get("picklistValues") or []) for each in picklists}


def _values(values: Sequence[Row]) -> dict[int, str]:
    """Labels by integer; inactive values too, because rows that carry them remain."""
    return {int(value["value"]): str(value.get("label") or "") for value in values if _is_integer(value.get("value"))}


def _is_integer(value: Any) -> bool:
    return re.fullmatch(r"-?\d+", str(value)) is not None


def _encoded(body: Row) -> bytes:
    return json.dumps(body, default=_number).encode()


def _number(value: Any) -> float:
    """Money as a JSON number: a double holds the 4 places that Autotask keeps, up to a thousand million."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not sent to Autotask.")
