"""A page that fails its test on anything that a browser complains about."""

import re
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Response

STATUS = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  noteViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


@dataclass
class Watch:
    """What went wrong in a browser window. `expected` and `words`: answers and complaints that a test provokes."""

    context: BrowserContext
    expected: set[int] = field(default_factory=set)
    words: str = "(?!)"
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.expose_function("noteViolation", lambda words: self.problems.append(f"violation: {words}"))
        self.context.add_init_script(REPORT_VIOLATIONS)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.problems.append(f"script: {error.error}"))
        self.context.on("response", self._response)

    def expect(self, *statuses: int) -> None:
        self.expected.update(statuses)

    def expect_words(self, pattern: str) -> None:
        self.words = pattern

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        refused = STATUS.match(message.text)
        if not (refused and int(refused[1]) in self.expected) and not re.search(self.words, message.text):
            self.problems.append(f"console: {message.text} ({message.location.get('url')})")

    def _response(self, response: Response) -> None:
        if response.status >= 500 and response.status not in self.expected:
            self.problems.append(f"{response.status}: {response.request.method} {response.url}")
