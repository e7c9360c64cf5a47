"""Pause, Resume and Close, the buttons of every kind that staff may hold for a while, or end; and Message."""

from typing import Any

from django import forms
from django.http import HttpRequest

from distributions.core import switches
from distributions.core.admin import actor, face_of
from distributions.core.models import Distribution
from fanfare import clock, errors
from fanfare.console import Button, TextArea

LONGEST = Distribution._meta.get_field("message").max_length


class MessageForm(forms.Form):
    """What to tell those who wait."""

    message = forms.CharField(
        max_length=LONGEST, required=False, widget=TextArea(attrs={"rows": 3}),
        help_text=f"At most {LONGEST} characters, without markup. Empty: what was said is taken back.",
    )  # fmt: skip

    def clean_message(self) -> str:
        """One paragraph."""
        return " ".join(self.cleaned_data["message"].split())


def tell(request: HttpRequest, distribution: Distribution, values: dict[str, Any]) -> str:
    """Put it on the page of everybody who waits or is inside, a second from now at the latest."""
    face_of(distribution).update(distribution, values, now=clock.now(), actor=actor(request))
    if not values["message"]:
        return "Nothing is said any more."
    return "All who wait or are inside are told, when their page asks next."


MESSAGE = Button(
    "message", "Message …", "chat", tell, form=MessageForm,
    question="Everybody who waits or is inside reads it on their page, until it is taken back or replaced.",
    initial=lambda distribution: {"message": distribution.message},
)  # fmt: skip


def buttons(*, paused: str, resumed: str, closed: str, question: str) -> list[Button]:
    """These of a kind, with what is said when each was done, and what is asked before closing."""

    def pause(request: HttpRequest, distribution: Distribution, values: dict[str, Any]) -> str:
        if not switches.pause(distribution, now=clock.now(), actor=actor(request)):
            raise errors.IllegalMove("It was paused or closed before.")
        return paused

    def resume(request: HttpRequest, distribution: Distribution, values: dict[str, Any]) -> str:
        if not switches.resume(distribution, now=clock.now(), actor=actor(request)):
            raise errors.IllegalMove("It is not paused.")
        return resumed

    def close(request: HttpRequest, distribution: Distribution, values: dict[str, Any]) -> str:
        if not switches.close(distribution, now=clock.now(), actor=actor(request)):
            raise errors.IllegalMove("It was closed before.")
        return closed

    return [
        Button("pause", "Pause", "pause", pause, is_offered=_is_going_on),
        Button(
            "resume", "Resume", "play_arrow", resume, variant="primary", is_offered=_is_paused,
        ),
        MESSAGE,
        Button(
            "close", "Close …", "block", close, variant="danger", question=question,
            is_offered=_is_not_closed,
        ),
    ]  # fmt: skip


def _is_going_on(distribution: Distribution) -> bool:
    return distribution.closed_at is None and distribution.paused_at is None


def _is_paused(distribution: Distribution) -> bool:
    return distribution.closed_at is None and distribution.paused_at is not None


def _is_not_closed(distribution: Distribution) -> bool:
    return distribution.closed_at is None
