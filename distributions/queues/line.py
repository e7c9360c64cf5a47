"""The line of a queue: who is how far, for how long, and Redis' copy of it from PostgreSQL.

Positions come from Redis (`core.live`); while its bitmap is not complete, PostgreSQL counts.
"""

import datetime as dt
import math
from collections.abc import Iterable

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from distributions.core import live, polling, statements
from distributions.core.models import LIVE, Distribution, Drawing, Participation, Status, Tally
from distributions.core.phases import Phase, phase
from distributions.core.standing import Standing

CHUNK = 20_000  # rows fetched at once
_COLUMNS = statements.COLUMNS.split(", ")


def waiting(distribution: Distribution) -> QuerySet[Participation]:
    """Those in line, in order."""
    return Participation.objects.filter(distribution_id=distribution.pk, status=Status.QUEUED).order_by(
        "place"
    )


def find_position(distribution: Distribution, standing: Standing) -> int:
    """The position of somebody who waits, from Redis or else from PostgreSQL."""
    frozen = distribution.tally.frozen or 0
    place = standing.place or 0
    return live.position(distribution.pk, frozen, place) or live.tell(
        distribution.pk, place, count_position(distribution, standing)
    )


def count_position(distribution: Distribution, standing: Standing) -> int:
    """The position by PostgreSQL: how many wait before this place, plus one."""
    return waiting(distribution).filter(place__lt=standing.place).order_by().count() + 1


def with_positions(some: list[tuple[Distribution, Standing]]) -> list[tuple[Distribution, Standing]]:
    """The same, with the position of whoever waits: from Redis, or else all counted in one query."""
    asked = {
        standing.id: live.position(distribution.pk, distribution.tally.frozen or 0, standing.place or 0)
        for distribution, standing in some
        if standing.status == Status.QUEUED
    }
    counted = _count_positions([pk for pk, position in asked.items() if position is None])
    for distribution, standing in some:
        if standing.id in counted:
            told = live.tell(distribution.pk, standing.place or 0, counted[standing.id])
            counted[standing.id] = told
    known = asked | counted
    return [
        (distribution, live.with_position(standing, known.get(standing.id)))
        for distribution, standing in some
    ]


def _count_positions(ids: list[int]) -> dict[int, int]:
    """Positions by PostgreSQL, by participation."""
    if not ids:
        return {}
    ahead = Participation.objects.filter(
        distribution_id=OuterRef("distribution_id"), status=Status.QUEUED, place__lt=OuterRef("place")
    )
    number = ahead.order_by().values("distribution_id").annotate(number=Count("id")).values("number")
    rows = Participation.objects.filter(pk__in=ids).annotate(position=Coalesce(Subquery(number), 0) + 1)
    return dict(rows.values_list("pk", "position"))


def wait_seconds(distribution: Distribution, position: int, now: dt.datetime) -> int | None:
    """The wait to expect at the set rate; None while nobody can tell (paused)."""
    if distribution.paused_at is not None or not distribution.queue.admission_rate:
        return None
    seconds = position * 60 / distribution.queue.admission_rate
    if phase(distribution, now) == Phase.PENDING and distribution.open_at is not None:
        seconds += (distribution.open_at - now).total_seconds()
    return math.ceil(seconds)


def poll_after(position: int, wait: int | None) -> int:
    """When asking again makes sense, in seconds: seldom far behind, often near the front."""
    return polling.advise((position / 50 if wait is None else wait / 10) + polling.NEAR)


def rebuild(distribution: Distribution) -> int:
    """Write Redis' copy from PostgreSQL: the bitmap first, so that positions come soon, then standings.

    Entering and status go on meanwhile: everything here is merged into what is there. Returns how many
    standings were written. Raises redis.RedisError when Redis is away.
    """
    frozen, bitmap = gone_bitmap(distribution)
    live.merge_gone(distribution.pk, bitmap)
    rows = Participation.objects.filter(distribution_id=distribution.pk, status__in=LIVE)
    number = 0
    chunk: list[Standing] = []
    for row in rows.values_list(*_COLUMNS).iterator(CHUNK):
        chunk.append(Standing.from_row(row))
        if len(chunk) == CHUNK:
            number += len(chunk)
            live.push(distribution.pk, frozen, chunk)
            chunk = []
    live.push(distribution.pk, frozen, chunk)
    return number + len(chunk)


def gone_bitmap(distribution: Distribution) -> tuple[int, bytes]:
    """The places given before the freeze, and the bitmap: bit p is 1 when place p waits no more.

    Bit 0 marks it complete. The tally is read before the line: whoever is not in line by then, up to
    `entered`, is gone; later places stay 0, as do those that a pre-queue's draw is yet to give.
    """
    tally = Tally.objects.get(pk=distribution.pk)
    frozen = tally.frozen or 0
    is_drawn = Drawing.objects.filter(pk=distribution.pk, drawn_at__isnull=False).exists()
    gone = bytearray(b"\xff") * (tally.entered // 8 + 1)
    gone[-1] = 0xFF00 >> (tally.entered % 8 + 1) & 0xFF
    if frozen and not is_drawn:
        _clear(gone, range(frozen + 1, 2 * frozen + 1))
    places = waiting(distribution).filter(place__lte=tally.entered).values_list("place", flat=True)
    _clear(gone, places.iterator(CHUNK))
    return frozen, bytes(gone)


def _clear(bitmap: bytearray, places: Iterable[int | None]) -> None:
    for place in places:
        assert place is not None
        bitmap[place >> 3] &= ~(0x80 >> (place & 7)) & 0xFF
