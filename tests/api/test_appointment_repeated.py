"""Whatever is said twice of a booking is answered as the first time, and changes nothing (invariant 3)."""

from collections.abc import Callable
from typing import Any

import pytest

from distributions.appointments.models import Booking
from distributions.core.models import Distribution, Participation, Tally
from experiences.models import Event
from tests.bookings import book, booked, bookings_of, move, require_true_bookings, slot
from tests.world import ConsumerClient, World, assert_error, path_of


def snapshot(appointment: Distribution) -> list[Any]:
    """All that is stored of an appointment."""
    found: list[Any] = []
    for model, key in (
        (Tally, "pk"),
        (Participation, "distribution"),
        (Booking, "distribution"),
        (Event, "distribution_id"),
    ):
        found += model._default_manager.filter(**{key: appointment.pk}).order_by("pk").values()
    return [
        {name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()}
        for row in found
    ]


Call = Callable[[], Any]
Deeds = dict[str, Callable[[World, Distribution, ConsumerClient], Call]]
DEEDS: Deeds = {
    "book": lambda world, a, who: lambda: who.post(f"{path_of(a)}/book", {"slotTime": slot(5).isoformat()}),
    "rebook": lambda world, a, who: (
        lambda: who.post(f"{path_of(a)}/rebook", {"slotTime": slot(6).isoformat()})
    ),
    "rebook one": lambda world, a, who: _of_first(
        a, who, lambda one: who.post(f"{path_of(a)}/rebook", {"slotTime": slot(7).isoformat(), **one})
    ),
    "cancel": lambda world, a, who: lambda: who.delete(f"{path_of(a)}/cancel?reason=ill"),
    "cancel one": lambda world, a, who: _of_first(
        a, who, lambda one: who.delete(f"{path_of(a)}/cancel?bookingId={one['bookingId']}")
    ),
    "complete": lambda world, a, who: lambda: move(world, a, "complete", who),
    "complete for an order": lambda world, a, who: lambda: move(world, a, "complete", who, orderId="A-1"),
    "complete one": lambda world, a, who: _of_first(
        a, who, lambda one: move(world, a, "complete", who, **one)
    ),
    "deny": lambda world, a, who: lambda: move(world, a, "deny", who),
    "deny one": lambda world, a, who: _of_first(a, who, lambda one: move(world, a, "deny", who, **one)),
}
BEFORE: dict[str, list[str]] = {
    "nothing": [],
    "a booking": ["book"],
    "one given up": ["book", "cancel"],
    "one missed": [],
    "one completed": ["book", "complete"],
    "one denied": ["book", "deny"],
    "two": ["book", "other"],
    "two, one given up": ["book", "other", "cancel one"],
    "two, one denied": ["book", "other", "deny one"],
    "two, one completed": ["book", "other", "complete one"],
    "another one given up after": ["book", "other", "cancel one", "cancel"],
}


def _of_first(appointment: Distribution, who: ConsumerClient, say: Callable[[dict[str, str]], Any]) -> Call:
    """Something about the booking that they made first, by its id."""
    rows = Booking.objects.filter(distribution=appointment, participation__consumer_id=who.id)
    first = rows.order_by("participation_id").first()
    one = {"bookingId": first.pk if first else "none"}
    return lambda: say(one)


def _bring(world: World, appointment: Distribution, who: ConsumerClient, steps: list[str]) -> None:
    for step in steps:
        if step == "other":
            booked(appointment, who, slot(9))
        else:
            assert DEEDS[step](world, appointment, who)().status_code == 200


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("deed", DEEDS)
def test_twice_is_once(world: World, clock: Any, deed: str, before: str) -> None:
    """Each deed from each state, right again and again a minute later."""
    appointment, who = world.appointment(max_bookings_per_consumer=3), world.consumer()
    if before == "one missed":
        clock.shift(-36 * 3600)
        book(appointment, who.id, slot())
        clock.shift(36 * 3600)
    else:
        _bring(world, appointment, who, BEFORE[before])
    clock.shift(1)
    say = DEEDS[deed](world, appointment, who)
    first = say()
    stored = snapshot(appointment)
    for seconds in (0, 60):
        clock.shift(seconds)
        again = say()
        assert (again.status_code, _told(again)) == (first.status_code, _told(first))
        assert snapshot(appointment) == stored
    require_true_bookings(appointment, limit=3)


def _told(answer: Any) -> Any:
    return {name: value for name, value in answer.json().items() if name != "requestId"}


def test_who_cancels_again_is_answered_as_before(world: World, clock: Any) -> None:
    """Though the one that was made last was given up earlier."""
    appointment, who = world.appointment(max_bookings_per_consumer=2), world.consumer()
    first = booked(appointment, who, slot(1))["bookingId"]
    second = booked(appointment, who, slot(2))["bookingId"]
    assert_error(who.delete(f"{path_of(appointment)}/cancel"), 400, "Validation failed")
    who.delete(f"{path_of(appointment)}/cancel?bookingId={second}")
    clock.shift(1)
    told = who.delete(f"{path_of(appointment)}/cancel").json()
    assert told["bookingId"] == first
    clock.shift(1)
    assert who.delete(f"{path_of(appointment)}/cancel").json() == told


def test_who_was_denied_elsewhere_keeps_and_finds_a_booking(world: World, clock: Any) -> None:
    """A repeated wish for what they have is answered by it; for anything else by the denial."""
    appointment, who = world.appointment(max_bookings_per_consumer=3), world.consumer()
    denied = booked(appointment, who, slot(1))["bookingId"]
    kept = booked(appointment, who, slot(2))
    move(world, appointment, "deny", who, bookingId=denied)
    assert booked(appointment, who, slot(2)) == kept
    for number in (1, 3):
        body = {"slotTime": slot(number).isoformat()}
        assert who.post(f"{path_of(appointment)}/book", body).json()["status"] == "DENIED"
    assert [what for _, what in bookings_of(appointment, who.id)] == ["ADMIN_ACTION", "ADMITTED"]


def test_who_is_turned_away_at_the_door_after_cancelling_sees_that(world: World, clock: Any) -> None:
    """The last word is how they stand, whatever numbers their bookings had."""
    appointment, who = world.appointment(max_entries_per_fingerprint=1), world.consumer()
    for number in (1, 2):
        booked(appointment, who, slot(number))
        who.delete(f"{path_of(appointment)}/cancel")
    other = world.consumer(**{"X-Fingerprint": "fp_another_device"})
    booked(appointment, other, slot(3))
    shared = {"X-Fingerprint": "fp_another_device"}
    body = {"slotTime": slot(4).isoformat()}
    refused = who.post(f"{path_of(appointment)}/book", body, **shared).json()
    assert (refused["status"], refused["denyReason"]) == ("DENIED", "DEVICE_LIMIT")
    status = who.status(appointment).json()
    assert (status["status"], status["bookings"]) == ("DENIED", [])
    require_true_bookings(appointment)


def test_one_order_for_several_bookings(world: World, clock: Any) -> None:
    """Each that is named is checked in, and without a name the order finds what it completed."""
    appointment, who = world.appointment(max_bookings_per_consumer=3), world.consumer()
    names = [booked(appointment, who, slot(number))["bookingId"] for number in (1, 2, 3)]
    for name in (*names[:2], *names[:2]):
        told = move(world, appointment, "complete", who, bookingId=name, orderId="A-1").json()
        assert (told["bookingId"], told["status"]) == (name, "COMPLETED")
    told = move(world, appointment, "complete", who, orderId="A-1").json()
    assert told["bookingId"] in names[:2]
    states = [what for _, what in bookings_of(appointment, who.id)]
    assert states == ["COMPLETED", "COMPLETED", "ADMITTED"]
