"""Makers and readers for tests of appointments: bookings by name, what is stored, the trace played again."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q

from distributions.appointments import rules
from distributions.appointments.bookings import Ask
from distributions.appointments.models import Booking
from distributions.core.models import Distribution, Participation, Status, Tally
from distributions.core.standing import Standing
from experiences.models import Event
from fanfare import clock
from tests.world import ConsumerClient, World, path_of

HOLDING = (Status.ADMITTED, Status.COMPLETED)
GIVEN_UP = ("appointment.cancelled", "appointment.denied")
HALF_HOUR = dt.timedelta(minutes=30)


def slot(number: int = 0) -> dt.datetime:
    """When the so-and-so-many-th half hour of tomorrow starts, in UTC."""
    tomorrow = (clock.now() + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return tomorrow + number * HALF_HOUR


def asked(who: str, start: dt.datetime, now: dt.datetime | None = None, **more: Any) -> Ask:
    """A consumer's wish for a slot."""
    return Ask(who, start, now or clock.now(), f"consumer:{who}", **more)


def book(appointment: Distribution, who: str, start: dt.datetime, **more: Any) -> Standing:
    return rules.book(appointment, asked(who, start, **more))


def cancel(appointment: Distribution, who: str, booking_id: str = "", *, reason: str = "") -> Booking:
    return rules.cancel(appointment, asked(who, clock.now()), booking_id, reason=reason)


def booked(appointment: Distribution, who: ConsumerClient, start: dt.datetime) -> dict[str, Any]:
    """They have a booking, over HTTP; the answer."""
    answer = who.post(f"{path_of(appointment)}/book", {"slotTime": start.isoformat()})
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body.get("status")) == (200, "ADMITTED"), body
    return body


def move(world: World, appointment: Distribution, verb: str, who: ConsumerClient, **more: Any) -> Any:
    """The shop's server moves somebody."""
    body = {"consumerId": who.id, **({"reason": "ADMIN_ACTION"} if verb == "deny" else {}), **more}
    return world.server().post(f"{path_of(appointment)}/{verb}", body)


def bookings_of(appointment: Distribution, consumer_id: str) -> list[tuple[dt.datetime, str]]:
    """All that somebody ever booked, by start: when, and what became of it."""
    rows = Booking.objects.filter(distribution=appointment, participation__consumer_id=consumer_id)
    ordered = rows.select_related("participation").order_by("starts_at", "participation_id")
    return [(row.starts_at, row.participation.deny_reason or row.participation.status) for row in ordered]


def held(appointment: Distribution) -> Counter[dt.datetime]:
    """How many places are taken, by the start of the slot."""
    rows = Booking.objects.filter(distribution=appointment, participation__status__in=HOLDING)
    return Counter(rows.values_list("starts_at", flat=True))


def history(appointment: Distribution) -> Iterator[tuple[Event, Booking | None]]:
    """The trace in its order, which is that of the commits; with each event the booking that it tells of.

    Nobody may have two that end at one instant, so time must not stand still.
    """
    made: dict[Any, Booking] = {}
    ended: dict[Any, Booking] = {}
    for row in Booking.objects.filter(distribution=appointment).select_related("participation"):
        one = row.participation
        made[one.place] = ended[one.consumer_id, one.status, one.ended_at] = row
    for event in Event.objects.filter(distribution_id=appointment.pk).order_by("id"):
        told = event.data.get("to")
        if event.name == "appointment.booked":
            yield event, made[event.data["place"]]
        else:
            yield event, ended.get((event.consumer_id, told, event.at))


def most_held_ever(appointment: Distribution) -> int:
    """The most places of one slot that were taken at any time, by the trace played again."""
    taken, most = Counter[dt.datetime](), 0
    for event, booking in history(appointment):
        if booking is None:
            continue
        if event.name == "appointment.booked":
            taken[booking.starts_at] += 1
            most = max(most, taken[booking.starts_at])
        elif event.name in GIVEN_UP:
            taken[booking.starts_at] -= 1
    assert +taken == held(appointment), "The trace and the rows differ."
    return most


def require_true_bookings(appointment: Distribution, *, limit: int | None = None) -> Tally:
    """The counters say what the rows say, each admission has its one booking, and nobody has more ahead than
    `limit`, or two places in one slot; the tally.
    """
    tally = Tally.objects.get(pk=appointment.pk)
    rows = Participation.objects.filter(distribution_id=appointment.pk)
    by_status = {status: rows.filter(status=status).count() for status in Status}
    assert by_status[Status.QUEUED] == 0
    assert tally.taken == by_status[Status.ADMITTED] + by_status[Status.COMPLETED]
    assert tally.completed == by_status[Status.COMPLETED]
    assert tally.inside == by_status[Status.ADMITTED]
    admitted = rows.filter(admitted_at__isnull=False)
    assert tally.admitted == tally.entered == admitted.count()
    returned = Q(admitted_at__isnull=False, status__in=[Status.LEFT, Status.DENIED])
    assert tally.returned == rows.filter(returned).count()
    assert not rows.filter(admitted_at__isnull=False, booking=None).exists()
    assert not rows.filter(admitted_at=None, booking__isnull=False).exists()
    assert not Booking.objects.exclude(distribution=F("participation__distribution")).exists()
    _require_nobody_has_too_many(appointment, limit)
    return tally


def _require_nobody_has_too_many(appointment: Distribution, limit: int | None) -> None:
    ahead = Booking.objects.filter(
        distribution=appointment, participation__status__in=HOLDING, ends_at__gt=clock.now()
    )
    pairs = Counter(ahead.values_list("participation__consumer_id", "starts_at"))
    assert set(pairs.values()) <= {1}
    each = Counter(who for who, _ in pairs)
    assert limit is None or max(each.values(), default=0) <= limit
