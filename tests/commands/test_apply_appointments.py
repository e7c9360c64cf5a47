"""`manage.py apply`: appointments in a file: their settings, what is wrong, what changes and what stays."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from distributions import tasks
from distributions.appointments.models import Appointment, Booking
from distributions.core.models import Distribution, Tally
from experiences.models import Event
from tests.appointments import TOMORROW, booked, offered, on
from tests.commands.test_apply import apply
from tests.conftest import START
from tests.world import World

pytestmark = pytest.mark.usefixtures("transactional_db", "clock")

APPOINTMENT = "experiences[0].sequences[0].appointments[0]"
EVERYTHING = (
    "openAt: now-1m, closeAt: now+10d, slotMinutes: 45, bufferMinutes: 15, placesPerSlot: 3, "
    'openingHours: {mon: [["09:00", "12:00"], ["13:00", "24:00"]], sun: []}, '
    'exceptions: [{date: 2026-12-24, hours: []}, {date: "2026-12-27", hours: [["10:00", "11:00"]]}], '
    "maxBookingsPerConsumer: 2, leastNoticeMinutes: 60, furthestAheadDays: 90, "
    "latestCancellationMinutes: 120, reminderHoursBefore: [48, 2], "
    "location: {name: Room 4, address: Ring 1}, supportsGuest: true, maxEntriesPerFingerprint: 3, "
    "timeZone: Asia/Tokyo, metadata: {sku: A}"
)


def with_appointment(settings: str = "") -> str:
    """A file whose appointment has these settings beside slug and name."""
    name = "" if "name: The" in settings or settings.startswith("name: ") else "name: The visit, "
    return f"""
organization: {{slug: shop, name: Shop}}
experiences: [{{slug: drop, name: Drop, sequences: [{{slug: everyone, name: Everyone,
  appointments: [{{slug: visit, {name}{settings}}}]}}]}}]
"""


def the_appointment() -> Distribution:
    return Distribution.objects.select_related("appointment", "tally", "sequence", "organization").get()


def line_of(printed: str) -> str:
    """What is said of the appointment."""
    (line,) = [line for line in printed.splitlines() if "drop/everyone/visit" in line]
    return " ".join(line.split())


def everything() -> list[Any]:
    tables = (Distribution, Tally, Appointment, Booking, Event, Appointment.history.model)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


def refusal(tmp_path: Path, text: str) -> dict[str, str]:
    """What was wrong, by path; nothing may have changed."""
    before = everything()
    with pytest.raises(CommandError) as problem:
        apply(tmp_path, text)
    assert everything() == before
    first, *lines = str(problem.value).splitlines()
    assert first == "Nothing was changed."
    parts = [line.removeprefix(f"{tmp_path}/drop.yaml: ").partition(": ") for line in lines]
    return {path: said for path, _, said in parts}


def world_of(tmp_path: Path, text: str) -> World:
    """The shop that the file makes."""
    made = json.loads(apply(tmp_path, text, "--json"))["organization"]
    found = the_appointment()
    return World(found.organization, found.sequence, made["publishableKey"], made["secretKey"])


def test_every_setting_is_kept(tmp_path: Path) -> None:
    assert line_of(apply(tmp_path, with_appointment(EVERYTHING))) == "created appointment drop/everyone/visit"
    found = the_appointment()
    kept = found.appointment
    assert (kept.slot_minutes, kept.buffer_minutes, kept.places_per_slot) == (45, 15, 3)
    assert kept.opening_hours == {"mon": [["09:00", "12:00"], ["13:00", "24:00"]], "sun": []}
    assert kept.exceptions == [
        {"date": "2026-12-24", "hours": []}, {"date": "2026-12-27", "hours": [["10:00", "11:00"]]},
    ]  # fmt: skip
    assert (kept.max_bookings_per_consumer, kept.least_notice_minutes) == (2, 60)
    assert (kept.furthest_ahead_days, kept.latest_cancellation_minutes) == (90, 120)
    assert (kept.reminder_hours_before, kept.location) == ([48, 2], {"name": "Room 4", "address": "Ring 1"})
    assert (found.supports_guest, found.max_entries_per_fingerprint) == (True, 3)
    assert (found.time_zone, found.metadata, found.tally.places) == ("Asia/Tokyo", {"sku": "A"}, None)
    times = (START - dt.timedelta(minutes=1), START + dt.timedelta(days=10))
    assert (found.open_at, found.close_at) == times


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    apply(tmp_path, with_appointment())
    found = the_appointment()
    kept = found.appointment
    assert (kept.slot_minutes, kept.buffer_minutes, kept.places_per_slot) == (30, 0, 1)
    assert (kept.opening_hours, kept.exceptions, kept.location) == ({}, [], None)
    assert (kept.max_bookings_per_consumer, kept.least_notice_minutes) == (1, 0)
    assert (kept.furthest_ahead_days, kept.latest_cancellation_minutes) == (62, 0)
    assert (kept.reminder_hours_before, found.supports_guest) == ([24, 1], False)


WRONG_HOURS = [
    "[]", "9-17", "{monday: []}", "{mon: 9}", "{mon: [9]}", '{mon: [["09:00"]]}',
    '{mon: [["9:00", "12:00"]]}',
    '{mon: [["09:00", "09:00"]]}', '{mon: [["12:00", "09:00"]]}', '{mon: [["00:00", "24:01"]]}',
    '{mon: [["09:00", "12:00", "13:00"]]}', '{mon: [["09:00", "12:00"], ["11:59", "13:00"]]}',
    "{mon: null}", "{mon: [[540, 720]]}", '{mon: [["09:00", "25:00"]]}', '{mon: [["24:00", "24:00"]]}',
]  # fmt: skip
WRONG_EXCEPTIONS = [
    "{}", "2026-12-24", '["2026-12-24"]', '[{date: "2026-12-24"}]', "[{hours: []}]",
    '[{date: "2026-02-29", hours: []}]', '[{date: "24.12.2026", hours: []}]', "[{date: 20261224, hours: []}]",
    '[{date: "2026-12-24", hours: [], note: x}]', '[{date: "2026-12-24", hours: [["09:00", "08:00"]]}]',
    '[{date: "2026-12-24", hours: []}, {date: "2026-12-24", hours: []}]',
    '[{date: "2026-12-24", hours: null}]',
]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ("slotMinutes: 4", "slotMinutes"), ("slotMinutes: 1441", "slotMinutes"),
        ("slotMinutes: null", "slotMinutes"), ("slotMinutes: half", "slotMinutes"),
        ("slotMinutes: 7.5", "slotMinutes"), ("bufferMinutes: -1", "bufferMinutes"),
        ("bufferMinutes: 1441", "bufferMinutes"), ("placesPerSlot: 0", "placesPerSlot"),
        ("placesPerSlot: 10001", "placesPerSlot"), ("maxBookingsPerConsumer: 0", "maxBookingsPerConsumer"),
        ("maxBookingsPerConsumer: 1001", "maxBookingsPerConsumer"),
        ("leastNoticeMinutes: -1", "leastNoticeMinutes"), ("leastNoticeMinutes: true", "leastNoticeMinutes"),
        ("leastNoticeMinutes: 2881, furthestAheadDays: 2", "leastNoticeMinutes"),
        ("furthestAheadDays: 0", "furthestAheadDays"), ("furthestAheadDays: 731", "furthestAheadDays"),
        ("latestCancellationMinutes: -1", "latestCancellationMinutes"),
        ("latestCancellationMinutes: 525601", "latestCancellationMinutes"),
        ("reminderHoursBefore: [0]", "reminderHoursBefore"),
        ("reminderHoursBefore: 24", "reminderHoursBefore"),
        ("reminderHoursBefore: [721]", "reminderHoursBefore"),
        ("reminderHoursBefore: [1, 1]", "reminderHoursBefore"),
        ("reminderHoursBefore: [1.5]", "reminderHoursBefore"),
        ("reminderHoursBefore: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]", "reminderHoursBefore"),
        ("location: Room 4", "location"), ("location: {address: Ring 1}", "location"),
        ("location: {name: 4}", "location"), ("location: {name: Room 4, floor: one}", "location"),
        ("openAt: now+1h, closeAt: now", "closeAt"), ("capacity: 5", "capacity"),
        ("timeZone: Mars/Olympus", "timeZone"), ("timeZone: localtime", "timeZone"),
        ("name: \"The\\r\\nBcc: x@y.z\"", "name"), ("name: \"The\\u2028end\"", "name"),
        *((f"openingHours: {hours}", "openingHours") for hours in WRONG_HOURS),
        *((f"exceptions: {others}", "exceptions") for others in WRONG_EXCEPTIONS),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, settings: str, wrong: str) -> None:
    assert list(refusal(tmp_path, with_appointment(settings))) == [f"{APPOINTMENT}.{wrong}"]


def test_the_same_file_again_changes_nothing_whatever_became_of_it(tmp_path: Path, clock: Any) -> None:
    text = with_appointment(EVERYTHING.replace("Asia/Tokyo", "UTC").replace("mon:", "wed:"))
    world = world_of(tmp_path, text)

    def require_unchanged() -> None:
        before = everything()
        for options in ((), ("--dry-run",)):
            assert line_of(apply(tmp_path, text, *options)) == "unchanged appointment drop/everyone/visit"
        assert everything() == before

    require_unchanged()
    booked(the_appointment(), world.consumer(), on(TOMORROW, "09:00"))
    for days in (0, 5, 10):
        clock.shift(days * 86_400)
        tasks.tick_doors()
        tasks.expire_admissions()
        require_unchanged()
    assert the_appointment().closed_at is not None


def test_what_differs_is_changed_kept_in_the_history_and_traced(tmp_path: Path) -> None:
    apply(tmp_path, with_appointment("slotMinutes: 30, reminderHoursBefore: [24]"))
    last = Event.objects.order_by("-id")[0].pk
    changed = 'slotMinutes: 20, reminderHoursBefore: [], openingHours: {mon: [["09:00", "10:00"]]}'
    head, _, told = line_of(apply(tmp_path, with_appointment(changed))).partition(": ")
    assert head == "updated appointment drop/everyone/visit"
    assert "slotMinutes 30 → 20" in told
    (event,) = Event.objects.filter(id__gt=last)
    assert (event.name, event.actor) == ("settings.changed", "system:apply")
    assert event.data["before"] == {"slotMinutes": 30, "reminderHoursBefore": [24], "openingHours": {}}
    assert event.data["after"] == {
        "slotMinutes": 20, "reminderHoursBefore": [], "openingHours": {"mon": [["09:00", "10:00"]]},
    }  # fmt: skip
    history = Appointment.history.order_by("history_id")
    assert [(row.slot_minutes, row.reminder_hours_before) for row in history] == [(30, [24]), (20, [])]


def test_hours_that_change_leave_the_bookings(tmp_path: Path, clock: Any) -> None:
    always = 'supportsGuest: true, openingHours: {wed: [["09:00", "12:00"]]}'
    world = world_of(tmp_path, with_appointment(always))
    who = world.consumer()
    before = booked(the_appointment(), who, on(TOMORROW, "09:30"))
    apply(tmp_path, with_appointment(f"{always}, slotMinutes: 60"))
    assert offered(world, the_appointment()) == {
        on(TOMORROW, "09:00"): 0, on(TOMORROW, "10:00"): 1, on(TOMORROW, "11:00"): 1,
    }  # fmt: skip
    assert before.items() <= who.status(the_appointment()).json().items()


def test_what_has_closed_is_fixed_but_for_the_rest(tmp_path: Path, clock: Any) -> None:
    apply(tmp_path, with_appointment("closeAt: now+10m"))
    clock.shift(600)
    tasks.tick_doors()
    times = {"closeAt": '"2026-12-01T10:00:00Z"', "openAt": '"2026-12-01T08:00:00Z"'}
    for name, value in times.items():
        found = refusal(tmp_path, with_appointment(f"{name}: {value}"))
        assert found == {f"{APPOINTMENT}.{name}": "It has closed for good; make a new one."}
    said = line_of(apply(tmp_path, with_appointment("location: {name: Room 5}, placesPerSlot: 2")))
    assert said.startswith("updated appointment drop/everyone/visit: ")


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    before = everything()
    text = with_appointment(EVERYTHING)
    assert line_of(apply(tmp_path, text, "--dry-run")).startswith("created appointment")
    planned = json.loads(apply(tmp_path, text, "--dry-run", "--json"))
    assert planned["experiences"]["drop"]["sequences"]["everyone"]["appointments"] == {"visit": None}
    assert everything() == before
