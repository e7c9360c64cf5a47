"""The stand-alone check of a receipt's signature: Ed25519 by itself, tokens of ours and forged ones."""

import base64
import json
import random
import runpy
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from tests.verifier.makers import (
    BEACON,
    BOTTOMLESS,
    JWKS,
    KEY,
    NO_FILES,
    SDK,
    STRANGE,
    WEIGHTS,
    Ran,
    Stranger,
    assert_fails,
    assert_good,
    assert_refused,
    assert_unusable,
    encoded,
    jwk,
    number_at,
    outside,
    proof_of,
    receipt_of,
    require_short_and_alone,
)
from tests.verifier.servers import Server
from tests.world import World

NAME = "check_receipt.py"
PROOF = proof_of(WEIGHTS)
NUMBER = number_at(PROOF, 1)
RECEIPT = receipt_of(PROOF, NUMBER)
STRANGERS_KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
SIGNED = "it is signed by the key 'kid-1'"


Check = Callable[..., Ran]


@pytest.fixture
def check(checker: Stranger) -> Check:
    """Run it on a receipt and keys."""

    def run(receipt: Any, jwks: Any = JWKS) -> Ran:
        return checker.run(checker.json(receipt, "receipt.json"), "--jwks", checker.json(jwks, "jwks.json"))

    return run


# --- What is signed --------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [False, True])
def test_what_a_receipt_says(check: Check, wrapped: bool) -> None:
    said = assert_good(check({"status": "QUEUED", "receipt": RECEIPT} if wrapped else RECEIPT))
    due = {name: RECEIPT[name] for name in ("entryNumber", "entryId", "weight", "leaf")}
    due |= {"distributionId": PROOF["id"], "commitment": PROOF["commitment"], "winnerCount": 10}
    due["beacon"] = {"chain": BEACON["chain"], "round": 1000}
    for name, value in due.items():
        assert f"says  {name}: {json.dumps(value)}\n" in said
    assert "says  'https://fanfare.example' took the entry of 2023-08-23 14:13:20 UTC" in said
    assert said.endswith("\nSIGNED\n")


def test_a_receipt_of_a_queue_announces_no_winners(check: Check) -> None:
    said = assert_good(check(receipt_of(proof_of(WEIGHTS, kind="queue", beacon=False), 1)))
    assert "winnerCount" not in said and "beacon" not in said


def test_literal_json(checker: Stranger) -> None:
    assert_good(checker.run(f"  {json.dumps(RECEIPT)}", "--jwks", json.dumps(JWKS)))


def test_a_receipt_and_keys_over_http(check: Check, world: World) -> None:
    draw = world.draw(winner_count=3)
    entered = world.consumer().enter(draw).json()
    said = assert_good(check(entered, Client().get("/.well-known/jwks.json").json()))
    assert f'says  distributionId: "{draw.pk}"\n' in said and "says  winnerCount: 3\n" in said
    assert_fails(check(entered, JWKS), "it is signed by the key")


# --- What is not -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, value", [("entryNumber", 2), ("entryId", "00" * 16), ("weight", 7), ("leaf", "x")]
)
def test_a_receipt_that_says_something_else_than_its_token(check: Check, name: str, value: Any) -> None:
    (failure,) = assert_fails(check({**RECEIPT, name: value}))
    assert failure == "the receipt says the same as its token"
    incomplete = {key: one for key, one in RECEIPT.items() if key != name}
    assert_fails(check(incomplete), "the receipt says the same as its token")


@pytest.mark.parametrize(
    "name, value", [("entryNumber", 2), ("entryId", "00" * 16), ("weight", 7), ("distributionId", "draw_1")]
)
def test_a_leaf_that_is_made_of_something_else(check: Check, name: str, value: Any) -> None:
    receipt = receipt_of(PROOF, NUMBER, **{name: value})
    if name in receipt:
        receipt[name] = value
    assert assert_fails(check(receipt)) == ["its leaf is made of draw, number, weight and entry id"]


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
def test_a_forged_signature(check: Check, way: str) -> None:
    ran = check({**RECEIPT, "token": FORGED[way](RECEIPT["token"])})
    assert assert_fails(ran) == [SIGNED]
    assert "says  " not in ran[1]  # what it says counts for nothing


@pytest.mark.parametrize("kid", ["unknown", "kid-2", "old", 5, None])
def test_a_token_of_another_key(check: Check, kid: Any) -> None:
    """Each key signs by its name; that another of the set could have signed is not enough."""
    jwks = {"keys": [jwk(KEY), jwk(STRANGERS_KEY, "kid-2"), jwk(STRANGERS_KEY, "old")]}
    receipt = receipt_of(PROOF, NUMBER)
    header = encoded(json.dumps({"alg": "EdDSA", "typ": "receipt+jwt", "kid": kid}).encode())
    start = f"{header}.{receipt['token'].split('.')[1]}"
    token = f"{start}.{encoded(KEY.sign(start.encode()))}"
    assert_fails(check({**receipt, "token": token}, jwks), "it is signed by the key")


def test_a_strangers_token(check: Check) -> None:
    receipt = receipt_of(PROOF, NUMBER, STRANGERS_KEY)
    assert assert_fails(check(receipt)) == [SIGNED]
    assert assert_fails(check(receipt, {"keys": []})) == [SIGNED]


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"typ": "JWT"}, {"typ": "admission+jwt"}])
def test_a_token_of_another_kind(check: Check, header: dict[str, Any]) -> None:
    receipt = receipt_of(PROOF, NUMBER, header=header)
    assert assert_fails(check(receipt)) == ["its token is that of a receipt"]


@pytest.mark.parametrize("algorithm", ["HS256", "none", "eddsa", ""])
def test_a_token_of_another_algorithm(check: Check, algorithm: str) -> None:
    """Signed well, but what a library would make of it is another matter."""
    header = encoded(json.dumps({"alg": algorithm, "typ": "receipt+jwt", "kid": "kid-1"}).encode())
    start = f"{header}.{RECEIPT['token'].split('.')[1]}"
    token = f"{start}.{encoded(KEY.sign(start.encode()))}"
    assert assert_fails(check({**RECEIPT, "token": token})) == ["its token is that of a receipt"]


@pytest.mark.parametrize("kind", [{"kty": "RSA"}, {"kty": "EC"}, {"crv": "X25519"}, {"crv": "Ed448"}])
def test_a_key_of_another_kind(check: Check, kind: dict[str, str]) -> None:
    assert assert_fails(check(RECEIPT, {"keys": [{**jwk(KEY), **kind}]})) == [SIGNED]


# --- Ed25519 by itself -----------------------------------------------------------------------------


is_signed: Callable[[bytes, bytes, bytes], bool] = runpy.run_path(str(SDK / NAME))["is_signed"]

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
    raw = bytes.fromhex
    assert is_signed(raw(message), raw(signature), raw(key))
    assert not is_signed(raw(message) + b"\0", raw(signature), raw(key))
    assert not is_signed(raw(message), raw(signature)[:-1], raw(key))
    assert not is_signed(raw(message), raw(signature) + b"\0", raw(key))
    assert not is_signed(raw(message), raw(signature), raw(key)[:-1])
    assert not is_signed(raw(message), raw(signature), raw(key) + b"\0")


def test_what_the_library_signs_is_good_and_nothing_else() -> None:
    chance = random.Random(8032)
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
    assert not is_signed(b"", bytes([1]) + bytes(63), y.to_bytes(32, "little"))


# --- What cannot be used is said in a sentence -----------------------------------------------------


@pytest.mark.parametrize("what", NO_FILES)
def test_a_file_that_is_no_receipt(checker: Stranger, what: str) -> None:
    jwks = checker.json(JWKS, "jwks.json")
    assert_unusable(checker.run(checker.text(NO_FILES[what]), "--jwks", jwks))


@pytest.mark.parametrize("what", NO_FILES)
def test_a_file_that_is_no_set_of_keys(checker: Stranger, what: str) -> None:
    receipt = checker.json(RECEIPT, "receipt.json")
    assert_unusable(checker.run(receipt, "--jwks", checker.text(NO_FILES[what], "jwks.json")))


@pytest.mark.parametrize("deep", BOTTOMLESS, ids=range(len(BOTTOMLESS)))
def test_a_bottomless_file(checker: Stranger, deep: str) -> None:
    """In a process of its own: in this one a library has raised the limit that Python keeps."""
    path = checker.text(deep)
    assert_unusable(outside(NAME, path, "--jwks", path))


@pytest.mark.parametrize(
    "keys", [5, {}, [5], ["x"], [{**jwk(KEY), "x": 5}], [{**jwk(KEY), "x": "AA"}]], ids=str
)
def test_strange_keys(check: Check, keys: Any) -> None:
    assert_refused(check(RECEIPT, {"keys": keys}))


@pytest.mark.parametrize("path", ["entryNumber", "entryId", "weight", "leaf", "token"])
def test_nothing_strange_passes_in_a_receipt(check: Check, path: str) -> None:
    for strange in [*STRANGE, "..", "a.b.c", "e30.e30." + "A" * 86, "A" * 5000, 0, 101]:
        assert_refused(check({**RECEIPT, path: strange}))


@pytest.mark.parametrize("name", ["entryNumber", "entryId", "weight", "leaf", "distributionId"])
def test_nothing_strange_passes_even_signed(check: Check, name: str) -> None:
    for strange in [*(one for one in STRANGE if one not in (1e400, "\ud800")), ...]:
        receipt = receipt_of(PROOF, NUMBER, **{name: strange})
        if name in receipt and strange is not ...:
            receipt[name] = strange
        assert_refused(check(receipt))


# --- As strangers run it ---------------------------------------------------------------------------


def test_it_runs_by_itself(checker: Stranger) -> None:
    receipt, jwks = checker.json(RECEIPT, "receipt.json"), checker.json(JWKS, "jwks.json")
    assert assert_good(outside(NAME, receipt, "--jwks", jwks)).endswith("\nSIGNED\n")
    status, out, err = outside(NAME, receipt)
    assert (status, out) == (2, "") and "--jwks" in err
    assert_unusable(outside(NAME, "no-such-file.json", "--jwks", jwks), "no-such-file.json")
    assert_unusable(outside(NAME, receipt, "--jwks", "http://127.0.0.1:1/"), "URLError")


def test_keys_of_an_address(checker: Stranger, server: Server) -> None:
    receipt = checker.json(RECEIPT, "receipt.json")
    assert_good(checker.run(receipt, "--jwks", server.at("/jwks.json")))
    assert_unusable(checker.run(receipt, "--jwks", server.at("/404")), "HTTPError")


def test_it_is_short_and_stands_alone() -> None:
    require_short_and_alone(NAME)
