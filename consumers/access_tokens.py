"""Access tokens: who a consumer is, for an hour, signed and not stored.

A verified token is remembered by its hash until it expires, so that polling costs one signature check
an hour and not one a request. That its session still lives is asked each time (`sessions`).
"""

import datetime as dt
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

from django.conf import settings

from consumers import signing
from consumers.models import Consumer
from fanfare import ids

TYP = "JWT"
REMEMBERED = 50_000  # tokens of one process


@dataclass(frozen=True)
class Claims:
    """What a verified access token says; `expires` in Unix seconds."""

    organization_id: str
    consumer_id: str
    session_id: str
    is_guest: bool
    expires: int
    kid: str


def issue(consumer: Consumer, session_id: str, *, now: dt.datetime) -> tuple[str, dt.datetime]:
    """A new access token and when it expires."""
    issued = int(now.timestamp())
    expires = issued + settings.ACCESS_TOKEN_SECONDS
    claims = {
        "aud": consumer.organization_id,
        "sub": consumer.id,
        "sid": session_id,
        "guest": consumer.is_guest,
        "iat": issued,
        "exp": expires,
    }
    token = signing.sign(TYP, claims)
    _remember(
        _digest(token),
        Claims(
            consumer.organization_id,
            consumer.id,
            session_id,
            consumer.is_guest,
            expires,
            signing.kid_of(token),
        ),
    )
    return token, dt.datetime.fromtimestamp(expires, dt.UTC)


def read(token: str, *, now: dt.datetime) -> Claims:
    """The claims of a good access token. Raises signing.TokenInvalid (TokenExpired among them)."""
    digest = _digest(token)
    claims = _known.get(digest)
    if claims is None:
        claims = _verified(token)
        _remember(digest, claims)
    if claims.expires <= now.timestamp():
        raise signing.TokenExpired
    if not signing.is_key_alive(claims.kid):
        raise signing.TokenInvalid
    return claims


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


_known: "OrderedDict[bytes, Claims]" = OrderedDict()
_lock = threading.Lock()


def _remember(digest: bytes, claims: Claims) -> None:
    with _lock:
        _known[digest] = claims
        while len(_known) > REMEMBERED:
            _known.popitem(last=False)


def _verified(token: str) -> Claims:
    said = signing.verify(TYP, token)
    claims = Claims(
        organization_id=said.get("aud", ""),
        consumer_id=said.get("sub", ""),
        session_id=said.get("sid", ""),
        is_guest=bool(said.get("guest")),
        expires=int(said.get("exp", 0)),
        kid=said["kid"],
    )
    wellformed = (
        ids.is_id(claims.organization_id, "org")
        and ids.is_id(claims.consumer_id, "cons")
        and ids.is_id(claims.session_id, "sess")
    )
    if not wellformed:
        raise signing.TokenInvalid
    return claims
