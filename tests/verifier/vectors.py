"""What `verify_draw.py` says of many proofs, true and tampered with, for the verifier of the hosted pages.

`python -m tests.verifier.vectors` writes `sdk/page/tests/vectors.json`, by which that one is held to the same
words and verdicts. Both are kept together by a test.
"""

import copy
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from tests.verifier.makers import SDK, WEIGHTS, Proof, earlier, proof_of, receipt_of, some_weights

PATH = SDK.parent / "page" / "tests" / "vectors.json"
_SIZES = (0, 1, 2, 3, 7, 8, 9)
_OTHER = "00" * 32
_LIST = WEIGHTS[:12]  # to which the makers have receipts
# What somebody might change, by the path to it; each has to be found out.
_TAMPERED: dict[str, tuple[tuple[Any, ...], Any]] = {
    "the id": (("id",), "draw_01JZZZZZZZZZZZZZZZZZZZZZZY"),
    "the version": (("version",), 2),
    "the commitment": (("commitment",), _OTHER),
    "the seed": (("seed",), _OTHER),
    "the level": (("level",), "commit-reveal"),
    "the root": (("root",), _OTHER),
    "the key": (("drawKey",), _OTHER),
    "a winner": (("winners", 0, "number"), 9),
    "a rank": (("winners", 2, "rank"), _OTHER),
    "an alternate": (("alternates", 0, "number"), 1),
    "how many win": (("winnerCount",), 4),
    "the places offered": (("placesOffered",), 10**6),
    "who was passed over": (("passedOver", 0, "number"), 99),
    "the entries counted": (("entryCount",), 5),
    "the numbers given": (("numbersGiven",), 5),
    "the groups": (("groups", 0, "entries"), 1),
    "the removed": (("removedBeforeDraw", "count"), 5),
    "the beacon's round": (("beacon", "round"), 1001),
    "the beacon's value": (("beacon", "randomness"), _OTHER),
    "the beacon's signature": (("beacon", "signature"), _OTHER),
    "the beacon's source": (("beacon", "source"), "dice"),
    "when it was frozen": (("frozenAt",), "2023-08-23T15:59:25.250000Z"),
    "the status": (("status",), "FROZEN"),
    "an entry's weight": (("entries", "data", 0), "5 " + "0f" * 32),
    "a page only": (("entries", "nextCursor"), "61"),
    "no entry at all": (("entries", "data", 0), "101 x"),
    "no time": (("frozenAt",), "yesterday"),
    "no seed": (("seed",), "xyz"),
    "no round": (("beacon", "round"), "soon"),
    "no list": (("winners",), {"a": [True, None, 0.5, 'é\x7f"\\']}),
}


def proofs() -> dict[str, Proof]:
    """By name, as they are published."""
    chance, found = random.Random(20), {}
    for size in _SIZES:
        weights = some_weights(size, chance, removed=0.3, most=4)
        for kind in ("draw", "queue"):
            proof = proof_of(weights, winners=2, kind=kind, beacon=size % 2 == 0, alternates=2)
            found[f"a {kind} of {size}"] = proof
    found["a whole one"] = whole = proof_of(_LIST, winners=4)
    for status in ("COMMITTED", "FROZEN", "WAITING_FOR_BEACON", "CANCELLED"):
        stage = "COMMITTED" if status == "CANCELLED" else status
        found[f"still {status}"] = {**earlier(whole, stage), "status": status}
    small = proof_of(some_weights(9, random.Random(3), removed=0.2), winners=3, alternates=2)
    return found | {"without a beacon": proof_of(_LIST, winners=4, beacon=False), "a small one": small}


def cases() -> Iterator[dict[str, Any]]:
    """Which proof, what is changed in it, and with which receipt."""
    known = proofs()
    yield from ({"name": name, "proof": name} for name in known)
    for name, (path, value) in _TAMPERED.items():
        yield {"name": f"tampered: {name}", "proof": "a small one", "path": path, "value": value}
    whole, plain = known["a whole one"], known["without a beacon"]
    won, lost = whole["winners"][1]["number"], whole["alternates"][0]["number"]
    wrapped = {"receipt": receipt_of(plain, won)}
    yield {"name": "a receipt in a status", "proof": "without a beacon", "receipt": wrapped}
    yield {"name": "a receipt before", "proof": "still COMMITTED", "receipt": receipt_of(whole, won)}
    receipts = {
        "a winner's receipt": receipt_of(whole, won),
        "a loser's receipt": receipt_of(whole, lost),
        "another draw's receipt": receipt_of(whole, won, distributionId="x"),
        "others promised": receipt_of(whole, won, winnerCount=5),
        "another entry": receipt_of(whole, won, entryId="00" * 16),
        "behind the list": receipt_of(whole, won, entryNumber=len(_LIST) + 1),
        "no token": {"token": "a.b.c"},
    }
    for name, receipt in receipts.items():
        yield {"name": name, "proof": "a whole one", "receipt": receipt}


def changed(proof: Proof, path: tuple[Any, ...], value: Any) -> Proof:
    """The proof with something else at that place."""
    copied = copy.deepcopy(proof)
    at: Any = copied
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return copied


def said(case: dict[str, Any], proof: Proof) -> dict[str, Any]:
    """The case with what the program said of it: all lines, or of what it can't use nothing."""
    given = changed(proof, case["path"], case["value"]) if "path" in case else proof
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(given, file)
        file.flush()
        receipt = ["--receipt", json.dumps(case["receipt"])] if "receipt" in case else []
        command = [sys.executable, "-I", str(SDK / "verify_draw.py"), file.name, *receipt]
        ran = subprocess.run(command, capture_output=True, text=True)
    return {**case, "status": ran.returncode, "lines": ran.stdout.splitlines() if ran.returncode < 2 else []}


def written() -> str:
    """The whole file, a proof or case a line."""
    known = proofs()
    rows = [json.dumps({"name": name, "whole": proof}) for name, proof in known.items()]
    told = [json.dumps(said(case, known[case["proof"]])) for case in cases()]
    return '{"proofs": [\n' + ",\n".join(rows) + '\n],\n"cases": [\n' + ",\n".join(told) + "\n]}\n"


if __name__ == "__main__":
    PATH.write_text(written())
