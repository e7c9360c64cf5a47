"""Invariant 2: a consumer has at most one live participation, however often they enter at once."""

from typing import Any

import pytest

from distributions.core.models import Reason, Status
from distributions.queues import line, rules
from fanfare import clock as time
from fanfare import errors
from tests.concurrency.race import race
from tests.lines import complete, deny, enter, events_of, leave, make_consumers, require_true_tally, stored
from tests.world import World

TABS = 16


@pytest.mark.parametrize("capacity", [None, 1])
def test_sixteen_tabs_enter_at_once(world: World, capacity: int | None) -> None:
    queue, consumer = world.queue(capacity=capacity), world.consumer()

    answers = race(TABS, lambda _: consumer.enter(queue)).all()

    bodies = [answer.json() for answer in answers]
    assert [answer.status_code for answer in answers] == [200] * TABS, bodies
    assert len({body["enteredAt"] for body in bodies}) == 1
    assert {(body["status"], body["position"]) for body in bodies} == {("QUEUED", 1)}
    assert [row.place for row in stored(queue, consumer.id)] == [1]
    assert require_true_tally(queue).entered == 1
    assert [event.name for event in events_of(queue)] == ["queue.consumer.entered"]


def test_many_people_with_many_tabs(world: World) -> None:
    queue, people = world.queue(), make_consumers(world, 8)

    standings = race(32, lambda index: enter(queue, people[index % 8])).all()

    assert len({(one.consumer_id, one.id, one.place) for one in standings}) == 8
    assert require_true_tally(queue).entered == 8
    assert sorted(one.place or 0 for one in standings[:8]) == list(range(1, 9))


def test_one_consumer_by_two_devices_that_are_limited(world: World) -> None:
    """Whichever device is asked first, there is one answer and one row."""
    queue = world.queue(max_entries_per_fingerprint=1)
    first, *others = make_consumers(world, 9)
    enter(queue, first, fingerprint=b"a" * 16)

    for other in others:
        devices = [b"a" * 16, other[-16:].encode()]
        found = race(8, lambda index, who=other, by=devices: enter(queue, who, fingerprint=by[index % 2]))  # type: ignore[misc]
        assert len(stored(queue, other)) == 1
        assert len({(one.id, one.status) for one in found.all()}) == 1
    require_true_tally(queue)


def test_entering_again_goes_to_the_end(world: World, clock: Any) -> None:
    queue = world.queue(admission_rate=60, session_seconds=30)
    first, second, third = make_consumers(world, 3)
    for consumer_id in (first, second, third):
        enter(queue, consumer_id)
    line.rebuild(queue)  # as the worker does with a new line
    assert leave(queue, first).status == Status.LEFT
    again = race(TABS, lambda _: enter(queue, first)).all()
    assert {(one.place, one.position) for one in again} == {(4, 3)}

    assert rules.admit_batch(queue.pk, now=time.now()) == 1
    clock.shift(30)  # the admission's time is over, and nobody has swept
    again = race(TABS, lambda _: enter(queue, second)).all()
    assert {(one.status, one.place) for one in again} == {(Status.QUEUED, 5)}
    old, new = stored(queue, second)
    assert (old.status, old.deny_reason, new.status) == ("DENIED", Reason.ADMISSION_EXPIRED, "QUEUED")
    names = [event.name.removeprefix("queue.consumer.") for event in events_of(queue, second)]
    assert names == ["entered", "admitted", "denied", "entered"]
    require_true_tally(queue)


def test_who_was_denied_or_is_done_stays_so(world: World) -> None:
    queue = world.queue()
    denied, done = make_consumers(world, 2)
    enter(queue, denied)
    deny(queue, denied, "FRAUD_DETECTED")
    rules.admit(queue, done, now=time.now(), actor="key:test")
    complete(queue, done)

    assert {one.status for one in race(8, lambda _: enter(queue, denied)).all()} == {Status.DENIED}
    assert {one.status for one in race(8, lambda _: enter(queue, done)).all()} == {Status.COMPLETED}
    assert len(stored(queue, denied)) == len(stored(queue, done)) == 1


def test_denied_between_two_tabs_stays_denied(world: World) -> None:
    """Entering twice and being denied at once: whatever comes first, no second row for who was denied."""
    queue = world.queue()

    for consumer_id in make_consumers(world, 25):

        def act(index: int, who: str = consumer_id) -> str:
            if index:
                return enter(queue, who).status
            try:
                return deny(queue, who).status
            except errors.NotEntered:
                return "nobody there"

        race(6, act).all()
        rows = stored(queue, consumer_id)
        assert len(rows) == 1, [(row.status, row.place) for row in rows]
    require_true_tally(queue)
