"""Ports: taken ones are named before anything is started."""

import socket

import pytest

from syncops.demo.ports import Port, problems


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def free(taken):
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


def test_a_free_port_is_no_problem(free):
    assert problems([Port("web server", free, "PORT=1")]) == []


def test_a_taken_port_is_named_with_how_to_choose_another(taken, free):
    (said,) = problems([Port("web server", taken, "make demo PORT=8010"), Port("sandbox", free, "…")])
    assert said.startswith(f"Port {taken} (web server) is taken")
    assert said.endswith("Choose another: make demo PORT=8010")


def test_one_port_for_two_of_us_is_a_problem(free):
    (said,) = problems([Port("web server", free, "…"), Port("sandbox", free, "SANDBOX_PORT=1")])
    assert said == f"Port {free} (sandbox) is given to two of us. Choose another: SANDBOX_PORT=1"


@pytest.mark.parametrize("number", [0, -1, 65536])
def test_what_is_no_port_is_said(number):
    assert "is not a port number" in problems([Port("web server", number, "…")])[0]
