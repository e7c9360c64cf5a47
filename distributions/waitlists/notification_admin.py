"""The console's pages of notifications: what was told to whom on waitlists, and how far it is."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from distributions.core.models import Distribution
from distributions.waitlists.models import Notification
from fanfare.console import ConsoleAdmin, display
from fanfare.lists import ScopedFilter

TOLD = 60  # characters of the text in the list; its page has it all
STATE_COLORS = {"done": "success", "under way": "info"}


@admin.register(Notification)
class NotificationAdmin(ConsoleAdmin):
    """To look at: what is told is told."""

    organization_path = "distribution__organization_id"
    list_display = ["created_at", "distribution", "told", "whom", "notified", "state", "actor"]
    list_filter = ["is_offer", ("distribution", ScopedFilter)]
    list_select_related = ["distribution__sequence__experience", "distribution__organization", "sequence"]
    exact_search = {"wl_": "distribution_id"}
    search_help_text = "The whole id of a waitlist."
    ordering = ["-id"]
    sortable_by: ClassVar[list[str]] = []
    fields = [
        "distribution", "text", "whom", "sequence", "code_seconds", "is_offer", "created_at", "actor",
        "notified", "state", "finished_at",
    ]  # fmt: skip
    readonly_fields = ["whom", "state"]

    @display(description="Text")
    def told(self, notification: Notification) -> str:
        text = " ".join(notification.text.split())
        return text if len(text) <= TOLD else f"{text[:TOLD]}…"

    @display(description="Whom")
    def whom(self, notification: Notification) -> str:
        """Who was meant, in words."""
        limit, name = notification.limit, notification.metadata_name
        number = "Everyone" if limit is None else f"The next {limit:,}"
        return number + (f" with {name} = {notification.metadata_value}" if name else "")

    @display(description="State", label=STATE_COLORS)
    def state(self, notification: Notification) -> str:
        return "under way" if notification.finished_at is None else "done"

    def zone_of(self, request: HttpRequest, thing: Notification | None) -> str:
        """The waitlist's."""
        if thing is None:
            return "UTC"
        pages: Any = admin.site.get_model_admin(Distribution)
        found: str = pages.zone_of(request, thing.distribution)
        return found
