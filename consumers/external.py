"""External sign-in: the shop's server names one of its customers, a browser exchanges the code for a session.

The server authorizes with its secret key and hands the code to the browser, which never sees the key.
A code works once and for `EXCHANGE_CODE_SECONDS`; only its hash is kept.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from consumers import identities
from consumers.identities import Name, Profile
from consumers.models import Consumer, ExchangeCode
from experiences.models import Organization
from fanfare import contacts, errors
from fanfare.contacts import Contact

PREFIX = "exc_"
_UNKNOWN = "It is not known, or was used before."


@dataclass(frozen=True)
class Authorized:
    """What the shop's server is told; the code is to be had this once."""

    exchange_code: str
    expires_at: dt.datetime
    resolution: str  # created, existing


class WrongClaim(Exception):
    """A claim that can't be what its name says."""

    def __init__(self, name: str, message: str) -> None:
        self.name, self.message = name, message
        super().__init__(f"{name}: {message}")


def read_claims(claims: Mapping[str, Any]) -> Profile:
    """What claims say of somebody, by OpenID Connect's names (Core 1.0 §5.1) or ours. Raises WrongClaim.

    Claims that we don't know are ignored, and none is kept but what fills the profile.
    """
    email = _contact(claims, contacts.email, "email")
    phone = _contact(claims, contacts.phone, "phone", "phone_number", "phoneNumber")
    name, full_name = _text(claims, "name", "fullName")
    if len(full_name) > 200:
        raise WrongClaim(name, "At most 200 characters.")
    return Profile(
        email=email,
        phone=phone,
        full_name=full_name,
        is_email_verified=_is_true(claims, "email_verified", "emailVerified"),
        is_phone_verified=_is_true(claims, "phone_number_verified", "phoneVerified"),
    )


def _text(claims: Mapping[str, Any], *names: str) -> tuple[str, str]:
    """The first of these claims that says something, by its name."""
    for name in names:
        value = claims.get(name)
        if value not in (None, ""):
            if not isinstance(value, str):
                raise WrongClaim(name, "It must be text.")
            return name, value.strip()
    return names[0], ""


def _contact(claims: Mapping[str, Any], read: Callable[[str], Contact], *names: str) -> str:
    name, text = _text(claims, *names)
    try:
        return read(text).address if text else ""
    except ValueError as problem:
        raise WrongClaim(name, str(problem)) from None


def _is_true(claims: Mapping[str, Any], *names: str) -> bool:
    return any(claims.get(name) is True for name in names)


@transaction.atomic(durable=True)
def authorize(
    organization: Organization, name: Name, profile: Profile, *, now: dt.datetime, actor: str
) -> Authorized:
    """A code for the consumer known by that name, who is made if there is none yet."""
    consumer, is_new = identities.find_or_create(organization, name, profile, now=now, actor=actor)
    text = PREFIX + secrets.token_urlsafe(32)
    expires_at = now + dt.timedelta(seconds=settings.EXCHANGE_CODE_SECONDS)
    ExchangeCode.objects.create(
        consumer=consumer, digest=_digest(text), created_at=now, expires_at=expires_at
    )
    return Authorized(text, expires_at, "created" if is_new else "existing")


def redeem(organization: Organization, text: str, *, now: dt.datetime) -> Consumer:
    """Who a code is for; it is spent. The caller holds the transaction.

    Raises InvalidExchangeCode (unknown, spent, or of another organization) or ExchangeCodeExpired.
    """
    found = (
        ExchangeCode.objects.filter(digest=_digest(text), consumer__organization=organization)
        .filter(consumer__erased_at=None)
        .select_related("consumer")
        .select_for_update(no_key=True, of=("consumer",))  # whoever is being erased is nobody afterwards
        .first()
    )
    if found is None:
        raise errors.InvalidExchangeCode(_UNKNOWN)
    unused = ExchangeCode.objects.filter(pk=found.pk, used_at=None)
    # Guarded by the row's own columns: a join would make it a subquery, which PostgreSQL does not look
    # at anew after waiting for the row, so that a code would work twice at once.
    if unused.filter(expires_at__gt=now).update(used_at=now):
        return found.consumer
    if unused.exists():
        raise errors.ExchangeCodeExpired("Ask the shop's server for a new one.")
    raise errors.InvalidExchangeCode(_UNKNOWN)


def _digest(text: str) -> str:
    """A code has 256 bits of chance, so a plain hash is enough."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def purge(*, before: dt.datetime, at_most: int) -> int:
    """Delete codes that expired before then; how many."""
    over = ExchangeCode.objects.filter(expires_at__lt=before).values("pk")[:at_most]
    return ExchangeCode.objects.filter(pk__in=over).delete()[0]
