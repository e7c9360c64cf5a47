"""A guest with bookings turns out to be somebody: bookings go along, as far as one consumer may hold them."""

import datetime as dt
from typing import Any

import pytest

from distributions.appointments.models import Appointment
from distributions.core.models import Distribution, Participation
from experiences.models import Event
from tests.api.servers import redis_away
from tests.bookings import book, booked, bookings_of, move, require_true_bookings, slot
from tests.world import ConsumerClient, World, assert_error, path_of


def pair(world: World) -> tuple[ConsumerClient, ConsumerClient]:
    """A guest, and the member whom they will turn out to be."""
    return world.consumer(), world.member(subject="4711")


def merged(world: World, guest: ConsumerClient) -> ConsumerClient:
    return world.member(subject="4711", guest=guest)


def refreshed(world: World, who: ConsumerClient) -> ConsumerClient:
    """The same, with a token that is not over."""
    body = {"refreshToken": who.refresh_token}
    return world.signed_in(world.shop_front().post("/auth/refresh", body))


def live(appointment: Distribution, who: ConsumerClient) -> list[dt.datetime]:
    """When they have a place."""
    return [at for at, what in bookings_of(appointment, who.id) if what in ("ADMITTED", "COMPLETED")]


def test_a_booking_goes_along_as_it_is(world: World, clock: Any) -> None:
    """Code, token and calendar file stay; the guest's own session is over."""
    appointment, guest = world.appointment(), world.consumer()
    before = booked(appointment, guest, slot())
    clock.shift(60)
    person = merged(world, guest)
    after = person.status(appointment).json()
    for name in ("bookingId", "confirmationCode", "slotId", "startTime", "enteredAt", "expiresAt"):
        assert after[name] == before[name]
    assert (after["consumerId"], len(after["bookings"])) == (person.id, 1)
    file = person.get(f"{path_of(appointment)}/bookings/{before['bookingId']}.ics")
    assert b"CONFIRMED" in file.content
    told = move(world, appointment, "validate", guest, token=before["admissionToken"]).json()
    assert (told["valid"], told["consumerId"], told["bookingId"]) == (True, person.id, before["bookingId"])
    with redis_away():
        assert person.status(appointment).json()["bookingId"] == before["bookingId"]
    assert move(world, appointment, "complete", guest).json()["consumerId"] == person.id
    assert bookings_of(appointment, guest.id) == []
    require_true_bookings(appointment, limit=1)


def test_what_both_had_stands_side_by_side(world: World, clock: Any) -> None:
    """Under numbers of their own, whatever each had given up before."""
    appointment = world.appointment(max_bookings_per_consumer=4)
    guest, member = pair(world)
    for who, numbers in ((guest, (1, 2, 3)), (member, (4, 5, 6))):
        for number in numbers:
            made = booked(appointment, who, slot(number))
            clock.shift(1)
            if number % 3 == 0:
                who.delete(f"{path_of(appointment)}/cancel?bookingId={made['bookingId']}")
    person = merged(world, guest)
    assert live(appointment, person) == [slot(number) for number in (1, 2, 4, 5)]
    assert bookings_of(appointment, guest.id) == [(slot(3), "LEFT")]
    rows = Participation.objects.filter(distribution=appointment, consumer=person.id)
    assert sorted(rows.values_list("unit", flat=True)) == [1, 2, 3, 4, 5]
    assert [one["startTime"] for one in person.status(appointment).json()["bookings"]] == [
        f"{slot(number):%Y-%m-%dT%H:%M:%SZ}" for number in (1, 2, 4, 5)
    ]
    body = {"slotTime": slot(7).isoformat()}
    assert_error(person.post(f"{path_of(appointment)}/book", body), 409, "Booking limit reached")
    require_true_bookings(appointment, limit=4)
    whole = Event.objects.get(name="consumer.merged", distribution_id=None)
    assert (whole.data["moved"], whole.data["left"]) == ([appointment.pk], [])
    assert Event.objects.filter(name="consumer.merged", distribution_id=appointment.pk).count() == 2


@pytest.mark.parametrize("first", ["guest", "member"])
def test_of_two_in_one_slot_the_earlier_stays(world: World, clock: Any, first: str) -> None:
    appointment, late = world.appointment(places_per_slot=2, max_bookings_per_consumer=2), world.consumer()
    guest, member = pair(world)
    one, other = (guest, member) if first == "guest" else (member, guest)
    kept = booked(appointment, one, slot())
    clock.shift(1)
    booked(appointment, other, slot())
    person = merged(world, guest)
    assert live(appointment, person) == [slot()]
    assert person.status(appointment).json()["bookingId"] == kept["bookingId"]
    booked(appointment, late, slot())  # the other one's place
    require_true_bookings(appointment, limit=2)
    assert Event.objects.get(name="consumer.merged", distribution_id=None).data["left"] == [appointment.pk]


@pytest.mark.parametrize("first", ["guest", "member"])
def test_of_too_many_the_later_ones_leave(world: World, clock: Any, first: str) -> None:
    appointment = world.appointment(max_bookings_per_consumer=2)
    guest, member = pair(world)
    one, other = (guest, member) if first == "guest" else (member, guest)
    for number, who in enumerate((one, other, other, one)):
        booked(appointment, who, slot(9 - number))
        clock.shift(1)
    person = merged(world, guest)
    assert live(appointment, person) == [slot(8), slot(9)]
    tally = require_true_bookings(appointment, limit=2)
    assert (tally.taken, tally.returned) == (2, 2)


def test_a_lower_limit_takes_nothing_from_who_had_more(world: World, clock: Any) -> None:
    """Bookings outlive a change of settings; signing in is no reason to lose them."""
    appointment = world.appointment(max_bookings_per_consumer=3)
    guest, member = pair(world)
    for number in (1, 2, 3):
        booked(appointment, member, slot(number))
    clock.shift(1)
    booked(appointment, guest, slot(4))
    Appointment.objects.filter(pk=appointment.pk).update(max_bookings_per_consumer=1)
    person = merged(world, guest)
    assert live(appointment, person) == [slot(number) for number in (1, 2, 3)]
    require_true_bookings(appointment, limit=3)


def test_what_is_over_counts_for_nothing(world: World, clock: Any) -> None:
    """A visit of the past goes along beside the one ahead; one that was missed stays where it is."""
    appointment, guest = world.appointment(), world.consumer()
    book(appointment, guest.id, slot(0))
    clock.shift(15 * 3600)  # midnight: it begins
    assert move(world, appointment, "complete", guest).status_code == 200
    clock.shift(1_800)
    book(appointment, guest.id, slot(1))  # and nobody comes
    clock.shift(3 * 24 * 3600)
    guest = refreshed(world, guest)
    booked(appointment, world.member(subject="4711"), slot(2))
    person = merged(world, guest)
    assert [what for _, what in bookings_of(appointment, person.id)] == ["COMPLETED", "ADMITTED"]
    assert [what for _, what in bookings_of(appointment, guest.id)] == ["ADMISSION_EXPIRED"]
    require_true_bookings(appointment, limit=1)


def test_a_completed_one_stays_before_an_earlier_one(world: World, clock: Any) -> None:
    """Both in one slot: whoever was checked in, was; and counts until it is over."""
    appointment = world.appointment(places_per_slot=2)
    guest, member = pair(world)
    booked(appointment, member, slot())
    clock.shift(1)
    booked(appointment, guest, slot())
    assert move(world, appointment, "complete", guest).status_code == 200
    person = merged(world, guest)
    assert sorted(what for _, what in bookings_of(appointment, person.id)) == ["COMPLETED", "LEFT"]
    require_true_bookings(appointment, limit=1)


# --- Denied ----------------------------------------------------------------------------------------


def test_who_was_denied_brings_no_booking_along(world: World, clock: Any) -> None:
    appointment, late = world.appointment(), world.consumer()
    guest, member = pair(world)
    booked(appointment, member, slot(1))
    move(world, appointment, "deny", member)
    booked(appointment, guest, slot(2))
    person = merged(world, guest)
    assert live(appointment, person) == []
    body = {"slotTime": slot(3).isoformat()}
    assert person.post(f"{path_of(appointment)}/book", body).json()["status"] == "DENIED"
    assert person.status(appointment).json()["status"] == "DENIED"
    booked(appointment, late, slot(2))
    require_true_bookings(appointment)


@pytest.mark.parametrize("has_own", [True, False])
def test_a_guests_denial_goes_along(world: World, clock: Any, has_own: bool) -> None:
    """Signing in wipes nothing out; what the consumer has booked stays theirs."""
    appointment = world.appointment(max_bookings_per_consumer=2)
    guest, member = pair(world)
    if has_own:
        booked(appointment, member, slot(1))
    booked(appointment, guest, slot(2))
    move(world, appointment, "deny", guest)
    person = merged(world, guest)
    assert live(appointment, person) == ([slot(1)] if has_own else [])
    body = {"slotTime": slot(3).isoformat()}
    told = person.post(f"{path_of(appointment)}/book", body).json()
    assert (told["status"], told["denyReason"]) == ("DENIED", "ADMIN_ACTION")
    assert person.status(appointment).json()["status"] == ("ADMITTED" if has_own else "DENIED")
    require_true_bookings(appointment)


@pytest.mark.parametrize("has_own", [True, False])
def test_a_used_up_device_is_nothing_to_who_is_in(world: World, clock: Any, has_own: bool) -> None:
    """The device was perhaps used up by themselves."""
    appointment = world.appointment(max_bookings_per_consumer=2, max_entries_per_fingerprint=1)
    guest, member = pair(world)
    booked(appointment, member if has_own else world.consumer(), slot(1))
    body = {"slotTime": slot(2).isoformat()}
    assert guest.post(f"{path_of(appointment)}/book", body).json()["denyReason"] == "DEVICE_LIMIT"
    person = merged(world, guest)
    status = person.post(f"{path_of(appointment)}/book", body).json()["status"]
    assert status == ("ADMITTED" if has_own else "DENIED")
    require_true_bookings(appointment, limit=2)
