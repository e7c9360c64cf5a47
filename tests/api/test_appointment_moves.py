"""The shop's word on a booking: checked in, turned away, validated; and what the clock says of it."""

from typing import Any

import pytest

from distributions import tasks
from distributions.core.models import Participation
from experiences.models import Event
from fanfare import ids
from tests.appointments import (
    AFTER,
    TODAY,
    TOMORROW,
    book,
    booked,
    bookings,
    cancel,
    move,
    offered,
    on,
    refresh,
    require_true_counts,
    trace,
)
from tests.releases import claim, units
from tests.world import World, assert_error, make_world

NINE, TEN, LATER = on(TOMORROW, "09:00"), on(TOMORROW, "10:00"), on(AFTER, "09:00")
DAY = 86_400


def test_checked_in(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    made = booked(appointment, who, NINE)
    done = move(world, appointment, "complete", who, orderId="A-1").json()
    assert (done["status"], done["bookingId"], done["startTime"]) == ("COMPLETED", made["bookingId"], NINE)
    assert "admissionToken" not in done
    assert Participation.objects.get().order_id == "A-1"
    assert trace(appointment, who) == ["booked", "completed"]
    assert Event.objects.latest("id").data == {"from": "ADMITTED", "to": "COMPLETED"}
    assert offered(world, appointment)[NINE] == 0  # it keeps its place
    verdict = move(world, appointment, "validate", who, token=made["admissionToken"]).json()
    assert verdict["code"] == "TOKEN_USED"
    shown = who.status(appointment).json()
    assert (shown["status"], [one["status"] for one in shown["bookings"]]) == ("COMPLETED", ["COMPLETED"])
    require_true_counts(appointment)


def test_denied(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    made = booked(appointment, who, NINE)
    body = move(world, appointment, "deny", who, reason="Came with a dog").json()
    assert (body["status"], body["denyReason"]) == ("DENIED", "Came with a dog")
    assert body["bookingId"] == made["bookingId"]
    assert trace(appointment, who) == ["booked", "denied"]
    assert offered(world, appointment)[NINE] == 1
    verdict = move(world, appointment, "validate", who, token=made["admissionToken"]).json()
    assert verdict["code"] == "NOT_ADMITTED"
    assert who.status(appointment).json()["bookings"] == []
    require_true_counts(appointment)


@pytest.mark.parametrize("is_named", [False, True])
@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("complete", "complete", "COMPLETED"), ("deny", "deny", "DENIED"), ("complete", "deny", None),
        ("deny", "complete", None), ("cancel", "complete", None), ("cancel", "deny", None),
    ],
)  # fmt: skip
def test_one_word_after_another(
    world: World, clock: Any, first: str, second: str, status: str | None, is_named: bool
) -> None:
    appointment, who = world.appointment(), world.consumer()
    named = {"bookingId": booked(appointment, who, NINE)["bookingId"]} if is_named else {}
    if not is_named:
        booked(appointment, who, NINE)
    answer = cancel(appointment, who) if first == "cancel" else move(world, appointment, first, who, **named)
    assert answer.status_code == 200
    before = trace(appointment, who)
    again = move(world, appointment, second, who, **named)
    if status:
        assert (again.status_code, again.json()) == (200, answer.json())
    else:
        expected = {"complete": "COMPLETED", "deny": "DENIED", "cancel": "LEFT"}[first]
        assert assert_error(again, 409, "Illegal transition")["status"] == expected
    assert trace(appointment, who) == before


@pytest.mark.parametrize("verb", ["complete", "deny"])
def test_of_whom_there_is_no_booking(world: World, clock: Any, verb: str) -> None:
    appointment, who, other = world.appointment(), world.consumer(), world.consumer()
    assert_error(move(world, appointment, verb, who), 404, "Consumer not in appointment")
    theirs = booked(appointment, other, NINE)["bookingId"]
    elsewhere = booked(world.appointment(), who, NINE)["bookingId"]
    stranger = make_world()
    foreign = booked(stranger.appointment(), stranger.consumer(), NINE)["bookingId"]
    booked(appointment, who, TEN)
    for named in (theirs, elsewhere, foreign, ids.new("booking"), "booking_", "x"):
        refused = move(world, appointment, verb, who, bookingId=named)
        assert_error(refused, 404, "Booking not found", "BOOKING_NOT_FOUND")
    for wrong in (5, "", None, "b" * 65):
        assert_error(move(world, appointment, verb, who, bookingId=wrong), 400, "Validation failed")
    assert set(Participation.objects.values_list("status", flat=True)) == {"ADMITTED"}


# --- Of several -----------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", ["complete", "deny"])
def test_of_several_the_one_that_is_named(world: World, clock: Any, verb: str) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=3), world.consumer()
    made = [booked(appointment, who, start) for start in (NINE, TEN, LATER)]
    body = move(world, appointment, verb, who, bookingId=made[1]["bookingId"]).json()
    over = {"complete": "COMPLETED", "deny": "DENIED"}[verb]
    assert (body["bookingId"], body["startTime"], body["status"]) == (made[1]["bookingId"], TEN, over)
    kept = Participation.objects.exclude(status="ADMITTED").get()
    assert kept.booking.pk == made[1]["bookingId"]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "01 09:30"),  # long before the first
        (1800, "01 09:30"), (3599, "01 09:30"),  # within it
        (3600 + 899, "01 09:30"), (3600 + 901, "01 10:30"),  # half an hour lies between them
        (5400, "01 10:30"), (7200 + DAY, "02 12:00"),
    ],
)  # fmt: skip
def test_of_several_the_one_they_have_come_for(world: World, clock: Any, seconds: int, expected: str) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=4), world.consumer()
    for start in (on(TODAY, "10:30"), on(TODAY, "09:30"), on(TOMORROW, "12:00"), on(TODAY, "09:00")):
        book(appointment, who, start)  # the last is refused: it has begun
    clock.shift(seconds)
    assert move(world, appointment, "complete", who).json()["status"] == "COMPLETED"
    (done,) = [start for start, became in bookings(appointment, who) if became == "COMPLETED"]
    assert done == expected


def test_given_up_ones_are_not_what_they_have_come_for(world: World, clock: Any) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=2), world.consumer()
    near = booked(appointment, who, on(TODAY, "09:30"))
    booked(appointment, who, NINE)
    cancel(appointment, who, f"?bookingId={near['bookingId']}")
    assert move(world, appointment, "complete", who).json()["startTime"] == NINE


# --- A word that is repeated, by its order --------------------------------------------------------
def test_a_repeated_order_is_known_whatever_is_near_by_then(world: World, clock: Any) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=2), world.consumer()
    booked(appointment, who, on(TODAY, "09:30"))
    booked(appointment, who, on(TODAY, "10:30"))
    done = move(world, appointment, "complete", who, orderId="A-1").json()
    clock.shift(90 * 60)
    assert move(world, appointment, "complete", who, orderId="A-1").json() == done
    assert bookings(appointment, who) == [("01 09:30", "COMPLETED"), ("01 10:30", "ADMITTED")]
    assert move(world, appointment, "complete", who, orderId="A-2").json()["startTime"] == on(TODAY, "10:30")
    assert trace(appointment, who) == ["booked", "booked", "completed", "completed"]


def test_one_order_for_two_bookings_that_are_named(world: World, clock: Any) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=2), world.consumer()
    made = [booked(appointment, who, start) for start in (NINE, TEN)]
    for _ in range(2):
        for one in made:
            done = move(world, appointment, "complete", who, orderId="A-1", bookingId=one["bookingId"])
            assert (done.json()["bookingId"], done.json()["status"]) == (one["bookingId"], "COMPLETED")
    assert trace(appointment, who) == ["booked", "booked", "completed", "completed"]


def test_without_an_order_nothing_is_taken_for_a_repetition(world: World, clock: Any) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=2), world.consumer()
    first = booked(appointment, who, on(TODAY, "09:30"))
    booked(appointment, who, NINE)
    for order in ({}, {"orderId": ""}):
        assert move(world, appointment, "complete", who, **order).json()["bookingId"] == first["bookingId"]
    clock.shift(DAY)
    for order in ({}, {"orderId": ""}):
        assert move(world, appointment, "complete", who, **order).json()["startTime"] == NINE


def test_a_repeated_order_at_a_release_leaves_the_next_unit(world: World, clock: Any) -> None:
    release, who = world.release(inventory=5, max_per_consumer=2), world.consumer()
    claim(release, who)
    done = move_release(world, release, who, "A-1").json()
    second = claim(release, who)
    assert move_release(world, release, who, "A-1").json() == done
    assert units(release, who.id) == [(1, "COMPLETED"), (2, "ADMITTED")]
    assert who.status(release).json() == second
    assert move_release(world, release, who, "A-2").json()["enteredAt"] == second["enteredAt"]
    assert units(release, who.id) == [(1, "COMPLETED"), (2, "COMPLETED")]


def move_release(world: World, release: Any, who: Any, order: str) -> Any:
    return world.server().post(
        f"/timed-releases/{release.pk}/complete", {"consumerId": who.id, "orderId": order}
    )


# --- Tokens ---------------------------------------------------------------------------------------
def test_each_token_is_of_its_booking(world: World, clock: Any) -> None:
    appointment, who, other = (
        world.appointment(max_bookings_per_consumer=2),
        world.consumer(),
        world.consumer(),
    )
    for start, end in ((TEN, "10:30"), (NINE, "09:30")):
        made = booked(appointment, who, start)
        verdict = move(world, appointment, "validate", who, token=made["admissionToken"]).json()
        assert verdict == {
            "valid": True, "consumerId": who.id, "admittedAt": on(TODAY, "09:00"),
            "expiresAt": on(AFTER, end), "bookingId": made["bookingId"], "startTime": start,
            "endTime": on(TOMORROW, end),
        }  # fmt: skip
        mismatch = move(world, appointment, "validate", other, token=made["admissionToken"]).json()
        assert (mismatch["valid"], mismatch["code"]) == (False, "CONSUMER_MISMATCH")
        elsewhere = move(world, world.appointment(), "validate", who, token=made["admissionToken"]).json()
        assert (elsewhere["valid"], elsewhere["code"]) == (False, "WRONG_DISTRIBUTION")
        assert "bookingId" not in mismatch | elsewhere
    nothing = move(world, appointment, "validate", who, token="x").json()
    assert (nothing["valid"], nothing["code"]) == (False, "TOKEN_INVALID")


# --- The clock ------------------------------------------------------------------------------------
def test_a_booking_is_missed_a_day_after_its_end(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    made = booked(appointment, who, on(TODAY, "09:30"))
    clock.shift(DAY + 3599.999)
    refresh(world, who)
    tasks.expire_admissions()
    assert who.status(appointment).json()["status"] == "ADMITTED"
    assert move(world, appointment, "validate", who, token=made["admissionToken"]).json()["valid"] is True
    clock.shift(0.001)
    for _ in range(2):
        body = who.status(appointment).json()
        assert (body["status"], body["denyReason"], body["bookingId"]) == (
            "DENIED", "ADMISSION_EXPIRED", made["bookingId"],
        )  # fmt: skip
        assert who.get("/consumers/me").json()["active"]["appointments"] == {}
        refused = move(world, appointment, "complete", who)
        assert assert_error(refused, 409, "Illegal transition")["status"] == "DENIED"
        verdict = move(world, appointment, "validate", who, token=made["admissionToken"]).json()
        assert verdict["code"] == "TOKEN_EXPIRED"
        tasks.expire_admissions()
    assert trace(appointment, who) == ["booked", "denied"]
    assert booked(appointment, who, LATER)  # they may come again
    require_true_counts(appointment)


def test_the_last_second_of_a_check_in(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    booked(appointment, who, on(TODAY, "09:30"))
    clock.shift(DAY + 3599.999)
    assert move(world, appointment, "complete", who).json()["status"] == "COMPLETED"
    clock.shift(DAY)
    tasks.expire_admissions()
    assert bookings(appointment, who) == [("01 09:30", "COMPLETED")]
