"""Invariant 17 while staff change hours, length and places and block times: each booking was allowed."""

import datetime as dt
import random
from collections import Counter
from typing import Any

from distributions.appointments import blocks, setup
from distributions.appointments.models import Block, Booking
from distributions.appointments.validation import WEEKDAYS
from distributions.core.models import Distribution
from fanfare import clock as time
from tests.bookings import GIVEN_UP, book, history, require_true_bookings, slot
from tests.concurrency.race import race
from tests.concurrency.test_invariant_17_bookings import any_deed, try_to
from tests.lines import make_consumers
from tests.world import World, loaded


class Calendar:
    """An appointment as it was when something of it was written down, by the trace alone."""

    def __init__(self, appointment: Distribution) -> None:
        self.minutes, self.places, self.opens = 30, 1, "00:00"
        self.blocked: Counter[tuple[str, str]] = Counter()
        self.taken: set[Booking] = set()
        for event, booking in history(appointment):
            if event.name == "settings.changed":
                self._change(event.data)
            elif event.name == "appointment.booked" and booking:
                self._require_allowed(booking)
                self.taken.add(booking)
            elif event.name in GIVEN_UP and booking:
                self.taken.remove(booking)

    def _change(self, data: dict[str, Any]) -> None:
        for verb, by in (("blocked", 1), ("unblocked", -1)):
            if verb in data:
                self.blocked[data[verb]["from"], data[verb]["to"]] += by
        after = data.get("after", {})
        self.minutes = after.get("slotMinutes", self.minutes)
        self.places = after.get("placesPerSlot", self.places)
        if "openingHours" in after:
            self.opens = after["openingHours"]["mon"][0][0]

    def _require_allowed(self, booking: Booking) -> None:
        start, end = booking.starts_at, booking.ends_at
        assert end - start == dt.timedelta(minutes=self.minutes)
        assert f"{start:%H:%M}" >= self.opens
        assert 1 + sum(one.starts_at < end and start < one.ends_at for one in self.taken) <= self.places
        for first, last in +self.blocked:
            assert not (dt.datetime.fromisoformat(first) < end and start < dt.datetime.fromisoformat(last))


def test_the_calendar_changes_while_people_book(world: World) -> None:
    """Hours, length and places change, times are blocked and given back: each booking was one that the
    calendar allowed when it was made, whatever lay there by then.

    Slots of half an hour and of a whole one overlap; a booking counts in each that it reaches into.
    """
    appointment = world.appointment(max_bookings_per_consumer=2)
    people, starts = make_consumers(world, 24), [slot(number) for number in range(8)]
    hours = {day: [["00:00", "24:00"]] for day in WEEKDAYS}
    later = {day: [["00:30", "24:00"]] for day in WEEKDAYS}

    def staff(turn: int) -> None:
        trail: Any = {"now": time.now(), "actor": "staff:1"}
        values: dict[str, Any] = {
            "slot_minutes": 30 * (1 + turn % 2),
            "places_per_slot": 1 + turn % 3,
            "opening_hours": later if turn % 4 == 2 else hours,
        }
        setup.SETTINGS.update(loaded(appointment), values, **trail)
        if turn % 3 == 0:
            blocks.block(appointment, starts[turn % 7], starts[turn % 7 + 1], note="", **trail)
        if turn % 3 == 1:
            for found in Block.objects.filter(distribution=appointment):
                blocks.unblock(found, **trail)

    def act(index: int) -> Counter[str]:
        chance = random.Random(index)
        if index < 2:
            for turn in range(12):
                staff(turn + index)
            return Counter()
        return Counter(any_deed(appointment, chance.choice(people), chance, starts) for _ in range(30))

    found = sum(race(12, act).all(), Counter[str]())
    assert found["book done"], found
    assert found["book NotFound"] + found["rebook NotFound"], found
    Calendar(appointment)
    require_true_bookings(appointment, limit=2)


def test_a_blocked_time_is_taken_by_nobody_from_the_commit_on(world: World) -> None:
    """Whoever booked came before the block, in the trace too."""
    for number in range(8):
        appointment, people = world.appointment(places_per_slot=20), make_consumers(world, 12)
        start = slot(number)

        def act(index: int, appointment: Any = appointment, people: Any = people, start: Any = start) -> str:
            if index == 6:
                trail: Any = {"now": time.now(), "actor": "staff:1", "note": ""}
                blocks.block(appointment, start, slot(40), **trail)
                return "blocked"
            return try_to(lambda: book(appointment, people[index], start))

        found = Counter(race(12, act).all())
        assert found["done"] + found["NotFound"] == 11
        names = [event.name for event, _ in history(appointment)]
        assert names.index("settings.changed") == found["done"] == len(names) - 1


def test_fewer_places_hold_for_all_that_comes_after(world: World) -> None:
    appointment, people = world.appointment(places_per_slot=10), make_consumers(world, 12)
    start = slot()

    def act(index: int) -> str:
        if index == 3:
            trail: Any = {"now": time.now(), "actor": "staff:1"}
            setup.SETTINGS.update(loaded(appointment), {"places_per_slot": 2}, **trail)
            return "changed"
        return try_to(lambda: book(appointment, people[index], start))

    found = Counter(race(12, act).all())
    before = [event.name for event, _ in history(appointment)].index("settings.changed")
    assert found["done"] == max(2, before) <= 10
    require_true_bookings(appointment)
