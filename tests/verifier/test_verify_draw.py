"""The stand-alone verifier against proofs that the project's own mathematics makes: two implementations meet.

Whatever is true it confirms, whatever is tampered with it catches, and nothing strange makes it stumble.
"""

import ast
import base64
import copy
import datetime as dt
import hashlib
import importlib.util
import io
import json
import random
import subprocess
import sys
import threading
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from distributions.core import selection

ROOT = Path(__file__).resolve().parent.parent.parent
VERIFIER = ROOT / "sdk" / "verifier" / "verify_draw.py"
DRAW_LINES, FILE_LINES = 150, 300  # what verifies the draw; and with receipts, Ed25519 and reading
SEED, SALT = bytes(range(32)), b"salt of the tests"
DRAW, QUEUE = "draw_01JZZZZZZZZZZZZZZZZZZZZZZZ", "queue_01JZZZZZZZZZZZZZZZZZZZZZZZ"

# Round 1000 of drand's quicknet, as it was published.
ROUND_AT = dt.datetime.fromtimestamp(1692803367 + 999 * 3, dt.UTC)
BEACON = {
    "source": "drand",
    "chain": "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    "round": 1000,
    "roundAt": f"{ROUND_AT:%Y-%m-%dT%H:%M:%S}Z",
    "signature": "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b1957"
    "6350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
    "randomness": "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
}
BEFORE, AFTER = f"{ROUND_AT - dt.timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}.250000Z", "2023-08-23T16:00:00Z"

Proof = dict[str, Any]
Ran = tuple[int, str, str]  # exit status, standard output, standard error


def proof_of(
    weights: bytes,
    *,
    winners: int = 10,
    kind: str = "draw",
    beacon: bool = True,
    alternates: int = 5,
    passed: int = 1,
    seed: bytes = SEED,
) -> Proof:
    """The proof of a drawing that is over."""
    name = DRAW if kind == "draw" else QUEUE
    live = [weight for weight in weights if not selection.reason_of(weight)]
    winners = winners if kind == "draw" else len(live)
    root = selection.root(selection.leaves(name, weights, SALT))
    randomness = bytes.fromhex(str(BEACON["randomness"])) if beacon else b""
    key = selection.draw_key(seed, root, len(live), winners, randomness)
    order = [
        {"number": number, "rank": rank.hex()} for rank, number in selection.order(weights, key, len(weights))
    ]
    reasons = Counter(selection.reason_of(weight) for weight in weights if selection.reason_of(weight))
    proof: Proof = {
        "version": 1,
        "kind": kind,
        "id": name,
        "level": "beacon" if beacon else "commit-reveal",
        "status": "DRAWN",
        "commitment": selection.commitment(seed),
        "winnerCount": winners,
        **({"beacon": dict(BEACON)} if beacon else {}),
        "frozenAt": BEFORE,
        "frozenBy": "schedule",
        "root": root.hex(),
        "numbersGiven": len(weights),
        "entryCount": len(live),
        "removedBeforeDraw": {"count": len(weights) - len(live), "reasons": dict(reasons)},
        "groups": [
            {"weight": weight, "entries": entries, "odds": 0.5}
            for weight, entries in sorted(Counter(live).items())
        ],
        "entries": {"first": 1, "data": lines_of(weights), "nextCursor": None},
        "drawnAt": AFTER,
        "seed": seed.hex(),
        "drawKey": key.hex(),
    }
    if kind == "draw":
        won = min(winners, len(live))
        proof["winners"] = order[:won]
        proof["alternates"] = order[won : won + alternates]
        proof["placesOffered"] = min(len(live), won + passed)
        gone = order[: min(passed, len(live))]
        proof["passedOver"] = [{"number": one["number"], "reason": "LEFT"} for one in gone]
    return proof


def lines_of(weights: bytes) -> list[str]:
    marks = enumerate(selection.marks(weights, SALT))
    return [
        f"{weight} {mark.hex()}" if weight else f"0 {selection.reason_of(weights[i])}"
        for i, (weight, mark) in marks
    ]


def some_weights(size: int, chance: random.Random, removed: float = 0.2, most: int = 4) -> bytes:
    reasons = [selection.removed_byte(reason) for reason in selection.REMOVED] + [0]
    return bytes(
        chance.choice(reasons)
        if chance.random() < removed
        else chance.choice([1, 1, 1, chance.randint(1, most)])
        for _ in range(size)
    )


WEIGHTS = some_weights(60, random.Random(7))
FROZEN_SHOWS = {"seed", "drawKey", "winners", "alternates", "placesOffered", "passedOver", "drawnAt"}


def earlier(proof: Proof, status: str) -> Proof:
    """The proof as it was at that stage."""
    hidden = set() if status == "DRAWN" else set(FROZEN_SHOWS)
    if status == "COMMITTED":
        hidden |= {"root", "numbersGiven", "entryCount", "removedBeforeDraw", "groups", "entries"}
        hidden |= {"frozenAt", "frozenBy"}
    kept = {name: value for name, value in copy.deepcopy(proof).items() if name not in hidden}
    if "beacon" in kept and status != "DRAWN":
        del kept["beacon"]["signature"], kept["beacon"]["randomness"]
    return {**kept, "status": status}


def verifier() -> Any:
    """The verifier as a module, new each time, since it counts what fails."""
    spec = importlib.util.spec_from_file_location("verify_draw", VERIFIER)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Verify:
    """Runs the verifier within this process, on proofs that are written to files."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self.patch, self.capture = folder, patch, capture

    def text(self, text: str | bytes, name: str = "proof.json") -> str:
        """The path of a file that says that."""
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def run(self, *arguments: str) -> Ran:
        self.patch.setattr(sys, "argv", ["verify_draw.py", *arguments])
        try:
            status = verifier().main()
        except SystemExit as stop:
            status = stop.code
        said = self.capture.readouterr()
        assert isinstance(status, int)
        return status, said.out, said.err

    def __call__(self, proof: Any, receipt: Any = None, jwks: Any = None, *more: str) -> Ran:
        arguments = [self.text(json.dumps(proof)), *more]
        if receipt is not None:
            arguments += ["--receipt", self.text(json.dumps(receipt), "receipt.json")]
        if jwks is not None:
            arguments += ["--jwks", self.text(json.dumps(jwks), "jwks.json")]
        return self.run(*arguments)


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verify:
    return Verify(tmp_path, monkeypatch, capsys)


def assert_good(ran: Ran) -> None:
    status, out, err = ran
    assert (status, err) == (0, ""), out + err
    assert "FAIL" not in out


def assert_fails(ran: Ran, *claims: str) -> None:
    status, out, err = ran
    assert (status, err) == (1, ""), out + err
    failures = [line for line in out.splitlines() if line.startswith("FAIL  ")]
    for claim in claims:
        assert any(claim in line for line in failures), out
    assert out.splitlines()[-1].startswith("FAILED")


def assert_unusable(ran: Ran, sentence: str = "") -> None:
    status, out, err = ran
    assert status == 2, out + err
    assert err.startswith("verify_draw: ") and err.count("\n") == 1 and err.isascii(), err
    assert sentence in err
    assert "Traceback" not in out + err and "VERIFIED" not in out


# What is true is confirmed.


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
    ran = verify(proof)
    assert_good(ran)
    assert ran[1].splitlines()[-1] == "VERIFIED"


def test_the_largest_weights_and_sizes_around_powers_of_two(verify: Verify) -> None:
    for size in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 127, 128, 129):
        assert_good(verify(proof_of(bytes([100, 1] * size)[:size], beacon=False)))


@pytest.mark.parametrize("beacon", [True, False])
@pytest.mark.parametrize("kind", ["draw", "queue"])
@pytest.mark.parametrize("status", ["FROZEN", "WAITING_FOR_BEACON"])
def test_frozen(verify: Verify, status: str, kind: str, beacon: bool) -> None:
    ran = verify(earlier(proof_of(WEIGHTS, kind=kind, beacon=beacon), status))
    assert_good(ran)
    assert "ok    the root of the list is " in ran[1]
    assert "not been drawn" in ran[1].splitlines()[-1]


@pytest.mark.parametrize("beacon", [True, False])
def test_before_the_freeze(verify: Verify, beacon: bool) -> None:
    proof = earlier(proof_of(WEIGHTS, beacon=beacon), "COMMITTED")
    ran = verify(proof)
    assert_good(ran)
    assert proof["commitment"] in ran[1]
    assert "note  nothing else can be checked before the list is frozen" in ran[1]


@pytest.mark.parametrize("stage", ["COMMITTED", "FROZEN", "DRAWN"])
def test_cancelled_at_any_stage(verify: Verify, stage: str) -> None:
    assert_good(verify({**earlier(proof_of(WEIGHTS), stage), "status": "CANCELLED"}))


@pytest.mark.parametrize("kind", ["draw", "queue"])
def test_the_order_is_printed(verify: Verify, kind: str) -> None:
    proof = proof_of(WEIGHTS, kind=kind)
    expected = selection.order(WEIGHTS, bytes.fromhex(proof["drawKey"]), 100)
    status, out, _ = verify(proof, None, None, "--order")
    assert status == 0
    assert [int(line) for line in out.splitlines() if line.isdigit()] == [number for _, number in expected]
    assert out.splitlines()[-1] == "VERIFIED"


def test_the_beacon_is_to_be_looked_up(verify: Verify) -> None:
    _, out, _ = verify(proof_of(WEIGHTS))
    assert f"note  compare that signature with https://api.drand.sh/{BEACON['chain']}/public/1000\n" in out
    assert "should have been public before that" in out


def test_of_a_chain_that_it_does_not_know_the_time_is_not_judged(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    proof["beacon"].update(chain="ab" * 32, roundAt="2023-08-23T15:59:25.500000Z")
    assert_good(verify(proof))


def test_a_list_that_was_frozen_late_proves_no_more_than_one_without_a_beacon(verify: Verify) -> None:
    ran = verify({**proof_of(WEIGHTS), "frozenAt": AFTER, "level": "commit-reveal"})
    assert_good(ran)
    assert "whoever knew the seed could have tried lists out before the freeze" in ran[1]


# What is tampered with is caught.


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


def beacon_taken_away(proof: Proof) -> None:
    del proof["beacon"]


def page_alone(proof: Proof) -> None:
    proof["entries"].update(data=proof["entries"]["data"][:20], nextCursor="20")


def page_later(proof: Proof) -> None:
    proof["entries"].update(data=proof["entries"]["data"][20:], first=21)


def cursor_left(proof: Proof) -> None:
    proof["entries"]["nextCursor"] = "60"


LIST = "the root of the list is"
TAMPERED: dict[Callable[[Proof], None], tuple[str, ...]] = {
    seed_changed: ("the seed is the one committed to", "drawKey", "the winners"),
    mark_changed: (LIST, "drawKey"),
    entry_dropped: ("entries are missing: 59 of 60 are here, from number 1 on",),
    entry_dropped_and_numbers_told_anew: (LIST, "the list has", "as many entries as told"),
    entries_swapped: (LIST,),
    entry_added: (LIST, "drawKey"),
    weight_changed: (LIST, "as many entries as told have each weight"),
    reason_changed: (LIST, "removed before the draw: "),
    removed_made_live: (LIST, "the list has", "removed before the draw: "),
    live_made_removed: (LIST, "the list has", "removed before the draw: "),
    reasons_told_wrong: ("removed before the draw: ",),
    reason_told_left_out: ("removed before the draw: ",),
    removed_count_changed: ("removed before the draw: ",),
    group_size_changed: ("as many entries as told have each weight",),
    group_weight_changed: ("as many entries as told have each weight",),
    group_left_out: ("as many entries as told have each weight",),
    winners_swapped: ("the winners are the first 10 in the drawn order",),
    winner_replaced: ("the winners",),
    winner_left_out: ("the winners",),
    winner_added: ("the winners", "the alternates"),
    winner_twice: ("the winners",),
    rank_changed: ("the winners",),
    rank_in_capitals: ("the winners",),
    alternates_with_a_gap: ("the alternates are the 4 that follow",),
    alternates_swapped: ("the alternates",),
    alternates_beyond_the_last: ("the alternates",),
    alternate_rank_changed: ("the alternates",),
    passed_over_was_not_reached: ("those passed over",),
    passed_over_twice: ("those passed over",),
    passed_over_is_no_entry: ("those passed over",),
    signature_changed: ("the randomness is SHA-256(signature)", "drawKey"),
    randomness_changed: ("the randomness is SHA-256(signature)",),
    both_changed: ("drawKey", "the winners", "the alternates"),
    round_known_at_the_freeze: ("level: commit-reveal",),
    frozen_as_the_round_came: ("level: commit-reveal",),
    frozen_a_moment_late: ("level: commit-reveal",),
    round_said_to_come_later: ("round 1000 of its beacon is due at 2023-08-23T15:59:24Z",),
    another_round: ("round 1001 of its beacon is due at 2023-08-23T15:59:27Z",),
    beacon_taken_away: ("level: commit-reveal (no beacon is named)", "drawKey"),
    page_alone: ("entries are missing: 20 of 60 are here, from number 1 on",),
    page_later: ("entries are missing: 40 of 60 are here, from number 21 on",),
    cursor_left: ("entries are missing",),
    change(version=2): ("the version of the proof is known",),
    change(id=QUEUE): (LIST,),
    change(level="commit-reveal"): ("level: beacon",),
    change(status="FROZEN"): ("no more and no less is shown",),
    change(status="COMMITTED"): ("no more and no less is shown",),
    change(commitment="ab" * 32): ("the seed is the one committed to",),
    change(root="ab" * 32): (LIST,),
    change(numbersGiven=61): ("entries are missing",),
    change(numbersGiven=59): ("entries are missing",),
    change(entryCount=12): ("the list has",),
    change(winnerCount=11): ("drawKey", "the winners"),
    change(drawKey="ab" * 32): ("drawKey",),
    change(placesOffered=10**6): ("places were offered",),
    change(placesOffered=0): ("those passed over",),
    change(kind="queue"): ("a queue puts all its entries in order",),
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_tampering_is_caught(verify: Verify, tamper: Callable[[Proof], None]) -> None:
    proof = proof_of(WEIGHTS)
    assert_good(verify(proof))
    tamper(proof)
    assert_fails(verify(proof), *TAMPERED[tamper])


def test_a_beacon_that_is_claimed_but_not_named(verify: Verify) -> None:
    assert_fails(verify({**proof_of(WEIGHTS, beacon=False), "level": "beacon"}), "level: commit-reveal (no")


@pytest.mark.parametrize("hidden", ["root", "seed"])
def test_what_a_status_promises_has_to_be_there(verify: Verify, hidden: str) -> None:
    proof = proof_of(WEIGHTS, beacon=False)
    del proof[hidden]
    status, out, _ = verify(proof)
    assert status in (1, 2)
    assert "FAIL  no more and no less is shown" in out


def test_a_queue_whose_number_of_entries_is_told_wrong(verify: Verify) -> None:
    proof = proof_of(WEIGHTS, kind="queue")
    proof["winnerCount"] -= 1
    assert_fails(verify(proof), "a queue puts all its entries in order", "drawKey")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to everything in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from places(one, (*path, key))


# Said but not computed with; and of those who were passed over the reasons.
SAID = {("frozenBy",), ("drawnAt",), ("passedOver", 0, "reason")}
STRANGE: list[Any] = [
    None, True, False, -1, 1.5, 10**30, 1e400, "", "x", "\ud800", "1\n", "é" * 9, [], {}, [[]], {"a": []},
]  # fmt: skip
SMALL = proof_of(some_weights(9, random.Random(3), removed=0.4), winners=3, alternates=2)


# What a proof may say as well: fewer alternates, and nobody passed over.
ALLOWED = [(("alternates",), []), (("alternates", 1), ...), (("passedOver",), []), (("passedOver", 0), ...)]


@pytest.mark.parametrize("path", [path for path in places(SMALL) if path not in SAID], ids=str)
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
        status, out, err = verify(proof)
        harmless = (path, strange) in ALLOWED or repr(before) == repr(strange)
        assert status in ((0,) if harmless else (1, 2)), (strange, out)
        assert "Traceback" not in out + err and ("VERIFIED" in out) == harmless
        assert (status == 2) == err.startswith("verify_draw: "), err


# Receipts.

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwk(key: Ed25519PrivateKey, kid: str = "kid-1") -> dict[str, str]:
    x = encoded(key.public_key().public_bytes_raw())
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": "EdDSA"}


JWKS = {"keys": [{"kty": "RSA", "kid": "kid-1", "n": "AQAB", "e": "AQAB"}, jwk(KEY, "old"), jwk(KEY)]}


def receipt_of(proof: Proof, number: int, key: Ed25519PrivateKey = KEY, **changed: Any) -> dict[str, Any]:
    """The receipt for a number; what is changed is so in its token alone, or in its header if called so."""
    weight = WEIGHTS[number - 1] if number <= len(WEIGHTS) and WEIGHTS[number - 1] <= 100 else 1
    identity = selection.entry_id(SALT, number)
    leaf = selection.leaf(proof["id"], number, weight, selection.mark(identity))
    receipt = {"entryNumber": number, "entryId": identity.hex(), "weight": weight, "leaf": leaf.hex()}
    header = {"typ": "receipt+jwt", "kid": "kid-1", **changed.pop("header", {})}
    claims = {"iss": "https://fanfare.example", "aud": "org_1", "iat": 1692800000, **receipt}
    claims |= {"distributionId": proof["id"], "commitment": proof["commitment"], **changed}
    return {**receipt, "token": jwt.encode(claims, key, "EdDSA", header)}


def number_at(proof: Proof, place: int) -> int:
    """Who came at that place of the drawn order, from 1."""
    return selection.order(WEIGHTS, bytes.fromhex(proof["drawKey"]), 100)[place - 1][1]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_winners_receipt(verify: Verify, wrapped: bool) -> None:
    proof = proof_of(WEIGHTS)
    number = number_at(proof, 2)
    receipt = receipt_of(proof, number)
    ran = verify(proof, {"status": "ENTERED", "receipt": receipt} if wrapped else receipt, JWKS)
    assert_good(ran)
    assert f"ok    your entry number {number} is in the frozen list\n" in ran[1]
    rank = proof["winners"][1]["rank"]
    assert f"ok    your entry won: place 2 in the drawn order, by the rank {rank}\n" in ran[1]
    assert "ok    the receipt is signed, for this draw\n" in ran[1]
    assert "it is evidence" in ran[1] and "not checked: that takes --jwks" not in ran[1]


def test_an_alternates_receipt(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    ran = verify(proof, receipt_of(proof, number_at(proof, 20)), JWKS)
    assert_good(ran)
    assert "ok    your entry is alternate no. 10: place 20 in the drawn order" in ran[1]


def test_a_receipt_of_one_who_was_passed_over(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    ran = verify(proof, receipt_of(proof, number_at(proof, 1)), JWKS)
    assert_good(ran)
    assert "note  it was passed over, being removed since: LEFT\n" in ran[1]


def test_a_receipt_of_a_queue(verify: Verify) -> None:
    proof = proof_of(WEIGHTS, kind="queue")
    ran = verify(proof, receipt_of(proof, number_at(proof, 20)), JWKS)
    assert_good(ran)
    assert "ok    your entry was drawn: place 20 in the drawn order" in ran[1]


@pytest.mark.parametrize("status", ["COMMITTED", "FROZEN"])
def test_a_receipt_before_the_draw(verify: Verify, status: str) -> None:
    whole = proof_of(WEIGHTS)
    number = number_at(whole, 1)
    ran = verify(earlier(whole, status), receipt_of(whole, number), JWKS)
    assert_good(ran)
    assert (f"your entry number {number} is in the frozen list" in ran[1]) == (status == "FROZEN")
    assert "drawn order, by" not in ran[1]


def test_a_receipt_as_literal_json_without_keys(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    receipt = json.dumps(receipt_of(proof, number_at(proof, 1)))
    ran = verify.run(verify.text(json.dumps(proof)), "--receipt", f"  {receipt}")
    assert_good(ran)
    assert "note  the receipt's signature was not checked: that takes --jwks\n" in ran[1]


def test_a_receipt_of_a_removed_entry(verify: Verify) -> None:
    number = next(i for i, weight in enumerate(WEIGHTS, 1) if weight > 100)
    proof = proof_of(WEIGHTS)
    reason = selection.reason_of(WEIGHTS[number - 1])
    ran = verify(proof, receipt_of(proof, number), JWKS)
    assert_fails(ran)
    assert f"FAIL  your entry number {number} was removed before the draw: {reason}\n" in ran[1]


@pytest.mark.parametrize("number", [61, 10**6])
def test_a_receipt_of_an_entry_that_was_left_out(verify: Verify, number: int) -> None:
    proof = proof_of(WEIGHTS)
    ran = verify(proof, receipt_of(proof, number), JWKS)
    assert_fails(ran)
    assert f"FAIL  your entry number {number} was left out (or altered)\n" in ran[1]


def test_a_receipt_of_an_entry_that_was_altered(verify: Verify) -> None:
    """Somebody else's mark or weight was put at the number; the proof by itself holds."""
    proof = proof_of(WEIGHTS)
    number = number_at(proof, 1)
    heavier = bytearray(WEIGHTS)
    heavier[number - 1] += 1
    altered = f"FAIL  your entry number {number} was left out (or altered)\n"
    ran = verify(proof_of(bytes(heavier)), receipt_of(proof, number), JWKS)
    assert ran[0] == 1 and altered in ran[1] and ran[1].count("FAIL  ") == 1
    receipt = {**receipt_of(proof, number), "entryId": "00" * 16}
    assert altered in verify(proof, receipt, JWKS)[1]


def test_a_receipt_of_another_draw(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    other = {**proof, "id": DRAW[:-1] + "0"}
    receipt = receipt_of(other, number_at(proof, 1))
    assert_fails(verify(proof, receipt, JWKS), "the receipt's leaf", "the receipt is signed, for this draw")


def test_a_leaf_that_is_told_wrong(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    receipt = receipt_of(proof, number_at(proof, 1))
    assert_fails(verify(proof, {**receipt, "leaf": "00" * 32}), "the receipt's leaf is that of")


CLAIMS: dict[str, Any] = {
    "entryNumber": 2,
    "entryId": "00" * 16,
    "weight": 100,
    "leaf": "00" * 32,
    "distributionId": QUEUE,
    "commitment": "00" * 32,
}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("way", ["other", "missing", "true"])
def test_a_token_that_says_something_else(verify: Verify, claim: str, way: str) -> None:
    proof = proof_of(WEIGHTS)
    other = {"other": CLAIMS[claim], "missing": None, "true": True}[way]
    receipt = receipt_of(proof, number_at(proof, 1), **{claim: other})
    assert_fails(verify(proof, receipt, JWKS), "the receipt is signed, for this draw")


def resigned(token: str, change: Callable[[bytes], bytes]) -> str:
    start, _, signature = token.rpartition(".")
    return f"{start}.{encoded(change(base64.urlsafe_b64decode(signature + '==')))}"


ORDER = 2**252 + 27742317777372353535851937790883648493
FORGED: dict[str, Callable[[str], str]] = {
    "R": lambda token: resigned(token, lambda raw: bytes([raw[0] ^ 1]) + raw[1:]),
    "s": lambda token: resigned(token, lambda raw: raw[:40] + bytes([raw[40] ^ 1]) + raw[41:]),
    "nothing": lambda token: resigned(token, lambda raw: bytes(64)),
    "s beyond the order": lambda token: resigned(
        token, lambda raw: raw[:32] + (int.from_bytes(raw[32:], "little") + ORDER).to_bytes(32, "little")
    ),
    "claims": lambda token: ".".join(
        [token.split(".")[0], encoded(json.dumps({"weight": 1}).encode()), token.split(".")[2]]
    ),
}


@pytest.mark.parametrize("way", FORGED)
def test_a_forged_signature(verify: Verify, way: str) -> None:
    proof = proof_of(WEIGHTS)
    receipt = receipt_of(proof, number_at(proof, 1))
    forged = {**receipt, "token": FORGED[way](receipt["token"])}
    ran = verify(proof, forged, JWKS)
    assert_fails(ran, "the receipt is signed, for this draw")
    assert ran[1].count("FAIL  ") == 1


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"kid": "unknown"}, {"typ": None}, {"kid": "kid-2"}])
def test_a_token_of_another_kind_or_key(verify: Verify, header: dict[str, Any]) -> None:
    proof, stranger = proof_of(WEIGHTS), Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    jwks = {"keys": [*JWKS["keys"], jwk(stranger, "kid-2")]}
    receipt = receipt_of(proof, number_at(proof, 1), header=header)
    assert_fails(verify(proof, receipt, jwks), "the receipt is signed, for this draw")


def test_a_token_of_a_strangers_key(verify: Verify) -> None:
    proof, stranger = proof_of(WEIGHTS), Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    receipt = receipt_of(proof, number_at(proof, 1), stranger)
    assert_fails(verify(proof, receipt, JWKS), "the receipt is signed, for this draw")
    assert_fails(verify(proof, receipt, {"keys": []}), "the receipt is signed, for this draw")


def test_a_token_of_another_algorithm(verify: Verify) -> None:
    """The public key, which everybody knows, taken for a secret one."""
    proof = proof_of(WEIGHTS)
    receipt = receipt_of(proof, number_at(proof, 1))
    header = encoded(b'{"alg":"HS256","typ":"receipt+jwt","kid":"kid-1"}')
    start = f"{header}.{receipt['token'].split('.')[1]}"
    receipt["token"] = f"{start}.{encoded(KEY.sign(start.encode()))}"
    assert_fails(verify(proof, receipt, JWKS), "the receipt is signed, for this draw")


@pytest.mark.parametrize(
    "path", [("entryNumber",), ("entryId",), ("weight",), ("leaf",), ("token",)], ids=str
)
def test_nothing_strange_passes_in_a_receipt(verify: Verify, path: tuple[str]) -> None:
    proof = proof_of(WEIGHTS)
    good = receipt_of(proof, number_at(proof, 1))
    for strange in [*STRANGE, "..", "a.b.c", "e30.e30." + "A" * 86, "A" * 5000, 0, 101]:
        status, out, err = verify(proof, {**good, path[0]: strange}, JWKS)
        assert status in (1, 2), (strange, out)
        assert "Traceback" not in out + err and "VERIFIED" not in out


# Ed25519 by itself.

# RFC 8032, 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
        "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
        "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize("key, message, signature", VECTORS)
def test_the_vectors_of_the_rfc(key: str, message: str, signature: str) -> None:
    is_signed, raw = verifier().is_signed, bytes.fromhex
    assert is_signed(raw(message), raw(signature), raw(key))
    assert not is_signed(raw(message) + b"\0", raw(signature), raw(key))
    assert not is_signed(raw(message), raw(signature)[:-1], raw(key))
    assert not is_signed(raw(message), raw(signature) + b"\0", raw(key))
    assert not is_signed(raw(message), raw(signature), raw(key)[:-1])
    assert not is_signed(raw(message), raw(signature), raw(key) + b"\0")


def test_what_the_library_signs_is_good_and_nothing_else() -> None:
    is_signed, chance = verifier().is_signed, random.Random(8032)
    for _ in range(20):
        private, message = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32)), chance.randbytes(50)
        key, signature = private.public_key().public_bytes_raw(), private.sign(message)
        assert is_signed(message, signature, key)
        for whole in (signature, key):
            bit = chance.randrange(8 * len(whole))
            other = (int.from_bytes(whole, "little") ^ 1 << bit).to_bytes(len(whole), "little")
            pair = (other, key) if whole is signature else (signature, other)
            assert not is_signed(message, *pair)


@pytest.mark.parametrize("y", [2, 2**255 - 19, 2**255 - 18, 2**255 - 1, 1 + 2**255, 2**256 - 1])
def test_what_is_no_point_of_the_curve_is_no_key(y: int) -> None:
    """2 is the y of no point; the others are written as the RFC forbids it."""
    assert not verifier().is_signed(b"", bytes([1]) + bytes(63), y.to_bytes(32, "little"))


# What cannot be used is said in a sentence.

NO_FILES: dict[str, str | bytes] = {
    "nothing": "",
    "half": '{"version": 1',
    "no JSON": "hello",
    "no UTF-8": b'{"version": "\xff"}',
    "a NUL": b"\0",
    "null": "null",
    "true": "true",
    "a number": "1",
    "a text": '"proof"',
    "a list": "[]",
    "a list of proofs": json.dumps([SMALL]),
    "no field": "{}",
    "a number of 5000 digits": f'{{"version": {"9" * 5000}}}',
    "a version as a text": '{"version": "1"}',
    "a version that is true": '{"version": true}',
    "a version that is no number": '{"version": NaN}',
}


@pytest.mark.parametrize("what", NO_FILES)
def test_a_file_that_is_no_proof(verify: Verify, what: str) -> None:
    assert_unusable(verify.run(verify.text(NO_FILES[what])))


@pytest.mark.parametrize("deep", ["[" * 10**6, '{"version":' * 10**5, f'{{"root": {"[" * 900}{"]" * 900}}}'])
def test_a_bottomless_file(verify: Verify, deep: str) -> None:
    """In a process of its own: in this one a library has raised the limit that Python keeps."""
    ran = outside(verify.text(deep))
    assert_unusable((ran.returncode, ran.stdout.decode(), ran.stderr.decode()))


BAD_FIELDS: dict[str, Any] = {
    "kind": ["auction", "draw\n", None, 1, ["draw"]],
    "id": ["", "draw 1", "é", "\ud800", "x" * 1000, 7],
    "status": ["OVER", "drawn", ["DRAWN"]],
    "commitment": ["", "xyz", "AB" * 32, "ab" * 31, None],
    "winnerCount": ["10", 10.0, True, -1, 10**30],
    "numbersGiven": ["60", -1, True],
    "frozenAt": ["yesterday", 5, "2023-08-23T15:00:00+00:00", "2023-08-23T15:00:00Z\n"],
    "seed": ["", "zz" * 32, "AB" * 32, "ab" * 31, 5, ["ab"]],
    "groups": [5, [5], {"weight": 1}, [{}], [{"weight": 1, "entries": 5}]],
    "entries": [5, [], {}, {"first": 1}, {"first": "1", "data": [], "nextCursor": None}],
    "beacon": [5, [], {}, {**BEACON, "chain": "x"}, {**BEACON, "round": "1000"}, {**BEACON, "round": 0}],
    "placesOffered": ["12", -1, 1.5, True],
    "passedOver": [[5], [{}], [{"number": "5"}], 5],
}
MARK = "ab" * 32
BAD_LINES: list[Any] = [
    5, None, [], "", "1", "1 ", f"101 {MARK}", f"-1 {MARK}", f"01 {MARK}", f"1  {MARK}", f"1 {MARK.upper()}",
    f"1 {MARK[2:]}", f"1 {MARK}\n", f"1.0 {MARK}", f"١ {MARK}", "0", "0 left", "0 \x1b[31m", "0 " + "A" * 100,
]  # fmt: skip


@pytest.mark.parametrize("name, value", [(name, value) for name in BAD_FIELDS for value in BAD_FIELDS[name]])
def test_a_field_that_is_malformed(verify: Verify, name: str, value: Any) -> None:
    proof = proof_of(WEIGHTS)
    assert_unusable(verify({**proof, name: value}))


@pytest.mark.parametrize("line", BAD_LINES, ids=ascii)
def test_a_line_that_is_malformed(verify: Verify, line: Any) -> None:
    proof = proof_of(WEIGHTS)
    proof["entries"]["data"][4] = line
    assert_unusable(verify(proof), "the field 5 is missing or malformed")


BAD_ARGUMENTS = [
    [],
    ["no-such-file.json"],
    ["."],
    [""],
    ["http://"],
    ["http://["],
    ["http://127.0.0.1:1/"],
    ["http://127.0.0.1:99999/"],
    ["https://é .example/\n"],
    ["{"],
    ["{}", "--receipt", "{"],
    ["{}", "--receipt", "no-such-file.json"],
    ["{}", "--receipt", ""],
    ["{}", "--jwks", "no-such-file.json"],
    ["{}", "--unknown"],
]


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS, ids=str)
def test_arguments_that_lead_nowhere(verify: Verify, arguments: list[str]) -> None:
    status, out, err = verify.run(*arguments)
    assert status == 2 and out == ""
    assert err and "Traceback" not in err


@pytest.mark.parametrize(
    "receipt", ["{}", '{"receipt": null}', '{"receipt": []}', '{"receipt": {}}', "[]", "null"]
)
def test_what_is_no_receipt(verify: Verify, receipt: str) -> None:
    ran = verify.run(verify.text(json.dumps(SMALL)), "--receipt", verify.text(receipt, "receipt.json"))
    assert_unusable(ran)


@pytest.mark.parametrize("jwks", ["{}", '{"keys": 5}', '{"keys": [5]}', "[]", "null"])
def test_what_is_no_set_of_keys(verify: Verify, jwks: str) -> None:
    proof = proof_of(WEIGHTS)
    receipt = json.dumps(receipt_of(proof, number_at(proof, 1)))
    arguments = ["--receipt", receipt, "--jwks", verify.text(jwks, "jwks.json")]
    assert_unusable(verify.run(verify.text(json.dumps(proof)), *arguments))


# As strangers run it.


def outside(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """In a process of its own, which sees nothing of the project."""
    command = [sys.executable, "-I", str(VERIFIER), *arguments]
    return subprocess.run(command, input=given, capture_output=True, cwd="/", timeout=60)


def test_it_runs_by_itself(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    ran = outside(verify.text(json.dumps(proof)))
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.isascii() and ran.stdout.endswith(b"\nVERIFIED\n")
    ran = outside("-", given=json.dumps({**proof, "root": "ab" * 32}).encode())
    assert (ran.returncode, ran.stderr) == (1, b"")
    ran = outside("-", given=b"\xff")
    assert ran.returncode == 2 and ran.stderr.startswith(b"verify_draw: cannot read -: ")
    assert outside("--help").returncode == 0


def test_whoever_has_seen_enough_of_the_order_may_go(verify: Verify) -> None:
    path = verify.text(json.dumps(proof_of(bytes([1]) * 50_000, beacon=False)))
    command = [sys.executable, "-I", str(VERIFIER), path, "--order"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


def test_it_is_short_and_stands_alone() -> None:
    text = VERIFIER.read_text()
    assert len(text.partition("\n# ----")[0].rstrip().splitlines()) < DRAW_LINES
    assert len(text.splitlines()) < FILE_LINES
    tree = ast.parse(text, feature_version=(3, 9))
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    assert {str(name).partition(".")[0] for name in names} <= sys.stdlib_module_names


# From an address.


class Server(ThreadingHTTPServer):
    """Serves a proof by pages of 25 numbers, as the API does, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.proof: Any = proof_of(WEIGHTS)
        self.asked: list[tuple[str, str | None]] = []
        self.elsewhere = ""

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def page(self, query: dict[str, str]) -> Any:
        first, size = int(query.get("cursor", 0)), min(25, int(query.get("limit", 100)))
        page = copy.deepcopy(self.proof)
        lines = page["entries"]["data"]
        after = str(first + size) if first + size < len(lines) else None
        page["entries"] = {"first": first + 1, "data": lines[first : first + size], "nextCursor": after}
        if first:
            del page["winners"], page["alternates"]
        return page


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        self.server.asked.append((self.path, self.headers["X-Publishable-Key"]))
        if address.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", self.server.elsewhere)
            self.end_headers()
        elif address.path == "/proof":
            self.answer(200, json.dumps(self.server.page(query)).encode())
        elif address.path == "/whole":
            self.answer(200, json.dumps(self.server.proof).encode())
        elif address.path == "/endless":
            after = {"first": 61, "data": [], "nextCursor": "61"}
            first = {**self.server.proof["entries"], "nextCursor": "61"}
            page = {**self.server.proof, "entries": after if "cursor" in query else first}
            self.answer(200, json.dumps(page).encode())
        elif address.path == "/jwks.json":
            self.answer(200, json.dumps(JWKS).encode())
        else:
            self.answer(int(address.path[1:]), b"no JSON")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    yield from running()


@pytest.fixture
def other_server() -> Iterator[Server]:
    yield from running()


def running() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_all_pages_of_an_address(verify: Verify, server: Server) -> None:
    ran = verify.run(server.at("/proof"), "--key", "pk_live_1")
    assert_good(ran)
    assert [path for path, _ in server.asked] == [
        "/proof?limit=10000",
        "/proof?limit=10000&cursor=25",
        "/proof?limit=10000&cursor=50",
    ]
    assert {key for _, key in server.asked} == {"pk_live_1"}


def test_an_address_with_a_query_and_no_key(verify: Verify, server: Server) -> None:
    assert_good(verify.run(server.at("/whole?a=b")))
    assert server.asked == [("/whole?a=b&limit=10000", None)]


def test_before_the_freeze_an_address_has_no_pages(verify: Verify, server: Server) -> None:
    server.proof = earlier(server.proof, "COMMITTED")
    assert_good(verify.run(server.at("/whole")))


def test_keys_of_an_address_are_asked_for_without_the_key(verify: Verify, server: Server) -> None:
    receipt = json.dumps(receipt_of(server.proof, number_at(server.proof, 1)))
    jwks = server.at("/jwks.json")
    assert_good(verify.run(server.at("/whole"), "--key", "pk", "--receipt", receipt, "--jwks", jwks))
    assert dict(server.asked)["/jwks.json"] is None


def test_a_redirect_does_not_carry_the_key(verify: Verify, server: Server, other_server: Server) -> None:
    server.elsewhere = other_server.at("/whole")
    assert_good(verify.run(server.at("/elsewhere"), "--key", "pk_live_1"))
    assert server.asked == [("/elsewhere?limit=10000", "pk_live_1")]
    assert other_server.asked == [("/whole", None)]


def test_a_redirect_opens_no_file(verify: Verify, server: Server) -> None:
    server.elsewhere = "file://" + verify.text(json.dumps(server.proof))
    assert_unusable(verify.run(server.at("/elsewhere")), "cannot read")


@pytest.mark.parametrize("status", [200, 401, 404, 429, 500, 503])
def test_an_address_that_answers_no_proof(verify: Verify, server: Server, status: int) -> None:
    ran = verify.run(server.at(f"/{status}"))
    assert_unusable(ran, f"cannot read {server.at(f'/{status}')}")
    assert status == 200 or str(status) in ran[2].partition("limit")[2]


@pytest.mark.parametrize("cursor", [5, True, [], {}, "\ud800", "a&b=c", "a b", "../", "é"], ids=ascii)
def test_a_strange_cursor(verify: Verify, server: Server, cursor: Any) -> None:
    server.proof["entries"]["nextCursor"] = cursor
    assert_unusable(verify.run(server.at("/whole")))


def test_pages_without_end(verify: Verify, server: Server) -> None:
    server.proof["entries"]["nextCursor"] = "60"
    assert_unusable(verify.run(server.at("/whole")), "the pages do not follow one another")
    assert_unusable(verify.run(server.at("/endless")), "the pages do not follow one another")


def test_standard_input(verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within this process `open` stands for it."""
    given = io.BytesIO(json.dumps(SMALL).encode())
    monkeypatch.setattr("builtins.open", lambda source, mode: given if source == 0 else None)
    assert_good(verify.run("-"))
