"""The console's pages of people: consumers, their identities, sessions and visits; and the signing keys.

All to look at; sessions can be ended, and owners export and erase somebody. What a consumer takes part in
is in `distributions.core.participation_admin`, what was sent to them in `consumers.message_admin`.
"""

import datetime as dt
import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consumers import message_admin, sessions
from consumers.models import Consumer, Identity, Session, SigningKey, Visit
from distributions import privacy
from experiences import events
from fanfare import clock, errors, staff
from fanfare.console import Button, ConsoleAdmin, ReadOnlyInline, display
from fanfare.lists import ScopedFilter

__all__ = ["message_admin"]  # imported so that its page is registered

_LINK = "font-medium text-primary-600 dark:text-primary-500"
GUESTS_SHOWN = 20


def actor(request: HttpRequest) -> str:
    """The staff user, as the trace names them."""
    return events.by_staff(staff.user_id(request))


class IdentityInline(ReadOnlyInline):
    """By what a consumer is known."""

    model = Identity
    fields = readonly_fields = ("provider", "issuer", "subject", "created_at")
    hide_title = True
    per_page = 20
    ordering = ["id"]


class SessionInline(ReadOnlyInline):
    """A consumer's sign-ins."""

    model = Session
    fields = readonly_fields = ("created_at", "expires_at", "ended_at", "end_reason", "ending")
    show_change_link = True
    per_page = 20
    ordering = ["-id"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may_end = obj is not None and staff.may(request, staff.STEER, obj.organization_id)
        return self.fields if may_end else self.fields[:-1]

    @display(description="End")
    def ending(self, session: Session) -> str:
        """Leads to the button that ends it."""
        if session.ended_at is not None or session.expires_at <= clock.now():
            return ""
        url = reverse("admin:consumers_session_press", args=[session.pk, "revoke"])
        return format_html('<a class="{}" href="{}">End …</a>', _LINK, url)


# --- What staff may do to a consumer --------------------------------------------------------------
def _is_somebody(consumer: Consumer) -> bool:
    """Neither erased, nor a guest who turned out to be somebody: that one is exported and erased."""
    return consumer.erased_at is None and consumer.merged_into_id is None


def export(request: HttpRequest, consumer: Consumer, values: dict[str, Any]) -> HttpResponse:
    """Hand out what is known of somebody, as a file."""
    text = json.dumps(privacy.export(consumer), ensure_ascii=False, indent=2)
    headers = {
        "Content-Disposition": f'attachment; filename="{consumer.pk}.json"',
        "Cache-Control": "no-store",
    }
    return HttpResponse(text, content_type="application/json", headers=headers)


class EraseForm(forms.Form):
    """How far it goes."""

    also_claimed = forms.BooleanField(
        label="Claimed addresses too", required=False,
        help_text="Also list entries and codes of addresses that they named but never proved. They may be "
        "somebody else's.",
    )  # fmt: skip


def erase(request: HttpRequest, consumer: Consumer, values: dict[str, Any]) -> str:
    """Forget somebody for good. Raises IllegalMove."""
    namesakes = privacy.namesakes(consumer)
    claimed = values["also_claimed"]
    if not privacy.erase(consumer, now=clock.now(), actor=actor(request), also_claimed=claimed):
        raise errors.IllegalMove("The consumer was erased before.")
    for other in namesakes:
        text = f"{other} has an address or a customer number of theirs: see whether they are one."
        messages.warning(request, text)
    return "The consumer is erased. What is left is an id that belongs to nobody."


def living(consumer: Consumer, now: dt.datetime) -> QuerySet[Session]:
    """The sessions in which a consumer is signed in."""
    return Session.objects.filter(consumer=consumer, ended_at=None, expires_at__gt=now).order_by("id")


def sign_out(request: HttpRequest, consumer: Consumer, values: dict[str, Any]) -> str:
    """End all their sessions."""
    now, by = clock.now(), actor(request)
    ended = sum(sessions.end(each, reason="revoked", now=now, actor=by) for each in living(consumer, now))
    return f"Signed out: {ended} of their sessions ended; the tokens are refused from now on."


@admin.register(Consumer)
class ConsumerAdmin(ConsoleAdmin):
    """Somebody who enters launches."""

    organization_path = "organization_id"
    list_display = [
        "id", "email", "is_email_verified", "phone", "full_name", "is_guest", "organization", "created_at",
    ]  # fmt: skip
    list_filter = ["is_guest", ("organization", ScopedFilter)]
    list_select_related = ["organization"]
    exact_search = {"cons_": "id", "@": "email", "+": "phone"}
    search_help_text = (
        "A whole id, e-mail address, telephone number with its +, or the shop's own id of them."
    )
    ordering = ["-id"]
    sortable_by: ClassVar[list[str]] = []
    readonly_fields = ["is_email_verified", "is_phone_verified", "guests_merged"]
    fieldsets = [
        (None, {"fields": ["id", "organization", "full_name", "created_at"]}),
        ("Addresses", {"fields": ["email", "is_email_verified", "phone", "is_phone_verified"]}),
        ("Who they are", {"fields": ["is_guest", "merged_into", "guests_merged", "erased_at"]}),
    ]
    inlines = [IdentityInline, SessionInline]
    buttons = [
        Button(
            "sign-out", "Sign out everywhere", "logout", sign_out,
            is_offered=lambda consumer: living(consumer, clock.now()).exists(),
            question="On all their devices. Places in line stay as they are.",
        ),
        Button("export", "Export", "download", export, allowed=staff.OWN, is_offered=_is_somebody),
        Button(
            "erase", "Erase", "person_remove", erase, form=EraseForm, allowed=staff.OWN,
            is_offered=_is_somebody,
            question="For good: their places are given up, their sessions end, and whatever names them is "
            "deleted. The trace keeps an id that belongs to nobody.",
            variant="danger",
        ),
    ]  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What looks like none of the others is the id that the shop's server signs somebody in by."""
        term = search_term.strip()
        if not term or "@" in term or term.startswith(("cons_", "+")):
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(pk__in=Identity.objects.filter(subject=term).values("consumer")), False

    @display(description="E-mail verified")
    def is_email_verified(self, consumer: Consumer) -> str:
        return _verified(consumer.email_verified_at)

    @display(description="Phone verified")
    def is_phone_verified(self, consumer: Consumer) -> str:
        return _verified(consumer.phone_verified_at)

    @display(description="Guests merged")
    def guests_merged(self, consumer: Consumer) -> SafeString:
        """The guests who turned out to be this consumer; the newest, if they are many."""
        ids = list(consumer.guests.order_by("-pk").values_list("pk", flat=True)[: GUESTS_SHOWN + 1])
        shown = [(_LINK, self.address("change", pk), pk) for pk in ids[:GUESTS_SHOWN]]
        links = format_html_join(", ", '<a class="{}" href="{}">{}</a>', shown)
        return format_html("{}, …", links) if len(ids) > GUESTS_SHOWN else links

    def context_of(self, request: HttpRequest, thing: Consumer | None) -> dict[str, Any]:
        found = super().context_of(request, thing)
        if thing is not None:
            found["links"] = [
                (title, f"{reverse(f'admin:{model}_changelist')}?{column}={thing.pk}")
                for title, model, column in (
                    ("Participations", "distributions_participation", "consumer__id__exact"),
                    ("Visits", "consumers_visit", "consumer__id__exact"),
                    ("Messages", "consumers_message", "consumer__id__exact"),
                    ("Trace", "experiences_event", "consumer_id__exact"),
                )
            ]
        return found


def _verified(at: dt.datetime | None) -> str:
    return "" if at is None else f"✓ {date_format(at, 'DATETIME_FORMAT')}"


@admin.register(Visit)
class VisitAdmin(ConsoleAdmin):
    """Consumers in experiences, and by which way they came in."""

    organization_path = "experience__organization_id"
    list_display = ["consumer", "experience", "sequence", "entered_at", "left_at"]
    list_filter = [("experience", ScopedFilter)]
    list_select_related = ["consumer", "experience", "sequence"]
    more_lookups = frozenset({"consumer__id__exact"})
    exact_search = {"cons_": "consumer_id", "exp_": "experience_id"}
    search_help_text = "A whole id of a consumer or an experience."
    ordering = ["-id"]
    sortable_by: ClassVar[list[str]] = []
    fields = ["consumer", "experience", "sequence", "entered_at", "left_at"]


def end_session(request: HttpRequest, session: Session, values: dict[str, Any]) -> str:
    """Sign the consumer out."""
    sessions.end(session, reason="revoked", now=clock.now(), actor=actor(request))
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
