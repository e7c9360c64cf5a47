"""Verify a Fanfare draw from its published proof, with nothing but this file and Python 3.9 or later.

    python3 verify_draw.py PROOF [--key PUBLISHABLE_KEY] [--receipt RECEIPT] [--jwks FILE_OR_URL] [--order]

Of each claim it says 'ok' or 'FAIL'; a 'note' is for you to judge. It exits with 0 if nothing failed, 1 if
something did, 2 if it cannot use what it was given. The draw is verified above the dashed line, in less than
150 lines; below it are receipts, with the Ed25519 of their signatures, and how the input is read.
"""

import argparse
import base64
import hmac
import json
import os
import re
import time
import urllib.request
from collections import Counter
from hashlib import sha256, sha512
from struct import pack  # ">Q": a number as 8 bytes, the highest first
from typing import Any

# What the JSON of a value looks like. LINE, of the list: weight and mark, or 0 and why it was removed.
COUNT, HEX, ID = "[0-9]{1,18}", '"[0-9a-f]{64}"', '"[A-Za-z0-9_]{1,64}"'
LINE = '"(([1-9][0-9]?|100) [0-9a-f]{64}|0 [A-Z0-9_]{1,64})"'
TIME = '"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{6})?Z"'
SHOWS = {"COMMITTED": "0", "FROZEN": "1", "WAITING_FOR_BEACON": "1", "DRAWN": "2", "CANCELLED": "012"}
QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"  # drand's, a round each 3 s
failures: list[str] = []


def check(claim: str, said: Any, found: Any = True) -> bool:
    """Print whether what is said is what was found, compared as JSON (in which true is not 1)."""
    good = json.dumps(said, sort_keys=True) == json.dumps(found, sort_keys=True)
    failures.extend([] if good else [claim])
    print(("ok    " if good else "FAIL  ") + claim)
    return good


def field(of: Any, name: Any, form: str) -> Any:
    """A field that is computed with or printed, and so has to be of that form."""
    if not isinstance(of, dict) or not re.fullmatch(form, json.dumps(of.get(name))):
        raise ValueError(f"the field {name!a} is missing or malformed")
    return of[name]


def leaf(proof: Any, number: int, weight: int, mark: bytes) -> bytes:
    """What a number adds to the root."""
    return sha256(b"\0fanfare/leaf/1" + proof["id"].encode() + pack(">QQ", number, weight) + mark).digest()


def check_list(proof: Any) -> tuple[list[int], bytes]:
    """The weight of each number (0: removed) and the root; what the proof says of them is compared."""
    weights, nodes, reasons = [], [], Counter[str]()
    for number, line in enumerate(proof["entries"]["data"], 1):
        weight, mark = field({number: line}, number, LINE).split()
        if weight == "0":
            reasons[mark] += 1
            mark = sha256(b"fanfare/removed/1" + mark.encode()).hexdigest()
        weights.append(int(weight))
        nodes.append(leaf(proof, number, int(weight), bytes.fromhex(mark)))
    while len(nodes) > 1:  # RFC 6962, 2.1: level by level two nodes are joined, an odd last one moves up
        pairs = [sha256(b"\1" + nodes[i] + nodes[i + 1]).digest() for i in range(0, len(nodes) - 1, 2)]
        nodes = pairs + nodes[2 * len(pairs) :]
    root, gone = nodes[0] if nodes else sha256().digest(), weights.count(0)
    check(f"the root of the list is {root.hex()}", proof["root"], root.hex())
    check(f"the list has {len(weights) - gone} entries", proof["entryCount"], len(weights) - gone)
    check(f"removed before the draw: {gone}", proof["removedBeforeDraw"], {"count": gone, "reasons": reasons})
    groups = [[group["weight"], group["entries"]] for group in proof["groups"]]
    check("as many entries as told have each weight", groups, sorted(Counter(filter(None, weights)).items()))
    odds = [field(group, "odds", "[0-9][0-9.e-]*") for group in proof["groups"]]
    check("the odds of each weight are told (they are not recomputed)", not odds or max(odds) <= 1)
    return weights, root


def check_beacon(proof: Any, beacon: Any) -> bytes:
    """The randomness of the round that was named, once it is needed."""
    field(beacon, "source", '"drand"')
    chain, number = field(beacon, "chain", HEX), field(beacon, "round", "[1-9][0-9]{0,9}")
    if chain == QUICKNET:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1692803367 + 3 * (number - 1)))
        check(f"round {number} of its beacon is due at {at}Z", field(beacon, "roundAt", TIME)[:19], at)
    print("note  root, round and winnerCount should have been public before that: compare what you saved")
    if "seed" not in proof:
        return b""
    signature = bytes.fromhex(field(beacon, "signature", '"([0-9a-f]{96}){1,2}"'))
    check("the randomness is SHA-256(signature)", beacon["randomness"], sha256(signature).hexdigest())
    print(f"note  compare that signature with https://api.drand.sh/{chain}/public/{number}")
    return sha256(signature).digest()


def check_draw(proof: Any, weights: list[int], root: bytes, beacon: bytes) -> list[tuple[bytes, int]]:
    """Ranks and numbers in the drawn order; what the proof says of it is compared."""
    count, wanted = len(weights) - weights.count(0), field(proof, "winnerCount", COUNT)
    seed = bytes.fromhex(field(proof, "seed", HEX))
    check("the seed is the one committed to", proof["commitment"], sha256(seed).hexdigest())
    key = sha256(b"fanfare/key/1" + seed + root + pack(">QQ", count, wanted) + beacon).digest()
    check("drawKey is made of seed, root, entryCount, winnerCount and beacon", proof["drawKey"], key.hex())
    order = []
    for number, weight in enumerate(weights, 1):
        tickets = [pack(">QQ", number, ticket)[: 16 if ticket > 1 else 8] for ticket in range(1, weight + 1)]
        if tickets:  # of which the best counts; the first is the number alone
            order.append((min(hmac.digest(key, ticket, "sha256") for ticket in tickets), number))
    order.sort()
    if proof["kind"] == "queue":
        check("a queue puts all its entries in order", wanted, count)
        return order
    won, offered = min(wanted, count), field(proof, "placesOffered", COUNT)
    last = won + len(proof["alternates"])
    places = [{"number": number, "rank": rank.hex()} for rank, number in order[:last]]
    check(f"the winners are the first {won} in the drawn order", proof["winners"], places[:won])
    check(f"the alternates are the {last - won} that follow", proof["alternates"], places[won:])
    check(f"places were offered to the first {offered} in it, of {count}", offered <= count)
    passed = [field(one, "number", COUNT) for one in field(proof, "passedOver", r"\[.*\]")]
    reached = {number for _, number in order[:offered]}.intersection(passed)
    check("those passed over are among these, each named once", len(passed), len(reached))
    return order


def verify(proof: Any) -> Any:
    """Check all there is at the draw's stage; its order, once it is drawn, or None if not all is here."""
    if not check("the version of the proof is known", field(proof, "version", COUNT), 1):
        return None
    name, kind = field(proof, "id", ID), field(proof, "kind", '"(draw|queue)"')
    status, commitment = field(proof, "status", f'"({"|".join(SHOWS)})"'), field(proof, "commitment", HEX)
    print(f"note  {kind} {name}, {status}, committed to {commitment}")
    stage, beacon, order = ("root" in proof) + ("seed" in proof), proof.get("beacon"), []
    check("no more and no less is shown than that status allows", str(stage) in SHOWS[status])
    level, why = "commit-reveal", "no beacon is named"
    if beacon is not None:
        late = stage and field(proof, "frozenAt", TIME)[:-1] >= field(beacon, "roundAt", TIME)[:-1]
        level = "commit-reveal" if late else "beacon"
        why = f"the beacon's round is due {'before' if late else 'after'} the freeze"
    check(f"level: {level} ({why})", proof["level"], level)
    if level == "commit-reveal":
        print("note  whoever knew the seed could have tried lists out before the freeze")
    if stage:
        given, first = field(proof, "numbersGiven", COUNT), field(proof["entries"], "first", COUNT)
        lines = proof["entries"]["data"] if isinstance(proof["entries"]["data"], list) else []
        if (first, len(lines), proof["entries"]["nextCursor"]) != (1, given, None):
            check(f"entries are missing: {len(lines)} of {given} are here, from number {first} on", False)
            return None
        weights, root = check_list(proof)
        randomness = b"" if beacon is None else check_beacon(proof, beacon)
        order = check_draw(proof, weights, root, randomness) if "seed" in proof else []
    else:
        print("note  nothing else can be checked before the list is frozen")
    return order


# ------------------------------------------------------------------------------------------------------


def check_receipt(receipt: Any, jwks: Any, proof: Any, order: list[tuple[bytes, int]]) -> None:
    """Whether the receipt is genuine and its entry in the list, and how it fared."""
    number, weight = field(receipt, "entryNumber", COUNT), field(receipt, "weight", "[1-9][0-9]?|100")
    mark = sha256(b"fanfare/mark/1" + bytes.fromhex(field(receipt, "entryId", '"[0-9a-f]{32}"'))).digest()
    own = leaf(proof, number, weight, mark).hex()
    check("the receipt's leaf is that of its number, weight and id in this draw", receipt["leaf"], own)
    if jwks is None:
        print("note  the receipt's signature was not checked: that takes --jwks")
    else:
        due = {name: receipt[name] for name in ("entryNumber", "entryId", "weight", "leaf")}
        due.update(distributionId=proof["id"], commitment=proof["commitment"])
        said = signed_claims(receipt, jwks)
        check("the receipt is signed, for this draw", {name: said.get(name) for name in due}, due)
    print("note  keep the receipt with its token, and the JWKS: signed, it is evidence")
    if "root" not in proof:
        return
    line = (proof["entries"]["data"][number - 1 : number] or [""])[0]
    fate = f"was removed before the draw: {line[2:]}" if line[:2] == "0 " else "was left out (or altered)"
    found = line == f"{weight} {mark.hex()}"
    check(f"your entry number {number} {'is in the frozen list' if found else fate}", found)
    for place, rank in [(i, rank) for i, (rank, one) in enumerate(order, 1) if found and one == number]:
        later = place - field(proof, "winnerCount", COUNT)
        fate = f"is alternate no. {later}" if later > 0 else "won" if proof["kind"] == "draw" else "was drawn"
        print(f"ok    your entry {fate}: place {place} in the drawn order, by the rank {rank.hex()}")
        for one in proof.get("passedOver", []):
            if one["number"] == number:
                print(f"note  it was passed over, being removed since: {field(one, 'reason', ID)}")


def signed_claims(receipt: Any, jwks: Any) -> Any:
    """What the token of a receipt says, if a key of that set has signed it; else nothing."""
    token = field(receipt, "token", '"[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]{86}"')
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    header, message = json.loads(head), token.rpartition(".")[0].encode()
    is_receipt = header.get("alg") == "EdDSA" and header.get("typ") == "receipt+jwt"
    for key in jwks["keys"]:
        fits = is_receipt and key.get("crv") == "Ed25519" and key.get("kid") == header.get("kid")
        if fits and is_signed(message, signature, base64.urlsafe_b64decode(key["x"] + "==")):
            return json.loads(claims)
    return {}


def is_signed(message: bytes, signature: bytes, key: bytes) -> bool:
    """Ed25519 (RFC 8032, 5.1.7): whether R = sB - kA on the curve y*y - x*x = 1 + d*x*x*y*y modulo p."""
    p, order = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
    d, base_y = -121665 * pow(121666, -1, p) % p, 4 * pow(5, -1, p) % p
    base_x = 0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A
    sign, y = divmod(int.from_bytes(key, "little"), 2**255)
    square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    x = pow(square, (p + 3) // 8, p)
    x = x if x * x % p == square else x * pow(2, (p - 1) // 4, p) % p
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % order
    if (len(signature), len(key)) != (64, 32) or s >= order or y >= p or x * x % p != square or x < sign:
        return False
    terms = (s, base_x, base_y), (k, x if x % 2 != sign else p - x, y)  # the second is of -A
    x, y = 0, 1
    for bit in reversed(range(256)):  # doubled each time, and each term added whose factor has that bit
        for v, w in [(x, y)] + [(v, w) for factor, v, w in terms if factor >> bit & 1]:
            t = d * x * y * v * w
            x, y = (x * w + y * v) * pow(1 + t, -1, p) % p, (y * w + x * v) * pow(1 - t, -1, p) % p
    return (y | (x % 2) << 255).to_bytes(32, "little") == signature[:32]


def read(source: str, key: str) -> Any:
    """The JSON that is given literally, in a file, on standard input ('-') or at an address."""
    if source.lstrip().startswith("{"):
        return json.loads(source)
    if not source.startswith(("https://", "http://")):
        with open(0 if source == "-" else source, "rb") as file:
            return json.loads(file.read())
    request = urllib.request.Request(source)  # noqa: S310 (of http or https)
    if key:
        request.add_unredirected_header("X-Publishable-Key", key)  # no redirect carries it elsewhere
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read())


def load(source: str, key: str = "") -> Any:
    """As `read`; whatever is wrong there becomes one sentence."""
    try:
        found = read(source, key)
    except Exception as problem:
        raise ValueError(f"cannot read {source[:200]}: {str(problem)[:200]}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{source[:200]} is no JSON object")
    return found


def load_proof(source: str, key: str) -> Any:
    """The proof; from an address, with the entries of all its pages."""
    if not source.startswith(("https://", "http://")):
        return load(source)
    source += ("&" if "?" in source else "?") + "limit=10000"
    proof = load(source, key)
    while "root" in proof and proof["entries"]["nextCursor"] is not None:
        cursor = field(proof["entries"], "nextCursor", '"[A-Za-z0-9_.~-]+"')
        page = load(f"{source}&cursor={cursor}", key)["entries"]
        if page["first"] != len(proof["entries"]["data"]) + 1 or not page["data"]:
            raise ValueError("the pages do not follow one another")
        proof["entries"].update(data=proof["entries"]["data"] + page["data"], nextCursor=page["nextCursor"])
    return proof


def main() -> int:
    """Read what is given, verify it and say how that went."""
    parser = argparse.ArgumentParser(description="Verify a Fanfare draw from its published proof.")
    parser.add_argument("proof", help="its file or address; '-' for standard input")
    parser.add_argument("--key", default="", help="the publishable key, which an address asks for")
    parser.add_argument("--receipt", help="your receipt: its file, or itself as JSON")
    parser.add_argument("--jwks", help="the file or address of the keys that sign receipts")
    parser.add_argument("--order", action="store_true", help="print the numbers in the drawn order")
    options = parser.parse_args()
    try:
        proof = load_proof(options.proof, options.key)
        receipt = None if options.receipt is None else load(options.receipt)
        jwks = None if options.jwks is None else load(options.jwks)
        order = verify(proof)
        if receipt is not None and order is not None:
            check_receipt(receipt.get("receipt", receipt), jwks, proof, order)
        for _, number in order or [] if options.order else []:
            print(number)
        good = "VERIFIED" if "seed" in proof else "Nothing failed, but it has not been drawn"
        print(f"FAILED: claims that do not hold: {len(failures)}" if failures else good, flush=True)
    except BrokenPipeError:  # whoever reads this has seen enough
        os._exit(2)
    except (KeyError, TypeError, AttributeError) as problem:
        parser.exit(2, f"verify_draw: this is not formed as proofs and receipts are: {problem!a}\n")
    except Exception as problem:
        parser.exit(2, f"verify_draw: {ascii(str(problem))[1:-1]}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
