"""First come, first served: whether a queue admitted in the order of its places, moves by hand aside.

A place is given at entry and never given again, so whoever entered anew stands by the new one.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from distributions.audit.findings import SHOWN, Ledger
from distributions.audit.trace import PERSON, stream
from distributions.core.models import Kind, Status, event_of

ORDER = "first come, first served"


@dataclass(frozen=True, slots=True)
class Admission:
    """One admission, in the order of the trace; `place` is what the participation has."""

    event: int
    at: dt.datetime
    actor: str
    consumer_id: str
    place: int
    is_out_of_turn: bool
    is_by_hand: bool
    reason: str


@dataclass
class ByHand:
    """Admissions that somebody made, not the clock: all counted, the first ones listed."""

    number: int = 0
    out_of_turn: int = 0
    listed: list[dict[str, Any]] = field(default_factory=list)

    def note(self, one: Admission) -> None:
        """One more."""
        self.number += 1
        self.out_of_turn += one.is_out_of_turn
        if len(self.listed) < SHOWN:
            told = {"event": one.event, "consumer": one.consumer_id, "at": one.at, "by": one.actor}
            told |= {"place": one.place, "outOfTurn": one.is_out_of_turn, "reason": one.reason}
            self.listed.append(told)


# Of several admissions of one person at one instant the first event belongs to the first participation.
_ADMISSIONS = f"""
    WITH told AS (
        SELECT e.id, e.at, e.actor, e.consumer_id, e.data, {PERSON.format("e")} AS person,
            row_number() OVER (PARTITION BY {PERSON.format("e")}, e.at ORDER BY e.id) AS nth
        FROM experiences_event AS e JOIN consumers_consumer AS c ON c.id = e.consumer_id
        WHERE e.distribution_id = %s AND e.name = %s AND e.data->>'from' = 'QUEUED'
    ), stored AS (
        SELECT p.place, p.admitted_at, {PERSON.format("p")} AS person,
            row_number() OVER (PARTITION BY {PERSON.format("p")}, p.admitted_at ORDER BY p.id) AS nth
        FROM distributions_participation AS p JOIN consumers_consumer AS c ON c.id = p.consumer_id
        WHERE p.distribution_id = %s AND p.admitted_at IS NOT NULL
    )
    SELECT told.id, told.at, told.actor, told.consumer_id, stored.place, told.data ? 'outOfTurn',
        told.data ? 'byHand', COALESCE(told.data->>'reason', '')
    FROM told JOIN stored
        ON (told.person, told.at, told.nth) = (stored.person, stored.admitted_at, stored.nth)
    WHERE stored.place IS NOT NULL ORDER BY told.id
"""  # noqa: S608 (columns alone)


def admissions(distribution_id: str, kind: Kind) -> Iterator[Admission]:
    """All of a queue or a draw, in the order of the trace, each with its place."""
    name = event_of(kind, Status.ADMITTED)
    values: list[Any] = [distribution_id, name, distribution_id]
    return (Admission(*found) for found in stream(_ADMISSIONS, values))


def check(found: Iterator[Admission], ledger: Ledger) -> ByHand:
    """Weigh all admissions in turn; those by hand. Within one batch there is no before and after."""
    promise, by_hand = ledger.of(ORDER), ByHand()
    batch, last, before = None, 0, None
    latest: Admission | None = None
    for one in found:
        if one.is_out_of_turn or one.is_by_hand:
            by_hand.note(one)
        if one.is_out_of_turn:
            continue
        if (one.at, one.actor) != batch:
            batch, last, before = (one.at, one.actor), latest.place if latest else 0, latest
        promise.require(
            one.place > last,
            f"place {one.place} was admitted after place {last}",
            event=one.event,
            consumer=one.consumer_id,
            overtaken_by=before and before.consumer_id,
        )
        if latest is None or one.place > latest.place:
            latest = one
    return by_hand
