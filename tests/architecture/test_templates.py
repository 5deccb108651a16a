"""Templates fit the strict content security policy, and fragments are parts of their pages."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines
from django.template.loader import get_template

ROOT = settings.BASE_DIR / "templates"
PAGES = sorted(ROOT.rglob("*.html"))
STATIC = settings.BASE_DIR / "portal" / "static" / "portal"
FORBIDDEN = {
    "an inline script": r"<script(?![^>]*\bsrc=)(?![^>]*application/json)",
    "an inline style": r"<style|\sstyle\s*=",
    "a handler in an attribute": r"\son[a-z]+\s*=|hx-on",
    "code in an attribute": r"js:|javascript:",
    "a trigger with a condition": r"hx-trigger=\"[^\"]*\[(?!type=)",
    "a file from somewhere else": r"(?:src|href)=\"(?:https?:)?//",
    "unescaped text": r"\|safe\b|autoescape off",
}


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds(what):
    found = [f"{name_of(file)}: {hit}" for file in PAGES for hit in re.findall(FORBIDDEN[what], file.read_text())]
    assert found == []


def test_every_template_can_be_read():
    for file in PAGES:
        get_template(name_of(file))


def test_every_icon_exists():
    from portal.templatetags.portal import icon

    for file in PAGES:
        for name in re.findall(r"{% icon \"([^\"]+)\"", file.read_text()):
            icon(name)


def test_the_patterns_find_what_they_are_for():
    bad = '<script>x()</script><p style="x" onclick="y()" hx-on:click="z"><a href="//cdn.example/x">{{ x|safe }}'
    caught = {what for what, pattern in FORBIDDEN.items() if re.search(pattern, bad)}
    assert caught >= set(FORBIDDEN) - {"code in an attribute", "a trigger with a condition"}
    assert not re.search(FORBIDDEN["a trigger with a condition"], 'hx-trigger="input from:find input[type=search]"')
    assert re.search(FORBIDDEN["a trigger with a condition"], "hx-trigger=\"keyup[key=='x']\"")


def test_our_tags_need_no_load():
    assert engines["django"].from_string('{% icon "plus" %}{% badge "ok" "x" %}').render({})


def test_the_stylesheet_and_the_script_stay_small():
    assert (STATIC / "app.css").stat().st_size < 25_000
    assert (STATIC / "app.js").stat().st_size < 8_000


def test_colours_live_in_the_tokens_alone():
    css = (STATIC / "app.css").read_text()
    rules = css[css.index("*, ::before") :]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?!-)", rules.replace("#fff; border-radius: var(--round); }", "")) == []


def test_the_first_page_is_light(cast, client):
    """Page, stylesheet, script, htmx and mark: what a browser fetches at first, uncompressed."""
    from django.contrib.staticfiles import finders

    page = client.get("/accounts/login/").content
    files = {"portal/app.css", "portal/app.js", "portal/mark.svg", *re.findall(r"/static/([^\"]+)", page.decode())}
    total = len(page) + sum(Path(finders.find(name)).stat().st_size for name in files)
    assert total < 100_000
