"""Runs the sandbox, the stand-ins for both far sides, and plays tricks with one that runs."""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from connections.sandbox.remote import Addresses, NotRunning, Refused, control, row_words
from connections.sandbox.server import Sandbox
from connections.sandbox.stand_in import PortTaken

AUTOTASK_PORT, PARTNER_CENTER_PORT = 8101, 8102
STAND_INS = ("autotask", "partner-center")


class Command(BaseCommand):
    help = (
        "Runs a stand-in for Autotask and one for Partner Center on this machine, over real HTTP, until Ctrl-C. "
        "While one runs, `sandbox fault`, `post`, `edit`, `clock` and `ledger` from another shell play with it. "
        "Exit codes: 0 done, 1 refused or not running."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--autotask-port", type=int, default=AUTOTASK_PORT, help=f"default {AUTOTASK_PORT}")
        parser.add_argument(
            "--partner-center-port", type=int, default=PARTNER_CENTER_PORT, help=f"default {PARTNER_CENTER_PORT}"
        )
        parser.add_argument(
            "--data-dir", type=Path, help="where the ledgers live (default: sandbox in the data folder)"
        )
        parser.add_argument("--fresh", action="store_true", help="begin with new ledgers")
        parser.add_argument("--latency", type=float, default=0.0, help="seconds that every answer takes at least")
        parser.add_argument(
            "--record", type=Path, help="write every exchange with Autotask as one JSON line to this file"
        )
        actions = parser.add_subparsers(dest="action", title="playing with a running sandbox")
        for action, (describe, run, words) in ACTIONS.items():
            inner = actions.add_parser(action, help=words, description=words)
            inner.set_defaults(run=run)
            inner.add_argument("--json", action="store_true", help="print the sandbox's own answer")
            describe(inner)

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["data_dir"] or settings.DATA_DIR / "sandbox"
        if options["action"]:
            self._play(folder, options)
        else:
            self._serve(folder, options)

    def _serve(self, folder: Path, options: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            sandbox = Sandbox(
                folder,
                options["autotask_port"],
                options["partner_center_port"],
                record=options["record"],
                latency=options["latency"],
                fresh=options["fresh"],
            )
        except PortTaken as error:
            raise CommandError(f"{error}. Choose others: --autotask-port, --partner-center-port.") from error
        Addresses(sandbox.autotask_url, sandbox.partner_center_url).write(folder)
        try:
            sandbox.serve_forever(self._announce)
        finally:
            Addresses.forget(folder)

    def _announce(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _play(self, folder: Path, options: Mapping[str, Any]) -> None:
        try:
            answer, words = options["run"](Addresses.read(folder), options)
        except NotRunning as error:
            raise CommandError(
                f"There is no sandbox to talk to: {error}. Start one: manage.py sandbox (or: manage.py demo)."
            ) from error
        except Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(answer, default=str) if options["json"] else words)


Answer = tuple[Any, str]


def _base(addresses: Addresses, options: Mapping[str, Any]) -> str:
    return addresses.partner_center if options["on"] == "partner-center" else addresses.autotask


def _describe_fault(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="for example drop_after, swallow, error_503 or slow:5")
    parser.add_argument("--on", choices=STAND_INS, default="autotask", help="which stand-in (default autotask)")
    parser.add_argument("--times", type=int, help="how many requests it hits (default 1; 0: every one from now on)")
    parser.add_argument("--skip", type=int, default=0, help="let so many matching requests through first")
    parser.add_argument("--method", help="regular expression for the method")
    parser.add_argument("--path", help="regular expression to be found in the path")
    parser.add_argument("--text", help="the error message, or the value of Retry-After")
    parser.add_argument("--clear", action="store_true", help="forget all scripted faults")


def _fault(addresses: Addresses, options: Mapping[str, Any]) -> Answer:
    base = _base(addresses, options)
    if options["clear"]:
        return control(base, "DELETE", "faults"), "No request goes wrong any more."
    if not options["name"]:
        answer = control(base, "GET", "faults")
        return answer, "\n".join(_fault_words(fault) for fault in answer["faults"]) or "Nothing is scripted."
    script = {name: options[name] for name in ("method", "path", "skip", "text") if options[name]}
    if options["times"] is not None:
        script["times"] = options["times"] or None
    answer = control(base, "POST", "faults", script | {"fault": options["name"]})
    return answer, "\n".join(_fault_words(fault) for fault in answer["faults"])


def _fault_words(fault: Mapping[str, Any]) -> str:
    times = "every" if fault["times"] is None else f"the next {fault['times']}"
    return f"{fault['fault']}: {times} {fault['method']} {fault['path']}, hit {fault['hits']} so far"


def _describe_post(parser: ArgumentParser) -> None:
    parser.add_argument("--contract", type=int, help="the contract's id (default: all contracts)")
    parser.add_argument("--through", type=date.fromisoformat, required=True, help="post every period that ends by then")
    _describe_database(parser)


def _describe_database(parser: ArgumentParser) -> None:
    parser.add_argument("--database", help="in which Autotask database (default: the first)")


def _post(addresses: Addresses, options: Mapping[str, Any]) -> Answer:
    body = {name: options[name] for name in ("through", "contract", "database")}
    answer = control(addresses.autotask, "POST", "post", {name: value for name, value in body.items() if value})
    return answer, f"Approved and posted through {options['through']}."


def _describe_edit(parser: ArgumentParser) -> None:
    parser.add_argument("--line", type=int, required=True, help="the contract service's id")
    parser.add_argument("--date", type=date.fromisoformat, required=True, help="from which day on")
    parser.add_argument("--units", type=int, default=0, help="units added or taken away, for example +1")
    parser.add_argument("--price", help="the unit price from that day on")
    _describe_database(parser)


def _edit(addresses: Addresses, options: Mapping[str, Any]) -> Answer:
    names = {"line": "line", "date": "date", "units": "unitChange", "price": "price", "database": "database"}
    body = {name: options[option] for option, name in names.items()}
    answer = control(
        addresses.autotask, "POST", "edit", {name: value for name, value in body.items() if value is not None}
    )
    return answer, "\n".join(row_words(answer["rows"]))


def _describe_renew(parser: ArgumentParser) -> None:
    parser.add_argument("--contract", type=int, required=True, help="the id of the contract that is renewed")
    parser.add_argument("--until", type=date.fromisoformat, required=True, help="the last day of the new contract")
    parser.add_argument("--from", dest="start", type=date.fromisoformat, help="its first day (default: after the old)")
    _describe_database(parser)


def _renew(addresses: Addresses, options: Mapping[str, Any]) -> Answer:
    names = {"contract": "contract", "until": "end", "start": "start", "database": "database"}
    body = {name: options[option] for option, name in names.items()}
    answer = control(
        addresses.autotask, "POST", "renew", {name: value for name, value in body.items() if value is not None}
    )
    return answer, f"Contract {options['contract']} is renewed as contract {answer['contract']['id']}."


def _describe_clock(parser: ArgumentParser) -> None:
    moves = parser.add_mutually_exclusive_group()
    moves.add_argument("--advance-days", type=int, default=0, help="move both stand-ins forward")
    moves.add_argument("--today", type=date.fromisoformat, help="set both stand-ins to this date")
    moves.add_argument("--real", action="store_true", help="the real time again")


def _clock(addresses: Addresses, options: Mapping[str, Any]) -> Answer:
    wanted = {"advance_days": options["advance_days"], "today": options["today"], "real": options["real"]}
    body = {name: value for name, value in wanted.items() if value}
    control(addresses.partner_center, "POST", "clock", body)
    answer = control(addresses.autotask, "POST", "clock", body)
    return answer, f"It is {answer['today']} for both stand-ins."


def _describe_ledger(parser: ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--contract", type=int, help="all lines of this contract")
    which.add_argument("--key", help="the line with this internal description")
    which.add_argument("--line", type=int, help="the line with this id")
    _describe_database(parser)


def _ledger(addresses: Addresses, options: Mapping[str, Any]) -> Answer:
    query = {name: options[name] for name in ("contract", "key", "line", "database")}
    answer = control(addresses.autotask, "GET", "ledger", **query)
    words = [
        "\n".join(
            [
                _line_words(line),
                *row_words(line["rows"]),
            ]
        )
        for line in answer["lines"]
    ]
    return answer, "\n\n".join(words) or "No such line."


def _line_words(line: Mapping[str, Any]) -> str:
    key = f", key {line['internalDescription']}" if line.get("internalDescription") else ""
    return f"Line {line['id']}: service {line['serviceID']} on contract {line['contractID']}{key}"


ACTIONS: dict[str, tuple[Callable[[ArgumentParser], None], Callable[[Addresses, Mapping[str, Any]], Answer], str]] = {
    "fault": (_describe_fault, _fault, "let requests go wrong; without a name: list what is scripted"),
    "post": (_describe_post, _post, "approve and post periods, as somebody does in Autotask"),
    "edit": (_describe_edit, _edit, "adjust a line by hand, as somebody does in Autotask"),
    "renew": (_describe_renew, _renew, "renew a contract with its lines, as somebody does in Autotask"),
    "clock": (_describe_clock, _clock, "move the time that both stand-ins believe in; without options: show it"),
    "ledger": (_describe_ledger, _ledger, "show what Autotask would bill: lines with their unit rows"),
}
