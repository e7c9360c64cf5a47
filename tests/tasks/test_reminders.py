"""What booked people hear: a confirmation, and reminders at the hours that staff have set, once each."""

from typing import Any

import pytest

from consumers import tasks as consumer_tasks
from consumers.models import Consumer, Message
from distributions import tasks
from distributions.appointments import reminders
from distributions.core.models import Distribution
from experiences.models import Event
from fanfare import clock as time
from fanfare.celery import app
from tests.api.mailbox import ADA, PHONE, mails, messages
from tests.appointments import AFTER, TOMORROW, booked, cancel, change, move, on, rebook, refresh
from tests.concurrency.race import race
from tests.world import ConsumerClient, World, loaded

NINE = on(TOMORROW, "09:00")  # a day from now
LATER = on(AFTER, "09:00")  # two days from now
HOUR = 3600


def tick() -> None:
    """What beat does each half minute, by two schedulers, and what sends it."""
    for _ in range(2):
        tasks.tick_reminders()
    consumer_tasks.find_messages()


def heard(address: str = ADA) -> list[str]:
    """What came by mail: the first word of each subject."""
    return [str(letter.subject).partition(":")[0] for letter in mails(address)]


def reminded() -> list[str]:
    """Of how many hours somebody was reminded, in the order in which these were posted."""
    rows = Message.objects.filter(reference__startswith="reminder:").order_by("id")
    return [reference.rpartition(":")[2] for reference in rows.values_list("reference", flat=True)]


def with_booking(world: World, start: str = LATER, **settings: Any) -> tuple[Distribution, ConsumerClient]:
    """An appointment, and Ada who has booked that slot."""
    appointment, ada = world.appointment(**settings), world.member(ADA)
    booked(appointment, ada, start)
    return appointment, ada


# --- The confirmation -----------------------------------------------------------------------------
def test_a_booking_is_confirmed(world: World, clock: Any) -> None:
    appointment, ada = world.appointment(location={"name": "Room 4", "address": "Ring 1"}), world.member(ADA)
    appointment.time_zone = "Europe/Berlin"
    appointment.save(update_fields=["time_zone"])
    made = booked(appointment, ada, LATER)
    booked(appointment, ada, LATER)  # the same again
    tick()
    (letter,) = mails()
    assert letter.subject == "Booked: The appointment, Thursday 3 December 2026, 10:00 (Europe/Berlin)"
    for expected in (
        "You have booked Thursday 3 December 2026, 10:00",
        "Where: Room 4, Ring 1.",
        made["confirmationCode"],
    ):
        assert expected in letter.body


def test_by_sms_where_there_is_no_mail(world: World, clock: Any) -> None:
    appointment, who = world.appointment(), world.member(phone=PHONE)
    code = booked(appointment, who, LATER)["confirmationCode"]
    tick()
    clock.shift(24 * HOUR)
    tick()
    when = "The appointment, Thursday 3 December 2026, 09:00 (UTC)"
    name = world.organization.name
    assert messages() == [f"{name}: {word}. {when}. Code {code}." for word in ("Booked", "Reminder")]


def test_who_has_no_address_hears_nothing(world: World, clock: Any) -> None:
    booked(world.appointment(), world.consumer(), LATER)
    clock.shift(24 * HOUR)
    tick()
    assert not Message.objects.exists()
    clock.shift(23 * HOUR)
    tick()
    assert not Message.objects.exists()


# --- When -----------------------------------------------------------------------------------------
def test_at_each_of_the_hours_that_are_set_once(world: World, clock: Any) -> None:
    with_booking(world)
    tick()
    clock.shift(24 * HOUR - 0.001)
    tick()
    assert heard() == ["Booked"]
    clock.shift(0.001)
    tick()
    tick()
    assert heard() == ["Booked", "Reminder"]
    assert "Your appointment is on Thursday 3 December 2026, 09:00 (UTC)" in mails()[1].body
    clock.shift(23 * HOUR - 0.001)
    tick()
    assert reminded() == ["24"]
    clock.shift(0.001)
    tick()
    clock.shift(HOUR)
    tick()
    assert (heard(), reminded()) == (["Booked", "Reminder", "Reminder"], ["24", "1"])


def test_many_workers_at_once(world: World, clock: Any) -> None:
    with_booking(world)
    booking_id = Message.objects.get().reference.removeprefix("booked:")
    tick()
    clock.shift(24 * HOUR)
    race(8, lambda index: tick() if index % 2 else tasks.remind_booking(booking_id, 24)).all()
    tick()
    assert (heard(), reminded()) == (["Booked", "Reminder"], ["24"])


def test_a_worker_that_comes_late(world: World, clock: Any) -> None:
    """Within six hours it is said all the same; after that the next one is left to say it."""
    with_booking(world)
    clock.shift(30 * HOUR - 0.001)
    tick()
    assert reminded() == ["24"]


def test_a_worker_that_comes_too_late(world: World, clock: Any) -> None:
    with_booking(world)
    clock.shift(30 * HOUR)
    tick()
    assert reminded() == []
    clock.shift(17.5 * HOUR)
    tick()
    assert reminded() == ["1"]
    clock.shift(HOUR)
    tick()
    assert reminded() == ["1"]


def test_of_two_that_are_due_the_nearer_one_is_said_alone(world: World, clock: Any) -> None:
    """No worker from before the first until after the second."""
    with_booking(world, reminder_hours_before=[4, 24, 2])
    clock.shift(46 * HOUR)
    assert [hours for _, hours in reminders.due(time.now())] == [2]
    tick()
    assert reminded() == ["2"]
    booking_id = Message.objects.get(reference__startswith="booked:").reference.removeprefix("booked:")
    tasks.remind_booking(booking_id, 4)  # a message of before that was on its way
    assert reminded() == ["2"]


def test_none_at_the_very_start_nor_after(world: World, clock: Any) -> None:
    with_booking(world, NINE)
    clock.shift(24 * HOUR)
    tick()
    assert reminded() == []
    assert heard() == []  # nor the confirmation, which nobody sent before


def test_a_reminder_that_could_not_go_out_before_the_start_does_not_go_out(world: World, clock: Any) -> None:
    with_booking(world)
    clock.shift(47.5 * HOUR)
    tasks.tick_reminders()
    clock.shift(0.5 * HOUR)
    consumer_tasks.find_messages()
    assert (reminded(), heard()) == (["1"], [])


# --- Of what --------------------------------------------------------------------------------------
def test_what_was_booked_after_it_was_due(world: World, clock: Any) -> None:
    with_booking(world, NINE)  # 24 hours before, on the second
    tick()
    assert reminded() == []
    clock.shift(23 * HOUR)
    tick()
    assert reminded() == ["1"]


@pytest.mark.parametrize("what", ["cancel", "deny"])
def test_what_was_given_up(world: World, clock: Any, what: str) -> None:
    appointment, ada = with_booking(world)
    if what == "cancel":
        cancel(appointment, ada)
    else:
        move(world, appointment, "deny", ada)
    clock.shift(24 * HOUR)
    tick()
    assert reminded() == []


def test_what_was_rebooked(world: World, clock: Any) -> None:
    """The old one is not reminded of, and the new one as if it were the first."""
    appointment, ada = with_booking(world)
    clock.shift(24 * HOUR)
    refresh(world, ada)
    tick()
    rebook(appointment, ada, on("2026-12-04", "10:00"))
    tick()
    assert heard() == ["Booked", "Reminder", "Moved"]
    clock.shift(23 * HOUR)
    tick()
    assert reminded() == ["24"]
    clock.shift(2 * HOUR)
    tick()
    assert reminded() == ["24", "24"]
    assert "Friday 4 December 2026, 10:00" in str(mails()[-1].subject)


def test_other_hours_from_now_on(world: World, clock: Any) -> None:
    appointment, _ = with_booking(world)
    change(appointment, reminder_hours_before=[3])
    clock.shift(24 * HOUR)
    tick()
    assert reminded() == []
    clock.shift(21 * HOUR)
    tick()
    assert reminded() == ["3"]
    change(appointment, reminder_hours_before=[])
    clock.shift(2 * HOUR)
    tick()
    change(appointment, reminder_hours_before=[5, 1])  # five hours before is past, and they know by now
    tick()
    assert reminded() == ["3", "1"]


def test_each_appointment_has_its_own_hours(world: World, clock: Any) -> None:
    with_booking(world, reminder_hours_before=[24])
    with_booking(world, reminder_hours_before=[2])
    booked(world.appointment(reminder_hours_before=[]), world.member("bob@example.com"), LATER)
    clock.shift(24 * HOUR)
    tick()
    assert reminded() == ["24"]
    clock.shift(22 * HOUR)
    tick()
    assert (reminded(), heard("bob@example.com")) == (["24", "2"], ["Booked"])


def test_who_was_erased(world: World, clock: Any) -> None:
    _, ada = with_booking(world)
    Consumer.objects.filter(pk=ada.id).update(email=None)
    clock.shift(24 * HOUR)
    tick()
    assert (reminded(), heard()) == ([], [])


@pytest.mark.parametrize("booking_id", ["", "x", "booking_00000000000000000000000000"])
def test_a_booking_that_is_not_there(world: World, booking_id: str) -> None:
    tasks.remind_booking(booking_id, 24)
    assert not Message.objects.exists()


def test_beat_looks_for_them() -> None:
    scheduled = app.conf.beat_schedule["reminders"]
    assert (scheduled["task"], scheduled["schedule"]) == (tasks.tick_reminders.name, 30)


# --- The doors ------------------------------------------------------------------------------------
def test_opening_and_closing_are_traced_once_and_in_time(world: World, clock: Any) -> None:
    appointment, who = world.appointment(opens_in=60, closes_in=120), world.consumer()

    def traced() -> list[tuple[str, str]]:
        for _ in range(2):
            tasks.tick_doors()
        rows = Event.objects.filter(distribution_id=appointment.pk, consumer_id=None).order_by("id")
        return list(rows.values_list("name", "actor"))

    clock.shift(59.999)
    assert traced() == []
    clock.shift(0.001)
    assert traced() == [("appointment.opened", "system:schedule")]
    booked(appointment, who, NINE)
    clock.shift(59.999)
    assert len(traced()) == 1
    clock.shift(0.001)
    assert traced()[1:] == [("appointment.closed", "system:close_doors")]
    assert loaded(appointment).closed_at == loaded(appointment).close_at
    assert who.status(appointment).json()["status"] == "ADMITTED"  # whoever has booked keeps it
