"""`DELETE /appointments/:id/cancel`: a booking is given up, and its place is free at once."""

from typing import Any

import orjson
import pytest

from distributions import tasks
from distributions.appointments.models import Booking
from fanfare import ids
from tests.appointments import (
    TODAY,
    TOMORROW,
    booked,
    bookings,
    cancel,
    move,
    offered,
    on,
    rebook,
    refresh,
    require_true_counts,
    trace,
)
from tests.world import World, assert_error, make_world, path_of

NINE, TEN = on(TOMORROW, "09:00"), on(TOMORROW, "10:00")


def reason() -> str:
    """What is kept of why."""
    return Booking.objects.get().reason


def test_the_place_is_free_at_once(world: World, clock: Any) -> None:
    appointment, who, other = world.appointment(), world.consumer(), world.consumer()
    made = booked(appointment, who, NINE)
    clock.shift(10)
    answer = cancel(appointment, who)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {
        "bookingId": made["bookingId"],
        "status": "CANCELLED",
        "cancelledAt": "2026-12-01T09:00:10Z",
    }
    assert offered(world, appointment)[NINE] == 1
    assert booked(appointment, other, NINE)
    assert trace(appointment, who) == ["booked", "cancelled"]
    shown = who.status(appointment).json()
    assert (shown["status"], shown["bookings"], shown["bookingId"]) == ("LEFT", [], made["bookingId"])
    verdict = move(world, appointment, "validate", who, token=made["admissionToken"]).json()
    assert (verdict["valid"], verdict["code"]) == (False, "NOT_ADMITTED")
    require_true_counts(appointment)


def test_repeated_it_answers_as_then(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    made = booked(appointment, who, NINE)
    first = cancel(appointment, who, "?reason=ill").json()
    clock.shift(100)
    for query in ("", f"?bookingId={made['bookingId']}", "?reason=another"):
        assert cancel(appointment, who, query).json() == first
    assert (reason(), trace(appointment, who)) == ("ill", ["booked", "cancelled"])


@pytest.mark.parametrize("how", ["query", "body", "both"])
def test_which_and_why_may_stand_in_query_or_body(world: World, clock: Any, how: str) -> None:
    appointment, who = world.appointment(), world.consumer()
    named = booked(appointment, who, NINE)["bookingId"]
    query = {"query": f"?bookingId={named}&reason=ill", "body": "", "both": "?reason=well&bookingId=x"}[how]
    body = b"" if how == "query" else orjson.dumps({"bookingId": named, "reason": "ill"})
    answer = who.send("DELETE", f"{path_of(appointment)}/cancel{query}", body)
    assert (answer.status_code, reason()) == (200, "ill")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "error"),
    [
        (b"{", "application/json", 400, "Validation failed"),
        (b"[]", "application/json", 400, "Validation failed"),
        (b'{"reason": []}', "application/json", 400, "Validation failed"),
        (b'{"reason": "\\u0000"}', "application/json", 400, "Validation failed"),
        (b'{"bookingId": null}', "application/json", 400, "Validation failed"),
        (orjson.dumps({"reason": "x" * 201}), "application/json", 400, "Validation failed"),
        (b"x", "text/plain", 415, "Unsupported media type"),
        (b" " * 65_537, "application/json", 413, "Body too large"),
    ],
)  # fmt: skip
def test_what_is_said_wrongly(
    world: World, clock: Any, body: bytes, content_type: str, status: int, error: str
) -> None:
    appointment, who = world.appointment(), world.consumer()
    booked(appointment, who, NINE)
    assert_error(who.send("DELETE", f"{path_of(appointment)}/cancel", body, content_type), status, error)
    assert bookings(appointment, who) == [("02 09:00", "ADMITTED")]


@pytest.mark.parametrize(
    "query", [f"?reason={'x' * 201}", "?bookingId=", f"?bookingId={'b' * 65}", "?reason=%00"]
)
def test_what_is_asked_wrongly(world: World, clock: Any, query: str) -> None:
    appointment, who = world.appointment(), world.consumer()
    booked(appointment, who, NINE)
    assert_error(cancel(appointment, who, query), 400, "Validation failed", "VALIDATION_FAILED")
    assert bookings(appointment, who) == [("02 09:00", "ADMITTED")]


# --- When -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("notice", "seconds"), [(0, 1800), (20, 600), (45, 0)])
def test_the_latest_cancellation(world: World, clock: Any, notice: int, seconds: int) -> None:
    appointment, who = world.appointment(latest_cancellation_minutes=notice), world.consumer()
    booked(appointment, who, on(TODAY, "09:30"))
    clock.shift(seconds + 0.001)
    body = assert_error(cancel(appointment, who), 409, "Too late to cancel", "TOO_LATE_TO_CANCEL")
    until = {0: "09:30", 20: "09:10", 45: "08:45"}[notice]
    assert on(TODAY, until) in body["message"]
    assert trace(appointment, who) == ["booked"]
    clock.shift(-0.001)
    assert cancel(appointment, who).status_code == (409 if notice == 45 else 200)


def test_after_it_was_missed(world: World, clock: Any) -> None:
    """A day after its end it is over, whether anybody wrote it down or not."""
    appointment, who = world.appointment(), world.consumer()
    made = booked(appointment, who, on(TODAY, "09:30"))
    clock.shift(86_400 + 3600)
    refresh(world, who)
    for _ in range(2):
        for query in ("", f"?bookingId={made['bookingId']}"):
            refused = cancel(appointment, who, query)
            assert assert_error(refused, 409, "Illegal transition")["status"] == "DENIED"
        tasks.expire_admissions()
    assert bookings(appointment, who) == [("01 09:30", "ADMISSION_EXPIRED")]


@pytest.mark.parametrize(("verb", "status"), [("complete", "COMPLETED"), ("deny", "DENIED")])
def test_after_the_shops_word(world: World, clock: Any, verb: str, status: str) -> None:
    appointment, who = world.appointment(), world.consumer()
    booked(appointment, who, NINE)
    move(world, appointment, verb, who)
    refused = cancel(appointment, who)
    assert assert_error(refused, 409, "Illegal transition")["status"] == status
    assert trace(appointment, who)[-1] == {"complete": "completed", "deny": "denied"}[verb]


# --- Which ----------------------------------------------------------------------------------------
def test_of_several_it_must_be_said_which(world: World, clock: Any) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=3), world.consumer()
    one, two = booked(appointment, who, TEN), booked(appointment, who, NINE)
    body = assert_error(cancel(appointment, who), 400, "Validation failed", "VALIDATION_FAILED")
    assert [detail["field"] for detail in body["details"]] == ["bookingId"]
    assert cancel(appointment, who, f"?bookingId={one['bookingId']}").json()["bookingId"] == one["bookingId"]
    assert cancel(appointment, who).json()["bookingId"] == two["bookingId"]  # one is left
    assert bookings(appointment, who) == [("02 10:00", "LEFT"), ("02 09:00", "LEFT")]


def test_the_old_one_of_a_rebooking_is_cancelled_already(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    old = booked(appointment, who, NINE)
    rebook(appointment, who, TEN)
    body = cancel(appointment, who, f"?bookingId={old['bookingId']}").json()
    assert (body["bookingId"], body["status"]) == (old["bookingId"], "CANCELLED")
    assert bookings(appointment, who) == [("02 09:00", "LEFT"), ("02 10:00", "ADMITTED")]


def test_somebody_elses_booking_is_not_there(world: World, clock: Any) -> None:
    appointment, who, other = world.appointment(), world.consumer(), world.consumer()
    theirs = booked(appointment, other, NINE)["bookingId"]
    elsewhere = booked(world.appointment(), who, NINE)["bookingId"]
    stranger = make_world()
    foreign = booked(stranger.appointment(), stranger.consumer(), NINE)["bookingId"]
    for named in (theirs, elsewhere, foreign, ids.new("booking"), "booking_", "x", theirs.lower()):
        refused = cancel(appointment, who, f"?bookingId={named}")
        assert_error(refused, 404, "Booking not found", "BOOKING_NOT_FOUND")
    assert_error(cancel(appointment, who), 404, "Booking not found", "BOOKING_NOT_FOUND")
    assert bookings(appointment, other) == [("02 09:00", "ADMITTED")]
    assert set(Booking.objects.values_list("participation__status", flat=True)) == {"ADMITTED"}
