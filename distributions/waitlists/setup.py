"""A waitlist's settings: their names and bounds, what fits together, and what can't change any more."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from distributions.core.models import Distribution, Kind
from distributions.core.setup import CLOSED, DAY, Problems, Rows, Settings, is_changed
from distributions.waitlists.models import Mode, Waitlist
from experiences import setup
from experiences.setup import Changes

OF_WAITLIST = ("mode", "offer_sequence", "offer_seconds")
BOUNDS = {"offer_seconds": (10, 30 * DAY)}


def _complete(rows: Rows, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where places are offered, no guests unless said: a code is sent only to who can be reached."""
    offers = values.get("mode", rows.kind.mode) == Mode.OFFER
    return {**({"supports_guest": False} if offers else {}), **values}


def _problems(rows: Rows) -> Problems:
    waitlist, problems = rows.kind, {}
    way, offered = rows.distribution.sequence, waitlist.offer_sequence
    if offered is not None and (offered == way or offered.experience_id != way.experience_id):
        problems["offer_sequence"] = "It must be another sequence of the same experience."
    if waitlist.mode == Mode.OFFER:
        if offered is None:
            problems["offer_sequence"] = "Offers need the sequence whose free places they are of: choose it."
        if waitlist.offer_seconds is None:
            problems["offer_seconds"] = "Offers need an end. Say how long one lasts, such as half an hour."
        if rows.distribution.supports_guest:
            problems["supports_guest"] = "Offers are sent, and guests can't be reached: switch this off."
    return problems


def _late(rows: Rows, changes: Changes, now: dt.datetime) -> Problems:
    if rows.distribution.closed_at is None:
        return {}
    return is_changed(("open_at", "close_at", "capacity"), changes, CLOSED)


def fixed(distribution: Distribution, now: dt.datetime) -> set[str]:
    """The settings that can't change any more."""
    return {"open_at", "close_at", "capacity"} if distribution.closed_at else set()


def _finish(rows: Rows) -> None:
    """What follows needs to know who changed it: see below."""


@dataclass(frozen=True)
class WaitlistSettings(Settings):
    """Of a waitlist: the sequence that it offers asks for a code at once, so that nobody else takes that."""

    def _finish(self, rows: Rows, changes: Changes, now: dt.datetime, actor: str) -> None:
        super()._finish(rows, changes, now, actor)
        if rows.kind.mode == Mode.OFFER:
            setup.update(rows.kind.offer_sequence, {"requires_access_code": True}, now=now, actor=actor)


SETTINGS = WaitlistSettings(
    Kind.WAITLIST, "wl", Waitlist, OF_WAITLIST, BOUNDS, _problems, _late, _finish, _complete
)
