"""The demonstration's processes: found again, and ended, whoever lost sight of them."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from syncops.demo.programs import Program, end_processes, processes_of

SLEEPS = "import time; print('here', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
LEAVES_A_CHILD = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {SLEEPS!r}], start_new_session=True)
print("gone", flush=True)
sys.exit(3)
"""
SAYS_MUCH = "print('\\n'.join(f'line {n}' for n in range(40)))"


@pytest.fixture
def logs(tmp_path):
    return tmp_path / "logs"


@pytest.fixture
def run(logs, tmp_path):
    """Start Python with a text as a program; what is left afterwards is ended."""
    started = []

    def start(text):
        program = Program("The thing", [sys.executable, "-c", text], logs / "thing.log", os.environ, tmp_path)
        program.start()
        started.append(program)
        return program

    yield start
    end_processes(logs, patience=1)
    for program in started:
        program.process.wait(10)


def wait_for(what):
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_program_is_found_by_its_log_and_ended(run, logs):
    program = run(SLEEPS)
    wait_for(lambda: program.last_words() == ["here"])
    assert [process.pid for process in processes_of(logs)] == [program.process.pid]
    assert end_processes(logs) == 1
    wait_for(lambda: not program.is_running)


def test_a_grandchild_whose_parent_is_gone_is_ended_too(run, logs):
    program = run(LEAVES_A_CHILD)
    wait_for(lambda: program.code is not None)
    (orphan,) = processes_of(logs)
    assert end_processes(logs) == 1
    assert not psutil.pid_exists(orphan.pid) or orphan.status() == psutil.STATUS_ZOMBIE


def test_one_that_does_not_listen_is_ended_all_the_same(run, logs):
    program = run(STUBBORN)
    wait_for(lambda: program.last_words() == ["here"])
    end_processes(logs, patience=0.2)
    wait_for(lambda: not program.is_running)
    assert program.how_it_ended() == "was ended by SIGKILL"


def test_who_only_reads_a_log_is_left_alone(run, logs, tmp_path):
    run(SAYS_MUCH)
    reads = [sys.executable, "-c", f"import sys; file = open({str(logs / 'thing.log')!r}); input()"]
    with subprocess.Popen(reads, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        wait_for(lambda: psutil.Process(reader.pid).open_files())
        assert end_processes(logs) == 0
        reader.communicate(b"\n")
        assert reader.returncode == 0


def test_other_folders_are_left_alone(run, logs, tmp_path):
    program = run(SLEEPS)
    assert end_processes(tmp_path / "log") == 0
    assert program.is_running


def test_how_it_ended_is_told_with_its_last_words(run):
    former = run(SAYS_MUCH)
    wait_for(lambda: former.code is not None)
    program = run("print('gone'); raise SystemExit(3)")
    wait_for(lambda: program.code is not None)
    assert (program.how_it_ended(), program.last_words()) == ("ended with code 3", ["gone"])
