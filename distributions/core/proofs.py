"""The proof of a drawing, for anyone: what was committed to, what was frozen, what was drawn from it.

`head` is what is known by now, `entries` a page of the frozen list; as a file, both in one. Nothing here
tells who somebody is. `sdk/verifier/` repeats it all without a line of ours.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from distributions.core import drawings, selection
from distributions.core.models import Distribution, Drawing, FrozenList
from fanfare import errors

VERSION = 1
PAGE = 1_000  # entries, unless another number is asked for
MOST = 10_000


@dataclass(frozen=True)
class Beacon:
    """The round of a public beacon that a drawing waits for, and the instant at which it is due."""

    chain: str
    round: int
    at: dt.datetime


@dataclass(frozen=True)
class Course:
    """How the giving of a draw's places went: how far down the order, and who was passed over, why."""

    offered: int
    passed_over: list[dict[str, Any]]


def level(drawing: Drawing, beacon: Beacon | None) -> str:
    """What it proves: `beacon` only where the list was frozen before the round was known."""
    is_late = drawing.frozen_at is not None and beacon is not None and drawing.frozen_at >= beacon.at
    return "commit-reveal" if beacon is None or is_late else "beacon"


def stage(distribution: Distribution, beacon: Beacon | None) -> str:
    """How far it is."""
    drawing = distribution.drawing
    if drawing.drawn_at is not None:
        return "DRAWN"
    if distribution.closed_at is not None:
        return "CANCELLED"
    if drawing.frozen_at is None:
        return "COMMITTED"
    return "WAITING_FOR_BEACON" if beacon is not None and not drawing.beacon_signature else "FROZEN"


def head(distribution: Distribution, *, winners: int | None, beacon: Beacon | None = None) -> dict[str, Any]:
    """All but entries, winners and alternates; `winners` as the settings say before the freeze."""
    drawing = distribution.drawing
    body: dict[str, Any] = {
        "version": VERSION,
        "kind": distribution.kind,
        "id": distribution.pk,
        "level": level(drawing, beacon),
        "status": stage(distribution, beacon),
        "commitment": drawing.commitment,
    }
    if beacon is not None:
        body["beacon"] = present_beacon(drawing, beacon)
    if drawing.frozen_at is None:
        return body | ({} if winners is None else {"winner_count": winners})
    body |= {
        "winner_count": drawing.winner_count,
        "frozen_at": drawing.frozen_at,
        "frozen_by": "schedule" if drawings.is_by_schedule(drawing.frozen_by) else "staff",
        "root": drawing.root,
        "numbers_given": drawing.numbers,
        "entry_count": drawing.entries,
        "removed_before_draw": {
            "count": drawing.numbers - drawing.entries,
            "reasons": drawing.removed,
        },
        "groups": drawing.groups,
    }
    if drawing.drawn_at is not None:
        seed = bytes(drawing.seed or b"").hex()
        body |= {"drawn_at": drawing.drawn_at, "seed": seed, "draw_key": drawing.key}
    return body


def present_beacon(drawing: Drawing, beacon: Beacon) -> dict[str, Any]:
    """The round that was named, and its value once it is here."""
    body: dict[str, Any] = {
        "source": "drand",
        "chain": beacon.chain,
        "round": beacon.round,
        "round_at": beacon.at,
    }
    if drawing.beacon_signature:
        body |= {"signature": drawing.beacon_signature, "randomness": randomness(drawing).hex()}
    return body


def randomness(drawing: Drawing) -> bytes:
    """A drand round's value: the SHA-256 of its signature; nothing without one."""
    signature = bytes.fromhex(drawing.beacon_signature)
    return hashlib.sha256(signature).digest() if signature else b""


def result(drawing: Drawing, course: Course) -> dict[str, Any]:
    """Winners and alternates with their ranks, as far as they were put in order; empty before the draw."""
    if drawing.drawn_at is None:
        return {}
    frozen = _list_of(drawing)
    weights, key = bytes(frozen.weights), bytes.fromhex(drawing.key)
    ranked = [
        {"number": number, "rank": selection.rank(key, number, weights[number - 1]).hex()}
        for number in drawings.unpack_order(frozen.order)
    ]
    return {
        "winners": ranked[: drawing.winner_count],
        "alternates": ranked[drawing.winner_count :],
        "places_offered": course.offered,
        "passed_over": course.passed_over,
    }


def entries(drawing: Drawing, first: int, most: int) -> dict[str, Any]:
    """At most so many entries from number `first` on; `next_cursor` is null behind the last."""
    if drawing.frozen_at is None:
        return {}
    weights = bytes(_list_of(drawing).weights)
    page = weights[first - 1 : first - 1 + most]
    following = first + len(page)
    more = str(following) if following <= len(weights) else None
    return {"entries": {"first": first, "data": list(_lines(drawing, page, first)), "next_cursor": more}}


def _list_of(drawing: Drawing) -> FrozenList:
    """Asked for each time: kept with a drawing that is remembered, it would be megabytes.

    Raises NotFound for a pre-queue that was drawn by an older rule, before there were lists.
    """
    found = FrozenList.objects.filter(pk=drawing.pk).first()
    if found is None:
        raise errors.NotFound("Proof")
    return found


def _lines(drawing: Drawing, weights: bytes, first: int) -> Iterator[str]:
    """`<weight> <mark>` of each, or `0 <why it was removed>`."""
    marked = selection.marks(weights, bytes(drawing.salt), first)
    for stored, (weight, mark) in zip(weights, marked, strict=True):
        yield f"{weight} {mark.hex()}" if weight else f"0 {selection.reason_of(stored)}"


def as_file(head: bytes, drawing: Drawing) -> Iterator[bytes]:
    """The whole proof as JSON, bit by bit: `head` is everything else, an object as bytes."""
    if drawing.frozen_at is None:
        return iter([head])
    return _as_file(head, drawing, bytes(_list_of(drawing).weights))


def _as_file(head: bytes, drawing: Drawing, weights: bytes) -> Iterator[bytes]:
    yield head[:-1] + b',"entries":{"first":1,"data":['
    for start in range(0, len(weights), MOST):
        lines = orjson.dumps(list(_lines(drawing, weights[start : start + MOST], start + 1)))
        yield (b"," if start else b"") + lines[1:-1]
    yield b'],"nextCursor":null}}'
