import uuid
from decimal import Decimal

import pytest

from connections.sandbox.seed.names import LUMEN
from portal.far_side import Rejected
from tests.connections.provider.purchases import bought, line, order, orders_at
from tests.connections.sandbox.partner_center_api import NOORDZEE


def test_an_order_goes_from_cart_to_a_subscription_in_use(provider, far_side):
    request = order(line(0, "m365-premium", 7, friendly_name="Interns"))
    placed = bought(provider, request).orders[0]
    assert placed.line_numbers == (0,)
    ids = [placed.external_id.upper()]
    assert [each.state for each in provider.order_state(request, ids)] == ["pending"]
    far_side.advance(seconds=1)
    assert [each.state for each in provider.order_state(request, ids)] == ["pending"]
    far_side.advance(seconds=2)
    (done,) = provider.order_state(request, ids)
    assert (done.state, done.order_external_id, done.number) == ("completed", placed.external_id, 0)
    facts = done.subscription
    assert (facts.status, facts.quantity, facts.friendly_name, facts.auto_renew) == ("active", 7, "Interns", True)
    assert (facts.started_at.isoformat()[:10], str(facts.ends_on), str(facts.unit_price)) == (
        "2026-03-18",
        "2027-03-17",
        "17.30",
    )
    assert provider.subscription(NOORDZEE, facts.external_id.upper()).quantity == 7


def test_a_checkout_that_fails_in_part_names_the_lines_that_were_refused(provider, far_side):
    far_side.control("modes", {"checkout_failures": {"CFQ7TTC0HD32": 2085}})
    request = order(line(4, "visio-2", 1, billing="annual"), line(7, "m365-basic", 2))
    done = bought(provider, request)
    assert [placed.line_numbers for placed in done.orders] == [(7,)]
    (refused,) = done.refused
    assert (refused.number, refused.raw) == (4, "code 2085: The offer isn't eligible for purchase")
    assert "cannot be bought" in refused.message
    assert refused.advice


def test_a_checkout_that_fails_whole_is_rejected(provider):
    with pytest.raises(Rejected, match="cannot be bought for this customer"):
        bought(provider, order(line(0, "m365-a3-edu", 5)))


def test_lines_of_one_sku_on_other_terms_are_kept_apart(provider, far_side):
    lines = (line(0, "m365-basic", 2, billing="annual"), line(1, "m365-basic", 5), line(2, "m365-basic", 9, "P1M"))
    request = order(*lines)
    ids = [placed.external_id for placed in bought(provider, request).orders]
    far_side.advance(seconds=5)
    states = provider.order_state(request, ids)
    assert [(state.number, state.subscription.quantity) for state in states] == [(0, 2), (1, 5), (2, 9)]
    (only,) = provider.order_state(order(lines[0]), ids)
    assert only.subscription.quantity == 2
    monthly = next(state.order_external_id for state in states if state.number == 1)
    assert [each.state for each in provider.order_state(order(lines[0]), [monthly])] == ["pending"]


def test_the_services_odd_manners_change_nothing(provider, far_side):
    far_side.control("modes", {"bom": "always", "numbers": "strings", "doubled_headers": True, "dates": "mixed"})
    request = order(line(0, "m365-premium", 7), line(1, "visio-2", 2, billing="annual"))
    ids = [placed.external_id for placed in bought(provider, request).orders]
    far_side.advance(seconds=5)
    first, second = (state.subscription for state in provider.order_state(request, ids))
    assert (first.quantity, first.unit_price, str(first.ends_on)) == (7, Decimal("17.30"), "2027-03-17")
    assert (second.quantity, str(second.ends_on)) == (2, "2027-03-17")


def test_azure_plans_and_perpetual_software_are_bought_without_a_term(provider, far_side):
    request = order(line(0, "azure-plan", 1, "", "none"), line(1, "windows-server", 2, "", "one_time"))
    ids = [placed.external_id for placed in bought(provider, request).orders]
    far_side.advance(seconds=5)
    states = provider.order_state(request, ids)
    assert [(state.state, state.subscription.ends_on) for state in states] == [("completed", None)] * 2


def test_a_line_that_microsoft_finds_faulty_is_rejected_before_anything_is_bought(provider, far_side):
    with pytest.raises(Rejected, match="refused a line") as refusal:
        provider.create_cart(order(line(0, "m365-basic", 301)), request_id=uuid.uuid4())
    assert "not between 1 and 300" in refusal.value.raw
    assert not orders_at(far_side)


def test_a_resellers_order_carries_its_partner_id(provider, far_side):
    request = order(line(0, "m365-basic"), partner_id=LUMEN.mpn)
    bought(provider, request)
    assert orders_at(far_side)[0]["lineItems"][0]["partnerIdOnRecord"] == LUMEN.mpn
    with pytest.raises(Rejected, match="partner id is not accepted"):
        bought(provider, order(line(0, "m365-basic"), partner_id="17"))
