"""Every page: accessible in light and dark, on a desk and at 320 pixels, and quick to load."""

import pytest

from tests.browser.inspection import DESKTOP, MOST_BYTES, complaints, transferred
from tests.browser.walk import Walk

CUSTOMER, OFFER = "Gemeente Westerwold", "Microsoft 365 E3 (Government Pricing)"
PAGES = {
    "overview": "/",
    "customers": "/customers/",
    "customer": "/customers/{customer}/",
    "catalogue": "/customers/{customer}/catalog/",
    "catalogue, nothing found": "/customers/{customer}/catalog/?q=nothing+of+this",
    "offer": "/customers/{customer}/cart/add/?variant={variant}",
    "cart": "/carts/{cart}/",
    "order to confirm": "/carts/{cart}/submit/",
    "orders": "/orders/",
    "order": "/orders/{order}/",
    "subscriptions": "/subscriptions/",
    "subscription, synced": "/subscriptions/{synced}/",
    "subscription, bought here": "/subscriptions/{bought}/",
    "subscription, history": "/subscriptions/{synced}/history/",
    "quantity": "/subscriptions/{synced}/quantity/",
    "quantity, previewed": "/subscriptions/{synced}/quantity/?quantity=99",
    "sync, fields": "/subscriptions/{bought}/sync/",
    "sync, left out": "/subscriptions/{bought}/sync/?company-left_out=on&service-left_out=on&contract-left_out=on",
    "sync, remove": "/subscriptions/{synced}/sync/end/",
    "sync, done": "/subscriptions/{synced}/sync/",
    "picker": "/connections/{connection}/subscriptions/{bought}/companies/",
    "customer mapping": "/connections/{connection}/customers/",
    "customer mapping, a row": "/connections/{connection}/customers/{customer}/",
    "customer mapping, match names": "/connections/{connection}/customers/match/",
    "subscription mapping": "/connections/{connection}/subscriptions/",
    "offer mapping": "/connections/{connection}/offers/?hide=no",
    "operations": "/operations/",
    "operation": "/operations/{operation}/",
    "operation, undo": "/operations/{operation}/undo/",
    "inbox": "/inbox/",
    "audit log": "/audit/",
    "audit entry": "/audit/{entry}/",
    "connections": "/connections/",
    "connection": "/connections/{connection}/",
    "connection, kinds": "/connections/new/",
    "connection, Autotask": "/connections/new/?kind=autotask",
    "connection, credentials": "/connections/new/autotask/",
    "connection, Partner Center": "/connections/new/partner_center/",
    "connection, new credentials": "/connections/{connection}/credentials/",
    "connection, rename": "/connections/{connection}/rename/",
    "connection, policies": "/connections/{connection}/policies/",
    "connection, retire": "/connections/{connection}/retire/",
    "margins": "/margins/",
    "margin": "/margins/{margin}/",
    "margin, remove": "/margins/{margin}/remove/",
    "margin settings": "/margins/settings/",
    "members": "/members/",
    "member": "/members/{member}/",
    "invitation": "/members/invite/",
    "second factor": "/accounts/2fa/",
    "password": "/accounts/password/change/",
    "sessions": "/accounts/sessions/",
    "not found": "/nothing/here/",
}
FOR_STRANGERS = {
    "sign in": "/accounts/login/",
    "forgotten password": "/accounts/password/reset/",
    "not found, signed out": "/nothing/here/",
}


@pytest.fixture(scope="session")
def ids(chromium, installation, signed_in):
    """What stands in the addresses; an order and a filled cart are made for it."""
    context = chromium.new_context(base_url=installation.url, storage_state=signed_in("administrator"))
    page = context.new_page()
    walk = Walk(page)
    page.goto(f"/customers/{(customer := installation.customer(CUSTOMER))}/")
    walk.fill_cart(f"{OFFER} · 1 year, monthly, government", 2)
    order = walk.submit_order()
    walk.await_order()
    page.goto(f"/customers/{customer}/")
    walk.fill_cart(f"{OFFER} · 1 month, monthly, government", 1)
    cart = int(page.url.rstrip("/").rpartition("/")[2])
    context.close()
    return {
        "customer": customer,
        "order": order,
        "cart": cart,
        "bought": installation.bought(order),
        "synced": installation.one("SELECT min(subscription_id) FROM mappings_subscriptionmapping"),
        "variant": installation.one("SELECT min(variant_id) FROM portal_variantprice WHERE erp > 0"),
        "operation": installation.one("SELECT min(id) FROM syncops_syncoperation WHERE state = 'succeeded'"),
        "entry": installation.one("SELECT max(id) FROM portal_auditentry WHERE name LIKE 'Trigger%'"),
        "connection": installation.one("SELECT id FROM connections_connection WHERE name = 'Autotask'"),
        "margin": installation.one("SELECT min(id) FROM portal_marginrule"),
        "member": installation.one("SELECT id FROM portal_user WHERE email LIKE 'reader@%'"),
    }


def inspect(page, path):
    page.watch.expect(403, 404)
    page.goto(path)
    assert page.url.endswith(path)
    assert transferred(page) < MOST_BYTES
    assert not complaints(page)


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_the_page(opened, ids, name):
    inspect(opened(viewport=DESKTOP), PAGES[name].format(**ids))


@pytest.mark.parametrize("name", FOR_STRANGERS)
def test_everybody_can_use_the_page_signed_out(opened, name):
    inspect(opened(None, viewport=DESKTOP), FOR_STRANGERS[name])


def test_everybody_can_use_a_refusal(opened):
    inspect(opened("reader", viewport=DESKTOP), "/members/")


def test_everybody_can_use_the_preview(opened, ids):
    page = opened(viewport=DESKTOP)
    page.goto(f"/subscriptions/{ids['bought']}/sync/")
    Walk(page).preview()
    assert transferred(page) < MOST_BYTES
    assert not complaints(page)


def test_everybody_can_use_a_form_that_was_refused(opened, ids):
    page = opened(viewport=DESKTOP)
    page.watch.expect(422)
    page.goto(PAGES["offer"].format(**ids))
    page.locator("main form").first.evaluate("form => { form.noValidate = true; }")
    page.get_by_label("Quantity").fill("0")
    Walk(page).button("Add to cart").click()
    page.locator("[aria-invalid=true]").wait_for()
    assert not complaints(page)
