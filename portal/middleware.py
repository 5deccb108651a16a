"""Middleware: every view carries its policy, people use a second factor where their organization asks for it."""

from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from portal.permissions import policy_of

OWN_RULES = ("allauth.", "django.contrib.admin", "django.contrib.auth", "django.contrib.staticfiles", "whitenoise.")
MFA_EXEMPT = ("/accounts/", "/static/", "/healthz", "/readyz")
GetResponse = Callable[[HttpRequest], HttpResponse]


class PolicyMiddleware:
    """Refuse any view of ours that is not marked: forgetting the mark closes the door instead of opening it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        module = getattr(view, "__module__", "")
        if policy_of(view) is None and not module.startswith(OWN_RULES):
            raise PermissionDenied(f"The view {module}.{getattr(view, '__name__', view)} carries no policy.")


class MfaMiddleware:
    """Send people whose organization requires a second factor to its set-up page until they have one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not request.path.startswith(MFA_EXEMPT) and user.is_authenticated and self.must_enroll(request, user):
            return redirect("mfa_index")
        return self.get_response(request)

    @staticmethod
    def must_enroll(request: HttpRequest, user: Any) -> bool:
        """True while a second factor is required and missing; a found one is remembered for the session."""
        required = user.organization.require_mfa if user.organization_id else user.is_staff
        if not required or request.session.get("second_factor"):
            return False
        from allauth.mfa.utils import is_mfa_enabled

        if is_mfa_enabled(user):
            request.session["second_factor"] = True
            return False
        return True


class ZoneMiddleware:
    """Show moments in the time zone of the person's organization."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        zone = user.organization.zone if user.is_authenticated and user.organization_id else None
        with timezone.override(zone):
            return self.get_response(request)


class LogContextMiddleware:
    """Bind a request id, the person and the organization to every log line of the request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        user: Any = request.user
        structlog.contextvars.bind_contextvars(
            path=request.path, user=user.pk, organization=getattr(user, "organization_id", None)
        )
        return self.get_response(request)
