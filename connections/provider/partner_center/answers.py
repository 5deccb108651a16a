"""Reading the bytes of an answer."""

import json
from decimal import Decimal
from typing import Any

UNREADABLE = object()


def json_of(content: bytes) -> Any:
    """The JSON value, None for an empty body, UNREADABLE for anything else.

    Partner Center puts a byte order mark in front of some answers. Fractions become Decimal.
    """
    try:
        text = content.decode("utf-8-sig")
        return json.loads(text, parse_float=Decimal) if text.strip() else None
    except ValueError:
        return UNREADABLE
