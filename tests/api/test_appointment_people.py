"""Appointments among all that is somebody's: status, `consumers/me`, experiences, and calendar files."""

import datetime as dt
from typing import Any

from icalendar import Calendar

from fanfare import ids
from tests.appointments import (
    AFTER,
    TODAY,
    TOMORROW,
    booked,
    cancel,
    instant,
    move,
    on,
    rebook,
    refresh,
)
from tests.world import ConsumerClient, World, assert_error, make_world, path_of

NINE, TEN, LATER = on(TOMORROW, "09:00"), on(TOMORROW, "10:00"), on(AFTER, "09:00")


def test_who_never_booked_has_no_status(world: World, clock: Any) -> None:
    refused = world.consumer().status(world.appointment())
    assert_error(refused, 404, "Consumer not in appointment", "CONSUMER_NOT_IN_APPOINTMENT")


def test_the_next_one_and_all_that_are_ahead(world: World, clock: Any) -> None:
    appointment, who = world.appointment(max_bookings_per_consumer=4), world.consumer()
    made = {start: booked(appointment, who, start) for start in (LATER, on(TODAY, "09:30"), TEN, NINE)}
    cancel(appointment, who, f"?bookingId={made[TEN]['bookingId']}")
    move(world, appointment, "complete", who, bookingId=made[NINE]["bookingId"])

    def shown() -> dict[str, Any]:
        found: dict[str, Any] = who.status(appointment).json()
        return found

    body = shown()
    assert {name: body[name] for name in made[on(TODAY, "09:30")]} == made[on(TODAY, "09:30")]
    names = ("bookingId", "confirmationCode", "slotId", "startTime", "endTime", "timeZone")
    assert body["bookings"] == [
        {**{name: made[start][name] for name in names}, "status": status}
        for start, status in ((on(TODAY, "09:30"), "ADMITTED"), (NINE, "COMPLETED"), (LATER, "ADMITTED"))
    ]
    clock.shift(3599.999)
    assert len(shown()["bookings"]) == 3
    clock.shift(0.001)
    refresh(world, who)
    body = shown()
    assert (body["startTime"], body["status"], len(body["bookings"])) == (NINE, "COMPLETED", 2)
    clock.shift(3 * 86_400)
    refresh(world, who)
    assert shown()["bookings"] == []


def test_what_is_theirs(world: World, clock: Any) -> None:
    several = world.appointment(max_bookings_per_consumer=3)
    one, left, done, others = (world.appointment() for _ in range(4))
    who, other = world.member(), world.consumer()
    for start in (LATER, NINE):
        booked(several, who, start)
    for appointment in (one, left, done):
        booked(appointment, who, TEN)
    booked(others, other, TEN)
    cancel(left, who)
    move(world, done, "complete", who)
    active = who.get("/consumers/me").json()["active"]
    assert set(active["appointments"]) == {several.pk, one.pk}
    assert active["admissions"] == active["appointments"]
    for appointment in (several, one):
        assert active["appointments"][appointment.pk] == who.status(appointment).json()
    assert [booking["startTime"] for booking in active["appointments"][several.pk]["bookings"]] == [
        NINE,
        LATER,
    ]
    assert active["queues"] == active["timedReleases"] == {}


def test_shown_in_its_experience(world: World, clock: Any) -> None:
    appointment = world.appointment(opens_in=60, closes_in=120, location={"name": "Room 4"})
    body = world.shop_front().get(f"/experiences/{world.sequence.experience_id}").json()
    (sequence,) = body["sequences"]
    assert sequence["appointments"] == [world.shop_front().get(path_of(appointment)).json()]
    assert (body["openAt"], body["closeAt"]) == (on(TODAY, "09:01"), on(TODAY, "09:02"))


def test_another_tenants_is_not_there(world: World, clock: Any) -> None:
    stranger, guest = make_world(), world.consumer()
    theirs = stranger.appointment()
    calls: dict[str, Any] = {
        "": world.shop_front().get,
        f"/slots?date={TOMORROW}": world.shop_front().get,
        "/book": lambda path: guest.post(path, {"slotTime": NINE}),
        "/rebook": lambda path: guest.post(path, {"slotTime": NINE}),
        "/cancel": guest.delete,
        "/status": guest.get,
        f"/bookings/{ids.new('booking')}.ics": guest.get,
        "/complete": lambda path: world.server().post(path, {"consumerId": guest.id}),
        "/validate": lambda path: world.server().post(path, {"consumerId": guest.id, "token": "x"}),
    }
    for end, call in calls.items():
        answers = [call(f"/appointments/{name}{end}") for name in (theirs.pk, ids.new("appt"), "x")]
        assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "APPOINTMENT_NOT_FOUND")}


# --- Calendar files -------------------------------------------------------------------------------
def event_of(who: ConsumerClient, appointment: Any, booking_id: str) -> Any:
    """The one event of the file, read back."""
    answer = who.get(f"{path_of(appointment)}/bookings/{booking_id}.ics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{booking_id}.ics"'
    assert answer.headers["Cache-Control"] == "no-store"
    calendar = Calendar.from_ical(answer.content)
    assert (calendar["VERSION"], len(calendar.walk("VEVENT"))) == ("2.0", 1)
    return calendar.walk("VEVENT")[0]


def test_a_calendar_file(world: World, clock: Any) -> None:
    place = {"name": "Room 4; left", "address": "Hauptstraße 1,\nBerlin"}
    appointment, who = world.appointment(location=place), world.consumer()
    made = booked(appointment, who, NINE)
    event = event_of(who, appointment, made["bookingId"])
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (instant(NINE), instant(on(TOMORROW, "09:30")))
    assert event["DTSTART"].dt.utcoffset() == dt.timedelta()
    assert event["SUMMARY"] == f"The appointment, {world.organization.name}"
    assert event["LOCATION"] == "Room 4; left, Hauptstraße 1,\nBerlin"
    assert made["confirmationCode"] in event["DESCRIPTION"]
    assert (event["STATUS"], event["SEQUENCE"], event["UID"]) == (
        "CONFIRMED", 0, f"{made['bookingId']}@localhost",
    )  # fmt: skip
    move(world, appointment, "complete", who)
    assert event_of(who, appointment, made["bookingId"])["STATUS"] == "CONFIRMED"


def test_the_calendar_file_of_what_was_given_up(world: World, clock: Any) -> None:
    """The same event, of a later version, so that a calendar takes it out."""
    appointment, who = world.appointment(), world.consumer()
    old = booked(appointment, who, NINE)
    before = event_of(who, appointment, old["bookingId"])
    clock.shift(60)
    new = rebook(appointment, who, TEN).json()
    after = event_of(who, appointment, old["bookingId"])
    assert (after["UID"], after["STATUS"], after["SEQUENCE"]) == (before["UID"], "CANCELLED", 1)
    assert after["DTSTAMP"].dt == before["DTSTAMP"].dt + dt.timedelta(seconds=60)
    assert "LOCATION" not in after
    fresh = event_of(who, appointment, new["bookingId"])
    assert (fresh["STATUS"], fresh["DTSTART"].dt) == ("CONFIRMED", instant(TEN))
    assert fresh["UID"] != after["UID"]


def test_somebody_elses_calendar_file_is_not_there(world: World, clock: Any) -> None:
    appointment, who, other = world.appointment(), world.consumer(), world.consumer()
    theirs = booked(appointment, other, NINE)["bookingId"]
    elsewhere = booked(world.appointment(), who, NINE)["bookingId"]
    booked(appointment, who, TEN)
    for named in (theirs, elsewhere, ids.new("booking"), "booking_", "x", theirs.lower()):
        refused = who.get(f"{path_of(appointment)}/bookings/{named}.ics")
        assert_error(refused, 404, "Booking not found", "BOOKING_NOT_FOUND")
