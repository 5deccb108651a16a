"""The credentials of an Autotask API user, as a person enters them."""

from django import forms


class AutotaskForm(forms.Form):
    """User name, secret and tracking identifier. What is secret is never shown again."""

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

    def clean_integration_code(self) -> str:
        """Without the spaces and line breaks that copying from a page may bring along."""
        return "".join(str(self.cleaned_data["integration_code"]).split())

    def public_settings(self) -> dict[str, str]:
        """What may be stored in the clear."""
        return {"user_name": str(self.cleaned_data["user_name"])}

    def secrets(self) -> dict[str, str]:
        return {name: str(self.cleaned_data[name]) for name in ("secret", "integration_code")}
