"""What the finders among the tasks ask: which distributions of a kind meet some conditions."""

import datetime as dt
from typing import Any

from django.db.models import Q

from distributions.core.models import Distribution, Kind


def due_to_open(kind: Kind, now: dt.datetime) -> list[str]:
    """Those that opened by the clock and whose opening is not in the trace yet."""
    return ids_of(kind, Q(open_at=None) | Q(open_at__lte=now), opened_at=None, closed_at=None)


def due_to_close(kind: Kind, now: dt.datetime) -> list[str]:
    """Those that are over by the clock and not closed yet."""
    return ids_of(kind, closed_at=None, close_at__lte=now)


def ids_of(kind: Kind, *conditions: Q, **more: Any) -> list[str]:
    """Their ids."""
    found = Distribution.objects.filter(*conditions, kind=kind, **more)
    return list(found.values_list("id", flat=True))
