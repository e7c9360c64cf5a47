"""What Redis holds, held against PostgreSQL's word as it is now: standings, and the bitmap of a queue's line.

A standing that is not there is no fault: whoever asks is answered from PostgreSQL, and it is written. One
that is there must be true; so must every bit of a complete bitmap. What moved in the last seconds may still
be on its way (`reconcile.REMEMBERED`) and is not judged.
"""

import datetime as dt
from collections.abc import Iterator
from typing import cast

from redis import RedisError

from distributions.audit.findings import Ledger, Promise
from distributions.core import live, reconcile, statements
from distributions.core.models import Distribution, Drawing, Kind, Participation, Status
from distributions.core.standing import Standing
from distributions.queues import line
from fanfare import redis

STANDINGS = "Redis: every standing is what PostgreSQL says"
BITMAP = "Redis: the line's bitmap is what PostgreSQL says"
AWAY = "Redis is away"
CHUNK = 2_000
_COLUMNS = statements.COLUMNS.split(", ")


def check(distribution: Distribution, ledger: Ledger, *, now: dt.datetime) -> None:
    """Weigh both, or say why not. Reads what is committed now, outside of any snapshot."""
    if redis.attempt("audit", lambda: redis.client().ping()) is None:
        ledger.skip(STANDINGS, AWAY)
        ledger.skip(BITMAP, AWAY)
        return
    try:
        since = now - reconcile.REMEMBERED
        _check_standings(distribution, ledger.of(STANDINGS), since)
        if distribution.kind == Kind.QUEUE:
            _check_bitmap(distribution, ledger, since)
    except (RedisError, OSError):
        ledger.skip(STANDINGS, AWAY)


def _check_standings(distribution: Distribution, promise: Promise, since: dt.datetime) -> None:
    key = redis.standings(distribution.pk)
    chunk: dict[str, Standing] = {}
    found = cast(Iterator[tuple[bytes, bytes]], redis.client().hscan_iter(key, count=CHUNK))
    for consumer, text in found:
        chunk[consumer.decode()] = live.decode(consumer.decode(), text, 0)
        if len(chunk) >= CHUNK:
            _compare(distribution, promise, chunk, since)
            chunk = {}
    _compare(distribution, promise, chunk, since)


def _compare(
    distribution: Distribution, promise: Promise, told: dict[str, Standing], since: dt.datetime
) -> None:
    ids_told = [standing.id for standing in told.values()]
    rows = Participation.objects.filter(distribution=distribution, pk__in=ids_told)
    columns = rows.values_list(*_COLUMNS, "consumer__erased_at")
    known = {row[0]: (Standing.from_row(row[:-1]), row[-1]) for row in columns}
    for consumer, standing in told.items():
        stored, erased_at = known.get(standing.id, (None, None))
        ids = {"consumer": consumer, "participation": standing.id}
        if stored is None:
            promise.require(False, "no such participation", **ids)
            continue
        if stored.consumer_id != consumer:  # it was a guest's, who asks no more
            continue
        said, true = live.encode(standing), live.encode(stored)
        is_true = said == true or erased_at is not None
        is_on_its_way = is_true or _moved_since(stored, since) or _was_drawn_since(distribution, since)
        promise.require(is_on_its_way, f"{said}, PostgreSQL has {true}", **ids)


def _moved_since(row: Participation | Standing, since: dt.datetime) -> bool:
    return any(at is not None and at >= since for at in (row.entered_at, row.admitted_at, row.ended_at))


def _was_drawn_since(distribution: Distribution, since: dt.datetime) -> bool:
    return Drawing.objects.filter(pk=distribution.pk, drawn_at__gte=since).exists()


def _check_bitmap(distribution: Distribution, ledger: Ledger, since: dt.datetime) -> None:
    promise = ledger.of(BITMAP)
    kept = cast(bytes, redis.client().get(redis.gone(distribution.pk)) or b"")
    if not kept or not kept[0] & 0x80:
        promise.skipped = "it is not complete: PostgreSQL counts positions"
        return
    frozen, bitmap = line.gone_bitmap(distribution)
    promise.weighed += 8 * len(bitmap) - 1
    kept = kept.ljust(len(bitmap), b"\0")
    differ = [
        8 * byte + bit
        for byte, (a, b) in enumerate(zip(bitmap, kept, strict=False))
        if a != b
        for bit in range(8)
        if (a ^ b) & 0x80 >> bit
    ]
    for at in range(0, len(differ), CHUNK):
        _explain(distribution, promise, differ[at : at + CHUNK], kept, since)


def _explain(
    distribution: Distribution, promise: Promise, places: list[int], kept: bytes, since: dt.datetime
) -> None:
    """Look again at the places whose bits differ: they may have moved since we counted."""
    rows = Participation.objects.filter(distribution=distribution, place__in=places)
    known = {row.place: row for row in rows}
    for place in places:
        row, is_gone = known.get(place), bool(kept[place >> 3] & 0x80 >> (place & 7))
        waits = row is not None and row.status == Status.QUEUED
        is_right = waits != is_gone
        is_late = row is not None and not is_gone and _moved_since(row, since)
        if not is_right and not is_late and not _was_drawn_since(distribution, since):
            told = "waits, and is gone by Redis" if waits else "is gone, and waits by Redis"
            promise.breaks(f"place {place} {told}", participation=row and row.pk, place=place)
