"""Many rows into a table at once, new ones inserted, known ones overwritten: some eight times quicker than by models.

Works the same on SQLite and PostgreSQL. Values are prepared by their fields, names come from the model alone.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import connection, models

PREPARED = (models.DateField, models.DecimalField, models.DateTimeField, models.JSONField, models.UUIDField)


class Upsert:
    """`Upsert(Model, key=["owner_id", "remote_id"], values=["name"]).run(rows)`; a row has keys, then values."""

    def __init__(
        self, model: type[models.Model], *, key: Sequence[str], values: Sequence[str], forward: str = ""
    ) -> None:
        """`forward`: a column, one of `values`; a row in which it would go back stays as it is."""
        fields = {field.attname: field for field in model._meta.concrete_fields}
        quote = connection.ops.quote_name
        columns = [fields[name] for name in (*key, *values)]
        quoted = {name: quote(str(fields[name].column)) for name in (*key, *values)}
        keys = ", ".join(quoted[name] for name in key)
        news = ", ".join(f"{quoted[name]} = excluded.{quoted[name]}" for name in values)
        names = ", ".join(quoted.values())
        marks = ", ".join(["%s"] * len(columns))
        table = quote(model._meta.db_table)
        self._sql = f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({keys}) DO UPDATE SET {news}"  # noqa: S608
        if forward:
            self._sql += f" WHERE NOT coalesce(excluded.{quoted[forward]} < {table}.{quoted[forward]}, false)"
        self._prepared: list[tuple[int, Callable[..., Any]]] = [
            (place, field.get_db_prep_save) for place, field in enumerate(columns) if isinstance(field, PREPARED)
        ]

    def run(self, rows: Iterable[Sequence[Any]]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(self._sql, [self._row(row) for row in rows])

    def _row(self, row: Sequence[Any]) -> list[Any]:
        made = list(row)
        for place, prepare in self._prepared:
            made[place] = prepare(made[place], connection=connection)
        return made
