"""What the console says of a drawing by lot: its proof in words, and the beginning of the drawn order.

Of the drawing it knows what anyone may know by now (`proofs.head`); beside that, who is behind a number.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model

from distributions.core import drawings
from distributions.core.models import Distribution, Participation, Status

SHOWN = 50  # entries of the drawn order
STATUS_COLORS = {
    Status.QUEUED: "info", Status.ADMITTED: "success", Status.COMPLETED: "success",
    Status.DENIED: "danger", Status.LEFT: "warning",
}  # fmt: skip
_LEVELS = {
    "commit-reveal": (
        "Commit and reveal",
        "Nobody can change list, weights, counts or seed unseen once entries have closed. That no lists were "
        "tried out before is the operator’s word.",
    ),
    "beacon": (
        "Public beacon",
        "The result hangs on a round of a public beacon that comes after the list is frozen, so nobody, the "
        "operator included, can know it before.",
    ),
}
_LATE = "The list was frozen only when the beacon’s round was due, so it proves no more than without one."
_STAGES = {
    "COMMITTED": ("Committed", "info"),
    "FROZEN": ("Frozen", "warning"),
    "WAITING_FOR_BEACON": ("Waits for its beacon", "warning"),
    "DRAWN": ("Drawn", "success"),
    "CANCELLED": ("Cancelled", "danger"),
}


@dataclass(frozen=True)
class Drawn:
    """One entry in the drawn order: whose it is, and what became of it."""

    at: int
    number: int
    rank: str
    participation: Participation | None
    fate: str
    color: str
    reason: str = ""
    until: dt.datetime | None = None


@dataclass(frozen=True)
class Panel:
    """The drawing of one distribution; `proof` is the head of what is published."""

    proof: Mapping[str, Any]
    level: str
    meaning: str
    stage: str
    color: str
    frozen_by: str
    removed: str
    groups: Sequence[Mapping[str, Any]]
    drawn: Sequence[Drawn]


def make(distribution: Distribution, proof: Mapping[str, Any], drawn: Sequence[Drawn] = ()) -> Panel:
    """From the head of its proof, and what came first in the drawn order."""
    level, meaning = _LEVELS[proof["level"]]
    is_late = "beacon" in proof and proof["level"] != "beacon"
    stage, color = _STAGES[proof["status"]]
    removed = distribution.drawing.removed
    return Panel(
        proof=proof,
        level=level,
        meaning=f"{meaning} {_LATE}" if is_late else meaning,
        stage=stage,
        color=color,
        frozen_by=_who(distribution.drawing.frozen_by),
        removed=", ".join(f"{in_words(reason)}: {number:,}" for reason, number in sorted(removed.items())),
        groups=[{**group, "chance": _percent(group["odds"])} for group in distribution.drawing.groups],
        drawn=drawn,
    )


def in_words(reason: str) -> str:
    """A code of the contract as a sentence has it."""
    return reason.replace("_", " ").lower()


def _percent(odds: float) -> str:
    """With as many digits as tell something, also of one in a million."""
    return f"{float(f'{odds:.3g}') * 100:.6g} %"


def _who(actor: str) -> str:
    """Who froze the list; empty where nobody wrote that down."""
    if not actor or drawings.is_by_schedule(actor):
        return actor and "by itself"
    identity = actor.rpartition(":")[2]
    users = get_user_model().objects.filter(pk=int(identity)) if identity.isdigit() else ()
    return f"by hand: {next((user.get_username() for user in users), actor)}"
