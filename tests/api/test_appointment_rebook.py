"""`POST /appointments/:id/rebook`: another slot instead of this one, or all stays as it was."""

from typing import Any

import pytest

from distributions.core import switches
from fanfare import clock as time
from fanfare import ids
from tests.appointments import (
    AFTER,
    TODAY,
    TOMORROW,
    book,
    booked,
    bookings,
    cancel,
    change,
    move,
    offered,
    on,
    rebook,
    require_no_slot,
    require_true_counts,
    trace,
)
from tests.world import World, assert_error, make_world, path_of

NINE, TEN, LATER = on(TOMORROW, "09:00"), on(TOMORROW, "10:00"), on(AFTER, "09:00")


def test_the_new_one_and_then_the_old_one(world: World, clock: Any) -> None:
    appointment, who, other = world.appointment(), world.consumer(), world.consumer()
    old = booked(appointment, who, NINE)
    new = rebook(appointment, who, TEN).json()
    assert (new["status"], new["startTime"], new["expiresAt"]) == ("ADMITTED", TEN, on(AFTER, "10:30"))
    assert new["bookingId"] != old["bookingId"]
    assert new["confirmationCode"] != old["confirmationCode"]
    assert bookings(appointment, who) == [("02 09:00", "LEFT"), ("02 10:00", "ADMITTED")]
    assert trace(appointment, who) == ["booked", "booked", "cancelled"]
    assert (offered(world, appointment)[NINE], offered(world, appointment)[TEN]) == (1, 0)
    assert move(world, appointment, "validate", who, token=old["admissionToken"]).json()["valid"] is False
    assert move(world, appointment, "validate", who, token=new["admissionToken"]).json()["valid"] is True
    assert booked(appointment, other, NINE)
    require_true_counts(appointment)


def test_again_it_finds_the_new_one(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    old = booked(appointment, who, NINE)
    new = rebook(appointment, who, TEN).json()
    for booking_id in ("", old["bookingId"], new["bookingId"]):
        assert rebook(appointment, who, TEN, booking_id).json() == new
    assert trace(appointment, who) == ["booked", "booked", "cancelled"]


@pytest.mark.parametrize("why", ["full", "no slot", "blocked by notice"])
def test_what_can_not_be_booked_leaves_the_old_one(world: World, clock: Any, why: str) -> None:
    appointment, who = world.appointment(), world.consumer()
    old = booked(appointment, who, NINE)
    if why == "full":
        booked(appointment, world.consumer(), TEN)
        assert_error(rebook(appointment, who, TEN), 409, "Slot is full", "SLOT_FULL")
    elif why == "no slot":
        require_no_slot(rebook(appointment, who, on(TOMORROW, "10:01")))
    else:
        change(appointment, least_notice_minutes=25 * 60 + 1)
        require_no_slot(rebook(appointment, who, TEN))
    shown = who.status(appointment).json()
    assert (shown["bookingId"], len(shown["bookings"])) == (old["bookingId"], 1)
    assert trace(appointment, who) == ["booked"]
    require_true_counts(appointment)


def test_it_can_not_be_later_than_cancelling(world: World, clock: Any) -> None:
    appointment, who = world.appointment(latest_cancellation_minutes=60), world.consumer()
    booked(appointment, who, on(TODAY, "10:00"))
    assert rebook(appointment, who, on(TODAY, "10:30")).status_code == 200
    clock.shift(30 * 60 + 0.001)
    refused = rebook(appointment, who, TEN)
    assert "2026-12-01T09:30:00Z" in assert_error(refused, 409, "Too late to cancel")["message"]
    assert offered(world, appointment)[TEN] == 1
    assert bookings(appointment, who) == [("01 10:00", "LEFT"), ("01 10:30", "ADMITTED")]


@pytest.mark.parametrize(("verb", "status"), [("complete", "COMPLETED"), ("deny", "DENIED")])
def test_what_is_over_is_not_rebooked(world: World, clock: Any, verb: str, status: str) -> None:
    appointment, who = world.appointment(), world.consumer()
    old = booked(appointment, who, NINE)
    move(world, appointment, verb, who)
    for booking_id in ("", old["bookingId"]):
        refused = rebook(appointment, who, TEN, booking_id)
        assert assert_error(refused, 409, "Illegal transition")["status"] == status
    assert offered(world, appointment)[TEN] == 1


def test_nor_what_was_cancelled_or_never_made(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    assert_error(rebook(appointment, who, TEN), 404, "Booking not found", "BOOKING_NOT_FOUND")
    old = booked(appointment, who, NINE)
    cancel(appointment, who)
    for booking_id in ("", old["bookingId"]):
        refused = rebook(appointment, who, TEN, booking_id)
        assert assert_error(refused, 409, "Illegal transition")["status"] == "LEFT"
    assert bookings(appointment, who) == [("02 09:00", "LEFT")]


def test_of_several_it_must_be_said_which(world: World, clock: Any) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=2), world.consumer()
    one, two = booked(appointment, who, NINE), booked(appointment, who, TEN)
    body = assert_error(rebook(appointment, who, LATER), 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["bookingId"]
    assert rebook(appointment, who, LATER, two["bookingId"]).json()["startTime"] == LATER
    assert (
        rebook(appointment, who, LATER, one["bookingId"]).json()["startTime"] == LATER
    )  # into one they have
    assert bookings(appointment, who) == [
        ("02 09:00", "LEFT"), ("02 10:00", "LEFT"), ("03 09:00", "ADMITTED"),
    ]  # fmt: skip
    require_true_counts(appointment)


def test_a_limit_that_is_lower_by_now(world: World, clock: Any) -> None:
    """Rebooking leaves as many as there were, so it is refused only where these are too many without it."""
    appointment, who = world.appointment(max_bookings_per_consumer=3), world.consumer()
    first = booked(appointment, who, NINE)
    booked(appointment, who, TEN)
    change(appointment, max_bookings_per_consumer=2)
    assert rebook(appointment, who, LATER, first["bookingId"]).status_code == 200
    change(appointment, max_bookings_per_consumer=1)
    later = who.status(appointment).json()["bookings"][1]
    refused = rebook(appointment, who, NINE, later["bookingId"])
    assert_error(refused, 409, "Booking limit reached", "BOOKING_LIMIT_REACHED")


def test_whoever_was_denied_moves_nothing(world: World, clock: Any) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=2), world.consumer()
    booked(appointment, who, NINE)
    kept = booked(appointment, who, TEN)
    move(world, appointment, "deny", who)
    refused = rebook(appointment, who, LATER, kept["bookingId"])
    assert assert_error(refused, 409, "Illegal transition")["status"] == "DENIED"
    assert bookings(appointment, who) == [("02 09:00", "ADMIN_ACTION"), ("02 10:00", "ADMITTED")]


def test_somebody_elses_booking_is_not_there(world: World, clock: Any) -> None:
    appointment, who, other = world.appointment(), world.consumer(), world.consumer()
    theirs = booked(appointment, other, NINE)["bookingId"]
    elsewhere = booked(world.appointment(), who, NINE)["bookingId"]
    stranger = make_world()
    foreign = booked(stranger.appointment(), stranger.consumer(), NINE)["bookingId"]
    booked(appointment, who, TEN)
    for booking_id in (theirs, elsewhere, foreign, ids.new("booking"), "booking_", "x", theirs.lower()):
        assert_error(rebook(appointment, who, LATER, booking_id), 404, "Booking not found")
    assert offered(world, appointment, f"date={AFTER}")[LATER] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "slotId"), ({"slotTime": TEN, "slotId": "x"}, "slotId"), ({"slotTime": "ten"}, "slotTime"),
        ({"slotTime": TEN, "bookingId": 5}, "bookingId"), ({"slotTime": TEN, "bookingId": ""}, "bookingId"),
        ({"slotTime": TEN, "bookingId": "b" * 65}, "bookingId"),
        ({"slotTime": TEN, "metadata": 1}, "metadata"),
    ],
)  # fmt: skip
def test_what_is_said_wrongly(world: World, clock: Any, body: dict[str, Any], field: str) -> None:
    appointment, who = world.appointment(), world.consumer()
    booked(appointment, who, NINE)
    answer = who.post(f"{path_of(appointment)}/rebook", body)
    told = assert_error(answer, 400, "Validation failed", "VALIDATION_FAILED")
    assert {detail["field"] for detail in told["details"]} == {field}
    assert bookings(appointment, who) == [("02 09:00", "ADMITTED")]


def test_while_it_is_paused_nothing_is_rebooked_but_cancelled(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    booked(appointment, who, NINE)
    switches.pause(appointment, now=time.now(), actor="staff:1")
    assert_error(rebook(appointment, who, TEN), 400, "Appointment is closed", "APPOINTMENT_PAUSED")
    assert cancel(appointment, who).status_code == 200


def test_a_booking_from_other_hours_gives_way(world: World, clock: Any) -> None:
    """Booked by the half hour, rebooked by the hour to a time that it does not touch."""
    appointment, who = world.appointment(), world.consumer()
    booked(appointment, who, on(TOMORROW, "09:30"))
    change(appointment, slot_minutes=60)
    assert rebook(appointment, who, TEN).json()["endTime"] == on(TOMORROW, "11:00")
    assert offered(world, appointment)[NINE] == 1
    assert_error(book(appointment, world.consumer(), TEN), 409, "Slot is full")
