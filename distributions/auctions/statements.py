"""The SQL of one bid: LOOK locks and reads, WRITE puts down what was decided. Two trips, one transaction.

The locks come first and each read after them is a statement of its own, so that it sees what the one before
us committed: a join in the locking statement would show it as it was before the wait. People are locked
before auctions and these before tallies, here and wherever people are merged or erased. The time is
PostgreSQL's own, read when the lock is held, so that all servers agree on who was in time.
"""

# ruff: noqa: S608 (what is put into these statements are lists of columns)
import datetime as dt
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from django.db import connection
from psycopg.types.json import Jsonb

from distributions.auctions.book import Offer
from distributions.auctions.models import Auction, Bidder
from distributions.core.standing import Standing
from distributions.core.statements import COLUMNS
from fanfare import clock

# Who is being merged or erased waits here, or is nobody any more when we had to wait. Then bids queue up,
# first come, first decided: at the row alone, whoever comes just when it is free would overtake those who
# wait. What guards is the row's lock, which settling and staff's deeds take as well.
_TURN = """
    WITH person AS MATERIALIZED (
        SELECT id FROM consumers_consumer
        WHERE id = %(consumer)s AND merged_into_id IS NULL AND erased_at IS NULL FOR SHARE
    )
    SELECT id, pg_advisory_xact_lock(hashtextextended(%(auction)s, 0)) FROM person
"""
_AUCTION_COLUMNS = [column.attname for column in Auction._meta.concrete_fields]
_AUCTION = f"""
    SELECT {", ".join(_AUCTION_COLUMNS)} FROM distributions_auction
    WHERE distribution_id = %(auction)s FOR NO KEY UPDATE
"""
_BIDDER_COLUMNS = [column.attname for column in Bidder._meta.concrete_fields]
_P = ", ".join(f"p.{name}" for name in COLUMNS.split(", "))
_B = ", ".join(f"b.{name}" for name in _BIDDER_COLUMNS)
_REST = f"""
    SELECT clock_timestamp(), d.open_at, d.close_at, d.closed_at, {_B}, {_P}
    FROM distributions_distribution AS d
    LEFT JOIN LATERAL (
        SELECT {COLUMNS} FROM distributions_participation
        WHERE distribution_id = d.id AND consumer_id = %(consumer)s
        ORDER BY status = 'LEFT' OR (deny_reason = 'ADMISSION_EXPIRED' AND status = 'DENIED'), id DESC LIMIT 1
    ) AS p ON TRUE
    LEFT JOIN distributions_bidder AS b ON b.participation_id = p.id
    WHERE d.id = %(auction)s
"""
_BEFORE = """
    SELECT kind, refusal, answer FROM distributions_bid
    WHERE auction_id = %(auction)s AND consumer_id = %(consumer)s AND idempotency_key = %(key)s::bytea
"""
# One more than there are places: the first who does not win is what the winners are up against. Each OFFSET 0
# keeps the planner from joining first and sorting then, which it would before it knows how many bid. Two
# texts instead of one with parameters that may be null: for that PostgreSQL would plan anew each time.
_OF_AUCTION = "FROM distributions_auction WHERE distribution_id = %(auction)s"
_RANKED = """
    SELECT b.participation_id, b.maximum, b.since, b.amount, p.place, p.consumer_id
    FROM (
        SELECT participation_id, maximum, since, amount FROM distributions_bidder
        WHERE auction_id = %(auction)s AND maximum >= {least}
        ORDER BY maximum DESC, since OFFSET 0
    ) AS b
    CROSS JOIN LATERAL (
        SELECT place, consumer_id, status FROM distributions_participation
        WHERE id = b.participation_id OFFSET 0
    ) AS p
    WHERE p.status = 'QUEUED'
    LIMIT {most}
"""
_BEST = _RANKED.format(
    least=f"coalesce((SELECT challenge {_OF_AUCTION}), 0)",
    most=f"(SELECT winner_count - bought + 1 {_OF_AUCTION})",
)
_ALL_BEST = _RANKED.format(least="0", most="%(most)s::int")


@dataclass(frozen=True)
class Ranked:
    """One of the best bidders: the offer, the place given at the first bid, and whose it is."""

    offer: Offer
    place: int
    consumer_id: str


@dataclass(frozen=True)
class Before:
    """The bid that was made with the same key: accepted as `kind` or refused, and what was answered."""

    kind: str
    refusal: str
    answer: dict[str, Any]


@dataclass(frozen=True)
class Look:
    """All that a bid is decided by, under the lock. `is_living`: the consumer is still somebody."""

    auction: Auction
    at: dt.datetime
    open_at: dt.datetime | None
    close_at: dt.datetime | None
    closed_at: dt.datetime | None
    is_living: bool
    before: Before | None
    bidder: Bidder | None
    standing: Standing | None
    best: list[Ranked]


def look(auction_id: str, consumer_id: str, key: bytes | None) -> Look:
    """Lock the person and the auction, then read; the caller is inside a transaction."""
    values = {"auction": auction_id, "consumer": consumer_id, "key": key}
    asked = [_TURN, _AUCTION, _REST, _BEST, *([] if key is None else [_BEFORE])]
    person, auction, rest, best, *before = _run(asked, values)
    at, open_at, close_at, closed_at, *columns = rest[0]
    bidder, standing = columns[: len(_BIDDER_COLUMNS)], columns[len(_BIDDER_COLUMNS) :]
    return Look(
        auction=_auction(auction[0]),
        at=clock.of_database(at),
        open_at=open_at,
        close_at=close_at,
        closed_at=closed_at,
        is_living=bool(person),
        before=_before(before[0][0]) if before and before[0] else None,
        bidder=None if bidder[0] is None else Bidder(**dict(zip(_BIDDER_COLUMNS, bidder, strict=True))),
        standing=None if standing[0] is None else Standing.from_row(standing),
        best=ranked(best),
    )


def best_of(auction_id: str, most: int) -> list[Ranked]:
    """The best bidders as they are now, so many at most; the caller holds the auction's lock."""
    (rows,) = _run([_ALL_BEST], {"auction": auction_id, "most": most})
    return ranked(rows)


def ranked(rows: list[tuple[Any, ...]]) -> list[Ranked]:
    """From the rows of `_BEST`."""
    return [
        Ranked(Offer(bidder, maximum, since, amount), place, consumer_id)
        for bidder, maximum, since, amount, place, consumer_id in rows
    ]


def _before(row: tuple[str, str, str]) -> Before:
    kind, refusal, answer = row
    return Before(kind, refusal, orjson.loads(answer))


def _auction(row: tuple[Any, ...]) -> Auction:
    found: dict[str, Any] = dict(zip(_AUCTION_COLUMNS, row, strict=True))
    found["increment_table"] = orjson.loads(found["increment_table"])  # Django wants jsonb as text
    return Auction(**found)


_STATE = (
    "number", "bids", "bought", "high", "leader", "high_at", "low", "challenge", "cutoff", "cutoff_since",
    "extensions",
)  # fmt: skip
_BID = (
    "id", "auction_id", "number", "consumer_id", "participation_id", "at", "kind", "amount", "max_amount",
    "refusal", "high_after", "closes_at", "void_reason", "idempotency_key", "answer",
)  # fmt: skip
_OFFER = ("maximum", "since", "amount", "bids", "last_amount", "last_at", "price")
_WRITE_BID = f"""
    WITH traced AS (
        INSERT INTO experiences_event (at, name, organization_id, distribution_id, consumer_id, actor, data)
        SELECT %(at)s, e ->> 'name', %(organization)s, %(auction_id)s, e ->> 'consumer', %(actor)s,
            e -> 'data'
        FROM jsonb_array_elements(%(events)s::jsonb) AS e
    )
    INSERT INTO distributions_bid ({", ".join(_BID)})
    VALUES ({", ".join(f"%({name})s" for name in _BID)})
"""
_WRITE_AUCTION = f"""
    UPDATE distributions_auction SET {", ".join(f"{name} = %({name})s" for name in _STATE)}
    WHERE distribution_id = %(auction)s
"""
_WRITE_BOTH = f"""
    WITH offered AS (
        INSERT INTO distributions_bidder (participation_id, auction_id, {", ".join(_OFFER)})
        VALUES (%(participation)s, %(auction)s, {", ".join(f"%(own_{name})s" for name in _OFFER)})
        ON CONFLICT (participation_id) DO UPDATE SET
            {", ".join(f"{name} = EXCLUDED.{name}" for name in _OFFER)}
    )
    {_WRITE_AUCTION}
"""
_WRITE_CLOSING = "UPDATE distributions_distribution SET close_at = %(close_at)s WHERE id = %(auction)s"


def write(
    auction: Auction,
    bid: dict[str, Any],
    *,
    trace: dict[str, Any],
    bidder: Bidder | None = None,
    close_at: dt.datetime | None = None,
) -> None:
    """Put a decided bid down and commit: its row, the auction's new state, the bidder's if it was accepted,
    the closing if it moved, and the trace (`organization`, `actor`; `events`: name, consumer, data of each).
    """
    answer, events = bid["answer"], orjson.dumps(trace["events"]).decode()
    row = {**bid, **trace, "answer": None if answer is None else Jsonb(answer), "events": events}
    state = {name: getattr(auction, name) for name in _STATE} | {"auction": auction.pk}
    deeds = [(_WRITE_BID, row)]
    if bidder is None:
        deeds.append((_WRITE_AUCTION, state))
    else:
        own = {f"own_{name}": getattr(bidder, name) for name in _OFFER}
        deeds.append((_WRITE_BOTH, state | own | {"participation": bidder.participation_id}))
    if close_at is not None:
        deeds.append((_WRITE_CLOSING, {"auction": auction.pk, "close_at": close_at}))
    _send(deeds, commit=True)


def database_now() -> dt.datetime:
    """PostgreSQL's clock; asked when the lock is held."""
    ((row,),) = _run(["SELECT clock_timestamp()"], {})
    return clock.of_database(row[0])


def _run(statements: list[str], values: dict[str, Any]) -> list[list[tuple[Any, ...]]]:
    """All of them in one trip, each with a snapshot of its own; the rows of each."""
    cursors = _send([(sql, values) for sql in statements])
    return [cursor.fetchall() for cursor in cursors]


def _send(deeds: list[tuple[str, dict[str, Any]]], *, commit: bool = False) -> list[psycopg.Cursor[Any]]:
    """All in one trip, with the COMMIT if asked for: Django's own then finds nothing left to commit."""
    connection.ensure_connection()
    raw = connection.connection
    with connection.wrap_database_errors, raw.pipeline():
        cursors = []
        for sql, values in [*deeds, *([("COMMIT", {})] if commit else [])]:
            cursor = psycopg.Cursor(raw)
            cursor.execute(sql, values, prepare=True)
            cursors.append(cursor)
    return cursors
