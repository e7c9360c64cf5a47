"""The Celery application and all that happens by itself, on one page.

Celery is the alarm clock: each tick asks PostgreSQL what is due. Ticks expire before the next ones, so
that a worker that was away does not replay them.
"""

import os

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fanfare.settings")

app = Celery("fanfare")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()
app.finalize()  # else each task is made whole at its first use, over which two threads at once trip


@setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_our_logging(**_: object) -> None:
    """With a receiver here, Celery leaves logging as settings.LOGGING has it."""


def _every(seconds: float, task: str) -> dict[str, object]:
    return {"task": task, "schedule": seconds, "options": {"expires": max(1.0, seconds)}}


app.conf.beat_schedule = {
    "queues": _every(1, "distributions.tasks.tick_queues"),
    "draws": _every(1, "distributions.tasks.tick_draws"),
    "auctions": _every(1, "distributions.tasks.tick_auctions"),
    "doors": _every(1, "distributions.tasks.tick_doors"),
    "reminders": _every(30, "distributions.tasks.tick_reminders"),
    "waitlists": _every(1, "distributions.tasks.tick_waitlists"),
    "expiries": _every(1, "distributions.tasks.expire_admissions"),
    "redis": _every(1, "distributions.tasks.watch_redis"),
    "codes": _every(10, "auth_otp.tasks.send_codes"),
    "messages": _every(2, "consumers.tasks.find_messages"),
    "old codes": _every(600, "auth_otp.tasks.purge_codes"),
    "old sessions": _every(600, "consumers.tasks.purge_sessions"),
    "reconciliation": _every(5, "distributions.tasks.reconcile_redis"),
}
