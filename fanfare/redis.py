"""The connection to Redis, its scripts and all key names.

Redis holds nothing that PostgreSQL can't give back. Every caller expects it to be away: `attempt`
gives None instead of an exception, and for `DOWN_SECONDS` after a failure does not even try, so that
a dead Redis does not cost every request a time-out.
"""

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
TIMEOUT_SECONDS = 0.5

_client: "redis.Redis | None" = None
_down_until = 0.0  # monotonic seconds


def client() -> "redis.Redis":
    """The process's pooled connection; answers are bytes."""
    global _client
    if _client is None:
        _client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            health_check_interval=0,
        )
    return _client


def reset() -> None:
    """Forget the connection and that Redis was away, after a fork or when the address changed."""
    global _client, _down_until
    _client, _down_until = None, 0.0


def attempt(use: str, call: Callable[[], T]) -> T | None:
    """`call()`'s answer, or None while Redis is away; `use` names the purpose in log and metric."""
    global _down_until
    if time.monotonic() < _down_until:
        metrics.REDIS_FAILURES.labels(use).inc()
        return None
    try:
        return call()
    except (redis.RedisError, OSError) as problem:
        _down_until = time.monotonic() + DOWN_SECONDS
        metrics.REDIS_FAILURES.labels(use).inc()
        log.warning("redis.unavailable", use=use, problem=repr(problem))
        return None


def script(source: str) -> Callable[..., object]:
    """A Lua script, called as `run(keys, args)`, sent by its digest and loaded when unknown."""
    prepared: list[object] = []

    def run(keys: list[str], args: list[object]) -> object:
        if not prepared:
            prepared.append(client().register_script(source))
        return prepared[0](keys, args, client=client())  # type: ignore[operator]

    return run


# Key names. Sessions that ended, by the instant their last access token expires (Unix seconds).
ENDED_SESSIONS = "ended"
# The Redis server's own run id as of the last reconciliation; missing or other means: rebuild.
RUN_ID = "run"
HEARTBEAT = "heartbeat"


def standings(distribution_id: str) -> str:
    """Hash: consumer id → how the consumer stands there (see distributions.core.live)."""
    return f"standings:{distribution_id}"


def gone(distribution_id: str) -> str:
    """Bitmap: bit p is 1 when place p waits no more; bit 0 is 1 when the bitmap is complete."""
    return f"gone:{distribution_id}"


def rate(organization_id: str, category: str, window: int) -> str:
    """Counter: requests of one category in one window of 60 s."""
    return f"rate:{organization_id}:{category}:{window}"
