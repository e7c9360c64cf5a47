"""`/appointments/…`: the endpoints of the contract."""

import datetime as dt
import zoneinfo
from types import ModuleType
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from distributions.appointments import bookings, calendar_file, openings, rules, shape
from distributions.appointments.bookings import Ask
from distributions.appointments.models import Booking
from distributions.core import bodies
from distributions.core.admission import Verdict
from distributions.core.api import STATUS, Complete, Deny, Validate
from distributions.core.models import Kind
from distributions.core.standing import Standing
from distributions.core.status import present
from distributions.core.work_api import Challenge
from experiences import validation
from fanfare import errors, staff, throttling
from fanfare.api import FOR_A_SECOND, parse, parse_query
from fanfare.errors import Detail
from fanfare.schema import WORK, describes

MOVES = "60/m"  # of one consumer: booking, rebooking and cancelling
FEW_DAYS, LONG_LOOKS = 7, "60/m"  # more days at once: so often from one network address
_DATE = OpenApiParameter("date", dt.date, description="One day; else `startDate` and `endDate`.")
_FIRST = OpenApiParameter("startDate", dt.date, description="The first day.")
_LAST = OpenApiParameter(
    "endDate", dt.date, description=f"The last day, at most {openings.MOST_DAYS} days in all."
)
_ZONE = OpenApiParameter(
    "timeZone", str, description="In which the days are meant; the appointment's, unless said."
)
_BOOKING = OpenApiParameter("bookingId", str, description="Needed where the consumer has several ahead.")
_REASON = OpenApiParameter("reason", str, description="Why, in at most 200 characters.")


class DaysSerializer(serializers.Serializer[Any]):
    """Which days."""

    date = serializers.DateField(required=False)
    start_date = serializers.DateField(required=False)
    end_date = serializers.DateField(required=False)
    time_zone = serializers.CharField(max_length=64, required=False, validators=[validation.time_zone])


class CancelSerializer(serializers.Serializer[Any]):
    """Which booking is given up, and why."""

    booking_id = serializers.CharField(max_length=64, required=False)
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)


class AppointmentViewSet(Complete, Deny, Validate, Challenge):
    """A calendar of slots that consumers book."""

    kind = Kind.APPOINTMENT
    prefix = "appt"
    rules: ClassVar[ModuleType] = rules
    status_serializer = shape.AppointmentStatusSerializer
    verdict_serializer = shape.BookingVerdictSerializer
    complete_body = shape.CompleteBookingSerializer
    deny_body = shape.DenyBookingSerializer
    without_fingerprint = ("book", "rebook")
    rate_categories: ClassVar[dict[str, str]] = {
        "book": "queueEntry",
        "rebook": "queueEntry",
        "status": "statusCheck",
        "slots": "statusCheck",
    }

    def require_few(self) -> None:
        """One consumer can't keep an appointment's others waiting."""
        if self.action in ("book", "rebook", "cancel"):
            throttling.require(self.request._request, "bookings", self.consumer_id, MOVES)

    @describes(shape.AppointmentSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """The appointment itself, as anyone may see it."""
        return Response(shape.present_appointment(self.distribution, self.now), headers=FOR_A_SECOND)

    @describes(shape.SlotsSerializer, _DATE, _FIRST, _LAST, _ZONE, refusals=bodies.refused_slots)
    @action(detail=True, methods=["get"])
    def slots(self, request: Request, id: str) -> Response:
        """The slots of some days that can be booked, full ones too."""
        first, last, zone = self._days(request)
        if (last - first).days >= FEW_DAYS:
            http = request._request
            throttling.require(http, "long-looks", staff.client_address(http), LONG_LOOKS)
        own = self.distribution.appointment.plan.zone
        start, end = (dt.datetime.combine(day, dt.time(), zone) for day in (first, last + dt.timedelta(1)))
        found = [
            opening
            for opening in openings.between(
                self.distribution, start.astimezone(own).date(), end.astimezone(own).date(), now=self.now
            )
            if start <= opening.slot.start < end
        ]
        body = {
            "appointment_id": self.distribution.pk,
            "time_zone": zone.key,
            "slots": [shape.present_opening(self.distribution, opening) for opening in found],
        }
        return Response(body, headers=FOR_A_SECOND)

    def _days(self, request: Request) -> tuple[dt.date, dt.date, zoneinfo.ZoneInfo]:
        """The first and the last day, and the zone they are meant in. Raises Invalid."""
        values = parse_query(DaysSerializer, request)
        zone = zoneinfo.ZoneInfo(values.get("time_zone") or self.distribution.zone)
        only = values.get("date")
        first, last = values.get("start_date", only), values.get("end_date", only)
        if first is None or last is None or (only and {"start_date", "end_date"} & set(values)):
            raise errors.Invalid(Detail("date", "Either date, or startDate and endDate."))
        if not dt.timedelta() <= last - first < dt.timedelta(days=openings.MOST_DAYS):
            raise errors.Invalid(Detail("end_date", f"1 to {openings.MOST_DAYS} days, the last not before."))
        if not dt.date(2000, 1, 1) <= first <= last <= dt.date(2199, 12, 31):
            raise errors.Invalid(Detail("date", "Days from 2000 to 2199."))
        return first, last, zone

    @describes(STATUS, WORK, body=shape.BookSerializer, refusals=bodies.refused_bookings)
    @action(detail=True, methods=["post"])
    def book(self, request: Request, id: str) -> Response:
        """Book a place in a slot, or find the booking there is."""
        ask = self._ask(parse(shape.BookSerializer, request))
        return self.answer(rules.book(self.distribution, ask))

    @describes(STATUS, body=shape.RebookSerializer, refusals=bodies.refused_rebookings)
    @action(detail=True, methods=["post"])
    def rebook(self, request: Request, id: str) -> Response:
        """Book another slot and give the old one up, in one."""
        body = parse(shape.RebookSerializer, request)
        ask = self._ask(body)
        return self.answer(rules.rebook(self.distribution, ask, body.get("booking_id", "")))

    def _ask(self, body: dict[str, Any]) -> Ask:
        """What is to be booked. Raises Invalid, NotFound (slot)."""
        slot_id, slot_time = body.get("slot_id"), body.get("slot_time")
        if (slot_id is None) == (slot_time is None):
            raise errors.Invalid(Detail("slot_id", "Either slotId or slotTime."))
        start = openings.start_of(slot_id) if slot_id is not None else _read_time(slot_time or "")
        if start is None:
            raise errors.NotFound("Slot")
        return Ask(
            self.consumer_id,
            start,
            self.now,
            self.credential.actor,
            slot_id=slot_id or "",
            fingerprint=self.fingerprint(),
            metadata=body.get("metadata"),
        )

    @describes(shape.CancelledSerializer, _BOOKING, _REASON, refusals=bodies.refused_cancellations)
    @action(detail=True, methods=["delete"])
    def cancel(self, request: Request, id: str) -> Response:
        """Give a booking up; `bookingId` and `reason` may stand in a JSON body as well."""
        values = parse_query(CancelSerializer, request) | parse(CancelSerializer, request)
        ask = Ask(self.consumer_id, self.now, self.now, self.credential.actor)
        booking_id, reason = values.get("booking_id", ""), values.get("reason", "")
        booking = rules.cancel(self.distribution, ask, booking_id, reason=reason)
        return Response(shape.present_cancelled(booking))

    @describes(STATUS, refusals=bodies.refused_reads)
    @action(detail=True, methods=["get"])
    def status(self, request: Request, id: str) -> Response:
        """How the consumer stands, by the next booking ahead; and all of these."""
        found, told = shape.next_of(self.distribution, self.consumer_id, self.now)
        standing = rules.standing_at(self.distribution, found, self.now)
        return Response(present(self.distribution, standing, **told))

    @describes(
        str, refusals=bodies.refused_calendar_files, media_type=calendar_file.MEDIA_TYPE,
    )  # fmt: skip
    @action(detail=True, methods=["get"], url_path="bookings/<str:booking_id>.ics", url_name="calendar-file")
    def calendar_file(self, request: Request, id: str, booking_id: str) -> HttpResponse:
        """A booking of one's own as a calendar file."""
        mine = bookings.of_consumer(self.distribution, self.consumer_id)
        booking = bookings.named(mine, booking_id)
        content = calendar_file.write(self.distribution, booking)
        answer = HttpResponse(content, content_type=f"{calendar_file.MEDIA_TYPE}; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{booking.pk}.ics"'
        return answer

    def which(self, consumer_id: str, body: dict[str, Any]) -> int | None:
        """The booking that the shop means: the one it names, the one completed with the same order, or the
        one under way or nearest to now.
        """
        if "booking_id" in body:
            mine = bookings.of_consumer(self.distribution, consumer_id)
            return bookings.named(mine, body["booking_id"]).participation_id
        repeated = super().which(consumer_id, body)
        if repeated is not None:
            return repeated
        found = bookings.nearest(self.distribution, consumer_id, self.now)
        return None if found is None else found.participation_id

    def present_standing(self, standing: Standing) -> dict[str, Any]:
        return shape.present_standing(self.distribution, standing, self.now)

    def present_verdict(self, verdict: Verdict) -> dict[str, Any]:
        """With the time that a token that admits was booked for."""
        body = super().present_verdict(verdict)
        if verdict.participation_id is None:
            return body
        booking = Booking.objects.get(participation_id=verdict.participation_id)
        return body | {
            "booking_id": booking.pk,
            "start_time": booking.starts_at,
            "end_time": booking.ends_at,
        }


def _read_time(text: str) -> dt.datetime | None:
    """An instant in UTC; None: there is no slot at such a time. Raises Invalid."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise errors.Invalid(Detail("slot_time", "A time such as 2026-12-01T09:00:00+01:00."))
    try:
        return found.astimezone(dt.UTC)
    except OverflowError:
        return None
