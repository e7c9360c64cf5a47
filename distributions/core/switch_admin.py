"""Pause, Resume and Close: the buttons of every kind that staff may hold for a while, or end."""

from typing import Any

from django.http import HttpRequest

from distributions.core import switches
from distributions.core.admin import actor
from distributions.core.models import Distribution
from fanfare import clock, errors
from fanfare.console import Button


def buttons(*, paused: str, resumed: str, closed: str, question: str) -> list[Button]:
    """The three of a kind, with what is said when each was done, and what is asked before closing."""

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
