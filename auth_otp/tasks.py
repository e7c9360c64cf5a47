"""Sending codes, and forgetting those that are long over. See `fanfare.celery` for when."""

import datetime as dt

from django.conf import settings

from auth_otp import codes, delivery, outbox
from fanfare import clock
from fanfare.celery import app

AT_ONCE = 10_000  # rows of one purge; the next one takes the rest


@app.task
def send_code(challenge_id: int) -> None:
    """Send one code."""
    delivery.send(challenge_id, now=clock.now())


@app.task
def send_codes() -> None:
    """Each few seconds: find codes whose message was lost, or whose sending failed."""
    for challenge_id in delivery.due(clock.now()):
        send_code.apply_async(args=[challenge_id], expires=30)


@app.task
def purge_codes() -> None:
    """Forget codes, addresses and shown messages of long ago."""
    now = clock.now()
    before = now - dt.timedelta(seconds=settings.CODES_KEPT_SECONDS)
    codes.purge(now=now, before=before, at_most=AT_ONCE)
    outbox.purge(before=before)
