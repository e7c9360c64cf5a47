"""Invariant 11: anyone can check a draw, and whatever its operator changes afterwards is caught.

The stand-alone verifier repeats a hundred draws, and so does the script below, which shares no line with it
or with us.
"""

import hmac
import inspect
import random
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from django.db.models import F

from distributions import tasks
from distributions.core import drawings, selection
from distributions.core.models import Distribution, Drawing, FrozenList, Participation, Status
from distributions.draws.models import Draw
from experiences.models import Event
from fanfare import sealing
from tests import draws, lines
from tests.draws import Verifier
from tests.world import World

TIMES, EACH = 10, 10
REASONS = ["ADMIN_ACTION", "FRAUD_DETECTED", "ORDER_LIMIT_EXCEEDED", "Bought by a robot, said Ms. Doe"]


@pytest.fixture
def verifier(tmp_path: Path) -> Verifier:
    return Verifier(tmp_path)


# --- What is true holds -----------------------------------------------------------------------------


def repeat(proof: Any) -> list[int]:
    """The winners' numbers, by the documented mathematics and the standard library alone."""
    leaves, tickets = [], []
    for number, line in enumerate(proof["entries"]["data"], 1):
        weight, mark = line.split()
        if weight == "0":
            mark = sha256(b"fanfare/removed/1" + mark.encode()).hexdigest()
        whole = pack(">QQ", number, int(weight)) + bytes.fromhex(mark)
        leaves.append(sha256(b"\0fanfare/leaf/1" + proof["id"].encode() + whole).digest())
        tickets += [
            (pack(">QQ", number, t)[: 8 if t == 1 else 16], number) for t in range(1, int(weight) + 1)
        ]
    while len(leaves) > 1:
        pairs = [leaves[at : at + 2] for at in range(0, len(leaves), 2)]
        leaves = [sha256(b"\1" + b"".join(pair)).digest() if pair[1:] else pair[0] for pair in pairs]
    root, counts = (
        leaves[0] if leaves else sha256().digest(),
        pack(">QQ", proof["entryCount"], proof["winnerCount"]),
    )
    beacon = bytes.fromhex(proof.get("beacon", {}).get("randomness", ""))
    key = sha256(b"fanfare/key/1" + bytes.fromhex(proof["seed"]) + root + counts + beacon).digest()
    ranked = sorted((hmac.digest(key, ticket, "sha256"), number) for ticket, number in tickets)
    return list(dict.fromkeys(number for _, number in ranked))[: proof["winnerCount"]]


def test_a_short_script_is_enough() -> None:
    assert len(inspect.getsource(repeat).splitlines()) <= 25


@dataclass
class Expected:
    """What was done to a draw, as its proof has to tell it."""

    entrants: int = 0
    removed: dict[str, int] | None = None
    removed_late: dict[int, str] | None = None
    receipt: Any = None


def some_draw(world: World, dice: random.Random) -> tuple[Distribution, Expected]:
    """A draw of random settings with random entries, closed, frozen and drawn."""
    draw = world.draw(
        winner_count=dice.choice([1, 2, dice.randint(1, 12), dice.randint(1, 90)]),
        claim_seconds=dice.choice([None, 60]),
        alternates=dice.random() < 0.7,
        weights=[{**draws.EVERYBODY, "weight": dice.choice([1, 1, 2, 100])}],
    )
    entrants = dice.choice([0, 1, 2, 3, dice.randint(4, 16), *[dice.randint(17, 80)] * 3])
    expected = Expected(entrants=entrants)
    if not entrants:
        return draw, expected
    weights = [dice.choice([1, 1, 1, dice.randint(1, 5), dice.randint(1, 100)]) for _ in range(entrants - 1)]
    own = dice.randrange(entrants)
    people = draws.fill(draw, world, weights[:own])
    guest = world.consumer()
    expected.receipt = guest.enter(draw).json()["receipt"]
    people += draws.fill(draw, world, weights[own:])
    gone = dice.sample(people, dice.randint(0, len(people) // 4))
    expected.removed = {}
    for one in gone:
        reason = dice.choice(["LEFT", *REASONS])
        _ = lines.leave(draw, one) if reason == "LEFT" else lines.deny(draw, one, reason)
        known = reason if reason in selection.REMOVED else selection.OTHER
        expected.removed[known] = expected.removed.get(known, 0) + 1
    return draw, expected


def remove_late(draw: Distribution, dice: random.Random) -> dict[int, str]:
    """Deny some who stand in the frozen list; the reasons by their numbers."""
    waiting = sorted(draws.numbers(draw, Status.QUEUED))
    late = dice.sample(waiting, dice.randint(0, len(waiting) // 5))
    people = draws.consumers(draw)
    for number in late:
        lines.deny(draw, people[number], "FRAUD_DETECTED")
    return dict.fromkeys(late, "FRAUD_DETECTED")


@pytest.mark.parametrize("seed", range(TIMES))
def test_a_hundred_draws_are_repeated(world: World, clock: Any, verifier: Verifier, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(EACH):
        draw, expected = some_draw(world, dice)
        clock.shift(60)
        tasks.freeze_draw(draw.pk)
        late = remove_late(draw, dice)
        tasks.run_draw(draw.pk)

        proof = draws.proof_of(world, draw)
        verifier.require_good(proof, expected.receipt)
        winners = [one["number"] for one in proof["winners"]]
        assert repeat(proof) == winners
        reasons = expected.removed or {}
        gone = sum(reasons.values())
        assert proof["removedBeforeDraw"] == {"count": gone, "reasons": reasons}
        assert (proof["numbersGiven"], proof["entryCount"]) == (expected.entrants, expected.entrants - gone)
        due = draws.due_order(draw)
        reached = sorted(set(due[: proof["placesOffered"]]) & set(late))
        assert sorted(one["number"] for one in proof["passedOver"]) == reached
        assert {one["reason"] for one in proof["passedOver"]} <= set(late.values())
        admitted = [number for number in due if number not in late][: proof["winnerCount"]]
        assert draws.numbers(draw, Status.ADMITTED) == set(admitted)
        if expected.receipt:
            assert draws.disagreements(expected.receipt, proof) == set()


def test_of_a_draw_without_entries_too(world: World, clock: Any, verifier: Verifier) -> None:
    draw = world.draw(winner_count=3)
    clock.shift(60)
    assert draws.draw_now(draw) == []
    proof = draws.proof_of(world, draw)
    verifier.require_good(proof)
    assert (proof["root"], proof["winners"]) == (sha256().hexdigest(), [])


def test_an_entry_whose_row_was_deleted_is_told_to_be_missing(
    world: World, clock: Any, verifier: Verifier
) -> None:
    """By an operator's hand in the database, before the freeze or after it; weighted entries too."""
    draw = world.draw(winner_count=20)
    draws.fill(draw, world, [1, 5, 1, 5, 1])
    rows = Participation.objects.filter(distribution=draw)
    rows.filter(place__in=[1, 2]).delete()
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    rows.filter(place__in=[4, 5]).delete()
    tasks.run_draw(draw.pk)
    proof = draws.proof_of(world, draw)
    verifier.require_good(proof)
    assert proof["removedBeforeDraw"] == {"count": 2, "reasons": {"MISSING": 2}}
    assert proof["passedOver"] == [{"number": n, "reason": "MISSING"} for n in (4, 5)]
    assert draws.numbers(draw, Status.ADMITTED) == {3}


def test_the_order_of_events_that_makes_it_a_proof(world: World, clock: Any, verifier: Verifier) -> None:
    """Commitment before the first entry, root before the seed; none of them changes."""
    draw = world.draw(winner_count=2)
    committed = draws.proof_of(world, draw)
    assert {"commitment"} == {"commitment", "root", "seed", "drawKey", "entries"} & set(committed)
    draws.fill(draw, world, 9)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    frozen = draws.proof_of(world, draw)
    assert {"commitment", "root", "entries"} == {"commitment", "root", "seed", "drawKey", "entries"} & set(
        frozen
    )
    tasks.run_draw(draw.pk)
    drawn = draws.proof_of(world, draw)
    for proof in (committed, frozen, drawn):
        verifier.require_good(proof)
        assert proof["commitment"] == committed["commitment"]
    assert {name: drawn[name] for name in ("root", "entries", "groups")} == {
        name: frozen[name] for name in ("root", "entries", "groups")
    }
    traced = {event.name: event.data for event in Event.objects.filter(distribution_id=draw.pk)}
    assert traced["draw.frozen"]["root"] == drawn["root"]
    assert (traced["draw.drawn"]["root"], traced["draw.drawn"]["seed"]) == (drawn["root"], drawn["seed"])


# --- What is not is caught --------------------------------------------------------------------------


def drawing_with(**values: Any) -> draws.Change:
    """An operator's UPDATE of the drawing."""
    return lambda draw: _changed(Drawing.objects.filter(pk=draw.pk).update(**values))


def draw_with(**values: Any) -> draws.Change:
    """An operator's UPDATE of how places were given."""
    return lambda draw: _changed(Draw.objects.filter(pk=draw.pk).update(**values))


def list_with(change: Callable[[list[int]], object]) -> draws.Change:
    """An operator's UPDATE of the frozen list: a byte a number."""

    def write(draw: Distribution) -> None:
        weights = list(bytes(FrozenList.objects.get(pk=draw.pk).weights))
        change(weights)
        _changed(FrozenList.objects.filter(pk=draw.pk).update(weights=bytes(weights)))

    return write


def order_with(change: Callable[[list[int]], object]) -> draws.Change:
    """An operator's UPDATE of the drawn order."""

    def write(draw: Distribution) -> None:
        numbers = draws.order(draw)
        change(numbers)
        _changed(FrozenList.objects.filter(pk=draw.pk).update(order=pack(f">{len(numbers)}I", *numbers)))

    return write


def both(*changes: draws.Change) -> draws.Change:
    def write(draw: Distribution) -> None:
        for change in changes:
            change(draw)

    return write


def _changed(rows: int) -> None:
    assert rows == 1


def put(at: int, value: int) -> Callable[[list[int]], None]:
    return lambda values: values.__setitem__(at, value)


def swap(one: int, other: int) -> Callable[[list[int]], None]:
    def change(values: list[int]) -> None:
        values[one], values[other] = values[other], values[one]

    return change


# Of the draw below: number 1 has the weight 1, number 2 the weight 3, number 3 left.
TAMPERED: dict[str, draws.Change] = {
    "another seed": drawing_with(seed=bytes(32)),
    "another commitment": drawing_with(commitment=sha256(bytes(32)).hexdigest()),
    "another seed with its commitment": drawing_with(
        seed=bytes(32), commitment=sha256(bytes(32)).hexdigest()
    ),
    "other entry ids": drawing_with(salt=bytes(32)),
    "another root": drawing_with(root="ab" * 32),
    "another key": drawing_with(key="ab" * 32),
    "more entries": drawing_with(entries=F("entries") + 1),
    "more numbers": drawing_with(numbers=F("numbers") + 1),
    "more winners": drawing_with(winner_count=F("winner_count") + 1),
    "fewer winners": drawing_with(winner_count=F("winner_count") - 1),
    "other reasons": drawing_with(removed={"ADMIN_ACTION": 1}),
    "other groups": drawing_with(groups=[{"weight": 1, "entries": 39, "odds": 0.1}]),
    "an entry taken out": list_with(put(0, selection.removed_byte("LEFT"))),
    "an entry that had left put in": list_with(put(2, 1)),
    "an entry that was not there put in": list_with(lambda weights: weights.append(1)),
    "the last entry cut off": both(
        list_with(lambda weights: weights.pop()), order_with(lambda numbers: numbers.remove(41))
    ),
    "another weight": list_with(put(0, 2)),
    "a lower weight": list_with(put(1, 1)),
    "another reason": list_with(put(2, selection.removed_byte("ADMIN_ACTION"))),
    "two winners swapped": order_with(swap(0, 1)),
    "an alternate among the winners": order_with(swap(0, 7)),
    "two alternates swapped": order_with(swap(7, 9)),
    "a winner left out": order_with(lambda numbers: numbers.pop(0)),
    "somebody twice": order_with(lambda numbers: numbers.__setitem__(1, numbers[0])),
    "more offers than entries": draw_with(offered=41),
    "a winner said to be passed over whose turn never came": draw_with(
        passed_over=[{"number": 41, "reason": "LEFT"}]
    ),
}


def drawn_with_everything(world: World, clock: Any) -> tuple[Distribution, Any]:
    """41 numbers, of which one left before the freeze, of two weights; five winners; number 1's receipt."""
    draw = world.draw(winner_count=5, weights=[{**draws.EVERYBODY, "weight": 1}])
    receipt = world.consumer().enter(draw).json()["receipt"]
    people = draws.fill(draw, world, [3, 1, *[1, 3] * 19])
    lines.leave(draw, people[1])
    clock.shift(60)
    draws.draw_now(draw)
    return draw, receipt


def test_whatever_is_changed_in_the_stored_rows_is_caught(
    world: World, clock: Any, verifier: Verifier
) -> None:
    draw, receipt = drawn_with_everything(world, clock)
    kept = {
        model: model._default_manager.filter(pk=draw.pk).values().get() for model in (Drawing, FrozenList)
    }
    settings = Draw.objects.filter(pk=draw.pk).values("offered", "passed_over").get()
    for name, change in TAMPERED.items():
        verifier.require_good(draws.proof_of(world, draw), receipt)
        change(draw)
        status, said = verifier(draws.proof_of(world, draw), receipt)
        assert (name, status, "\nFAIL" in said) == (name, 1, True), said
        for model, values in kept.items():
            model._default_manager.filter(pk=draw.pk).update(**values)
        Draw.objects.filter(pk=draw.pk).update(**settings)


def test_a_seed_that_is_exchanged_before_the_draw_is_caught(
    world: World, clock: Any, verifier: Verifier
) -> None:
    """By somebody who knows the list, and the key that seeds are sealed with."""
    draw = world.draw(winner_count=3)
    draws.fill(draw, world, 20)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    drawing_with(seed_box=sealing.seal(drawings.SEED, bytes(32)))(draw)
    tasks.run_draw(draw.pk)
    proof = draws.proof_of(world, draw)
    assert proof["seed"] == bytes(32).hex()
    assert proof["commitment"] != sha256(bytes(32)).hexdigest()
    verifier.require_bad(proof)


def draw_anew(draw: Distribution, change: draws.Change) -> None:
    """The most that an operator can do: change something, and make all that follows from it anew."""
    change(draw)
    drawing, frozen = draws.stored(draw), FrozenList.objects.get(pk=draw.pk)
    weights = bytes(frozen.weights)
    drawing.root = selection.root(selection.leaves(draw.pk, weights, bytes(drawing.salt))).hex()
    live = [weight for weight in weights if not selection.reason_of(weight)]
    drawing.commitment = selection.commitment(bytes(drawing.seed or b""))
    drawing.entries, drawing.numbers = len(live), len(weights)
    drawing.removed = {
        reason: [selection.reason_of(weight) for weight in weights].count(reason)
        for reason in map(selection.reason_of, weights)
        if reason
    }
    drawing.groups = [{"weight": w, "entries": live.count(w), "odds": 0.1} for w in sorted(set(live))]
    key = selection.draw_key(
        bytes(drawing.seed or b""), bytes.fromhex(drawing.root), drawing.entries, drawing.winner_count
    )
    drawing.key = key.hex()
    drawing.save()
    numbers = [number for _, number in selection.order(weights, key, len(weights))]
    frozen.order = pack(f">{len(numbers)}I", *numbers)
    frozen.save()


def test_a_draw_made_anew_with_another_seed(world: World, clock: Any, verifier: Verifier) -> None:
    """It is consistent in itself; that it is another draw is told by any receipt, and by the trace."""
    draw, receipt = drawn_with_everything(world, clock)
    before = draws.proof_of(world, draw)
    draw_anew(draw, drawing_with(seed=bytes(32)))
    after = draws.proof_of(world, draw)
    verifier.require_good(after)
    assert draws.disagreements(receipt, before) == set()
    assert draws.disagreements(receipt, after) == {"commitment"}
    require_the_trace_to_tell(draw, before, after)


@pytest.mark.parametrize("weight", [selection.removed_byte("LEFT"), 3, 0], ids=["left out", "biased", "gone"])
def test_a_draw_made_anew_with_another_list(
    world: World, clock: Any, verifier: Verifier, weight: int
) -> None:
    """Whoever was left out, or changed, shows it by the receipt; anybody by the root that was published."""
    draw, receipt = drawn_with_everything(world, clock)
    before = draws.proof_of(world, draw)
    draw_anew(draw, list_with(put(0, weight)))
    after = draws.proof_of(world, draw)
    verifier.require_good(after)
    verifier.require_bad(after, receipt)
    assert after["root"] != before["root"]
    require_the_trace_to_tell(draw, before, after)


def test_a_draw_made_anew_with_another_number_of_winners(
    world: World, clock: Any, verifier: Verifier
) -> None:
    """Receipts say how many were to win."""
    draw, receipt = drawn_with_everything(world, clock)
    before = draws.proof_of(world, draw)
    draw_anew(draw, drawing_with(winner_count=6))
    after = draws.proof_of(world, draw)
    verifier.require_good(after)
    assert draws.disagreements(receipt, before) == set()
    assert draws.disagreements(receipt, after) == {"winnerCount"}
    require_the_trace_to_tell(draw, before, after)


def require_the_trace_to_tell(draw: Distribution, before: Any, after: Any) -> None:
    """It was written in the transactions of the deeds, and still tells the first draw."""
    traced = {event.name: event.data for event in Event.objects.filter(distribution_id=draw.pk)}
    first = {name: traced["draw.drawn"][name] for name in ("root", "seed", "winners")}
    assert first == {**{name: before[name] for name in ("root", "seed")}, "winners": len(before["winners"])}
    assert first != {**{name: after[name] for name in ("root", "seed")}, "winners": len(after["winners"])}
