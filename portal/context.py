"""What every page's frame needs."""

from typing import Any

from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The navigation's entries, by the person's permissions."""
    return {}
