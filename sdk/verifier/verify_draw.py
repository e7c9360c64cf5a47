"""Verify a Fanfare draw from its published proof, with nothing but this file and Python 3.9 or later.

    python3 verify_draw.py PROOF [--key PUBLISHABLE_KEY] [--receipt RECEIPT]

Whatever follows from something else is computed and compared with what the proof says: 'ok' or 'FAIL'. A
'note' is for you to judge. Its exit status: 0, nothing failed; 1, something did; 2, it can't use its input.
"""

import argparse
import base64
import hmac
import json
import re
import urllib.request
from collections import Counter
from hashlib import sha256
from struct import pack  # ">Q": a number as 8 bytes, the highest first
from time import gmtime, strftime, strptime
from typing import Any

LINE = re.compile(r"\A(?:([1-9][0-9]?|100) ([0-9a-f]{64})|0 ([A-Z0-9_]{1,64}))\Z")  # weight, mark; or reason
QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"  # drand's, a round each 3 s
SECONDS = "%Y-%m-%dT%H:%M:%S"
results: list[bool] = []


def check(what: str, said: Any, **found: Any) -> None:
    """Print of each field whether it is what was found, compared as JSON (in which true is not 1)."""
    for name, value in found.items():
        text, told = json.dumps(value, sort_keys=True), json.dumps(said.get(name), sort_keys=True)
        results.append(text == told)
        claim = f"{name} is {what}: {text:.120}"
        print(f"ok    {claim}" if text == told else f"FAIL  {claim}, not {told:.120}")


def check_level(proof: Any) -> bytes:
    """Whether a beacon's round was due after the freeze; and its randomness, once that is needed."""
    beacon, level, randomness = proof.get("beacon"), "commit-reveal", b""
    if beacon is not None:
        number = int(beacon["round"])
        due = strftime(SECONDS, gmtime(1692803367 + 3 * (number - 1)))
        check("as quicknet has it", beacon, source="drand", chain=QUICKNET, round=number, roundAt=f"{due}Z")
        if "seed" in proof:
            randomness = sha256(bytes.fromhex(beacon["signature"])).digest()
            check("SHA-256(signature)", beacon, randomness=randomness.hex())
            print(f"note  compare the signature with https://api.drand.sh/{QUICKNET}/public/{number}")
        if "root" not in proof or strptime(proof["frozenAt"][:19], SECONDS) < strptime(due, SECONDS):
            level = "beacon"
            print("note  root, winnerCount and round should have been public before: see what you saved")
    check("what freeze and beacon allow", proof, level=level)
    return randomness


def check_draw(proof: Any, randomness: bytes) -> list[int]:
    """From the list to its root, and once it is drawn from there to the order of the numbers."""
    check("that of a whole list, as /proof/file has it", proof["entries"], first=1, nextCursor=None)
    lines, nodes = [LINE.findall(line)[0] for line in proof["entries"]["data"]], []
    for number, (weight, mark, reason) in enumerate(lines, 1):  # one that was removed has only a reason
        mark = mark or sha256(b"fanfare/removed/1" + reason.encode()).hexdigest()
        leaf = proof["id"].encode() + pack(">QQ", number, int(weight or 0)) + bytes.fromhex(mark)
        nodes.append(sha256(b"\0fanfare/leaf/1" + leaf).digest())
    while len(nodes) > 1:  # RFC 6962, 2.1: level by level two nodes are joined, an odd last one moves up
        pairs = [sha256(b"\1" + nodes[i] + nodes[i + 1]).digest() for i in range(0, len(nodes) - 1, 2)]
        nodes = pairs + nodes[2 * len(pairs) :]
    root = nodes[0] if nodes else sha256().digest()
    weights = {number: int(weight) for number, (weight, _, _) in enumerate(lines, 1) if weight}
    check("that of the list", proof, root=root.hex(), numbersGiven=len(lines), entryCount=len(weights))
    gone = {"count": len(lines) - len(weights), "reasons": Counter(one[2] for one in lines if one[2])}
    told = {**proof, "groups": [[group["weight"], group["entries"]] for group in proof["groups"]]}
    check("that of the list", told, removedBeforeDraw=gone, groups=sorted(Counter(weights.values()).items()))
    if "seed" not in proof:
        return []
    seed, winners = bytes.fromhex(proof["seed"]), proof["winnerCount"]
    check("SHA-256(seed)", proof, commitment=sha256(seed).hexdigest())
    key = sha256(b"fanfare/key/1" + seed + root + pack(">QQ", len(weights), winners) + randomness).digest()
    check("made of seed, root, entryCount, winnerCount and randomness", proof, drawKey=key.hex())
    ranks = {}
    for number, weight in weights.items():  # a weight is so many tickets, of which the best counts
        tickets = [pack(">Q", number)] + [pack(">QQ", number, ticket) for ticket in range(2, weight + 1)]
        ranks[number] = min(hmac.digest(key, ticket, "sha256") for ticket in tickets)
    order = sorted(ranks, key=ranks.__getitem__)
    if proof["kind"] == "queue":
        check("that of all entries", proof, winnerCount=len(weights))
        return order
    last = winners + len(proof["alternates"])
    places = [{"number": number, "rank": ranks[number].hex()} for number in order[:last]]
    check("what the drawn order begins with", proof, winners=places[:winners])
    check("what follows there", proof, alternates=places[winners:])
    reached = set(order[: proof["placesOffered"]])
    passed = {one["number"]: one for one in proof["passedOver"] if one["number"] in reached}
    check("within that order", proof, placesOffered=len(reached), passedOver=list(passed.values()))
    return order


def check_receipt(proof: Any, receipt: Any, order: list[int]) -> None:
    """Whether it is of this draw as it was announced, its entry in the list, and how that fared."""
    token = receipt.get("receipt", receipt)["token"]
    said = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    check("as your receipt has it", said, distributionId=proof["id"], commitment=proof["commitment"])
    if proof["kind"] == "draw":
        beacon = proof.get("beacon") and {name: proof["beacon"][name] for name in ("chain", "round")}
        check("as your receipt has it", said, winnerCount=proof["winnerCount"], beacon=beacon)
    print("note  check_receipt.py checks whether the receipt is signed, and so is evidence")
    number, mark = said["entryNumber"], sha256(b"fanfare/mark/1" + bytes.fromhex(said["entryId"])).hexdigest()
    if "root" in proof:
        own, line = f"your entry number {number}", proof["entries"]["data"][number - 1 : number]
        check("in the frozen list", {own: line}, **{own: [f"{said['weight']} {mark}"]})
    if number in order:
        place = order.index(number) + 1
        won = proof["kind"] == "draw" and place <= proof["winnerCount"]
        print(f"note  your entry {'won: it ' if won else ''}has place {place} in the drawn order")


def read(source: str, key: str = "") -> Any:
    """The JSON that is given, in a file or at an address; instead of a page of a proof, the whole."""
    if source.lstrip().startswith("{"):
        return json.loads(source)
    if not source.startswith(("https://", "http://")):
        with open(source, "rb") as file:
            return json.load(file)
    request = urllib.request.Request(source)  # noqa: S310 (of http or https)
    request.add_unredirected_header("X-Publishable-Key", key)  # no redirect carries it elsewhere
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        found = json.load(answer)
    path, mark, query = source.partition("?")
    is_page = not path.endswith("/file") and found.get("entries", {}).get("nextCursor") is not None
    return read(f"{path}/file{mark}{query}", key) if is_page else found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Verify a Fanfare draw from its published proof.")
    parser.add_argument("proof", help="its file or address")
    parser.add_argument("--key", default="", help="the publishable key, which an address asks for")
    parser.add_argument("--receipt", help="yours: its file, or itself as JSON")
    options = parser.parse_args()
    try:
        proof = read(options.proof, options.key)
        print(f"note  {proof['id']!a}, {proof['status']!a}, committed to {proof['commitment']!a}")
        check("known", proof, version=1, kind="queue" if proof["kind"] == "queue" else "draw")
        check("shown, as the status says", {"seed": "seed" in proof}, seed=proof["status"] == "DRAWN")
        randomness = check_level(proof)
        order = check_draw(proof, randomness) if "root" in proof or "seed" in proof else []
        if options.receipt is not None:
            check_receipt(proof, read(options.receipt), order)
        good = "VERIFIED" if "seed" in proof else "Nothing failed, but it has not been drawn"
        print(good if all(results) else f"FAILED: {results.count(False)} claims do not hold")
    except Exception as problem:  # whatever strange input leads to
        parser.exit(2, f"verify_draw: cannot use it: {type(problem).__name__} {ascii(str(problem)):.200}\n")
    raise SystemExit(0 if all(results) else 1)
