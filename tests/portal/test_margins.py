from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ValidationError

from portal.actions.margins import remove_rule, save_rule, update_settings
from portal.audit import Actor
from portal.models import AuditEntry, MarginRule, MarginSettings
from tests.cast import make_customer, make_subscription, make_variant

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
RULE = {"audience": "customers", "kind": "markup", "percent": "15"}


@pytest.fixture
def rule(cast):
    return MarginRule.objects.create(organization=cast.csp, kind="markup", percent=Decimal(20))


def test_everybody_reads_the_rules_and_those_who_bill_change_them(cast, as_user, rule):
    page = as_user(cast.reader).get("/margins/").content.decode()
    assert "20\u00a0%" in page
    assert "12.00\u00a0EUR" in page  # of the example: 10.00 and 20 % of it
    assert "Add rule" not in page
    assert as_user(cast.reader).get("/margins/add/").status_code == 403
    assert "Add rule" in as_user(cast.billing).get("/margins/").content.decode()


def test_what_a_reseller_earns_is_its_own_business(cast, as_user):
    theirs = MarginRule.objects.create(organization=cast.reseller, kind="markup", percent=Decimal("33.3"))
    assert "33.3" not in as_user(cast.admin).get("/margins/").content.decode()
    assert as_user(cast.admin).get(f"/margins/{theirs.pk}/").status_code == 404


def test_a_new_rule_is_written_with_its_audit_entry(cast, as_user):
    response = as_user(cast.billing).post("/margins/add/", RULE | {"category": "licence"})
    assert response.status_code == 302
    assert MarginRule.objects.get().percent == Decimal(15)
    entry = AuditEntry.objects.get(name="Create Margin Rule")
    assert (entry.after["category"], entry.after["percent"], entry.actor) == ("Licence", "15", cast.billing)


def test_a_second_rule_for_the_same_level_is_refused_with_everything_typed_kept(cast, as_user, rule):
    response = as_user(cast.billing).post("/margins/add/", RULE | {"percent": "17.25"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "exists already" in page
    assert 'value="17.25"' in page
    assert MarginRule.objects.count() == 1


def test_the_database_refuses_a_second_rule_for_the_same_level(cast, rule):
    twin = MarginRule(organization=cast.csp, kind="split", percent=Decimal(1))
    twin.full_clean = lambda: None  # as when two people save at once: both were fine when they were looked at
    with pytest.raises(ValidationError, match="exists already"):
        save_rule(twin, actor=Actor.user(cast.billing), at=NOW)
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("percent", ["-101", "1001", "many", ""])
def test_a_percentage_out_of_range_is_refused(cast, as_user, percent):
    response = as_user(cast.billing).post("/margins/add/", RULE | {"percent": percent})
    assert response.status_code == 422
    assert not MarginRule.objects.exists()


def test_a_rule_for_resellers_forgets_the_customer_chosen_before(cast, as_user):
    contoso = make_customer(cast.csp)
    chosen = {"audience": "resellers", "customer": contoso.pk, "reseller": cast.reseller.pk}
    as_user(cast.billing).post("/margins/add/", RULE | chosen)
    rule = MarginRule.objects.get()
    assert (rule.customer, rule.reseller) == (None, cast.reseller)


def test_a_forged_customer_of_another_tenant_is_refused(cast, as_user):
    theirs = make_customer(cast.other_csp)
    response = as_user(cast.billing).post("/margins/add/", RULE | {"customer": theirs.pk})
    assert response.status_code == 422
    assert not MarginRule.objects.exists()


def test_a_rule_for_one_subscription_asks_only_how_much(cast, as_user):
    subscription = make_subscription(make_customer(cast.csp), make_variant(cast.csp))
    url = f"/margins/add/?subscription={subscription.pk}"
    client = as_user(cast.billing)
    assert "All customers" not in client.get(url).content.decode()
    preview = client.post(url, {"kind": "markup", "percent": "9"}).headers["Location"]
    assert not hasattr(subscription, "margin_rule")
    seen = client.get(preview).context["digest"]
    draft = parse_qs(urlsplit(preview).query)["draft"][0]
    done = client.post("/margins/preview/", {"draft": draft, "seen": seen})
    assert done.headers["Location"] == subscription.get_absolute_url()
    subscription.refresh_from_db()
    assert subscription.margin_rule.percent == Decimal(9)


def test_a_subscription_of_a_reseller_is_not_the_csps_to_price(cast, as_user):
    subscription = make_subscription(make_customer(cast.reseller), make_variant(cast.csp))
    assert as_user(cast.admin).get(f"/margins/add/?subscription={subscription.pk}").status_code == 404


def test_an_edited_rule_tells_before_and_after(cast, as_user, rule):
    as_user(cast.billing).post(f"/margins/{rule.pk}/", RULE)
    entry = AuditEntry.objects.get(name="Update Margin Rule")
    assert (entry.before["percent"], entry.after["percent"]) == ("20", "15")


def test_removing_asks_first_and_htmx_gets_the_question_alone(cast, as_user, rule):
    client = as_user(cast.billing)
    question = client.get(f"/margins/{rule.pk}/remove/", headers={"HX-Request": "true"}).content.decode()
    assert question.startswith("<form")
    assert MarginRule.objects.exists()
    client.post(f"/margins/{rule.pk}/remove/")
    assert not MarginRule.objects.exists()


def test_removing_twice_tells_once(cast, rule):
    for _ in range(2):
        remove_rule(rule, actor=Actor.user(cast.billing), at=NOW)
    assert AuditEntry.objects.filter(name="Remove Margin Rule").count() == 1


def test_settings_can_all_be_turned_off(cast, as_user):
    assert as_user(cast.billing).post("/margins/settings/", {}).status_code == 302
    found = MarginSettings.objects.get(organization=cast.csp)
    assert (found.pass_promotions, found.markup_limit, found.discount_limit) == (False, False, False)
    entry = AuditEntry.objects.get(name="Update Margin Settings")
    assert entry.before == {"pass_promotions": True, "markup_limit": False, "discount_limit": True}


def test_settings_saved_as_they_were_tell_nothing(cast):
    MarginSettings.objects.create(organization=cast.csp)
    update_settings(cast.csp, changes={"markup_limit": False}, actor=Actor.user(cast.billing), at=NOW)
    assert not AuditEntry.objects.exists()
