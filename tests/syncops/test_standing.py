"""Whether a mapped subscription is synced, syncing or out of sync."""

from datetime import date

from syncops.standing import badges, standings


def standing(desk):
    return standings([desk.subscription.pk])[desk.subscription.pk].text


def test_it_is_syncing_until_the_proof_and_synced_after_it(desk):
    desk.map()
    assert standing(desk) == "Syncing"
    desk.drain()
    assert standing(desk) == "Synced"


def test_a_failure_makes_it_out_of_sync(mapped):
    mapped.psa.fail_next("adjust", "reject")
    mapped.change_quantity(12)
    mapped.drain()
    assert standing(mapped) == "Out of sync"


def test_somebody_elses_edit_makes_it_out_of_sync_until_the_next_proof_matches(mapped):
    mapped.psa.meanwhile("adjust", lambda: mapped.psa.edit(mapped.line, date(2026, 5, 20), 20))
    mapped.change_quantity(12)
    mapped.drain()
    assert standing(mapped) == "Out of sync"
    mapped.change_quantity(14, date(2026, 5, 12))
    mapped.drain()
    assert standing(mapped) == "Synced"


def test_a_shortfall_stands_beside_synced_in_money(mapped):
    mapped.psa.post_through(100, date(2026, 5, 31))
    mapped.change_quantity(12, date(2026, 5, 20))
    mapped.drain()
    found = standings([mapped.subscription.pk])[mapped.subscription.pk]
    assert found.text == "Synced"
    assert {currency: str(amount) for currency, amount in found.missing.items()} == {"EUR": "3.87"}


def test_a_superseded_change_does_not_count(mapped):
    for quantity in (12, 15):
        mapped.change_quantity(quantity)
    mapped.drain()
    assert standing(mapped) == "Synced"


def test_a_subscription_that_is_not_mapped_has_no_badge(desk):
    assert badges([desk.subscription.pk]) == {}
