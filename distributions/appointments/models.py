"""An appointment's calendar, what is blocked in it, and who has booked what.

A slot is no row: it follows from the hours (`slots`), and is taken by the bookings that lie in it. So
a year of slots costs nothing, and hours may change under bookings that stay as they are.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from distributions.appointments import slots, validation
from distributions.core.models import Distribution, Participation
from fanfare import clock
from fanfare.fields import IdField


def _reminders() -> list[int]:
    return [24, 1]


class Appointment(models.Model):
    """Settings of an appointment; days and times of day are in the distribution's time zone."""

    distribution = models.OneToOneField(
        Distribution, models.CASCADE, primary_key=True, related_name="appointment"
    )
    slot_minutes = models.PositiveIntegerField(default=30)
    buffer_minutes = models.PositiveIntegerField(default=0, help_text="Free time after each slot.")
    places_per_slot = models.PositiveIntegerField(default=1)
    opening_hours = models.JSONField(
        default=dict,
        blank=True,
        validators=[validation.opening_hours],
        help_text='By weekday, such as {"mon": [["09:00", "12:00"], ["13:00", "17:00"]]}.',
    )
    exceptions = models.JSONField(
        default=list,
        blank=True,
        validators=[validation.exceptions],
        help_text='Days with other hours: [{"date": "2026-12-24", "hours": []}]; no hours: closed.',
    )
    max_bookings_per_consumer = models.PositiveSmallIntegerField(
        default=1, help_text="How many one consumer may have ahead of them."
    )
    least_notice_minutes = models.PositiveIntegerField(
        default=0, help_text="How long before its start a slot can still be booked."
    )
    furthest_ahead_days = models.PositiveIntegerField(default=62, help_text="How far ahead one may book.")
    latest_cancellation_minutes = models.PositiveIntegerField(
        default=0, help_text="How long before the start a consumer may still cancel."
    )
    reminder_hours_before = ArrayField(
        models.PositiveSmallIntegerField(
            validators=[MinValueValidator(1), MaxValueValidator(validation.MOST_REMINDER_HOURS)]
        ),
        default=_reminders,
        blank=True,
        size=validation.MOST_REMINDERS,
        validators=[validation.reminders],
        help_text="When a reminder goes out; hours before the start, by commas. Empty: none.",
    )
    location = models.JSONField(
        null=True,
        blank=True,
        validators=[validation.location],
        help_text='Where: {"name": "Room 4", "address": "Hauptstraße 1, Berlin"}.',
    )
    history = HistoricalRecords()

    def __str__(self) -> str:
        return str(self.distribution)

    @property
    def plan(self) -> slots.Plan:
        """What its slots follow from."""
        weekly = [validation.read_hours(self.opening_hours.get(day, [])) for day in validation.WEEKDAYS]
        other = {
            validation.read_date(entry["date"]): validation.read_hours(entry["hours"])
            for entry in self.exceptions
        }
        length, buffer = (dt.timedelta(minutes=m) for m in (self.slot_minutes, self.buffer_minutes))
        return slots.Plan(ZoneInfo(self.distribution.zone), weekly, other, length, buffer)


class Block(models.Model):
    """A time that staff took out of the calendar: no slot that lies in it, in part or whole, is offered."""

    id = models.BigAutoField(primary_key=True)
    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="blocks", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="block_ends_after_its_start")
        ]
        indexes = [models.Index(fields=["distribution", "ends_at"], name="block_time")]

    def __str__(self) -> str:
        return self.note or f"{self.starts_at:%Y-%m-%d %H:%M}"


class Booking(models.Model):
    """A place in a slot; whether it is still held, its participation says. `reason` is a cancellation's;
    `reminded` the hours before the start of the last reminder that went out.
    """

    id = IdField("booking")
    participation = models.OneToOneField(Participation, models.CASCADE, related_name="booking")
    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="bookings", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    code = models.CharField(max_length=8, editable=False)
    reason = models.CharField(max_length=200, blank=True)
    reminded = models.PositiveSmallIntegerField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="booking_ends_after_its_start"
            ),
            models.UniqueConstraint(fields=["distribution", "code"], name="one_booking_per_code"),
        ]
        indexes = [
            models.Index(fields=["distribution", "starts_at"], name="booking_time"),  # the calendar
            models.Index(fields=["starts_at"], name="booking_start"),  # reminders of all appointments
        ]

    def __str__(self) -> str:
        return self.code
