"""What people say about an operation."""

from typing import Any

from django import forms

from mappings.forms import TickedForm


class ReasonForm(forms.Form):
    """Why an operation is dismissed."""

    reason = forms.CharField(
        label="Reason",
        max_length=500,
        help_text="Stays in the audit log, for whoever asks later why this was not billed.",
    )


class ReleaseForm(forms.Form):
    """Why later operations go on although this one does not."""

    reason = forms.CharField(
        label="Why later operations go on",
        max_length=500,
        help_text="Stays in the audit log. This operation still waits for you.",
    )


class DecisionForm(forms.Form):
    """What became of a write without an answer, as a person saw it in Autotask."""

    applied = forms.ChoiceField(
        label="Does the line in Autotask show the change?",
        choices=[("yes", "Yes, it was applied"), ("no", "No, it was not applied")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label="How you know", max_length=500)


class GroupForm(forms.Form):
    """Which operations a person saw when they decided about them: the kind and words of their error, and when."""

    kind = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    words = forms.CharField(required=False, max_length=200, strip=False, widget=forms.HiddenInput)
    seen_at = forms.DateTimeField(required=False, widget=forms.HiddenInput)


class GroupReasonForm(GroupForm, ReasonForm):
    """The same, with why they are dismissed."""


class ExtensionForm(forms.Form):
    """Until when a contract is extended."""

    until = forms.DateField(
        label="New last day of the contract",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="All lines of the contract go on until then.",
    )


class ChoiceForm(TickedForm):
    """Which of what gathered in a rehearsal, and whether it is sent; why not, where it is not."""

    rows = forms.TypedMultipleChoiceField(coerce=int, required=False)
    do = forms.ChoiceField(
        choices=[(name, name) for name in ("send", "dismiss", "send_all", "dismiss_all")], widget=forms.HiddenInput
    )
    reason = forms.CharField(
        label="Why they are not sent",
        required=False,
        max_length=500,
        help_text="Needed to dismiss. Stays in the audit log, for whoever asks later why this was not billed.",
    )

    @property
    def choice(self) -> str:
        return str(self.cleaned_data["do"]).removesuffix("_all")

    @property
    def is_everything(self) -> bool:
        return str(self.cleaned_data["do"]).endswith("_all")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        wanted = cleaned.get("do", "")
        if wanted.startswith("dismiss") and not cleaned.get("reason"):
            self.add_error("reason", "Say why they are not sent; nothing was chosen yet.")
        if wanted in ("send", "dismiss") and not cleaned.get("rows"):
            self.add_error(None, "Tick what you mean first.")
        return cleaned
