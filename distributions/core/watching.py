"""What a live page shows: the words that every kind speaks, and what each of them counts alike."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from distributions.core.models import Distribution, Participation, Status
from fanfare.memo import Memo

Card = tuple[str, str, str]
"""Title, number and what there is to say about it."""


@dataclass(frozen=True)
class Chart:
    """Numbers a minute over the last hour: by what they are called, the oldest first."""

    title: str
    lines: Sequence[tuple[str, Sequence[int]]]


@dataclass(frozen=True)
class Cell:
    """One field of a table; a `color` makes it a label."""

    text: str
    url: str = ""
    color: str = ""


@dataclass(frozen=True)
class Table:
    """The latest, or the next; `empty` is said when there is none."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str


@dataclass(frozen=True)
class Watched:
    """All that a live page shows of a distribution; `seconds` after which it looks anew, 0: it is over."""

    cards: Sequence[Card]
    minutes: Sequence[dt.datetime]
    charts: Sequence[Chart]
    table: Table | None = None
    seconds: int = 2


def gone(distribution: Distribution) -> dict[str, int]:
    """How many were denied and how many left, ever; counted seldom where that takes long."""
    return _gone.get(distribution.pk) or {}


def _count_gone(distribution_id: str) -> dict[str, int]:
    over = Participation.objects.filter(
        distribution_id=distribution_id, status__in=[Status.LEFT, Status.DENIED]
    )
    found = dict(over.order_by().values_list("status").annotate(number=Count("id")))
    return {status: found.get(status, 0) for status in (Status.LEFT, Status.DENIED)}


_gone: Memo[str, dict[str, int]] = Memo(_count_gone, size=200, share=0.05)


def spelled(seconds: float | None) -> str:
    """A time span as people say it: `2 h 46 min`."""
    if seconds is None:
        return "not known"
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours >= 24:
        return f"{hours // 24}\N{NO-BREAK SPACE}d {hours % 24}\N{NO-BREAK SPACE}h"
    if hours:
        return f"{hours}\N{NO-BREAK SPACE}h {minutes}\N{NO-BREAK SPACE}min"
    if minutes:
        return f"{minutes}\N{NO-BREAK SPACE}min {whole % 60}\N{NO-BREAK SPACE}s"
    return f"{whole}\N{NO-BREAK SPACE}s"


def until(at: dt.datetime | None, now: dt.datetime) -> str:
    """How long it still is until then."""
    return "by hand" if at is None else spelled((at - now).total_seconds()) if at > now else "now"


def of(limit: int | None) -> str:
    """What there is to say of a number that has a limit."""
    return "" if limit is None else f"of {limit:,}"
