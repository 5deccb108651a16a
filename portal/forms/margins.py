"""Forms of margins."""

from typing import Any

from django import forms

from portal.models import Customer, MarginRule, MarginSettings, Organization

KINDS = {
    MarginRule.Kind.MARKUP: "Markup: the list price and a percentage of it",
    MarginRule.Kind.ERP_DISCOUNT: "Discount: ERP less a percentage of it",
    MarginRule.Kind.SPLIT: "Split: the list price and a share of what lies between it and ERP",
}


class MarginRuleForm(forms.ModelForm):
    """A rule of the person's organization. For one subscription, only how much; else also for whom."""

    class Meta:
        model = MarginRule
        fields = ["audience", "customer", "reseller", "category", "kind", "percent"]
        widgets = {"audience": forms.RadioSelect, "kind": forms.RadioSelect}
        labels = {"audience": "For", "kind": "Rule"}
        help_texts = {"category": "Empty: for every category that has no rule of its own."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organization = self.instance.organization
        self.fields["kind"].choices = [(kind.value, words) for kind, words in KINDS.items()]  # type: ignore[attr-defined]
        self.fields["category"].choices = [("", "All categories"), *MarginRule._meta.get_field("category").choices]  # type: ignore[attr-defined,misc]
        if self.instance.subscription_id:
            for name in ("audience", "customer", "reseller", "category"):
                del self.fields[name]
            return
        self._offer("customer", Customer.objects.filter(organization=organization), "All customers")
        resellers = Organization.objects.filter(parent=organization)
        if resellers.exists():
            self._offer("reseller", resellers, "All resellers")
        else:
            del self.fields["audience"], self.fields["reseller"]

    def _offer(self, name: str, rows: Any, everybody: str) -> None:
        field: Any = self.fields[name]
        field.queryset, field.empty_label = rows, everybody

    def clean(self) -> dict[str, Any]:
        """Whom the rule is not for does not count, whatever was chosen before the audience was."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("audience") == MarginRule.Audience.RESELLERS:
            cleaned["customer"] = None
        elif "reseller" in cleaned:
            cleaned["reseller"] = None
        return cleaned


class MarginSettingsForm(forms.ModelForm):
    class Meta:
        model = MarginSettings
        fields = ["pass_promotions", "markup_limit", "discount_limit"]
        help_texts = {
            "pass_promotions": "Customers get Microsoft's promotions too.",
            "markup_limit": "The price never exceeds Microsoft's suggested retail price.",
            "discount_limit": "The price never falls below what you pay.",
        }
