"""Noticing what Redis lost, and giving it back: PostgreSQL is the truth.

Three nets: moves of the last seconds are pushed again (a process died between commit and push); a line
whose bitmap is not complete is rebuilt (Redis was emptied); when the server is another run than last
time, or nobody could look at it for a while, all moves since the last look are pushed again.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from distributions.core import live, statements
from distributions.core.models import Participation, Tally
from distributions.core.standing import Standing
from experiences.models import Event
from fanfare import redis

REMEMBERED = dt.timedelta(seconds=30)  # moves so young are pushed again, whether or not it is needed
UNWATCHED = dt.timedelta(seconds=15)  # without a look at Redis, and more than the last moves may be missing
REBUILD_SECONDS = 60  # a rebuild that takes longer may be started by a second worker, harmlessly
_COLUMNS = statements.COLUMNS.split(", ")


def repush(*, since: dt.datetime) -> int:
    """Push again whoever was moved since then; entries repair themselves when they are next read, and
    a notice moves nobody.
    """
    moved: dict[str, list[str]] = {}
    traces = Event.objects.filter(at__gte=since, distribution_id__isnull=False, consumer_id__isnull=False)
    moves = traces.exclude(name__endswith=".entered").exclude(name__endswith=".notified")
    pairs = moves.values_list("distribution_id", "consumer_id")
    for distribution_id, consumer_id in pairs.distinct():
        moved.setdefault(str(distribution_id), []).append(str(consumer_id))
    frozen = dict(Tally.objects.filter(pk__in=moved).values_list("pk", "frozen"))
    for distribution_id, consumer_ids in moved.items():
        rows = Participation.objects.filter(distribution_id=distribution_id, consumer_id__in=consumer_ids)
        standings = [Standing.from_row(row) for row in rows.order_by("id").values_list(*_COLUMNS)]
        live.push(distribution_id, frozen.get(distribution_id) or 0, standings)
    return sum(map(len, moved.values()))


@dataclass(frozen=True)
class Look:
    """What a look at Redis found: `missed_since` is None where it can't have missed anything."""

    run_id: str
    is_empty: bool
    missed_since: dt.datetime | None


def look(*, now: dt.datetime) -> Look | None:
    """Whether Redis was emptied, or may have missed something and since when; None while it is away."""

    def ask() -> Look:
        run_id = str(redis.client().info("server")["run_id"])
        known, seen = cast(list[bytes | None], redis.client().mget(redis.RUN_ID, redis.HEARTBEAT))
        if seen is None:
            return Look(run_id, True, None)
        last = dt.datetime.fromisoformat(seen.decode())
        is_sure = known == run_id.encode() and now - last < UNWATCHED
        return Look(run_id, False, None if is_sure else last - REMEMBERED)

    return redis.attempt("reconcile", ask)


def remember(seen: Look, *, now: dt.datetime) -> None:
    """This run of Redis has been given everything up to now."""

    def write() -> None:
        with redis.client().pipeline(transaction=True) as pipe:
            pipe.mset({redis.RUN_ID: seen.run_id, redis.HEARTBEAT: now.isoformat()})
            pipe.set(redis.WATCHED, 1, ex=redis.WATCHED_SECONDS)
            pipe.execute()

    redis.attempt("heartbeat", write)


def incomplete(distribution_ids: Iterable[str]) -> list[str]:
    """Those whose bitmap Redis does not hold whole."""
    ids = list(distribution_ids)

    def ask() -> list[int]:
        pipe = redis.client().pipeline(transaction=False)
        for distribution_id in ids:
            pipe.getbit(redis.gone(distribution_id), 0)
        return list(pipe.execute())

    complete = redis.attempt("reconcile", ask) if ids else None
    return [] if complete is None else [name for name, bit in zip(ids, complete, strict=True) if not bit]


def begin_rebuild(distribution_id: str) -> bool:
    """Whether this worker may rebuild; False while another does."""
    key = f"rebuilding:{distribution_id}"
    return bool(redis.attempt("reconcile", lambda: redis.client().set(key, 1, nx=True, ex=REBUILD_SECONDS)))


def end_rebuild(distribution_id: str) -> None:
    """Let the next rebuild begin."""
    redis.attempt("reconcile", lambda: redis.client().delete(f"rebuilding:{distribution_id}"))
