"""How names and instants are spelled outside: in the API, in files, in the trace.

Plain functions without a framework, so that domain code may use them; bodies are `fanfare.http`'s.
"""

import datetime as dt
import re
from functools import lru_cache


@lru_cache(maxsize=2048)
def camel(name: str) -> str:
    """`entered_at` → `enteredAt`; ids and names without a lower-case letter after `_` stay as they are."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


@lru_cache(maxsize=2048)
def snake(name: str) -> str:
    """`consumerId` → `consumer_id`."""
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def iso(instant: dt.datetime) -> str:
    """ISO 8601 in UTC with `Z`, to the microsecond where there is one."""
    return instant.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"
