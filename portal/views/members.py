"""Members: who may come in, and what for."""

import logging
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.actions.members import invite_member, update_member
from portal.audit import Actor
from portal.forms.members import InviteForm, MemberForm
from portal.htmx import hx_redirect, render_page
from portal.invitations import send_invitation
from portal.models import User
from portal.paging import page_of
from portal.permissions import requires

logger = logging.getLogger(__name__)


@require_GET
@requires("portal.members")
def member_list(request: HttpRequest) -> HttpResponse:
    page = page_of(request, User.objects.for_user(request.user).select_related("organization"), order=("email", "pk"))
    protected = set(Authenticator.objects.filter(user__in=page.ids).values_list("user_id", flat=True))
    return render_page(request, "portal/members.html", {"page": page, "protected": protected}, fragment="table")


@require_http_methods(["GET", "POST"])
@requires("portal.members")
def member_invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST if request.method == "POST" else None, inviter=request.user)
    if form.is_valid():
        try:
            member = invite_member(form.save(commit=False), actor=actor_of(request), at=timezone.now())
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            mail(request, member)
            return hx_redirect(request, "portal:members")
    status = 422 if form.is_bound else 200
    return render_page(request, "portal/member_invite.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@requires("portal.members")
def member_edit(request: HttpRequest, pk: int) -> HttpResponse:
    member = get_object_or_404(User.objects.for_user(request.user), pk=pk)
    form = MemberForm(request.POST if request.method == "POST" else None, instance=member)
    if form.is_valid():
        try:
            update_member(member, **form.cleaned_data, actor=actor_of(request), at=timezone.now())
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, f"Saved: {member}.")
            return hx_redirect(request, "portal:members")
    status = 422 if form.is_bound else 200
    context = {"form": form, "member": member, "is_self": member.pk == request.user.pk}
    return render_page(request, "portal/member_edit.html", context, status=status)


@require_POST
@requires("portal.members")
def member_invite_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Another letter for somebody who has not been in yet."""
    mine = User.objects.for_user(request.user)
    mail(request, get_object_or_404(mine, pk=pk, is_active=True, last_login__isnull=True))
    return hx_redirect(request, "portal:members")


def mail(request: HttpRequest, member: User) -> None:
    """Send the invitation and say how that went; the person exists either way."""
    user: Any = request.user
    try:
        send_invitation(member, inviter=user)
    except OSError as error:
        logger.warning("the invitation of user %s could not be sent: %s", member.pk, error)
        messages.error(request, f"{member.email} is a member now, but the letter could not be sent: {error}.")
    else:
        messages.success(request, f"The invitation is on its way to {member.email}.")


def actor_of(request: HttpRequest) -> Actor:
    user: Any = request.user
    return Actor.user(user)
