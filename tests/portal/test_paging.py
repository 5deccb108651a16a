import pytest
from django.test import RequestFactory

from portal.models import Customer
from portal.paging import page_of
from tests.cast import make_customer


@pytest.fixture
def customers(cast):
    """Names with doubles, so that only the id tells some rows apart."""
    return [make_customer(cast.csp, name, external_id=str(n)) for n, name in enumerate("edcbaabcde")]


def turn(address: str, order=("name", "pk")):
    return page_of(RequestFactory().get(f"/{address}"), Customer.objects.all(), order=order, size=3)


def test_walking_forward_shows_every_row_once_and_in_order(customers):
    seen, page = [], turn("")
    while True:
        seen += page.rows
        if page.next is None:
            break
        page = turn(f"?after={page.next}")
    assert seen == sorted(customers, key=lambda row: (row.name, row.pk))
    assert page.previous is not None


def test_walking_back_shows_the_same_pages(customers):
    first = turn("")
    second = turn(f"?after={first.next}")
    back = turn(f"?before={second.previous}")
    assert back.rows == first.rows
    assert back.previous is None
    assert turn(f"?after={back.next}").rows == second.rows


def test_newest_first_is_a_matter_of_the_order(customers):
    page = turn("", order=("-pk",))
    assert [row.pk for row in page.rows] == [row.pk for row in reversed(customers)][:3]
    assert [row.pk for row in turn(f"?after={page.next}", order=("-pk",)).rows] == [
        row.pk for row in reversed(customers)
    ][3:6]


@pytest.mark.parametrize("address", ["?after=x", "?after=-1", "?after=99999999", "?after=" + "9" * 40, "?before=½"])
def test_what_is_no_place_gives_the_first_page(customers, address):
    assert turn(address).rows == turn("").rows


def test_one_page_has_no_neighbours(cast):
    make_customer(cast.csp)
    page = turn("")
    assert (page.previous, page.next) == (None, None)
