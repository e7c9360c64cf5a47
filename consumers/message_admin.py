"""The console's page of messages to consumers: reminders, notices. Codes are in `auth_otp.admin`."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from consumers.models import Message
from fanfare.console import display
from fanfare.outgoing_admin import OutgoingAdmin


@admin.register(Message)
class MessageAdmin(OutgoingAdmin):
    """Mail and SMS to consumers: to whom each went, what became of it; never what it says."""

    list_display = ["created_at", "channel", "consumer", "reference", "state", "reason", "organization"]
    list_select_related = ["organization", "consumer"]
    more_lookups = frozenset({"consumer__id__exact"})
    exact_search = {"cons_": "consumer_id", "@": "consumer__email", "+": "consumer__phone"}
    search_help_text = "A consumer's whole id, e-mail address, or telephone number with its +."
    fields = [
        "organization", "channel", "consumer", "sent_to", "reference", "state", "reason", "created_at",
        "expires_at", "sent_at", "sendings",
    ]  # fmt: skip
    readonly_fields = [*OutgoingAdmin.readonly_fields, "sent_to"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).defer("box")

    @display(description="Address")
    def sent_to(self, message: Message) -> str:
        """The one that they have now."""
        return message.address or ""
