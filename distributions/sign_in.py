"""Signing in: somebody has shown who they are; the guest they were is merged, and a session opens.

One transaction from the proof to the session, so that a code is spent only on a sign-in that happened.
Above `consumers` and `auth_otp`, because a guest's participations go along.
"""

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, transaction

from auth_otp import codes
from consumers import external, identities, sessions
from consumers.models import Consumer
from consumers.sessions import Tokens
from distributions import merging
from experiences.models import Organization
from fanfare import errors
from fanfare.contacts import Contact

T = TypeVar("T")
TRIES = 3  # of a merger that meets an entry of the same consumer


def by_code(
    organization: Organization,
    contact: Contact,
    code: str,
    *,
    client: str,
    guest_id: str | None,
    now: dt.datetime,
) -> Tokens:
    """Sign in by a one-time code. Raises OtpInvalid, OtpExpired or RateLimited; a failure is counted.

    `client` is the network address that shows the code.
    """

    def attempt() -> Tokens | errors.FanfareError:
        checked = codes.check(organization, contact, code, now=now)
        if isinstance(checked, errors.FanfareError):
            return checked  # raised after the commit, so that the failure stays counted
        name = identities.proved_by_code(contact)
        profile = identities.of_contact(contact, codes.name_given_by(checked, client))
        consumer, _ = identities.find_or_create(organization, name, profile, now=now)
        return _open(consumer, guest_id, now)

    found = _in_one_piece(attempt)
    if isinstance(found, errors.FanfareError):
        raise found
    return found


def by_exchange_code(
    organization: Organization, text: str, *, guest_id: str | None, now: dt.datetime
) -> Tokens:
    """Sign in by what the shop's server got. Raises InvalidExchangeCode or ExchangeCodeExpired."""
    return _in_one_piece(lambda: _open(external.redeem(organization, text, now=now), guest_id, now))


def _open(consumer: Consumer, guest_id: str | None, now: dt.datetime) -> Tokens:
    if guest_id is not None:
        merging.merge(guest_id, consumer, now=now)
    return sessions.open_session(consumer, now=now)


def _in_one_piece(work: Callable[[], T]) -> T:
    """`work` in a transaction; again, should it collide with an entry of the same consumer."""
    for _ in range(TRIES - 1):
        try:
            with transaction.atomic(durable=True):
                return work()
        except IntegrityError:
            continue
    with transaction.atomic(durable=True):
        return work()
