"""A worker dies at any statement of a booking, a rebooking, a cancellation or a merger: nothing is half made.

Each deed is tried again and again, dying one statement later each time, until it gets through; after each
death all tables are as they were, and the deed that gets through at last does all of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from consumers.models import Consumer, Message
from distributions import merging, privacy, tasks
from distributions.appointments import blocks, rules, setup
from distributions.appointments.models import Appointment, Block, Booking
from distributions.core import live
from distributions.core import statements as moves
from distributions.core.models import Distribution, Participation, Tally
from experiences.models import Event
from fanfare import clock as time
from tests.bookings import asked, book, bookings_of, cancel, require_true_bookings, slot
from tests.draws import WorkerDied, dies
from tests.lines import make_consumers
from tests.world import World, loaded, path_of

BY: dict[str, Any] = {"actor": "staff:1"}
MOST = 120  # statements of one deed


def snapshot(appointment: Distribution) -> Any:
    """All that is stored of an appointment, and what its people are sent."""
    found: list[Any] = []
    for model, key in (
        (Appointment, "pk"),
        (Tally, "pk"),
        (Participation, "distribution"),
        (Booking, "distribution"),
        (Block, "distribution"),
        (Event, "distribution_id"),
    ):
        found += model._default_manager.filter(**{key: appointment.pk}).order_by("pk").values_list()
    found += Message.objects.order_by("pk").values_list("reference", "consumer")
    found += Consumer.objects.order_by("pk").values_list("pk", "merged_into", "erased_at")
    return [[bytes(one) if isinstance(one, memoryview) else one for one in row] for row in found]


@contextmanager
def dying_after(lasts: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Die before the statement after so many: the ORM's, or those of the moves."""
    left, run = [lasts], moves._run

    def one_less() -> None:
        if not left[0]:
            raise WorkerDied
        left[0] -= 1

    def orm(execute: Any, *about: Any) -> Any:
        one_less()
        return execute(*about)

    def move(*about: Any) -> Any:
        one_less()
        return run(*about)

    with monkeypatch.context() as patch, connection.execute_wrapper(orm):
        patch.setattr(moves, "_run", move)
        yield


def try_until_done(appointment: Distribution, deed: Callable[[], Any], patch: pytest.MonkeyPatch) -> int:
    """How often the worker died; after each death all is as it was, and after the last try it is not."""
    before = snapshot(appointment)
    for lasts in range(MOST):
        try:
            with dying_after(lasts, patch):
                deed()
        except WorkerDied:
            assert snapshot(appointment) == before, lasts
        else:
            assert snapshot(appointment) != before
            require_true_bookings(appointment)
            return lasts
    raise AssertionError("It never got through.")


@pytest.fixture
def appointment(world: World, clock: Any) -> Distribution:
    """Somebody else has a booking in it."""
    found = world.appointment(max_bookings_per_consumer=2, max_entries_per_fingerprint=3)
    book(found, make_consumers(world, 1)[0], slot())
    clock.shift(1)
    return found


@pytest.fixture
def ada(world: World) -> str:
    """Can be reached by mail."""
    found: str = world.member("ada@example.com").id
    return found


def references() -> list[str]:
    """What was posted, without the booking's id."""
    rows = Message.objects.order_by("pk").values_list("reference", flat=True)
    return [reference.partition(":")[0] for reference in rows]


def test_a_booking(appointment: Distribution, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry, booking, counter, trace and confirmation: all or nothing."""
    deaths = try_until_done(
        appointment, lambda: book(appointment, ada, slot(1), fingerprint=b"f" * 16), monkeypatch
    )
    assert deaths >= 8
    assert bookings_of(appointment, ada) == [(slot(1), "ADMITTED")]
    assert references() == ["booked"]


def test_a_rebooking(appointment: Distribution, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never both, never none."""
    book(appointment, ada, slot(1))
    deed = lambda: rules.rebook(appointment, asked(ada, slot(2)), "")  # noqa: E731
    assert try_until_done(appointment, deed, monkeypatch) >= 8
    assert bookings_of(appointment, ada) == [(slot(1), "LEFT"), (slot(2), "ADMITTED")]


def test_a_cancellation(appointment: Distribution, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    book(appointment, ada, slot(1))
    try_until_done(appointment, lambda: cancel(appointment, ada, reason="ill"), monkeypatch)
    assert bookings_of(appointment, ada) == [(slot(1), "LEFT")]
    assert Booking.objects.get(participation__consumer=ada).reason == "ill"


def test_a_cancellation_by_staff(
    appointment: Distribution, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the message that tells of it."""
    book(appointment, ada, slot(1))
    deed = lambda: rules.cancel(appointment, asked(ada, slot(1), is_staff=True), "")  # noqa: E731
    try_until_done(appointment, deed, monkeypatch)
    assert references() == ["booked", "cancelled"]


def test_a_reminder(appointment: Distribution, ada: str, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Posted once, however often its worker died before."""
    book(appointment, ada, slot(40))
    clock.move_to(slot(39))
    (due,) = Booking.objects.filter(participation__consumer=ada)
    try_until_done(appointment, lambda: tasks.remind_booking(due.pk, 1), monkeypatch)
    tasks.tick_reminders()
    assert references() == ["booked", "reminder"]


def test_a_block(appointment: Distribution, monkeypatch: pytest.MonkeyPatch) -> None:
    trail: Any = {**BY, "now": time.now()}
    try_until_done(
        appointment, lambda: blocks.block(appointment, slot(1), slot(2), note="", **trail), monkeypatch
    )
    try_until_done(appointment, lambda: blocks.unblock(Block.objects.get(), **trail), monkeypatch)


def test_a_change_of_hours(appointment: Distribution, monkeypatch: pytest.MonkeyPatch) -> None:
    hours = {"opening_hours": {"mon": [["09:00", "12:00"]]}, "slot_minutes": 45}
    deed = lambda: setup.SETTINGS.update(loaded(appointment), hours, now=time.now(), **BY)  # noqa: E731
    try_until_done(appointment, deed, monkeypatch)


def test_a_merger(world: World, appointment: Distribution, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One goes along, another one leaves, and both stand so in the trace."""
    (guest,) = make_consumers(world, 1)
    for who, numbers in ((guest, (1, 2)), (ada, (3,))):
        for number in numbers:
            book(appointment, who, slot(number))

    def merge() -> None:
        with transaction.atomic():
            merging.merge(guest, Consumer.objects.get(pk=ada), now=time.now())

    try_until_done(appointment, merge, monkeypatch)
    assert bookings_of(appointment, ada) == [(slot(1), "ADMITTED"), (slot(2), "ADMITTED"), (slot(3), "LEFT")]


def test_erasing(appointment: Distribution, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    book(appointment, ada, slot(1))
    person = Consumer.objects.get(pk=ada)
    try_until_done(appointment, lambda: privacy.erase(person, now=time.now(), **BY), monkeypatch)
    assert bookings_of(appointment, ada) == [(slot(1), "LEFT")]


def test_a_death_after_the_commit_loses_no_booking(
    world: World, appointment: Distribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis never hears of it; the booking counts, and is answered as the first when it comes again."""
    person, body = world.consumer(), {"slotTime": slot(1).isoformat()}
    path = f"/api/v1{path_of(appointment)}/book"
    with monkeypatch.context() as patch:
        patch.setattr(live, "push", dies)
        answer: Any = person.client.post(path, body, "application/json", headers=person.headers)
        assert answer.status_code == 500
    again = person.post(f"{path_of(appointment)}/book", body).json()
    assert again["status"] == person.status(appointment).json()["status"] == "ADMITTED"
    assert require_true_bookings(appointment, limit=1).entered == 2
