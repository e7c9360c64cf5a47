"""A public beacon: drand's quicknet, whose values nobody knows before their time, and anyone can check.

Each round's value is a BLS signature over the round's number by the network's key (drand's scheme
`bls-unchained-g1-rfc9380`); its randomness is the SHA-256 of that. A value counts only once its signature
was checked, whoever brought it: `fetch` over HTTP, or staff through the console.
"""

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from django.conf import settings
from django.utils.module_loading import import_string

from distributions.draws import bls
from fanfare import errors, redis

FETCH_SECONDS = 3  # time-out, of connecting, of each read and of the whole body
SLOW_SECONDS = 1  # an answer that takes longer is followed by a pause
PAUSE_SECONDS = 30
MOST_BYTES = 4_096  # of an answer; what is longer is none
LEAD = dt.timedelta(seconds=30)  # from closing to the round that is chosen by itself: time to freeze


@dataclass(frozen=True)
class Chain:
    """A drand network: its public key, the Unix time of round 1, the seconds between two rounds."""

    public_key: str
    genesis: int
    period: int

    def time_of(self, round: int) -> dt.datetime:
        """When a round is due."""
        return dt.datetime.fromtimestamp(self.genesis + (round - 1) * self.period, dt.UTC)

    def first_after(self, instant: dt.datetime) -> int:
        """The first round that is due later than this."""
        return max(1, (instant - self.time_of(1)) // dt.timedelta(seconds=self.period) + 2)


QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
# https://api.drand.sh/<chain>/info; the chain's hash binds these.
CHAINS = {
    QUICKNET: Chain(
        public_key="83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c"
        "8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb"
        "5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
        genesis=1692803367,
        period=3,
    )
}

Fetcher = Callable[[str, int], bytes | None]
"""Of chain and round, the signature; None while it is not to be had. What it brings is checked."""


def fetch(chain: str, round: int) -> bytes | None:
    """The signature of a round by the fetcher that `FANFARE_BEACON_URL` chose; None: not yet, or not well.

    One worker asks at a time, and after a slow answer nobody does for a while: a relay that hangs must not
    hold up whatever else workers do.
    """
    key = redis.BEACON_ASKED
    if not redis.attempt("beacon", lambda: redis.client().set(key, 1, nx=True, ex=PAUSE_SECONDS)):
        return None
    began = time.monotonic()
    fetcher: Fetcher = import_string(settings.BEACON_FETCHER)
    signature = fetcher(chain, round)
    if time.monotonic() - began < SLOW_SECONDS:
        redis.attempt("beacon", lambda: redis.client().delete(key))
    return signature if signature is not None and is_genuine(chain, round, signature) else None


def over_http(chain: str, round: int) -> bytes | None:
    """From a relay of drand's HTTP API."""
    url = f"{settings.BEACON_URL.rstrip('/')}/{chain}/public/{round}"
    try:
        with httpx.stream("GET", url, timeout=FETCH_SECONDS) as answer:
            value = json.loads(_read(answer) if answer.is_success else b"")
        return bytes.fromhex(value["signature"]) if value["round"] == round else None
    except (httpx.HTTPError, ValueError, LookupError, TypeError, RecursionError):
        return None


def _read(answer: httpx.Response) -> bytes:
    """The body, as far as it is no longer than a value and does not drip. Raises ValueError."""
    body, latest = b"", time.monotonic() + FETCH_SECONDS
    for piece in answer.iter_raw():
        body += piece
        if len(body) > MOST_BYTES or time.monotonic() > latest:
            raise ValueError("too long, or too slow")
    return body


def by_staff(chain: str, round: int) -> bytes | None:
    """Where no relay is to be asked: the value comes through the console."""
    return None


def is_genuine(chain: str, round: int, signature: bytes) -> bool:
    """Whether the network's key signed this round."""
    if chain not in CHAINS:
        return False
    public_key = bytes.fromhex(CHAINS[chain].public_key)
    return bls.is_signed(hashlib.sha256(round.to_bytes(8, "big")).digest(), signature, public_key)


def read_value(text: str) -> bytes:
    """A signature as drand shows it, hexadecimal. Raises Invalid."""
    try:
        signature = bytes.fromhex(text.strip())
    except ValueError:
        signature = b""
    if len(signature) != bls.SIGNATURE_BYTES:
        detail = errors.Detail("signature", f"{2 * bls.SIGNATURE_BYTES} hexadecimal digits.")
        raise errors.Invalid(detail)
    return signature
