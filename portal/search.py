"""Searching as people type: without regard to case and accents, every word anywhere.

Names are folded once, when they are stored, into a column of their own; what is typed is folded alike.
"""

from functools import reduce
from operator import or_

from django.db.models import Q

from portal.folding import without_accents


def holds_every_word(text: str, *columns: str) -> Q:
    """Rows with each word of `text` somewhere in one of the folded columns; all rows where `text` has no words."""
    found = Q()
    for word in without_accents(text).split():
        found &= reduce(or_, (Q(**{f"{column}__contains": word}) for column in columns))
    return found
