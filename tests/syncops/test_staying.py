"""What stays billed when a connection retires: money by what was read back, and what is never sent."""

from datetime import date
from decimal import Decimal

import pytest

from connections.models import Connection, MirroredContract
from syncops.models import SyncOperation
from syncops.staying import Staying, staying
from tests.syncops.desk import operation_of

DAY = date(2026, 5, 10)


def test_what_was_read_back_stays_billed_per_period(mapped):
    assert staying(mapped.connection, today=DAY) == Staying(1, {"monthly": Decimal("50.00")}, 0, 0)
    MirroredContract.objects.update(period="yearly")
    assert staying(mapped.connection, today=DAY).amounts == {"yearly": Decimal("50.00")}


def test_the_last_proof_counts_and_what_waits_is_told(mapped):
    mapped.change_quantity(12)
    mapped.drain()
    mapped.change_quantity(15)
    assert staying(mapped.connection, today=DAY) == Staying(1, {"monthly": Decimal("60.00")}, 0, 1)


def test_a_line_that_was_never_read_back_is_not_counted_as_nothing(desk):
    desk.map()
    assert staying(desk.connection, today=DAY) == Staying(1, {}, 1, 1)


def test_a_line_at_zero_bills_nothing(mapped):
    mapped.change_quantity(0)
    mapped.drain()
    assert operation_of(mapped, "change_quantity").state == SyncOperation.State.SUCCEEDED
    assert staying(mapped.connection, today=DAY) == Staying(1, {}, 0, 0)


@pytest.fixture
def page(as_user, cast, mapped):
    return as_user(cast.admin).get(f"/connections/{mapped.connection.pk}/retire/").content.decode()


def test_the_page_says_it_in_money_before_it_happens(page):
    assert "What stays billed in Autotask" in page
    assert "50.00\xa0EUR" in page


def test_nothing_is_said_where_nothing_stays(as_user, cast, desk):
    page = as_user(cast.admin).get(f"/connections/{desk.connection.pk}/retire/").content.decode()
    assert "What stays billed" not in page


def test_another_connection_of_the_organization_counts_for_itself(mapped, cast):
    other = Connection.objects.create(organization=cast.csp, kind="autotask", name="B", currency="USD", state="active")
    assert staying(other, today=DAY) == Staying(0, {}, 0, 0)


def test_more_mappings_ask_no_more_questions(mapped, django_assert_num_queries):
    with django_assert_num_queries(4):
        staying(mapped.connection, today=DAY)
