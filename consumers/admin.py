"""The console's pages of people: consumers and their sessions, and the keys that sign tokens.

All to look at; a session can be ended. What a consumer takes part in is in `distributions.core.admin`.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from consumers import sessions
from consumers.models import Consumer, Session, SigningKey
from experiences import events
from fanfare import clock, staff
from fanfare.console import Button, ConsoleAdmin, ReadOnlyInline, display
from fanfare.lists import ScopedFilter

_SESSION = ("id", "created_at", "expires_at", "ended_at", "end_reason")


class SessionInline(ReadOnlyInline):
    """A consumer's sign-ins."""

    model = Session
    fields = _SESSION
    readonly_fields = _SESSION
    show_change_link = True
    per_page = 20
    ordering = ["-id"]


@admin.register(Consumer)
class ConsumerAdmin(ConsoleAdmin):
    """Somebody who enters launches."""

    organization_path = "organization_id"
    list_display = ["id", "email", "phone", "full_name", "is_guest", "organization", "created_at"]
    list_filter = ["is_guest", ("organization", ScopedFilter)]
    list_select_related = ["organization"]
    exact_search = {"cons_": "id", "@": "email__iexact", "+": "phone"}
    search_help_text = "A whole id, e-mail address, or telephone number with its +."
    ordering = ["-id"]
    sortable_by: ClassVar[list[str]] = []
    fields = ["id", "organization", "is_guest", "email", "phone", "full_name", "created_at"]
    inlines = [SessionInline]

    def context_of(self, request: HttpRequest, thing: Consumer | None) -> dict[str, Any]:
        found = super().context_of(request, thing)
        if thing is not None:
            found["links"] = [
                (
                    "Participations",
                    f"{reverse('admin:distributions_participation_changelist')}?consumer__id__exact={thing.pk}",
                ),
                ("Trace", f"{reverse('admin:experiences_event_changelist')}?consumer_id__exact={thing.pk}"),
            ]
        return found


def end_session(request: HttpRequest, session: Session, values: dict[str, Any]) -> str:
    """Sign the consumer out."""
    actor = events.by_staff(staff.user_id(request))
    sessions.end(session, reason="revoked", now=clock.now(), actor=actor)
    return "The session has ended; its tokens are refused from now on."


@admin.register(Session)
class SessionAdmin(ConsoleAdmin):
    """Sign-ins. No token is stored, so none can be seen."""

    organization_path = "organization_id"
    list_display = ["id", "consumer", "created_at", "expires_at", "is_alive", "ended_at", "end_reason"]
    list_select_related = ["consumer"]
    list_filter: ClassVar[list[Any]] = []
    more_lookups = frozenset({"consumer__id__exact"})
    exact_search = {"sess_": "id", "cons_": "consumer_id"}
    search_help_text = "A whole id of a session or a consumer."
    ordering = ["-id"]
    sortable_by: ClassVar[list[str]] = []
    fields = ["id", "consumer", "created_at", "rotated_at", "expires_at", "ended_at", "end_reason"]
    buttons = [
        Button(
            "revoke", "End the session", "logout", end_session,
            is_offered=lambda session: session.ended_at is None, variant="danger",
            question="The consumer is signed out on that device. Places in line stay as they are.",
        )
    ]  # fmt: skip

    @display(description="Alive", boolean=True)
    def is_alive(self, session: Session) -> bool:
        return session.ended_at is None and session.expires_at > clock.now()


@admin.register(SigningKey)
class SigningKeyAdmin(ConsoleAdmin):
    """The keys that sign tokens; made and rotated by `manage.py signing_keys`."""

    organization_path = "kid"  # never asked: only superusers get this far
    list_display = ["kid", "created_at", "retired_at", "revoked_at"]
    ordering = ["-created_at"]
    fields = ["kid", "public_pem", "created_at", "retired_at", "revoked_at"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return staff.is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return staff.is_superuser(request)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("private_box")
