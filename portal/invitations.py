"""The letter that lets a new person choose a password."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from portal.models import User


def invitation_link(member: User) -> str:
    """Where the person chooses a password; it works once, for settings.PASSWORD_RESET_TIMEOUT seconds."""
    names = {"uidb36": user_pk_to_url_str(member), "key": default_token_generator.make_token(member)}
    return settings.PUBLIC_URL + reverse("account_reset_password_from_key", kwargs=names)


def send_invitation(member: User, *, inviter: User) -> None:
    """Mail the link. Raises OSError (of which smtplib's errors are a kind) where the letter cannot be handed over."""
    context = {
        "member": member,
        "inviter": inviter,
        "link": invitation_link(member),
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
        "home": settings.PUBLIC_URL,
    }
    subject = render_to_string("portal/email/invitation_subject.txt", context).strip()
    send_mail(subject, render_to_string("portal/email/invitation_message.txt", context), None, [member.email])
