"""Reading large sets several pages at once."""

import threading
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connections.psa.paging import Page, in_waves


class Table:
    """Rows by id, in pages, with the requests counted."""

    def __init__(self, ids, size=5):
        self.ids, self.size, self.requests = sorted(ids), size, 0
        self.lock = threading.Lock()

    def prepare(self, after, through):
        def sending():
            with self.lock:
                self.requests += 1
            found = [each for each in self.ids if each > after and (through is None or each <= through)]
            return [{"id": each} for each in found[: self.size]], len(found) > self.size

        return None, sending

    def settle(self, request, answer):
        rows, more = answer
        return Page(rows, rows[-1]["id"] if rows else -1, more)

    def read(self, after_id=-1, **options):
        pages = in_waves(self.prepare, self.settle, after_id=after_id, **options)
        return [row["id"] for page in pages for row in page]


ids = st.one_of(
    st.sets(st.integers(0, 60), max_size=60),
    st.sets(st.integers(0, 5000), max_size=60),
    st.lists(st.integers(1, 40), max_size=60).map(lambda steps: {sum(steps[: i + 1]) for i in range(len(steps))}),
)


@given(ids=ids, after_id=st.integers(-1, 70), size=st.integers(1, 8))
@settings(max_examples=150, deadline=None)
def test_every_row_comes_once_in_order_however_the_ids_lie(ids, after_id, size):
    assert Table(ids, size).read(after_id) == sorted(each for each in ids if each > after_id)


@pytest.mark.parametrize("count", [0, 1, 5, 20, 50, 200, 500])
def test_dense_ids_cost_one_request_per_page_and_at_most_two_more(count):
    table = Table(range(1, count + 1))
    assert len(table.read()) == count
    assert table.requests <= max(1, -(-count // 5)) + 2


def test_a_fixed_gap_between_ids_costs_no_more_than_dense_ids():
    table = Table(range(0, 3000, 7))
    assert len(table.read()) == 429
    assert table.requests <= 86 + 2


def test_scattered_ids_cost_no_more_than_half_as_many_requests_again():
    table = Table({(each * each * 31 + each * 17) % 100_003 for each in range(2000)})
    table.read()
    assert table.requests <= 400 * 1.5


def test_a_first_id_far_below_the_rest_does_not_mislead():
    table = Table([0, *range(29_683_000, 29_683_500)])
    assert len(table.read()) == 501
    assert table.requests <= 101 + 2


def test_pages_are_asked_for_three_at_once():
    together = threading.Barrier(3, timeout=5)
    table = Table(range(1, 36))
    plain, waves = table.prepare, deque()

    def prepare(after, through):
        request, sending = plain(after, through)

        def meeting():
            together.wait()
            waves.append(after)
            return sending()

        return request, sending if after == -1 else meeting

    table.prepare = prepare
    assert len(table.read()) == 35
    assert len(waves) == 6


def test_what_goes_wrong_with_a_page_reaches_the_reader_after_the_pages_before_it():
    table = Table(range(1, 101))
    plain = table.settle

    def settle(request, answer):
        if answer[0][0]["id"] == 41:
            raise OSError("lost")
        return plain(request, answer)

    table.settle = settle
    seen = []

    def read():
        for page in in_waves(table.prepare, table.settle, after_id=-1):
            seen.extend(row["id"] for row in page)

    with pytest.raises(OSError, match="lost"):
        read()
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) >= 20


def test_a_reader_who_stops_leaves_nothing_running():
    before = threading.active_count()
    pages = in_waves(*(lambda t: (t.prepare, t.settle))(Table(range(1, 1000))), after_id=-1)
    next(pages)
    next(pages)
    pages.close()
    assert threading.active_count() == before
