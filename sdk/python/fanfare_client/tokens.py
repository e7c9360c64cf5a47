"""Admission tokens judged by the public keys alone, and when those are to be fetched. No I/O."""

from __future__ import annotations

import copy
import datetime as dt
import email.utils
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from fanfare_client.errors import FanfareError, TokenExpired, TokenInvalid, Unavailable

TYP = "admission+jwt"
LONGEST_TOKEN = 4096  # characters
PAUSE_SECONDS = 10.0  # between fetches for unknown keys, and after one that failed
STALE_SECONDS = 3600.0  # so long keys are believed that can't be fetched again
_REQUIRED = ["aud", "sub", "jti", "iat", "distributionType", "distributionId", "experienceId", "sequenceId"]
_NO_KEYS = Unavailable("There are no keys to check with.", code="UNREACHABLE", error="No answer")
# The times are judged here, by a clock that may be the server's.
_OPTIONS: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": _REQUIRED}


@dataclass(frozen=True)
class Admission:
    """What a token says. `id` names the admission (`jti`); `expires_at` None: it doesn't expire."""

    id: str
    consumer_id: str
    distribution_type: str
    distribution_id: str
    experience_id: str
    sequence_id: str
    organization_id: str
    admitted_at: dt.datetime
    expires_at: dt.datetime | None


class Keyring:
    """The public keys and whose they are. Instants are seconds of a clock that only goes forward.

    Reading needs no lock: what is read is replaced whole. Whoever writes holds one.
    """

    def __init__(self, organization_id: str | None, keep_seconds: float) -> None:
        self.organization_id = organization_id
        self._keep = keep_seconds
        self._keys: Mapping[str, Any] = {}
        self._fetched_at: float | None = None
        self._sought_at: float | None = None  # when an unknown kid last made us fetch
        self._missed_at: float | None = None  # when the last try failed, if it did
        self._problem: FanfareError | None = None

    def wants(self, kid: str, at: float) -> bool:
        """Whether to fetch now. A stranger with made-up kids causes one fetch in `PAUSE_SECONDS`, no more."""
        if self._problem is not None and not _is_over(self._missed_at, PAUSE_SECONDS, at):
            return False
        if _is_over(self._fetched_at, self._keep, at):
            return True
        return kid not in self._keys and _is_over(self._sought_at, PAUSE_SECONDS, at)

    def has(self, kid: str, at: float) -> bool:
        """Whether that key is there and still to be believed, though it may be time to fetch again."""
        return kid in self._keys and self.is_fresh(at)

    def is_fresh(self, at: float) -> bool:
        """Whether there are keys that are not too old."""
        return not _is_over(self._fetched_at, max(self._keep, STALE_SECONDS), at)

    def begin(self, kid: str, at: float) -> None:
        """A fetch starts."""
        if not _is_over(self._fetched_at, self._keep, at):
            self._sought_at = at

    def take(self, keys: dict[str, Any], at: float) -> None:
        """It brought these; others are no more."""
        self._keys, self._fetched_at, self._problem = keys, at, None

    def miss(self, problem: FanfareError, at: float) -> None:
        """It failed; the next try is `PAUSE_SECONDS` away."""
        self._missed_at, self._problem = at, problem

    def read(self, token: str, kid: str, at: float) -> dict[str, Any]:
        """The claims of a token whose signature and audience are right.

        Raises TokenInvalid, or what went wrong with fetching where there is nothing to check with.
        """
        if self.organization_id is None or not self.is_fresh(at):
            raise copy.copy(self._problem or _NO_KEYS)
        key = self._keys.get(kid)
        if key is None:
            # A new key can't be told from a made-up one as long as the keys can't be fetched.
            raise (
                copy.copy(self._problem)
                if self._problem
                else _invalid("It is signed by a key that is not known.")
            )
        try:
            found = jwt.decode(token, key, ["EdDSA"], audience=self.organization_id, options=_OPTIONS)
        except (jwt.PyJWTError, ValueError, RecursionError) as problem:
            raise _invalid(f"It is not one of ours: {problem}") from None
        return dict(found)


class ServerClock:
    """How far the server's clock is ahead of this machine's, by the `Date` of its answers; seconds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def note(self, answer: httpx.Response, now: float, took: float) -> None:
        """Compare with an answer that came just now and took so long; one of a cache says how old it is."""
        try:
            date = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
            age = float(answer.headers.get("Age", "0"))
        except (LookupError, TypeError, ValueError, OverflowError):
            return
        self.ahead = date + 0.5 + age - (now - took / 2)  # a Date has whole seconds


def kid_of(token: object) -> str:
    """The name of the key that signed it, as it says. Raises TokenInvalid."""
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or not token.isascii():
        raise _invalid("It is not a token.")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise _invalid("It is not a token.") from None
    if header.get("typ") != TYP or not isinstance(header.get("kid"), str):
        raise _invalid("It is not an admission token.")
    return str(header["kid"])


def judge(
    claims: Mapping[str, Any], distribution_id: str, consumer_id: str | None, now: float, leeway: float
) -> Admission:
    """The admission, if it is this one and its time is not over. Raises TokenExpired or TokenInvalid."""
    ends = claims.get("exp")
    try:
        found = Admission(
            id=claims["jti"],
            consumer_id=claims["sub"],
            distribution_type=claims["distributionType"],
            distribution_id=claims["distributionId"],
            experience_id=claims["experienceId"],
            sequence_id=claims["sequenceId"],
            organization_id=claims["aud"],
            admitted_at=_instant(claims["iat"]),
            expires_at=None if ends is None else _instant(ends),
        )
    except (TypeError, ValueError, OverflowError, OSError):
        raise _invalid("Its times can't be read.") from None
    if ends is not None and ends + leeway <= now:
        message = f"It ended {now - ends:.0f} s ago: is this machine's clock right?"
        raise TokenExpired(message, code="TOKEN_EXPIRED", error="Token expired")
    if claims["iat"] - leeway > now:
        raise _invalid(f"It begins in {claims['iat'] - now:.0f} s: is this machine's clock right?")
    if found.distribution_id != distribution_id:
        raise _invalid("It was given by another distribution.", "WRONG_DISTRIBUTION")
    if consumer_id is not None and found.consumer_id != consumer_id:
        raise _invalid("It was given to another consumer.", "CONSUMER_MISMATCH")
    return found


def _invalid(message: str, code: str = "TOKEN_INVALID") -> TokenInvalid:
    return TokenInvalid(message, code=code, error="Token invalid")


def _instant(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc)


def _is_over(since: float | None, seconds: float, at: float) -> bool:
    return since is None or at - since >= seconds
