"""Reading what is replayed: events and participations, streamed from the database within one snapshot.

Whoever a guest turned out to be is one person with them, since a participation may be handed over
(`distributions.merging`); events stay under the id that its owner had at that time.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, transaction

from distributions.core.models import ENTERED, EXPIRED, Kind, Status, event_of
from experiences.models import Event

CHUNK = 5_000  # rows fetched at once
CHANGED, MERGED = "settings.changed", "consumer.merged"
PERSON = 'COALESCE(c.merged_into_id, {0}.consumer_id) COLLATE "C"'


@dataclass(frozen=True, slots=True)
class Told:
    """One event. `source` and `to` are the states of a move; without `source` it is an entry.

    `guest` and `status` are a merger's: whose participation was handed over, and how it stood.
    """

    id: int
    at: dt.datetime
    name: str
    consumer_id: str
    actor: str
    source: str | None
    to: str | None
    place: int | None
    guest: str | None = None
    status: str | None = None
    reason: str = ""
    is_out_of_turn: bool = False
    is_by_hand: bool = False

    @property
    def is_move(self) -> bool:
        """Whether it changed a participation's state, or made one."""
        return self.to is not None and self.name != MERGED

    @property
    def is_entry(self) -> bool:
        """Whether a participation began with it."""
        return self.is_move and self.source is None


@dataclass(frozen=True, slots=True)
class Row:
    """A participation as it is stored."""

    id: int
    consumer_id: str
    status: str
    place: int | None
    unit: int
    entered_at: dt.datetime
    admitted_at: dt.datetime | None
    expires_at: dt.datetime | None
    ended_at: dt.datetime | None
    deny_reason: str


@dataclass
class Settings:
    """The settings as they were when an event was written; `apply` goes on to the next change."""

    now: dict[str, Any]
    changes: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def apply(self, event_id: int) -> None:
        """Up to this event."""
        while self.changes and self.changes[0][0] <= event_id:
            self.now |= self.changes.pop(0)[1]

    def get(self, name: str) -> Any:
        """By the name that the trace has for it; None where there is no limit."""
        return self.now.get(name)


def settings_of(distribution_id: str, current: dict[str, Any]) -> Settings:
    """The course of the settings; `current` by the trace's names. Before the first change they were what
    that change says they had been.
    """
    found = Event.objects.filter(distribution_id=distribution_id, name=CHANGED).order_by("id")
    rows = [(pk, data) for pk, data in found.values_list("id", "data") if "after" in data]
    first = dict(current)
    for _, data in reversed(rows):
        first |= data["before"]
    return Settings(first, [(pk, data["after"]) for pk, data in rows])


def move_names(kind: Kind) -> list[str]:
    """The names of the events that tell of moves in this kind."""
    return sorted({event_of(kind, move) for move in (ENTERED, EXPIRED, *Status.values)})


@contextmanager
def snapshot() -> Iterator[None]:
    """All that is read inside is of one instant, and nothing is written."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield


def stream(sql: str, values: list[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, by a server-side cursor."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, values)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows


_COLUMNS = """e.id, e.at, e.name, e.consumer_id, e.actor, e.data->>'from', e.data->>'to',
    (e.data->>'place')::bigint, e.data->>'guest', e.data->>'status', COALESCE(e.data->>'reason', ''),
    e.data ? 'outOfTurn', e.data ? 'byHand'"""
_OF_PEOPLE = f"""
    SELECT {PERSON.format("e")} AS person, {_COLUMNS}
    FROM experiences_event AS e LEFT JOIN consumers_consumer AS c ON c.id = e.consumer_id
    WHERE e.distribution_id = %s AND e.name = ANY(%s) AND e.consumer_id IS NOT NULL ORDER BY person, e.id
"""  # noqa: S608 (columns alone)
_ROWS = f"""
    SELECT {PERSON.format("p")} AS person, p.id, p.consumer_id, p.status, p.place, p.unit, p.entered_at,
        p.admitted_at, p.expires_at, p.ended_at, p.deny_reason
    FROM distributions_participation AS p JOIN consumers_consumer AS c ON c.id = p.consumer_id
    WHERE p.distribution_id = %s ORDER BY person, p.id
"""  # noqa: S608
_IN_ORDER = f"""
    SELECT {_COLUMNS} FROM experiences_event AS e
    WHERE e.distribution_id = %s AND e.name = ANY(%s) ORDER BY e.id
"""  # noqa: S608


def people(distribution_id: str, kind: Kind) -> Iterator[tuple[list[Row], list[Told]]]:
    """Person by person, all their participations and all that the trace tells of them, each in order."""
    rows = groupby(stream(_ROWS, [distribution_id]), itemgetter(0))
    told = groupby(stream(_OF_PEOPLE, [distribution_id, [*move_names(kind), MERGED]]), itemgetter(0))
    row, event = next(rows, None), next(told, None)
    while row or event:
        person = min(key for key in (row and row[0], event and event[0]) if key)
        mine, theirs = [], []
        if row and row[0] == person:
            mine = [Row(*found[1:]) for found in row[1]]
            row = next(rows, None)
        if event and event[0] == person:
            theirs = [Told(*found[1:]) for found in event[1]]
            event = next(told, None)
        yield mine, theirs


def in_order(distribution_id: str, kind: Kind) -> Iterator[Told]:
    """All moves, and the closing, in the order in which they were made."""
    names = [*move_names(kind), f"{kind}.closed"]
    return (Told(*found) for found in stream(_IN_ORDER, [distribution_id, names]))
