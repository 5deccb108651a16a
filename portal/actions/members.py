"""Changes of people: who is invited, what their role is, whether they may come in."""

from datetime import datetime

from allauth.usersessions.models import UserSession
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from portal.audit import Actor, record
from portal.models import Organization, User

INVITE = "Invite Member"
UPDATE = "Update Member"


def invite_member(member: User, *, actor: Actor, at: datetime) -> User:
    """Create a person who sets a password by the link that is mailed to them. Raises ValidationError in words.

    `member`: not saved yet, with e-mail address, names, organization and role.
    """
    member.email = User.objects.normalize_email(member.email).lower()
    member.set_unusable_password()
    member.full_clean(exclude=["password"])
    try:
        with transaction.atomic():
            member.save(force_insert=True)
            record(
                INVITE,
                actor=actor,
                organization=organization_of(member),
                subject=member.email,
                after=member_facts(member),
                at=at,
            )
    except IntegrityError as error:
        raise ValidationError({"email": "A person with this address is a member already."}) from error
    return member


def update_member(member: User, *, role: str, is_active: bool, actor: Actor, at: datetime) -> None:
    """Change a person's role or access. Raises ValidationError where nobody could administer any more.

    Who may not come in any more is signed out everywhere.
    """
    organization = organization_of(member)
    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        row = User.objects.get(pk=member.pk)
        before, (row.role, row.is_active) = member_facts(row), (role, is_active)
        if before == member_facts(row):
            return
        if row.pk == actor.user_id:
            raise ValidationError("You cannot change your own role or access; ask another administrator.")
        if not other_administrators(row) and not (is_active and role == User.Role.ADMINISTRATOR):
            raise ValidationError(f"{row} is the last administrator of {organization}; make somebody else one first.")
        User.objects.filter(pk=row.pk).update(role=role, is_active=is_active)
        if not is_active:
            for session in UserSession.objects.filter(user=row):
                session.end()
        record(
            UPDATE,
            actor=actor,
            organization=organization,
            subject=row.email,
            before=before,
            after=member_facts(row),
            at=at,
        )


def other_administrators(member: User) -> bool:
    """True where somebody else administers the organization."""
    others = User.objects.filter(organization=member.organization, is_active=True, role=User.Role.ADMINISTRATOR)
    return others.exclude(pk=member.pk).exists()


def organization_of(member: User) -> Organization:
    if member.organization is None:
        raise ValidationError("Support staff belong to no organization; they are looked after in the support admin.")
    return member.organization


def member_facts(member: User) -> dict[str, object]:
    """A person as the audit log keeps them."""
    return {
        "email": member.email,
        "role": member.get_role_display(),
        "organization": str(member.organization),
        "may sign in": member.is_active,
    }
