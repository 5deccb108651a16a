"""How commands answer: words for people, or one JSON object for scripts."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any


class JsonOption:
    """Adds `--json` to a command, and `answer` to say what came of it."""

    stdout: Any

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")

    def answer(self, options: Mapping[str, Any], facts: Mapping[str, Any], words: str) -> None:
        """Print `facts` as JSON where --json was given, `words` otherwise."""
        self.stdout.write(json.dumps(facts, default=str) if options["json"] else words)
