"""A booking as a calendar file (RFC 5545), for the consumer's own calendar."""

from urllib.parse import urlsplit

from django.conf import settings
from icalendar import Calendar, Event

from distributions.appointments.models import Booking
from distributions.core.models import HOLDING, Distribution, Kind

MEDIA_TYPE = "text/calendar"


def write(distribution: Distribution, booking: Booking) -> bytes:
    """The file; one that was imported before is brought up to date by it, since it is the same event."""
    is_held = booking.participation.status in HOLDING[Kind.APPOINTMENT]
    event = Event()
    event.add("uid", f"{booking.pk}@{urlsplit(settings.PUBLIC_URL).hostname}")
    event.add("dtstamp", booking.participation.ended_at or booking.participation.entered_at)
    event.add("dtstart", booking.starts_at)
    event.add("dtend", booking.ends_at)
    event.add("summary", f"{distribution.name}, {distribution.organization.name}")
    event.add("description", f"Confirmation code {booking.code}")
    event.add("status", "CONFIRMED" if is_held else "CANCELLED")
    event.add("sequence", 0 if is_held else 1)
    place = distribution.appointment.location
    if place:
        event.add("location", ", ".join(filter(None, (place["name"], place.get("address")))))
    calendar = Calendar()
    calendar.add("prodid", "-//Fanfare//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
