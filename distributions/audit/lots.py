"""A drawing repeated from its seed and its list: a draw's winners, or the places of a pre-queue.

What is drawn follows from `core.selection` alone, so it is done again and compared. The frozen list is held
against the participations; what became of them after the freeze changes nothing in it.
"""

from array import array
from collections.abc import Iterable, Sequence

from distributions.audit.findings import Ledger
from distributions.audit.order import Admission
from distributions.core import drawings, proofs, selection
from distributions.core.models import Distribution, Drawing, Participation, Status
from distributions.draws.models import EntryWeight

REPEATED = "the draw comes out the same from seed and list"
LISTED = "the frozen list holds who had entered, and nobody else"
WON = "winners are those that the draw says, in its order"
GONE = (Status.LEFT, Status.DENIED)


def order_of(drawing: Drawing) -> Sequence[int]:
    """The stored order, four bytes a number."""
    found = array("I", bytes(drawing.frozen_list.order))
    found.byteswap()
    return found


def check(distribution: Distribution, drawing: Drawing, ledger: Ledger) -> None:
    """Weigh the list and, once it is drawn, seed, key and order."""
    weights, ids = bytes(drawing.frozen_list.weights), {"distribution": distribution.pk}
    _check_list(distribution, drawing, weights, ledger)
    repeated = ledger.of(REPEATED)
    root = selection.root(selection.leaves(distribution.pk, weights, bytes(drawing.salt)))
    repeated.require(root.hex() == drawing.root, "the list's root is another one", **ids)
    if drawing.drawn_at is None:
        return
    seed = bytes(drawing.seed or b"")
    commitment = selection.commitment(seed)
    repeated.require(commitment == drawing.commitment, "the seed is not the one committed to", **ids)
    value = proofs.randomness(drawing)
    key = selection.draw_key(seed, root, drawing.entries, drawing.winner_count, value)
    repeated.require(key.hex() == drawing.key, "the key is another one", **ids)
    stored, at = order_of(drawing), 0
    after = b""
    while at < len(stored):
        most = min(drawings.AT_ONCE, len(stored) - at)
        found = selection.order(weights, key, most, after)
        for place, (_, number) in enumerate(found, start=at):
            is_same = repeated.require(
                number == stored[place], f"number {stored[place]} at {place + 1}", **ids
            )
            if not is_same:
                return
        if len(found) < most:
            repeated.breaks("more are in order than entered", **ids)
            return
        at, after = at + most, found[-1][0]


def _check_list(distribution: Distribution, drawing: Drawing, weights: bytes, ledger: Ledger) -> None:
    listed = ledger.of(LISTED)
    heavier = EntryWeight.objects.filter(distribution=distribution).values_list("number", "weight")
    declared = dict(heavier.iterator(drawings.CHUNK))
    rows = Participation.objects.filter(distribution=distribution, place__isnull=False)
    missing, order = bytearray(b"\1") * len(weights), None
    if drawing.drawn_at is not None and distribution.kind == "queue":
        order = order_of(drawing)
    for pk, place, status in rows.values_list("id", "place", "status").iterator(drawings.CHUNK):
        assert place is not None
        number = ticket(place, drawing, order)
        if number > len(weights):
            is_late = distribution.kind == "queue"
            listed.require(is_late, "entered after the list was frozen", participation=pk)
            continue
        missing[number - 1] = 0
        weight = weights[number - 1]
        is_removed = bool(selection.reason_of(weight))
        is_right = status in GONE if is_removed else weight == declared.get(number, 1)
        listed.require(is_right, f"number {number} is listed as {weight}", participation=pk)
    for number, is_missing in enumerate(missing, start=1):
        if is_missing:
            listed.breaks(f"number {number} has no participation", distribution=distribution.pk)


def ticket(place: int, drawing: Drawing, order: Sequence[int] | None) -> int:
    """The number that somebody entered with: in a pre-queue that was drawn they have another place now."""
    numbers = drawing.numbers
    is_drawn = order is not None and numbers < place <= numbers + len(order)
    return order[place - numbers - 1] if is_drawn and order is not None else place


def check_winners(
    distribution: Distribution, drawing: Drawing, admissions: Iterable[Admission], ledger: Ledger
) -> None:
    """Places went down the drawn order: as far as they were offered all have one but who was passed over."""
    won, draw = ledger.of(WON), distribution.draw
    order = order_of(drawing)[: draw.offered]
    rank = dict(zip(order, range(len(order)), strict=True))
    passed = {entry["number"] for entry in draw.passed_over}
    given, batch, last, highest = 0, None, -1, -1
    for one in admissions:
        at = rank.get(one.place)
        if one.at != batch:
            batch, last = one.at, highest
        is_turn = at is not None and at > last
        won.require(is_turn, f"number {one.place} won out of turn", consumer=one.consumer_id, event=one.event)
        given += 1
        highest = max(highest, -1 if at is None else at)
    expected = len(order) - len(passed)
    won.require(given == expected, f"{given} won, {expected} by the order", distribution=distribution.pk)
