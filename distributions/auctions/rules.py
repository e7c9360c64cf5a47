"""What an auction decides: whether it is open, how a consumer stands, what a bid comes to.

A bid is decided in `bidding`, the end in `results`, staff's deeds in `steering`; the price is `book`'s alone.
Losers are not written anywhere: whoever waits when it is settled, and can't get a place any more, has lost.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from django.db import transaction

from distributions.auctions import bidding, results, state, statements
from distributions.auctions.models import Bidder
from distributions.core import catalog
from distributions.core.models import Distribution, Reason, Status
from distributions.core.standing import Standing
from experiences import events

bid = bidding.bid
SYSTEM = events.by_system("settle_auction")


class AuctionPhase(StrEnum):
    """Where an auction is in its life; a cancelled one is CLOSED."""

    PENDING = "PENDING"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    SETTLED = "SETTLED"


def phase(distribution: Distribution, now: dt.datetime) -> AuctionPhase:
    """The phase at `now`."""
    if distribution.auction.settled_at is not None:
        return AuctionPhase.SETTLED
    if results.is_over(distribution, now):
        return AuctionPhase.CLOSED
    is_open = distribution.open_at is None or now >= distribution.open_at
    return AuctionPhase.OPEN if is_open else AuctionPhase.PENDING


def closes_at(distribution: Distribution) -> dt.datetime | None:
    """When nobody bids any more, by the clock, as extended."""
    return distribution.close_at


def current(distribution: Distribution, now: dt.datetime) -> Distribution:
    """The auction as it is: whoever comes first after its end writes it down and settles it.

    What is remembered may be older than an extension, so that it is over is never believed unseen.
    """
    if not _is_to_end(distribution, now):
        return distribution
    fresh = catalog.renew(distribution)
    if not _is_to_end(fresh, now):
        return fresh
    results.end(distribution.pk, actor=SYSTEM)
    return catalog.renew(distribution)


def _is_to_end(distribution: Distribution, now: dt.datetime) -> bool:
    """Whether there may be something to write down."""
    auction = distribution.auction
    if auction.settled_at is not None or auction.cancelled_at is not None:
        return False
    is_unwritten = distribution.closed_at is None or results.is_due(auction, now)
    return results.is_over(distribution, now) and is_unwritten


def vacancies(distribution: Distribution, now: dt.datetime) -> int | None:
    """Nobody has a place by coming; the best bids do."""
    return 0


def standing_at(distribution: Distribution, standing: Standing, now: dt.datetime) -> Standing:
    """As it is at `now`: who can't get a place any more has lost, though nobody wrote that down.

    Only what is settled is told as final: until then a bid in time may still move the closing.
    """
    auction = distribution.auction
    if standing.status != Status.QUEUED:
        return standing.at(now)
    if auction.cancelled_at is not None:
        return standing.denied(Reason.ADMIN_ACTION, auction.cancelled_at)
    if auction.settled_at is None:
        return standing
    bidder = state.bidder_of(distribution, standing)
    if bidder is None:
        return standing.denied(Reason.OUTBID, auction.settled_at)
    fresh = Standing.of(bidder.participation)
    if fresh.status != Status.QUEUED:  # Redis, or a row read before, has not heard yet
        return fresh.at(now)
    return _lost(distribution, standing, bidder)


def _lost(distribution: Distribution, standing: Standing, bidder: Bidder) -> Standing:
    """How a bidder stands who has not won: lost, or waiting for a second chance."""
    auction = distribution.auction
    assert auction.settled_at is not None
    offer = state.offer_of(bidder)
    is_enough = offer is not None and state.terms_of(auction).meets_reserve(offer.maximum)
    if is_enough and not results.is_final(auction, distribution.tally):
        return standing
    was_best = state.is_winning(auction, offer) and not is_enough
    reason = Reason.RESERVE_NOT_MET if was_best else Reason.OUTBID
    return standing.denied(reason, auction.settled_at)


@contextmanager
def adjusting(distribution: Distribution) -> Iterator[Distribution]:
    """Around whatever takes a bidder out or lets a bid be somebody else's: under the auction's lock, with the
    figures counted anew. People are locked before, tallies inside. Gives the auction as it is under the lock.
    """
    with transaction.atomic():
        found = results.locked(distribution.pk)
        if found is None:
            yield distribution
            return
        found.distribution.auction = found
        yield found.distribution
        auction = results.locked(distribution.pk)  # read again, as it was left
        if auction is not None and auction.cancelled_at is None:
            results.recount(auction, statements.database_now())
