"""What is live, and what opens next, in some organizations: two questions to PostgreSQL."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import F, Q, QuerySet

from distributions.core.models import Distribution, Kind
from distributions.kinds import RELATED
from distributions.launches import figures
from fanfare import durations

MOST_LIVE, MOST_NEXT = 25, 8
# A draw is over when it was drawn, an auction when it was settled or called off.
_OVER = (
    Q(closed_at__isnull=False)
    | Q(drawing__drawn_at__isnull=False, kind=Kind.DRAW)
    | Q(auction__settled_at__isnull=False)
    | Q(auction__cancelled_at__isnull=False)
)


@dataclass(frozen=True)
class Row:
    """One distribution on the home page; `clock` says what comes next, in its zone."""

    distribution: Distribution
    phase: StrEnum
    line: str
    clock: str
    at: str

    @property
    def experience(self) -> str:
        return str(self.distribution.sequence.experience)


@dataclass(frozen=True)
class Home:
    """`more` says that there is more than is shown."""

    live: list[Row]
    next: list[Row]
    more_live: bool
    more_next: bool


def of(organizations: Sequence[str] | None) -> QuerySet[Distribution]:
    """The distributions of these organizations, with all that it takes to show one; None: of all."""
    rows = Distribution.objects.select_related(*RELATED)
    return rows if organizations is None else rows.filter(organization__in=organizations)


def look(organizations: Sequence[str] | None, now: dt.datetime) -> Home:
    """What there is at `now`."""
    going = of(organizations).exclude(_OVER)
    begun = going.filter(Q(open_at=None) | Q(open_at__lte=now))
    begun = begun.filter(Q(close_at=None) | Q(close_at__gt=now)).exclude(draw__draw_at__lte=now)
    live = list(begun.order_by(F("close_at").asc(nulls_last=True), "-id")[: MOST_LIVE + 1])
    coming = list(going.filter(open_at__gt=now).order_by("open_at", "id")[: MOST_NEXT + 1])
    return Home(
        [_live(each, now) for each in live[:MOST_LIVE]],
        [_next(each, now) for each in coming[:MOST_NEXT]],
        len(live) > MOST_LIVE,
        len(coming) > MOST_NEXT,
    )


def _live(distribution: Distribution, now: dt.datetime) -> Row:
    ends = distribution.draw.draw_at if distribution.kind == Kind.DRAW else distribution.close_at
    verb = "drawn in" if distribution.kind == Kind.DRAW else "closes in"
    clock = "no end is set" if ends is None else f"{verb} {durations.between(now, ends)}"
    at = "" if ends is None else figures.when(ends, distribution.zone)
    return Row(distribution, figures.phase(distribution, now), figures.line(distribution), clock, at)


def _next(distribution: Distribution, now: dt.datetime) -> Row:
    assert distribution.open_at is not None
    clock = f"in {durations.between(now, distribution.open_at)}"
    at = figures.when(distribution.open_at, distribution.zone)
    return Row(distribution, figures.phase(distribution, now), figures.setup(distribution), clock, at)
