"""Invariant 17: a slot never holds more bookings than places, a consumer never more than allowed; controls.

Bookers are real threads with connections of their own. Whatever they do, the trace is played again in its
order afterwards: at no time was a slot held by more than it has places for.
"""

import random
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError

from consumers import identities
from distributions.appointments import bookings, rules
from distributions.appointments.models import Booking
from distributions.core import lifecycle
from distributions.core.models import Distribution, Participation
from fanfare import clock as time
from fanfare import errors
from tests.bookings import (
    asked,
    book,
    cancel,
    held,
    most_held_ever,
    require_true_bookings,
    slot,
)
from tests.concurrency.race import race
from tests.concurrency.test_invariant_4_releases import in_threads
from tests.lines import make_consumers
from tests.world import World, assert_error, loaded, path_of

SLOTS, BOOKERS, THREADS = 50, 500, 16
TABS = 8
REFUSED = (errors.SlotFull, errors.BookingLimit, errors.NotFound, errors.IllegalMove, errors.Invalid)


def try_to(deed: Any) -> str:
    """Do it; what is refused comes back by its name, and all else is an error."""
    try:
        deed()
    except REFUSED as refusal:
        return type(refusal).__name__
    return "done"


# --- Fifty slots and five hundred bookers ---------------------------------------------------------
def test_fifty_slots_and_five_hundred_bookers(world: World, clock: Any) -> None:
    """Over HTTP, ten for each slot: fifty have one, and all others are told that it is full."""
    appointment = world.appointment()
    crowd = [world.consumer() for _ in range(BOOKERS)]
    starts = [slot(number).isoformat() for number in range(SLOTS)]

    def run(index: int, _: str) -> str:
        body = {"slotTime": starts[index % SLOTS]}
        answer = crowd[index].post(f"{path_of(appointment)}/book", body)
        if answer.status_code == 409:
            return str(assert_error(answer, 409, "Slot is full")["code"])
        assert answer.status_code == 200, answer.content
        return str(answer.json()["status"])

    found = in_threads(THREADS, [one.id for one in crowd], run)
    assert found == {"ADMITTED": SLOTS, "SLOT_FULL": BOOKERS - SLOTS}
    assert held(appointment) == dict.fromkeys(map(slot, range(SLOTS)), 1)
    assert most_held_ever(appointment) == 1
    assert require_true_bookings(appointment, limit=1).entered == SLOTS


@pytest.mark.parametrize("places", [1, 3, 7])
def test_one_slot_and_fifty_at_once(world: World, places: int) -> None:
    appointment, people = world.appointment(places_per_slot=places), make_consumers(world, 50)
    start = slot()
    answers = race(50, lambda index: try_to(lambda: book(appointment, people[index], start))).all()
    assert Counter(answers) == {"done": places, "SlotFull": 50 - places}
    assert held(appointment)[start] == most_held_ever(appointment) == places
    require_true_bookings(appointment, limit=1)


def test_whoever_was_refused_gets_what_is_given_up(world: World) -> None:
    """One cancels at the same time as all others book: one or none of them has it, and then one may."""
    appointment, people = world.appointment(), make_consumers(world, 12)
    for _ in range(10):
        start = slot()
        holder = Booking.objects.filter(participation__status="ADMITTED").first()
        first = people[0] if holder is None else holder.participation.consumer_id
        if holder is None:
            book(appointment, first, start)

        def act(index: int, first: str = first, start: Any = start) -> str:
            if people[index] == first:
                return try_to(lambda: cancel(appointment, first))
            return try_to(lambda: book(appointment, people[index], start))

        found = Counter(race(12, act).all())
        assert found["done"] + found["SlotFull"] == 12
        assert held(appointment)[start] <= 1
        if not held(appointment):
            book(appointment, people[1], start)
    assert most_held_ever(appointment) == 1
    require_true_bookings(appointment, limit=1)


# --- One consumer ---------------------------------------------------------------------------------
@pytest.mark.parametrize("limit", [1, 3])
def test_twenty_requests_of_one_consumer(world: World, limit: int) -> None:
    """Twenty slots at once: as many as allowed are theirs."""
    appointment, who = world.appointment(max_bookings_per_consumer=limit), world.consumer()
    bodies = [{"slotTime": slot(number).isoformat()} for number in range(20)]
    answers = race(20, lambda index: who.post(f"{path_of(appointment)}/book", bodies[index])).all()
    found = Counter(answer.json().get("status") or answer.json()["code"] for answer in answers)
    assert found == {"ADMITTED": limit, "BOOKING_LIMIT_REACHED": 20 - limit}
    assert require_true_bookings(appointment, limit=limit).entered == limit


def test_twenty_requests_of_one_consumer_for_one_slot(world: World) -> None:
    """All are answered by the one booking, though there are places for all of them."""
    appointment = world.appointment(places_per_slot=20, max_bookings_per_consumer=20)
    who, body = world.consumer(), {"slotTime": slot().isoformat()}
    answers = race(20, lambda _: who.post(f"{path_of(appointment)}/book", body)).all()
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["bookingId"] for answer in answers}) == 1
    assert require_true_bookings(appointment, limit=1).entered == 1


def test_tabs_that_rebook_at_once(world: World) -> None:
    """One booking to twenty other slots: it is in one of them, and the limit is never passed."""
    appointment, (who,) = world.appointment(), make_consumers(world, 1)
    book(appointment, who, slot(30))

    def act(index: int) -> str:
        return try_to(lambda: rules.rebook(appointment, asked(who, slot(index)), ""))

    assert set(race(20, act).all()) == {"done"}  # one after the other, each from where it was
    tally = require_true_bookings(appointment, limit=1)
    assert (tally.taken, tally.entered, tally.returned) == (1, 21, 20)


# --- Everything at random -------------------------------------------------------------------------
def any_deed(appointment: Distribution, who: str, chance: random.Random, starts: list[Any]) -> str:
    """Book, rebook, cancel, be checked in or denied: whichever it is."""
    start, now = chance.choice(starts), time.now()
    mine = Booking.objects.filter(distribution=appointment, participation__consumer_id=who)
    one = chance.choice([*mine, None]) if chance.random() < 0.5 else None
    trail: Any = {"now": now, "actor": "key:test", "which": one and one.participation_id}
    deeds = {
        "book": lambda: book(appointment, who, start),
        "rebook": lambda: rules.rebook(appointment, asked(who, start), one.pk if one else ""),
        "cancel": lambda: cancel(appointment, who, one.pk if one else ""),
        "complete": lambda: one and lifecycle.complete(appointment, who, **trail),
        "deny": lambda: one and lifecycle.deny(appointment, who, reason="ADMIN_ACTION", **trail),
    }
    (deed,) = chance.choices([*deeds], weights=[10, 8, 6, 1, 0.3])
    return f"{deed} {try_to(deeds[deed])}"


@pytest.mark.parametrize("places", [1, 2])
@pytest.mark.parametrize("limit", [1, 2])
def test_everything_at_random(world: World, places: int, limit: int) -> None:
    appointment = world.appointment(places_per_slot=places, max_bookings_per_consumer=limit)
    people, starts = make_consumers(world, 24), [slot(number) for number in range(16)]

    def act(index: int) -> Counter[str]:
        chance = random.Random(index)
        return Counter(any_deed(appointment, chance.choice(people), chance, starts) for _ in range(40))

    found = sum(race(12, act).all(), Counter[str]())
    for deed in ("book done", "book SlotFull", "rebook done", "cancel done"):
        assert found[deed], found
    assert most_held_ever(appointment) == places
    require_true_bookings(appointment, limit=limit)


def test_swaps_by_many_at_once(world: World) -> None:
    """All slots but one are full, and everybody wants another one: no deadlock, nobody ends with none."""
    appointment, people = world.appointment(), make_consumers(world, 12)
    for number, who in enumerate(people):
        book(appointment, who, slot(number))
    done: Counter[str] = Counter()

    def act(index: int) -> None:
        chance = random.Random(index)
        for _ in range(30):
            start = slot(chance.randrange(13))
            done[try_to(lambda s=start: rules.rebook(appointment, asked(people[index], s), ""))] += 1

    race(12, act).all()
    assert done["done"] > 20, done
    assert done["SlotFull"], done
    assert most_held_ever(appointment) == 1
    assert set(held(appointment).values()) == {1}
    assert require_true_bookings(appointment, limit=1).taken == 12


# --- Controls: the same without the tally's lock --------------------------------------------------
def unlocked(monkeypatch: pytest.MonkeyPatch, looked: threading.Barrier, *, of_person: bool = True) -> None:
    """Nobody holds the tally while they look, and all have looked before any books."""

    def without(distribution: Distribution, consumer_id: str) -> Distribution:
        if of_person:
            identities.lock_living(consumer_id)
        return loaded(distribution)

    write = bookings._write

    def after_all(*about: Any) -> Any:
        looked.wait(30)
        return write(*about)

    monkeypatch.setattr(bookings, "_locked", without)
    monkeypatch.setattr(bookings, "_write", after_all)


def test_the_control_without_the_lock_gives_too_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unlocked(monkeypatch, threading.Barrier(TABS))
    appointment, people = world.appointment(), make_consumers(world, TABS)
    race(TABS, lambda index: book(appointment, people[index], slot())).all()
    assert held(appointment)[slot()] == most_held_ever(appointment) == TABS


def test_the_control_without_any_lock_gives_one_consumer_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index stands behind the locks: all want the same number, and one has it."""
    unlocked(monkeypatch, threading.Barrier(TABS), of_person=False)
    appointment, (who,) = world.appointment(), make_consumers(world, 1)
    outcome = race(TABS, lambda index: book(appointment, who, slot(index)))
    assert len(outcome.results) == 1
    assert all(isinstance(error, IntegrityError) for error in outcome.errors)
    assert Participation.objects.filter(distribution=appointment).count() == 1
    require_true_bookings(appointment, limit=1)


def test_the_control_by_which_a_limit_is_passed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the units numbered apart, nothing but the lock would keep a consumer to the limit."""
    unlocked(monkeypatch, threading.Barrier(TABS), of_person=False)
    numbers = iter(range(1, TABS + 1))
    monkeypatch.setattr(bookings, "next_unit", lambda *_: next(numbers))
    appointment, (who,) = world.appointment(), make_consumers(world, 1)
    race(TABS, lambda index: book(appointment, who, slot(index))).all()
    with pytest.raises(AssertionError):
        require_true_bookings(appointment, limit=1)
