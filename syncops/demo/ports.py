"""Ports on this machine: whether they are free, and who has them."""

import errno
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Port:
    """A port that the demonstration needs: for what, its number, and how another one is chosen."""

    name: str
    number: int
    choose: str


def problems(ports: Iterable[Port]) -> list[str]:
    """What stands against these ports, one sentence each, with how to choose another."""
    found, seen = [], set[int]()
    for port in ports:
        why = "is given to two of us" if port.number in seen else _problem(port.number)
        if why:
            found.append(f"Port {port.number} ({port.name}) {why}. Choose another: {port.choose}")
        seen.add(port.number)
    return found


def _problem(number: int) -> str:
    if not 0 < number < 65536:
        return "is not a port number"
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", number))
        except PermissionError:
            return "needs rights that you do not have"
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return f"cannot be used: {error.strerror}"
            return f"is taken{_holder(number)}"
    return ""


def _holder(number: int) -> str:
    """Who listens there, where the operating system tells us."""
    with suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr.port == number and each.pid:
                return f" by process {each.pid} ({psutil.Process(each.pid).name()})"
    return ""
