"""Forgetting sessions and exchange codes that are over. See `fanfare.celery` for when."""

import datetime as dt

from django.conf import settings

from consumers import external, sessions
from fanfare import clock
from fanfare.celery import app

AT_ONCE = 10_000  # rows of one purge; the next one takes the rest


@app.task
def purge_sessions() -> None:
    """Forget sessions and exchange codes of long ago."""
    # While an access token of an ended session could still be shown, its row says so.
    kept = max(settings.SESSIONS_KEPT_SECONDS, settings.ACCESS_TOKEN_SECONDS)
    before = clock.now() - dt.timedelta(seconds=kept)
    sessions.purge(before=before, at_most=AT_ONCE)
    external.purge(before=before, at_most=AT_ONCE)
