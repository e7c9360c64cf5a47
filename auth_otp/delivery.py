"""Sending codes: claimed by one worker at a time, composed in the organization's look, handed over once.

The code itself waits sealed in its row, so that a lost message of the queue loses nothing; the box is
emptied when mail or SMS provider have taken it. A try that failed is repeated while the code is good.
"""

import datetime as dt
import math

import httpx
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F, Q, QuerySet

from auth_otp import codes
from auth_otp.models import Channel, OtpChallenge
from experiences import letters
from fanfare import mail, sealing, sms

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


def due(now: dt.datetime, at_most: int = 500) -> list[int]:
    """Codes that nobody has sent, or begun to send lately."""
    return list(_unsent(now).order_by("created_at").values_list("pk", flat=True)[:at_most])


def _unsent(now: dt.datetime) -> QuerySet[OtpChallenge]:
    free = Q(claimed_at=None) | Q(claimed_at__lte=now - RETRY_AFTER)
    return OtpChallenge.objects.filter(free, box__isnull=False, tries__lt=MOST_TRIES, expires_at__gt=now)


def retry(challenge_id: int, *, now: dt.datetime) -> bool:
    """Give a code that was tried too often some more tries, while it is good; whether it needed any."""
    given_up = OtpChallenge.objects.filter(
        pk=challenge_id, box__isnull=False, tries__gte=MOST_TRIES, expires_at__gt=now
    )
    return bool(given_up.update(tries=0))


def send(challenge_id: int, *, now: dt.datetime) -> bool:
    """Send one code, unless somebody else has or does; whether it went out."""
    if not _unsent(now).filter(pk=challenge_id).update(claimed_at=now, tries=F("tries") + 1):
        return False
    challenge = OtpChallenge.objects.select_related("organization").filter(pk=challenge_id).first()
    if challenge is None or challenge.box is None:  # erased, voided or used this moment
        return False
    try:
        _hand_over(challenge, sealing.unseal(codes.PURPOSE, challenge.box).decode(), now)
    except FAILURES as problem:
        told = f"{type(problem).__name__}: {problem}"[:200]
        OtpChallenge.objects.filter(pk=challenge_id).update(problem=told)
        log.warning("otp.not_sent", challenge=challenge_id, problem=type(problem).__name__)
        return False
    OtpChallenge.objects.filter(pk=challenge_id).update(problem="", sent_at=now, box=None)
    log.info("otp.sent", challenge=challenge_id)
    return True


def _hand_over(challenge: OtpChallenge, code: str, now: dt.datetime) -> None:
    organization = challenge.organization
    minutes = math.ceil((challenge.expires_at - now).total_seconds() / 60)
    if challenge.channel == Channel.EMAIL:
        subject = f"{code} is your code for {organization.name}"
        letters.write(organization, "code", challenge.address, subject, code=code, minutes=minutes).send()
        return
    text = f"{code} is your code for {mail.one_line(organization.name)}. It is good for {minutes} min."
    reference = f"otp-{challenge.pk}"
    sms.send(challenge.address, text, organization_id=organization.id, reference=reference)
