"""What goes out by mail or SMS: claimed by one worker at a time, handed over once, tried again on failure.

What is to be said waits sealed in its row, so that a lost message of the queue loses nothing; the box is
emptied when the mail or SMS provider has taken it. A try that failed is repeated until it expires.
"""

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

import httpx
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import F, Q, QuerySet

from fanfare import sealing

log = structlog.get_logger(__name__)

RETRY_AFTER = dt.timedelta(seconds=30)  # above the time-outs of both providers
MOST_TRIES = 5
# What providers fail with (smtplib's errors are OSErrors; ValueError: a header that can't be written).
FAILURES = (
    OSError,
    httpx.HTTPError,
    httpx.InvalidURL,
    ImproperlyConfigured,
    ValueError,
    sealing.Unsealable,
)


class Undeliverable(Exception):
    """There is nobody to hand it to, now or later: it is not tried again."""


class Channel(models.TextChoices):
    """How something is sent."""

    EMAIL = "email", "E-mail"
    PHONE = "phone", "SMS"


class Outgoing(models.Model):
    """A row that is sent once. `box` holds what is to be said, sealed, until a provider has taken it."""

    box = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)  # when a worker last took it to send it
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True


_Row = TypeVar("_Row", bound=Outgoing)


def state(row: Outgoing, now: dt.datetime) -> str:
    """`sent`, `failed`, `expired` or `waiting`. One that failed is tried again until it expires."""
    if row.sent_at is not None:
        return "sent"
    if row.problem:
        return "failed"
    return "expired" if row.expires_at <= now else "waiting"


def is_given_up(row: Outgoing, now: dt.datetime) -> bool:
    """Whether its sending failed so often that it is left alone, though it is still good."""
    is_good = row.box is not None and row.expires_at > now
    return is_good and bool(row.problem) and row.tries >= MOST_TRIES


def given_up(rows: QuerySet[_Row], now: dt.datetime) -> QuerySet[_Row]:
    """Those of which that is so."""
    return rows.filter(box__isnull=False, expires_at__gt=now, tries__gte=MOST_TRIES).exclude(problem="")


def due(rows: QuerySet[_Row], now: dt.datetime, at_most: int) -> list[int]:
    """Those that nobody has sent, or begun to send lately, the oldest first."""
    return list(_unsent(rows, now).order_by("created_at").values_list("pk", flat=True)[:at_most])


def _unsent(rows: QuerySet[_Row], now: dt.datetime) -> QuerySet[_Row]:
    free = Q(claimed_at=None) | Q(claimed_at__lte=now - RETRY_AFTER)
    return rows.filter(free, box__isnull=False, tries__lt=MOST_TRIES, expires_at__gt=now)


def retry(rows: QuerySet[_Row], key: int, *, now: dt.datetime) -> bool:
    """Give one that was tried too often some more tries, while it is good; whether it needed any."""
    given_up = rows.filter(pk=key, box__isnull=False, tries__gte=MOST_TRIES, expires_at__gt=now)
    return bool(given_up.update(tries=0))


def send(
    rows: QuerySet[_Row],
    key: int,
    hand_over: Callable[[_Row, str, dt.datetime], None],
    *,
    purpose: str,
    now: dt.datetime,
) -> bool:
    """Send one, unless somebody else has or does; whether it went out.

    `hand_over` gives a row, and what `purpose` had sealed in it, to the provider at `now`. What it raises of
    FAILURES is noted, and tried again; Undeliverable is noted, and the box emptied.
    """
    if not _unsent(rows, now).filter(pk=key).update(claimed_at=now, tries=F("tries") + 1):
        return False
    row = rows.filter(pk=key).first()
    if row is None or row.box is None:  # erased, voided or used this moment
        return False
    try:
        hand_over(row, sealing.unseal(purpose, row.box).decode(), now)
    except (*FAILURES, Undeliverable) as problem:
        told = f"{type(problem).__name__}: {problem}"[:200]
        is_over = {"box": None} if isinstance(problem, Undeliverable) else {}
        rows.filter(pk=key).update(problem=told, **is_over)
        log.warning(f"{purpose}.not_sent", row=key, problem=type(problem).__name__)
        return False
    rows.filter(pk=key).update(problem="", sent_at=now, box=None)
    log.info(f"{purpose}.sent", row=key)
    return True


def empty_expired(rows: QuerySet[_Row], *, now: dt.datetime) -> None:
    """What was never sent and is over by now can't be read any more."""
    rows.filter(expires_at__lte=now, box__isnull=False).update(box=None)
