"""Proofs and receipts of the project's own mathematics, and strangers who run `sdk/verifier` on them."""

import ast
import base64
import copy
import datetime as dt
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from distributions.core import selection

SDK = Path(__file__).resolve().parent.parent.parent / "sdk" / "verifier"
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
            {"weight": weight, "entries": entries, "odds": 0.5}  # not recomputed by the verifier
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
SMALL = proof_of(some_weights(9, random.Random(3), removed=0.4), winners=3, alternates=2)
OF_THE_DRAW = {"seed", "drawKey", "winners", "alternates", "placesOffered", "passedOver", "drawnAt"}


def earlier(proof: Proof, status: str) -> Proof:
    """The proof as it was at that stage."""
    hidden = set() if status == "DRAWN" else set(OF_THE_DRAW)
    if status == "COMMITTED":
        hidden |= {"root", "numbersGiven", "entryCount", "removedBeforeDraw", "groups", "entries"}
        hidden |= {"frozenAt", "frozenBy", *(["winnerCount"] if proof["kind"] == "queue" else [])}
    kept = {name: value for name, value in copy.deepcopy(proof).items() if name not in hidden}
    if "beacon" in kept and status != "DRAWN":
        del kept["beacon"]["signature"], kept["beacon"]["randomness"]
    return {**kept, "status": status}


# --- Receipts --------------------------------------------------------------------------------------

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def encoded(raw: bytes) -> str:
    """Base64url, as in tokens and keys."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwk(key: Ed25519PrivateKey, kid: str = "kid-1") -> dict[str, str]:
    x = encoded(key.public_key().public_bytes_raw())
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": "EdDSA"}


JWKS = {"keys": [{"kty": "RSA", "kid": "kid-1", "n": "AQAB", "e": "AQAB"}, jwk(KEY, "old"), jwk(KEY)]}


def receipt_of(proof: Proof, number: int, key: Ed25519PrivateKey = KEY, **changed: Any) -> dict[str, Any]:
    """The receipt for a number of WEIGHTS. What is changed is so in its token alone, or in its header if
    called so; a claim that is changed to `...` is left out.
    """
    weight = WEIGHTS[number - 1] if number <= len(WEIGHTS) and WEIGHTS[number - 1] <= 100 else 1
    identity = selection.entry_id(SALT, number)
    leaf = selection.leaf(proof["id"], number, weight, selection.mark(identity))
    receipt = {"entryNumber": number, "entryId": identity.hex(), "weight": weight, "leaf": leaf.hex()}
    header = {"typ": "receipt+jwt", "kid": "kid-1", **changed.pop("header", {})}
    claims = {"iss": "https://fanfare.example", "aud": "org_1", "iat": 1692800000, **receipt}
    claims |= {"distributionId": proof["id"], "commitment": proof["commitment"]}
    if proof["kind"] == "draw":
        claims["winnerCount"] = proof["winnerCount"]
    if "beacon" in proof:
        claims["beacon"] = {name: proof["beacon"][name] for name in ("chain", "round")}
    claims = {name: value for name, value in {**claims, **changed}.items() if value is not ...}
    return {**receipt, "token": jwt.encode(claims, key, "EdDSA", header)}


def number_at(proof: Proof, place: int) -> int:
    """Who came at that place of the drawn order of WEIGHTS, from 1."""
    return selection.order(WEIGHTS, bytes.fromhex(proof["drawKey"]), 100)[place - 1][1]


# --- Whatever may stand in JSON --------------------------------------------------------------------

STRANGE: list[Any] = [
    None, True, False, -1, 1.5, 10**30, 1e400, "", "x", "\ud800", "1\n", "é" * 9, [], {}, [[]], {"a": []},
]  # fmt: skip
# No file that either could use, whatever it is given as.
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
    "a list of objects": "[{}]",
    "no field": "{}",
    "a number of 5000 digits": f'{{"version": {"9" * 5000}}}',
    "a token that is none": '{"token": "a.b.c"}',
}
BOTTOMLESS = ["[" * 10**6, '{"version":' * 10**5, f'{{"root": {"[" * 900}{"]" * 900}}}']


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to everything in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from places(one, (*path, key))


# --- Strangers -------------------------------------------------------------------------------------


def compiled(name: str) -> CodeType:
    return compile((SDK / name).read_text(), name, "exec")


class Stranger:
    """Runs one of the files within this process, as a program, on what is written to files."""

    def __init__(
        self, name: str, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.name, self.folder, self.patch, self.capture = name, folder, patch, capture
        self.code = compiled(name)

    def text(self, text: str | bytes, name: str = "proof.json") -> str:
        """The path of a file that says that."""
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def json(self, value: Any, name: str = "proof.json") -> str:
        return self.text(json.dumps(value), name)

    def run(self, *arguments: str) -> Ran:
        self.patch.setattr(sys, "argv", [self.name, *arguments])
        with pytest.raises(SystemExit) as stop:
            exec(self.code, {"__name__": "__main__"})
        said = self.capture.readouterr()
        assert isinstance(stop.value.code, int)
        return stop.value.code, said.out, said.err


class Verify(Stranger):
    """Runs the verifier on a proof, and perhaps a receipt."""

    def __call__(self, proof: Any, receipt: Any = None) -> Ran:
        more = [] if receipt is None else ["--receipt", self.json(receipt, "receipt.json")]
        return self.run(self.json(proof), *more)


def outside(name: str, *arguments: str) -> Ran:
    """In a process of its own, which sees nothing of the project."""
    command = [sys.executable, "-I", str(SDK / name), *arguments]
    ran = subprocess.run(command, capture_output=True, cwd="/", timeout=60)
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


def assert_good(ran: Ran) -> str:
    """Nothing failed; what was said."""
    status, out, err = ran
    assert (status, err) == (0, ""), out + err
    assert "FAIL" not in out
    return out


def assert_fails(ran: Ran, *claims: str) -> list[str]:
    """What begins so fails, perhaps among others; all that fails."""
    status, out, err = ran
    assert (status, err) == (1, ""), out + err
    failures = [line.removeprefix("FAIL  ") for line in out.splitlines() if line.startswith("FAIL  ")]
    for claim in claims:
        assert any(line.startswith(claim) for line in failures), out
    assert failures and out.splitlines()[-1].startswith("FAILED: ")
    return failures


def assert_unusable(ran: Ran, sentence: str = "") -> None:
    """One sentence, and no verdict."""
    status, out, err = ran
    assert status == 2, out + err
    assert err.count("\n") == 1 and err.isascii() and ": cannot use it: " in err and len(err) < 300, err
    assert sentence in err
    assert "Traceback" not in out + err and "VERIFIED" not in out and "SIGNED" not in out


def assert_refused(ran: Ran) -> None:
    """It fails or can't be used."""
    if ran[0] == 1:
        assert_fails(ran)
    else:
        assert_unusable(ran)


def require_short_and_alone(name: str) -> None:
    """Under 150 lines in all, for Python 3.9, and importing nothing but the standard library."""
    text = (SDK / name).read_text()
    assert len(text.splitlines()) < 150
    tree = ast.parse(text, feature_version=(3, 9))
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    assert names and {str(name).partition(".")[0] for name in names} <= sys.stdlib_module_names
