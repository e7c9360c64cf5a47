"""Why staff do what they do just now, in their own words: whoever writes the trace puts it there.

It is for the console's buttons alone, which ask for it; so no deed has to hand it down to each row it writes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_reason: ContextVar[str] = ContextVar("reason", default="")


@contextmanager
def given(reason: str) -> Iterator[None]:
    """What is traced inside has this reason; none is said where it is empty."""
    token = _reason.set(reason)
    try:
        yield
    finally:
        _reason.reset(token)


def added(data: Mapping[str, Any] | None) -> dict[str, Any]:
    """An event's data with the reason that was given, unless it has one of its own: a denial's code."""
    found = dict(data or {})
    reason = _reason.get()
    return {**found, "reason": reason} if reason and "reason" not in found else found
