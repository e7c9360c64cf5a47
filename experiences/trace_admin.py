"""The console's page of the trace: who did what, when, from which state to which; also as a file."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import BigIntegerField, Case, F, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Cast, Substr
from django.http import HttpRequest

from experiences.models import Event
from fanfare.console import display
from fanfare.export_admin import ExportingAdmin
from fanfare.filters import BeginningFilter, BetweenFilter, between

TOLD = 80  # characters of an event in the list; its page has them all
READERS: dict[str, Callable[[Event], dict[str, Any]]] = {}
"""By the first word of an event's name: its data as staff read it, such as amounts with their currency."""


class NameFilter(BeginningFilter):
    """Such as `queue.consumer.admitted`, or `queue.` for all of them."""

    title, parameter_name, column = "name of the event", "event", "name"


class ActorFilter(admin.SimpleListFilter):
    """Who did it, by their kind."""

    title, parameter_name = "who did it", "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("staff", "Staff"), ("consumer", "A consumer"), ("key", "The shop’s server"),
            ("system", "The clock"),
        ]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(actor__startswith=f"{self.value()}:") if self.value() else queryset


@admin.register(Event)
class EventAdmin(ExportingAdmin):
    """The trace: who did what, when, from which state to which."""

    organization_path = "organization_id"
    list_display = ["at", "name", "who", "told", "distribution_id", "consumer_id"]
    list_filter: ClassVar[list[Any]] = [NameFilter, ActorFilter, ("at", BetweenFilter)]
    list_filter_submit = True
    more_lookups = frozenset({"distribution_id__exact", "consumer_id__exact", "event", "by"}) | between("at")
    export_columns: ClassVar[dict[str, str]] = {
        "id": "id", "at": "at", "name": "name", "actor": "actor", "organizationId": "organization_id",
        "distributionId": "distribution_id", "consumerId": "consumer_id", "data": "data",
    }  # fmt: skip
    exact_search = {
        "cons_": "consumer_id",
        "queue_": "distribution_id",
        "draw_": "distribution_id",
        "auction_": "distribution_id",
        "release_": "distribution_id",
        "appt_": "distribution_id",
        "wl_": "distribution_id",
    }
    search_help_text = "The whole id of a distribution or a consumer."
    ordering = ["-id"]
    sortable_by: ClassVar[list[str]] = []

    @display(description="Actor")
    def who(self, event: Event) -> str:
        """Staff by the name that they sign in with, as long as there is one."""
        name = getattr(event, "staff_name", None)
        return f"{name} ({event.actor})" if name else event.actor

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """With the names of staff, which stand in another table."""
        number = Cast(Substr(OuterRef("actor"), len("staff:") + 1), BigIntegerField())
        name = Subquery(User.objects.annotate(number=number).filter(pk=F("number")).values("username")[:1])
        is_staff = When(actor__regex=r"^staff:[0-9]{1,18}$", then=name)
        rows: QuerySet[Event] = super().get_queryset(request)
        return rows.annotate(staff_name=Case(is_staff, default=None))

    @display(description="Told")
    def told(self, event: Event) -> str:
        """The row's data in one short line."""
        read = READERS.get(event.name.partition(".")[0])
        rest = dict(read(event) if read else event.data)
        move = [f"{rest.pop('from', 'new')} → {rest.pop('to')}"] if "to" in rest else []
        words = ", ".join([*move, *(f"{name}: {value}" for name, value in rest.items())])
        return words if len(words) <= TOLD else f"{words[:TOLD]}…"
