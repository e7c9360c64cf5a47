"""The keys that sign tokens, and the only module that knows the JWT library.

Ed25519 by simplejwt's backend, with a `kid` and as many verifying keys as are out. Kinds of token are
kept apart by the `typ` header: an access token never passes for an admission token, nor the reverse.
"""

import datetime as dt
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from jwt.algorithms import OKPAlgorithm
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from consumers.models import SigningKey
from fanfare import clock, sealing
from fanfare.memo import Memo

ALGORITHM = "EdDSA"
PURPOSE = "signing"  # of the key that private halves are sealed with
MAX_TOKEN_CHARACTERS = 4096
SKEW_SECONDS = 5  # a token of a machine whose clock is ahead counts; ends are judged exactly elsewhere
_OPTIONS: Any = {"verify_aud": False}  # the audience is an organization: callers compare it


class TokenInvalid(Exception):
    """Not a token of ours: malformed, forged, of another kind, or signed by a key that is no more."""


class TokenExpired(TokenInvalid):
    """It was ours, and its time is over."""


@dataclass(frozen=True)
class KeySet:
    """What signs now, and all that verifies."""

    kid: str
    private: Ed25519PrivateKey
    public: dict[str, Ed25519PublicKey]


class KeyedBackend(TokenBackend):
    """simplejwt's backend with a `kid`, several verifying keys and a `typ` of its own."""

    def __init__(self, typ: str) -> None:
        super().__init__(ALGORITHM, issuer=settings.PUBLIC_URL)
        self.typ = typ

    def encode(self, payload: dict[str, Any]) -> str:
        keys = key_set()
        headers = {"typ": self.typ, "kid": keys.kid}
        claims = {"iss": self.issuer, **payload}
        return jwt.encode(claims, keys.private, algorithm=ALGORITHM, headers=headers)

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """The claims, with the key's name under `kid`. Raises as simplejwt's own does."""
        try:
            kid, key = self._key_of(token)
            found = jwt.decode(
                token, key, [ALGORITHM], issuer=self.issuer, leeway=SKEW_SECONDS, options=_OPTIONS
            )
        except jwt.ExpiredSignatureError as problem:
            raise TokenBackendExpiredToken from problem
        except jwt.InvalidTokenError as problem:
            raise TokenBackendError from problem
        return {**found, "kid": kid}

    def _key_of(self, token: str) -> tuple[str, Ed25519PublicKey]:
        header = _header(token.partition(".")[0])
        kid = str(header.get("kid"))
        key = key_set().public.get(kid)
        if key is None or header.get("typ") != self.typ:
            raise jwt.InvalidTokenError("unknown key or other kind of token")
        return kid, key


@lru_cache(maxsize=256)
def _header(segment: str) -> dict[str, Any]:
    """A token's header; all tokens of one key share it, so it is read once. Raises InvalidTokenError."""
    return jwt.get_unverified_header(f"{segment}.e30.")


def kid_of(token: str) -> str:
    """The name of the key that signed a token of ours."""
    return str(_header(token.partition(".")[0])["kid"])


_backends: dict[str, KeyedBackend] = {}


def _backend(typ: str) -> KeyedBackend:
    if typ not in _backends:
        _backends[typ] = KeyedBackend(typ)
    return _backends[typ]


def sign(typ: str, claims: dict[str, Any]) -> str:
    """A token of that `typ`; `iss` is added. Signing the same claims again gives the same token."""
    return _backend(typ).encode(claims)


def verify(typ: str, token: str) -> dict[str, Any]:
    """The claims of a token of that `typ`, and its key's name under `kid`.

    Raises TokenExpired or TokenInvalid.
    """
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise TokenInvalid
    try:
        return _backend(typ).decode(cast(Any, token))
    except TokenBackendExpiredToken:
        raise TokenExpired from None
    except (TokenBackendError, ValueError):
        raise TokenInvalid from None


def is_key_alive(kid: str) -> bool:
    """Whether tokens of that key are still believed."""
    return kid in key_set().public


def key_set() -> KeySet:
    """The keys, at most a second old; the first one is made when there is none."""
    found = _memo.get("all")
    if found is None:
        rotate(now=clock.now(), only_if_none=True)
        found = _memo.get("all")
    assert found is not None
    return found


def jwks() -> dict[str, Any]:
    """The public keys as a JSON Web Key Set (RFC 7517, 8037)."""
    return {
        "keys": [
            {**OKPAlgorithm.to_jwk(key, as_dict=True), "kid": kid, "use": "sig", "alg": ALGORITHM}
            for kid, key in key_set().public.items()
        ]
    }


@transaction.atomic
def rotate(*, now: dt.datetime, only_if_none: bool = False, revoke_old: bool = False) -> SigningKey | None:
    """Make the key that signs from now on. Tokens of older keys stay good, unless `revoke_old`."""
    _lock_out_others()
    living = SigningKey.objects.filter(revoked_at=None)
    if only_if_none and living.filter(retired_at=None).exists():
        _memo.forget()
        return None
    living.filter(retired_at=None).update(retired_at=now)
    if revoke_old:
        living.update(revoked_at=now)
    key = _make(now)
    transaction.on_commit(_memo.forget)
    return key


def _lock_out_others() -> None:
    """Two processes that start at once on an empty database make one key, not two."""
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('fanfare.signing'))")


def _make(now: dt.datetime) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    private_pem = private.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    public_pem = private.public_key().public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
    return SigningKey.objects.create(
        kid=secrets.token_hex(8),
        public_pem=public_pem.decode(),
        private_box=sealing.seal(PURPOSE, private_pem),
        created_at=now,
    )


def _load(_: str) -> KeySet | None:
    rows = list(SigningKey.objects.filter(revoked_at=None).order_by("-created_at", "kid"))
    signing = next((row for row in rows if row.retired_at is None), None)
    if signing is None:
        return None
    try:
        private = pem.load_pem_private_key(sealing.unseal(PURPOSE, signing.private_box), None)
    except sealing.Unsealable:
        raise ImproperlyConfigured(
            "The signing key was encrypted under another FANFARE_SECRET_KEY: set that one, or make a "
            "new key with `manage.py signing_keys rotate --revoke-old` (all sessions end)."
        ) from None
    public = {row.kid: pem.load_pem_public_key(row.public_pem.encode()) for row in rows}
    return KeySet(signing.kid, cast(Ed25519PrivateKey, private), cast(dict[str, Ed25519PublicKey], public))


_memo: Memo[str, KeySet] = Memo(_load)
