"""Losers of a draw go on into the queue that it names, by themselves and in the drawn order.

Stands above the kinds, since it needs two of them. One loser a transaction: the count of those who went on
changes with the entry that it counts, so that however often the task runs, each is entered once.
"""

import datetime as dt
from contextlib import suppress

from django.db import transaction
from django.db.models import F

from consumers import conditions
from distributions.core import drawings
from distributions.core.models import Distribution, Drawing, Kind, Participation, Status
from distributions.draws import rules as draws
from distributions.draws.models import Draw
from distributions.kinds import KINDS
from experiences import events
from fanfare import errors

AT_ONCE = 500  # losers of one run of the task
ACTOR = events.by_system("fall_through")


def due(now: dt.datetime) -> list[str]:
    """Draws that are over and some of whose losers have not gone on yet."""
    candidates = Distribution.objects.filter(
        kind=Kind.DRAW,
        drawing__drawn_at__isnull=False,
        draw__fall_through__isnull=False,
        draw__fall_through__closed_at=None,
        draw__offered__lt=F("drawing__entries"),
        draw__fell_through__lt=F("drawing__entries"),
    )
    found = candidates.select_related("draw", "tally", "drawing")
    return [distribution.pk for distribution in found if draws.is_settled(distribution, now)]


def run(distribution_id: str, *, now: dt.datetime) -> int:
    """Let the next losers go on, at most `AT_ONCE`; how many were looked at. Stops where the queue is full or
    not open yet, to go on there the next time.
    """
    number = 0
    with suppress(errors.Full, errors.NotOpenYet, errors.Closed):
        while number < AT_ONCE and _next(distribution_id, now):
            number += 1
    return number


@transaction.atomic(durable=True)
def _next(distribution_id: str, now: dt.datetime) -> bool:
    """Enter the next loser into the queue; False when nobody is left, or another worker is at it."""
    drawing = drawings.locked(distribution_id)
    if drawing is None:
        return False
    related = ("distribution__tally", "distribution__drawing", "fall_through__sequence__experience")
    draw = Draw.objects.select_related(*related).get(pk=distribution_id)
    at = max(draw.offered, draw.fell_through)
    is_open = draws.is_settled(draw.distribution, now) and at < drawing.entries
    if draw.fall_through is None or not is_open:
        return False
    Draw.objects.filter(pk=distribution_id).update(fell_through=at + 1)
    loser = _loser(drawing, at)
    if loser is not None:
        _enter(draw.fall_through, loser, now)
    return True


def _loser(drawing: Drawing, at: int) -> Participation | None:
    """Who is at this place of the order (counted from 0), if they still wait."""
    number = drawings.number_at(drawing.pk, at)
    if number is None:
        number = drawings.extend(drawing, drawings.AT_ONCE)[at]
    rows = Participation.objects.select_related("consumer")
    return rows.filter(distribution_id=drawing.pk, place=number, status=Status.QUEUED).first()


def _enter(queue: Distribution, loser: Participation, now: dt.datetime) -> None:
    """Raises Full, NotOpenYet or Closed; quietly nothing for whom the queue's sequence is not open."""
    consumer = loser.consumer
    try:
        if consumer.is_guest and not queue.supports_guest:
            raise errors.SignInRequired
        conditions.require(queue.sequence, consumer.pk, is_guest=consumer.is_guest)
    except (errors.SignInRequired, errors.AccessCodeRequired, errors.NotEligible):
        return
    enter = KINDS[Kind(queue.kind)].rules.enter
    fingerprint = None if loser.fingerprint is None else bytes(loser.fingerprint)
    enter(queue, consumer.pk, now=now, actor=ACTOR, fingerprint=fingerprint)
