"""How a draw's places are given: once by the draw, and again when a winner does not claim (invariants 11–13).

Both go down one order, which was fixed when all was drawn. `offered` says how far; who of those had been
denied, had left or was erased after the freeze is passed over, and stands in the proof. All that writes here
holds the Drawing's lock, so two workers, a retry or a repeated task find the work done.
"""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from distributions.core import catalog, drawings, lifecycle, proofs, selection
from distributions.core.finding import ids_of
from distributions.core.models import Distribution, Drawing, Kind, Participation, Status, Tally
from distributions.draws import beacon as drand
from distributions.draws import rules
from distributions.draws.models import Draw
from experiences import events
from fanfare import errors

ALTERNATES = 1_000  # put in order beside the winners; more when they are needed
AT_ONCE = 10_000  # places given by one statement
RETRY = dt.timedelta(seconds=5)  # between two looks for a beacon's value


def beacon_of(draw: Draw) -> proofs.Beacon | None:
    """The round that the draw names."""
    if draw.beacon is None:
        return None
    chain, number = draw.beacon["chain"], draw.beacon["round"]
    return proofs.Beacon(chain, number, drand.CHAINS[chain].time_of(number))


def run(
    distribution_id: str, *, now: dt.datetime, actor: str, at: drawings.Clock | None = None
) -> int | None:
    """Draw, once; how many won. None: it was drawn before, another worker is at it, or it can't be drawn
    (not frozen, closed by hand, or its beacon's value is not here).

    `at`: what to ask for the time when all are in order, from which winners may claim; else `now`.
    """
    with transaction.atomic(durable=True):
        drawing = drawings.locked(distribution_id)
        if drawing is None or not is_ready(drawing):
            return None
        value = proofs.randomness(drawing)
        most = drawing.winner_count + ALTERNATES
        drawings.draw(drawing, most=most, beacon=value, at=at or (lambda: now))
        now = drawing.drawn_at or now
        _lock_the_rest(distribution_id)  # only now: with a million entries the order takes seconds
        if Distribution.objects.filter(pk=distribution_id, closed_at__isnull=False).exists():
            transaction.set_rollback(True)
            return None
        won = _give(drawing, drawing.winner_count, now, actor)
        events.record(
            "draw.drawn",
            drawing.distribution.organization_id,
            at=now,
            actor=actor,
            distribution_id=distribution_id,
            data={
                "root": drawing.root,
                "seed": bytes(drawing.seed or b"").hex(),
                "entries": drawing.entries,
                "winners": won,
                "level": proofs.level(drawing, beacon_of(drawing.distribution.draw)),
            },
        )
        transaction.on_commit(catalog.forget)
    return won


def is_ready(drawing: Drawing) -> bool:
    """Whether nothing but the deed is missing."""
    is_there = drawing.frozen_at is not None and drawing.drawn_at is None
    distribution = drawing.distribution
    has_value = distribution.draw.beacon is None or bool(drawing.beacon_signature)
    return is_there and distribution.closed_at is None and has_value


def pass_on(distribution_id: str, *, now: dt.datetime, actor: str) -> int:
    """Offer every place that came back to the next in the drawn order; how many were taken up.

    Quietly nothing where the draw passes none on.
    """
    with transaction.atomic(durable=True):
        drawing = _locked(distribution_id)
        if drawing is None or rules.is_settled(_whole(distribution_id), now) or drawing.drawn_at is None:
            return 0
        given = _give(drawing, _free(drawing), now, actor)
        transaction.on_commit(catalog.forget)
    return given


def offer_next(distribution_id: str, *, now: dt.datetime, actor: str) -> str:
    """Staff's hand: one place that came back to the next alternate, who may have been told that they lost;
    the consumer's id. Raises IllegalMove where nothing is drawn, no place is free or nobody is left.
    """
    with transaction.atomic(durable=True):
        drawing = _locked(distribution_id, wait=True)
        if drawing is None or drawing.drawn_at is None:
            raise errors.IllegalMove("Nothing is drawn yet.")
        end_at = drawing.distribution.draw.end_at
        if drawing.distribution.closed_at is not None or (end_at is not None and now >= end_at):
            raise errors.Closed(drawing.distribution.title)
        if _free(drawing) <= 0:
            raise errors.IllegalMove("Every place is taken.")
        if not _give(drawing, 1, now, actor, {"byHand": True}):
            raise errors.IllegalMove("Nobody is left.")
        number = drawings.number_at(distribution_id, drawing.distribution.draw.offered - 1)
        transaction.on_commit(catalog.forget)
    rows = Participation.objects.filter(distribution_id=distribution_id, place=number)
    return str(rows.values_list("consumer_id", flat=True).get())


def _locked(distribution_id: str, *, wait: bool = False) -> Drawing | None:
    """The drawing, and all else that giving a place needs, locked; None as `drawings.locked` has it."""
    drawing = drawings.locked(distribution_id, wait=wait)
    if drawing is not None:
        _lock_the_rest(distribution_id)
    return drawing


def _lock_the_rest(distribution_id: str) -> None:
    """The draw's settings and its tally: settings are changed in that order too.

    Closing waits at the tally, so nobody is given a place who was told before that all is over.
    """
    for row in (Draw, Tally):
        row.objects.select_for_update(no_key=True).get(pk=distribution_id)


def _whole(distribution_id: str) -> Distribution:
    return Distribution.objects.select_related("draw", "tally", "drawing").get(pk=distribution_id)


def _free(drawing: Drawing) -> int:
    """Places that nobody holds or has used."""
    tally = Tally.objects.get(pk=drawing.pk)
    return drawing.winner_count - (tally.admitted - tally.returned)


def _give(
    drawing: Drawing, places: int, now: dt.datetime, actor: str, data: dict[str, Any] | None = None
) -> int:
    """Offer so many places down the order; the caller holds the lock. How many were given."""
    distribution, draw = drawing.distribution, drawing.distribution.draw
    order = drawings.unpack_order(drawing.frozen_list.order)
    lasts = draw.claim_seconds
    expires_at = now + dt.timedelta(seconds=lasts) if lasts else None
    given = 0
    while given < places and draw.offered < drawing.entries:
        if draw.offered == len(order):
            order = drawings.extend(drawing, ALTERNATES)
        turn = order[draw.offered : draw.offered + min(places - given, AT_ONCE)]
        rows = Participation.objects.filter(
            distribution_id=distribution.pk, status=Status.QUEUED, place__in=turn
        )
        ids = list(rows.values_list("id", flat=True))
        admitted = lifecycle.admit(distribution, ids, now=now, actor=actor, expires_at=expires_at, data=data)
        given += len(admitted)
        draw.offered += len(turn)
        draw.passed_over += _passed_over(distribution.pk, set(turn) - {one.place for one in admitted})
    # Not by `save`, which would put a version into the history of its settings.
    Draw.objects.filter(pk=draw.pk).update(offered=draw.offered, passed_over=draw.passed_over)
    return given


def _passed_over(distribution_id: str, numbers: set[int]) -> list[dict[str, Any]]:
    """Who got no place though it was their turn, and why."""
    if not numbers:
        return []
    rows = Participation.objects.filter(distribution_id=distribution_id, place__in=numbers)
    reasons = {
        place: (status, reason)
        for place, status, reason in rows.values_list("place", "status", "deny_reason")
    }
    gone = (Status.DENIED, selection.MISSING)
    return [{"number": number, "reason": _reason(*reasons.get(number, gone))} for number in sorted(numbers)]


def _reason(status: str, reason: str) -> str:
    """A code of the contract, since somebody's own words are not published."""
    if status != Status.DENIED:
        return str(status)
    return reason if reason in (*selection.REMOVED, selection.MISSING) else selection.OTHER


# --- The beacon -----------------------------------------------------------------------------------
def look_for_beacon(distribution_id: str, *, now: dt.datetime) -> bool:
    """Fetch and keep the value that the draw waits for; whether it is here. Not asked for too often."""
    drawing = Drawing.objects.select_related("distribution__draw").filter(pk=distribution_id).first()
    if drawing is None:
        return False
    named = beacon_of(drawing.distribution.draw)
    if named is None or drawing.beacon_signature:
        return True
    tried = Draw.objects.filter(
        Q(beacon_tried_at=None) | Q(beacon_tried_at__lte=now - RETRY), pk=distribution_id
    )
    if now < named.at or not tried.update(beacon_tried_at=now):
        return False
    signature = drand.fetch(named.chain, named.round)
    return signature is not None and _keep(distribution_id, signature)


def take_beacon(distribution_id: str, signature: bytes, *, now: dt.datetime) -> None:
    """The value from staff's hand, checked like any other. Raises Invalid, IllegalMove."""
    distribution = _whole(distribution_id)
    named = beacon_of(distribution.draw)
    if named is None or distribution.drawing.frozen_at is None or now < named.at:
        raise errors.IllegalMove("The draw does not wait for a beacon.")
    if not drand.is_genuine(named.chain, named.round, signature):
        raise errors.Invalid(
            errors.Detail("signature", f"Not the network's signature of round {named.round}.")
        )
    if not _keep(distribution_id, signature):
        raise errors.IllegalMove("The value is here already.")


def _keep(distribution_id: str, signature: bytes) -> bool:
    waiting = Drawing.objects.filter(pk=distribution_id, beacon_signature="", frozen_at__isnull=False)
    kept = waiting.update(beacon_signature=signature.hex())
    catalog.forget()
    return bool(kept)


# --- What is due ----------------------------------------------------------------------------------
def due_to_draw(now: dt.datetime) -> list[str]:
    """Draws that are frozen, and whose time has come."""
    return ids_of(
        Kind.DRAW,
        draw__draw_at__lte=now,
        closed_at=None,
        drawing__frozen_at__isnull=False,
        drawing__drawn_at=None,
    )


def due_to_pass_on(now: dt.datetime) -> list[str]:
    """Draws in which a place came back that goes to the next by itself."""
    return ids_of(
        Kind.DRAW,
        Q(draw__end_at=None) | Q(draw__end_at__gt=now),
        closed_at=None,
        draw__alternates=True,
        draw__claim_seconds__isnull=False,
        drawing__drawn_at__isnull=False,
        draw__offered__lt=F("drawing__entries"),
        tally__admitted__lt=F("drawing__winner_count") + F("tally__returned"),
    )
