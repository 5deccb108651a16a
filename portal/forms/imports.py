"""What a person hands in: a file, and the choices that hold for all of its rows."""

from __future__ import annotations

from typing import Any

from django import forms

from portal.archives import Unreadable
from portal.imports import Kind
from portal.sheet_reading import MOST_BYTES, open_sheet


class ImportForm(forms.Form):
    """A table as CSV or Excel, looked at as far as its first row; `content` are its bytes."""

    file = forms.FileField(
        label="File",
        help_text=f"CSV or Excel (.xlsx), at most {MOST_BYTES // 1024**2} MB.",
        allow_empty_file=True,
        error_messages={"required": "Choose a file."},
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )

    def __init__(self, kind: Kind, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind, self.content = kind, b""
        for choice in kind.choices:
            self.fields[choice.name] = forms.ChoiceField(
                label=choice.label, choices=choice.values, initial=choice.values[0][0], help_text=choice.help
            )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"The file is larger than {MOST_BYTES // 1024**2} MB. Split it.")
        self.content = file.read()
        try:
            if next(open_sheet(self.content, self.kind.columns).rows, None) is None:
                raise forms.ValidationError("There is no row below the headings.")
        except Unreadable as error:
            raise forms.ValidationError(str(error)) from error
        return file

    @property
    def options(self) -> dict[str, str]:
        return {choice.name: self.cleaned_data[choice.name] for choice in self.kind.choices}
