"""The pages on which a person turns a shortfall into a charge, or extends a contract."""

import re
from datetime import date

import pytest
from django.urls import reverse

from connections import registry
from connections.models import Connection
from portal.models import AuditEntry
from syncops.models import Shortfall, SyncOperation
from tests.syncops.late import JUNE_3, MAY_20, late_change, mapping_of
from tests.syncops.mishaps import change_of
from tests.syncops.test_extend_contract import JULY_15, JULY_31, ends


@pytest.fixture
def late(mapped, monkeypatch, time_machine):
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: mapped.psa)
    late_change(mapped)
    time_machine.move_to(mapped.clock.now, tick=False)
    return mapped


@pytest.fixture
def waiting(mapped, monkeypatch, time_machine):
    monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: mapped.psa)
    time_machine.move_to(mapped.clock.now, tick=False)
    ends(mapped)
    mapped.change_quantity(12, JULY_15)
    mapped.drain()
    return mapped


def charge_url(desk):
    return reverse("syncops:shortfall_charge", args=[mapping_of(desk).pk])


def extend_url(desk):
    return reverse("syncops:contract_extend", args=[change_of(desk).pk])


def seen(page):
    return re.search(r'name="seen" value="(\w+)"', page.content.decode()).group(1)


def confirmed(client, desk, **changes):
    page = client.get(charge_url(desk))
    chosen = [str(gap.pk) for gap in Shortfall.objects.all()]
    return client.post(charge_url(desk), {"code": "21", "seen": seen(page), "shortfall": chosen} | changes)


@pytest.mark.parametrize("place", ["operation", "subscription"])
def test_a_page_shows_the_shortfall_in_money_with_the_way_to_a_charge(late, as_user, place):
    row = change_of(late) if place == "operation" else late.subscription
    text = as_user(late.cast.billing).get(row.get_absolute_url()).content.decode()
    assert "3.87" in text
    assert charge_url(late) in text
    assert "nobody yet" in text


def test_who_may_not_decide_is_told_who_can(late, as_user):
    text = as_user(late.cast.reader).get(change_of(late).get_absolute_url()).content.decode()
    assert charge_url(late) not in text
    assert "role billing or administrator" in text


def test_the_preview_says_what_the_charge_will_be_and_sends_nothing(late, as_user):
    text = as_user(late.cast.billing).get(charge_url(late)).content.decode()
    for words in ("Business Basic (2026-05-20 to 2026-05-31)", "3.87", "3.10", "3\xa0Jun\xa02026", "Material"):
        assert words in text
    assert not late.psa.charges
    assert not SyncOperation.objects.filter(kind="charge_shortfall").exists()


def test_confirming_makes_the_charge_and_keeps_its_code(late, as_user):
    client = as_user(late.cast.billing)
    answer = confirmed(client, late)
    operation = SyncOperation.objects.get(kind="charge_shortfall")
    assert answer.url == operation.get_absolute_url()
    late.drain()
    assert len(late.psa.charges) == 1
    text = client.get(operation.get_absolute_url()).content.decode()
    assert "Charge #500" in text
    assert Connection.objects.get().settings["charge_code"] == 21
    assert AuditEntry.objects.filter(name="Choose Billing Code Of Charges").count() == 1
    text = client.get(change_of(late).get_absolute_url()).content.decode()
    assert operation.get_absolute_url() in text
    assert charge_url(late) not in text


def test_a_second_click_shows_what_the_first_began(late, as_user):
    client = as_user(late.cast.billing)
    page = client.get(charge_url(late))
    form = {"code": "21", "seen": seen(page), "shortfall": str(Shortfall.objects.get().pk)}
    first, second = (client.post(charge_url(late), form) for _ in range(2))
    assert first.url == second.url
    assert SyncOperation.objects.filter(kind="charge_shortfall").count() == 1


def test_a_code_has_to_be_chosen(late, as_user):
    answer = confirmed(as_user(late.cast.billing), late, code="")
    assert answer.status_code == 422
    assert "Choose a billing code" in answer.content.decode()
    assert not SyncOperation.objects.filter(kind="charge_shortfall").exists()


def test_what_changed_since_the_preview_is_shown_again(late, as_user):
    answer = confirmed(as_user(late.cast.billing), late, seen="0" * 24)
    assert answer.status_code == 422
    assert "Something changed" in answer.content.decode()


def test_leaving_out_what_goes_the_other_way_is_warned_of(late, as_user):
    late.change_quantity(11, MAY_20)
    late.drain()
    first, second = Shortfall.objects.order_by("pk")
    assert (first.amount > 0) != (second.amount > 0)
    client = as_user(late.cast.billing)
    alone = client.get(charge_url(late), {"shortfall": first.pk}).content.decode()
    assert "goes the other way" in alone
    assert "goes the other way" not in client.get(charge_url(late)).content.decode()


def test_a_far_side_that_is_away_is_said_so(late, as_user):
    late.psa.fail_next("contract", "unavailable")
    answer = as_user(late.cast.billing).get(charge_url(late))
    assert answer.status_code == 503
    assert "does not answer" in answer.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_tenants_shortfall_is_not_there(late, as_user, method):
    client = as_user(late.cast.stranger)
    assert getattr(client, method)(charge_url(late)).status_code == 404
    assert getattr(client, method)(reverse("syncops:contract_extend", args=[change_of(late).pk])).status_code == 404


def test_shortfalls_of_another_mapping_are_not_taken_along(late, as_user):
    foreign = Shortfall.objects.get()
    foreign.pk, foreign.operation = (
        None,
        SyncOperation.objects.create(
            **{
                field: getattr(change_of(late), field)
                for field in ("stream", "organization", "connection", "subscription")
            },
            mapping=_another_mapping(late),
            sequence=99,
            kind="change_quantity",
            effective_on=JUNE_3,
            state="succeeded",
            created_at=late.clock.now,
        ),
    )
    foreign.save()
    confirmed(as_user(late.cast.billing), late)
    foreign.refresh_from_db()
    assert foreign.settled_by is None


def _another_mapping(desk):
    mapping = mapping_of(desk)
    mapping.pk, mapping.starts_on, mapping.ends_on = None, date(2026, 1, 1), date(2026, 1, 31)
    mapping.save()
    return mapping


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("place", [charge_url, extend_url])
def test_a_reader_mends_nothing(late, as_user, place, method):
    assert getattr(as_user(late.cast.reader), method)(place(late)).status_code == 403


def test_the_page_of_what_waits_leads_to_the_extension(waiting, as_user):
    client = as_user(waiting.cast.billing)
    assert extend_url(waiting) in client.get(change_of(waiting).get_absolute_url()).content.decode()
    text = client.get(extend_url(waiting)).content.decode()
    for words in ("30\xa0Jun\xa02026", "31\xa0Jul\xa02026", "55.48"):
        assert words in text


def test_another_day_shows_other_money(waiting, as_user):
    client = as_user(waiting.cast.billing)
    assert "115.48" in client.get(extend_url(waiting), {"until": "2026-08-31"}).content.decode()
    assert "15\xa0Jul\xa02026 or later" in client.get(extend_url(waiting), {"until": "2026-07-02"}).content.decode()


def test_confirming_extends_the_contract_and_sends_the_change(waiting, as_user):
    client = as_user(waiting.cast.billing)
    form = {"until": "2026-07-31", "seen": seen(client.get(extend_url(waiting)))}
    first, second = (client.post(extend_url(waiting), form) for _ in range(2))
    assert first.url == second.url
    waiting.drain()
    assert waiting.psa._contracts[100].ends_on == JULY_31
    assert waiting.units(JULY_15) == 12
    assert client.get(extend_url(waiting)).url == change_of(waiting).get_absolute_url()
    extension = SyncOperation.objects.get(kind="extend_contract")
    assert extension.preview["adds"] == {"this_line": "55.48", "other_lines": "0", "currency": "EUR"}
    text = client.get(extension.get_absolute_url()).content.decode()
    assert "Contract’s last day" in text
    assert "As previewed" in text


@pytest.mark.parametrize("form", [{"until": "soon"}, {"until": "2026-07-31", "seen": "x"}, {}])
def test_an_extension_that_was_not_seen_so_is_shown_again(waiting, as_user, form):
    assert as_user(waiting.cast.billing).post(extend_url(waiting), form).status_code == 422
    assert not SyncOperation.objects.filter(kind="extend_contract").exists()
