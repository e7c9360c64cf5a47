"""How an auction ends: closed, settled, its places passed on; and its figures counted anew.

All of it holds the auction's row, so that two workers, a retry, a repeated task or a request that comes
first find the work done. Who may win is read under that lock; the time is the database's.
"""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from distributions.auctions import book, state, statements
from distributions.auctions.book import BidKind, Book
from distributions.auctions.models import STATE, Auction, Bid, Bidder
from distributions.auctions.statements import Ranked
from distributions.core import catalog, lifecycle
from distributions.core.finding import ids_of
from distributions.core.models import Distribution, Kind, Status, Tally
from experiences import events
from fanfare.wire import iso

AT_ONCE = 200  # places passed on by one call
OUT = (Status.LEFT, Status.DENIED)  # without ever having won: then no bid of theirs counts


def locked(auction_id: str) -> Auction | None:
    """The auction with its row locked, and the rest read after that; None: there is none."""
    rows = Auction.objects.select_for_update(no_key=True).filter(pk=auction_id)
    if not rows.values_list("pk").first():
        return None
    return Auction.objects.select_related("distribution__tally", "distribution__sequence").get(pk=auction_id)


def read(auction: Auction) -> tuple[Book, list[Ranked]]:
    """Where it stands, and its best bidders; the caller holds the lock."""
    terms = state.terms_of(auction)
    best = statements.best_of(auction.pk, terms.places + 1)
    return book.open_book(terms, [one.offer for one in best]), best


def recount(auction: Auction, at: dt.datetime) -> None:
    """Write the auction's figures anew after who bids, or which bids count, has changed; lock held.

    What it was settled with stays; then only how many may still be offered a place changes.
    """
    if auction.settled_at is None:
        state.record(auction, *read(auction), at)
        out = {"participation__status__in": OUT, "participation__admitted_at": None}
        counting = Bid.objects.filter(auction=auction, refusal="", voided_at=None).exclude(**out)
        auction.bids = counting.exclude(kind=BidKind.RAISE).count()
    else:
        auction.chances = _chances(auction).count()
    save(auction)


def save(auction: Auction) -> None:
    """Its state, past the history of its settings."""
    Auction.objects.filter(pk=auction.pk).update(**{name: getattr(auction, name) for name in STATE})
    transaction.on_commit(catalog.forget)


def is_over(distribution: Distribution, at: dt.datetime) -> bool:
    """Whether nobody bids any more."""
    by_clock = distribution.close_at is not None and at >= distribution.close_at
    return by_clock or distribution.closed_at is not None


def is_due(auction: Auction, at: dt.datetime) -> bool:
    """Whether winners may be admitted, once it is over; at once when every place was bought."""
    is_sold = auction.bought >= auction.winner_count
    return auction.settle_at is None or at >= auction.settle_at or is_sold


def end(auction_id: str, *, actor: str) -> int | None:
    """Close what is over and settle what is due, each once; how many won, None when it was not settled.

    What is not over by the database's clock stays as it is.
    """
    with transaction.atomic(durable=True):
        auction = locked(auction_id)
        if auction is None or auction.settled_at or auction.cancelled_at:
            return None
        at = statements.database_now()
        if not is_over(auction.distribution, at):
            return None
        if auction.distribution.closed_at is None:
            close(auction, at=at, actor=actor)
        return settle(auction, at=at, actor=actor) if is_due(auction, at) else None


def close(auction: Auction, *, at: dt.datetime, actor: str, data: dict[str, Any] | None = None) -> None:
    """Write down that bidding is over; the lock is held, and nobody bids from its release on."""
    distribution = auction.distribution
    closed_at = distribution.close_at or at
    Tally.objects.filter(pk=auction.pk).update(is_closed=True)
    Distribution.objects.filter(pk=auction.pk).update(closed_at=closed_at)
    distribution.closed_at = closed_at
    told = {"closeAt": iso(closed_at), "high": auction.high, "currency": auction.currency_code}
    told |= {"bids": auction.bids}
    record(auction, "auction.closed", at, actor, told | {"extensions": auction.extensions} | (data or {}))
    transaction.on_commit(catalog.forget)


def settle(auction: Auction, *, at: dt.datetime, actor: str) -> int:
    """Admit the winners, each at their price; the lock is held. Losers need no row: `rules.standing_at`."""
    found, best = read(auction)
    pairs = zip(found.winning, found.prices, strict=True)
    prices = {one.bidder: price for one, price in pairs if found.terms.meets_reserve(one.maximum)}
    given = _give(auction, prices, at, actor)
    auction.settled_at = at
    auction.chances = _chances(auction).count()
    save(auction)
    consumers = {one.offer.bidder: one.consumer_id for one in best}
    winners = [{"consumer": consumers[bidder], "price": prices[bidder]} for bidder in given]
    told = {"winners": winners, "bought": auction.bought, "currency": auction.currency_code}
    record(auction, "auction.settled", at, actor, told)
    return len(given)


def _give(
    auction: Auction, prices: dict[int, int], at: dt.datetime, actor: str, data: dict[str, Any] | None = None
) -> list[int]:
    """Admit these bidders, each at their price; who was, in the order given."""
    expires_at = state.claim_until(auction, at)
    moved = lifecycle.admit(
        auction.distribution, list(prices), now=at, actor=actor, expires_at=expires_at, data=data
    )
    admitted = {standing.id for standing in moved}
    rows = [Bidder(pk=bidder, price=price) for bidder, price in prices.items() if bidder in admitted]
    Bidder.objects.bulk_update(rows, ["price"])
    return [bidder for bidder in prices if bidder in admitted]


def _chances(auction: Auction) -> Any:
    """Who may still be offered a place, the best first."""
    rows = Bidder.objects.filter(auction=auction, maximum__isnull=False, participation__status=Status.QUEUED)
    if auction.reserve_price is not None:
        rows = rows.filter(maximum__gte=auction.reserve_price)
    return rows.order_by("-maximum", "since")


def is_final(auction: Auction, tally: Tally) -> bool:
    """Whether no place is passed on any more, so that all who wait have lost; it is settled."""
    is_used_up = tally.completed >= auction.winner_count or auction.chances == 0
    return not auction.second_chance or auction.claim_seconds is None or is_used_up


def pass_on(auction_id: str, *, actor: str) -> int:
    """Offer every place that came back to the next bidder, at what they had bid; how many were taken up.

    Quietly nothing where the auction passes none on.
    """
    with transaction.atomic(durable=True):
        auction = locked(auction_id)
        if auction is None or auction.settled_at is None:
            return 0
        # Closing and changing settings take the tally after the auction, too; admissions can't end meanwhile.
        tally = Tally.objects.select_for_update(no_key=True).get(pk=auction_id)
        free = auction.winner_count - (tally.admitted - tally.returned)
        if is_final(auction, tally) or free <= 0:
            return 0
        at = statements.database_now()
        next_ones = _chances(auction).values_list("participation_id", "maximum")[: min(free, AT_ONCE)]
        given = 0
        for bidder, price in list(next_ones):  # each with the price in the trace
            told = {"price": price, "currency": auction.currency_code, "secondChance": True}
            given += len(_give(auction, {bidder: price}, at, actor, told))
        auction.chances = _chances(auction).count()
        save(auction)
        return given


def record(auction: Auction, name: str, at: dt.datetime, actor: str, data: dict[str, Any]) -> None:
    """A row of the trace about the auction."""
    organization_id = auction.distribution.organization_id
    events.record(name, organization_id, at=at, actor=actor, distribution_id=auction.pk, data=data)


# --- What is due ----------------------------------------------------------------------------------
def due_to_end(now: dt.datetime) -> list[str]:
    """Auctions that are over and not written down as such, or whose winners are due."""
    is_due = (
        Q(auction__settle_at=None)
        | Q(auction__settle_at__lte=now)
        | Q(auction__bought__gte=F("auction__winner_count"))
    )
    return ids_of(
        Kind.AUCTION,
        Q(closed_at=None) & Q(close_at__lte=now) | Q(closed_at__isnull=False) & is_due,
        auction__settled_at=None,
        auction__cancelled_at=None,
    )


def due_to_pass_on() -> list[str]:
    """Auctions in which a place came back that goes to the next bidder."""
    return ids_of(
        Kind.AUCTION,
        auction__second_chance=True,
        auction__claim_seconds__isnull=False,
        auction__settled_at__isnull=False,
        auction__chances__gt=0,
        tally__admitted__lt=F("auction__winner_count") + F("tally__returned"),
    )


def due_to_deny() -> list[str]:
    """Auctions that staff cancelled, and in which somebody still waits."""
    return ids_of(Kind.AUCTION, auction__cancelled_at__isnull=False, tally__taken__gt=0)
