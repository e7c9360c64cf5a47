"""Where something is written down: all tables of PostgreSQL and all keys of Redis, searched for a text."""

from collections.abc import Iterator
from typing import Any, cast

from django.db import connection

from fanfare import redis


def tables_with(text: str) -> set[str]:
    """The tables, Django's and the histories' included, of which a row holds the text in any column."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            pattern = "%" + text.replace("%", r"\%").replace("_", r"\_") + "%"
            # The only thing put in is a table's own name.
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" AS r WHERE r::text ILIKE %s)', [pattern])
            row: Any = cursor.fetchone()
            found |= {table} if row[0] else set()
    return found


def redis_keys_with(text: str) -> set[str]:
    """The keys that hold the text, or are named by it."""
    wanted = text.encode().lower()
    return {
        key.decode()
        for key in cast(Iterator[bytes], redis.client().scan_iter("*"))
        if wanted in key.lower() or wanted in repr(_content(key)).encode().lower()
    }


def _content(key: bytes) -> Any:
    client: Any = redis.client()
    kind = client.type(key).decode()
    read: dict[str, Any] = {
        "string": client.get,
        "hash": client.hgetall,
        "set": client.smembers,
        "list": lambda name: client.lrange(name, 0, -1),
        "zset": lambda name: client.zrange(name, 0, -1, withscores=True),
    }
    return read[kind](key)
