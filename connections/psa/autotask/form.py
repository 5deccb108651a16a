"""The credentials of an Autotask API user, as a person enters them."""

from django import forms


class AutotaskForm(forms.Form):
    """User name, secret and tracking identifier, and whom to write as. What is secret is never shown again."""

    user_name = forms.CharField(
        label="Username (Key)",
        max_length=254,
        help_text="Of the API user. It looks like an e-mail address.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    secret = forms.CharField(
        label="Password (Secret)",
        max_length=200,
        strip=False,
        help_text="Autotask shows it once, when it is generated. It is kept encrypted.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    integration_code = forms.CharField(
        label="Tracking identifier",
        max_length=100,
        help_text="27 characters, on the API user's own page under API Tracking Identifier.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    impersonate_resource_id = forms.IntegerField(
        label="Write as the resource (id)",
        required=False,
        min_value=1,
        help_text="Optional. Autotask then names this resource as who made each change; its rights count as well as "
        "those of the API user, whose security level must allow impersonation.",
    )

    def clean_integration_code(self) -> str:
        """Without the spaces and line breaks that copying from a page may bring along."""
        return "".join(str(self.cleaned_data["integration_code"]).split())

    def public_settings(self) -> dict[str, str | int]:
        """What may be stored in the clear."""
        names = ("user_name", "impersonate_resource_id")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name]}

    def secrets(self) -> dict[str, str]:
        return {name: str(self.cleaned_data[name]) for name in ("secret", "integration_code")}
