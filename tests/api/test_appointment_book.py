"""`POST /appointments/:id/book`: which slot, who may, and how many at a time."""

import re
from typing import Any

import jwt
import pytest

from distributions.appointments.models import Booking
from distributions.core import switches
from distributions.core.models import Participation
from experiences.models import AudienceMember, Event
from fanfare import clock as time
from fanfare import ids
from tests.api.mailbox import ADA
from tests.api.test_rate_limits import numbers, set_limits
from tests.appointments import (
    AFTER,
    TODAY,
    TOMORROW,
    ask,
    book,
    booked,
    bookings,
    cancel,
    change,
    move,
    offered,
    on,
    refresh,
    require_no_slot,
    require_true_counts,
    trace,
)
from tests.world import FINGERPRINT, World, assert_error, make_appointment, make_world, path_of

NINE, TEN, LATER = on(TOMORROW, "09:00"), on(TOMORROW, "10:00"), on(AFTER, "09:00")
OTHER_DEVICE = {"X-Fingerprint": "fp_another-device"}


def slot_at(world: World, appointment: Any, start: str) -> str:
    """The id of the slot that starts then."""
    slots = ask(world, appointment, f"date={start[:10]}").json()["slots"]
    return str(next(slot["id"] for slot in slots if slot["startTime"] == start))


def test_who_books_is_admitted_at_once(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    slot = slot_at(world, appointment, NINE)
    answer = who.post(f"{path_of(appointment)}/book", {"slotId": slot, "metadata": {"teeth": 32}})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    body = answer.json()
    token = jwt.decode(body.pop("admissionToken"), options={"verify_signature": False})
    assert re.fullmatch("[2-9A-HJ-NP-Z]{8}", body.pop("confirmationCode"))
    booking = Booking.objects.get()
    assert body == {
        "status": "ADMITTED", "consumerId": who.id, "appointmentId": appointment.pk,
        "enteredAt": on(TODAY, "09:00"), "admittedAt": on(TODAY, "09:00"), "expiresAt": on(AFTER, "09:30"),
        "bookingId": booking.pk, "slotId": slot, "startTime": NINE, "endTime": on(TOMORROW, "09:30"),
        "timeZone": "UTC",
    }  # fmt: skip
    assert (token["sub"], token["distributionId"]) == (who.id, appointment.pk)
    assert (token["distributionType"], token["exp"]) == ("appointment", 1_796_290_200)
    assert Participation.objects.get().metadata == {"teeth": 32}
    (event,) = Event.objects.filter(distribution_id=appointment.pk)
    assert (event.name, event.actor) == ("appointment.booked", f"consumer:{who.id}")
    assert event.data == {"to": "ADMITTED", "place": 1}
    require_true_counts(appointment)


def test_booking_again_finds_the_same(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    first = booked(appointment, who, NINE)
    clock.shift(100)
    assert booked(appointment, who, NINE, metadata={"new": True}) == first
    by_id = who.post(f"{path_of(appointment)}/book", {"slotId": first["slotId"]}).json()
    assert by_id == first
    assert (Participation.objects.get().metadata, trace(appointment, who)) == (None, ["booked"])


@pytest.mark.parametrize(
    "start", ["2026-12-02T10:00:00+01:00", "2026-12-01T19:00:00.000-14:00", "2026-12-02 09:00:00+00:00"]
)
def test_a_time_with_any_offset(world: World, clock: Any, start: str) -> None:
    assert book(world.appointment(), world.consumer(), start).json()["startTime"] == NINE


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "slotId"), ({"slotId": "slot_x", "slotTime": NINE}, "slotId"), ({"slotId": None}, "slotId"),
        ({"slotId": 5}, "slotId"), ({"slotId": ""}, "slotId"), ({"slotId": "s" * 65}, "slotId"),
        ({"slotTime": 5}, "slotTime"), ({"slotTime": ""}, "slotTime"), ({"slotTime": "tomorrow"}, "slotTime"),
        ({"slotTime": "2026-12-02T09:00:00"}, "slotTime"), ({"slotTime": "2026-12-02"}, "slotTime"),
        ({"slotTime": "2026-13-02T09:00:00Z"}, "slotTime"), ({"slotTime": "1796202000"}, "slotTime"),
        ({"slotTime": NINE, "metadata": 5}, "metadata"), ({"slotTime": NINE, "metadata": None}, "metadata"),
        ({"slotTime": NINE, "metadata": {"long": "x" * 2048}}, "metadata"),
    ],
)  # fmt: skip
def test_what_is_said_wrongly(world: World, clock: Any, body: dict[str, Any], field: str) -> None:
    answer = world.consumer().post(f"{path_of(world.appointment())}/book", body)
    told = assert_error(answer, 400, "Validation failed", "VALIDATION_FAILED")
    assert {detail["field"] for detail in told["details"]} == {field}
    assert not Participation.objects.exists()


# --- Slots that are not there ---------------------------------------------------------------------
@pytest.mark.parametrize(
    "start",
    [
        on(TODAY, "08:00"), on(TODAY, "09:00"), on(TODAY, "10:30"), on(TOMORROW, "09:15"),
        on(TOMORROW, "08:30"), on(TOMORROW, "11:00"), on(AFTER, "09:30"), "2026-12-02T09:00:00.000001Z",
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:30:00Z",
        "9999-12-31T23:30:00-14:00", "1970-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_there_is_no_such_slot(world: World, clock: Any, start: str) -> None:
    """Past, now, too near, between two, outside the hours, too far, and out of all reckoning."""
    hours = {day: [["08:00", "08:30"], ["09:00", "11:00"]] for day in ("tue", "thu")}
    appointment = world.appointment(
        opening_hours={**hours, "wed": [["09:00", "11:00"]]}, least_notice_minutes=91, furthest_ahead_days=2
    )
    require_no_slot(book(appointment, world.consumer(), start))
    assert not Participation.objects.exists()
    assert booked(appointment, world.consumer(), LATER)


def test_ids_of_slots_that_are_not_there(world: World, clock: Any) -> None:
    appointment, who, stranger = world.appointment(), world.consumer(), make_world()
    foreign = [slot_at(one, one.appointment(), NINE) for one in (world, stranger)]
    made_up = [ids.new("slot"), "slot_7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "slot_" + "0" * 26, "slot_", "x"]
    own = slot_at(world, appointment, NINE)
    for slot in (*foreign, *made_up, own.lower(), own.replace("slot_", "booking_"), appointment.pk):
        require_no_slot(who.post(f"{path_of(appointment)}/book", {"slotId": slot}))
    assert not Participation.objects.exists()
    assert who.post(f"{path_of(appointment)}/book", {"slotId": own}).status_code == 200


def test_a_slot_that_has_another_end_by_now(world: World, clock: Any) -> None:
    """Whoever was shown half an hour does not get a whole one unseen; by time they say what they want."""
    appointment, who = world.appointment(), world.consumer()
    slot = slot_at(world, appointment, NINE)
    change(appointment, slot_minutes=60)
    require_no_slot(who.post(f"{path_of(appointment)}/book", {"slotId": slot}))
    assert booked(appointment, who, NINE)["endTime"] == TEN


def test_a_full_slot(world: World, clock: Any) -> None:
    appointment, who = world.appointment(places_per_slot=2), world.consumer()
    for _ in range(2):
        booked(appointment, world.consumer(), NINE)
    assert_error(book(appointment, who, NINE), 409, "Slot is full", "SLOT_FULL")
    assert bookings(appointment, who) == []
    assert booked(appointment, who, on(TOMORROW, "09:30"))
    require_true_counts(appointment)


# --- Who ------------------------------------------------------------------------------------------
def test_guests_where_it_takes_none(world: World, clock: Any) -> None:
    appointment = world.appointment(supports_guest=False)
    assert_error(book(appointment, world.consumer(), NINE), 403, "Sign-in required", "SIGN_IN_REQUIRED")
    assert not Participation.objects.exists()
    assert booked(appointment, world.member(), NINE)


def test_the_conditions_of_its_sequence(world: World, clock: Any) -> None:
    signed_in = make_appointment(world.sequence_with("signed-in", requires_authentication=True))
    with_code = make_appointment(world.sequence_with("coded", requires_access_code=True))
    listed = world.sequence_with("listed", requires_audience=True)
    AudienceMember.objects.create(sequence=listed, key=f"email:{ADA}")
    for_the_listed = make_appointment(listed)
    ada, grace = world.member(ADA), world.member("grace@example.com")
    assert_error(book(signed_in, world.consumer(), NINE), 403, "Sign-in required", "SIGN_IN_REQUIRED")
    assert_error(book(with_code, grace, NINE), 403, "Access code required", "ACCESS_CODE_REQUIRED")
    assert_error(book(for_the_listed, grace, NINE), 403, "Not eligible", "NOT_ELIGIBLE")
    assert booked(signed_in, grace, NINE)
    assert booked(for_the_listed, ada, NINE)


def test_not_open_paused_and_closed(world: World, clock: Any) -> None:
    appointment, who, other = (
        world.appointment(opens_in=60, closes_in=120),
        world.consumer(),
        world.consumer(),
    )
    body = assert_error(book(appointment, who, NINE), 423, "Appointment is not open yet")
    assert (body["retryAfter"], body["openAt"]) == (60, on(TODAY, "09:01"))
    clock.shift(60)
    first = booked(appointment, who, NINE)
    assert switches.pause(appointment, now=time.now(), actor="staff:1")
    assert_error(book(appointment, other, TEN), 400, "Appointment is closed", "APPOINTMENT_PAUSED")
    assert booked(appointment, who, NINE) == first  # who has one finds it
    assert switches.resume(appointment, now=time.now(), actor="staff:1")
    clock.shift(60)
    assert_error(book(appointment, other, TEN), 400, "Appointment is closed", "APPOINTMENT_CLOSED")
    assert booked(appointment, who, NINE) == first
    assert move(world, appointment, "complete", who).json()["status"] == "COMPLETED"


# --- Devices --------------------------------------------------------------------------------------
def test_a_device_is_not_asked_for_and_bound_where_it_is_shown(world: World, clock: Any) -> None:
    appointment, without, shows = world.appointment(places_per_slot=2), world.consumer(), world.consumer()
    del without.headers["X-Fingerprint"]
    for one, is_bound in ((without, False), (shows, True)):
        asked = {"consumerId": one.id, "token": booked(appointment, one, NINE)["admissionToken"]}
        answer = world.server().post(f"{path_of(appointment)}/validate", asked, **OTHER_DEVICE)
        if is_bound:
            assert_error(answer, 403, "DEVICE_MISMATCH", "FP002")
        else:
            assert answer.json()["valid"] is True
    assert book(appointment, shows, NINE).status_code == 200
    malformed = shows.post(f"{path_of(appointment)}/book", {"slotTime": NINE}, **{"X-Fingerprint": "fp_1"})
    assert_error(malformed, 400, "FINGERPRINT_REQUIRED", "FP001")


def test_one_device_brings_in_so_many_and_no_more(world: World, clock: Any) -> None:
    appointment = world.appointment(places_per_slot=9, max_entries_per_fingerprint=1)
    first, second = world.consumer(), world.consumer(**OTHER_DEVICE)
    booked(appointment, first, NINE)
    for _ in range(2):
        booked(appointment, second, NINE)
        cancel(appointment, second)
    second.headers["X-Fingerprint"] = FINGERPRINT
    denied = book(appointment, second, NINE).json()
    assert (denied["status"], denied["denyReason"]) == ("DENIED", "DEVICE_LIMIT")
    assert "bookingId" not in denied
    shown = second.status(appointment).json()
    assert (shown.pop("bookings"), shown) == ([], denied)
    assert book(appointment, second, TEN).json() == denied
    assert book(appointment, first, TEN).status_code == 409  # who is in is not asked; they have one
    assert offered(world, appointment)[NINE] == 8
    require_true_counts(appointment)


# --- How many -------------------------------------------------------------------------------------
def test_one_at_a_time_unless_said(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    booked(appointment, who, NINE)
    assert_error(book(appointment, who, TEN), 409, "Booking limit reached", "BOOKING_LIMIT_REACHED")
    cancel(appointment, who)
    booked(appointment, who, TEN)
    assert_error(book(appointment, who, NINE), 409, "Booking limit reached")
    assert bookings(appointment, who) == [("02 09:00", "LEFT"), ("02 10:00", "ADMITTED")]
    require_true_counts(appointment)


@pytest.mark.parametrize("is_checked_in", [False, True])
def test_a_slot_that_is_over_counts_no_more(world: World, clock: Any, is_checked_in: bool) -> None:
    appointment, who = world.appointment(), world.consumer()
    booked(appointment, who, on(TODAY, "09:30"))
    if is_checked_in:
        move(world, appointment, "complete", who)
    clock.shift(59 * 60)
    assert_error(book(appointment, who, NINE), 409, "Booking limit reached")
    clock.shift(60)
    refresh(world, who)
    booked(appointment, who, NINE)
    first = "COMPLETED" if is_checked_in else "ADMITTED"
    assert bookings(appointment, who) == [("01 09:30", first), ("02 09:00", "ADMITTED")]


def test_several_at_a_time(world: World, clock: Any) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=2, places_per_slot=2), world.consumer()
    one, two = booked(appointment, who, TEN), booked(appointment, who, NINE)
    assert len({answer["admissionToken"] for answer in (one, two)}) == 2
    assert len({answer["confirmationCode"] for answer in (one, two)}) == 2
    assert booked(appointment, who, TEN) == one
    assert_error(book(appointment, who, LATER), 409, "Booking limit reached")
    change(appointment, max_bookings_per_consumer=1)
    assert booked(appointment, who, NINE) == two  # both stay
    cancel(appointment, who, f"?bookingId={one['bookingId']}")
    assert_error(book(appointment, who, LATER), 409, "Booking limit reached")
    change(appointment, max_bookings_per_consumer=2)
    assert booked(appointment, who, LATER)
    require_true_counts(appointment)


def test_whoever_was_denied_stays_out(world: World, clock: Any) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=2), world.consumer()
    booked(appointment, who, NINE)
    booked(appointment, who, TEN)
    move(world, appointment, "deny", who)
    for start in (NINE, LATER):
        body = book(appointment, who, start).json()
        assert (body["status"], body["denyReason"], body["startTime"]) == ("DENIED", "ADMIN_ACTION", NINE)
    assert bookings(appointment, who) == [("02 09:00", "ADMIN_ACTION"), ("02 10:00", "ADMITTED")]
    assert booked(appointment, world.consumer(), NINE)  # the place is free


def test_bookings_are_counted_against_the_rate(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.consumer()
    set_limits(world, queueEntry=2)
    assert [numbers(book(appointment, who, NINE)) for _ in range(2)] == [(2, 1), (2, 0)]
    assert_error(book(appointment, who, NINE), 429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")


def test_nobody_keeps_the_others_waiting(world: World, clock: Any) -> None:
    """Sixty moves a minute, whichever they are; others are not held up by it."""
    appointment, who = world.appointment(), world.consumer()
    answers = [cancel(appointment, who).status_code for _ in range(58)]
    answers += [book(appointment, who, start).status_code for start in (NINE, TEN)]
    assert answers == [404] * 58 + [200, 409]
    for refused in (book(appointment, who, NINE), cancel(appointment, who)):
        assert int(assert_error(refused, 429, "Rate limit exceeded")["retryAfter"]) > 0
    assert booked(appointment, world.consumer(), TEN)
    clock.shift(60)
    assert cancel(appointment, who).status_code == 200
