"""Makers and readers for tests of appointments: bookings, the shop's moves, what is offered and stored."""

import datetime as dt
from typing import Any

from distributions.appointments.models import Appointment, Booking
from distributions.core.models import Distribution, Participation, Status, Tally
from experiences.models import Event
from tests.world import ConsumerClient, World, assert_error, path_of

# The tests' clock begins on Tuesday, 1 December 2026, at 9:00 UTC.
TODAY, TOMORROW, AFTER = "2026-12-01", "2026-12-02", "2026-12-03"


def on(day: str, time: str) -> str:
    """An instant as answers have it: `on(TOMORROW, "09:30")`."""
    return f"{day}T{time}:00Z"


def book(appointment: Distribution, who: ConsumerClient, start: str, **more: Any) -> Any:
    """They book the slot that starts then; `more` goes into the body."""
    return who.post(f"{path_of(appointment)}/book", {"slotTime": start, **more})


def booked(appointment: Distribution, who: ConsumerClient, start: str, **more: Any) -> dict[str, Any]:
    """They have booked that slot; the answer."""
    answer = book(appointment, who, start, **more)
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body.get("status"), body.get("startTime")) == (200, "ADMITTED", start), body
    return body


def rebook(appointment: Distribution, who: ConsumerClient, start: str, booking_id: str = "") -> Any:
    """They book that slot instead of what they have."""
    named = {"bookingId": booking_id} if booking_id else {}
    return who.post(f"{path_of(appointment)}/rebook", {"slotTime": start, **named})


def cancel(appointment: Distribution, who: ConsumerClient, query: str = "") -> Any:
    """They give a booking up."""
    return who.delete(f"{path_of(appointment)}/cancel{query}")


def move(world: World, appointment: Distribution, verb: str, who: ConsumerClient, **more: Any) -> Any:
    """The shop's server moves somebody."""
    body = {"consumerId": who.id, **({"reason": "ADMIN_ACTION"} if verb == "deny" else {}), **more}
    return world.server().post(f"{path_of(appointment)}/{verb}", body)


def ask(world: World, appointment: Distribution, query: str) -> Any:
    """Ask for slots; the answer."""
    return world.shop_front().get(f"{path_of(appointment)}/slots?{query}")


def offered(world: World, appointment: Distribution, query: str = f"date={TOMORROW}") -> dict[str, int]:
    """When the slots of these days start, and how many places each has left."""
    answer = ask(world, appointment, query)
    assert answer.status_code == 200, answer.json()
    slots = answer.json()["slots"]
    found = {slot["startTime"]: slot["available"] for slot in slots}
    assert list(found) == sorted(found) and len(found) == len(slots)
    return found


def change(appointment: Distribution, **settings: Any) -> None:
    """Other settings from now on."""
    Appointment.objects.filter(pk=appointment.pk).update(**settings)


def bookings(appointment: Distribution, who: ConsumerClient) -> list[tuple[str, str]]:
    """All that they ever booked: for when, and what became of it, in the order in which they did."""
    rows = Booking.objects.filter(distribution=appointment, participation__consumer_id=who.id)
    return [
        (f"{row.starts_at:%d %H:%M}", row.participation.deny_reason or row.participation.status)
        for row in rows.select_related("participation").order_by("participation_id")
    ]


def trace(appointment: Distribution, who: ConsumerClient) -> list[str]:
    """What the trace tells of somebody, without what all names begin with."""
    rows = Event.objects.filter(distribution_id=appointment.pk, consumer_id=who.id).order_by("id")
    return [name.removeprefix("appointment.") for name in rows.values_list("name", flat=True)]


def refresh(world: World, *people: ConsumerClient) -> None:
    """Their access tokens are over by now; they have new ones."""
    for who in people:
        body = world.shop_front().post("/auth/refresh", {"refreshToken": who.refresh_token}).json()
        who.refresh_token = body["refreshToken"]
        who.headers["Authorization"] = f"Bearer {body['accessToken']}"


def require_no_slot(answer: Any) -> None:
    """There is none to be booked, and nothing was."""
    assert_error(answer, 404, "Slot not found", "SLOT_NOT_FOUND")


def require_true_counts(appointment: Distribution) -> None:
    """The tally says what the rows say, and each booking is a participation that was admitted."""
    tally = Tally.objects.get(pk=appointment.pk)
    rows = Participation.objects.filter(distribution_id=appointment.pk)
    held = rows.filter(status__in=(Status.ADMITTED, Status.COMPLETED))
    assert tally.taken == held.count()
    assert tally.completed == rows.filter(status=Status.COMPLETED).count()
    assert tally.admitted == tally.entered == Booking.objects.filter(distribution=appointment).count()
    assert not rows.filter(admitted_at__isnull=False, booking=None).exists()


def instant(text: str) -> dt.datetime:
    """The instant that an answer names."""
    return dt.datetime.fromisoformat(text)
