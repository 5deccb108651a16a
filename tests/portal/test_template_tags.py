from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone

from portal import panels
from portal.models import AuditEntry, Order, Subscription, SubscriptionRequest
from portal.templatetags import portal as tags


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (Decimal("1234.5"), "EUR", "1,234.50\u00a0EUR"),
        (Decimal("1234.5000"), "EUR", "1,234.50\u00a0EUR"),
        (Decimal("4.1250"), "EUR", "4.125\u00a0EUR"),
        (Decimal("0"), "USD", "0.00\u00a0USD"),
        (Decimal("-12"), "EUR", "\u221212.00\u00a0EUR"),
        (Decimal("1200"), "JPY", "1,200\u00a0JPY"),
        (Decimal("1.2"), "KWD", "1.200\u00a0KWD"),
        (Decimal("0.33333333"), "EUR", "0.3333\u00a0EUR"),
        (7, "EUR", "7.00\u00a0EUR"),
        ("12.5", "EUR", "12.50\u00a0EUR"),
        (None, "EUR", "–"),
        ("", "EUR", "–"),
    ],
)
def test_money_carries_its_currency_and_its_digits(amount, currency, shown):
    assert tags.money(amount, currency) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(Decimal(3), "+3.00\u00a0EUR"), (Decimal(-3), "\u22123.00\u00a0EUR"), (0, "0.00\u00a0EUR"), (None, "–")],
)
def test_a_difference_carries_its_sign(amount, shown):
    assert tags.money_change(amount, "EUR") == shown


@pytest.mark.parametrize(("value", "shown"), [("20.0000", "20\u00a0%"), ("12.5000", "12.5\u00a0%"), ("0", "0\u00a0%")])
def test_a_percentage_is_never_written_in_powers_of_ten(value, shown):
    assert tags.percent(Decimal(value)) == shown


def test_days_and_moments_are_those_of_the_persons_time_zone():
    late = datetime(2026, 5, 9, 23, 30, tzinfo=UTC)
    with timezone.override(ZoneInfo("Europe/Brussels")):
        assert tags.day(late) == "10\u00a0May\u00a02026"
        assert ">10\u00a0May\u00a02026, 01:30</time>" in tags.moment(late)
    assert tags.day(date(2026, 5, 9)) == "9\u00a0May\u00a02026"
    assert tags.day(None) == tags.moment(None) == "–"


def test_a_badge_is_icon_text_and_colour_and_escapes_its_text():
    shown = tags.badge("bad", "<script>")
    assert "badge--bad" in shown
    assert "<svg" in shown
    assert "&lt;script&gt;" in shown


def test_an_unknown_tone_is_a_quiet_one():
    assert "badge--muted" in tags.badge("purple", "Odd")


@pytest.mark.parametrize(
    "state",
    [
        *(state for state in Order.State if state != Order.State.CART),
        *AuditEntry.Status,
        *SubscriptionRequest.State,
        *(status for status in Subscription.Status if status not in ("expired", "deleted")),
    ],
)
def test_every_state_that_says_something_has_a_tone(state):
    assert tags.tone(state) in ("ok", "info", "warn", "bad")


def test_a_tone_is_one_of_those_that_have_an_icon():
    assert set(tags.TONES) < set(tags.TONE_ICONS)


def test_an_icon_is_hidden_from_assistive_technology():
    assert 'aria-hidden="true"' in tags.icon("plus")


class OneOfEach(forms.Form):
    name = forms.CharField(help_text="As on the invoice.")
    note = forms.CharField(required=False)
    agreed = forms.BooleanField()
    choice = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)
    secret = forms.CharField(widget=forms.HiddenInput)


def test_a_field_joins_label_control_help_and_errors():
    shown = tags.field(OneOfEach({"name": ""})["name"])
    assert '<label for="id_name">Name</label>' in shown
    assert 'aria-describedby="id_name_helptext id_name_error"' in shown
    assert 'aria-invalid="true"' in shown
    assert 'id="id_name_helptext"' in shown
    assert 'id="id_name_error"' in shown


def test_what_may_stay_empty_says_so():
    assert "(optional)" in tags.field(OneOfEach()["note"])
    assert "(optional)" not in tags.field(OneOfEach()["name"])


def test_one_checkbox_comes_before_its_label_and_choices_share_a_legend():
    check = tags.field(OneOfEach()["agreed"])
    assert check.index("<input") < check.index("<label")
    assert "<legend>Choice</legend>" in tags.field(OneOfEach()["choice"])


def test_a_hidden_field_has_no_label():
    assert tags.field(OneOfEach()["secret"]) == '<input type="hidden" name="secret" id="id_secret">'


def test_panels_of_higher_apps_are_shown_where_they_belong_and_about_the_row(rf, monkeypatch):
    monkeypatch.setattr(panels, "_panels", {})
    wrong = {"form": {"non_field_errors": ["from a higher app"]}}
    panels.add_panel("customer", lambda request, row: panels.Panel("portal/_errors.html", wrong) if row else None)
    context = {"request": rf.get("/"), "row": object()}
    shown = [
        Template("{% panels " + arguments + " %}").render(Context(context))
        for arguments in ('"customer" row', '"customer"', '"order" row')
    ]
    assert ["from a higher app" in part for part in shown] == [True, False, False]
