"""What a page must be for everybody: accessible in both schemes and at both widths, narrow enough, light enough."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

QUICK = {"resultTypes": ["violations"], "preload": False}
ALL = QUICK | {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}
OF_SCHEME_AND_WIDTH = QUICK | {
    "runOnly": {
        "type": "rule",
        "values": ["color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block"],
    }
}
"""What can differ between light and dark, and between wide and narrow."""
LIKE_THE_ROWS_BEFORE = {"exclude": [["tbody tr:nth-child(n+9)"]]}
DESKTOP, NARROWEST = {"width": 1280, "height": 800}, {"width": 320, "height": 700}
RUN_AXE = "([context, rules]) => axe.run(context, rules).then((results) => results.violations)"
MOST_BYTES = 100_000
TRANSFERRED = """() => performance.getEntriesByType("navigation").concat(performance.getEntriesByType("resource"))
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""


def complaints(page: Page) -> list[str]:
    """Everything that is wrong with the page as it stands: seen on a desk in the light, and on a phone in the dark."""
    page.evaluate(AXE_SCRIPT)
    found = _violations(page, "light", ALL)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(NARROWEST)
    found += _violations(page, "dark, narrow", OF_SCHEME_AND_WIDTH)
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > NARROWEST["width"]:
        found.append(f"it is {width} px wide where {NARROWEST['width']} fit: {_widest(page)}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESKTOP)
    return found


def transferred(page: Page) -> int:
    """Bytes that came over the wire for this page and all that it needs, by the browser's own account."""
    return page.evaluate(TRANSFERRED)


def _violations(page: Page, where: str, rules: dict[str, object]) -> list[str]:
    violations = page.evaluate(RUN_AXE, [LIKE_THE_ROWS_BEFORE, rules])
    return [
        f"{where}: {one['id']}, {one['help']}: {node['target']} {node['html'][:200]}"
        for one in violations
        for node in one["nodes"]
    ]


def _widest(page: Page) -> str:
    script = """() => [...document.querySelectorAll("main *")].filter((at) => at.getBoundingClientRect().right > 320)
      .map((at) => at.outerHTML.slice(0, 120)).slice(-1)"""
    return str(page.evaluate(script))
