"""What staff and the clock decide once about a whole distribution: opened, paused, resumed, closed.

Each is one guarded update with its trace in the same transaction; repeating one changes nothing.
"""

import datetime as dt
from typing import Any

from django.db import transaction

from distributions.core import catalog, lifecycle
from distributions.core.models import Distribution, Participation, Status, Tally
from experiences import events

AT_ONCE = 5_000  # participations of one transaction


def mark_opened(distribution: Distribution, *, now: dt.datetime) -> bool:
    """Put the opening into the trace, once."""
    return _switch(distribution, "opened", {"opened_at": None}, {"opened_at": now}, now, _SCHEDULE)


def pause(distribution: Distribution, *, now: dt.datetime, actor: str, reason: str = "") -> bool:
    """Stop entering and admitting; whoever waits keeps the place."""
    guard = {"paused_at": None, "closed_at": None}
    return _switch(distribution, "paused", guard, {"paused_at": now}, now, actor, reason)


def resume(distribution: Distribution, *, now: dt.datetime, actor: str, reason: str = "") -> bool:
    """Go on where `pause` stopped."""
    guard = {"paused_at__isnull": False, "closed_at": None}
    return _switch(distribution, "resumed", guard, {"paused_at": None}, now, actor, reason)


def close(distribution: Distribution, *, now: dt.datetime, actor: str, reason: str = "") -> bool:
    """End it for good: nobody enters from this commit on. Who still waits is denied by `deny_waiting`."""
    with transaction.atomic(durable=True):
        Tally.objects.filter(pk=distribution.pk).update(is_closed=True)
        return _switch(distribution, "closed", {"closed_at": None}, {"closed_at": now}, now, actor, reason)


def deny_waiting(distribution: Distribution, *, reason: str, now: dt.datetime, actor: str) -> int:
    """Deny whoever still waits in a closed distribution, `AT_ONCE` rows a transaction; how many."""
    waiting = Participation.objects.filter(distribution_id=distribution.pk, status=Status.QUEUED)
    denied = 0
    while ids := list(waiting.order_by("place").values_list("id", flat=True)[:AT_ONCE]):
        # Who was admitted since we looked keeps the admission.
        moved = lifecycle.deny_all(
            distribution, ids, reason=reason, now=now, actor=actor, sources=[Status.QUEUED]
        )
        denied += len(moved)
    return denied


_SCHEDULE = events.by_system("schedule")


def _switch(
    distribution: Distribution,
    verb: str,
    guard: dict[str, Any],
    values: dict[str, Any],
    now: dt.datetime,
    actor: str,
    reason: str = "",
) -> bool:
    with transaction.atomic():
        changed = Distribution.objects.filter(pk=distribution.pk, **guard).update(**values)
        if changed:
            events.record(
                f"{distribution.kind}.{verb}",
                distribution.organization_id,
                at=now,
                actor=actor,
                distribution_id=distribution.pk,
                data={"reason": reason} if reason else {},
            )
            transaction.on_commit(catalog.forget)
    return bool(changed)
