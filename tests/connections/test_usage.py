"""What is used of an hour, by whom, and what may go on."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connections.usage import Usage, kept_minutes, minute_of

NOW = datetime(2026, 5, 15, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def usage(*asked, now=NOW, **fields):
    """`asked`: (minutes ago, requests)."""
    minutes = {minute_of(now - ago * MINUTE): count for ago, count in asked}
    return Usage(now=now, minutes=minutes, **fields)


def told(others, ago=1):
    return {"told": others, "counted_at": NOW - ago * MINUTE, "asked_at": NOW - ago * MINUTE}


def test_a_request_counts_until_its_minute_has_surely_left_the_hour():
    assert usage((0, 5), (60, 7), (61, 11)).ours == 12


def test_minutes_that_left_the_hour_are_forgotten():
    this = minute_of(NOW)
    assert kept_minutes(usage((0, 2), (60, 3), (61, 4)), 2, at=NOW) == {this: 4, this - 60: 3}


def test_everybody_is_we_and_the_others_as_last_told():
    seen = usage((3, 1_000), **told(6_100))
    assert (seen.ours, seen.others, seen.used, seen.left) == (1_000, 6_100, 7_100, 2_900)


def test_what_was_told_an_hour_ago_is_not_known_any_more():
    assert usage(**told(6_100, ago=61)).others is None
    assert usage(**told(6_100, ago=61)).left == 10_000


def test_people_may_use_the_whole_share_and_bulk_work_four_fifths_of_it():
    assert usage((3, 4_999)).pause(bulk=False) is None
    assert usage((3, 5_000)).pause(bulk=False)
    assert usage((3, 3_999)).pause(bulk=True) is None
    assert usage((3, 4_000)).pause(bulk=True)
    assert usage((3, 2_000), share=20).pause(bulk=False)


def test_a_used_up_share_tells_how_much_and_from_when_on_again():
    pause = usage((50, 1), (20, 4_500), (3, 600), zone=ZoneInfo("Europe/Brussels")).pause(bulk=False)
    assert pause.message == "The hourly share of requests is used up, 5,101 of 5,000. Nothing was sent."
    assert "It can go on from 14:41." in pause.advice  # 11:40 is gone for sure at 12:41, 14:41 in Brussels
    assert pause.until == datetime(2026, 5, 15, 12, 41, tzinfo=UTC)


def test_when_it_goes_on_one_request_is_possible_indeed():
    before = usage((50, 1), (20, 4_500), (3, 600))
    later = Usage(now=before.pause(bulk=False).until, minutes=before.minutes)
    assert later.pause(bulk=False) is None
    assert Usage(now=later.now - timedelta(seconds=1), minutes=before.minutes).pause(bulk=False)


def test_from_three_quarters_of_everybodys_on_bulk_work_pauses_and_people_go_on():
    seen = usage((3, 1_712), **told(6_100))
    assert seen.pause(bulk=True).message == (
        "Bulk work pauses: 7,812 of 10,000 requests of this Autotask are used, 6,100 of them by others."
    )
    assert seen.pause(bulk=True).until == NOW + 4 * MINUTE  # then it asks anew
    assert seen.pause(bulk=False) is None
    assert seen.pause(bulk=True, counting=True) is None
    assert usage((3, 1_399), **told(6_100)).pause(bulk=True) is None


def test_after_five_minutes_the_pause_gives_way_to_asking_anew():
    assert usage((3, 1_712), **told(6_100, ago=4)).bulk_pause
    assert usage((3, 1_712), **told(6_100, ago=5)).bulk_pause is None
    assert usage((3, 4_000), **told(6_100, ago=5)).bulk_pause  # not even asking fits the share


def test_a_refusal_stops_everything_until_then():
    seen = usage(blocked_until=NOW + MINUTE)
    assert "before 12:01" in seen.pause(bulk=False).message
    assert seen.pause(bulk=True, counting=True)
    assert usage(blocked_until=NOW).pause(bulk=False) is None


def test_a_tiny_limit_still_lets_one_request_through():
    assert usage(limit=1, share=5).pause(bulk=True) is None
    assert usage((0, 1), limit=1, share=5).pause(bulk=True)
