"""Admission tokens: made for whoever is admitted, checked in one place (invariant 20).

A token is bound to one consumer, one distribution and one admission (`jti`). It is not stored: signing
the same admission again gives the same token. A shop may check it offline by the JWKS; only `validate`
knows whether it was used.
"""

import base64
import datetime as dt
from dataclasses import dataclass
from typing import Any

from consumers import signing
from consumers.models import Consumer
from distributions.core import fingerprints
from distributions.core.models import Distribution, Participation, Reason, Status
from distributions.core.standing import Standing
from fanfare import errors, ids, sealing

TYP = "admission+jwt"
CODES = (
    "TOKEN_INVALID", "TOKEN_EXPIRED", "TOKEN_USED", "CONSUMER_MISMATCH", "NOT_ADMITTED", "WRONG_DISTRIBUTION"
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """The answer of `validate`; `code` says what is wrong with a token that is not valid."""

    valid: bool
    code: str = ""
    message: str = ""
    consumer_id: str = ""
    admitted_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    participation_id: int | None = None  # for our own use


def token(distribution: Distribution, standing: Standing) -> str:
    """The token of an ADMITTED standing."""
    assert standing.admitted_at is not None
    claims: dict[str, Any] = {
        "aud": distribution.organization_id,
        "sub": standing.consumer_id,
        "jti": _jti(distribution, standing.id),
        "iat": int(standing.admitted_at.timestamp()),
        "distributionType": distribution.kind,
        "distributionId": distribution.pk,
        "experienceId": distribution.sequence.experience_id,
        "sequenceId": distribution.sequence_id,
    }
    if standing.expires_at is not None:
        claims["exp"] = int(standing.expires_at.timestamp())
    return signing.sign(TYP, claims)


def _jti(distribution: Distribution, participation_id: int) -> str:
    """Names one admission without telling how many there are."""
    message = f"{distribution.pk}:{participation_id}".encode()
    mac = sealing.keyed_hash("admission", message)
    return base64.b32encode(mac[:15]).decode()


def validate(
    distribution: Distribution,
    *,
    consumer_id: str,
    token: str,
    fingerprint: bytes | None,
    now: dt.datetime,
) -> Verdict:
    """Whether this token admits this consumer here and now. Raises DeviceMismatch."""
    try:
        claims = signing.verify(TYP, token)
    except signing.TokenExpired:
        return Verdict(False, "TOKEN_EXPIRED", "The admission's time is over.")
    except signing.TokenInvalid:
        return Verdict(False, "TOKEN_INVALID", "This is not an admission token of ours.")
    if claims.get("aud") != distribution.organization_id:
        return Verdict(False, "TOKEN_INVALID", "This is not an admission token of ours.")
    if claims.get("distributionId") != distribution.pk:
        return Verdict(False, "WRONG_DISTRIBUTION", "The token was given by another distribution.")
    person = _person(str(claims.get("sub")))
    if person != _person(consumer_id):
        return Verdict(False, "CONSUMER_MISMATCH", "The token was given to another consumer.")
    return _judge(distribution, person, str(claims.get("jti")), fingerprint, now)


def _person(consumer_id: str) -> str:
    """Who that is by now: a guest may have turned out to be somebody since the token was made."""
    if not ids.is_id(consumer_id, "cons"):
        return consumer_id
    return (
        Consumer.objects.filter(pk=consumer_id).values_list("merged_into_id", flat=True).first()
        or consumer_id
    )


def _judge(
    distribution: Distribution,
    consumer_id: str,
    jti: str,
    fingerprint: bytes | None,
    now: dt.datetime,
) -> Verdict:
    """What PostgreSQL says of the admission that the token names."""
    rows = Participation.objects.filter(
        distribution_id=distribution.pk, consumer_id=consumer_id, admitted_at__isnull=False
    )
    row = next((r for r in rows if _jti(distribution, r.pk) == jti), None)
    if row is None:
        return Verdict(False, "NOT_ADMITTED", "There is no such admission.")
    if row.status == Status.COMPLETED:
        return Verdict(False, "TOKEN_USED", "The admission is completed.")
    expired = row.expires_at is not None and row.expires_at <= now
    if expired or row.deny_reason == Reason.ADMISSION_EXPIRED:
        return Verdict(False, "TOKEN_EXPIRED", "The admission's time is over.")
    if row.status != Status.ADMITTED:
        return Verdict(False, "NOT_ADMITTED", f"The consumer is {row.status}.")
    bound = bytes(row.fingerprint) if row.fingerprint is not None else None
    if not fingerprints.matches(bound, fingerprint):
        raise errors.DeviceMismatch
    return Verdict(True, "", "", consumer_id, row.admitted_at, row.expires_at, row.pk)
