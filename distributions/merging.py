"""A guest turns out to be somebody: what they had becomes that consumer's, in one transaction.

Where both take part in one distribution, one place is too many: of two that still count the earlier
entry stays and the other one leaves; a place that was won comes before one that was not. A bid is not taken
back by signing in: where both bid, one of them stands for all their bids, and where the consumer has lost or
bought already, the guest's bids stand as they are, to be outbid like any other. Bookings all go along and
stand side by side, as far as one consumer may hold them. What of the two is over for good stays as it is and
where it is, but for a completion, which goes along, since nobody is to complete twice. Where the consumer has
none that counts, the guest's goes along as it is, a denial too: signing in wipes nothing out.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

from consumers import sessions
from consumers.models import Consumer, Redemption, Session, Visit
from distributions.appointments import bookings
from distributions.auctions import bidders
from distributions.core import lifecycle
from distributions.core.models import (
    HOLDING,
    LIVE,
    OVER_FOR_NOW,
    Distribution,
    Kind,
    Participation,
    Reason,
    Status,
    Tally,
)
from distributions.kinds import KINDS
from experiences import events


@dataclass
class _Merger:
    """What became of the guest's participations, by distribution."""

    guest: Consumer
    consumer: Consumer
    now: dt.datetime
    moved: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def merge(guest_id: str, consumer: Consumer, *, now: dt.datetime) -> None:
    """Make the guest this consumer; their sessions end. Nothing happens to one who is no guest.

    The caller holds the transaction. Locks both people first, the consumer before the guest: other
    mergers wait, and so does an entry that is under way; the guest's is then refused
    (`statements.ENTER`). Raises IntegrityError when something slipped in all the same: do it again.
    """
    people = Consumer.objects.select_for_update(no_key=True)
    people.get(pk=consumer.pk)
    guest = people.get(pk=guest_id)
    is_free = guest.is_guest and guest.merged_into_id is None and guest.erased_at is None
    if not is_free or guest.organization_id != consumer.organization_id:
        return
    guest.merged_into = consumer
    guest.save(update_fields=["merged_into"])
    merger = _Merger(guest, consumer, now)
    _move_participations(merger)
    _move_visits(merger)
    _move_redemptions(merger)
    for session in Session.objects.filter(consumer=guest, ended_at=None):
        sessions.end(session, reason="merged", now=now)
    events.record(
        "consumer.merged",
        consumer.organization_id,
        at=now,
        actor=_actor(merger),
        consumer_id=consumer.id,
        data={"guest": guest.id, "moved": merger.moved, "left": merger.left},
    )


def _actor(merger: _Merger) -> str:
    return events.by_consumer(merger.consumer.id)


def _move_participations(merger: _Merger) -> None:
    """Distribution by distribution, in one order, so that two mergers never wait for each other.

    They are read when nothing decides about them any more: an auction may be settled until its lock is held.
    """
    people = [merger.guest, merger.consumer]
    rows = Participation.objects.filter(consumer__in=people).exclude(OVER_FOR_NOW).order_by("id")
    entered = Distribution.objects.filter(pk__in=rows.order_by().values("distribution"))
    entered = entered.select_related("tally", "timed_release", "appointment").order_by("pk")
    for distribution in entered:
        with KINDS[Kind(distribution.kind)].rules.adjusting(distribution):
            related = ("distribution__tally", "distribution__auction", "booking")
            both = rows.filter(distribution=distribution).select_related(*related)
            if move_all := _SEVERAL.get(Kind(distribution.kind)):
                move_all(merger, distribution, both)
                continue
            pair = {row.consumer_id: row for row in both if not _is_expired(merger, row)}
            _move_one(merger, pair.get(merger.guest.id), pair.get(merger.consumer.id))


def _move_one(merger: _Merger, theirs: Participation | None, mine: Participation | None) -> None:
    """What becomes of the guest's participation in one distribution, beside the consumer's own."""
    if theirs is None:
        return
    comes = mine is None or _gives_way(merger, theirs, mine)
    if comes:
        _trace_move(merger, theirs)
        lifecycle.hand_over(theirs.distribution, theirs.pk, merger.consumer.id)
    if theirs.distribution.kind == Kind.AUCTION:
        # A bid is not taken back by signing in: where both bid, one of them stands for all their bids.
        both_bid = mine is not None and mine.status == theirs.status == Status.QUEUED
        kept = None if mine is None or not both_bid else theirs.pk if comes else mine.pk
        bidders.unite(theirs.distribution_id, merger.guest.id, merger.consumer.id, into=kept)


def _move_units(merger: _Merger, distribution: Distribution, rows: QuerySet[Participation]) -> None:
    """Whoever may have several units of a release has what both have completed, and then at most one more:
    of two the earlier. The tally's lock comes first, as in each move, so that they stay as they are found.
    """
    Tally.objects.select_for_update(no_key=True).get(pk=distribution.pk)
    both = [row for row in rows if not _is_expired(merger, row)]
    mine = [row for row in both if row.consumer_id == merger.consumer.id]
    done = [row for row in both if row.status == Status.COMPLETED]
    denied = [row for row in mine or both if row.status == Status.DENIED]  # who has something gets none
    live = sorted((row for row in both if row.status in LIVE), key=_turn)
    may_go_on = len(done) < distribution.timed_release.max_per_consumer and not (mine and denied)
    stays = live[:1] if may_go_on else []
    for row in live:
        if row not in stays:
            _leave(merger, row)
    # What is not completed has the last number: it is how they stand.
    come = [row for row in done if row.consumer_id == merger.guest.id] + (stays or denied)
    is_any_theirs = any(row.consumer_id == merger.guest.id for row in come)
    first = 1 + max((row.unit for row in done if row.consumer_id == merger.consumer.id), default=0)
    # The last one first, so that no number is given before it is free.
    for unit, row in reversed(list(enumerate(come if is_any_theirs else [], start=first))):
        if row.consumer_id == merger.guest.id:
            _trace_move(merger, row)
        lifecycle.hand_over(distribution, row.pk, merger.consumer.id, unit=unit)


def _move_bookings(merger: _Merger, distribution: Distribution, rows: QuerySet[Participation]) -> None:
    """All bookings go along, a denial too, but what one consumer may not hold leaves. Whoever was denied
    gets no more; a guest whose device was used up is nothing to one who is in already.
    """
    Tally.objects.select_for_update(no_key=True).get(pk=distribution.pk)
    both = [row for row in rows if not _is_expired(merger, row)]
    theirs = [row for row in both if row.consumer_id == merger.guest.id]
    mine = [row for row in both if row.consumer_id == merger.consumer.id]
    is_out = any(row.status == Status.DENIED for row in mine)
    goes = [row for row in theirs if is_out and row.status in LIVE]
    if theirs:  # else nothing is added to what the consumer has
        goes += _surplus(distribution, [row for row in both if row not in goes], merger.now)
    for row in goes:
        _leave(merger, row)
    come = [
        row for row in theirs if row not in goes and not (mine and row.deny_reason == Reason.DEVICE_LIMIT)
    ]
    first = bookings.next_unit(distribution, merger.consumer.id)
    for unit, row in enumerate(come, start=first):
        _trace_move(merger, row)
        lifecycle.hand_over(distribution, row.pk, merger.consumer.id, unit=unit)


def _surplus(
    distribution: Distribution, both: Sequence[Participation], now: dt.datetime
) -> list[Participation]:
    """The bookings of the two that are too many for one: of two in one slot, and of more ahead than are
    allowed, those made later. As many as one of them had ahead before are allowed as well.
    """
    held = [row for row in both if row.status in HOLDING[Kind.APPOINTMENT]]
    ahead = Counter(row.consumer_id for row in held if row.booking.ends_at > now)
    most = max([distribution.appointment.max_bookings_per_consumer, *ahead.values()])
    starts: set[dt.datetime] = set()
    number, found = 0, []
    # What is completed stays in any case.
    for row in sorted(held, key=lambda row: (row.status in LIVE, row.entered_at, row.pk)):
        is_ahead = row.booking.ends_at > now
        is_too_many = row.booking.starts_at in starts or (is_ahead and number >= most)
        if row.status in LIVE and is_too_many:
            found.append(row)
            continue
        starts.add(row.booking.starts_at)
        number += is_ahead
    return found


# Kinds of which one consumer may have several.
_SEVERAL = {Kind.TIMED_RELEASE: _move_units, Kind.APPOINTMENT: _move_bookings}


def _is_expired(merger: _Merger, row: Participation) -> bool:
    """Whether an admission's time is over, though nobody may have written it down yet; then it is."""
    is_over = row.status == Status.ADMITTED and row.expires_at is not None and row.expires_at <= merger.now
    if is_over:
        lifecycle.expire(row.distribution, [row.pk], now=merger.now)
    return is_over


def _gives_way(merger: _Merger, theirs: Participation, mine: Participation) -> bool:
    """Settle two in one distribution; True when the consumer's own is gone and the guest's may come."""
    if theirs.status not in LIVE and theirs.status != Status.COMPLETED:
        return False
    is_earlier = theirs.status in LIVE and _turn(theirs) < _turn(mine)
    if mine.status in LIVE and (is_earlier or theirs.status == Status.COMPLETED):
        return _leave(merger, mine)
    if theirs.status in LIVE and not (_is_bidding(theirs) and mine.status != Status.QUEUED):
        _leave(merger, theirs)
    return False


def _is_bidding(row: Participation) -> bool:
    """Whether it stands for bids that may still win."""
    is_waiting = row.distribution.kind == Kind.AUCTION and row.status == Status.QUEUED
    return is_waiting and row.distribution.auction.settled_at is None


def _turn(row: Participation) -> tuple[bool, dt.datetime, int]:
    """Whose turn comes first: a place that was won, then the earlier entry."""
    has_not_won = row.distribution.kind != Kind.QUEUE and row.status != Status.ADMITTED
    return has_not_won, row.entered_at, row.pk


def _leave(merger: _Merger, loser: Participation) -> bool:
    """Whether it could leave; it can't when it was completed or denied just now."""
    done = lifecycle.leave_all(loser.distribution, [loser.pk], now=merger.now, actor=_actor(merger))
    if done and loser.distribution_id not in merger.left:
        merger.left.append(loser.distribution_id)
    return bool(done)


def _trace_move(merger: _Merger, row: Participation) -> None:
    """In the distribution's own trace; Redis is told by it again, should it miss the move."""
    if row.distribution_id not in merger.moved:
        merger.moved.append(row.distribution_id)
    events.record(
        "consumer.merged",
        merger.consumer.organization_id,
        at=merger.now,
        actor=_actor(merger),
        distribution_id=row.distribution_id,
        consumer_id=merger.consumer.id,
        data={"guest": merger.guest.id, "status": row.status},
    )


def _move_visits(merger: _Merger) -> None:
    """Of two in one experience the consumer's own goes on, from whenever either began."""
    mine = {
        visit.experience_id: visit for visit in Visit.objects.filter(consumer=merger.consumer, left_at=None)
    }
    for visit in Visit.objects.filter(consumer=merger.guest, left_at=None):
        rival = mine.get(visit.experience_id)
        if rival is None:
            Visit.objects.filter(pk=visit.pk).update(consumer=merger.consumer)
            continue
        Visit.objects.filter(pk=visit.pk).update(left_at=merger.now)
        if visit.entered_at < rival.entered_at:
            Visit.objects.filter(pk=rival.pk).update(entered_at=visit.entered_at)


def _move_redemptions(merger: _Merger) -> None:
    """What codes opened for the guest is open to the consumer."""
    mine = Redemption.objects.filter(consumer=merger.consumer).values("access_code")
    Redemption.objects.filter(consumer=merger.guest).exclude(access_code__in=mine).update(
        consumer=merger.consumer
    )
