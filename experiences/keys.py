"""API keys: make, find, revoke. `pk_live_…`, `sk_test_…`: 32 random characters and a checksum.

The checksum lets a mistyped key be refused without a look-up, and secret scanners recognise a leak.
"""

import datetime as dt
import hashlib
import re
import secrets
import string
import zlib

from django.db import transaction
from django.db.models import Q

from experiences import events
from experiences.models import ApiKey, KeyKind, KeyMode, Organization
from fanfare import clock
from fanfare.memo import Memo

ALPHABET = string.digits + string.ascii_letters
RANDOM, CHECKSUM = 32, 6  # characters
USED_EVERY = dt.timedelta(minutes=1)  # how fine `last_used_at` is
_SHAPE = re.compile(rf"(pk|sk)_(live|test)_[0-9A-Za-z]{{{RANDOM + CHECKSUM}}}")
_PREFIX = {KeyKind.PUBLISHABLE: "pk", KeyKind.SECRET: "sk"}


def make_text(kind: KeyKind, mode: KeyMode) -> str:
    """The text of a new key."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM))
    start = f"{_PREFIX[kind]}_{mode}_{body}"
    return start + checksum(start)


def checksum(start: str) -> str:
    """CRC-32 of the rest of the key in base 62, six characters: against typing errors, not attackers."""
    number, digits = zlib.crc32(start.encode()), ""
    for _ in range(CHECKSUM):
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return digits


def is_wellformed(text: str) -> bool:
    """Whether it looks like a key of ours, checksum included."""
    return bool(_SHAPE.fullmatch(text)) and checksum(text[:-CHECKSUM]) == text[-CHECKSUM:]


def digest(text: str) -> str:
    """What is stored of a key. A key has 190 bits of chance, so a plain hash is enough."""
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def create(
    organization: Organization,
    kind: KeyKind,
    *,
    now: dt.datetime,
    actor: str,
    mode: KeyMode = KeyMode.LIVE,
    name: str = "",
) -> tuple[ApiKey, str]:
    """A new key and its text; a secret's text is never to be had again."""
    text = make_text(kind, mode)
    key = ApiKey.objects.create(
        organization=organization,
        kind=kind,
        mode=mode,
        name=name,
        digest=digest(text),
        text=text if kind == KeyKind.PUBLISHABLE else "",
        hint=f"{text[:8]}…{text[-4:]}",
        created_at=now,
    )
    events.record("key.created", organization.id, at=now, actor=actor, data={"key": key.id, "kind": kind})
    return key, text


@transaction.atomic
def revoke(key: ApiKey, *, now: dt.datetime, actor: str) -> bool:
    """End a key; False if it was revoked before. Other processes follow within a second."""
    changed = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    if changed:
        data = {"key": key.id, "kind": key.kind}
        events.record("key.revoked", key.organization_id, at=now, actor=actor, data=data)
        transaction.on_commit(_published.forget)
        transaction.on_commit(_secrets.forget)
    return bool(changed)


def rotate(key: ApiKey, *, now: dt.datetime, actor: str) -> tuple[ApiKey, str]:
    """A new key like this one; the old one goes on until it is revoked, so that a shop can change over."""
    return create(
        key.organization,
        KeyKind(key.kind),
        now=now,
        actor=actor,
        mode=KeyMode(key.mode),
        name=key.name,
    )


def find(text: str, kind: KeyKind) -> ApiKey | None:
    """The living key with this text and its organization, at most a second old; None if there is none.

    A secret is looked up by its hash alone, so the time it takes tells nothing about its text.
    """
    if kind == KeyKind.PUBLISHABLE:
        return _published.get(text)
    return _secrets.get(digest(text)) if is_wellformed(text) else None


def _load_published(text: str) -> ApiKey | None:
    return _load(digest(text), KeyKind.PUBLISHABLE) if is_wellformed(text) else None


def _load_secret(key_digest: str) -> ApiKey | None:
    return _load(key_digest, KeyKind.SECRET)


def _load(key_digest: str, kind: KeyKind) -> ApiKey | None:
    living = ApiKey.objects.filter(digest=key_digest, kind=kind, revoked_at=None)
    key = living.select_related("organization").first()
    if key is not None:
        _note_use(key)
    return key


def _note_use(key: ApiKey) -> None:
    now = clock.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    if key.last_used_at is None or key.last_used_at < now - USED_EVERY:
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


_published: Memo[str, ApiKey] = Memo(_load_published)
_secrets: Memo[str, ApiKey] = Memo(_load_secret)
