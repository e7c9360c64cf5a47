"""What a queue decides: who may join, who is next and how many, when it is over."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from distributions.core import drawings, lifecycle, phases
from distributions.core.finding import ids_of
from distributions.core.models import Distribution, Kind, Participation, Reason, Status
from distributions.core.phases import Phase
from distributions.core.standing import Standing
from distributions.queues import line, shuffle
from distributions.queues.models import Queue
from experiences import events
from fanfare import errors

MINUTE = dt.timedelta(minutes=1)
TICK = dt.timedelta(seconds=1)  # between two batches
SAVED_UP = 2 * TICK  # of the rate, at most: one batch
MANY = 2**31 - 1  # where there is no limit


def enter(
    distribution: Distribution,
    consumer_id: str,
    *,
    now: dt.datetime,
    actor: str,
    fingerprint: bytes | None,
    metadata: dict[str, Any] | None = None,
) -> Standing:
    """Join the line. Raises NotOpenYet, Closed, Full."""
    phases.require_open(distribution, now=now, enter_from=distribution.queue.enter_from)
    distribution = current(distribution, now)
    return lifecycle.enter(
        distribution, consumer_id, now=now, actor=actor, fingerprint=fingerprint, metadata=metadata
    )


def closes_at(distribution: Distribution) -> dt.datetime | None:
    """When nobody enters any more, by the clock."""
    return distribution.close_at


def current(distribution: Distribution, now: dt.datetime) -> Distribution:
    """The queue with its pre-queue frozen, where that is over: the first to come after opening does it.

    So nobody counts a position without knowing which places are tickets (invariant 8).
    """
    if distribution.tally.frozen is not None or not is_draw_due(distribution, now):
        return distribution
    shuffle.freeze(distribution)
    related = ("queue", "tally", "drawing", "organization", "sequence__experience")
    return Distribution.objects.select_related(*related).get(pk=distribution.pk)


def standing_at(distribution: Distribution, standing: Standing, now: dt.datetime) -> Standing:
    """As it is at `now`: whoever still waits when the queue closes is denied at that instant."""
    if standing.status == Status.QUEUED and phases.is_over(distribution, now):
        return standing.denied(Reason.QUEUE_CLOSED, distribution.closed_at or distribution.close_at or now)
    return standing.at(now)


def is_draw_due(distribution: Distribution, now: dt.datetime) -> bool:
    """Whether the pre-queue is over and its order not drawn yet."""
    if not distribution.queue.randomize_before_open:
        return False
    drawing = drawings.of(distribution)
    opened = distribution.open_at is None or now >= distribution.open_at
    return opened and drawing is not None and drawing.drawn_at is None


leave = lifecycle.leave
adjusting = lifecycle.unadjusted


def admit(distribution: Distribution, consumer_id: str, *, now: dt.datetime, actor: str) -> Standing:
    """Admit one consumer out of turn, entering them if need be; over rate and max active, by hand.

    It counts against both, and can't exceed the total; who is inside stays as they are, whatever the
    total. Raises NotOpenYet, Closed, IllegalMove.
    """
    with transaction.atomic(durable=True):
        queue = _locked(distribution.pk)
        if queue is None:
            raise errors.NotFound(distribution.title)
        if not _is_inside(queue, consumer_id, now):
            _require_admissions(queue, now)
        standing = lifecycle.enter(queue.distribution, consumer_id, now=now, actor=actor, out_of_turn=True)
        while standing.status == Status.QUEUED:
            admitted = _admit(queue, [standing.id], now=now, actor=actor, data={"outOfTurn": True})
            # None: they left just now. Entered anew by us, nobody else can move them before we commit.
            standing = (
                admitted[0]
                if admitted
                else lifecycle.enter(queue.distribution, consumer_id, now=now, actor=actor, out_of_turn=True)
            )
    if standing.status != Status.ADMITTED:
        raise errors.IllegalMove(f"It is {standing.status}.", status=standing.status)
    return standing


def _is_inside(queue: Queue, consumer_id: str, now: dt.datetime) -> bool:
    inside = Participation.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        distribution_id=queue.pk,
        consumer_id=consumer_id,
        status=Status.ADMITTED,
    )
    return inside.exists()


@transaction.atomic(durable=True)
def admit_some(distribution_id: str, number: int, *, now: dt.datetime, actor: str) -> int:
    """Admit the next `number` in line by hand, over rate and max active, within the total; how many were.

    Raises NotOpenYet or Closed.
    """
    queue = _locked(distribution_id)
    if queue is None:
        return 0
    _require_admissions(queue, now)
    ids = _next_in_line(queue, min(number, _left_in_total(queue)))
    return len(_admit(queue, ids, now=now, actor=actor, data={"byHand": True}))


@transaction.atomic(durable=True)
def admit_batch(distribution_id: str, *, now: dt.datetime) -> int:
    """Admit whoever is due by rate, room and total; how many were (invariants 9 and 10).

    A second scheduler finds the row locked and does nothing; a late or repeated one finds the minute
    used up. Quietly nothing for a queue that is gone, closed, paused, by hand only, or not drawn yet.
    """
    queue = _locked(distribution_id, skip_locked=True)
    if queue is None or not queue.admission_rate or is_draw_due(queue.distribution, now):
        return 0
    if phases.phase(queue.distribution, now) != Phase.OPEN:
        return 0
    paid_until, number = _allowance(queue, queue.admission_rate, now)
    ids = _next_in_line(queue, min(number, _room(queue), _left_in_total(queue)))
    admitted = _admit(queue, ids, now=now, actor=events.by_system("admit_queue"))
    if admitted:
        paid = paid_until + len(admitted) * MINUTE / queue.admission_rate
        Queue.objects.filter(pk=queue.pk).update(paced_until=paid)
    return len(admitted)


def _locked(distribution_id: str, *, skip_locked: bool = False) -> Queue | None:
    """The queue with its row locked: admissions of one queue are decided one after another.

    Read after the lock is held: a join in the locking statement would show the tally as it was before
    the wait.
    """
    rows = Queue.objects.select_for_update(no_key=True, skip_locked=skip_locked).filter(pk=distribution_id)
    if not rows.values_list("pk").first():
        return None
    joined = Queue.objects.select_related("distribution__tally", "distribution__sequence")
    queue = joined.get(pk=distribution_id)
    queue.distribution.queue = queue
    return queue


def _require_admissions(queue: Queue, now: dt.datetime) -> None:
    distribution = queue.distribution
    found = phases.phase(distribution, now)
    if found == Phase.CLOSED or _left_in_total(queue) == 0:
        raise errors.Closed(distribution.title)
    if found == Phase.PENDING and distribution.open_at is not None:
        opens_at = distribution.open_at
        raise errors.NotOpenYet(distribution.title, opens_at, now=now, wait_until=opens_at)


def _allowance(queue: Queue, rate: int, now: dt.datetime) -> tuple[dt.datetime, int]:
    """From when on the rate is unpaid, and how many it allows now.

    Paid out evenly, with at most `SAVED_UP` (or one admission, and what passes until its tick) in hand;
    and, whatever the schedulers did, never more than `rate` in the minute up to now, counted in the
    participations themselves.
    """
    one = -(-MINUTE // rate)  # rounded up: a microsecond less would never be due
    earliest = now - max(SAVED_UP, one + TICK)
    unpaid = max(earliest, queue.paced_until or now - max(TICK, one))
    due = (now - unpaid) * rate // MINUTE
    last_minute = Participation.objects.filter(distribution_id=queue.pk, admitted_at__gt=now - MINUTE).count()
    return unpaid, max(0, min(due, rate - last_minute))


def _room(queue: Queue) -> int:
    """How many more may be inside at once."""
    return MANY if queue.max_active is None else max(0, queue.max_active - queue.distribution.tally.inside)


def _left_in_total(queue: Queue) -> int:
    """How many admissions are left of the total; those not used come back where they are recycled."""
    if queue.max_admissions is None:
        return MANY
    tally = queue.distribution.tally
    used = tally.admitted - (tally.returned if queue.recycle_expired else 0)
    return max(0, queue.max_admissions - used)


def vacancies(distribution: Distribution, now: dt.datetime) -> int | None:
    """How many who come now would have a place, and be admitted in the end; None: any number."""
    tally, limits = distribution.tally, []
    if tally.places is not None:
        limits.append(tally.places - tally.taken)
    if distribution.queue.max_admissions is not None:
        limits.append(_left_in_total(distribution.queue) - tally.taken)
    return max(0, min(limits)) if limits else None


def _next_in_line(queue: Queue, number: int) -> list[int]:
    if number <= 0:
        return []
    return list(line.waiting(queue.distribution).values_list("id", flat=True)[:number])


def _admit(
    queue: Queue,
    ids: list[int],
    *,
    now: dt.datetime,
    actor: str,
    data: dict[str, Any] | None = None,
) -> list[Standing]:
    lasts = queue.session_seconds
    expires_at = now + dt.timedelta(seconds=lasts) if lasts else None
    return lifecycle.admit(queue.distribution, ids, now=now, actor=actor, expires_at=expires_at, data=data)


def due_to_admit(now: dt.datetime) -> list[str]:
    """Queues in which somebody waits and the rate may allow one more."""
    return ids_of(
        Kind.QUEUE,
        Q(open_at=None) | Q(open_at__lte=now),
        closed_at=None,
        paused_at=None,
        queue__admission_rate__gt=0,
        tally__taken__gt=0,
    )


def due_to_open(now: dt.datetime) -> list[str]:
    """Queues that opened and whose opening is not in the trace yet, or whose order is not drawn."""
    undrawn = Q(queue__randomize_before_open=True, drawing__drawn_at=None)
    return ids_of(
        Kind.QUEUE, Q(open_at=None) | Q(open_at__lte=now), Q(opened_at=None) | undrawn, closed_at=None
    )


def drawn_since(since: dt.datetime) -> list[str]:
    """Queues whose order was drawn since then: all places in their lines are new."""
    return ids_of(Kind.QUEUE, drawing__drawn_at__gte=since, closed_at=None)


def running_ids() -> list[str]:
    """All queues that are not over for good."""
    return ids_of(Kind.QUEUE, closed_at=None)


def due_to_close(now: dt.datetime) -> list[str]:
    """Queues that are over by the clock or used up, or that still hold people after they closed."""
    used_up = Q(queue__recycle_expired=False, tally__admitted__gte=F("queue__max_admissions")) | Q(
        queue__recycle_expired=True, tally__completed__gte=F("queue__max_admissions")
    )
    return ids_of(
        Kind.QUEUE,
        Q(closed_at=None) & (Q(close_at__lte=now) | used_up) | Q(closed_at__isnull=False, tally__taken__gt=0),
    )
