"""A draw's settings: their names and bounds, what fits together, and what can't change any more."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from distributions.core import drawings
from distributions.core.models import Distribution, Kind
from distributions.core.setup import CLOSED, DAY, Problems, Rows, Settings
from distributions.draws import validation
from distributions.draws.beacon import CHAINS, LEAD, QUICKNET
from distributions.draws.models import Draw
from experiences.models import Sequence
from experiences.setup import Changes
from fanfare.wire import iso

OF_DRAW = (
    "draw_at",
    "winner_count",
    "claim_seconds",
    "alternates",
    "end_at",
    "weights",
    "beacon",
    "fall_through",
)
BOUNDS = {"winner_count": (1, 10**7), "claim_seconds": (1, 30 * DAY)}
# What entrants were told, and what the list or the order hangs on: fixed once entries have closed.
OF_THE_LIST = (
    "open_at",
    "close_at",
    "draw_at",
    "winner_count",
    "capacity",
    "claim_seconds",
    "alternates",
    "weights",
    "beacon",
    "fall_through",
)
# Receipts say it, and the key hangs on it: fixed as soon as somebody has entered.
OF_THE_ENTRIES = ("winner_count", "weights", "beacon")
_OVER = "Entries have closed; this can't change any more."
_ENTERED = "Somebody has entered; this can't change any more."


def _closing(rows: Rows, values: Mapping[str, Any]) -> dt.datetime | None:
    """When entries close, with these values."""
    draws, closes = (values.get(name, rows.get(name)) for name in ("draw_at", "close_at"))
    return None if draws is None else min(draws, closes or draws)


def _complete(rows: Rows, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Name the beacon's chain and round where that is left to us: the round that was named before if it still
    comes late enough, else the first one `LEAD` after entries close.
    """
    closing, given, known = _closing(rows, values), values.get("beacon"), rows.kind.beacon or {}
    if not isinstance(given, dict) or closing is None or given.get("round") is not None:
        return values
    chain = given.get("chain", QUICKNET)
    if given.get("source") != "drand" or not validation.is_chain(chain):
        return values
    number = known.get("round")
    if number is None or known.get("chain") != chain or CHAINS[chain].time_of(number) <= closing:
        number = CHAINS[chain].first_after(closing + LEAD)
    return {**values, "beacon": {**given, "chain": chain, "round": number}}


def _problems(rows: Rows) -> Problems:
    draw, opens = rows.kind, rows.distribution.open_at
    problems = _weight_problems(rows) | _fall_through_problems(rows)
    if draw.draw_at is None:
        return problems
    if opens is not None and draw.draw_at <= opens:
        problems["draw_at"] = f"It must be after the opening, {iso(opens)}."
    if draw.end_at is not None and draw.end_at <= draw.draw_at:
        problems["end_at"] = f"It must be after the draw, {iso(draw.draw_at)}."
    return problems | _beacon_problems(rows)


def _beacon_problems(rows: Rows) -> Problems:
    beacon, closing = rows.kind.beacon, _closing(rows, {})
    try:
        validation.beacon(beacon)
    except ValidationError as problem:
        return {"beacon": problem.messages[0]}  # the field's own validators pass over {} and []
    if beacon is None or closing is None:
        return {}
    due = CHAINS[beacon["chain"]].time_of(beacon["round"]) if {"chain", "round"} <= set(beacon) else None
    if due is None:
        return {"beacon": "A chain and a round belong together."}
    if due > closing:
        return {}
    return {
        "beacon": f"Its round is due at {iso(due)}, but must be later than entries close, {iso(closing)}."
    }


def _weight_problems(rows: Rows) -> Problems:
    weights = rows.kind.weights
    try:
        validation.weights(weights)
    except ValidationError as problem:
        return {"weights": problem.messages[0]}
    named = {entry["sequence"] for entry in weights}
    if not named:
        return {}
    ways = Sequence.objects.filter(experience_id=rows.distribution.sequence.experience_id, slug__in=named)
    unknown = named - set(ways.values_list("slug", flat=True))
    return {"weights": f"No sequence of this experience: {', '.join(sorted(unknown))}."} if unknown else {}


def _fall_through_problems(rows: Rows) -> Problems:
    target: Distribution | None = rows.kind.fall_through
    if target is None:
        return {}
    is_near = target.sequence.experience_id == rows.distribution.sequence.experience_id
    if target.kind != Kind.QUEUE or not is_near:
        return {"fall_through": "It must be a queue of the same experience."}
    return {}


def _late(rows: Rows, changes: Changes, now: dt.datetime) -> Problems:
    return {name: text for name, text in _fixed(rows, now).items() if name in changes}


def _fixed(rows: Rows, now: dt.datetime) -> Problems:
    """The settings that can't change any more, and why."""
    draw, closing = rows.kind, _closing(rows, {})
    fixed: Problems = {}
    if rows.tally.entered:
        fixed |= dict.fromkeys(OF_THE_ENTRIES, _ENTERED)
    if rows.tally.frozen is not None or (closing is not None and closing <= now):
        fixed |= dict.fromkeys(OF_THE_LIST, _OVER)
    if draw.end_at is not None and draw.end_at <= now:
        fixed["end_at"] = "The draw has ended."
    if rows.distribution.closed_at is not None:
        fixed |= dict.fromkeys((*OF_THE_LIST, "end_at"), CLOSED)
    return fixed


def fixed(distribution: Distribution, now: dt.datetime) -> set[str]:
    """The settings that can't change any more."""
    return set(_fixed(Rows(distribution, distribution.tally, distribution.draw, OF_DRAW), now))


def _finish(rows: Rows) -> None:
    """The seed is there, and its commitment public, before anybody can enter."""
    drawings.commit(rows.distribution)


SETTINGS = Settings(Kind.DRAW, "draw", Draw, OF_DRAW, BOUNDS, _problems, _late, _finish, _complete)
