"""What people say about an operation."""

from django import forms


class ReasonForm(forms.Form):
    """Why an operation is dismissed."""

    reason = forms.CharField(
        label="Reason",
        max_length=500,
        help_text="Stays in the audit log, for whoever asks later why this was not billed.",
    )


class DecisionForm(forms.Form):
    """What became of a write without an answer, as a person saw it in Autotask."""

    applied = forms.ChoiceField(
        label="Does the line in Autotask show the change?",
        choices=[("yes", "Yes, it was applied"), ("no", "No, it was not applied")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label="How you know", max_length=500)
