"""Makers and readers for tests of the line itself: many consumers, moves by name, what is stored."""

import datetime as dt
from typing import Any

from django.db.models import F

from consumers.models import Consumer
from distributions.core import lifecycle
from distributions.core.models import Distribution, Participation, Status, Tally
from distributions.core.standing import Standing
from distributions.queues import line, rules
from experiences.models import Event
from fanfare import clock
from tests.world import World


def make_consumers(world: World, number: int) -> list[str]:
    """So many guests of the organization, without sessions; their ids in order."""
    rows = [Consumer(organization=world.organization) for _ in range(number)]
    return [row.pk for row in Consumer.objects.bulk_create(rows)]


def fresh(queue: Distribution) -> Distribution:
    """The queue as it is stored now."""
    return Distribution.objects.select_related("queue", "tally", "sequence").get(pk=queue.pk)


def enter(queue: Distribution, consumer_id: str, **more: Any) -> Standing:
    """Join the line now, as the consumer, without a device."""
    values = {"now": clock.now(), "actor": f"consumer:{consumer_id}", "fingerprint": None, **more}
    return rules.enter(queue, consumer_id, **values)


def leave(queue: Distribution, consumer_id: str) -> Standing:
    return lifecycle.leave(queue, consumer_id, now=clock.now(), actor=f"consumer:{consumer_id}")


def complete(queue: Distribution, consumer_id: str, **more: Any) -> Standing:
    return lifecycle.complete(queue, consumer_id, now=clock.now(), actor="key:test", **more)


def deny(queue: Distribution, consumer_id: str, reason: str = "ADMIN_ACTION") -> Standing:
    return lifecycle.deny(queue, consumer_id, now=clock.now(), actor="key:test", reason=reason)


def admit(queue: Distribution, consumer_id: str) -> Standing:
    return rules.admit(queue, consumer_id, now=clock.now(), actor="key:test")


def stored(queue: Distribution, consumer_id: str) -> list[Participation]:
    """All participations of one consumer, the first one first."""
    rows = Participation.objects.filter(distribution_id=queue.pk, consumer_id=consumer_id)
    return list(rows.order_by("id"))


def events_of(queue: Distribution, consumer_id: str | None = None) -> list[Event]:
    """The trace of the queue, or of one consumer in it, in order."""
    rows = Event.objects.filter(distribution_id=queue.pk)
    return list((rows.filter(consumer_id=consumer_id) if consumer_id else rows).order_by("id"))


def require_true_tally(queue: Distribution) -> Tally:
    """The counters say what the rows say; the tally."""
    tally = Tally.objects.get(pk=queue.pk)
    rows = Participation.objects.filter(distribution_id=queue.pk)
    by_status = {status: rows.filter(status=status).count() for status in Status}
    assert tally.taken == by_status[Status.QUEUED]
    assert tally.completed == by_status[Status.COMPLETED]
    assert tally.inside == by_status[Status.ADMITTED]
    assert tally.admitted == rows.filter(admitted_at__isnull=False).count()
    assert tally.places is None or tally.taken <= tally.places
    return tally


def positions(queue: Distribution) -> dict[str, int]:
    """What PostgreSQL counts for everybody who waits."""
    ids = line.waiting(queue).values_list("consumer_id", flat=True)
    return {consumer_id: number for number, consumer_id in enumerate(ids, start=1)}


def fill(queue: Distribution, world: World, number: int) -> list[str]:
    """So many more in line, as their entries would have left them, in three statements; their ids."""
    people, first = make_consumers(world, number), fresh(queue).tally.entered + 1
    Participation.objects.bulk_create(
        Participation(
            distribution=queue,
            consumer_id=consumer_id,
            status=Status.QUEUED,
            place=place,
            entered_at=clock.now(),
        )
        for place, consumer_id in enumerate(people, start=first)
    )
    counted = {"taken": F("taken") + number, "entered": F("entered") + number}
    Tally.objects.filter(pk=queue.pk).update(**counted)
    return people


def admission_times(queue: Distribution) -> list[dt.datetime]:
    """When each admission happened, in order."""
    rows = Participation.objects.filter(distribution_id=queue.pk, admitted_at__isnull=False)
    return sorted(at for at in rows.values_list("admitted_at", flat=True) if at is not None)


def most_in_a_minute(times: list[dt.datetime]) -> int:
    """The most admissions in any sliding minute, its start excluded."""
    most, start = 0, 0
    for end, at in enumerate(times):
        while times[start] <= at - dt.timedelta(minutes=1):
            start += 1
        most = max(most, end - start + 1)
    return most
