"""Check that a receipt of a Fanfare draw is signed, with nothing but this file and Python 3.9 or later.

    python3 check_receipt.py RECEIPT --jwks FILE_OR_URL

RECEIPT is its file, or itself as JSON. The keys are those that the organizer publishes; if you keep them
beside the receipt, you can show it even when they are no longer online. Whether the entry is in the draw's
list, and that the draw was held as announced, verify_draw.py tells.

Of each claim it says 'ok' or 'FAIL', and of a signed receipt what it says. Its exit status: 0, nothing
failed; 1, something did; 2, it can't use its input.
"""

import argparse
import base64
import json
import re
import time
import urllib.request
from hashlib import sha256, sha512
from struct import pack  # ">Q": a number as 8 bytes, the highest first
from typing import Any

RECEIPT = ("entryNumber", "entryId", "weight", "leaf")
ANNOUNCED = ("distributionId", "commitment", "winnerCount", "beacon")  # of a queue only the first two
results: list[bool] = []


def check(claim: str, holds: bool) -> bool:
    """Print whether it holds."""
    results.append(holds)
    print(("ok    " if holds else "FAIL  ") + claim)
    return holds


def check_receipt(receipt: Any, jwks: Any) -> None:
    """Whether the token is signed; then what it says, and whether the receipt says the same."""
    token = receipt["token"]
    if not re.fullmatch("[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]{86}", token):
        raise ValueError("the receipt's token is malformed")
    header, said = (json.loads(decoded(part)) for part in token.split(".")[:2])
    message, _, signature = token.rpartition(".")
    check("its token is that of a receipt", (header["alg"], header["typ"]) == ("EdDSA", "receipt+jwt"))
    keys = [key for key in jwks["keys"] if (key.get("kty"), key.get("crv")) == ("OKP", "Ed25519")]
    keys = [decoded(key["x"]) for key in keys if key.get("kid") == header["kid"]]
    signed = any(is_signed(message.encode(), decoded(signature), key) for key in keys)
    if not check(f"it is signed by the key {header['kid']!a}", signed):
        return
    same = {name: receipt.get(name) for name in RECEIPT} == {name: said[name] for name in RECEIPT}
    check("the receipt says the same as its token", same)
    check("its leaf is made of draw, number, weight and entry id", said["leaf"] == leaf(said).hex())
    issued = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(said["iat"]))
    print(f"says  {said['iss']!a} took the entry of {issued}, and announced by then")
    for name in (*RECEIPT, *ANNOUNCED):
        if name in said:
            print(f"says  {name}: {json.dumps(said[name])}")


def leaf(said: Any) -> bytes:
    """What the entry adds to the root of the draw's list."""
    mark = sha256(b"fanfare/mark/1" + bytes.fromhex(said["entryId"])).digest()
    content = said["distributionId"].encode() + pack(">QQ", said["entryNumber"], said["weight"]) + mark
    return sha256(b"\0fanfare/leaf/1" + content).digest()


def decoded(text: str) -> bytes:
    """The bytes of base64url, as tokens and keys have it."""
    return base64.urlsafe_b64decode(text + "==")


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


def read(source: str) -> Any:
    """The JSON that is given, in a file or at an address."""
    if source.lstrip().startswith("{"):
        return json.loads(source)
    if source.startswith(("https://", "http://")):
        with urllib.request.urlopen(source, timeout=60) as answer:  # noqa: S310 (of http or https)
            return json.load(answer)
    with open(source, "rb") as file:
        return json.load(file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Check that a receipt of a Fanfare draw is signed.")
    parser.add_argument("receipt", help="its file, or itself as JSON")
    parser.add_argument("--jwks", required=True, help="file or address of the keys that sign receipts")
    options = parser.parse_args()
    try:
        receipt = read(options.receipt)
        check_receipt(receipt.get("receipt", receipt), read(options.jwks))
    except Exception as problem:  # whatever strange input leads to
        parser.exit(2, f"check_receipt: cannot use it: {type(problem).__name__} {ascii(str(problem)):.200}\n")
    print("SIGNED" if all(results) else "FAILED: this receipt is no evidence")
    raise SystemExit(0 if all(results) else 1)
