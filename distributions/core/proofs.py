"""The proof of a drawing, for anyone: what was committed to, what was frozen, what was drawn from it.

`head` is what is known by now, `entries` a page of the frozen list; as a file, both in one. Nothing here
tells who somebody is. `sdk/verifier/` repeats it all without a line of ours.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
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


def order(drawing: Drawing, most: int) -> dict[str, Any]:
    """Winners and alternates with their ranks, the first `most` of the drawn order; empty before the draw.

    A page that has all entries has all of these; the file has them in any case.
    """
    if drawing.drawn_at is None:
        return {}
    frozen = _list_of(drawing)
    numbers = drawings.unpack_order(bytes(frozen.order)[: 4 * most])
    ranked = _ranked(drawing, bytes(frozen.weights), numbers)
    return {"winners": ranked[: drawing.winner_count], "alternates": ranked[drawing.winner_count :]}


def _ranked(drawing: Drawing, weights: bytes, numbers: Sequence[int]) -> list[dict[str, Any]]:
    key = bytes.fromhex(drawing.key)
    return [
        {"number": number, "rank": selection.rank(key, number, weights[number - 1]).hex()}
        for number in numbers
    ]


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


def as_file(head: bytes, drawing: Drawing, *, with_order: bool) -> Iterator[bytes]:
    """The whole proof as JSON, bit by bit: `head` is everything else, an object as bytes.

    `with_order`: with winners and alternates, once they are drawn.
    """
    if drawing.frozen_at is None:
        return iter([head])
    frozen = _list_of(drawing)
    numbers = drawings.unpack_order(frozen.order) if with_order and drawing.drawn_at else None
    return _as_file(head, drawing, bytes(frozen.weights), numbers)


def _as_file(head: bytes, drawing: Drawing, weights: bytes, numbers: Sequence[int] | None) -> Iterator[bytes]:
    yield head[:-1]
    if numbers is not None:
        won = drawing.winner_count
        for name, part in (("winners", numbers[:won]), ("alternates", numbers[won:])):
            pieces = (_ranked(drawing, weights, part[at : at + MOST]) for at in range(0, len(part), MOST))
            yield from _array(f',"{name}":'.encode(), pieces)
    pages = (list(_lines(drawing, weights[at : at + MOST], at + 1)) for at in range(0, len(weights), MOST))
    yield from _array(b',"entries":{"first":1,"data":', pages)
    yield b',"nextCursor":null}}'


def _array(name: bytes, pieces: Iterable[list[Any]]) -> Iterator[bytes]:
    """A JSON array, piece by piece."""
    yield name + b"["
    for number, piece in enumerate(pieces):
        yield (b"," if number else b"") + orjson.dumps(piece)[1:-1]
    yield b"]"
