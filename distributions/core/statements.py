"""The two SQL statements that decide: ENTER and MOVE. Nothing else writes a participation's status.

Each is one statement, so that one round trip counts, writes and traces, and a lock is never held
across the network. Guard and written column stand on the same row: after waiting for a lock,
PostgreSQL evaluates the guard anew (read committed), which it would not do for another table.
They run as prepared statements, past the ORM: planning them would cost as much as running them.
"""

# ruff: noqa: S608 (the only thing put into these statements is the list of columns)
import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection
from psycopg.types.json import Jsonb

from distributions.core.models import ENTERED, EXPIRED, HOLDING, MOVES, Distribution, Kind, Status, event_of
from distributions.core.standing import Standing
from fanfare import reasons

COLUMNS = (
    "id, consumer_id, status, place, entered_at, admitted_at, expires_at, ended_at, deny_reason, fingerprint"
)
_P_COLUMNS = ", ".join(f"p.{name}" for name in COLUMNS.split(", "))

_TYPES = {
    "ids": "bigint[]",
    "units": "int",
    "unit": "int",
    "admitted": "boolean",
    "sources": "text[]",
    "holding": "text[]",
    "now": "timestamptz",
    "expires_at": "timestamptz",
    "expired": "boolean",
    "out_of_turn": "boolean",
    "fingerprint": "bytea",
    "metadata": "jsonb",
    "data": "jsonb",
}


def _typed(sql: str) -> str:
    """Each parameter with its type, text unless said, since one that is used twice must agree."""
    return re.sub(r"%\((\w+)\)s", lambda found: f"{found[0]}::{_TYPES.get(found[1], 'text')}", sql)


# A consumer whose last participation they left, or let expire, may enter again; any other stands, but for
# a completed one while it is not the last of the units that one may have. Units are numbered without gaps.
# Where somebody else numbers them (bookings, held side by side), only the `unit` that is named counts.
# The index `one_participation` has the same condition, so that each is there once, and finds the last one.
_STANDING = f"""
    SELECT {COLUMNS} FROM distributions_participation
    WHERE distribution_id = %(distribution)s AND consumer_id = %(consumer)s
      AND NOT status = 'LEFT' AND NOT (deny_reason = 'ADMISSION_EXPIRED' AND status = 'DENIED')
      AND NOT (status = 'COMPLETED' AND unit < %(units)s) AND (%(unit)s IS NULL OR unit = %(unit)s)
      AND EXISTS (SELECT FROM person)
    ORDER BY unit DESC LIMIT 1
"""
_COMPLETED = """
    FROM distributions_participation
    WHERE distribution_id = %(distribution)s AND consumer_id = %(consumer)s AND status = 'COMPLETED'
"""

# The tally's row lock is held until commit, so places are given in the order of commits. Should one
# consumer's two entries race, the unique index stops the second, and its count rolls back with it.
# Whoever is being merged or erased waits at `person`, and then is nobody: PostgreSQL evaluates the guard
# of a locking read anew, so no entry slips in behind what moved the others. The person comes first, also
# for a repeated entry: in `lifecycle.enter` an expiry may follow, and mergers lock people before tallies.
ENTER = _typed(f"""
WITH person AS MATERIALIZED (
    SELECT id FROM consumers_consumer
    WHERE id = %(consumer)s AND merged_into_id IS NULL AND erased_at IS NULL FOR SHARE
),
existing AS MATERIALIZED ({_STANDING}),
counted AS (
    UPDATE distributions_tally SET entered = entered + 1, taken = taken + 1,
        admitted = admitted + CASE WHEN %(admitted)s THEN 1 ELSE 0 END
    WHERE distribution_id = %(distribution)s AND NOT is_closed
      AND (places IS NULL OR taken < places OR %(out_of_turn)s)
      AND NOT EXISTS (SELECT FROM existing) AND EXISTS (SELECT FROM person)
    RETURNING entered
),
added AS (
    INSERT INTO distributions_participation (distribution_id, consumer_id, status, place, unit, entered_at,
        admitted_at, expires_at, deny_reason, order_id, fingerprint, is_risky, metadata)
    SELECT %(distribution)s, %(consumer)s, CASE WHEN %(admitted)s THEN 'ADMITTED' ELSE 'QUEUED' END, entered,
        CASE WHEN %(unit)s IS NOT NULL THEN %(unit)s WHEN %(units)s = 1 THEN 1
            ELSE (SELECT 1 + COALESCE(max(unit), 0) {_COMPLETED}) END,
        %(now)s, CASE WHEN %(admitted)s THEN %(now)s END, %(expires_at)s, '', '', %(fingerprint)s, FALSE,
        %(metadata)s
    FROM counted
    RETURNING {COLUMNS}
),
traced AS (
    INSERT INTO experiences_event (at, name, organization_id, distribution_id, consumer_id, actor, data)
    SELECT %(now)s, %(event)s, %(organization)s, %(distribution)s, consumer_id, %(actor)s,
        jsonb_build_object('to', status, 'place', place)
    FROM added
)
SELECT {COLUMNS}, FALSE FROM added UNION ALL SELECT {COLUMNS}, TRUE FROM existing
""")

# `expired` tells apart what an admission's end takes away and what anybody else does: after its end
# only the expiry may move it, before only the others. The tally is locked before the rows, as ENTER does:
# a second entry of the same consumer holds the tally and waits for their row, so whoever had the row and
# waited for the tally would wait forever.
MOVE = _typed(f"""
WITH tally AS MATERIALIZED (
    SELECT distribution_id FROM distributions_tally WHERE distribution_id = %(distribution)s
    FOR NO KEY UPDATE
),
old AS MATERIALIZED (
    SELECT id, status AS was FROM distributions_participation
    WHERE EXISTS (SELECT FROM tally) AND id = ANY(%(ids)s) AND distribution_id = %(distribution)s
      AND status = ANY(%(sources)s)
      AND (status <> 'ADMITTED' OR (expires_at IS NOT NULL AND expires_at <= %(now)s) = %(expired)s)
    ORDER BY id FOR NO KEY UPDATE
),
moved AS (
    UPDATE distributions_participation AS p SET
        status = %(to)s,
        admitted_at = CASE WHEN %(to)s = 'ADMITTED' THEN %(now)s ELSE p.admitted_at END,
        expires_at = CASE WHEN %(to)s = 'ADMITTED' THEN %(expires_at)s ELSE p.expires_at END,
        ended_at = CASE WHEN %(to)s = 'ADMITTED' THEN NULL ELSE %(now)s END,
        deny_reason = %(reason)s,
        order_id = %(order_id)s
    FROM old WHERE p.id = old.id
    RETURNING {_P_COLUMNS}, old.was
),
counted AS (
    UPDATE distributions_tally AS t SET
        taken = t.taken - n.places, admitted = t.admitted + n.admitted,
        completed = t.completed + n.completed, returned = t.returned + n.returned
    FROM (
        SELECT count(*) AS moves,
            count(*) FILTER (WHERE was = ANY(%(holding)s) AND NOT status = ANY(%(holding)s)) AS places,
            count(*) FILTER (WHERE status = 'ADMITTED') AS admitted,
            count(*) FILTER (WHERE status = 'COMPLETED') AS completed,
            count(*) FILTER (WHERE was = 'ADMITTED' AND status IN ('DENIED', 'LEFT')) AS returned
        FROM moved
    ) AS n
    WHERE distribution_id = %(distribution)s AND n.moves > 0
),
traced AS (
    INSERT INTO experiences_event (at, name, organization_id, distribution_id, consumer_id, actor, data)
    SELECT %(now)s, %(event)s, %(organization)s, %(distribution)s, consumer_id, %(actor)s,
        jsonb_build_object('from', was, 'to', status) || %(data)s
    FROM moved
)
SELECT {COLUMNS}, was FROM moved
""")


def enter(
    distribution: Distribution,
    consumer_id: str,
    *,
    now: dt.datetime,
    actor: str,
    fingerprint: bytes | None,
    metadata: dict[str, Any] | None,
    out_of_turn: bool = False,
    units: int = 1,
    unit: int | None = None,
    admitted: bool = False,
    expires_at: dt.datetime | None = None,
) -> tuple[Standing, bool] | None:
    """Give the next place and write the entry, or find the one there is; True: there was one.

    `units`: how many a consumer may have, one after the other; `unit`: the number of this one, where they may
    have several side by side; `admitted`: at once, until `expires_at`.

    None: no place is free, the distribution has closed, or the consumer is nobody any more. Raises
    django's IntegrityError when the same consumer entered at the same moment: call again, and it is found.
    """
    rows = _run(
        ENTER,
        {
            "distribution": distribution.id,
            "organization": distribution.organization_id,
            "consumer": consumer_id,
            "now": now,
            "actor": actor,
            "event": event_of(Kind(distribution.kind), ENTERED),
            "fingerprint": fingerprint,
            "metadata": None if metadata is None else Jsonb(metadata),
            "out_of_turn": out_of_turn,
            "units": units,
            "unit": unit,
            "admitted": admitted,
            "expires_at": expires_at,
        },
    )
    return (Standing.from_row(rows[0][:-1]), bool(rows[0][-1])) if rows else None


def move(
    distribution: Distribution,
    participation_ids: Sequence[int],
    to: Status,
    *,
    now: dt.datetime,
    actor: str,
    expires_at: dt.datetime | None = None,
    reason: str = "",
    order_id: str = "",
    expired: bool = False,
    sources: Sequence[Status] = (),
    data: dict[str, Any] | None = None,
) -> list[tuple[Standing, Status]]:
    """Move those that may be moved, in one guarded update; each comes back with the state it was in.

    `sources` narrows from which states; empty: all that the table of moves allows.
    """
    kind = Kind(distribution.kind)
    rows = _run(
        MOVE,
        {
            "distribution": distribution.id,
            "organization": distribution.organization_id,
            "ids": list(participation_ids),
            "sources": [str(status) for status in sources or MOVES[to]],
            "to": str(to),
            "now": now,
            "actor": actor,
            "event": event_of(kind, EXPIRED if expired else to),
            "expires_at": expires_at,
            "reason": reason,
            "order_id": order_id,
            "expired": expired,
            "holding": [str(status) for status in HOLDING[kind]],
            "data": Jsonb(reasons.added(data)),
        },
    )
    return [(Standing.from_row(row[:-1]), Status(row[-1])) for row in rows]


def _run(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql, values, prepare=True)
        return cursor.fetchall()
