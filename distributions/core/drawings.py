"""A drawing by lot, deed by deed: committed to, frozen, drawn, each once. The maths is `selection`.

A kind decides when, and what becomes of the order: winners of a draw, places in a queue's line. Freezing
commits, and is published, before anything is drawn. What is frozen no longer hangs on participations:
later moves change neither list nor root.
"""

import datetime as dt
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from struct import pack, unpack
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import BinaryField, F, Func

from consumers import signing
from distributions.core import odds, selection
from distributions.core.models import Distribution, Drawing, FrozenList, Participation, Status
from distributions.core.standing import Standing
from fanfare import sealing

CHUNK = 20_000  # rows fetched at once
AT_ONCE = 250_000  # entries put in order in one pass over the list, so that memory stays flat
Clock = Callable[[], dt.datetime]
SEED = "seed"  # the purpose of the key that seeds are sealed with
RECEIPT_TYP = "receipt+jwt"
_BY_SCHEDULE = "system:"


def commit(distribution: Distribution) -> Drawing:
    """Make the seed, once; its commitment is public from then on. The caller is making the distribution."""
    seed = secrets.token_bytes(32)
    made, _ = Drawing.objects.get_or_create(
        distribution=distribution,
        defaults={
            "seed_box": sealing.seal(SEED, seed),
            "commitment": selection.commitment(seed),
            "salt": secrets.token_bytes(32),
        },
    )
    return made


def of(distribution: Distribution) -> Drawing | None:
    """The drawing of a distribution that has one."""
    try:
        return distribution.drawing
    except ObjectDoesNotExist:
        return None


def locked(distribution_id: str, *, wait: bool = False) -> Drawing | None:
    """The drawing with its row locked; None while another worker is at it, unless one is to wait."""
    rows = Drawing.objects.select_for_update(no_key=True, skip_locked=not wait)
    return rows.filter(pk=distribution_id).first()


def freeze(
    drawing: Drawing,
    *,
    numbers: int,
    winners: int | None,
    weights: Iterable[tuple[int, int]] = (),
    at: Clock,
    actor: str,
) -> None:
    """Write the list down: of the numbers 1 … `numbers` those whose participations wait, with their weights
    (1 unless said), and why the others were removed. Nobody enters any more, and the caller holds the lock.

    `winners`: None puts all entries in order. `at` is asked when all is ready to be published: with a
    million entries that is seconds later, and no round of a beacon may be due before.
    """
    listed = _listed(drawing.pk, numbers, weights)
    root = selection.root(selection.leaves(drawing.pk, listed, bytes(drawing.salt)))
    counted = Counter(listed)
    of_weights = {weight: n for weight, n in counted.items() if not selection.reason_of(weight)}
    drawing.numbers, drawing.entries = numbers, sum(of_weights.values())
    drawing.winner_count = drawing.entries if winners is None else winners
    chances = odds.of_groups(of_weights, drawing.winner_count)
    drawing.groups = [
        {"weight": weight, "entries": entries, "odds": round(chances[weight], 9)}
        for weight, entries in sorted(of_weights.items())
    ]
    drawing.removed = {selection.reason_of(w): n for w, n in counted.items() if selection.reason_of(w)}
    drawing.root, drawing.frozen_at, drawing.frozen_by = root.hex(), at(), actor
    drawing.save(
        update_fields=[
            "numbers", "entries", "winner_count", "groups", "removed", "root", "frozen_at", "frozen_by",
        ]
    )  # fmt: skip
    FrozenList.objects.create(drawing=drawing, weights=listed)


def _listed(distribution_id: str, numbers: int, weights: Iterable[tuple[int, int]]) -> bytes:
    """One byte a number. Who leaves between the two queries is in both, and was removed."""
    rows = Participation.objects.filter(distribution_id=distribution_id, place__lte=numbers)
    listed = bytearray(numbers)
    waiting = rows.filter(status=Status.QUEUED).values_list("place", flat=True)
    for number in waiting.iterator(CHUNK):
        listed[(number or 0) - 1] = 1
    for number, weight in weights:
        if number <= numbers and listed[number - 1]:
            listed[number - 1] = weight
    removed = rows.filter(status__in=[Status.LEFT, Status.DENIED]).values_list(
        "place", "status", "deny_reason"
    )
    for place, status, reason in removed.iterator(CHUNK):
        listed[(place or 0) - 1] = selection.removed_byte("LEFT" if status == Status.LEFT else reason)
    return bytes(listed)


def draw(drawing: Drawing, *, most: int, beacon: bytes = b"", at: Clock) -> list[int]:
    """Open the seed, fix the key, put the first `most` entries in the drawn order; the caller holds the lock.

    Raises Unsealable under another `FANFARE_SECRET_KEY` than the seed was made with.
    """
    root, entries = bytes.fromhex(drawing.root), drawing.entries
    drawing.seed = seed = sealing.unseal(SEED, drawing.seed_box)
    key = selection.draw_key(seed, root, entries, drawing.winner_count, beacon)
    drawing.key = key.hex()
    order = extend(drawing, most)
    drawing.drawn_at = at()
    drawing.save(update_fields=["seed", "key", "drawn_at"])
    return order


def extend(drawing: Drawing, most: int) -> list[int]:
    """Put `most` more entries in the drawn order, behind those that are there; all numbers in order."""
    frozen = drawing.frozen_list
    weights, numbers = bytes(frozen.weights), list(unpack_order(frozen.order))
    key = bytes.fromhex(drawing.key)
    wanted = min(len(numbers) + most, drawing.entries)
    while len(numbers) < wanted:
        last = numbers[-1] if numbers else 0
        after = selection.rank(key, last, weights[last - 1]) if last else b""
        found = selection.order(weights, key, min(AT_ONCE, wanted - len(numbers)), after)
        numbers += [number for _, number in found]
    frozen.order = pack(f">{len(numbers)}I", *numbers)
    frozen.save(update_fields=["order"])
    return numbers


def unpack_order(order: bytes | memoryview) -> Sequence[int]:
    """The numbers in a stored order."""
    return unpack(f">{len(order) // 4}I", bytes(order))


def number_at(distribution_id: str, at: int) -> int | None:
    """The number at one place of the order, counted from 0; None where the order does not reach yet."""
    slice = Func(F("order"), 4 * at + 1, 4, function="SUBSTRING", output_field=BinaryField())
    found = FrozenList.objects.filter(pk=distribution_id).values_list(slice, flat=True).first()
    return next(iter(unpack_order(found or b"")), None)


@lru_cache(maxsize=64)
def first_of(distribution_id: str, number: int) -> frozenset[int]:
    """The first `number` numbers in the drawn order. What was once put in order stays so."""
    order = FrozenList.objects.values_list("order", flat=True).get(pk=distribution_id)
    return frozenset(unpack_order(order)[:number])


def receipt(
    distribution: Distribution, standing: Standing, weight: int = 1, terms: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What shows that this entry was in the list, signed; the same whenever it is asked for.

    It names nobody: whoever holds it can show that the entry with this number is theirs. `terms` are what
    else was announced and can't change any more, and are signed too.
    """
    drawing, number = distribution.drawing, standing.place or 0
    identity = selection.entry_id(bytes(drawing.salt), number)
    leaf = selection.leaf(distribution.pk, number, weight, selection.mark(identity))
    claims = {
        "entryNumber": number,
        "entryId": identity.hex(),
        "weight": weight,
        "leaf": leaf.hex(),
    }
    more = {
        "aud": distribution.organization_id,
        "iat": int(standing.entered_at.timestamp()),
        "distributionId": distribution.pk,
        "commitment": drawing.commitment,
        **(terms or {}),
    }
    return {**claims, "token": signing.sign(RECEIPT_TYP, {**claims, **more})}


def is_by_schedule(actor: str) -> bool:
    """Whether it happened by itself, and not by somebody's hand."""
    return actor.startswith(_BY_SCHEDULE)
