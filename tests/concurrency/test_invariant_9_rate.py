"""Invariants 9 and 10: the rate, the room and the total are kept, whatever the schedulers do."""

import datetime as dt
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from distributions import tasks
from distributions.core.models import Participation, Status
from distributions.queues import rules
from distributions.queues.models import Queue
from fanfare import clock as time
from fanfare import errors
from tests.concurrency.race import race
from tests.lines import (
    admission_times,
    admit,
    complete,
    enter,
    events_of,
    fill,
    fresh,
    leave,
    make_consumers,
    most_in_a_minute,
    require_true_tally,
)
from tests.world import World

SECOND = dt.timedelta(seconds=1)
START = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
RATES = [1, 6, 7, 23, 29, 59, 60, 61, 100, 600, 6000]


def on_time(seconds: int) -> Iterator[dt.datetime]:
    """A tick each second."""
    for number in range(seconds + 1):
        yield START + number * SECOND


def in_disorder(seconds: int, chance: random.Random) -> Iterator[dt.datetime]:
    """Ticks that are missed, late, doubled, out of order, and an outage of ten seconds."""
    for instant in on_time(seconds):
        if chance.random() < 0.15 or 40 * SECOND < instant - START < 50 * SECOND:
            continue
        for _ in range(chance.choice([1, 1, 2, 3])):
            yield instant + dt.timedelta(seconds=chance.uniform(-2.5, 1.5))


def length_for(rate: int) -> int:
    """Seconds to simulate: long for low rates, short for crowds."""
    return 300 if rate < 10 else 150 if rate < 1000 else 75


@pytest.mark.parametrize("rate", RATES)
def test_the_rate_is_kept_and_reached(world: World, rate: int) -> None:
    queue, seconds = world.queue(admission_rate=rate), length_for(rate)
    fill(queue, world, rate * seconds // 60 + 10)

    for now in on_time(seconds):
        rules.admit_batch(queue.pk, now=now)

    times = admission_times(queue)
    assert most_in_a_minute(times) <= rate
    assert len(times) >= 0.97 * rate * seconds / 60
    require_true_tally(queue)


@pytest.mark.parametrize("rate", [1, 7, 29, 60, 100, 6000])
def test_the_rate_is_kept_in_disorder(world: World, rate: int) -> None:
    queue, seconds = world.queue(admission_rate=rate), min(150, length_for(rate))
    fill(queue, world, rate * seconds // 60 + 10)
    chance = random.Random(rate)

    for now in in_disorder(seconds, chance):
        rules.admit_batch(queue.pk, now=now)

    times = admission_times(queue)
    assert times
    assert most_in_a_minute(times) <= rate
    places = Participation.objects.filter(distribution=queue).order_by("place")
    statuses = list(places.values_list("status", flat=True))
    assert statuses == sorted(statuses)  # ADMITTED before QUEUED: nobody was overtaken


def test_every_rate_begins_with_somebody(world: World) -> None:
    queue = fresh(world.queue()).queue
    first = {rate: rules._allowance(queue, rate, START)[1] for rate in range(1, 1000)}
    assert first == {rate: max(1, rate // 60) for rate in range(1, 1000)}


@pytest.mark.parametrize("rate", [30, 600])
def test_an_idle_minute_is_not_saved_up(world: World, rate: int) -> None:
    queue = world.queue(admission_rate=rate)
    for now in on_time(120):
        assert rules.admit_batch(queue.pk, now=now) == 0
    fill(queue, world, 500)
    assert rules.admit_batch(queue.pk, now=START + 121 * SECOND) <= max(1, 2 * rate // 60)


def test_a_new_rate_holds_at_once(world: World) -> None:
    queue = world.queue(admission_rate=600)
    fill(queue, world, 3000)
    for number, now in enumerate(on_time(200)):
        if number == 70:
            Queue.objects.filter(pk=queue.pk).update(admission_rate=60)
        if number == 140:
            Queue.objects.filter(pk=queue.pk).update(admission_rate=1200)
        rules.admit_batch(queue.pk, now=now)

    times = admission_times(queue)
    slow = [at for at in times if START + 70 * SECOND <= at < START + 140 * SECOND]
    for at in slow:
        assert len([one for one in times if at - 60 * SECOND < one <= at]) <= 60
    assert most_in_a_minute(times) <= 1200
    assert len([at for at in times if at >= START + 140 * SECOND]) >= 0.9 * 1200


def test_schedulers_at_once(world: World) -> None:
    """Four at each tick, one of them late: as if there were one."""
    queue, rate = world.queue(admission_rate=300), 300
    fill(queue, world, 700)
    for now in on_time(66):
        race(4, lambda index, at=now: rules.admit_batch(queue.pk, now=at - (index == 3) * SECOND)).all()  # type: ignore[misc]

    times = admission_times(queue)
    assert most_in_a_minute(times) <= rate
    assert len(times) >= 0.97 * rate * 66 / 60
    moves = [event.consumer_id for event in events_of(queue) if event.name.endswith("admitted")]
    assert len(moves) == len(set(moves)) == len(times)  # nobody was admitted twice
    require_true_tally(queue)


@pytest.mark.parametrize("locked", [True, False])
def test_two_schedulers_in_lockstep(world: World, monkeypatch: pytest.MonkeyPatch, locked: bool) -> None:
    """The second reads its allowance before the first has written; without the lock both are paid out."""
    queue = world.queue(admission_rate=600)
    fill(queue, world, 100)
    read = threading.Barrier(2)
    allowance = rules._allowance

    def both_have_read(*about: Any) -> tuple[dt.datetime, int]:
        found = allowance(*about)
        try:
            order = read.wait(1)
        except threading.BrokenBarrierError:
            return found
        if order == 1:  # the other one goes first
            first_done.wait(10)
        return found

    first_done = threading.Event()
    monkeypatch.setattr(rules, "_allowance", both_have_read)
    if not locked:

        def unlocked(distribution_id: str, **_: Any) -> Queue:
            return Queue.objects.select_related("distribution__tally", "distribution__queue").get(
                pk=distribution_id
            )

        monkeypatch.setattr(rules, "_locked", unlocked)

    def batch(_: int) -> int:
        try:
            return rules.admit_batch(queue.pk, now=START)
        finally:
            first_done.set()

    admitted = sum(race(2, batch).all())
    assert admitted == (10 if locked else 20)


@pytest.mark.parametrize("max_active", [1, 5])
def test_max_active_is_kept(world: World, clock: Any, max_active: int) -> None:
    """At every tick, with schedulers racing and people completing, leaving and expiring."""
    queue = world.queue(admission_rate=6000, max_active=max_active, session_seconds=5)
    people = fill(queue, world, 60)
    for _ in range(12):
        race(3, lambda _: rules.admit_batch(queue.pk, now=time.now())).all()
        inside = Participation.objects.filter(distribution=queue, status=Status.ADMITTED)
        ids = list(inside.order_by("place").values_list("consumer_id", flat=True))
        assert len(ids) <= max_active
        assert fresh(queue).tally.inside == len(ids)
        for number, consumer_id in enumerate(ids[:3]):
            (complete if number % 2 else leave)(queue, consumer_id)
        clock.shift(1)
    assert require_true_tally(queue).admitted >= 12
    assert people


def test_max_active_is_kept_while_somebody_is_admitted_by_hand(world: World) -> None:
    """By hand goes over the room, as staff decide; the batch never adds to that."""
    queue = world.queue(admission_rate=6000, max_active=5)
    people = fill(queue, world, 40)

    def act(index: int) -> int:
        if index % 2:
            return rules.admit_batch(queue.pk, now=START)
        admit(queue, people[-1 - index])
        return 0

    by_rate = sum(race(8, act).all())
    assert by_rate <= 5
    assert require_true_tally(queue).inside <= 5 + 4


def test_the_total_is_kept_by_all_ways_in(world: World) -> None:
    """By hand, in numbers and by rate at once: the total and not one more."""
    queue = world.queue(admission_rate=6000, max_admissions=7, recycle_expired=False)
    people = fill(queue, world, 60)
    actions = [
        lambda index: admit(queue, people[-1 - index]),
        lambda index: rules.admit_some(queue.pk, 3, now=START, actor="staff:1"),
        lambda index: rules.admit_batch(queue.pk, now=START),
    ]
    outcome = race(12, lambda index: actions[index % 3](index))  # type: ignore[no-untyped-call]
    assert all(isinstance(error, errors.Closed) for error in outcome.errors), outcome.errors
    assert require_true_tally(queue).admitted == 7


def test_by_hand_alone_one_by_one(world: World) -> None:
    queue = world.queue(max_admissions=3)
    people = make_consumers(world, 8)
    outcome = race(8, lambda index: admit(queue, people[index]))
    assert (len(outcome.results), len(outcome.errors)) == (3, 5)
    assert require_true_tally(queue).admitted == 3
    # One who is inside is told so again, although the total is used up.
    inside = outcome.results[0]
    assert admit(queue, inside.consumer_id).id == inside.id


@pytest.mark.parametrize("recycles", [True, False])
def test_unused_admissions_go_back_or_not(world: World, clock: Any, recycles: bool) -> None:
    queue = world.queue(admission_rate=60, max_admissions=2, session_seconds=10, recycle_expired=recycles)
    fill(queue, world, 6)
    for _ in range(5):
        rules.admit_batch(queue.pk, now=time.now())
        clock.shift(1)
    assert fresh(queue).tally.admitted == 2
    clock.shift(10)
    tasks.expire_admissions()
    for _ in range(5):
        rules.admit_batch(queue.pk, now=time.now())
        clock.shift(1)
    assert require_true_tally(queue).admitted == (4 if recycles else 2)


def test_nobody_waits_for_nobody(world: World) -> None:
    """Entering and admitting at once: everyone is admitted once, in order."""
    queue = world.queue(admission_rate=6000)
    people = make_consumers(world, 40)

    def act(index: int) -> int:
        if index == 0:
            return sum(rules.admit_batch(queue.pk, now=START + number * SECOND) for number in range(20))
        for consumer_id in people[index - 1 :: 4]:
            enter(queue, consumer_id, now=START)
        return 0

    admitted = sum(race(5, act).all())
    admitted += sum(rules.admit_batch(queue.pk, now=START + number * SECOND) for number in range(20, 40))
    assert admitted == 40
    trace = [event for event in events_of(queue) if event.name.endswith("admitted")]
    assert len({event.consumer_id for event in trace}) == len(trace) == 40
    by_place = Participation.objects.filter(distribution=queue).order_by("place")
    times = list(by_place.values_list("admitted_at", flat=True))
    assert times == sorted(at for at in times if at)
