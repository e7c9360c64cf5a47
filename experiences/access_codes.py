"""Access codes of sequences: make, find, use up, revoke.

`KQ7M-4XWD-2P`: ten characters of 31, 49 bits, in groups. Kept as a keyed hash, since a shop may choose a
short one of its own. Case, spaces and hyphens don't count when one is typed.
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Iterator

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q

from experiences import setup
from experiences.models import AccessCode, Sequence
from fanfare import sealing

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is read for another
LENGTH, GROUP = 10, 4
LEAST, MOST = 4, 64  # characters of a code that a shop chooses
MOST_AT_ONCE = 100_000
_CHUNK = 5_000


def normalised(text: str) -> str:
    """What counts of a code that somebody typed."""
    return "".join(character for character in text.upper() if character.isalnum())


def digest(text: str) -> bytes:
    """What is stored of a code."""
    return sealing.keyed_hash("access-code", normalised(text).encode())


def _make_text() -> str:
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(body[start : start + GROUP] for start in range(0, LENGTH, GROUP))


@transaction.atomic
def generate(
    sequence: Sequence,
    number: int,
    *,
    now: dt.datetime,
    actor: str,
    max_uses: int | None = 1,
    expires_at: dt.datetime | None = None,
    label: str = "",
) -> list[str]:
    """So many new codes; their text is never to be had again. From then on the sequence asks for one.

    Raises ValidationError, by the names of the arguments.
    """
    _require_sense(number, max_uses, expires_at, now)
    made: dict[str, None] = {}
    while len(made) < number:
        made[_make_text()] = None
    common = {"max_uses": max_uses, "expires_at": expires_at, "label": label, "created_at": now}
    for texts in _chunks(list(made)):
        AccessCode.objects.bulk_create(_row(sequence, text, **common) for text in texts)
    _ask_for_codes(sequence, {"generated": number, "label": label}, now, actor)
    return list(made)


def make_personal(
    sequence: Sequence,
    consumer_ids: Iterable[str],
    *,
    now: dt.datetime,
    expires_at: dt.datetime,
    label: str,
) -> dict[str, tuple[AccessCode, str]]:
    """A new code for each of these consumers, good for them alone and once, with its text, by the consumer.

    Whoever calls traces it, and has the sequence ask for codes.
    """
    made = {consumer_id: _make_text() for consumer_id in consumer_ids}
    common = {"max_uses": 1, "expires_at": expires_at, "label": label, "created_at": now}
    rows = [_row(sequence, text, consumer_id=one, **common) for one, text in made.items()]
    codes = AccessCode.objects.bulk_create(rows)
    return {code.consumer_id: (code, made[code.consumer_id]) for code in codes}


def _require_sense(
    number: int, max_uses: int | None, expires_at: dt.datetime | None, now: dt.datetime
) -> None:
    problems = {}
    if not 1 <= number <= MOST_AT_ONCE:
        problems["number"] = f"A whole number from 1 to {MOST_AT_ONCE:,}."
    if max_uses is not None and not 1 <= max_uses <= 1_000_000:
        problems["max_uses"] = "A whole number from 1 to 1,000,000, or empty."
    if expires_at is not None and expires_at <= now:
        problems["expires_at"] = "It must be in the future."
    if problems:
        raise ValidationError(problems)


def _chunks(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), _CHUNK):
        yield texts[start : start + _CHUNK]


def _row(sequence: Sequence, text: str, **more: object) -> AccessCode:
    return AccessCode(sequence=sequence, digest=digest(text), hint=normalised(text)[-2:], **more)


@transaction.atomic
def share(sequence: Sequence, text: str, *, now: dt.datetime, actor: str) -> bool:
    """Make this the sequence's one shared code, instead of an earlier one; False if it was already.

    Raises ValidationError, as `access_code`.
    """
    if not LEAST <= len(normalised(text)) <= MOST:
        raise ValidationError({"access_code": f"It must have {LEAST} to {MOST} letters and digits."})
    Sequence.objects.select_for_update(no_key=True).get(pk=sequence.pk)
    codes = AccessCode.objects.filter(sequence=sequence)
    found = codes.filter(digest=digest(text)).first()
    if found and found.is_shared and found.revoked_at is None and sequence.requires_access_code:
        return False
    codes.filter(is_shared=True, revoked_at=None).exclude(digest=digest(text)).update(revoked_at=now)
    if found is None:
        found = _row(sequence, text, created_at=now)
    found.is_shared, found.revoked_at, found.max_uses, found.expires_at = True, None, None, None
    found.save()
    _ask_for_codes(sequence, {"shared": True}, now, actor)
    return True


def _ask_for_codes(sequence: Sequence, told: dict[str, object], now: dt.datetime, actor: str) -> None:
    setup.update(sequence, {"requires_access_code": True}, now=now, actor=actor)
    setup.trace_change(sequence, {"accessCodes": told}, now=now, actor=actor)


def valid(
    sequences: Iterable[Sequence], text: str, consumer_id: str, *, now: dt.datetime
) -> dict[str, AccessCode]:
    """The codes with this text that are in force for the consumer, by their sequence's id, used up or not."""
    if not text or len(text) > 4 * MOST:
        return {}
    found = AccessCode.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        sequence__in=sequences,
        digest=digest(text),
        revoked_at=None,
        consumer_id__in=["", consumer_id],
    )
    return {code.sequence_id: code for code in found}


def use_up(code: AccessCode, *, now: dt.datetime) -> bool:
    """Count one more consumer, if the code is still good for one; the caller holds the transaction."""
    living = Q(expires_at=None) | Q(expires_at__gt=now)
    left = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
    return bool(
        AccessCode.objects.filter(living, left, pk=code.pk, revoked_at=None).update(uses=F("uses") + 1)
    )


@transaction.atomic
def revoke(code: AccessCode, *, now: dt.datetime, actor: str) -> bool:
    """End a code; whom it let in stays in. False if it was revoked before."""
    changed = AccessCode.objects.filter(pk=code.pk, revoked_at=None).update(revoked_at=now)
    if changed:
        setup.trace_change(code.sequence, {"accessCodes": {"revoked": 1}}, now=now, actor=actor)
    return bool(changed)
