"""Every credential that may knock, each with what the contract takes it for, and for whose.

A good one is made anew for each call, since some calls use it up; wrong ones stay wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import User

from distributions.core import admission
from experiences import keys
from experiences.models import KeyKind, KeyMode
from fanfare import clock
from tests.contract.operations import Side, make_side
from tests.lines import admit
from tests.world import FINGERPRINT, ApiClient, ConsumerClient, World, make_world

Headers = dict[str, str]


class Standing(StrEnum):
    """What the contract takes somebody for."""

    NOBODY = "nobody"  # shows nothing, or something wrong
    KEY = "key"
    SECRET = "secret key"
    GUEST = "guest"
    VERIFIED = "verified"


@dataclass(frozen=True)
class Caller:
    """A client with its headers, and the consumer that it is, or was."""

    client: ApiClient
    consumer_id: str = ""


@dataclass
class Cast:
    """Two organizations, and the wrong credentials of ours that take some making."""

    ours: Side
    theirs: Side
    revoked: dict[KeyKind, str]
    admission_token: str
    receipt: str
    expired: ConsumerClient
    logged_out: ConsumerClient


@dataclass(frozen=True)
class Credential:
    """What it is worth, whose it is (`ours`, `theirs`, or nobody's), and how to get one."""

    standing: Standing
    of: str
    make: Callable[[Cast], Caller]


def bearer(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def publishable(text: str) -> Headers:
    return {"X-Publishable-Key": text}


def make_cast(world: World, expire: Callable[[], object]) -> Cast:
    """The cast; `expire` lets the time pass until the access tokens of before are over."""
    expired, revoked = world.consumer(), {}
    expire()
    for kind in (KeyKind.PUBLISHABLE, KeyKind.SECRET):
        key, revoked[kind] = keys.create(world.organization, kind, now=clock.now(), actor="system:test")
        keys.revoke(key, now=clock.now(), actor="system:test")
    logged_out = world.consumer()
    assert logged_out.post("/auth/logout").status_code == 204
    ours, theirs = make_side(world), make_side(make_world())
    token = admission.token(ours.queue, admit(ours.queue, ours.person))
    receipt = world.consumer().enter(ours.draw).json()["receipt"]["token"]
    return Cast(ours, theirs, revoked, token, receipt, expired, logged_out)


def _side(cast: Cast, of: str) -> Side:
    return cast.ours if of == "ours" else cast.theirs


def _showing(headers: Callable[[Cast], Headers], consumer_id: str = "") -> Callable[[Cast], Caller]:
    """Who shows just these headers, and the device's."""
    return lambda cast: Caller(ApiClient({"X-Fingerprint": FINGERPRINT, **headers(cast)}), consumer_id)


def _guest(of: str) -> Callable[[Cast], ConsumerClient]:
    return lambda cast: _side(cast, of).world.consumer()


def _verified(of: str) -> Callable[[Cast], ConsumerClient]:
    return lambda cast: _side(cast, of).world.member(subject="a-customer")


Token = tuple[Standing, str, Callable[[Cast], ConsumerClient]]
TOKENS: dict[str, Token] = {
    "guest": (Standing.GUEST, "ours", _guest("ours")),
    "verified": (Standing.VERIFIED, "ours", _verified("ours")),
    "their guest": (Standing.GUEST, "theirs", _guest("theirs")),
    "their verified": (Standing.VERIFIED, "theirs", _verified("theirs")),
    "expired": (Standing.NOBODY, "ours", lambda cast: cast.expired),
    "logged out": (Standing.NOBODY, "ours", lambda cast: cast.logged_out),
}
SECRETS: dict[str, tuple[Standing, str, Callable[[Cast], str]]] = {
    "secret": (Standing.SECRET, "ours", lambda cast: cast.ours.world.secret),
    "their secret": (Standing.SECRET, "theirs", lambda cast: cast.theirs.world.secret),
    "revoked secret": (Standing.NOBODY, "ours", lambda cast: cast.revoked[KeyKind.SECRET]),
    "unknown secret": (Standing.NOBODY, "", lambda cast: keys.make_text(KeyKind.SECRET, KeyMode.LIVE)),
    "malformed secret": (Standing.NOBODY, "", lambda cast: cast.ours.world.secret[:-1] + "!"),
}
KEYS: dict[str, tuple[Standing, str, Callable[[Cast], str]]] = {
    "key": (Standing.KEY, "ours", lambda cast: cast.ours.world.publishable),
    "their key": (Standing.KEY, "theirs", lambda cast: cast.theirs.world.publishable),
    "revoked key": (Standing.NOBODY, "ours", lambda cast: cast.revoked[KeyKind.PUBLISHABLE]),
    "unknown key": (Standing.NOBODY, "", lambda cast: keys.make_text(KeyKind.PUBLISHABLE, KeyMode.TEST)),
    "malformed key": (Standing.NOBODY, "", lambda cast: cast.ours.world.publishable[:-1] + "!"),
}
# Beside the table's, whatever else may stand in the two headers.
ODD: dict[str, Callable[[Cast], Headers]] = {
    "nothing": lambda cast: {},
    "empty key": lambda cast: publishable(""),
    "key with a tail": lambda cast: publishable(cast.ours.world.publishable + " x"),
    "key in capitals": lambda cast: publishable(cast.ours.world.publishable.upper()),
    "letters beyond ASCII": lambda cast: publishable("pk_live_é" * 5),
    "secret in the key's header": lambda cast: publishable(cast.ours.world.secret),
    "secret in both headers": lambda cast: (
        publishable(cast.ours.world.secret) | bearer(cast.ours.world.secret)
    ),
    "key as bearer": lambda cast: bearer(cast.ours.world.publishable),
    "key in both headers": lambda cast: (
        publishable(cast.ours.world.publishable) | bearer(cast.ours.world.publishable)
    ),
    "admission token": lambda cast: bearer(cast.admission_token),
    "key and admission token": lambda cast: (
        publishable(cast.ours.world.publishable) | bearer(cast.admission_token)
    ),
    "receipt": lambda cast: bearer(cast.receipt),
    "key and receipt": lambda cast: publishable(cast.ours.world.publishable) | bearer(cast.receipt),
    "refresh token": lambda cast: bearer(cast.expired.refresh_token),
    "access token in the key's header": lambda cast: publishable(cast.ours.world.consumer().token),
    "two tokens": lambda cast: bearer(" ".join([cast.ours.world.consumer().token] * 2)),
    "Basic": lambda cast: {"Authorization": "Basic c2VjcmV0"},
    "no scheme": lambda cast: {"Authorization": cast.ours.world.secret},
    "empty bearer": lambda cast: {"Authorization": "Bearer "},
}


def _staff_cookie(cast: Cast) -> Caller:
    """A superuser's browser, which shows nothing but its session's cookie."""
    client = ApiClient({"X-Fingerprint": FINGERPRINT})
    user, _ = User.objects.get_or_create(username="root", is_staff=True, is_superuser=True)
    client.client.force_login(user)
    return Caller(client)


def _with_token(name: str, key: str | None) -> Credential:
    """A consumer's token, alone or beside a key: both must be good, and of one organization."""
    standing, of, make = TOKENS[name]

    def caller(cast: Cast) -> Caller:
        holder = make(cast)
        shown = publishable(KEYS[key][2](cast)) if key else {}
        return _showing(lambda _: bearer(holder.token) | shown, holder.id)(cast)

    return Credential(_together(standing, of, key), of, caller)


def _with_secret(name: str, key: str | None) -> Credential:
    standing, of, text = SECRETS[name]
    shown = _showing(lambda cast: bearer(text(cast)) | (publishable(KEYS[key][2](cast)) if key else {}))
    return Credential(_together(standing, of, key), of, shown)


def _together(standing: Standing, of: str, key: str | None) -> Standing:
    if key is None or (KEYS[key][0] != Standing.NOBODY and KEYS[key][1] == of):
        return standing
    return Standing.NOBODY


def _alone(name: str) -> Credential:
    standing, of, text = KEYS[name]
    return Credential(standing, of, _showing(lambda cast: publishable(text(cast))))


CREDENTIALS: dict[str, Credential] = {
    **{name: Credential(Standing.NOBODY, "", _showing(headers)) for name, headers in ODD.items()},
    "staff cookie": Credential(Standing.NOBODY, "", _staff_cookie),
    **{name: _alone(name) for name in KEYS},
    **{name: _with_token(name, None) for name in TOKENS},
    **{f"{name}, {key}": _with_token(name, key) for name in TOKENS for key in ("key", "their key")},
    **{f"{name}, {key}": _with_token(name, key) for name in ("guest", "verified") for key in list(KEYS)[2:]},
    **{name: _with_secret(name, None) for name in SECRETS},
    **{f"{name}, {key}": _with_secret(name, key) for name in SECRETS for key in ("key", "their key")},
    "secret, revoked key": _with_secret("secret", "revoked key"),
}
