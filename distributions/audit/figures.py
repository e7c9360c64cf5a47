"""The figures of a report: how many, how long they waited, how many a minute."""

import datetime as dt
import math
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Min
from django.db.models.functions import TruncMinute

from distributions.audit.counting import Counting
from distributions.core.models import Distribution, Kind, Participation

DECILES = tuple(range(10, 101, 10))
MOST_BARS = 120
MINUTE = dt.timedelta(minutes=1)


def of(distribution: Distribution, counted: Counting) -> dict[str, Any]:
    """All of one distribution, ready for JSON."""
    rows = Participation.objects.filter(distribution=distribution)
    statuses = rows.order_by().values_list("status").annotate(number=Count("id"))
    found: dict[str, Any] = {
        "participations": sum(number for _, number in statuses),
        "statuses": {str(status): number for status, number in sorted(statuses)},
        "mostHeld": counted.most_taken,
        "mostInside": counted.most_inside,
    }
    if distribution.kind == Kind.QUEUE:
        found["busiestMinute"] = counted.busiest
        found["waitSeconds"] = _waits(distribution.pk)
    found["admissions"] = _admissions(distribution.pk)
    return found


def _waits(distribution_id: str) -> dict[str, float]:
    """From entry to admission, in seconds: what 10, 20 … 100 % of the admitted waited at most."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT percentile_disc(%s::float[]) WITHIN GROUP (
                ORDER BY EXTRACT(EPOCH FROM admitted_at - entered_at)::float)
            FROM distributions_participation WHERE distribution_id = %s AND admitted_at IS NOT NULL
            """,
            [[share / 100 for share in DECILES], distribution_id],
        )
        (values,) = cursor.fetchone() or (None,)
    return dict(zip(map(str, DECILES), (round(value, 1) for value in values or ()), strict=False))


def _admissions(distribution_id: str) -> dict[str, Any]:
    """How many a minute, over so many minutes together that there are at most `MOST_BARS` figures."""
    rows = Participation.objects.filter(distribution=distribution_id, admitted_at__isnull=False)
    span = rows.aggregate(first=Min("admitted_at"), last=Max("admitted_at"))
    if span["first"] is None:
        return {"minutes": 1, "start": None, "numbers": []}
    start = span["first"].replace(second=0, microsecond=0)
    minutes = max(1, math.ceil((span["last"] - start + MINUTE) / MINUTE / MOST_BARS))
    number = (span["last"] - start) // (minutes * MINUTE) + 1
    numbers = [0] * number
    by_minute = rows.annotate(minute=TruncMinute("admitted_at", tzinfo=dt.UTC)).values_list("minute")
    for minute, count in by_minute.annotate(count=Count("id")).order_by().iterator():
        numbers[(minute - start) // (minutes * MINUTE)] += count
    return {"minutes": minutes, "start": start, "numbers": numbers}
