"""Sending codes, in the organization's look. How each goes out once, and is tried again, is `outgoing`'s."""

import datetime as dt
import math

from auth_otp import codes
from auth_otp.models import Channel, OtpChallenge
from experiences import letters
from fanfare import mail, outgoing, sms

RETRY_AFTER, MOST_TRIES = outgoing.RETRY_AFTER, outgoing.MOST_TRIES


def due(now: dt.datetime, at_most: int = 500) -> list[int]:
    """Codes that nobody has sent, or begun to send lately."""
    return outgoing.due(OtpChallenge.objects.all(), now, at_most)


def send(challenge_id: int, *, now: dt.datetime) -> bool:
    """Send one code, unless somebody else has or does; whether it went out."""
    rows = OtpChallenge.objects.select_related("organization")
    return outgoing.send(rows, challenge_id, _hand_over, purpose=codes.PURPOSE, now=now)


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
