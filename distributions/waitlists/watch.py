"""A waitlist on its live page: who waits, who was told, and what becomes of offers."""

import datetime as dt

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from distributions.core import figures, watching
from distributions.core.models import Distribution, Status
from distributions.core.watching import Cell, Chart, Table, Watched
from distributions.waitlists.models import Notice, Notification, Outcome
from fanfare.memo import Memo

SHOWN = 8  # notifications


def watch(distribution: Distribution, now: dt.datetime) -> Watched:
    """The list, and how it grew over the last hour."""
    tally, hour = distribution.tally, figures.of(distribution.pk, now)
    came, left = hour.of("waitlist.consumer.entered"), hour.of("waitlist.consumer.left")
    told = notices(distribution)
    cards = [
        ("Waiting", f"{tally.taken:,}", watching.of(tally.places)),
        ("Came", f"{came[-2]:,}", "in the last whole minute"),
        ("Left", f"{watching.gone(distribution).get(Status.LEFT, 0):,}", "ever"),
        ("Notified", f"{sum(told.values()):,}", "notices, one for each who was told something"),
        ("Open offers", f"{told.get(Outcome.OPEN, 0):,}", ""),
        ("Claimed", f"{told.get(Outcome.CLAIMED, 0):,}", "of the offers"),
        ("Lapsed", f"{told.get(Outcome.LAPSED, 0):,}", "and passed on"),
    ]
    charts = [Chart("People a minute", [("Came", came), ("Left", left)])]
    return Watched(cards, hour.minutes, charts, _latest(distribution))


def notices(distribution: Distribution) -> dict[str, int]:
    """How many notices there were, by what became of the offer; empty where none was. Counted seldom."""
    return _notices.get(distribution.pk) or {}


def _count(distribution_id: str) -> dict[str, int]:
    rows = Notice.objects.filter(notification__distribution=distribution_id).order_by()
    return dict(rows.values_list("outcome").annotate(number=Count("id")))


_notices: Memo[str, dict[str, int]] = Memo(_count, size=200, share=0.05)


def _latest(distribution: Distribution) -> Table:
    """What was told last, and how far it is."""
    rows = []
    for one in Notification.objects.filter(distribution=distribution).order_by("-id")[:SHOWN]:
        is_done = one.finished_at is not None
        rows.append([
            Cell(date_format(timezone.localtime(one.created_at), "DATETIME_FORMAT"),
                 reverse("admin:distributions_notification_change", args=[one.pk])),
            Cell("An offer" if one.is_offer else one.text[:80]),
            Cell(f"{one.notified:,}"),
            Cell("done" if is_done else "under way", color="success" if is_done else "info"),
        ])  # fmt: skip
    return Table("Told last", ["At", "What", "Notified", "State"], rows, "Nobody was told anything yet.")
