"""The pages of Azure months: what they show, take, refuse, and how many questions they ask the database."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from portal.models import Subscription
from syncops.azure import looking
from syncops.models import AzureAlarm, AzureMonth, SyncOperation
from tests.cast import make_customer
from tests.queries import assert_same_queries
from tests.syncops.azure import APRIL, JUNE, MAY, again, azure_desk, azure_plan, decide, entered, prices, send, sent

LIST = "/azure/?month=2026-05"


@pytest.fixture
def desk(cast, monkeypatch, time_machine, db):
    one = azure_desk(cast, monkeypatch)
    one.clock.now = one.clock.now.replace(month=6, day=3)
    time_machine.move_to(one.clock.now, tick=False)
    return one


@pytest.fixture
def billing(as_user, cast):
    return as_user(cast.billing)


def page_of_month(desk, month=MAY):
    return reverse("syncops:azure_month", args=[desk.subscription.pk, month.year, month.month])


def typed(**fields):
    return {"usage_cost": "300.00", "reservations_cost": "12.40", "is_complete": "on", "seen": ""} | fields


def test_the_list_shows_last_month_with_the_plans_that_have_no_amount(desk, billing):
    page = billing.get("/azure/").content.decode()
    assert "May 2026" in page
    assert "0 of 1 plan has an amount" in page
    assert "No amount yet" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [("", 1), ("&state=ready", 1), ("&state=missing", 0), ("&state=set", 0), ("&q=contoso", 1), ("&q=nobody", 0)],
)
def test_the_list_is_narrowed_by_its_address(desk, billing, query, found):
    entered(desk, MAY)
    assert len(billing.get(LIST + query).context["rows"]) == found


@pytest.mark.parametrize("query", ["month=2026-99", "month=x", "month=%00", "state=x", "after=x", "customer=0"])
def test_an_address_that_makes_no_sense_shows_a_page_all_the_same(desk, billing, query):
    assert billing.get(f"/azure/?{query}").status_code == 200


def test_an_amount_is_entered_and_priced_by_the_margin(desk, billing):
    response = billing.post(page_of_month(desk), typed())
    assert response["Location"] == page_of_month(desk)
    row = AzureMonth.objects.get()
    assert (row.cost, row.price, row.source, row.entered_by) == (
        Decimal("312.40"),
        Decimal("374.88"),
        "person",
        desk.cast.billing,
    )
    page = billing.get(page_of_month(desk)).content.decode()
    assert "374.88\xa0EUR" in page
    assert "list price plus 20 %" in page
    assert f"?rows={row.pk}" in page


@pytest.mark.parametrize("wrong", [{"usage_cost": "-1"}, {"usage_cost": "much"}, {"usage_cost": ""}, {"price": "1e99"}])
def test_a_wrong_amount_is_refused_and_nothing_typed_is_lost(desk, billing, wrong):
    refused = billing.post(page_of_month(desk), typed(**wrong))
    assert (refused.status_code, AzureMonth.objects.count()) == (422, 0)
    assert 'value="12.40"' in refused.content.decode()


def test_a_month_that_has_not_begun_is_refused(desk, billing):
    refused = billing.post(page_of_month(desk, date(2026, 7, 1)), typed())
    assert (refused.status_code, b"has not begun" in refused.content) == (422, True)


def test_what_somebody_else_entered_meanwhile_is_not_overwritten_unseen(desk, billing):
    entered(desk, MAY, "50.00")
    refused = billing.post(page_of_month(desk), typed())
    assert (refused.status_code, b"Somebody changed" in refused.content) == (422, True)
    assert AzureMonth.objects.get().cost == 50
    again_typed = typed(seen=refused.context["form"]["seen"].value())
    assert billing.post(page_of_month(desk), again_typed).status_code == 302


def test_sending_shows_the_money_first_and_takes_what_was_seen(desk, billing):
    row = entered(desk, MAY)
    shown = billing.get(f"/azure/send/?rows={row.pk}")
    assert "120.00\xa0EUR" in shown.content.decode()
    assert not SyncOperation.objects.filter(kind="set_azure_month").exists()
    done = billing.post("/azure/send/", {"rows": [row.pk], "seen": shown.context["digest"]})
    assert done["Location"] == LIST
    desk.drain()
    assert (prices(desk)["May"], again(row).state) == ("120.00", "set")
    assert "Set" in billing.get(LIST).content.decode()


def test_what_changed_since_the_preview_is_shown_again_and_not_sent(desk, billing):
    row = entered(desk, MAY)
    shown = billing.get(f"/azure/send/?rows={row.pk}")
    entered(desk, MAY, "999.00")
    refused = billing.post("/azure/send/", {"rows": [row.pk], "seen": shown.context["digest"]})
    assert (refused.status_code, b"Something changed" in refused.content) == (422, True)
    assert not SyncOperation.objects.filter(kind="set_azure_month").exists()


def test_charges_ask_for_a_billing_code_once(desk, billing):
    decide(desk, azure_billing="contract_charge")
    row = entered(desk, MAY)
    shown = billing.get(f"/azure/send/?rows={row.pk}")
    posted = {"rows": [row.pk], "seen": shown.context["digest"]}
    refused = billing.post("/azure/send/", posted)
    assert (refused.status_code, b"Choose a billing code" in refused.content) == (422, True)
    assert billing.post("/azure/send/", posted | {f"code_{desk.connection.pk}": "21"}).status_code == 302
    desk.drain()
    assert [str(one.amount) for one in desk.psa.charges] == ["120.00"]
    entered(desk, APRIL)
    other = AzureMonth.objects.get(month=APRIL)
    assert 'value="21" selected' in billing.get(f"/azure/send/?rows={other.pk}").content.decode()


def test_one_that_cannot_be_sent_says_why_and_does_not_stop_the_others(desk, billing, cast):
    ready = entered(desk, MAY)
    unmapped = azure_plan(cast.csp, "AZ-2", customer=make_customer(cast.csp, "Fabrikam"))
    desk.subscription = unmapped
    waiting = entered(desk, MAY)
    page = billing.get(f"/azure/send/?rows={ready.pk}&rows={waiting.pk}")
    assert "not on a contract" in page.content.decode()
    billing.post("/azure/send/", {"rows": [ready.pk, waiting.pk], "seen": page.context["digest"]})
    assert list(SyncOperation.objects.filter(kind="set_azure_month").values_list("subscription", flat=True)) == [
        ready.subscription_id
    ]


def test_where_autotask_does_not_answer_the_page_says_so(desk, billing):
    row = entered(desk, MAY)
    desk.psa.fail_next("unit_rows", "unavailable")
    page = billing.get(f"/azure/send/?rows={row.pk}")
    assert (page.status_code, "does not answer" in page.content.decode()) == (200, True)


def test_who_may_not_resolve_reads_and_changes_nothing(desk, as_user, cast):
    row = entered(desk, MAY)
    reader = as_user(cast.reader)
    assert reader.get(LIST).status_code == reader.get(page_of_month(desk)).status_code == 200
    assert reader.post(page_of_month(desk), typed(seen=row.fingerprint)).status_code == 403
    assert reader.get(f"/azure/send/?rows={row.pk}").status_code == 403
    assert AzureMonth.objects.get().cost == 100


def test_a_stranger_and_the_reseller_find_nothing(desk, as_user, cast):
    row = entered(desk, MAY)
    for person in (cast.stranger, cast.reseller_admin):
        client = as_user(person)
        assert client.get(page_of_month(desk)).status_code == 404
        assert client.get(f"/azure/send/?rows={row.pk}").status_code == 404
        assert not client.get(LIST).context["rows"]


def test_the_list_asks_as_much_for_20_plans_as_for_10(desk, billing, cast):
    def ten_more():
        count = AzureMonth.objects.count()
        for number in range(count, count + 10):
            desk.subscription = azure_plan(cast.csp, f"AZ-{number}", customer=make_customer(cast.csp, f"C{number}"))
            entered(desk, MAY)

    assert_same_queries(billing, LIST, ten_more)


def test_an_alarm_is_on_the_page_and_in_the_inbox_and_one_confirmation_mends_it(desk, billing):
    sent(desk, MAY)
    desk.psa.edit(desk.line, JUNE, 1, price=Decimal(100))
    looking.look(desk.connection.pk, desk.clock.now)
    alarm = AzureAlarm.objects.get()
    for address in (LIST, "/inbox/"):
        assert "would be billed twice" in billing.get(address).content.decode()
    shown = billing.get(f"/azure/alarms/{alarm.pk}/")
    done = billing.post(f"/azure/alarms/{alarm.pk}/", {"seen": shown.context["preview"].digest})
    operation = SyncOperation.objects.get(kind="zero_azure_price")
    assert done["Location"] == operation.get_absolute_url()
    desk.drain()
    assert prices(desk)["Jun"] == "0.00"
    assert "would be billed twice" not in billing.get("/inbox/").content.decode()


def test_the_list_follows_what_is_on_its_way_and_says_nothing_while_nothing_changes(desk, billing):
    send(desk, entered(desk, MAY))
    page = billing.get(LIST)
    assert 'hx-trigger="every 3s"' in page.content.decode()
    seen = {"HX-Request": "true", "X-Seen": page.context["look"]}
    assert billing.get(LIST, headers=seen).status_code == 204
    desk.drain()
    assert 'hx-trigger="every 3s"' not in billing.get(LIST, headers=seen).content.decode()


def test_the_file_that_is_exported_can_be_filled_in(desk, billing):
    text = b"".join(billing.get("/azure/export.csv?month=2026-05").streaming_content).decode()
    assert Subscription.objects.get(pk=desk.subscription.pk).external_id in text
    assert text.splitlines()[0].replace('"', "").lstrip("\ufeff").startswith("Month,Customer,Plan,Subscription id")
