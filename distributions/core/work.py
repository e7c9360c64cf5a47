"""The price of entering: a proof of work (altcha), where staff ask for one.

A price and no wall: whoever pays it in computing time may enter, and solvers are public. A challenge is made
for one consumer and one distribution, signed, good for some minutes and for one answer. Redis keeps which
are spent; without it the same consumer could use the same one again, and nobody else.
"""

import datetime as dt
import hashlib
from functools import partial
from typing import Any

import altcha

from distributions.core.models import OVER_FOR_NOW, Distribution, Participation
from fanfare import errors, redis, sealing

ALGORITHM = "PBKDF2/SHA-256"
PREFIX = "00"  # which one key in 256 begins with
ROUNDS = 1_000  # of PBKDF2 for each step of a distribution's `proof_of_work`, which every guess costs
MOST = 50  # steps
LIFETIME_SECONDS = 600
HEADER_CHARACTERS = 2_000


def challenge(distribution: Distribution, consumer_id: str, *, now: dt.datetime) -> dict[str, Any]:
    """What the consumer has to solve: the challenge as altcha's widget takes it."""
    made = altcha.create_challenge(
        ALGORITHM,
        max(1, distribution.proof_of_work) * ROUNDS,
        key_prefix=PREFIX,
        expires_at=now + dt.timedelta(seconds=LIFETIME_SECONDS),
        data={"for": _purpose(distribution, consumer_id)},
        hmac_secret=_key(),
    )
    return dict(made.to_dict())


def require(distribution: Distribution, consumer_id: str, answer: str | None) -> None:
    """Take the answer to a challenge from whoever isn't in yet. Raises WorkRequired, WorkInvalid.

    Being in already was paid for: so an entry may be repeated whose answer got lost.
    """
    if not distribution.proof_of_work or _is_in(distribution, consumer_id):
        return
    if answer is None:
        raise errors.WorkRequired
    if not _is_good(distribution, consumer_id, answer):
        raise errors.WorkInvalid


def _is_in(distribution: Distribution, consumer_id: str) -> bool:
    """Whether entering would only find what there is."""
    theirs = Participation.objects.filter(distribution=distribution.pk, consumer=consumer_id)
    return theirs.exclude(OVER_FOR_NOW).exists()


def _is_good(distribution: Distribution, consumer_id: str, answer: str) -> bool:
    if len(answer) > HEADER_CHARACTERS:
        return False
    try:
        payload = altcha.Payload.from_base64(answer)
        told = payload.challenge.parameters.data
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError):
        return False
    if not isinstance(told, dict) or told.get("for") != _purpose(distribution, consumer_id):
        return False
    # The library asks for the key only once it has found the signature to be ours and the time not over.
    derive = partial(_derive_once, altcha.derive_key_pbkdf2)
    try:
        return bool(altcha.verify_solution(payload, _key(), derive).verified)
    except _Spent:
        return False


class _Spent(Exception):
    """The challenge has been answered before, rightly or wrongly."""


def _derive_once(derive: Any, parameters: Any, salt: bytes, password: bytes) -> Any:
    """The key, whose making costs us something: for each challenge once. Raises _Spent."""
    mark = redis.spent(hashlib.sha256(f"{parameters.nonce}{parameters.salt}".encode()).hexdigest())
    is_first = redis.attempt(
        "work", lambda: bool(redis.client().set(mark, 1, nx=True, ex=LIFETIME_SECONDS + 60))
    )
    if is_first is False:
        raise _Spent
    return derive(parameters, salt, password)


def _purpose(distribution: Distribution, consumer_id: str) -> str:
    """Whom and what a challenge is for, as far as it concerns outsiders."""
    return sealing.keyed_hash("work-for", f"{distribution.pk} {consumer_id}".encode())[:12].hex()


def _key() -> bytes:
    return sealing.derived_key("work")
