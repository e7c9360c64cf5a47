"""Noticing what Redis lost, and giving it back: PostgreSQL is the truth.

Three nets, from fine to coarse: moves of the last seconds are pushed again (a process died between
commit and push); a line whose bitmap is not complete is rebuilt; when the server is another run than
last time, so that the last second of its file may be missing, everything is.
"""

import datetime as dt
from collections.abc import Iterable

from distributions.core import live, statements
from distributions.core.models import Participation, Tally
from distributions.core.standing import Standing
from experiences.models import Event
from fanfare import redis

REBUILD_SECONDS = 60  # a rebuild that takes longer may be started by a second worker, harmlessly
_COLUMNS = statements.COLUMNS.split(", ")


def repush(*, since: dt.datetime) -> int:
    """Push again whoever was moved since then; entries repair themselves when they are next read."""
    moved: dict[str, list[str]] = {}
    traces = Event.objects.filter(at__gte=since, distribution_id__isnull=False, consumer_id__isnull=False)
    pairs = traces.exclude(name__endswith=".entered").values_list("distribution_id", "consumer_id")
    for distribution_id, consumer_id in pairs.distinct():
        moved.setdefault(str(distribution_id), []).append(str(consumer_id))
    frozen = dict(Tally.objects.filter(pk__in=moved).values_list("pk", "frozen"))
    for distribution_id, consumer_ids in moved.items():
        rows = Participation.objects.filter(distribution_id=distribution_id, consumer_id__in=consumer_ids)
        standings = [Standing.from_row(row) for row in rows.order_by("id").values_list(*_COLUMNS)]
        live.push(distribution_id, frozen.get(distribution_id) or 0, standings)
    return sum(map(len, moved.values()))


def is_restarted() -> bool:
    """Whether Redis is another run than the one that was last reconciled, or was emptied."""
    answers = redis.attempt("reconcile", lambda: (_run_id(), redis.client().get(redis.RUN_ID)))
    return answers is not None and answers[0] != answers[1]


def remember_run() -> None:
    """This run of Redis has been given everything."""
    redis.attempt("reconcile", lambda: redis.client().set(redis.RUN_ID, _run_id()))


def _run_id() -> bytes:
    return str(redis.client().info("server")["run_id"]).encode()


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
