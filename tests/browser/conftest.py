"""A running demonstration and a real Chromium, started once, and windows of it for the people who use it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from syncops.demo.people import PASSWORD, PEOPLE
from tests import needs
from tests.browser.installation import OTHER_CSP, Installation, start, stop
from tests.browser.watch import Watch

ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
EMAIL = {person.label.lower(): person.email for person in PEOPLE}
HERE = Path(__file__).parent

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs a browser, and one process drives it: `--dist loadgroup` keeps them together."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def installation(tmp_path_factory) -> Iterator[Installation]:
    running = start(tmp_path_factory.mktemp("browser") / "data")
    csp = ["--name", "Southwind", "--currency", "EUR", "--admin-email", OTHER_CSP, "--no-mfa"]
    running.manage("bootstrap", *csp, ADMIN_PASSWORD=PASSWORD)
    yield running
    stop(running)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Playwright's loop stays in this thread, so the ORM of later tests must be told that no coroutine runs."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=15_000)
        browser = playwright.chromium.launch(executable_path=needs.chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(chromium, installation) -> Callable[[str], dict]:
    """The cookies of a person by their label, signed in once."""
    known: dict[str, dict] = {}

    def cookies(person: str) -> dict:
        if person not in known:
            context = chromium.new_context(base_url=installation.url)
            sign_in(context.new_page(), person)
            known[person] = context.storage_state()
            context.close()
        return known[person]

    return cookies


@pytest.fixture
def opened(chromium, installation, signed_in) -> Iterator[Open]:
    """Open a window: `opened("billing", java_script_enabled=False)`. Whatever it complains about fails the test."""
    watches: list[Watch] = []

    def window(person: str | None = "administrator", **options) -> Page:
        if person:
            options["storage_state"] = signed_in(person)
        context = chromium.new_context(base_url=installation.url, **options)
        context.set_default_timeout(15_000)
        watches.append(Watch(context))
        page = context.new_page()
        page.watch = watches[-1]
        return page

    yield window
    for watch in watches:
        watch.context.close()
    assert not [problem for watch in watches for problem in watch.problems]


@pytest.fixture
def page(opened) -> Page:
    """A window of the administrator."""
    return opened()


def sign_in(page: Page, person: str, password: str = PASSWORD) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(EMAIL.get(person, person))
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
