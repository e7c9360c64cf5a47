"""What the door does about devices: how many may come in by one, and a flag when another shows up.

Only `lifecycle.enter` calls this; a consumer turned away here is DENIED from the start, without a place.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from consumers import identities
from distributions.core.models import (
    ENTERED,
    OVER_FOR_NOW,
    Distribution,
    Kind,
    Participation,
    Reason,
    Status,
    event_of,
)
from distributions.core.standing import Standing
from experiences import events


@contextmanager
def one_device_at_a_time(distribution: Distribution, fingerprint: bytes | None) -> Iterator[None]:
    """Entries from one device wait for one another until they commit, so that counting them is exact.

    None: no limit, nothing to wait for, no transaction.
    """
    if fingerprint is None:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        lock = f"{distribution.pk}:{fingerprint.hex()}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
        yield


def is_device_used_up(distribution: Distribution, consumer_id: str, fingerprint: bytes, limit: int) -> bool:
    """Whether `limit` other consumers entered by this device; one who is in already is not asked."""
    entered = Participation.objects.filter(distribution_id=distribution.pk)
    if entered.filter(consumer_id=consumer_id).exclude(OVER_FOR_NOW).exists():
        return False
    return users_of(distribution.pk, fingerprint, besides=consumer_id) >= limit


def users_of(distribution_id: str, fingerprint: bytes, *, besides: str = "") -> int:
    """How many consumers got a place with this device."""
    return (
        Participation.objects.filter(
            distribution_id=distribution_id, fingerprint=fingerprint, place__isnull=False
        )
        .exclude(consumer_id=besides)
        .values("consumer_id")
        .distinct()
        .count()
    )


def turn_away(
    distribution: Distribution,
    consumer_id: str,
    *,
    unit: int,
    now: dt.datetime,
    actor: str,
    fingerprint: bytes | None,
    metadata: dict[str, Any] | None,
) -> Standing:
    """Write a participation that is DENIED from its start, and its trace; `unit`: the number it has.

    Raises NotAuthenticated for one who was merged or erased just now.
    """
    # Held until the commit, as ENTER does: nothing slips in behind who is being merged or erased.
    identities.lock_living(consumer_id)
    row = Participation.objects.create(
        distribution_id=distribution.pk,
        consumer_id=consumer_id,
        status=Status.DENIED,
        entered_at=now,
        ended_at=now,
        deny_reason=Reason.DEVICE_LIMIT,
        fingerprint=fingerprint,
        metadata=metadata,
        unit=unit,
    )
    _trace(
        distribution,
        consumer_id,
        Status.DENIED,
        now,
        actor,
        {"to": "DENIED", "reason": Reason.DEVICE_LIMIT},
    )
    return Standing(
        row.pk, consumer_id, Status.DENIED, None, now, ended_at=now, deny_reason=Reason.DEVICE_LIMIT
    )


def raise_risk(distribution: Distribution, standing: Standing, *, now: dt.datetime, actor: str) -> None:
    """Flag a participation whose consumer came back with another device; staff see the flag."""
    with transaction.atomic():
        flagged = Participation.objects.filter(pk=standing.id, is_risky=False).update(is_risky=True)
        if flagged:
            _trace(distribution, standing.consumer_id, ENTERED, now, actor, {"otherDevice": True})


def _trace(
    distribution: Distribution,
    consumer_id: str,
    move: str,
    now: dt.datetime,
    actor: str,
    data: dict[str, Any],
) -> None:
    events.record(
        event_of(Kind(distribution.kind), move),
        distribution.organization_id,
        at=now,
        actor=actor,
        distribution_id=distribution.pk,
        consumer_id=consumer_id,
        data=data,
    )
