"""How many: the one field of carts and of changes."""

from typing import Any

from django import forms

from portal.actions.carts import quantity_range
from portal.models import OfferVariant


class QuantityForm(forms.Form):
    """A whole number inside what Microsoft sells of the variant."""

    def __init__(self, variant: OfferVariant, data: Any = None, *, label: str = "Quantity", **options: Any) -> None:
        super().__init__(data, **options)
        words = quantity_range(variant)
        self.fields["quantity"] = forms.IntegerField(
            label=label,
            min_value=variant.minimum_quantity,
            max_value=variant.maximum_quantity,
            help_text=words,
            error_messages={"min_value": words, "max_value": words, "invalid": "Enter a whole number."},
        )

    @property
    def quantity(self) -> int:
        """The number that was entered; for valid forms."""
        return int(self.cleaned_data["quantity"])
