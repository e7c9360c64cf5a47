"""What a draw decides: who may enter with which weight, when the list is frozen, how a consumer stands.

How the places are given is `results`. Entries close at the earlier of `close_at` and `draw_at`, or when
staff freeze the list. Losers are not written anywhere: whoever waits when all is drawn, and can't get a
place any more, has lost, from that very instant.
"""

import datetime as dt
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from consumers import conditions
from consumers.models import Consumer
from distributions.core import catalog, drawings, lifecycle, phases, switches
from distributions.core.finding import ids_of
from distributions.core.models import Distribution, Kind, Reason, Status, Tally
from distributions.core.standing import Standing
from distributions.draws.models import Draw, EntryWeight
from experiences import events
from experiences.models import Sequence
from fanfare import errors

# After its end a draw gives no place any more, but one given just before may not be seen yet: the worker is
# still writing it, or what is remembered of the draw is older. Until then nobody is told that they lost.
LAST_PLACES = dt.timedelta(seconds=2)


class DrawPhase(StrEnum):
    """Where a draw is in its life."""

    PENDING = "PENDING"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    DRAWN = "DRAWN"


def phase(distribution: Distribution, now: dt.datetime) -> DrawPhase:
    """The phase at `now`."""
    if distribution.drawing.drawn_at is not None:
        return DrawPhase.DRAWN
    if is_entering_over(distribution, now):
        return DrawPhase.CLOSED
    is_open = distribution.open_at is None or now >= distribution.open_at
    return DrawPhase.OPEN if is_open else DrawPhase.PENDING


def closes_at(distribution: Distribution) -> dt.datetime:
    """When nobody enters or leaves any more."""
    at = distribution.draw.draw_at
    return min(at, distribution.close_at or at)


def is_entering_over(distribution: Distribution, now: dt.datetime) -> bool:
    """Whether entries have closed: by the clock, by hand, or since the list is frozen."""
    by_hand = distribution.tally.frozen is not None or distribution.closed_at is not None
    return by_hand or now >= closes_at(distribution)


def enter(
    distribution: Distribution,
    consumer_id: str,
    *,
    now: dt.datetime,
    actor: str,
    fingerprint: bytes | None,
    metadata: dict[str, Any] | None = None,
) -> Standing:
    """Take part. Raises NotOpenYet, Closed, Full."""
    if is_entering_over(distribution, now):
        raise errors.Closed(distribution.title)
    phases.require_open(distribution, now=now)
    values: dict[str, Any] = {"now": now, "actor": actor, "fingerprint": fingerprint, "metadata": metadata}
    # Weights are final from the first entry on; before, what is remembered of them may be older.
    is_final = distribution.tally.entered > 0
    weight = _weight_for(distribution, distribution.draw.weights, consumer_id) if is_final else 1
    if is_final and weight == 1:
        return lifecycle.enter(distribution, consumer_id, **values)
    with transaction.atomic():
        standing = lifecycle.enter(distribution, consumer_id, **values)
        if not is_final:  # whoever changes them waits for the tally, which we hold now
            declared = Draw.objects.values_list("weights", flat=True).get(pk=distribution.pk)
            weight = _weight_for(distribution, declared, consumer_id)
        if weight > 1 and standing.place is not None and standing.entered_at == now:
            row = EntryWeight(distribution=distribution, number=standing.place, weight=weight)
            EntryWeight.objects.bulk_create([row], ignore_conflicts=True)
    return standing


def _weight_for(distribution: Distribution, weights: list[dict[str, Any]], consumer_id: str) -> int:
    """The highest weight among the sequences whose conditions the consumer meets; 1 where there is none."""
    declared = {entry["sequence"]: int(entry["weight"]) for entry in weights}
    if not declared:
        return 1
    experience_id = distribution.sequence.experience_id
    ways = list(Sequence.objects.filter(experience_id=experience_id, slug__in=declared))
    is_guest = Consumer.objects.values_list("is_guest", flat=True).get(pk=consumer_id)
    lacking = conditions.missing(ways, consumer_id, is_guest=is_guest)
    return max([1, *(declared[way.slug] for way in ways if not lacking[way.pk])])


@lru_cache(maxsize=100_000)
def weight_of(distribution_id: str, number: int) -> int:
    """The weight with which an entry was made; it never changes, and each status asks for it."""
    rows = EntryWeight.objects.filter(distribution_id=distribution_id, number=number)
    return rows.values_list("weight", flat=True).first() or 1


def leave(distribution: Distribution, consumer_id: str, *, now: dt.datetime, actor: str) -> Standing:
    """Take the entry back until entries close, or give a won place up.

    Raises Closed, NotEntered, IllegalMove.
    """
    before = lifecycle.latest(distribution, consumer_id)
    # What is remembered of the draw may be older than a freeze by hand.
    is_frozen = Tally.objects.filter(pk=distribution.pk, frozen__isnull=False).exists()
    if before.status == Status.QUEUED and (is_frozen or is_entering_over(distribution, now)):
        raise errors.Closed(distribution.title, message="Entries have closed; the list stands.")
    return lifecycle.leave(distribution, consumer_id, now=now, actor=actor)


adjusting = lifecycle.unadjusted


def current(distribution: Distribution, now: dt.datetime) -> Distribution:
    """The draw as it is: nothing has to be done before it is looked at."""
    return distribution


def vacancies(distribution: Distribution, now: dt.datetime) -> int | None:
    """Nobody has a place by coming; a draw gives them."""
    return 0


def standing_at(distribution: Distribution, standing: Standing, now: dt.datetime) -> Standing:
    """As it is at `now`: an entry that can't get a place any more is lost, though nobody wrote that down."""
    if standing.status != Status.QUEUED:
        return standing.at(now)
    drawn_at = distribution.drawing.drawn_at
    if drawn_at is None:
        closed_at = distribution.closed_at
        return standing if closed_at is None else standing.denied(Reason.DRAW_CLOSED, closed_at)
    if _was_offered(distribution, standing):
        # Redis, or a row read before the draw, has not heard yet.
        standing = lifecycle.latest(distribution, standing.consumer_id)
        if standing.status != Status.QUEUED or _was_offered(distribution, standing):
            return standing.at(now)
    has_lost = is_settled(distribution, now - LAST_PLACES)
    return standing.denied(Reason.NOT_SELECTED, drawn_at) if has_lost else standing


def _was_offered(distribution: Distribution, standing: Standing) -> bool:
    return standing.place in drawings.first_of(distribution.pk, distribution.draw.offered)


def is_settled(distribution: Distribution, now: dt.datetime) -> bool:
    """Whether no place is passed on any more by itself, so that all who wait have lost.

    Without a limit to claiming nothing falls back; with alternates it may until all places are claimed.
    """
    draw, tally, drawing = distribution.draw, distribution.tally, distribution.drawing
    if drawing.drawn_at is None:
        return False
    is_over = distribution.closed_at is not None or (draw.end_at is not None and now >= draw.end_at)
    is_used_up = tally.completed >= drawing.winner_count or draw.offered >= drawing.entries
    return not draw.alternates or draw.claim_seconds is None or is_over or is_used_up


def freeze(distribution_id: str, *, now: dt.datetime, actor: str, at: drawings.Clock | None = None) -> bool:
    """Close entries, write the list down and publish its root, once; whether this call did.

    `at`: what to ask for the time when the list is whole; else `now` is told.
    In two transactions: the first ends entering and is short, since entries and leaves wait for it.
    """
    Tally.objects.filter(pk=distribution_id, frozen=None).update(frozen=F("entered"), is_closed=True)
    catalog.forget()
    return _freeze(distribution_id, at or (lambda: now), actor)


@transaction.atomic(durable=True)
def _freeze(distribution_id: str, at: drawings.Clock, actor: str) -> bool:
    drawing = drawings.locked(distribution_id)
    if drawing is None or drawing.frozen_at is not None or drawing.distribution.closed_at is not None:
        return False
    numbers = Tally.objects.values_list("frozen", flat=True).get(pk=distribution_id) or 0
    weights = EntryWeight.objects.filter(distribution_id=distribution_id).values_list("number", "weight")
    winners = drawing.distribution.draw.winner_count
    drawings.freeze(
        drawing,
        numbers=numbers,
        winners=winners,
        weights=weights.iterator(drawings.CHUNK),
        at=at,
        actor=actor,
    )
    assert drawing.frozen_at is not None
    told = {
        "root": drawing.root,
        "numbers": drawing.numbers,
        "entries": drawing.entries,
        "removed": drawing.removed,
    }
    events.record(
        "draw.frozen",
        drawing.distribution.organization_id,
        at=drawing.frozen_at,
        actor=actor,
        distribution_id=distribution_id,
        data=told,
    )
    transaction.on_commit(catalog.forget)
    return True


def deny_entrants(distribution_id: str, *, now: dt.datetime, actor: str) -> int:
    """Write down that a draw which staff closed before it was drawn has no winners; how many were denied.

    Whoever draws looks whether it is closed under the lock that closing takes: nobody draws it any more.
    """
    found = Distribution.objects.select_related("tally", "drawing").filter(pk=distribution_id).first()
    if found is None or found.closed_at is None or found.drawing.drawn_at is not None:
        return 0
    return switches.deny_waiting(found, reason=Reason.DRAW_CLOSED, now=now, actor=actor)


def due_to_freeze(now: dt.datetime) -> list[str]:
    """Draws whose entries have closed and whose list is not written down yet."""
    return ids_of(
        Kind.DRAW,
        Q(close_at__lte=now) | Q(draw__draw_at__lte=now) | Q(tally__frozen__isnull=False),
        closed_at=None,
        drawing__frozen_at=None,
    )


def due_to_deny() -> list[str]:
    """Draws that staff closed before they were drawn, and in which somebody still waits."""
    return ids_of(Kind.DRAW, closed_at__isnull=False, drawing__drawn_at=None, tally__taken__gt=0)
