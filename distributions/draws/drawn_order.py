"""What became of a draw's entries, in words for staff: of one, and of the first in the drawn order."""

import datetime as dt

from distributions.core import drawings, selection
from distributions.core.drawing_panel import SHOWN, STATUS_COLORS, Drawn, in_words
from distributions.core.models import Distribution, FrozenList, Participation, Reason, Status
from distributions.core.standing import Standing
from distributions.draws import rules

_FATES = {
    Status.ADMITTED: "Won",
    Status.COMPLETED: "Claimed",
    Status.DENIED: "Denied",
    Status.LEFT: "Left",
}
_OF_REASONS: dict[str, str] = {Reason.NOT_SELECTED: "Lost", Reason.ADMISSION_EXPIRED: "Not claimed"}


def fate(distribution: Distribution, standing: Standing) -> str:
    """What became of an entry by now; `standing` is as it is at that instant."""
    if standing.status == Status.QUEUED:
        return "Entered" if distribution.drawing.drawn_at is None else "Alternate"
    if standing.status == Status.LEFT and standing.admitted_at is not None:
        return "Given up"
    return _OF_REASONS.get(standing.deny_reason, _FATES[standing.status])


def first(distribution: Distribution, now: dt.datetime) -> list[Drawn]:
    """The first of the drawn order; empty before the draw."""
    drawing = distribution.drawing
    frozen = FrozenList.objects.filter(pk=drawing.pk).first() if drawing.drawn_at else None
    if frozen is None:
        return []
    weights, key = bytes(frozen.weights), bytes.fromhex(drawing.key)
    numbers = drawings.unpack_order(bytes(frozen.order)[: 4 * SHOWN])
    rows = Participation.objects.filter(distribution_id=drawing.pk, place__in=numbers)
    people = {row.place: row for row in rows.select_related("consumer")}
    ranks = [selection.rank(key, number, weights[number - 1]).hex() for number in numbers]
    return [
        _drawn(distribution, at, number, rank, people.get(number), now)
        for at, (number, rank) in enumerate(zip(numbers, ranks, strict=True), start=1)
    ]


def _drawn(
    distribution: Distribution, at: int, number: int, rank: str, row: Participation | None, now: dt.datetime
) -> Drawn:
    if row is None:
        return Drawn(at, number, rank, None, "Passed over", "warning", in_words(selection.MISSING))
    standing = rules.standing_at(distribution, Standing.of(row), now)
    found, color = fate(distribution, standing), STATUS_COLORS[standing.status]
    reason = standing.deny_reason if found == "Denied" else ""
    is_out = standing.admitted_at is None and found in ("Denied", "Left")
    if is_out:  # after the freeze: the turn passes over them, or will
        was_offered = at <= distribution.draw.offered
        reason, found = reason or "Left", "Passed over" if was_offered else "To be passed over"
    until = standing.expires_at if standing.status == Status.ADMITTED else None
    return Drawn(at, number, rank, row, found, color, reason, until)
