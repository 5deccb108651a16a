"""What a person types about a connection itself; its credentials have a form per kind."""

from typing import Any

from babel.numbers import list_currencies
from django import forms
from django.core.exceptions import ValidationError

from connections.models import Connection
from portal.models import Organization


class NameForm(forms.Form):
    """A connection's name, unique in its organization."""

    name = forms.CharField(max_length=120, help_text="How your people call it, such as Autotask EUR.")

    def __init__(self, *args: Any, organization: Organization, connection: Connection | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._organization, self._connection = organization, connection

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        taken = Connection.objects.filter(organization=self._organization, name__iexact=name)
        if self._connection is not None:
            taken = taken.exclude(pk=self._connection.pk)
        if taken.exists():
            raise ValidationError("A connection of this name exists already.")
        return name


class ConnectionForm(NameForm):
    """Name and currency of a new connection."""

    currency = forms.CharField(
        max_length=3,
        min_length=3,
        help_text="ISO code of the currency that the contracts on this connection are kept in. It is fixed.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": "3"}),
    )

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).upper()
        if code not in list_currencies():
            raise ValidationError("Enter the three letters of a currency, such as EUR.")
        return code
