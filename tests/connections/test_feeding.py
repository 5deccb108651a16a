"""Pages from several sources at once."""

import threading

import pytest

from connections.feeding import merged


def source(name, pages):
    return name, lambda: iter([[f"{name}{number}"] for number in range(pages)])


def test_every_page_arrives_once_and_each_sources_in_order():
    seen = list(merged([source("a", 30), source("b", 7), source("c", 0)]))
    for name, pages in (("a", 30), ("b", 7), ("c", 0)):
        mine = [page for each, page in seen if each == name]
        assert mine == [*([f"{name}{number}"] for number in range(pages)), None]


def test_two_sources_are_read_at_once_and_no_more():
    running, most, lock = set(), [], threading.Lock()
    together = threading.Barrier(2, timeout=5)

    def read(name):
        with lock:
            running.add(name)
            most.append(len(running))
        together.wait()
        yield [name]
        with lock:
            running.discard(name)

    assert len(list(merged([(name, lambda name=name: read(name)) for name in "abcd"]))) == 8
    assert max(most) == 2


def test_what_goes_wrong_rises_behind_the_pages_that_came_before():
    def read():
        yield ["a0"]
        raise OSError("lost")

    pages = merged([("a", read)])
    assert next(pages) == ("a", ["a0"])
    with pytest.raises(OSError, match="lost"):
        next(pages)


@pytest.mark.parametrize("way", ["stop", "fail"])
def test_nothing_goes_on_once_the_reader_is_gone(way):
    closed, before = [], threading.active_count()

    def endless():
        try:
            while True:
                yield ["more"]
        finally:
            closed.append(True)

    def failing():
        raise OSError("lost")
        yield

    pages = merged([("a", endless), ("b", failing if way == "fail" else endless)])
    if way == "stop":
        next(pages)
        pages.close()
    else:
        with pytest.raises(OSError, match="lost"):
            list(pages)
    assert threading.active_count() == before
    assert closed
