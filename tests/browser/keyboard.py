"""Going through pages with nothing but a keyboard."""

from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.walk import found

MOST_STOPS = 90
FOCUSED = """() => {
  const at = document.activeElement;
  if (at === document.body) return { name: "", visible: false };
  const labelled = at.labels && at.labels.length ? [...at.labels].map((label) => label.textContent).join(" ") : "";
  const shown = [at, at.closest("label")].filter(Boolean).map((part) => getComputedStyle(part));
  return {
    name: (at.getAttribute("aria-label") || labelled || at.textContent || "").replace(/\\s+/g, " ").trim(),
    visible: shown.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
  };
}"""


@dataclass(frozen=True)
class Keyboard:
    page: Page

    def go_to(self, name: str) -> None:
        """Press Tab until something whose name begins so has the focus; whatever has it on the way must show that."""
        seen = []
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            focused = self.page.evaluate(FOCUSED)
            assert focused["visible"] or not focused["name"], f"nothing shows that {focused['name']!r} has the focus"
            if focused["name"].startswith(name):
                return
            seen.append(focused["name"])
        raise AssertionError(f"{name!r} cannot be reached with Tab; there were {seen}")

    def press(self, name: str) -> None:
        """Reach a link or a button, and press it."""
        self.go_to(name)
        with self.page.expect_event("load"):
            self.page.keyboard.press("Enter")

    def search(self, field: str, words: str) -> None:
        with found(self.page, words):
            self.type(field, words)

    def type(self, field: str, text: str) -> None:
        self.go_to(field)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)
