"""How tokens are forged: what is wrong with each by its name, and what makes it from a genuine one."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from consumers import signing
from fanfare import clock as time
from fanfare import ids

Forge = Callable[[str], str]


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def part(value: Any) -> str:
    return encoded(json.dumps(value).encode())


def split(token: str) -> tuple[Any, Any]:
    """Header and claims of a token, unverified."""
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def signed(token: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """The token with other header fields or claims, signed by our real key; None takes a claim away."""
    found, said = split(token)
    changed = {name: value for name, value in {**said, **claims}.items() if value is not None}
    return _sign({**found, **(header or {})}, json.dumps(changed).encode())


def _sign(header: dict[str, Any], payload: bytes) -> str:
    """Whatever it is, under our real key: a JWT library would refuse to sign some of it."""
    kept = {name: value for name, value in header.items() if value is not None}
    start = f"{part(kept)}.{encoded(payload)}"
    return f"{start}.{encoded(signing.key_set().private.sign(start.encode()))}"


def by_hmac(token: str, secret: bytes, algorithm: str = "HS256") -> str:
    """The classic confusion: some secret that a stranger may know, taken for the key of an HMAC."""
    header, claims = split(token)
    start = f"{part({**header, 'alg': algorithm})}.{part(claims)}"
    return f"{start}.{encoded(hmac.new(secret, start.encode(), hashlib.sha256).digest())}"


def public_key(form: Encoding, shape: PublicFormat) -> bytes:
    keys = signing.key_set()
    return keys.public[keys.kid].public_bytes(form, shape)


def public_pem() -> bytes:
    return public_key(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def without_signature(token: str, algorithm: str) -> str:
    header, claims = split(token)
    return f"{part({**header, 'alg': algorithm})}.{part(claims)}."


def tampered(token: str, **claims: Any) -> str:
    head, _, mac = token.split(".")
    return f"{head}.{part({**split(token)[1], **claims})}.{mac}"


def with_other_signature(token: str) -> str:
    start, _, mac = token.rpartition(".")
    return f"{start}.{'A' if mac[0] != 'A' else 'B'}{mac[1:]}"


def with_header(token: str, header: bytes) -> str:
    """An unsigned header of bytes before what is genuine: it is read before any signature is."""
    return f"{encoded(header)}.{token.partition('.')[2]}"


def by_strangers_key(token: str) -> str:
    header, claims = split(token)
    return jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", header)


def with_own_key_inside(token: str) -> str:
    """Signed by a stranger who sends the key along in the header."""
    header, claims = split(token)
    key = Ed25519PrivateKey.generate()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": encoded(key.public_key().public_bytes_raw())}
    return jwt.encode(claims, key, "EdDSA", {**header, "jwk": jwk, "jku": "https://evil.example.com/jwks"})


def _seconds(offset: int) -> int:
    return int(time.now().timestamp()) + offset


# What is wrong with a token's making, whatever it is for.
FORGERIES: dict[str, Forge] = {
    "half": lambda token: token.rpartition(".")[0],
    "head alone": lambda token: token.partition(".")[0],
    "truncated": lambda token: token[:-10],
    "empty signature": lambda token: token.rpartition(".")[0] + ".",
    "a segment more": lambda token: token + "." + token.rpartition(".")[2],
    "two segments more": lambda token: token + ".e30.e30",
    "dots": lambda token: "..",
    "no base64": lambda token: "!!!.???.###",
    "not ASCII": lambda token: token + "ÿ",
    "a letter beyond ASCII inside": lambda token: token.replace(".", "é.", 1),
    "a signature's spare bits": lambda token: token + "A",
    "alg none": lambda token: without_signature(token, "none"),
    "alg NONE": lambda token: without_signature(token, "NONE"),
    "alg nOnE with a signature": lambda token: without_signature(token, "nOnE") + token.rpartition(".")[2],
    "HS256 with the public key as PEM": lambda token: by_hmac(token, public_pem()),
    "HS256 with the stripped PEM": lambda token: by_hmac(token, public_pem().strip()),
    "HS256 with the raw public key": lambda token: by_hmac(token, public_key(Encoding.Raw, PublicFormat.Raw)),
    "HS256 with the public key as DER": lambda token: by_hmac(
        token, public_key(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ),
    "HS256 with the server's secret": lambda token: by_hmac(token, settings.SECRET_KEY.encode()),
    "HS256 with nothing": lambda token: by_hmac(token, b""),
    "HS256 called EdDSA": lambda token: by_hmac(token, public_pem(), "EdDSA"),
    "alg missing": lambda token: signed(token, {"alg": None}),
    "alg a list": lambda token: signed(token, {"alg": ["EdDSA"]}),
    "alg RS256": lambda token: signed(token, {"alg": "RS256"}),
    "tampered": lambda token: tampered(token, sub=ids.new("cons")),
    "tampered and no guest": lambda token: tampered(token, guest=False),
    "tampered signature": with_other_signature,
    "another's key": by_strangers_key,
    "another's key, sent along": with_own_key_inside,
    "kid unknown": lambda token: signed(token, {"kid": "0" * 16}),
    "kid missing": lambda token: signed(token, {"kid": None}),
    "kid empty": lambda token: signed(token, {"kid": ""}),
    "kid a path": lambda token: signed(token, {"kid": "../../../../dev/null"}),
    "kid SQL": lambda token: signed(token, {"kid": "' OR 1=1 --"}),
    "kid very long": lambda token: signed(token, {"kid": "0" * 2000}),
    "kid with a NUL": lambda token: signed(token, {"kid": "0\0"}),
    "kid a number": lambda token: signed(token, {"kid": 5}),
    "kid a list": lambda token: signed(token, {"kid": [signing.key_set().kid]}),
    "typ missing": lambda token: signed(token, {"typ": None}),
    "typ of an ID token": lambda token: signed(token, {"typ": "id_token+jwt"}),
    "typ a list": lambda token: signed(token, {"typ": [split(token)[0]["typ"]]}),
    "typ in another case": lambda token: signed(token, {"typ": split(token)[0]["typ"].swapcase()}),
    "crit": lambda token: signed(token, {"crit": ["exp"]}),
    "payload not encoded": lambda token: signed(token, {"b64": False}),
    "header a list": lambda token: with_header(token, b"[]"),
    "header null": lambda token: with_header(token, b"null"),
    "header no JSON": lambda token: with_header(token, b"{"),
    "header no UTF-8": lambda token: with_header(token, b'{"alg":"\xff"}'),
    "header bottomless": lambda token: with_header(token, b"[" * 2500),
    "header with a long number": lambda token: with_header(token, b'{"alg":' + b"9" * 2500 + b"}"),
    "header with half a character": lambda token: with_header(token, b'{"alg":"EdDSA","kid":"\\ud800"}'),
    "payload a list": lambda token: _sign(split(token)[0], b"[]"),
    "payload no JSON": lambda token: _sign(split(token)[0], b"{"),
    "payload no UTF-8": lambda token: _sign(split(token)[0], b"\xff"),
    "payload empty": lambda token: _sign(split(token)[0], b""),
    "iss wrong": lambda token: signed(token, iss="https://elsewhere.example.com"),
    "iss missing": lambda token: signed(token, iss=None),
    "iss a list": lambda token: signed(token, iss=[settings.PUBLIC_URL]),
    "iss a number": lambda token: signed(token, iss=1),
    "aud wrong": lambda token: signed(token, aud=ids.new("org")),
    "aud missing": lambda token: signed(token, aud=None),
    "aud a list": lambda token: signed(token, aud=[split(token)[1]["aud"]]),
    "aud a number": lambda token: signed(token, aud=1),
    "aud an object": lambda token: signed(token, aud={}),
    "iat in the future": lambda token: signed(token, iat=_seconds(60)),
    "iat a text": lambda token: signed(token, iat="soon"),
    "iat infinite": lambda token: signed(token, iat=float("inf")),
    "nbf in the future": lambda token: signed(token, nbf=_seconds(60)),
    "nbf a list": lambda token: signed(token, nbf=[]),
    "nbf infinite": lambda token: signed(token, nbf=float("inf")),
    "exp a text": lambda token: signed(token, exp="never"),
    "exp a list": lambda token: signed(token, exp=[_seconds(60)]),
    "exp an object": lambda token: signed(token, exp={}),
    "exp infinite": lambda token: signed(token, exp=float("inf")),
    "exp no number": lambda token: signed(token, exp=float("nan")),
}
EXPIRED: dict[str, Forge] = {
    "expired": lambda token: signed(token, exp=_seconds(-60)),
    "expired long ago": lambda token: signed(token, exp=-1),
    "expired before there was time": lambda token: signed(token, exp=-(10**30)),
}
# An admission's very second is judged by what PostgreSQL knows of it, an access token's by itself.
ACCESS_EXPIRED: dict[str, Forge] = {
    **EXPIRED,
    "expired this second": lambda token: signed(token, exp=_seconds(0)),
    "exp missing": lambda token: signed(token, exp=None),
}
LONG: dict[str, Forge] = {
    "5 kB": lambda token: token + "A" * 5000,
    "5 kB of claims": lambda token: signed(token, more="x" * 5000),
    "kid of 5 kB": lambda token: signed(token, {"kid": "0" * 5000}),
}
# What an access token must say.
ACCESS: dict[str, Forge] = {
    "nothing": lambda token: "",
    "typ of an admission": lambda token: signed(token, {"typ": "admission+jwt"}),
    "sub missing": lambda token: signed(token, sub=None),
    "sub of another kind": lambda token: signed(token, sub=ids.new("org")),
    "sub a list": lambda token: signed(token, sub=[split(token)[1]["sub"]]),
    "sub a number": lambda token: signed(token, sub=5),
    "sub an object": lambda token: signed(token, sub={}),
    "sub malformed": lambda token: signed(token, sub="cons_x"),
    "sid missing": lambda token: signed(token, sid=None),
    "sid unknown": lambda token: signed(token, sid=ids.new("sess")),
    "sid a number": lambda token: signed(token, sid=5),
    "sid a list": lambda token: signed(token, sid=[split(token)[1]["sid"]]),
    "jti that no one knows, and no sid": lambda token: signed(token, sid=None, jti="x"),
}
# What an admission token must say, and what is said otherwise.
ADMISSION: dict[str, tuple[Forge, str]] = {
    "typ of an access token": (lambda token: signed(token, {"typ": "JWT"}), "TOKEN_INVALID"),
    "x": (lambda token: "x", "TOKEN_INVALID"),
    "sub of another": (lambda token: signed(token, sub=ids.new("cons")), "CONSUMER_MISMATCH"),
    "sub missing": (lambda token: signed(token, sub=None), "CONSUMER_MISMATCH"),
    "jti of another": (lambda token: signed(token, jti="A" * 24), "NOT_ADMITTED"),
    "jti missing": (lambda token: signed(token, jti=None), "NOT_ADMITTED"),
    "jti beyond ASCII": (lambda token: signed(token, jti="é"), "NOT_ADMITTED"),
    "jti a list": (lambda token: signed(token, jti=[split(token)[1]["jti"]]), ""),
    "sub a list": (lambda token: signed(token, sub=[split(token)[1]["sub"]]), ""),
    "sub a number": (lambda token: signed(token, sub=5), ""),
    "queue of another": (lambda token: signed(token, distributionId=ids.new("queue")), "WRONG_DISTRIBUTION"),
    "queue missing": (lambda token: signed(token, distributionId=None), "WRONG_DISTRIBUTION"),
    "queue a list": (lambda token: signed(token, distributionId=[]), ""),
}
