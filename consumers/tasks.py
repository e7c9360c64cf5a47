"""Sending messages; forgetting old ones, old sessions and exchange codes. See `fanfare.celery` for when."""

import datetime as dt

from django.conf import settings

from consumers import external, messages, sessions
from fanfare import clock
from fanfare.celery import app

AT_ONCE = 10_000  # rows of one purge; the next one takes the rest
FOUND, CHUNK = 2_000, 20  # messages of one look at what is unsent, and of one task


@app.task
def find_messages() -> None:
    """Each two seconds: find what is to be sent. Chunks that no worker is free for expire by the next look,
    so that they don't pile up before what is more urgent.
    """
    found = messages.due(clock.now(), FOUND)
    for start in range(0, len(found), CHUNK):
        send_messages.apply_async(args=[found[start : start + CHUNK]], expires=2)


@app.task
def send_messages(ids: list[int]) -> None:
    """Send some messages, one after another."""
    for message_id in ids:
        messages.send(message_id, now=clock.now())


@app.task
def purge_sessions() -> None:
    """Forget sessions, exchange codes and messages of long ago."""
    # While an access token of an ended session could still be shown, its row says so.
    kept = max(settings.SESSIONS_KEPT_SECONDS, settings.ACCESS_TOKEN_SECONDS)
    now = clock.now()
    before = now - dt.timedelta(seconds=kept)
    sessions.purge(before=before, at_most=AT_ONCE)
    external.purge(before=before, at_most=AT_ONCE)
    long_ago = now - dt.timedelta(seconds=settings.CODES_KEPT_SECONDS)
    messages.purge(now=now, before=long_ago, at_most=AT_ONCE)
