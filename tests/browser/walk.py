"""The main job as a person does it, step by step, with or without JavaScript."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

MONEY = re.compile(r"([\d,]+\.\d+)\s[A-Z]{3}")


@dataclass(frozen=True)
class Walk:
    """A person's way through the pages. `live`: pages follow by themselves, and nobody reloads them."""

    page: Page
    live: bool = True

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name, exact=True)

    def heading(self, name: str) -> None:
        expect(self.page.get_by_role("heading", name=name, level=1, exact=True)).to_be_visible()

    def open_customer(self, name: str) -> None:
        """From the navigation through the search, as somebody who knows the name does."""
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name="Customers").click()
        self.search(self.page.get_by_label("Search"), name, "Filter")
        self.link(name).click()
        self.heading(name)

    def search(self, box: Locator, words: str, button: str) -> None:
        """Type; with JavaScript that is all, without it a button stands beside the box."""
        if not self.live:
            box.fill(words)
            self.page.locator("form", has=box).get_by_role("button", name=button).first.click()
            return
        with found(self.page, words):
            box.press_sequentially(words, delay=5)

    def fill_cart(self, variant: str, quantity: int) -> Decimal:
        """From the customer's page into the cart; the price of one unit as the catalogue shows it."""
        self.link("Add subscription").first.click()
        self.heading("Add subscription")
        self.search(self.page.get_by_label("Search"), variant.partition(" · ")[0], "Filter")
        add = self.link(f"Add {variant}")
        price = money(self.page.get_by_role("row").filter(has=add))
        add.click()
        self.page.get_by_label("Quantity").fill(str(quantity))
        self.button("Add to cart").click()
        self.heading("Cart")
        return price

    def submit_order(self) -> int:
        """From the cart to the order's page; the order's id."""
        self.link("Submit Order").click()
        self.heading("Confirm the order")
        self.button("Submit").click()
        self.page.wait_for_url(re.compile(r"/orders/\d+/$"))
        return int(self.page.url.rstrip("/").rpartition("/")[2])

    def await_words(self, where: Locator, words: str | re.Pattern[str]) -> None:
        """Wait until a part of the page says so, by itself or, without JavaScript, by reloading it."""
        if self.live:
            expect(where).to_contain_text(words)
            return
        await_true(lambda: re.search(words, where.inner_text()) or not self.page.reload())

    def await_order(self) -> None:
        self.await_words(self.page.locator("#state"), "Completed")

    def choose(self, noun: str, words: str, option: str) -> None:
        """One of the three pickers: type a part of the name, choose from what is left."""
        box = self.page.get_by_role("searchbox", name=f"Search {noun}")
        self.search(box, words, "Search" if noun != "contracts" else "Show contracts")
        choice = self.option(re.compile(f"^{re.escape(option)} #"))
        expect(choice).to_be_visible()
        choice.check()

    def option(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("radio", name=name)

    def preview(self) -> None:
        self.button("Preview").click()
        self.heading("Preview")

    def confirm(self) -> None:
        self.button("Confirm Sync").click()
        self.page.wait_for_url(re.compile(r"/subscriptions/\d+/sync/$"))

    def await_proof(self) -> None:
        """On the page of a sync that runs: until its operation succeeded, and all of the page says so."""
        self.await_words(self.page.locator("#mapping"), "Succeeded")
        expect(self.page.locator("#mapping")).to_contain_text("Synced")
        expect(self.page.get_by_text("It runs in the background")).to_have_count(0)

    def change_quantity(self, subscription: int, quantity: int) -> None:
        self.page.goto(f"/subscriptions/{subscription}/quantity/")
        box = self.page.get_by_label("New quantity")
        box.fill(str(quantity))
        if not self.live:
            self.button("Preview").click()
        self.button(f"Change to {quantity}").click()
        self.await_words(self.page.locator("main"), re.compile(rf"Microsoft has {quantity} since"))


@contextmanager
def found(page: Page, words: str) -> Iterator[None]:
    """Until the answer to the whole of what is typed meanwhile stands on the page."""
    with page.expect_response(lambda answer: [words] in parse_qs(urlsplit(answer.url).query).values()):
        yield
    expect(page.locator(".htmx-request")).to_have_count(0)


def money(where: Locator) -> Decimal:
    """The first amount that a part of the page shows."""
    found = MONEY.search(where.inner_text())
    assert found, where.inner_text()
    return Decimal(found[1].replace(",", ""))


def await_true(what: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.3)
