"""Invariant 4: capacity is never exceeded, by one, at any concurrency; and a control that is."""

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

from distributions.core import statements
from distributions.core.models import Distribution, Participation, Tally
from distributions.core.standing import Standing
from distributions.queues import rules
from fanfare import clock as time
from fanfare import errors
from tests.concurrency.race import race
from tests.lines import admit, enter, leave, make_consumers, require_true_tally
from tests.world import World, assert_error

CROWD = 50
LOOKING = 8


def crowd_enters(world: World, queue: Distribution) -> Counter[str]:
    """Fifty consumers enter at the same instant over HTTP; how often each answer came."""
    crowd = [world.consumer() for _ in range(CROWD)]
    answers = race(CROWD, lambda index: crowd[index].enter(queue)).all()
    for answer in answers:
        if answer.status_code == 429:
            assert_error(answer, 429, "Queue is full", "QUEUE_FULL")
            assert int(answer.headers["Retry-After"]) >= 1
    return Counter(answer.json().get("status") or answer.json()["error"] for answer in answers)


def test_one_place_and_fifty_at_once(world: World) -> None:
    queue = world.queue(capacity=1)
    assert crowd_enters(world, queue) == {"QUEUED": 1, "Queue is full": CROWD - 1}
    assert require_true_tally(queue).taken == 1
    assert Participation.objects.filter(distribution=queue).count() == 1


def test_the_control_without_the_guard_admits_too_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same crowd against look-then-count: were it to pass, the test above could not fail."""
    looked = threading.Barrier(LOOKING)
    guarded = statements.enter

    def looks_first(distribution: Distribution, *about: Any, **values: Any) -> tuple[Standing, bool] | None:
        tally = Tally.objects.get(pk=distribution.pk)
        if tally.places is not None and tally.taken >= tally.places:
            return None
        looked.wait()
        return guarded(distribution, *about, **values)

    unguarded = statements.ENTER.replace("taken < places", "TRUE")
    assert unguarded != statements.ENTER
    monkeypatch.setattr(statements, "ENTER", unguarded)
    monkeypatch.setattr(statements, "enter", looks_first)
    queue, people = world.queue(capacity=1), make_consumers(world, LOOKING)
    race(LOOKING, lambda index: enter(queue, people[index])).all()
    assert Participation.objects.filter(distribution=queue, status="QUEUED").count() == LOOKING


@pytest.mark.parametrize("frees", ["leave", "admit", "batch"])
def test_places_come_free(world: World, clock: Any, frees: str) -> None:
    queue = world.queue(capacity=3, admission_rate=60)
    people = make_consumers(world, 12)
    for consumer_id in people[:3]:
        enter(queue, consumer_id)
    with pytest.raises(errors.Full):
        enter(queue, people[3])

    if frees == "batch":
        assert rules.admit_batch(queue.pk, now=time.now()) == 1
    else:
        {"leave": leave, "admit": admit}[frees](queue, people[0])
    outcome = race(8, lambda index: enter(queue, people[4 + index]))
    assert (len(outcome.results), len(outcome.errors)) == (1, 7)
    assert all(isinstance(error, errors.Full) for error in outcome.errors)
    assert require_true_tally(queue).taken == 3


def test_coming_and_going_at_once_never_exceeds(world: World) -> None:
    """Eight people share two places for many rounds; the count is looked at all the while."""
    queue, people = world.queue(capacity=2), make_consumers(world, 8)
    most: list[int] = []

    def come_and_go(index: int) -> int:
        got_in = 0
        for _ in range(15):
            most.append(Participation.objects.filter(distribution=queue, status="QUEUED").count())
            try:
                enter(queue, people[index])
            except errors.Full:
                continue
            got_in += 1
            leave(queue, people[index])
        return got_in

    assert sum(race(8, come_and_go).all()) > 0
    assert max(most) <= 2
    assert require_true_tally(queue).taken == 0


def test_staff_lower_the_capacity_below_what_is_taken(world: World) -> None:
    queue, people = world.queue(capacity=5), make_consumers(world, 5)
    for consumer_id in people[:4]:
        enter(queue, consumer_id)
    with transaction.atomic():
        Tally.objects.filter(pk=queue.pk).update(places=F("places") - 3)
    with pytest.raises(errors.Full):
        enter(queue, people[4])
    assert enter(queue, people[0]).place == 1  # who is in stays in
