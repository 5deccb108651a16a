"""The rate of a partner's tenant, which all processes share."""

from datetime import UTC, datetime, timedelta

import pytest

from connections.provider.partner_center.pacing import SharedPace
from portal.far_side import Unavailable

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)


class Clock:
    now = NOON

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


def pace(clock, *, bulk=False):
    return SharedPace("tenant", bulk, per_minute=60.0, clock=clock, sleep=clock.sleep)


def test_what_nobody_waits_for_leaves_a_fifth_to_people_and_goes_on_as_the_bucket_fills(clock):
    bulk, person = pace(clock, bulk=True), pace(clock)
    for _ in range(48):
        bulk.take()
    assert clock.now == NOON
    bulk.take()
    assert clock.now == NOON + timedelta(seconds=1)
    for _ in range(12):
        person.take()
    assert clock.now == NOON + timedelta(seconds=1)


def test_a_long_pause_is_said_and_not_slept_through(clock):
    bulk = pace(clock, bulk=True)
    for _ in range(48):
        bulk.take()
    for _ in range(40):
        pace(clock).take()
    with pytest.raises(Unavailable, match="as often as it allows") as error:
        bulk.take()
    assert error.value.retry_after > 15
    assert clock.now == NOON


def test_a_throttle_of_the_service_stops_everybody_for_its_time(clock):
    pace(clock).take()
    pace(clock, bulk=True).block(10)
    pace(clock).take()
    assert clock.now == NOON + timedelta(seconds=10)
