"""`GET /appointments/:id/slots`: what can be booked on which days, in whose zone, and what is left of it."""

import datetime as dt
from typing import Any

import pytest

from distributions.appointments import blocks
from distributions.appointments.models import Block
from distributions.core.models import Distribution
from fanfare import clock as time
from tests.api.test_rate_limits import numbers, set_limits
from tests.appointments import (
    AFTER,
    TODAY,
    TOMORROW,
    ask,
    booked,
    cancel,
    change,
    instant,
    move,
    offered,
    on,
)  # fmt: skip
from tests.world import World, assert_error, path_of

MORNING = {day: [["09:00", "11:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
FOUR = ["09:00", "09:30", "10:00", "10:30"]


def block(appointment: Distribution, start: str, end: str) -> Block:
    """Staff take a time of tomorrow out."""
    times = (instant(on(TOMORROW, start)), instant(on(TOMORROW, end)))
    return blocks.block(appointment, *times, note="", now=time.now(), actor="staff:1")


def times(world: World, appointment: Distribution, query: str = f"date={TOMORROW}") -> list[str]:
    """When the slots of one day start."""
    return [start[11:16] for start in offered(world, appointment, query)]


def test_the_slots_of_a_day(world: World, clock: Any) -> None:
    appointment = world.appointment(
        opening_hours=MORNING, slot_minutes=45, buffer_minutes=15, places_per_slot=3
    )
    answer = ask(world, appointment, f"date={TOMORROW}")
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    body = answer.json()
    assert (body["appointmentId"], body["timeZone"]) == (appointment.pk, "UTC")
    ids = [slot.pop("id") for slot in body["slots"]]
    assert len(set(ids)) == 2
    assert body["slots"] == [
        {"startTime": on(TOMORROW, start), "endTime": on(TOMORROW, end), "capacity": 3, "available": 3}
        for start, end in (("09:00", "09:45"), ("10:00", "10:45"))
    ]
    again = ask(world, appointment, f"startDate={TOMORROW}&endDate={TOMORROW}").json()
    assert [slot["id"] for slot in again["slots"]] == ids


def test_a_range_is_its_days_one_after_the_other(world: World, clock: Any) -> None:
    appointment = world.appointment(opening_hours=MORNING, furthest_ahead_days=100)
    days = [(dt.date(2026, 12, 2) + dt.timedelta(n)).isoformat() for n in range(62)]
    whole = offered(world, appointment, f"startDate={days[0]}&endDate={days[-1]}")
    parts = [offered(world, appointment, f"date={day}") for day in days]
    assert [start for part in parts for start in part] == list(whole)
    assert len(whole) == 4 * 44  # 62 days less 9 weekends


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "date"), (f"startDate={TOMORROW}", "date"), (f"endDate={TOMORROW}", "date"),
        (f"date={TOMORROW}&startDate={TOMORROW}", "date"), (f"date={TOMORROW}&endDate={TOMORROW}", "date"),
        (f"date={TOMORROW}&startDate={TOMORROW}&endDate={TOMORROW}", "date"),
        (f"startDate={TOMORROW}&endDate={TODAY}", "endDate"),
        ("startDate=2026-12-02&endDate=2027-02-02", "endDate"),
        ("startDate=0001-01-01&endDate=9999-12-31", "endDate"),
        ("date=0001-01-01", "date"), ("date=1999-12-31", "date"), ("date=2200-01-01", "date"),
        ("date=9999-12-31", "date"), ("date=tomorrow", "date"), ("date=2026-13-01", "date"),
        ("date=", "date"),
        ("date=2026-02-29", "date"), ("date=2026-12-02T09:00:00Z", "date"), ("date=%00", "date"),
        (f"date={TOMORROW}&timeZone=Mars/Olympus", "timeZone"), (f"date={TOMORROW}&timeZone=", "timeZone"),
        (f"date={TOMORROW}&timeZone=../../etc/passwd", "timeZone"),
        (f"date={TOMORROW}&timeZone=%00", "timeZone"), (f"date={TOMORROW}&timeZone={'x' * 65}", "timeZone"),
        (f"date={TOMORROW}&timeZone=europe/berlin", "timeZone"),
        (f"date={TOMORROW}&timeZone=localtime", "timeZone"),
        (f"date={TOMORROW}&timeZone=Factory", "timeZone"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly(world: World, clock: Any, query: str, field: str) -> None:
    body = assert_error(ask(world, world.appointment(), query), 400, "Validation failed", "VALIDATION_FAILED")
    assert {detail["field"] for detail in body["details"]} == {field}


def test_days_are_meant_in_the_appointments_zone_unless_said(world: World, clock: Any) -> None:
    appointment = world.appointment(opening_hours={"wed": [["09:00", "17:00"]], "thu": [["09:00", "10:00"]]})
    appointment.time_zone = "Europe/Berlin"
    appointment.save(update_fields=["time_zone"])
    body = ask(world, appointment, f"date={TOMORROW}").json()
    assert body["timeZone"] == "Europe/Berlin"
    assert [body["slots"][n]["startTime"] for n in (0, -1)] == [on(TOMORROW, "08:00"), on(TOMORROW, "15:30")]
    tokyo = ask(world, appointment, f"date={AFTER}&timeZone=Asia/Tokyo").json()
    assert tokyo["timeZone"] == "Asia/Tokyo"
    assert [slot["startTime"] for slot in tokyo["slots"]] == [
        on(TOMORROW, "15:00"), on(TOMORROW, "15:30"), on(AFTER, "08:00"), on(AFTER, "08:30"),
    ]  # fmt: skip
    both = offered(world, appointment, f"startDate={TOMORROW}&endDate={AFTER}&timeZone=Asia/Tokyo")
    assert both == offered(world, appointment, f"startDate={TOMORROW}&endDate={AFTER}")
    assert times(world, appointment, f"date={TOMORROW}&timeZone=Pacific/Kiritimati") == [
        "08:00",
        "08:30",
        "09:00",
        "09:30",
    ]


@pytest.mark.parametrize(("day", "number"), [("2027-03-27", 24), ("2027-03-28", 23), ("2027-10-31", 25)])
def test_days_on_which_the_clocks_are_changed(world: World, clock: Any, day: str, number: int) -> None:
    appointment = world.appointment(slot_minutes=60, furthest_ahead_days=730)
    appointment.time_zone = "Europe/Berlin"
    appointment.save(update_fields=["time_zone"])
    assert len(offered(world, appointment, f"date={day}")) == number


# --- From when, until when ------------------------------------------------------------------------
def test_what_begins_now_or_has_begun_is_not_offered(world: World, clock: Any) -> None:
    appointment = world.appointment()
    assert times(world, appointment, f"date={TODAY}")[0] == "09:30"  # it is nine sharp
    clock.shift(-0.001)
    assert times(world, appointment, f"date={TODAY}")[0] == "09:00"
    assert offered(world, appointment, "date=2026-11-30") == {}


def test_the_least_notice(world: World, clock: Any) -> None:
    appointment = world.appointment(least_notice_minutes=60)
    assert times(world, appointment, f"date={TODAY}")[0] == "10:00"
    clock.shift(0.001)
    assert times(world, appointment, f"date={TODAY}")[0] == "10:30"


def test_how_far_ahead(world: World, clock: Any) -> None:
    appointment = world.appointment(furthest_ahead_days=1)
    assert times(world, appointment)[-1] == "09:00"
    clock.shift(-0.001)
    assert times(world, appointment)[-1] == "08:30"
    assert offered(world, appointment, f"date={AFTER}") == {}


# --- What is left ---------------------------------------------------------------------------------
def test_full_slots_are_shown_as_full(world: World, clock: Any) -> None:
    appointment = world.appointment(opening_hours=MORNING, places_per_slot=2)
    one, two, three = (world.consumer() for _ in range(3))
    booked(appointment, one, on(TOMORROW, "09:30"))
    assert list(offered(world, appointment).values()) == [2, 1, 2, 2]
    booked(appointment, two, on(TOMORROW, "09:30"))
    booked(appointment, three, on(TOMORROW, "10:30"))
    assert list(offered(world, appointment).values()) == [2, 0, 2, 1]
    move(world, appointment, "complete", two)
    assert list(offered(world, appointment).values()) == [2, 0, 2, 1]
    cancel(appointment, one)
    move(world, appointment, "deny", three)
    assert list(offered(world, appointment).values()) == [2, 1, 2, 2]


def test_blocked_times_take_out_each_slot_that_they_reach_into(world: World, clock: Any) -> None:
    appointment = world.appointment(opening_hours=MORNING)
    made = block(appointment, "09:45", "10:15")
    assert times(world, appointment) == ["09:00", "10:30"]
    assert blocks.unblock(made, now=time.now(), actor="staff:1")
    block(appointment, "09:30", "10:00")
    assert times(world, appointment) == ["09:00", "10:00", "10:30"]
    block(appointment, "00:00", "09:01")
    assert times(world, appointment) == ["10:00", "10:30"]
    assert times(world, appointment, f"date={AFTER}") == FOUR
    assert times(world, world.appointment(opening_hours=MORNING)) == FOUR  # another one's


def test_exceptions_and_closed_days(world: World, clock: Any) -> None:
    others: list[dict[str, Any]] = [
        {"date": TOMORROW, "hours": []}, {"date": AFTER, "hours": [["14:00", "14:30"]]},
        {"date": "2026-12-06", "hours": [["09:00", "09:30"]]},
    ]  # fmt: skip
    appointment = world.appointment(opening_hours=MORNING, exceptions=others)
    days = {day: times(world, appointment, f"date=2026-12-0{day}") for day in range(2, 8)}
    assert days == {2: [], 3: ["14:00"], 4: FOUR, 5: [], 6: ["09:00"], 7: FOUR}


def test_hours_that_change_under_a_booking(world: World, clock: Any) -> None:
    """It stays as it is, and takes a place in each of the new slots that it reaches into."""
    appointment, who = world.appointment(opening_hours=MORNING, places_per_slot=2), world.consumer()
    before = booked(appointment, who, on(TOMORROW, "10:00"))
    change(appointment, slot_minutes=20)
    assert offered(world, appointment) == {
        on(TOMORROW, start): left
        for start, left in (
            ("09:00", 2),
            ("09:20", 2),
            ("09:40", 2),
            ("10:00", 1),
            ("10:20", 1),
            ("10:40", 2),
        )
    }
    change(appointment, slot_minutes=120, places_per_slot=1)
    assert offered(world, appointment) == {on(TOMORROW, "09:00"): 0}
    change(appointment, opening_hours={"wed": [["14:00", "16:00"]]})
    assert offered(world, appointment) == {on(TOMORROW, "14:00"): 1}
    shown = who.status(appointment).json()
    assert (shown["startTime"], shown["slotId"]) == (before["startTime"], before["slotId"])


def test_fewer_places_than_bookings(world: World, clock: Any) -> None:
    appointment = world.appointment(opening_hours=MORNING, places_per_slot=3)
    for _ in range(3):
        booked(appointment, world.consumer(), on(TOMORROW, "09:00"))
    change(appointment, places_per_slot=1)
    assert offered(world, appointment)[on(TOMORROW, "09:00")] == 0
    (first, *_) = ask(world, appointment, f"date={TOMORROW}").json()["slots"]
    assert (first["capacity"], first["available"]) == (1, 0)


def test_looks_are_counted(world: World, clock: Any) -> None:
    appointment = world.appointment()
    set_limits(world, statusCheck=2)
    assert [numbers(ask(world, appointment, f"date={TOMORROW}")) for _ in range(2)] == [(2, 1), (2, 0)]
    assert_error(ask(world, appointment, f"date={TOMORROW}"), 429, "Rate limit exceeded")


def test_the_appointment_itself(world: World, clock: Any) -> None:
    place = {"name": "Room 4", "address": "Hauptstraße 1, Berlin"}
    appointment = world.appointment(
        opening_hours=MORNING, exceptions=[{"date": TOMORROW, "hours": []}], location=place,
        places_per_slot=4, least_notice_minutes=5, latest_cancellation_minutes=6, max_bookings_per_consumer=7,
        buffer_minutes=8,
    )  # fmt: skip
    answer = world.shop_front().get(path_of(appointment))
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    body = answer.json()
    expected = {
        "status": "OPEN", "slotMinutes": 30, "bufferMinutes": 8, "placesPerSlot": 4, "openingHours": MORNING,
        "exceptions": [{"date": TOMORROW, "hours": []}], "maxBookingsPerConsumer": 7, "leastNoticeMinutes": 5,
        "furthestAheadDays": 62, "latestCancellationMinutes": 6, "location": place,
    }  # fmt: skip
    assert {name: body.get(name) for name in expected} == expected
    assert world.shop_front().get(path_of(world.appointment(opens_in=5))).json()["status"] == "PENDING"


def test_who_looks_at_many_days_does_so_less_often(world: World, clock: Any) -> None:
    appointment = world.appointment(slot_minutes=1_440)
    many = f"startDate={TOMORROW}&endDate={time.now().date() + dt.timedelta(days=10)}"
    answers = [ask(world, appointment, many) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert_error(answers[-1], 429, "Rate limit exceeded")
    assert ask(world, appointment, f"date={TOMORROW}").status_code == 200
