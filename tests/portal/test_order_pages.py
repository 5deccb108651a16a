"""The order list and the order page, which follows the order by itself."""

import pytest
from django.urls import reverse

from portal.far_side import OutcomeUnknown, Rejected, Unavailable
from portal.models import Order
from tests.cast import make_customer, make_variant
from tests.portal.purchases import advance, make_cart, make_order

HTMX = {"HX-Request": "true"}


def address(name: str, *args) -> str:
    return reverse(f"portal:{name}", args=args)


@pytest.fixture
def order(cast, provider) -> Order:
    return make_order(cast.operations)


def test_the_page_follows_an_open_order_and_stops_when_it_is_over(cast, as_user, order):
    client = as_user(cast.reader)
    page = client.get(address("order_detail", order.pk)).content.decode()
    assert 'hx-trigger="every 2s"' in page
    advance(order)
    fragment = client.get(address("order_state", order.pk), headers=HTMX).content.decode()
    assert "every 2s" not in fragment
    assert "Completed" in fragment
    assert "<html" not in fragment


def test_nothing_is_swapped_while_nothing_changed(cast, as_user, order):
    client = as_user(cast.reader)
    look = client.get(address("order_detail", order.pk)).context["look"]
    state = address("order_state", order.pk)
    assert client.get(state, {"seen": look}, headers=HTMX).status_code == 204
    advance(order, 2)
    assert client.get(state, {"seen": look}, headers=HTMX).status_code == 200


def test_the_states_own_address_leads_to_the_page(cast, as_user, order):
    assert as_user(cast.reader).get(address("order_state", order.pk)).url == address("order_detail", order.pk)


def test_a_failed_order_says_why_and_what_to_do(cast, as_user, order, provider):
    provider.fail_next("create_cart", Rejected("No customer agreement.", "Let the customer sign it."))
    advance(order)
    page = as_user(cast.reader).get(address("order_detail", order.pk)).content.decode()
    assert "No customer agreement." in page
    assert "Let the customer sign it." in page


def test_a_stopped_order_offers_to_check_again(cast, as_user, order, provider):
    provider.fail_next("checkout", OutcomeUnknown("Lost."), Rejected("Submitted already."))
    advance(order)
    assert order.is_stalled
    client = as_user(cast.operations)
    page = client.get(address("order_detail", order.pk)).content.decode()
    assert "needs you" in page
    assert "Give up" not in page
    assert "Check again" not in as_user(cast.reader).get(address("order_detail", order.pk)).content.decode()
    client = as_user(cast.operations)
    assert client.post(address("order_resume", order.pk)).url == address("order_detail", order.pk)
    advance(order)
    assert order.state == "completed"


def test_an_order_that_never_left_can_be_given_up(cast, as_user, order, provider):
    provider.fail_next("create_cart", *[Unavailable("Down.")] * 60)
    advance(order, 60)
    client = as_user(cast.operations)
    assert "Give up" in client.get(address("order_detail", order.pk)).content.decode()
    client.post(address("order_give_up", order.pk))
    order.refresh_from_db()
    assert order.state == "failed"


def test_orders_of_another_tenant_are_not_there(cast, as_user, order):
    client = as_user(cast.stranger)
    assert client.get(address("order_detail", order.pk)).status_code == 404
    assert client.get(address("order_state", order.pk), headers=HTMX).status_code == 404
    assert client.post(address("order_resume", order.pk)).status_code == 404
    assert client.post(address("order_give_up", order.pk)).status_code == 404
    assert list(client.get(address("order_list")).context["page"].rows) == []


def test_a_cart_is_no_order_yet(cast, as_user):
    cart = make_cart(cast.operations)
    client = as_user(cast.operations)
    assert client.get(address("order_detail", cart.pk)).status_code == 404
    assert list(client.get(address("order_list")).context["page"].rows) == []


def test_a_csp_sees_its_resellers_orders_at_what_the_reseller_pays(cast, as_user, provider):
    order = make_order(cast.reseller_admin)
    answer = as_user(cast.reader).get(address("order_detail", order.pk))
    assert "Birch IT pays" in answer.content.decode()


def test_the_list_is_filtered_by_number_customer_and_state(cast, as_user, provider):
    variant = make_variant(cast.csp)
    first, second = (
        make_order(cast.operations, variant, customer=make_customer(cast.csp, name)) for name in ("Contoso", "Fabrikam")
    )
    advance(second)
    client = as_user(cast.reader)

    def found(**query):
        return list(client.get(address("order_list"), query).context["page"].rows)

    assert found() == [second, first]
    assert found(q=first.number) == [first]
    assert found(q="fabri") == [second]
    assert found(state="completed") == [second]
    assert found(customer=first.customer_id) == [first]
    assert found(state="cart") == found()


def test_ten_orders_ask_as_many_questions_as_twenty(cast, as_user, provider, django_assert_max_num_queries):
    client, variant = as_user(cast.reader), make_variant(cast.csp)
    counts = []
    for batch in range(2):
        for number in range(10):
            make_order(cast.operations, variant, customer=make_customer(cast.csp, f"Customer {batch}{number}"))
        with django_assert_max_num_queries(30) as captured:
            client.get(address("order_list"))
        counts.append(len(captured))
    assert counts[0] == counts[1]
