"""Servers that are away, as the API's tests need them: nothing listens where they should be."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import override_settings

from fanfare import redis

NOWHERE = "redis://127.0.0.1:1/0"


@contextmanager
def redis_away() -> Iterator[None]:
    """Redis refuses every connection, the rate counters' cache included."""
    caches = {"default": {**settings.CACHES["default"], "LOCATION": NOWHERE}}
    with override_settings(REDIS_URL=NOWHERE, CACHES=caches):
        redis.reset()
        yield
    redis.reset()


@contextmanager
def postgresql_away() -> Iterator[None]:
    """PostgreSQL refuses every connection of this thread."""
    kept: dict[str, Any] = dict(connection.settings_dict)
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    connection.settings_dict.update(PORT="1", OPTIONS={"connect_timeout": 1})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)
