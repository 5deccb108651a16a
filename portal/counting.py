"""Several counts in one query."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, QuerySet, Subquery

from portal.models import Organization


def counts_of(organization_id: int, *, at_most: int | None = None, **rows: QuerySet[Any]) -> dict[str, int]:
    """How many rows each of the querysets has, by name; one query, asked in the name of an organization that exists.

    `at_most`: what is beyond is not counted.
    """
    counted = {name: Subquery(_few(each, at_most).annotate(n=_COUNT).values("n")) for name, each in rows.items()}
    found: Any = Organization.objects.filter(pk=organization_id).values(**counted).get()
    return dict(found)


def _few(rows: QuerySet[Any], at_most: int | None) -> QuerySet[Any]:
    """Without an order of its own: PostgreSQL refuses one beside the count."""
    rows = rows.order_by()
    if at_most is None:
        return rows
    return rows.model._base_manager.filter(pk__in=rows.values("pk")[:at_most]).order_by()


_COUNT = Func("pk", function="COUNT")
