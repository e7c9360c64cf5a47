"""The only place that asks what time it is.

Faces (views, tasks, commands, console actions) call `now()` once and pass the instant down; domain
functions take `now` as an argument. Every instant is an aware datetime in UTC.
"""

import datetime as dt


def now() -> dt.datetime:
    """The present instant, aware, UTC."""
    return dt.datetime.now(dt.UTC)


def of_database(told: dt.datetime) -> dt.datetime:
    """PostgreSQL's own clock, as read under a lock, where several servers must agree on who was in time.

    All such readings come through here, so that whoever moves the time moves this clock too.
    """
    return told


def to_micros(instant: dt.datetime) -> int:
    """An instant as whole microseconds since 1970-01-01 UTC, without passing through a float."""
    delta = instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> dt.datetime:
    """The inverse of `to_micros`."""
    seconds, rest = divmod(micros, 1_000_000)
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(microsecond=rest)
