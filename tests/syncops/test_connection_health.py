"""What a run tells about its connection: that it fails, since when, and that it works again."""

from connections.models import Connection


def test_a_far_side_that_does_not_answer_is_noted_until_it_does(mapped):
    mapped.psa.fail_next("unit_rows", "unavailable")
    mapped.change_quantity(12)
    began = mapped.clock.now
    mapped.drain()
    failing = Connection.objects.get()
    assert failing.failing_since == began
    assert failing.last_failure
    mapped.clock.wait(600)
    mapped.drain()
    assert Connection.objects.get().failing_since is None


def test_a_refusal_is_an_answer(mapped):
    mapped.psa.fail_next("adjust", "reject")
    mapped.change_quantity(12)
    mapped.drain()
    assert Connection.objects.get().failing_since is None
