"""Forms of members."""

from typing import Any

from django import forms

from portal.models import Organization, User

ROLES = (
    "Readers see everything but the audit log. Operations also order and map. Billing also sets margins and reads the "
    "audit log. Administrators do all of it, and look after connections and members."
)


class InviteForm(forms.ModelForm):
    """A new person, in the inviter's organization or in one of its resellers."""

    class Meta:
        model = User
        fields = ["email", "first_name", "last_name", "organization", "role"]
        help_texts = {"role": ROLES, "email": "The letter with the link goes here."}

    def __init__(self, *args: Any, inviter: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organizations = Organization.objects.for_user(inviter)
        field: Any = self.fields["organization"]
        field.queryset, field.required, field.empty_label = organizations, True, None
        field.initial = inviter.organization_id
        if inviter.organization.parent_id or len(organizations) == 1:
            del self.fields["organization"]
            self.instance.organization = inviter.organization


class MemberForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["role", "is_active"]
        labels = {"is_active": "May sign in"}
        help_texts = {"role": ROLES, "is_active": "Without it the person is signed out everywhere, at once."}
