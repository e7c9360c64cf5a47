"""The console's pages of bookings and blocked times: to find one by its code, check in, cancel, give back."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from distributions.appointments import blocks, bookings
from distributions.appointments.bookings import Ask
from distributions.appointments.models import Block, Booking
from distributions.core import lifecycle
from distributions.core.admin import actor
from distributions.core.drawing_panel import STATUS_COLORS
from distributions.core.models import Status
from distributions.core.standing import Standing
from experiences.access_codes import normalised
from fanfare import clock
from fanfare.console import Button, ConsoleAdmin, TextInput, display, moment
from fanfare.lists import ScopedFilter


def standing_of(booking: Booking) -> Standing:
    """As it is now, also where the clock has ended it and nobody wrote that down."""
    return Standing.of(booking.participation).at(clock.now())


def is_held(booking: Booking) -> bool:
    """Whether its consumer may still come."""
    return standing_of(booking).status == Status.ADMITTED


class CancelForm(forms.Form):
    """Why."""

    reason = forms.CharField(max_length=200, required=False, widget=TextInput, help_text="For staff to read.")


def cancel(request: HttpRequest, booking: Booking, values: dict[str, Any]) -> str:
    """Give the booking up for its consumer, who is told so. Raises IllegalMove."""
    now = clock.now()
    ask = Ask(booking.participation.consumer_id, now, now, actor(request), is_staff=True)
    bookings.cancel(booking.distribution, ask, booking.pk, reason=values["reason"])
    return f"{booking.code} is cancelled, and its place is free."


def check_in(request: HttpRequest, booking: Booking, values: dict[str, Any]) -> str:
    """They are here. Raises IllegalMove."""
    consumer_id, which = booking.participation.consumer_id, booking.participation_id
    trail: dict[str, Any] = {"now": clock.now(), "actor": actor(request)}
    lifecycle.complete(booking.distribution, consumer_id, which=which, **trail)
    return f"{booking.participation.consumer} is checked in."


class OfAppointment(ConsoleAdmin):
    """What belongs to one appointment; its times are in that one's zone."""

    organization_path = "distribution__organization_id"
    sortable_by: ClassVar[list[str]] = []
    list_select_related: ClassVar[list[str]] = []

    def zone_of(self, request: HttpRequest, thing: Any) -> str:
        return "UTC" if thing is None else str(thing.distribution.zone)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(*self.list_select_related)


@admin.register(Booking)
class BookingAdmin(OfAppointment):
    """Who has booked what."""

    list_display = ["code", "starts", "consumer", "distribution", "state", "id"]
    list_display_links = ["code"]
    list_filter = ["participation__status", ("distribution", ScopedFilter)]
    list_select_related: ClassVar[list[str]] = [
        "participation__consumer", "distribution__organization", "distribution__appointment",
        "distribution__tally", "distribution__sequence__experience",
    ]  # fmt: skip
    more_lookups = frozenset({"participation__consumer__id__exact"})
    exact_search = {
        "booking_": "id", "appt_": "distribution_id", "cons_": "participation__consumer_id",
        "@": "participation__consumer__email", "+": "participation__consumer__phone", "": "code",
    }  # fmt: skip
    search_help_text = (
        "A code, a whole id of a booking, appointment or consumer, an e-mail address, or a number."
    )
    ordering = ["-starts_at", "-id"]
    fields = [
        "code", "consumer", "distribution", "starts_at", "ends_at", "standing", "booked", "reason",
        "participation", "id",
    ]  # fmt: skip
    readonly_fields = ["consumer", "standing", "booked"]
    buttons = [
        Button("check-in", "Check in", "how_to_reg", check_in, is_offered=is_held, variant="primary"),
        Button(
            "cancel", "Cancel …", "event_busy", cancel, form=CancelForm, is_offered=is_held, variant="danger",
            question="The place is free at once, and the consumer is told by mail or SMS.",
        ),
    ]  # fmt: skip

    @display(description="Starts")
    def starts(self, booking: Booking) -> str:
        """By its own clocks: a list has appointments of many zones."""
        zone = booking.distribution.appointment.plan.zone
        return f"{booking.starts_at.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"

    @display(description="Consumer")
    def consumer(self, booking: Booking) -> str:
        found = booking.participation.consumer
        return f"{found.full_name}, {found}" if found.full_name else str(found)

    @display(description="Status", label=STATUS_COLORS)
    def state(self, booking: Booking) -> tuple[str, str]:
        """By what it is coloured, and its word."""
        return standing_of(booking).status, self.standing(booking)

    @display(description="Status")
    def standing(self, booking: Booking) -> str:
        status = standing_of(booking).status
        return "Cancelled" if status == Status.LEFT else str(status.label)

    @display(description="Booked at")
    def booked(self, booking: Booking) -> str:
        return moment(booking.participation.entered_at)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Booking], search_term: str
    ) -> tuple[QuerySet[Booking], bool]:
        """A code as somebody says it: small letters and hyphens don't count."""
        term = search_term.strip()
        is_code = not any(sign in term for sign in "_@+")
        return super().get_search_results(request, queryset, normalised(term) if is_code else term)


def give_back(request: HttpRequest, block: Block, values: dict[str, Any]) -> HttpResponseBase:
    """Let the time be booked again, and go back to the calendar."""
    blocks.unblock(block, now=clock.now(), actor=actor(request))
    messages.success(request, "The time can be booked again.")
    return redirect(
        reverse("admin:distributions_distribution_press", args=[block.distribution_id, "calendar"])
    )


@admin.register(Block)
class BlockAdmin(OfAppointment):
    """Times that are taken out of calendars."""

    list_display = ["starts_at", "ends_at", "note", "distribution"]
    list_filter = [("distribution", ScopedFilter)]
    list_select_related: ClassVar[list[str]] = [
        "distribution__organization", "distribution__sequence__experience",
    ]  # fmt: skip
    ordering = ["-starts_at", "-id"]
    fields = ["distribution", "starts_at", "ends_at", "note", "created_at"]
    buttons = [Button("give-back", "Give back", "event_available", give_back, variant="primary")]
