"""An appointment's pages: settings in lines, the calendar, booking for somebody, blocked times, bookings."""

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from consumers.models import Consumer, Message
from distributions.appointments import blocks
from distributions.appointments.models import Block, Booking
from distributions.core.models import Distribution, Status
from experiences.models import Event
from fanfare import clock
from tests.console.conftest import Console, messages_of
from tests.console.pages import DISTRIBUTION, text_of, wrong
from tests.world import World, assert_error, loaded, path_of

BOOKING, BLOCK = "distributions_booking", "distributions_block"
HOURS = {day: [["09:00", "12:30"], ["13:30", "17:00"]] for day in ("mon", "tue", "wed")}
HOURS |= {"sat": [["10:00", "24:00"]]}


def tomorrow(hour: int = 9) -> dt.datetime:
    """A slot of every appointment that tests make."""
    return (clock.now() + dt.timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)


def book(world: World, appointment: Distribution, start: dt.datetime) -> Booking:
    """Somebody new books."""
    answer = world.consumer().post(f"{path_of(appointment)}/book", {"slotTime": start.isoformat()})
    assert answer.status_code == 200, answer.json()
    return Booking.objects.get(pk=answer.json()["bookingId"])


def calendar(console: Console, appointment: Distribution, day: str) -> Any:
    """The page of the week that a day is in."""
    url = reverse(f"admin:{DISTRIBUTION}_press", args=[appointment.pk, "calendar"])
    return console.get(url, day=day)


def cell(page: Any, start: dt.datetime) -> str:
    """What the calendar has at a start: from its mark to the next one."""
    mark, text = f'data-slot="{start:%Y-%m-%d %H:%M}"', page.content.decode()
    assert text.count(mark) == 1
    return str(text.partition(mark)[2].partition("data-slot=")[0])


def split(start: dt.datetime, name: str = "start") -> dict[str, str]:
    """A time as its two fields send it."""
    return {f"{name}_0": f"{start:%Y-%m-%d}", f"{name}_1": f"{start:%H:%M:%S}"}


# --- Settings -------------------------------------------------------------------------------------
def test_hours_are_typed_in_lines(editor: Console, viewer: Console, world: World) -> None:
    page = editor.add(
        DISTRIBUTION, "?kind=appointment", sequence=world.sequence.pk, name="Fitting", slug="fitting",
        opening_hours="mon-wed: 09:00-12:30, 13:30 – 17:00\n\nSat 10:00-24:00\nsun closed",
        exceptions="2031-12-24 closed\n2031-12-31 10:00-14:00", reminder_hours_before="48, 2",
    )  # fmt: skip
    assert "was added successfully" in messages_of(page), page.context["errors"]
    found = loaded(Distribution.objects.get(slug="fitting"))
    assert found.appointment.opening_hours == HOURS
    assert found.appointment.exceptions == [
        {"date": "2031-12-24", "hours": []}, {"date": "2031-12-31", "hours": [["10:00", "14:00"]]}
    ]  # fmt: skip
    assert (found.appointment.reminder_hours_before, found.supports_guest) == ([48, 2], False)
    form = editor.open(DISTRIBUTION, found).context["adminform"].form
    assert form["opening_hours"].value() == "mon-wed 09:00-12:30, 13:30-17:00\nsat 10:00-24:00"
    assert "mon-wed 09:00-12:30, 13:30-17:00" in text_of(viewer.open(DISTRIBUTION, found))
    editor.save(DISTRIBUTION, found)
    assert Event.objects.filter(distribution_id=found.pk).count() == 1  # nothing was changed


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("opening_hours", "mon 9-17"), ("opening_hours", "monday 09:00-17:00"), ("opening_hours", "mon"),
        ("opening_hours", "fri-x 09:00-10:00"), ("opening_hours", "mon 17:00-09:00"),
        ("opening_hours", "mon 09:00-12:00, 11:00-13:00"), ("opening_hours", "mon 09:00-25:00"),
        ("opening_hours", "mon 09:00-10:00\nmon-tue 11:00-12:00"), ("opening_hours", "{}"),
        ("exceptions", "24.12.2031 closed"), ("exceptions", "2031-02-30 closed"),
        ("exceptions", "2031-12-24"),
        ("exceptions", "2031-12-24 closed\n2031-12-24 09:00-10:00"),
        ("slot_minutes", "4"), ("slot_minutes", "1441"), ("places_per_slot", "0"), ("buffer_minutes", "-1"),
        ("reminder_hours_before", "0"), ("reminder_hours_before", "1,1"), ("reminder_hours_before", "x"),
        ("furthest_ahead_days", "731"), ("location", '{"room": "4"}'), ("location", "[4]"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_its_field(editor: Console, world: World, field: str, text: str) -> None:
    appointment = world.appointment()
    before = loaded(appointment).appointment.opening_hours
    assert wrong(editor.save(DISTRIBUTION, appointment, **{field: text})) == [field]
    assert loaded(appointment).appointment.opening_hours == before


def test_nothing_stands_for_nothing(editor: Console, world: World) -> None:
    appointment = world.appointment(location={"name": "Room 4"})
    editor.save(DISTRIBUTION, appointment, opening_hours="", exceptions=" ", location="[]")
    found = loaded(appointment).appointment
    assert (found.opening_hours, found.exceptions, found.location) == ({}, [], None)
    assert world.shop_front().get(path_of(appointment)).json()["location"] is None


def test_a_span_may_go_over_the_weekend(editor: Console, world: World) -> None:
    appointment = world.appointment()
    editor.save(DISTRIBUTION, appointment, opening_hours="sat-mon 09:00-10:00")
    assert set(loaded(appointment).appointment.opening_hours) == {"sat", "sun", "mon"}


# --- The calendar ---------------------------------------------------------------------------------
def test_the_calendar_shows_who_is_where(editor: Console, viewer: Console, world: World) -> None:
    appointment, start = world.appointment(places_per_slot=2), tomorrow()
    booking = book(world, appointment, start)
    Consumer.objects.filter(participations__booking=booking).update(full_name="Ada <b>Lovelace")
    page = calendar(editor, appointment, f"{start:%Y-%m-%d}")
    found = cell(page, start)
    assert 'data-state="free"' in found
    assert "1/2" in found
    assert "Ada &lt;b&gt;Lovelace" in found
    assert f"?start={start:%Y-%m-%dT%H}%3A00%3A00Z" in found
    assert page.content.decode().count("data-day=") == 7
    assert ">Book<" not in calendar(viewer, appointment, f"{start:%Y-%m-%d}").content.decode()


@pytest.mark.parametrize("day", ["", "x", "2026-02-30", "0001-01-01", "9999-12-31", "99999-01-01"])
def test_a_day_that_is_none_is_today(editor: Console, world: World, day: str) -> None:
    page = calendar(editor, world.appointment(), day)
    assert page.status_code == 200
    assert f'data-day="{clock.now():%Y-%m-%d}"' in page.content.decode()


def test_a_stranger_sees_no_calendar(stranger: Console, world: World) -> None:
    appointment = world.appointment()
    assert calendar(stranger, appointment, "").status_code == 302
    for verb in ("book", "block"):
        assert "Start" not in text_of(stranger.press(DISTRIBUTION, appointment, verb))


def test_bookings_outlive_changed_hours_and_are_shown(editor: Console, world: World) -> None:
    appointment, start = world.appointment(), tomorrow()
    booking = book(world, appointment, start)
    editor.save(DISTRIBUTION, appointment, opening_hours="mon-sun 12:00-18:00")
    page = calendar(editor, appointment, f"{start:%Y-%m-%d}")
    assert 'data-state="conflict"' in cell(page, start)
    assert 'data-conflicts="1"' in page.content.decode()
    assert "outside the present hours" in text_of(page)
    booking.participation.refresh_from_db()
    assert booking.participation.status == Status.ADMITTED


# --- Booking for somebody -------------------------------------------------------------------------
def test_whoever_calls_is_booked_and_found_again(editor: Console, world: World) -> None:
    appointment, start = world.appointment(least_notice_minutes=60 * 24 * 7), tomorrow()
    page = editor.press(
        DISTRIBUTION, appointment, "book", who="Ada@Example.com", full_name="Ada", **split(start)
    )
    booking = Booking.objects.get()
    assert booking.code in messages_of(page)
    ada = booking.participation.consumer
    assert (ada.email, ada.email_verified_at, ada.full_name, ada.is_guest) == (
        "ada@example.com",
        None,
        "Ada",
        False,
    )
    actors = Event.objects.filter(consumer_id=ada.pk).values_list("actor", flat=True).distinct()
    assert list(actors) == [editor.actor]
    assert Message.objects.get().reference == f"booked:{booking.pk}"
    again = editor.press(DISTRIBUTION, appointment, "book", who=ada.pk, **split(start))
    assert booking.code in messages_of(again)
    late = editor.press(DISTRIBUTION, appointment, "book", who="+49 151 12345678", **split(start))
    assert "Slot is full" in messages_of(late)
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    ("who", "problem"),
    [
        ("nobody", "An e-mail address"),
        ("cons_01ARZ3NDEKTSV4RRFFQ69G5FAV", "no such consumer"),
        ("a@b", "An e-mail"),
    ],
)
def test_whom_nobody_can_be(editor: Console, world: World, who: str, problem: str) -> None:
    page = editor.press(DISTRIBUTION, world.appointment(), "book", who=who, **split(tomorrow()))
    assert problem in str(page.context["form"].errors["who"])
    assert not Booking.objects.exists()


def test_staff_book_while_it_is_paused_and_no_longer_when_closed(editor: Console, world: World) -> None:
    appointment = world.appointment()
    editor.press(DISTRIBUTION, appointment, "pause")
    editor.press(DISTRIBUTION, appointment, "book", who="ada@example.com", **split(tomorrow()))
    assert Booking.objects.count() == 1
    editor.press(DISTRIBUTION, appointment, "close", reason="Over", post="yes")
    editor.press(DISTRIBUTION, appointment, "book", who="bob@example.com", **split(tomorrow(10)))
    assert Booking.objects.count() == 1


# --- Blocked times --------------------------------------------------------------------------------
def test_a_blocked_time_is_not_offered_until_it_is_given_back(editor: Console, world: World) -> None:
    appointment, start = world.appointment(), tomorrow()
    inside = book(world, appointment, start)
    until = start + dt.timedelta(minutes=70)
    times = {**split(start, "starts_at"), **split(until, "ends_at")}
    page = editor.press(DISTRIBUTION, appointment, "block", note="Dentist", **times)
    assert "made before, 1, stay" in messages_of(page)
    shown = world.shop_front().get(f"{path_of(appointment)}/slots?date={start:%Y-%m-%d}").json()["slots"]
    starts = {slot["startTime"][11:16] for slot in shown}
    assert not {"09:00", "09:30", "10:00"} & starts
    assert {"08:30", "10:30"} <= starts
    taken = {"slotTime": (start + dt.timedelta(minutes=30)).isoformat()}
    assert_error(world.consumer().post(f"{path_of(appointment)}/book", taken), 404, "Slot not found")
    page = calendar(editor, appointment, f"{start:%Y-%m-%d}")
    assert "in a blocked time" in cell(page, start)
    assert "blocked: Dentist" in cell(page, start + dt.timedelta(minutes=60))
    editor.press(BLOCK, Block.objects.get(), "give-back")
    assert world.consumer().post(f"{path_of(appointment)}/book", taken).status_code == 200
    assert inside.code in calendar(editor, appointment, f"{start:%Y-%m-%d}").content.decode()
    told = [
        event.data for event in Event.objects.filter(distribution_id=appointment.pk, name="settings.changed")
    ]
    assert ["blocked" in one or "unblocked" in one for one in told] == [True, True]


def test_a_block_must_end_after_its_start(editor: Console, world: World) -> None:
    start = tomorrow()
    times = {**split(start, "starts_at"), **split(start, "ends_at")}
    page = editor.press(DISTRIBUTION, world.appointment(), "block", **times)
    assert "ends_at" in page.context["form"].errors
    assert not Block.objects.exists()


# --- Bookings -------------------------------------------------------------------------------------
def test_a_code_finds_its_booking(viewer: Console, world: World) -> None:
    appointment = world.appointment()
    booking, other = book(world, appointment, tomorrow()), book(world, appointment, tomorrow(10))
    typed = f" {booking.code[:4].lower()}-{booking.code[4:].lower()} "
    page = viewer.list(BOOKING, q=typed).content.decode()
    assert booking.pk in page
    assert other.pk not in page


def test_checking_in_and_cancelling(editor: Console, viewer: Console, world: World) -> None:
    appointment = world.appointment()
    here, gone = book(world, appointment, tomorrow()), book(world, appointment, tomorrow(10))
    Consumer.objects.filter(participations__booking=gone).update(email="ada@example.com")
    assert viewer.press(BOOKING, here, "check-in").status_code == 403
    assert "is checked in" in messages_of(editor.press(BOOKING, here, "check-in"))
    assert "is cancelled" in messages_of(editor.press(BOOKING, gone, "cancel", reason="ill"))
    here.participation.refresh_from_db()
    gone.refresh_from_db()
    assert here.participation.status == Status.COMPLETED
    assert (gone.participation.status, gone.reason) == (Status.LEFT, "ill")
    assert Message.objects.filter(reference=f"cancelled:{gone.pk}").exists()
    assert "no longer possible" in messages_of(editor.press(BOOKING, gone, "cancel", reason="again"))
    book(world, appointment, tomorrow(10))


def test_a_viewer_only_looks_and_a_stranger_does_not(
    viewer: Console, stranger: Console, world: World
) -> None:
    appointment, start = world.appointment(), tomorrow()
    booking = book(world, appointment, start)
    block = blocks.block(
        appointment, tomorrow(12), tomorrow(13), note="", now=clock.now(), actor="system:test"
    )  # fmt: skip
    for who, refused in ((viewer, {403}), (stranger, {200})):  # a stranger is led back: it is not there
        times = {**split(start, "starts_at"), **split(tomorrow(11), "ends_at")}
        answers = [
            who.press(DISTRIBUTION, appointment, "book", who="ada@example.com", **split(tomorrow(10))),
            who.press(DISTRIBUTION, appointment, "block", **times),
            who.press(BLOCK, block, "give-back"),
            who.press(BOOKING, booking, "check-in"),
            who.press(BOOKING, booking, "cancel", reason="x"),
        ]
        assert {answer.status_code for answer in answers} == refused
    booking.participation.refresh_from_db()
    assert booking.participation.status == Status.ADMITTED
    assert (Booking.objects.count(), Block.objects.count()) == (1, 1)
