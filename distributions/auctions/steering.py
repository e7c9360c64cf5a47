"""What staff do to an auction that is under way: extend it, end it, cancel it, take one bid back.

Nothing is edited: each deed is traced, and what follows from it is counted anew under the auction's lock.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from distributions.auctions import bidders, results, state, statements
from distributions.auctions.book import BidKind
from distributions.auctions.models import Auction, Bid, Bidder
from distributions.core import catalog, lifecycle, switches
from distributions.core.models import Distribution, Reason, Status, Tally
from experiences import events
from fanfare import errors
from fanfare.wire import iso

TITLE = "Auction"


def extend(auction_id: str, close_at: dt.datetime, *, actor: str) -> None:
    """Move the closing to a later time, which may be as late as the hard end. Raises Closed, Invalid."""
    with _open(auction_id) as (auction, at):
        before, open_at = auction.distribution.close_at, auction.distribution.open_at
        _require_later(auction, close_at, max(filter(None, (before, open_at, at))))
        Distribution.objects.filter(pk=auction_id).update(close_at=close_at)
        told = {"from": before and iso(before), "to": iso(close_at)}
        results.record(auction, "auction.extended", at, actor, told)
        transaction.on_commit(catalog.forget)


def _require_later(auction: Auction, close_at: dt.datetime, than: dt.datetime) -> None:
    latest = auction.hard_end_at
    if close_at <= than:
        raise errors.Invalid(
            errors.Detail("close_at", "It must be later than now, and than the closing so far.")
        )
    if latest is not None and close_at > latest:
        raise errors.Invalid(errors.Detail("close_at", "It can't be later than the hard end."))


def close_now(auction_id: str, *, actor: str) -> int | None:
    """End bidding at this instant; winners are admitted when they are due. How many; None: later.

    Raises Closed, NotOpenYet.
    """
    with _open(auction_id) as (auction, at):
        distribution = auction.distribution
        if distribution.open_at is not None and at < distribution.open_at:
            raise errors.NotOpenYet(TITLE, distribution.open_at, now=at, wait_until=distribution.open_at)
        distribution.close_at = state.earliest_end(distribution.open_at, at)
        Distribution.objects.filter(pk=auction_id).update(close_at=distribution.close_at)
        results.close(auction, at=at, actor=actor, data={"byHand": True})
        return results.settle(auction, at=at, actor=actor) if results.is_due(auction, at) else None


def cancel(auction_id: str, *, reason: str, actor: str) -> int:
    """Void all bids for good: nobody wins, and who bought at once and has not completed is denied. How many
    bids were void. Raises IllegalMove once it is settled or cancelled.
    """
    with transaction.atomic(durable=True):
        auction = _steered(auction_id)
        at = statements.database_now()
        before = auction.high
        auction.cancelled_at, auction.chances, auction.bids = at, 0, 0
        auction.high = auction.leader = auction.high_at = auction.low = None
        auction.challenge = auction.cutoff = auction.cutoff_since = None
        results.save(auction)
        Tally.objects.filter(pk=auction_id).update(is_closed=True)
        Distribution.objects.filter(pk=auction_id, closed_at=None).update(closed_at=at)
        bids = Bid.objects.filter(auction=auction, refusal="", voided_at=None)
        voided = bids.update(voided_at=at, void_reason=reason)
        Bidder.objects.filter(auction=auction).update(bids=0)
        buyers = Bidder.objects.filter(auction=auction, participation__status=Status.ADMITTED)
        ids = list(buyers.values_list("pk", flat=True))
        lifecycle.deny_all(auction.distribution, ids, reason=Reason.ADMIN_ACTION, now=at, actor=actor)
        told = {"bids": voided, "high": before, "currency": auction.currency_code, "reason": reason}
        results.record(auction, "auction.cancelled", at, actor, told)
    return voided


def deny_bidders(auction_id: str, *, now: dt.datetime, actor: str) -> int:
    """Write down that nobody wins a cancelled auction; how many were denied."""
    found = Distribution.objects.select_related("tally", "auction").filter(pk=auction_id).first()
    if found is None or found.auction.cancelled_at is None:
        return 0
    return switches.deny_waiting(found, reason=Reason.ADMIN_ACTION, now=now, actor=actor)


def void(bid_id: str, *, reason: str, actor: str) -> tuple[int | None, int | None]:
    """Take one accepted bid back, as if it had never been made; the price before and after.

    Where the closing was moved by it, it stays moved. Raises IllegalMove: settled, cancelled, void or refused
    before, or bought at once (the buyer is denied instead). The reason stands on the bid alone: it may name
    somebody, and the trace can't forget.
    """
    auction_id = Bid.objects.values_list("auction", flat=True).get(pk=bid_id)
    with transaction.atomic(durable=True):
        auction = _steered(auction_id)
        at, before = statements.database_now(), auction.high
        found = Bid.objects.get(pk=bid_id)  # only now: until the lock is held it may become another bidder's
        if found.kind == BidKind.BUY_NOW:
            raise errors.IllegalMove("It was bought at once; deny the buyer instead.")
        fresh = Bid.objects.filter(pk=bid_id, refusal="", voided_at=None)
        if not fresh.update(voided_at=at, void_reason=reason):
            raise errors.IllegalMove("The bid does not count anyway.")
        bidders.come_to(Bidder.objects.get(participation=found.participation_id))
        results.recount(auction, at)
        told = {"bid": bid_id, "number": found.number, "from": before, "to": auction.high}
        told |= {"currency": auction.currency_code}
        _trace_void(auction, found, at, actor, told)
    return before, auction.high


def _trace_void(auction: Auction, bid: Bid, at: dt.datetime, actor: str, told: dict[str, object]) -> None:
    events.record(
        "auction.bid.voided",
        auction.distribution.organization_id,
        at=at,
        actor=actor,
        distribution_id=auction.pk,
        consumer_id=bid.consumer_id,
        data=told,
    )


@contextmanager
def _open(auction_id: str) -> Iterator[tuple[Auction, dt.datetime]]:
    """The auction under its lock, and the database's time; raises Closed unless it may still be bid on."""
    with transaction.atomic(durable=True):
        auction = _steered(auction_id)
        at = statements.database_now()
        if results.is_over(auction.distribution, at):
            raise errors.Closed(TITLE)
        yield auction, at


def _steered(auction_id: str) -> Auction:
    """The auction under its lock. Raises IllegalMove once its outcome stands."""
    auction = results.locked(auction_id)
    if auction is None:
        raise errors.NotFound(TITLE)
    if auction.settled_at is not None or auction.cancelled_at is not None:
        raise errors.IllegalMove("It is over: settled or cancelled.")
    return auction
