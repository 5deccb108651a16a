"""Who may do what. Every view is marked with `requires(...)` or `public(...)`; the middleware refuses a view that is
not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

View = Callable[..., HttpResponseBase]

READ = frozenset({"portal.read"})
OPERATE = READ | {"portal.order", "portal.change_subscription", "mappings.map", "syncops.sync"}
BILL = READ | {
    "portal.margins",
    "portal.change_subscription",
    "portal.audit",
    "mappings.map",
    "syncops.sync",
    "syncops.resolve",
}
ADMINISTER = OPERATE | BILL | {"portal.members", "connections.manage"}

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    "reader": READ,
    "operations": OPERATE,
    "billing": BILL,
    "administrator": ADMINISTER,
}
PERMISSIONS = ADMINISTER


@dataclass(frozen=True, slots=True)
class Policy:
    """What a view asks of the person: a permission, or openness with the reason."""

    permission: str | None
    because: str = ""


def allowed(user: Any, permission: str) -> bool:
    """True where the person's role in their organization carries the permission."""
    if not getattr(user, "is_authenticated", False) or user.organization_id is None:
        return False
    return permission in ROLE_PERMISSIONS[user.role]


def requires(permission: str) -> Callable[[View], View]:
    """Mark a view: signed-in people of an organization whose role carries `permission` (403 otherwise)."""
    if permission not in PERMISSIONS:
        raise ValueError(f"{permission} is not a permission; known are {', '.join(sorted(PERMISSIONS))}")

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not allowed(request.user, permission):
                raise PermissionDenied(f"This needs the permission {permission}, which your role does not carry.")
            return view(request, *args, **kwargs)

        guarded.policy = Policy(permission)  # type: ignore[attr-defined]
        return guarded

    return mark


def public(*, because: str) -> Callable[[View], View]:
    """Mark a view that anybody may call, with the reason why that is safe."""

    def mark(view: View) -> View:
        view.policy = Policy(None, because)  # type: ignore[attr-defined]
        return view

    return mark


def policy_of(view: Any) -> Policy | None:
    """The mark of a view, or None where it has none."""
    return getattr(view, "policy", None)
