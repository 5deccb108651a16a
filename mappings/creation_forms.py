"""What a person says about a service or a contract that they have created."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms

from connections.psa.types import BillingCode, Period, ServiceRequest
from mappings.creating import PERIOD_CHOICES, prices_of

PRICES = (
    ("zero", "0: every line gets its price from the portal"),
    ("list", "Microsoft’s retail price, with the list price as its cost"),
)


class CreationForm(forms.Form):
    """What both have in common. `key` is that of the preview that was shown; `confirmed` where it was pressed."""

    key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)


class ServiceForm(CreationForm):
    name = forms.CharField(max_length=150)
    code = forms.TypedChoiceField(coerce=int, label="Billing code", help_text="Tax and ledger account follow from it.")
    price = forms.ChoiceField(label="Unit price in the catalogue", choices=PRICES, widget=forms.RadioSelect)

    def __init__(
        self,
        data: Any,
        *,
        codes: Sequence[BillingCode],
        listed: tuple[Decimal, Decimal] | None,
        initial: dict[str, Any],
    ) -> None:
        super().__init__(data, initial={"price": "zero"} | initial)
        self.codes, self.listed = codes, listed
        self.fields["code"].choices = [(one.id, one.name) for one in codes]  # type: ignore[attr-defined]
        if listed is None:
            self.fields["price"].choices = PRICES[:1]  # type: ignore[attr-defined]

    def request(self, period: Period, note: str) -> ServiceRequest:
        asked = self.cleaned_data
        price, cost = prices_of(asked["price"], self.listed)
        return ServiceRequest(asked["name"].strip(), period, asked["code"], price, cost, note)

    @property
    def code_name(self) -> str:
        return next((one.name for one in self.codes if one.id == self.cleaned_data.get("code")), "")


class ContractForm(CreationForm):
    name = forms.CharField(max_length=100)
    period = forms.ChoiceField(label="Billing period", choices=PERIOD_CHOICES)
    starts_on = forms.DateField(label="First day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    ends_on = forms.DateField(label="Last day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    billing = forms.ChoiceField(label="Billing of time and charges", required=False)

    def __init__(self, data: Any, *, preferences: Sequence[str], initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial)
        own = [("", "As Autotask does it by itself")]
        self.fields["billing"].choices = own + [(one, one) for one in preferences]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or {}
        first, last = asked.get("starts_on"), asked.get("ends_on")
        if first and last and last <= first:
            self.add_error("ends_on", "The last day is after the first one.")
        return asked
