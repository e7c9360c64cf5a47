"""The console's pages of what was sent: one-time codes, without the codes, and the development's outbox."""

import datetime as dt
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from auth_otp import codes, outbox
from auth_otp.models import OtpChallenge, OutboxMessage
from fanfare import clock, outgoing, staff
from fanfare.console import ConsoleAdmin, display
from fanfare.lists import ScopedFilter
from fanfare.outgoing_admin import STATE_COLORS, OutgoingAdmin


def state(challenge: OtpChallenge, now: dt.datetime) -> str:
    """What became of a code. One that failed is tried again while it is good."""
    if challenge.used_at is not None:
        return "used"
    if challenge.voided_at is not None:
        return "voided"
    found = outgoing.state(challenge, now)
    return "expired" if found == "sent" and challenge.expires_at <= now else found


@admin.register(OtpChallenge)
class OtpChallengeAdmin(OutgoingAdmin):
    """One-time codes: where each went, what became of it, how often it was tried; never the code."""

    list_display = ["created_at", "channel", "address", "state", "tried", "reason", "organization"]
    exact_search = {"@": "address", "+": "address"}
    search_help_text = "A whole e-mail address, or telephone number with its +."
    fields = [
        "organization", "channel", "address", "name", "state", "reason", "created_at", "expires_at",
        "sent_at", "sendings", "used_at", "voided_at", "tried",
    ]  # fmt: skip
    readonly_fields = [*OutgoingAdmin.readonly_fields, "tried"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OtpChallenge]:
        return super().get_queryset(request).defer("box", "digest", "salt", "client")

    @display(description="State", label=STATE_COLORS)
    def state(self, challenge: OtpChallenge) -> str:
        return state(challenge, clock.now())

    @display(description="Wrong tries")
    def tried(self, challenge: OtpChallenge) -> str:
        return f"{challenge.attempts} of {codes.MOST_ATTEMPTS}"


def _is_outbox_used() -> bool:
    return any(outbox.__name__ in back_end for back_end in (settings.EMAIL_BACKEND, settings.SMS_BACKEND))


def is_outbox_offered(request: HttpRequest) -> bool:
    """Whether the menu leads to the outbox: where messages go there, to those who may see codes."""
    return _is_outbox_used() and staff.may(request, staff.STEER)


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ConsoleAdmin):
    """Mail and SMS that were not sent. They hold codes, which a viewer could sign in with."""

    organization_path = "organization_id"
    list_display = ["created_at", "channel", "address", "subject", "organization"]
    list_filter = ["channel", ("organization", ScopedFilter)]
    list_select_related = ["organization"]
    exact_search = {"@": "address", "+": "address"}
    search_help_text = "A whole e-mail address, or telephone number with its +."
    ordering = ["-id"]
    sortable_by: ClassVar[list[str]] = []
    fields = ["organization", "channel", "address", "created_at", "subject", "plain", "preview"]
    readonly_fields = ["plain", "preview"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutboxMessage]:
        return self.within(request, super().get_queryset(request), staff.STEER)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_outbox_offered(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, staff.STEER, obj)

    @display(description="Text")
    def plain(self, message: OutboxMessage) -> SafeString:
        style = "white-space:pre-wrap;font-family:inherit"
        return format_html('<pre style="{}">{}</pre>', style, message.text)

    @display(description="As it looks")
    def preview(self, message: OutboxMessage) -> SafeString:
        """The HTML in a frame that may do nothing: no script, no form, no address of ours."""
        if not message.html:
            return format_html("{}", "No HTML.")
        frame = (
            '<iframe sandbox="" srcdoc="{}" title="The message" '
            'style="width:100%;height:420px;border:0;background:white"></iframe>'
        )
        return format_html(frame, message.html)
