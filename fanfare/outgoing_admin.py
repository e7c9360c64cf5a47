"""The base of the console's pages of what goes out: what became of each, why, and a button to try it anew."""

import re
from typing import Any, ClassVar

from django.http import HttpRequest

from fanfare import clock, errors, outgoing
from fanfare.console import Button, ConsoleAdmin, display
from fanfare.lists import ScopedFilter
from fanfare.outgoing import Outgoing

STATE_COLORS = {
    "waiting": "info", "sent": "success", "failed": "danger", "used": "success", "expired": "warning",
    "voided": "warning",
}  # fmt: skip
# A gateway's address may hold the installation's credentials, which are no shop's business.
_ADDRESS = re.compile(r"\b\w+://[^\s'\"]+")


def _is_given_up(row: Outgoing) -> bool:
    return outgoing.is_given_up(row, clock.now())


def _send_again(request: HttpRequest, row: Outgoing, values: dict[str, Any]) -> str:
    """Have it tried anew. Raises IllegalMove."""
    if not outgoing.retry(type(row)._default_manager.all(), row.pk, now=clock.now()):
        raise errors.IllegalMove("It is over, or it is being sent.")
    return "It is tried again within half a minute."


class OutgoingAdmin(ConsoleAdmin):
    """Rows of an organization that are sent once, with their `channel`; never what they say."""

    organization_path = "organization_id"
    list_filter = ["channel", ("organization", ScopedFilter)]
    list_select_related: ClassVar[list[str]] = ["organization"]
    ordering = ["-id"]
    sortable_by: ClassVar[list[str]] = []
    readonly_fields: ClassVar[list[str]] = ["state", "reason", "sendings"]
    buttons = [Button("send-again", "Send again", "forward_to_inbox", _send_again, is_offered=_is_given_up)]

    @display(description="State", label=STATE_COLORS)
    def state(self, row: Any) -> str:
        """What became of it."""
        return outgoing.state(row, clock.now())

    @display(description="Attempts to send")
    def sendings(self, row: Outgoing) -> str:
        return f"{row.tries} of {outgoing.MOST_TRIES}"

    @display(description="Problem")
    def reason(self, row: Outgoing) -> str:
        return _ADDRESS.sub("…", row.problem)
