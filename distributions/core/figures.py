"""How many events of each name a minute, over the last hour, as the trace has them.

A minute that is over is counted once: from then on only the last few are, found by the id from which on their
events must be, on the index of the distribution's events. So watching a busy hour costs what two minutes do.
"""

import datetime as dt
import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from django.db.models import Count, Max, Min
from django.db.models.functions import TruncMinute

from experiences.models import Event

MINUTE = dt.timedelta(minutes=1)
MINUTES = 60
UNSETTLED = 2  # minutes before the running one in which a transaction under way may still commit an event
_KEPT = 200  # distributions that this process remembers


@dataclass(frozen=True)
class Figures:
    """`minutes`, the oldest first; the last one is still running."""

    minutes: list[dt.datetime]
    numbers: dict[dt.datetime, Counter[str]]

    def of(self, *names: str) -> list[int]:
        """How many events of these names each minute has."""
        return [sum(self.numbers[minute][name] for name in names) for minute in self.minutes]


@dataclass
class _Counted:
    """What is known of one distribution. By minute: its events, and the last id there was during it."""

    until: dt.datetime
    numbers: dict[dt.datetime, Counter[str]] = field(default_factory=dict)
    last_ids: dict[dt.datetime, int] = field(default_factory=dict)


_counted: OrderedDict[str, _Counted] = OrderedDict()
_lock = threading.Lock()


def of(distribution_id: str, now: dt.datetime) -> Figures:
    """The last hour of a distribution, up to now."""
    running = now.replace(second=0, microsecond=0)
    minutes = [running - back * MINUTE for back in reversed(range(MINUTES))]
    with _lock:
        known = _counted.pop(distribution_id, None)
        if known is None or known.until > running:
            known = _Counted(minutes[0])
        since = max(minutes[0], known.until - UNSETTLED * MINUTE)
        _count(distribution_id, known, since, running)
        known.numbers = {minute: known.numbers.get(minute, Counter()) for minute in minutes}
        known.until = running
        _counted[distribution_id] = known
        while len(_counted) > _KEPT:
            _counted.popitem(last=False)
        return Figures(minutes, dict(known.numbers))


def _count(distribution_id: str, known: _Counted, since: dt.datetime, running: dt.datetime) -> None:
    """Count the minutes from `since` on anew.

    An event of one of them was written after it began, so its id is above any that there was before.
    """
    floor = max((last for minute, last in known.last_ids.items() if minute < since), default=0)
    last = Event.objects.aggregate(last=Max("id"))["last"] or 0
    rows = Event.objects.filter(distribution_id=distribution_id, id__gt=floor, at__gte=since)
    arrivals = rows.exclude(data__has_key="otherDevice")  # who came back by another device came once
    grouped = arrivals.annotate(minute=TruncMinute("at", tzinfo=dt.UTC)).values("minute", "name")
    found: dict[dt.datetime, Counter[str]] = {}
    first = None
    for row in grouped.annotate(number=Count("id"), first=Min("id")).order_by():
        found.setdefault(row["minute"], Counter())[row["name"]] = row["number"]
        if row["minute"] >= running - UNSETTLED * MINUTE:
            first = min(row["first"], first or row["first"])
    known.numbers = {minute: kept for minute, kept in known.numbers.items() if minute < since} | found
    known.last_ids = {
        minute: kept for minute, kept in known.last_ids.items() if minute >= since - MINUTES * MINUTE
    }
    known.last_ids.setdefault(running, last)
    if floor == 0 and first is not None:  # looked at for the first time: before them there is none to count
        known.last_ids.setdefault(running - (UNSETTLED + 1) * MINUTE, first - 1)
