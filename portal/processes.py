"""Processes by names that others can check, so that nobody waits for what a process holds that is surely gone."""

import os
import socket
from functools import lru_cache
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
HOST_LENGTH = 50  # so that a name fits a column of 120 characters


@lru_cache(maxsize=1)
def boot_id() -> str:
    """This start of the machine; empty where the system does not tell."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def this_process() -> str:
    """Host, boot, process id and start time, which together no other process ever has."""
    return _name_of(os.getpid())


@lru_cache(maxsize=4)
def _name_of(pid: int) -> str:
    return f"{_host()}|{boot_id()}|{pid}|{psutil.Process(pid).create_time():.2f}"


def is_surely_gone(name: str) -> bool:
    """True where the process ran on this machine since its last start, and does not any more."""
    parts = name.split("|")
    if len(parts) != 4 or parts[:2] != [_host(), boot_id()]:
        return False
    try:
        return abs(psutil.Process(int(parts[2])).create_time() - float(parts[3])) > 0.05
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def _host() -> str:
    return socket.gethostname()[:HOST_LENGTH]
