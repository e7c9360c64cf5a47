"""The connection to Redis, its scripts and all key names.

Redis holds nothing that PostgreSQL can't give back. Every caller expects it to be away: `attempt`
gives None instead of an exception, and for `DOWN_SECONDS` after a failure does not even try, so that
a dead Redis does not cost every request a time-out.
"""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import redis
import structlog
from django.conf import settings

from fanfare import metrics

log = structlog.get_logger(__name__)
T = TypeVar("T")

DOWN_SECONDS = 1.0
DOUBT_SECONDS = 10.0  # above the interval at which a worker repeats what Redis missed
TIMEOUT_SECONDS = 0.5

_client: "redis.Redis | None" = None
_down_until = -DOUBT_SECONDS  # monotonic seconds
_thread = threading.local()


def client() -> "redis.Redis":
    """The process's pooled connection; answers are bytes."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            protocol=2,
        )
    return _client


def reset() -> None:
    """Forget the connection and that Redis was away, after a fork or when the address changed."""
    global _client, _down_until
    _client, _down_until = None, -DOUBT_SECONDS


os.register_at_fork(after_in_child=reset)


def is_down() -> bool:
    """Whether it failed this process just now, so that asking again would only cost time."""
    return time.monotonic() < _down_until


def is_doubtful() -> bool:
    """Whether it failed this process lately, so that it may still have to hear what happened meanwhile."""
    return time.monotonic() < _down_until + DOUBT_SECONDS


def attempt(use: str, call: Callable[[], T]) -> T | None:
    """`call()`'s answer, or None while Redis is away; `use` names the purpose in log and metric."""
    global _down_until
    if is_down():
        metrics.REDIS_FAILURES.labels(use).inc()
        return None
    try:
        return call()
    except (redis.RedisError, OSError) as problem:
        _down_until = time.monotonic() + DOWN_SECONDS
        metrics.REDIS_FAILURES.labels(use).inc()
        log.warning("redis.unavailable", use=use, problem=repr(problem))
        return None


class Script:
    """A Lua script, called with keys and arguments, over a connection of the calling thread's own.

    The pooled client's bookkeeping costs more than the trip itself (measured: 200 µs of 330), so what
    is hot goes past it, by the library's own connections. Scripts may be sent twice: they must bear it.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, keys: list[str], args: list[object]) -> object:
        try:
            return self._run(keys, args)
        except redis.ConnectionError:  # the server was started anew since the last call
            return self._run(keys, args)

    def _run(self, keys: list[str], args: list[object]) -> object:
        try:
            return ask("EVALSHA", self.digest, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            return ask("EVAL", self.source, len(keys), *keys, *args)


def ask(*words: object) -> object:
    """One command and its answer, on a connection of the calling thread's own; see `Script`."""
    connection = getattr(_thread, "connection", None)
    if connection is None or _thread.client is not client():
        _thread.client = client()
        connection = _thread.connection = client().connection_pool.make_connection()
    connection.send_command(*words, check_health=False)
    return connection.read_response()


# Key names. Sessions that ended, by the instant their last access token expires (Unix seconds).
ENDED_SESSIONS = "ended"
# The Redis server's own run id as of the last reconciliation; another one: it may have missed something.
RUN_ID = "run"
# When a worker last looked at Redis; whatever Redis missed happened since.
HEARTBEAT = "heartbeat"
# There while a worker asks the beacon's relay, and for a while after a slow answer.
BEACON_ASKED = "beacon-asked"
# There for `WATCHED_SECONDS` after each look: without a worker nobody makes up for what Redis misses.
WATCHED = "watched"
WATCHED_SECONDS = 5


def spent(challenge: str) -> str:
    """There once a challenge of that digest was answered, until it has ended by itself."""
    return f"spent:{challenge}"


def standings(distribution_id: str) -> str:
    """Hash: consumer id → how the consumer stands there (see distributions.core.live)."""
    return f"standings:{distribution_id}"


def gone(distribution_id: str) -> str:
    """Bitmap: bit p is 1 when place p waits no more; bit 0 is 1 when the bitmap is complete."""
    return f"gone:{distribution_id}"


def told(distribution_id: str) -> str:
    """Hash: place → the best position that PostgreSQL counted for it while the bitmap was not complete."""
    return f"told:{distribution_id}"


def rate(organization_id: str, category: str, window: int) -> str:
    """Counter: requests of one category in one window of 60 s."""
    return f"rate:{organization_id}:{category}:{window}"
