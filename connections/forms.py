"""What a person types about a connection itself; its credentials have a form per kind."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from babel.numbers import list_currencies
from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections.models import Connection
from connections.policies import NOT_YET, Policies
from connections.policy_examples import Example, examples, of_mode
from connections.policy_words import MODE, SECTIONS, WORDS, PolicyWords
from connections.usage import LEAST_SHARE, MOST_SHARE, SHARE
from portal.models import Organization
from portal.templatetags.portal import money

MOST_MINUTES = 24 * 60


class NameForm(forms.Form):
    """A connection's name, unique in its organization."""

    name = forms.CharField(max_length=120, help_text="How your people call it, such as Autotask EUR.")

    def __init__(self, *args: Any, organization: Organization, connection: Connection | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._organization, self._connection = organization, connection

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        taken = Connection.objects.set_up().filter(organization=self._organization, name__iexact=name)
        if self._connection is not None:
            taken = taken.exclude(pk=self._connection.pk)
        if taken.exists():
            raise ValidationError("A connection of this name exists already.")
        return name


class ShareForm(forms.Form):
    """How much of the far side's hourly limit we may use."""

    share = forms.IntegerField(
        label="Share in percent",
        min_value=LEAST_SHARE,
        max_value=MOST_SHARE,
        help_text=f"From {LEAST_SHARE} to {MOST_SHARE}; {SHARE} where nobody chose.",
    )


class ConnectionForm(NameForm):
    """Name and currency of a new connection. `known`: what the far side says it knows, its base currency first."""

    currency = forms.CharField(
        max_length=3,
        min_length=3,
        help_text="ISO code of the currency that the contracts on this connection are kept in. It is fixed.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": "3"}),
    )

    def __init__(self, *args: Any, known: Sequence[str] = (), **kwargs: Any):
        super().__init__(*args, **kwargs)
        if known:
            self.fields["currency"] = _known_currency(known)

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).upper()
        if code not in list_currencies():
            raise ValidationError("Enter the three letters of a currency, such as EUR.")
        return code


def _known_currency(known: Sequence[str]) -> forms.Field:
    base, *others = known
    return forms.ChoiceField(
        choices=[(base, f"{base}, the base currency there"), *((code, code) for code in others)],
        help_text="Only companies of this currency can be mapped, and it is fixed. For a second currency, add a second "
        "connection with the same credentials.",
    )


class PoliciesForm(forms.Form):
    """Every policy of a connection. `seen` is the fingerprint of what the person looked at."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None, *, policies: Policies, currency: str):
        super().__init__(data, initial={"seen": policies.fingerprint()} | asdict(policies))
        shown = examples(currency, lambda amount: money(amount, currency))
        for name, words in WORDS.items():
            self.fields[name] = _policy_field(name, words, shown[name])

    def look_again(self, stored: Policies) -> None:
        """Keep what was typed, for a person who has been told that `stored` has changed meanwhile."""
        self.data = {name: self.data.get(name) for name in self.fields} | {"seen": stored.fingerprint()}

    def clean(self) -> dict[str, Any]:
        """What nothing acts on yet cannot be chosen; where it was chosen before, it may stay."""
        for name, value in NOT_YET:
            if self.cleaned_data.get(name) == value != self.initial[name]:
                self.add_error(name, "This is not available yet.")
        return self.cleaned_data

    def policies(self) -> Policies:
        """What was chosen. Only of a form that is valid."""
        return Policies(**{name: self.cleaned_data[name] for name in WORDS})

    def sections(self) -> list[tuple[str, list[forms.BoundField], bool]]:
        """(title, fields, whether a person has chosen anything in it, or something is wrong) in the page's order."""
        found = []
        defaults = asdict(Policies())
        for title, names in SECTIONS:
            fields = [self[name] for name in names]
            told = any(field.errors or str(field.value()) != str(defaults[field.name]) for field in fields)
            found.append((title, fields, told))
        return found


class SetupPoliciesForm(PoliciesForm):
    """The policies of a connection that is being set up, and whether it sends from the first day on."""

    def __init__(self, data: QueryDict | None, *, policies: Policies, currency: str):
        if data is not None and "mode" not in data:
            data = data.copy()
            data["mode"] = Connection.Mode.LIVE
        super().__init__(data, policies=policies, currency=currency)
        self.fields["mode"] = _policy_field("mode", MODE, of_mode(currency, lambda amount: money(amount, currency)))
        self.initial["mode"] = Connection.Mode.LIVE


def _policy_field(name: str, words: PolicyWords, example: Example) -> forms.Field:
    """Radio buttons, a sentence and what comes of it in money per value; a number for minutes."""
    premise = f"Example: {example.premise}"
    if not words.values:
        return forms.IntegerField(label=words.title, help_text=premise, min_value=0, max_value=MOST_MINUTES)
    notes = {str(asdict(Policies()).get(name, "live")): " (default)"}
    notes |= {str(value): " (not available yet)" for policy, value in NOT_YET if policy == name}
    choices = [
        (value, _choice(f"{sentence}{notes.get(value, '')}", example.outcomes[value]))
        for value, sentence in words.values.items()
    ]
    return forms.TypedChoiceField(
        label=words.title, help_text=premise, choices=choices, widget=_PolicyRadios(), coerce=_as_stored
    )


class _PolicyRadios(forms.RadioSelect):
    """Values that nothing acts on yet cannot be pressed."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if (name, _as_stored(str(value))) in NOT_YET and not option["selected"]:
            option["attrs"]["disabled"] = True
        return option


def _choice(sentence: str, outcome: str) -> SafeString:
    return format_html("<span>{} <small>{}</small></span>", sentence, outcome)


def _as_stored(value: str) -> str | bool:
    return {"True": True, "False": False}.get(value, value)
