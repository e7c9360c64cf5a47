"""How an appointment, its slots and a consumer's bookings look on the wire."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from distributions.appointments import bookings, openings
from distributions.appointments.models import Booking
from distributions.appointments.openings import Opening
from distributions.appointments.slots import Slot
from distributions.core import lifecycle, phases, shape
from distributions.core.bodies import CompleteSerializer, DenySerializer, MetadataField, VerdictSerializer
from distributions.core.models import Distribution, Status
from distributions.core.shape import DistributionSerializer
from distributions.core.standing import Standing
from distributions.core.status import StatusSerializer
from fanfare.api import IdField, TextField

Pairs = list[tuple[Distribution, Standing]]
CANCELLED = "CANCELLED"
_HOURS = "Pairs of times of day in the appointment's zone, 24:00 at most."


class HoursField(serializers.ListField):
    """`[["09:00", "17:00"], …]`."""

    def __init__(self, **options: Any) -> None:
        time = serializers.RegexField(r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")
        super().__init__(child=serializers.ListField(child=time, min_length=2, max_length=2), **options)


class ExceptionSerializer(serializers.Serializer[Any]):
    """A day with hours of its own; none: it is closed."""

    date = serializers.DateField()
    hours = HoursField(help_text=_HOURS)


class LocationSerializer(serializers.Serializer[Any]):
    """Where it takes place."""

    name = serializers.CharField()
    address = serializers.CharField(required=False)


class AppointmentSerializer(DistributionSerializer):
    """An appointment's calendar as anyone with a key sees it."""

    id = IdField("appt")
    status = serializers.ChoiceField([str(phase) for phase in phases.Phase])
    slot_minutes = serializers.IntegerField()
    buffer_minutes = serializers.IntegerField(help_text="Free time after each slot.")
    places_per_slot = serializers.IntegerField()
    opening_hours = serializers.DictField(child=HoursField(), help_text=f"By weekday (mon to sun). {_HOURS}")
    exceptions = ExceptionSerializer(many=True)
    max_bookings_per_consumer = serializers.IntegerField(help_text="That are still ahead.")
    least_notice_minutes = serializers.IntegerField()
    furthest_ahead_days = serializers.IntegerField()
    latest_cancellation_minutes = serializers.IntegerField(help_text="Before the start.")
    location = LocationSerializer(allow_null=True)


class SlotSerializer(serializers.Serializer[Any]):
    """A time that can be booked while it has places."""

    id = IdField(openings.PREFIX)
    start_time = serializers.DateTimeField()
    end_time = serializers.DateTimeField()
    capacity = serializers.IntegerField()
    available = serializers.IntegerField(help_text="Places left now.")


class SlotsSerializer(serializers.Serializer[Any]):
    """The slots of some days, in order; blocked ones and those of the past are not there."""

    appointment_id = IdField("appt")
    time_zone = serializers.CharField(help_text="Of the days that were asked for.")
    slots = SlotSerializer(many=True)


class BookSerializer(serializers.Serializer[Any]):
    """The body of a booking: which slot, by its id or by when it starts."""

    slot_id = TextField(max_length=64, required=False)
    slot_time = TextField(max_length=40, required=False, help_text="ISO 8601, with Z or an offset.")
    metadata = MetadataField(required=False, help_text="Anything the shop wants kept; at most 2 KiB.")


class RebookSerializer(BookSerializer):
    """The body of a rebooking: which slot, instead of which booking; the only one ahead, unless said."""

    booking_id = TextField(max_length=64, required=False)


class CompleteBookingSerializer(CompleteSerializer):
    """The body of a check-in; of several bookings the one that is now or nearest to now, unless said."""

    booking_id = TextField(max_length=64, required=False)


class DenyBookingSerializer(DenySerializer):
    """The body of a denial; which booking as in a check-in."""

    booking_id = TextField(max_length=64, required=False)


class BookingSerializer(serializers.Serializer[Any]):
    """A booking. `slotId` names the slot as it was booked."""

    booking_id = IdField("booking", required=False)
    confirmation_code = serializers.RegexField("^[2-9A-HJ-NP-Z]{8}$", required=False)
    slot_id = IdField(openings.PREFIX, required=False)
    start_time = serializers.DateTimeField(required=False)
    end_time = serializers.DateTimeField(required=False)
    time_zone = serializers.CharField(required=False)


class BookingOfSeveralSerializer(BookingSerializer):
    """One of the bookings that are ahead."""

    status = serializers.ChoiceField(Status.choices)


class AppointmentStatusSerializer(BookingSerializer, StatusSerializer):
    """A DistributionStatus joined with its booking: the one just made, or else the next one ahead.

    Without a booking's fields where the consumer was turned away at the door.
    """

    appointment_id = IdField("appt")
    bookings = BookingOfSeveralSerializer(
        many=True, required=False, help_text="All that are ahead, the next one first; not when booking."
    )


class CancelledSerializer(serializers.Serializer[Any]):
    """A booking that was given up."""

    booking_id = IdField("booking")
    status = serializers.ChoiceField([CANCELLED])
    cancelled_at = serializers.DateTimeField()


class BookingVerdictSerializer(VerdictSerializer):
    """A verdict, and for when the booking is."""

    booking_id = IdField("booking", required=False)
    start_time = serializers.DateTimeField(required=False)
    end_time = serializers.DateTimeField(required=False)


def present_appointment(distribution: Distribution, now: dt.datetime) -> dict[str, Any]:
    """The body of an appointment, also inside its experience."""
    appointment = distribution.appointment
    names = (
        "slot_minutes", "buffer_minutes", "places_per_slot", "opening_hours", "exceptions",
        "max_bookings_per_consumer", "least_notice_minutes", "furthest_ahead_days",
        "latest_cancellation_minutes", "location",
    )  # fmt: skip
    settings = {name: getattr(appointment, name) for name in names}
    return shape.present(distribution, status=phases.phase(distribution, now), **settings)


def present_opening(distribution: Distribution, opening: Opening) -> dict[str, Any]:
    """A slot as it can be booked."""
    return {
        "id": openings.slot_id(distribution.pk, opening.slot),
        "start_time": opening.slot.start,
        "end_time": opening.slot.end,
        "capacity": opening.places,
        "available": opening.available,
    }


def present_booking(distribution: Distribution, booking: Booking | None) -> dict[str, Any]:
    """A booking's own fields."""
    if booking is None:
        return {}
    slot = Slot(booking.starts_at, booking.ends_at)
    return {
        "booking_id": booking.pk,
        "confirmation_code": booking.code,
        "slot_id": openings.slot_id(distribution.pk, slot),
        "start_time": booking.starts_at,
        "end_time": booking.ends_at,
        "time_zone": distribution.zone,
    }


def present_ahead(distribution: Distribution, ahead: Sequence[Booking]) -> list[dict[str, Any]]:
    """The bookings that are ahead, each with its status."""
    return [
        {**present_booking(distribution, booking), "status": Status(booking.participation.status)}
        for booking in ahead
    ]


def present_cancelled(booking: Booking) -> dict[str, Any]:
    """A booking that was given up."""
    return {
        "booking_id": booking.pk,
        "status": CANCELLED,
        "cancelled_at": booking.participation.ended_at,
    }


def present_standing(distribution: Distribution, standing: Standing, now: dt.datetime) -> dict[str, Any]:
    """The booking that the standing is of; where `prepare` has looked, all that are ahead as well."""
    prepared: list[Booking] | None = getattr(distribution, "bookings_of_one", None)
    if prepared is None:
        booking = Booking.objects.filter(participation_id=standing.id).first()
        return present_booking(distribution, booking)
    mine = {booking.participation_id: booking for booking in prepared}
    ahead = [booking for booking in prepared if booking.ends_at > now]
    return {
        **present_booking(distribution, mine.get(standing.id)),
        "bookings": present_ahead(distribution, ahead),
    }


def prepare(pairs: Pairs) -> Pairs:
    """Of each appointment the one that is next, with all bookings at hand; for distributions that nobody
    remembers.
    """
    rows = Booking.objects.filter(participation__in=[standing.id for _, standing in pairs])
    known = {row.participation_id: row for row in rows.select_related("participation")}
    found: dict[str, Pairs] = {}
    for distribution, standing in pairs:
        if standing.id in known:
            found.setdefault(distribution.pk, []).append((distribution, standing))
    for of_one in found.values():
        of_one.sort(key=lambda pair: known[pair[1].id].starts_at)
        of_one[0][0].bookings_of_one = [known[standing.id] for _, standing in of_one]  # type: ignore[attr-defined]
    return [of_one[0] for of_one in found.values()]


def next_of(
    distribution: Distribution, consumer_id: str, now: dt.datetime
) -> tuple[Standing, dict[str, Any]]:
    """How a consumer stands, by the next booking that is ahead or else the last participation, and what a
    status tells beside that. Raises NotEntered.
    """
    ahead = bookings.ahead(distribution, consumer_id, now)
    if ahead:
        standing = Standing.of(ahead[0].participation)
        shown: Booking | None = ahead[0]
    else:
        standing = lifecycle.latest(distribution, consumer_id)
        shown = Booking.objects.filter(participation_id=standing.id).first()
    return standing, present_booking(distribution, shown) | {"bookings": present_ahead(distribution, ahead)}
