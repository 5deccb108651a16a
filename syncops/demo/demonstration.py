"""Everything a person needs to try the product, under one supervisor: sandbox, worker and web server.

It stops as a whole: on Ctrl-C, on SIGTERM, when its terminal goes away, and when one of the processes ends by itself.
"""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from django.conf import settings

from connections.sandbox.remote import Addresses, status_of
from portal.queue import beat_age, forget_beats
from syncops.demo.folder import DATABASE, ENVIRONMENT, Folder, Unusable
from syncops.demo.people import PASSWORD, PEOPLE
from syncops.demo.ports import Port, problems
from syncops.demo.programs import Program, end_processes

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PROGRAMS = {
    "The sandbox": ("sandbox.log", 30.0),
    "Preparing": ("prepare.log", 180.0),
    "The worker": ("worker.log", 60.0),
    "The web server": ("web.log", 60.0),
}
"""What runs: its log, and after how many seconds it must answer or be done."""
STOP_S = 20.0
LOOK_S = 0.1


class Stopped(Exception):
    """Somebody asked us to stop."""


class Broken(Exception):
    """A process ended by itself, or does not answer."""

    def __init__(self, words: str, program: Program) -> None:
        super().__init__(words)
        self.program = program


@dataclass(frozen=True, slots=True)
class Choices:
    """Where the demonstration lives and listens."""

    folder: Folder
    port: int
    sandbox_port: int
    partner_center_port: int
    fresh: bool = False

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def addresses(self) -> Addresses:
        return Addresses(f"http://127.0.0.1:{self.sandbox_port}", f"http://127.0.0.1:{self.partner_center_port}")

    @property
    def ports(self) -> tuple[Port, ...]:
        return (
            Port("web server", self.port, "make demo PORT=8010"),
            Port("Autotask sandbox", self.sandbox_port, "make demo SANDBOX_PORT=8111"),
            Port("Partner Center sandbox", self.partner_center_port, "make demo SANDBOX_PORT=8111 takes 8111 and 8112"),
        )

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process of the product work on this folder and with this sandbox."""
        return {
            "PORTAL_DATA_DIR": str(self.folder.path),
            "DATABASE_URL": f"sqlite:///{self.folder.path / DATABASE}",
            "QUEUE_URL": "orm://",
            "PORTAL_PUBLIC_URL": self.url,
            "PORTAL_ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
            "PORTAL_EMAIL_URL": "console:",  # invented people get no mail
            **self.addresses.environment,
        }


class Demonstration:
    """One run of the demonstration. `run` returns once everything is down: 0 where that was asked for, else 1."""

    def __init__(self, choices: Choices, *, say: Callable[[str], None]) -> None:
        self.choices = choices
        self._say = say
        self.signals = 0
        self.started: list[Program] = []
        inherited = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
        self.environment = inherited | choices.environment

    def run(self) -> int:
        """Raises Unusable before anything is started where the folder or a port cannot be used."""
        former = {number: signal.signal(number, self._note) for number in STOPS}
        try:
            with self.choices.folder.locked() as left:
                if left:
                    self.say(f"Ended {left} processes that an earlier demonstration had left behind.")
                code = self._run_locked()
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
        return code

    def say(self, words: str) -> None:
        with suppress(OSError):  # nobody listens any more
            self._say(words)

    def _note(self, number: int, frame: object) -> None:
        self.signals += 1

    def _run_locked(self) -> int:
        folder = self.choices.folder
        folder.check()
        if found := problems(self.choices.ports):
            raise Unusable("\n".join(found))
        if self.choices.fresh:
            folder.clear()
        made_on = folder.claim()
        try:
            self._start_all(made_on.isoformat())
            self.say(self._welcome())
            self._watch()
        except Stopped:
            self.say("\nStopping …")
            return 0
        except Broken as broken:
            self._explain(broken)
            return 1
        finally:
            self._stop_all()
            self.say("Stopped.")

    def _start_all(self, made_on: str) -> None:
        choices = self.choices
        self._write_environment()
        began = time.monotonic()
        self.say("Starting the sandbox: Autotask and Partner Center")
        ports = [
            "--autotask-port",
            str(choices.sandbox_port),
            "--partner-center-port",
            str(choices.partner_center_port),
        ]
        sandbox = self._start("The sandbox", "sandbox", *ports)
        self._await(sandbox, lambda: status_of(choices.addresses.zone_url) is not None)
        self.say("Preparing the database")
        self._await_end(self._start("Preparing", "demo", "--prepare", "--today", made_on, speaks=True))
        self.say("Starting the worker and the web server")
        forget_beats()
        worker = self._start("The worker", "work")
        web = self._start_web()
        self._await(web, lambda: status_of(f"http://127.0.0.1:{choices.port}/readyz") == 200)
        self._await(worker, lambda: beat_age() is not None)
        self.say(f"Everything answers after {time.monotonic() - began:.0f} s.")

    def _start(self, name: str, *command: str, speaks: bool = False) -> Program:
        return self._launch(name, [sys.executable, str(settings.BASE_DIR / "manage.py"), *command], speaks=speaks)

    def _start_web(self) -> Program:
        bind = f"127.0.0.1:{self.choices.port}"
        command = [sys.executable, "-m", "gunicorn", "-w", "2", "--threads", "4", "-b", bind, "portal.wsgi"]
        return self._launch("The web server", command)

    def _launch(self, name: str, command: list[str], *, speaks: bool = False) -> Program:
        log = self.choices.folder.logs / PROGRAMS[name][0]
        program = Program(name, command, log, self.environment, Path(settings.BASE_DIR), speaks)
        self.started.append(program)
        program.start()
        return program

    def _write_environment(self) -> None:
        """For other shells that want to look at the demonstration: `set -a; . data/demonstration.env`."""
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in self.choices.environment.items()]
        (self.choices.folder.path / ENVIRONMENT).write_text("".join(lines), encoding="utf-8")

    # Watching

    def _await(self, program: Program, answers: Callable[[], bool]) -> None:
        patience = PROGRAMS[program.name][1]
        deadline = time.monotonic() + patience
        while not answers():
            self._look()
            if time.monotonic() > deadline:
                raise Broken(f"{program.name} does not answer after {patience:.0f} s.", program)

    def _await_end(self, program: Program) -> None:
        deadline = time.monotonic() + PROGRAMS[program.name][1]
        while program.is_running:
            self._look()
            if time.monotonic() > deadline:
                raise Broken(f"{program.name} takes too long.", program)
        if program.code:
            raise Broken(f"{program.name} {program.how_it_ended()}.", program)
        self.started.remove(program)

    def _watch(self) -> NoReturn:
        while True:
            self._look()

    def _look(self) -> None:
        """One look at everything, and a short rest. Raises Stopped and Broken."""
        if self.signals:
            raise Stopped
        for program in self.started:
            if program.code is not None and program.name != "Preparing":
                raise Broken(f"{program.name} {program.how_it_ended()}.", program)
        time.sleep(LOOK_S)

    # Stopping

    def _stop_all(self) -> None:
        """The sandbox last, so that what is under way still gets its answer; then whatever is left of this run."""
        first = [program for program in self.started if program.name != "The sandbox"]
        for group in (first, self.started):
            for program in group:
                program.ask_to_stop()
            self._await_stopped(group)
        for program in self.started:
            program.kill()
        if end_processes(self.choices.folder.logs):
            self.say("Some processes did not stop by themselves and were ended.")

    def _await_stopped(self, programs: list[Program]) -> None:
        asked, deadline = self.signals, time.monotonic() + STOP_S
        while any(program.is_running for program in programs) and time.monotonic() < deadline:
            if self.signals > max(asked, 1):  # asked again: no more patience
                return
            time.sleep(LOOK_S)

    # Words

    def _explain(self, broken: Broken) -> None:
        words = broken.program.last_words()
        self.say(f"\n{broken}")
        if words:
            self.say(f"The end of {broken.program.log}:\n" + "\n".join(f"    {line}" for line in words))
        self.say("\nStopping the rest …")

    def _welcome(self) -> str:
        wide = max(len(person.email) for person in PEOPLE)
        people = "\n".join(f"    {person.label:<14} {person.email:<{wide}}  {PASSWORD}" for person in PEOPLE)
        addresses = self.choices.addresses
        return f"""
  The portal is ready:  {self.choices.url}

    Sign in as     e-mail address{" " * (wide - 14)}  password
{people}

    Django admin, for Support: {self.choices.url}/admin/
    Autotask sandbox:          {addresses.autotask}
    Partner Center sandbox:    {addresses.partner_center}
    Logs:                      {self.choices.folder.logs}

  Stop with Ctrl-C. What you did is kept for the next time; start over with: make demo FRESH=1
"""
