"""What the form of a new distribution is filled in with: times that fit the launch, in its zone."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from distributions.core.models import Distribution, Kind
from experiences.models import Sequence

AT = dt.time(10)  # where nothing says when: the next morning
LASTS = dt.timedelta(days=1)
# What begins at an hour; appointments and waitlists are there from the start.
BEGINS = (Kind.QUEUE, Kind.DRAW, Kind.AUCTION, Kind.TIMED_RELEASE)
ENDS = (Kind.DRAW, Kind.AUCTION)  # what is nothing without an end


def times(kind: Kind, sequence: Sequence | None, zone: str, now: dt.datetime) -> dict[str, Any]:
    """When it could open and end; nothing for kinds that are always there."""
    if kind not in BEGINS:
        return {}
    opens = _opening(sequence, now) or _morning(ZoneInfo(zone), now)
    announced = sequence.experience.close_at if sequence else None
    ends = announced if announced is not None and announced > opens else None
    if ends is None and kind in ENDS:
        ends = opens + LASTS
    return {"open_at": opens, "draw_at" if kind == Kind.DRAW else "close_at": ends}


def _opening(sequence: Sequence | None, now: dt.datetime) -> dt.datetime | None:
    """When the launch opens, as announced, or else as the first of what is in it will."""
    if sequence is None:
        return None
    announced = sequence.experience.open_at
    if announced is not None and announced > now:
        return announced
    near = Distribution.objects.filter(sequence__experience=sequence.experience_id, open_at__gt=now)
    return near.order_by("open_at").values_list("open_at", flat=True).first()


def _morning(zone: ZoneInfo, now: dt.datetime) -> dt.datetime:
    tomorrow = now.astimezone(zone).date() + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, AT, zone)
