"""Autotask's query language, translated into SQL over the ledger.

{"MaxRecords": 1-500, "IncludeFields": [names], "filter": [conditions]}, names in any letter case. A condition is {"op",
"field", "value", "udf"} or a group {"op": "and" | "or", "items": [conditions]}; conditions side by side are ANDed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .entities import USER_DEFINED, Entity
from .errors import BAD_PAGE_SIZE, TOO_MANY_ORS, UNABLE_TO_FIND, Rejected
from .fields import Field, WrongType, moment

MAXIMUM = 500
COMPARISONS = {"eq": "=", "noteq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
PATTERNS = {"beginswith": "{}%", "endswith": "%{}", "contains": "%{}%"}
LISTS = {"in": "IN", "notin": "NOT IN"}
_NO_VALUE = "id NOT IN (SELECT parent FROM user_defined WHERE entity = ? AND name = ? AND value IS NOT NULL)"
_SOME_VALUE = "id IN (SELECT parent FROM user_defined WHERE entity = ? AND name = ? AND {})"
EXISTENCE = {"exist": "IS NOT NULL", "notexist": "IS NULL"}


@dataclass(frozen=True, slots=True)
class Query:
    """A translated query: SQL condition with its parameters, page size, and the fields asked for (None: all)."""

    where: str
    parameters: tuple[Any, ...]
    size: int
    fields: tuple[str, ...] | None
    user_defined: tuple[str, ...]


def parse_query(entity: Entity, body: Any, user_defined_names: list[str]) -> Query:
    """Translate a query. Rejected carries Autotask's text for whatever is wrong with it."""
    if not isinstance(body, dict):
        raise Rejected("Invalid query syntax. The query must be a JSON object.")
    lowered = {str(name).lower(): value for name, value in body.items()}
    conditions = lowered.get("filter")
    if not isinstance(conditions, list) or not conditions:
        raise Rejected("Invalid query syntax. A filter is required.")
    size = lowered.get("maxrecords", MAXIMUM)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAXIMUM:
        raise Rejected(BAD_PAGE_SIZE)
    translator = _Translator(entity, user_defined_names)
    where = translator.group(conditions, "AND")
    if translator.alternatives > MAXIMUM:
        raise Rejected(TOO_MANY_ORS)
    if translator.user_defined > 1:
        raise Rejected("Invalid query syntax. Queries are limited to 1 user-defined field condition.")
    fields, user_defined = _included(entity, lowered.get("includefields"), user_defined_names)
    return Query(where, tuple(translator.parameters), size, fields, user_defined)


def _included(
    entity: Entity, names: Any, user_defined_names: list[str]
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    if not names:
        return None, tuple(user_defined_names)
    fields, user_defined = [], []
    for name in names:
        field = entity.find(str(name))
        if field is not None:
            fields.append(field.name)
        elif name in user_defined_names:
            user_defined.append(name)
        elif str(name).lower() == USER_DEFINED.lower() and entity.user_defined:
            user_defined = list(user_defined_names)
        else:
            raise Rejected(UNABLE_TO_FIND.format(field=name, entity=entity.singular))
    return tuple(fields), tuple(user_defined)


class _Translator:
    """One translation: collects parameters, and counts what Autotask limits."""

    def __init__(self, entity: Entity, user_defined_names: list[str]) -> None:
        self.entity = entity
        self.names = user_defined_names
        self.parameters: list[Any] = []
        self.alternatives = 0
        self.user_defined = 0

    def group(self, conditions: Any, joint: str) -> str:
        if not isinstance(conditions, list) or not conditions:
            raise Rejected("Invalid query syntax. A group needs items.")
        if joint == "OR":
            self.alternatives += len(conditions)
        return "(" + f" {joint} ".join(self.condition(condition) for condition in conditions) + ")"

    def condition(self, condition: Any) -> str:
        if not isinstance(condition, dict):
            raise Rejected("Invalid query syntax. A condition must be a JSON object.")
        lowered = {str(name).lower(): value for name, value in condition.items()}
        operator = str(lowered.get("op", "")).lower()
        if operator in ("and", "or"):
            return self.group(lowered.get("items"), operator.upper())
        if operator not in {*COMPARISONS, *PATTERNS, *LISTS, *EXISTENCE}:
            raise Rejected(f"Invalid query syntax. Unknown operator '{lowered.get('op')}'.")
        if lowered.get("udf"):
            return self._of_user_defined(str(lowered.get("field", "")), operator, lowered.get("value"))
        field = self.entity.find(str(lowered.get("field", "")))
        if field is None or not field.queryable:
            raise Rejected(UNABLE_TO_FIND.format(field=lowered.get("field"), entity=self.entity.singular))
        return self._of_field(field, f'"{field.name}"', operator, lowered.get("value"))

    def _of_user_defined(self, name: str, operator: str, value: Any) -> str:
        self.user_defined += 1
        if name.casefold() not in {known.casefold() for known in self.names}:
            raise Rejected(UNABLE_TO_FIND.format(field=name, entity=self.entity.singular))
        self.parameters += [self.entity.name, name]
        if operator == "notexist":
            return _NO_VALUE
        tested = self._of_field(Field(name, "str"), "value", operator, None if value is None else str(value))
        return _SOME_VALUE.format(tested)

    def _of_field(self, field: Field, column: str, operator: str, value: Any) -> str:
        if operator in EXISTENCE:
            return f"{column} {EXISTENCE[operator]}"
        if operator in PATTERNS:
            return self._like(column, PATTERNS[operator], str(value))
        if operator in LISTS:
            return self._listed(field, column, operator, value)
        if value is None:
            return f"{column} IS {'NOT ' if operator == 'noteq' else ''}NULL"
        self.parameters.append(_comparable(field, value))
        return f"{_compared(field, column, value)} {COMPARISONS[operator]} {_compared(field, '?', value)}"

    def _listed(self, field: Field, column: str, operator: str, value: Any) -> str:
        if not isinstance(value, list):
            raise Rejected(f"Invalid query syntax. Operator '{operator}' needs a list.")
        self.alternatives += len(value)
        self.parameters += [_comparable(field, item) for item in value]
        whole = next((item for item in value if isinstance(item, str) and not item.isascii()), "")
        marks = ", ".join([_compared(field, "?", whole)] * len(value))
        return f"{_compared(field, column, whole)} {LISTS[operator]} ({marks})"

    def _like(self, column: str, pattern: str, text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        if text.isascii():
            self.parameters.append(pattern.format(escaped))
            return f"{column} LIKE ? ESCAPE '\\'"
        self.parameters.append(pattern.format(escaped.casefold()))
        return f"folded({column}) LIKE ? ESCAPE '\\'"


def _comparable(field: Field, value: Any) -> Any:
    if field.type == "bool" and not isinstance(value, bool):  # a body may say it in other ways, a filter may not
        raise Rejected(f"Conversion failed when converting the value '{value}' to data type bit.")
    try:
        if field.type == "date":
            return f"{moment(value):%Y-%m-%dT%H:%M:%S}Z"
        stored = field.stored(value)
        return float(stored) if field.type == "double" else stored
    except WrongType as error:
        raise Rejected(str(error)) from error


def _compared(field: Field, operand: str, value: Any) -> str:
    """The operand so that amounts compare as numbers and text without regard to case (outside ASCII by `folded`)."""
    if field.type == "double" and operand != "?":
        return f"CAST({operand} AS REAL)"
    if field.type != "str":
        return operand
    ascii_only = not isinstance(value, str) or value.isascii()
    return f"{operand} COLLATE NOCASE" if ascii_only else f"folded({operand})"


def include(item: Mapping[str, Any], query: Query) -> dict[str, Any]:
    """An item reduced to the fields that the query asked for."""
    if query.fields is None:
        return dict(item)
    reduced = {name: item[name] for name in query.fields}
    if query.user_defined:
        reduced[USER_DEFINED] = item[USER_DEFINED]
    return reduced
