"""The Subscription Mapping page: listed with their place, rehearsed, and mapped in the background."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mappings.models import DefaultContract, MatchRun, SubscriptionMapping
from portal.models import AuditEntry
from tests.cast import make_customer, make_subscription
from tests.mappings.mirror import contract_row
from tests.syncops.test_bulk_mapping import known  # noqa: F401

HTMX = {"HX-Request": "true"}


@pytest.fixture
def urls(known, time_machine):  # noqa: F811
    from tests.syncops.desk import NOON

    time_machine.move_to(NOON, tick=False)
    names = ("subscription_mapping", "mapping_rehearse", "mapping_start", "mapping_cancel", "default_contract")
    return {name: reverse(f"syncops:{name}", args=[known.connection.pk]) for name in names}


def names(answer):
    return [row.subscription.friendly_name for row in answer.context["rows"]]


def test_the_list_shows_where_each_would_be_billed(urls, cast, as_user):
    answer = as_user(cast.operations).get(urls["subscription_mapping"])
    html = answer.content.decode()
    assert [row.state for row in answer.context["rows"]] == ["Suggested"]
    assert "<strong>0 of 1</strong> subscriptions mapped, 1 to go." in html
    assert "Microsoft 365 (CSP)" in html


def test_what_is_mapped_is_hidden_until_asked_for(urls, known, cast, as_user):  # noqa: F811
    known.map()
    client = as_user(cast.operations)
    assert names(client.get(urls["subscription_mapping"])) == []
    for state in ("all", "mapped"):
        assert len(names(client.get(urls["subscription_mapping"], {"state": state}, headers=HTMX))) == 1


def test_what_waits_for_its_customer_or_its_offer_can_be_listed(urls, known, cast, as_user):  # noqa: F811
    make_subscription(make_customer(cast.csp, "Unmapped"), known.subscription.variant, friendly_name="Waits")
    client = as_user(cast.operations)
    assert names(client.get(urls["subscription_mapping"], {"state": "customer"})) == ["Waits"]
    assert names(client.get(urls["subscription_mapping"], {"state": "offer"})) == []
    assert len(names(client.get(urls["subscription_mapping"], {"state": "ready"}))) == 1


def test_a_rehearsal_shows_lines_and_bills_and_writes_nothing(urls, known, cast, as_user):  # noqa: F811
    posted = {"rows": [known.subscription.pk], "since": "open_period"}
    html = as_user(cast.operations).post(urls["mapping_rehearse"], posted).content.decode()
    assert "1 would be mapped" in html
    assert "1\xa0May\xa02026" in html
    assert "Map it" in html
    assert not SubscriptionMapping.objects.exists()
    assert not MatchRun.objects.exists()


def test_mapping_starts_in_the_background_once(urls, known, cast, as_user):  # noqa: F811
    client, posted = as_user(cast.operations), {"rows": [known.subscription.pk], "since": "today"}
    for _ in range(2):
        page = client.post(urls["mapping_start"], posted, follow=True).content.decode()
    assert "0 of 1 looked at" in page
    run = MatchRun.objects.get()
    assert (run.chosen, run.since, run.started_by) == ([known.subscription.pk], "today", cast.operations)
    fragment = client.get(urls["subscription_mapping"], headers=HTMX | {"HX-Target": "run"}).content.decode()
    assert fragment.strip().startswith('<div id="run"')


def test_what_goes_on_is_cancelled_once(urls, known, cast, as_user):  # noqa: F811
    client = as_user(cast.operations)
    client.post(urls["mapping_start"], {"rows": [known.subscription.pk], "since": "today"})
    page = client.post(urls["mapping_cancel"], follow=True).content.decode()
    assert "was cancelled" in page
    assert "Cancel it" not in page
    assert "It had ended already." in client.post(urls["mapping_cancel"], follow=True).content.decode()
    assert AuditEntry.objects.filter(name="Cancel Mapping Run").count() == 1


@pytest.mark.parametrize("posted", [{}, {"rows": ["x"], "since": "today"}, {"rows": ["1"], "since": "never"}])
@pytest.mark.parametrize("name", ["mapping_rehearse", "mapping_start"])
def test_what_makes_no_sense_starts_nothing(urls, cast, as_user, name, posted):
    answer = as_user(cast.operations).post(urls[name], posted, follow=True)
    assert "Tick the subscriptions first" in answer.content.decode()
    assert not MatchRun.objects.exists()


def test_the_default_contract_is_chosen_in_the_row(urls, known, cast, as_user):  # noqa: F811
    contract_row(known.connection, 101, "Second")
    client, posted = as_user(cast.operations), {"subscription": known.subscription.pk, "contract": 101}
    assert "Use it" in client.get(urls["subscription_mapping"]).content.decode()
    page = client.post(urls["default_contract"], posted, follow=True)
    assert [row.contract.id for row in page.context["rows"]] == [101]
    assert AuditEntry.objects.first().name == "Choose Default Contract"
    again = client.post(urls["default_contract"], posted | {"contract": 100}, follow=True).content.decode()
    assert "Nothing was changed: Second takes it already." in again


def test_a_contract_of_another_company_is_never_a_default(urls, known, cast, as_user):  # noqa: F811
    contract_row(known.connection, 101, "Second")
    contract_row(known.connection, 102, "Theirs", company_remote_id=2)
    posted = {"subscription": known.subscription.pk, "contract": 102}
    page = as_user(cast.operations).post(urls["default_contract"], posted, follow=True)
    assert "That contract cannot bill it any more." in page.content.decode()
    assert not DefaultContract.objects.exists()


def test_readers_strangers_and_resellers_are_kept_out(urls, known, cast, as_user):  # noqa: F811
    for user, status in ((cast.reader, 403), (cast.stranger, 404), (cast.reseller_admin, 404)):
        client = as_user(user)
        assert client.get(urls["subscription_mapping"]).status_code == status
        for name in ("mapping_rehearse", "mapping_start", "mapping_cancel", "default_contract"):
            assert client.post(urls[name], {"rows": [known.subscription.pk], "since": "today"}).status_code == status


def test_a_subscription_of_a_reseller_is_not_mapped_by_its_id(urls, known, cast, as_user):  # noqa: F811
    theirs = make_subscription(make_customer(cast.reseller), known.subscription.variant)
    posted = {"rows": [theirs.pk], "since": "today"}
    html = as_user(cast.operations).post(urls["mapping_rehearse"], posted).content.decode()
    assert "None of them can be mapped" in html


def test_the_list_takes_as_many_queries_for_ten_rows_as_for_twenty_and_few(urls, known, cast, as_user):  # noqa: F811
    client, counts = as_user(cast.operations), []
    for batch in range(2):
        for number in range(10):
            make_subscription(make_customer(cast.csp, f"C {batch} {number}"), known.subscription.variant)
        with CaptureQueriesContext(database) as queries:
            client.get(urls["subscription_mapping"])
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12
