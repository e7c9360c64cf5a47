"""The stand-alone verifier against proofs that the project's own mathematics makes: two implementations meet.

Whatever is true it confirms, whatever is tampered with it catches, and nothing strange makes it stumble.
"""

import copy
import hashlib
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.verifier.makers import (
    AFTER,
    BEACON,
    QUEUE,
    SMALL,
    STRANGE,
    WEIGHTS,
    Proof,
    Verify,
    assert_fails,
    assert_good,
    assert_refused,
    assert_unusable,
    earlier,
    places,
    proof_of,
    some_weights,
)

# --- What is true is confirmed ---------------------------------------------------------------------


@pytest.mark.parametrize("number", range(100))
def test_whatever_is_drawn_verifies(verify: Verify, number: int) -> None:
    chance = random.Random(number)
    size = chance.choice([0, 1, 2, 3, chance.randint(4, 200)])
    weights = some_weights(
        size, chance, removed=chance.choice([0, 0.1, 0.5, 1]), most=chance.choice([1, 3, 100])
    )
    proof = proof_of(
        weights,
        winners=chance.choice([0, 1, size // 3, size, size + 50]),
        kind=chance.choice(["draw", "draw", "queue"]),
        beacon=chance.random() < 0.5,
        alternates=chance.choice([0, 1, 10, 500]),
        passed=chance.choice([0, 1, 3]),
        seed=chance.randbytes(32),
    )
    assert assert_good(verify(proof)).endswith("\nVERIFIED\n")


def test_the_largest_weights_and_sizes_around_powers_of_two(verify: Verify) -> None:
    for size in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 127, 128, 129):
        assert_good(verify(proof_of(bytes([100, 1] * size)[:size], beacon=False)))


@pytest.mark.parametrize("beacon", [True, False])
@pytest.mark.parametrize("kind", ["draw", "queue"])
@pytest.mark.parametrize("status", ["FROZEN", "WAITING_FOR_BEACON"])
def test_frozen(verify: Verify, status: str, kind: str, beacon: bool) -> None:
    said = assert_good(verify(earlier(proof_of(WEIGHTS, kind=kind, beacon=beacon), status)))
    assert "ok    root is that of the list: " in said
    assert said.endswith("\nNothing failed, but it has not been drawn\n")


@pytest.mark.parametrize("beacon", [True, False])
@pytest.mark.parametrize("kind", ["draw", "queue"])
def test_before_the_freeze(verify: Verify, kind: str, beacon: bool) -> None:
    proof = earlier(proof_of(WEIGHTS, kind=kind, beacon=beacon), "COMMITTED")
    said = assert_good(verify(proof))
    assert f"committed to '{proof['commitment']}'" in said
    assert said.endswith("\nNothing failed, but it has not been drawn\n")


@pytest.mark.parametrize("stage", ["COMMITTED", "FROZEN"])
def test_cancelled_at_any_stage(verify: Verify, stage: str) -> None:
    assert_good(verify({**earlier(proof_of(WEIGHTS), stage), "status": "CANCELLED"}))


def test_a_beacons_value_that_came_before_the_draw(verify: Verify) -> None:
    assert_good(verify({**earlier(proof_of(WEIGHTS), "FROZEN"), "beacon": BEACON}))


def test_the_beacon_is_to_be_looked_up(verify: Verify) -> None:
    said = assert_good(verify(proof_of(WEIGHTS)))
    assert f"note  compare the signature with https://api.drand.sh/{BEACON['chain']}/public/1000\n" in said
    assert "should have been public before" in said


def test_a_list_that_was_frozen_late_proves_no_more_than_one_without_a_beacon(verify: Verify) -> None:
    said = assert_good(verify({**proof_of(WEIGHTS), "frozenAt": AFTER, "level": "commit-reveal"}))
    assert 'ok    level is what freeze and beacon allow: "commit-reveal"\n' in said
    assert "should have been public before" not in said


# --- What is tampered with is caught ---------------------------------------------------------------


def swapped(items: list[Any], one: int, other: int) -> None:
    items[one], items[other] = items[other], items[one]


def flipped(text: str, at: int = 0) -> str:
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


def live_at(proof: Proof, one_of: str = "1") -> int:
    """The place, in the list, of an entry of that weight."""
    return next(i for i, line in enumerate(proof["entries"]["data"]) if line.startswith(f"{one_of} "))


def change(**fields: Any) -> Callable[[Proof], None]:
    return lambda proof: proof.update(fields)


def seed_changed(proof: Proof) -> None:
    proof["seed"] = flipped(proof["seed"])


def mark_changed(proof: Proof) -> None:
    at = live_at(proof)
    proof["entries"]["data"][at] = flipped(proof["entries"]["data"][at], 10)


def entry_dropped(proof: Proof) -> None:
    del proof["entries"]["data"][live_at(proof)]


def entry_dropped_and_numbers_told_anew(proof: Proof) -> None:
    entry_dropped(proof)
    proof["numbersGiven"] -= 1


def entries_swapped(proof: Proof) -> None:
    swapped(proof["entries"]["data"], live_at(proof, "1"), live_at(proof, "2"))


def entry_added(proof: Proof) -> None:
    proof["entries"]["data"].append("1 " + "ab" * 32)
    proof["numbersGiven"] += 1
    proof["entryCount"] += 1
    proof["groups"][0]["entries"] += 1


def weight_changed(proof: Proof) -> None:
    at = live_at(proof)
    proof["entries"]["data"][at] = "2" + proof["entries"]["data"][at][1:]


def reason_changed(proof: Proof) -> None:
    at = live_at(proof, "0")
    proof["entries"]["data"][at] = (
        "0 FRAUD_DETECTED" if "FRAUD" not in proof["entries"]["data"][at] else "0 LEFT"
    )


def removed_made_live(proof: Proof) -> None:
    proof["entries"]["data"][live_at(proof, "0")] = "1 " + "00" * 32


def live_made_removed(proof: Proof) -> None:
    proof["entries"]["data"][live_at(proof)] = "0 LEFT"


def reasons_told_wrong(proof: Proof) -> None:
    reasons = proof["removedBeforeDraw"]["reasons"]
    reasons[next(iter(reasons))] += 1


def reason_told_left_out(proof: Proof) -> None:
    proof["removedBeforeDraw"]["reasons"].popitem()


def removed_count_changed(proof: Proof) -> None:
    proof["removedBeforeDraw"]["count"] += 1


def group_size_changed(proof: Proof) -> None:
    proof["groups"][0]["entries"] += 1


def group_weight_changed(proof: Proof) -> None:
    proof["groups"][-1]["weight"] += 1


def group_left_out(proof: Proof) -> None:
    proof["groups"].pop()


def winners_swapped(proof: Proof) -> None:
    swapped(proof["winners"], 0, 1)


def winner_replaced(proof: Proof) -> None:
    proof["winners"][3]["number"] = proof["alternates"][-1]["number"]


def winner_left_out(proof: Proof) -> None:
    proof["winners"].pop()


def winner_added(proof: Proof) -> None:
    proof["winners"].append(proof["alternates"].pop(0))


def winner_twice(proof: Proof) -> None:
    proof["winners"][1] = proof["winners"][0]


def rank_changed(proof: Proof) -> None:
    proof["winners"][2]["rank"] = flipped(proof["winners"][2]["rank"])


def rank_in_capitals(proof: Proof) -> None:
    proof["winners"][2]["rank"] = "A" + proof["winners"][2]["rank"][1:]


def alternates_with_a_gap(proof: Proof) -> None:
    del proof["alternates"][1]


def alternates_swapped(proof: Proof) -> None:
    swapped(proof["alternates"], 0, 1)


def alternates_beyond_the_last(proof: Proof) -> None:
    proof["alternates"] += [{"number": 1, "rank": "00" * 32}] * 100


def alternate_rank_changed(proof: Proof) -> None:
    proof["alternates"][0]["rank"] = flipped(proof["alternates"][0]["rank"], 63)


def places_offered_to_more_than_there_are(proof: Proof) -> None:
    proof["placesOffered"] = 45


def passed_over_was_not_reached(proof: Proof) -> None:
    proof["passedOver"] = [{"number": proof["alternates"][-1]["number"], "reason": "LEFT"}]


def passed_over_twice(proof: Proof) -> None:
    proof["passedOver"] *= 2


def passed_over_is_no_entry(proof: Proof) -> None:
    proof["passedOver"] = [{"number": 1000, "reason": "LEFT"}]


def signature_changed(proof: Proof) -> None:
    proof["beacon"]["signature"] = flipped(proof["beacon"]["signature"])


def randomness_changed(proof: Proof) -> None:
    proof["beacon"]["randomness"] = flipped(proof["beacon"]["randomness"])


def both_changed(proof: Proof) -> None:
    signature_changed(proof)
    proof["beacon"]["randomness"] = hashlib.sha256(bytes.fromhex(proof["beacon"]["signature"])).hexdigest()


def round_known_at_the_freeze(proof: Proof) -> None:
    proof["frozenAt"] = AFTER


def frozen_as_the_round_came(proof: Proof) -> None:
    proof["frozenAt"] = proof["beacon"]["roundAt"]


def frozen_a_moment_late(proof: Proof) -> None:
    proof["frozenAt"] = proof["beacon"]["roundAt"][:-1] + ".000001Z"


def round_said_to_come_later(proof: Proof) -> None:
    proof.update(frozenAt=AFTER)
    proof["beacon"]["roundAt"] = "2023-08-23T16:00:03Z"


def another_round(proof: Proof) -> None:
    proof["beacon"]["round"] = 1001


def another_chain(proof: Proof) -> None:
    proof["beacon"]["chain"] = "ab" * 32


def beacon_taken_away(proof: Proof) -> None:
    del proof["beacon"]


def page_alone(proof: Proof) -> None:
    proof["entries"].update(data=proof["entries"]["data"][:20], nextCursor="20")


def page_later(proof: Proof) -> None:
    proof["entries"].update(data=proof["entries"]["data"][20:], first=21)


def cursor_left(proof: Proof) -> None:
    proof["entries"]["nextCursor"] = "60"


# What fails at least, by the beginnings of the claims.
ROOT, LINES = "root is that of the list", "numbersGiven is that of the list"
TAMPERED: dict[Callable[[Proof], None], tuple[str, ...]] = {
    seed_changed: ("commitment is SHA-256(seed)", "drawKey is made of", "winners is"),
    mark_changed: (ROOT, "drawKey"),
    entry_dropped: (ROOT, LINES),
    entry_dropped_and_numbers_told_anew: (ROOT, "entryCount is that of the list: 43, not 44", "groups"),
    entries_swapped: (ROOT,),
    entry_added: (ROOT, "drawKey"),
    weight_changed: (ROOT, "groups"),
    reason_changed: (ROOT, "removedBeforeDraw"),
    removed_made_live: (ROOT, "entryCount", "removedBeforeDraw", "groups"),
    live_made_removed: (ROOT, "entryCount", "removedBeforeDraw", "groups"),
    reasons_told_wrong: ("removedBeforeDraw",),
    reason_told_left_out: ("removedBeforeDraw",),
    removed_count_changed: ("removedBeforeDraw",),
    group_size_changed: ("groups",),
    group_weight_changed: ("groups",),
    group_left_out: ("groups",),
    winners_swapped: ("winners is what the drawn order begins with",),
    winner_replaced: ("winners",),
    winner_left_out: ("winners",),
    winner_added: ("winners", "alternates"),
    winner_twice: ("winners",),
    rank_changed: ("winners",),
    rank_in_capitals: ("winners",),
    alternates_with_a_gap: ("alternates is what follows there",),
    alternates_swapped: ("alternates",),
    alternates_beyond_the_last: ("alternates",),
    alternate_rank_changed: ("alternates",),
    places_offered_to_more_than_there_are: ("placesOffered is within that order: 44, not 45",),
    passed_over_was_not_reached: ("passedOver is within that order: [], not",),
    passed_over_twice: ("passedOver",),
    passed_over_is_no_entry: ("passedOver",),
    signature_changed: ("randomness is SHA-256(signature)", "drawKey"),
    randomness_changed: ("randomness is SHA-256(signature)",),
    both_changed: ("drawKey", "winners", "alternates"),
    round_known_at_the_freeze: ('level is what freeze and beacon allow: "commit-reveal", not "beacon"',),
    frozen_as_the_round_came: ("level",),
    frozen_a_moment_late: ("level",),
    round_said_to_come_later: ('roundAt is as quicknet has it: "2023-08-23T15:59:24Z"', "level"),
    another_round: ('roundAt is as quicknet has it: "2023-08-23T15:59:27Z"',),
    another_chain: ("chain is as quicknet has it",),
    beacon_taken_away: ("level", "drawKey"),
    page_alone: ("nextCursor is that of a whole list", "numbersGiven is that of the list: 20, not 60"),
    page_later: ("first is that of a whole list", "numbersGiven is that of the list: 40, not 60"),
    cursor_left: ("nextCursor is that of a whole list",),
    change(version=2): ("version is known: 1, not 2",),
    change(id=QUEUE): (ROOT,),
    change(level="commit-reveal"): ("level",),
    change(status="FROZEN"): ("seed is shown, as the status says: false, not true",),
    change(status="COMMITTED"): ("seed",),
    change(commitment="ab" * 32): ("commitment is SHA-256(seed)",),
    change(root="ab" * 32): (ROOT,),
    change(numbersGiven=61): (LINES,),
    change(numbersGiven=59): (LINES,),
    change(entryCount=12): ("entryCount is that of the list: 44, not 12",),
    change(winnerCount=11): ("drawKey", "winners"),
    change(drawKey="ab" * 32): ("drawKey",),
    change(placesOffered=0): ("passedOver",),
    change(kind="queue"): ("winnerCount is that of all entries",),
    change(kind="auction"): ("kind is known",),
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_tampering_is_caught(verify: Verify, tamper: Callable[[Proof], None]) -> None:
    proof = proof_of(WEIGHTS)
    assert_good(verify(proof))
    tamper(proof)
    assert_fails(verify(proof), *TAMPERED[tamper])


def test_a_beacon_that_is_claimed_but_not_named(verify: Verify) -> None:
    assert_fails(verify({**proof_of(WEIGHTS, beacon=False), "level": "beacon"}), "level")


def test_a_beacon_that_is_named_but_not_used(verify: Verify) -> None:
    """A key without its value would not hang on what nobody could know."""
    named = {name: BEACON[name] for name in ("source", "chain", "round", "roundAt")}
    proof = {**proof_of(WEIGHTS, beacon=False), "level": "beacon"}
    assert_unusable(verify({**proof, "beacon": named}), "signature")
    assert_fails(verify({**proof, "beacon": BEACON}), "drawKey")


def test_the_seed_has_to_be_there_once_it_is_drawn(verify: Verify) -> None:
    proof = proof_of(WEIGHTS, beacon=False)
    del proof["seed"]
    assert assert_fails(verify(proof)) == ["seed is shown, as the status says: true, not false"]


def test_without_the_list_no_draw_is_verified(verify: Verify) -> None:
    proof = earlier(proof_of(WEIGHTS, beacon=False), "COMMITTED")
    assert_unusable(verify({**proof, "status": "DRAWN", "seed": "00" * 32}), "entries")


def test_a_queue_whose_number_of_entries_is_told_wrong(verify: Verify) -> None:
    proof = proof_of(WEIGHTS, kind="queue")
    proof["winnerCount"] -= 1
    assert_fails(verify(proof), "winnerCount is that of all entries: 44, not 43", "drawKey")


def test_long_values_are_not_shown_whole(verify: Verify) -> None:
    ran = verify({**proof_of(WEIGHTS), "level": "x" * 1000, "root": "é" * 1000})
    assert_fails(ran, "level", ROOT)
    assert max(map(len, ran[1].splitlines())) < 300 and ran[1].isascii()


# Said but not computed with; and of groups the odds, of those who were passed over the reasons.
SAID = {("frozenBy",), ("drawnAt",), ("passedOver", 0, "reason"), ("beacon", "signature")}
ODDS = {("groups", number, "odds") for number in range(len(SMALL["groups"]))}
# What a proof may say as well: fewer alternates, nobody passed over, nothing of further pages.
ALLOWED: list[Any] = [
    (("alternates",), []), (("alternates", 1), ...), (("passedOver",), []), (("passedOver", 0), ...),
    (("entries", "nextCursor"), ...),
]  # fmt: skip


@pytest.mark.parametrize("path", [path for path in places(SMALL) if path not in SAID | ODDS], ids=str)
def test_nothing_strange_passes_anywhere(verify: Verify, path: tuple[Any, ...]) -> None:
    """Each part of a proof in turn is replaced by what does not belong there, or taken away."""
    for strange in [*STRANGE, ...]:
        proof = copy.deepcopy(SMALL)
        within: Any = proof
        for key in path[:-1]:
            within = within[key]
        before = within[path[-1]]
        if strange is ...:
            del within[path[-1]]
        else:
            within[path[-1]] = strange
        ran = verify(proof)
        if (path, strange) in ALLOWED or repr(before) == repr(strange):
            assert_good(ran)
        else:
            assert_refused(ran)


MARK = "ab" * 32
BAD_LINES: list[Any] = [
    5, None, [], "", "1", "1 ", f"101 {MARK}", f"-1 {MARK}", f"01 {MARK}", f"1  {MARK}", f"1 {MARK.upper()}",
    f"1 {MARK[2:]}", f"1 {MARK}\n", f"1.0 {MARK}", f"١ {MARK}", f"0 {MARK}", "0", "0 left", "0 \x1b[31m",
    "0 " + "A" * 100,
]  # fmt: skip


@pytest.mark.parametrize("line", BAD_LINES, ids=ascii)
def test_a_line_that_is_malformed(verify: Verify, line: Any) -> None:
    proof = proof_of(WEIGHTS)
    proof["entries"]["data"][4] = line
    assert_unusable(verify(proof))
