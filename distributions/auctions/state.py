"""How an auction stands: its terms for `book`, what follows for its row, and for one bidder."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from distributions.auctions import validation
from distributions.auctions.book import Book, Offer, Terms, price
from distributions.auctions.models import Auction, Bidder
from distributions.auctions.statements import Ranked
from distributions.core import polling
from distributions.core.models import Distribution, Status
from distributions.core.standing import Standing
from fanfare.wire import iso

SHARE_OF_WAIT = 15  # one asks again after this part of the time to the closing
HOLDING_ON = (Status.ADMITTED, Status.COMPLETED)  # who has won, and has not lost that again


class BidStatus(StrEnum):
    """How a bidder stands: ACTIVE is the best so far, though below the reserve."""

    ACTIVE = "ACTIVE"
    OUTBID = "OUTBID"
    WINNING = "WINNING"
    WON = "WON"
    LOST = "LOST"


def terms_of(auction: Auction) -> Terms:
    """What was announced, with the places that are still to be had."""
    return Terms(
        starting_price=auction.starting_price,
        minimum_increment=auction.minimum_bid_increment,
        increments=validation.steps(auction.increment_table, auction.currency_code),
        reserve=auction.reserve_price,
        buy_now=auction.buy_now_price,
        places=auction.winner_count - auction.bought,
    )


def minimum(auction: Auction) -> int:
    """The least amount of the next bid."""
    if auction.low is None:
        return max(auction.starting_price, 1)
    return auction.low + terms_of(auction).increment(auction.low)


def record(auction: Auction, book: Book, best: Iterable[Ranked], at: dt.datetime) -> None:
    """Note on the auction's row what follows from the book; the caller saves it.

    Where all places were bought there is nothing to win, and the last price stands.
    """
    if book.terms.places == 0:
        return
    places = {one.offer.bidder: one.place for one in best}
    leader = None if book.leader is None else places[book.leader.bidder]
    if (book.high, leader) != (auction.high, auction.leader):
        auction.high_at = at if leader is not None else None
    auction.high, auction.leader = book.high, leader
    auction.low, auction.challenge = book.low, book.challenge
    auction.cutoff = None if book.last is None else book.last.maximum
    auction.cutoff_since = None if book.last is None else book.last.since


def extended(auction: Auction, close_at: dt.datetime | None, at: dt.datetime) -> dt.datetime | None:
    """To when a bid accepted at `at` moves the closing; None where it does not. It never comes earlier."""
    window, lasts = auction.extension_window_seconds, auction.extension_seconds
    if close_at is None or window is None or lasts is None:
        return None
    is_used_up = auction.max_extensions is not None and auction.extensions >= auction.max_extensions
    if is_used_up or at < close_at - dt.timedelta(seconds=window):
        return None
    later = at + dt.timedelta(seconds=lasts)
    if auction.hard_end_at is not None:
        later = min(later, auction.hard_end_at)
    return later if later > close_at else None


def earliest_end(open_at: dt.datetime | None, at: dt.datetime) -> dt.datetime:
    """When an auction that ends now closes: an instant after its opening at the earliest."""
    return at if open_at is None else max(at, open_at + dt.timedelta(microseconds=1))


def claim_until(auction: Auction, at: dt.datetime) -> dt.datetime | None:
    """Until when a place given at `at` must be completed."""
    return None if auction.claim_seconds is None else at + dt.timedelta(seconds=auction.claim_seconds)


def offer_of(bidder: Bidder | None) -> Offer | None:
    """What the bidder stands for, where any of their bids counts."""
    if bidder is None or bidder.maximum is None:
        return None
    assert bidder.since is not None
    assert bidder.amount is not None
    return Offer(bidder.participation_id, bidder.maximum, bidder.since, bidder.amount)


def is_winning(auction: Auction, offer: Offer | None) -> bool:
    """Whether the offer is among the best, reserve aside; nobody's is when every place was bought."""
    if offer is None or auction.bought >= auction.winner_count:
        return False
    if auction.cutoff is None or auction.cutoff_since is None:
        return True
    return (offer.maximum, -offer.since) >= (auction.cutoff, -auction.cutoff_since)


def bidder_of(distribution: Distribution, standing: Standing) -> Bidder | None:
    """Who bids by this participation, with auction and participation, as stored now or as `load` found it."""
    known: dict[int, Bidder] | None = getattr(distribution, "bidders_of_one", None)
    if known is not None:
        return known.get(standing.id)
    return Bidder.objects.select_related("auction", "participation").filter(pk=standing.id).first()


def load(pairs: Iterable[tuple[Distribution, Standing]]) -> None:
    """Fetch the bidders of all of these at once, for `bidder_of`; for distributions that nobody remembers."""
    pairs = list(pairs)
    rows = Bidder.objects.select_related("auction", "participation")
    found = rows.in_bulk([standing.id for _, standing in pairs])
    for distribution, _ in pairs:
        distribution.bidders_of_one = found  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Figures:
    """What an auction adds to a consumer's status; amounts in minor units, None where there is none."""

    bid_status: BidStatus
    bid_count: int
    last_bid_amount: int | None = None
    last_bid_time: dt.datetime | None = None
    current_bid: int | None = None  # own, as the proxy has raised it, while winning
    winning_amount: int | None = None  # what to pay, of whoever got a place
    high: int | None = None
    minimum: int | None = None  # while it is open
    poll_after_seconds: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As a bid's answer keeps it; the inverse of `from_json`."""
        found = asdict(self)
        return found | {"last_bid_time": None if self.last_bid_time is None else iso(self.last_bid_time)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Figures":
        """As they were."""
        at = kept["last_bid_time"]
        return cls(
            **{
                **kept,
                "bid_status": BidStatus(kept["bid_status"]),
                "last_bid_time": None if at is None else dt.datetime.fromisoformat(at),
            }
        )


def figures(
    auction: Auction,
    bidder: Bidder | None,
    standing: Standing,
    *,
    close_at: dt.datetime | None,
    now: dt.datetime,
) -> Figures:
    """How a bidder stands."""
    offer = offer_of(bidder)
    winning = is_winning(auction, offer)
    is_waiting = standing.status == Status.QUEUED
    is_open = auction.settled_at is None and (close_at is None or now < close_at)
    current = price(terms_of(auction), offer, auction.challenge) if offer and winning else None
    return Figures(
        bid_status=_status(auction, offer, standing, winning),
        bid_count=0 if bidder is None else bidder.bids,
        last_bid_amount=None if bidder is None else bidder.last_amount,
        last_bid_time=None if bidder is None else bidder.last_at,
        current_bid=current if is_waiting else None,
        winning_amount=bidder.price if bidder and standing.status in HOLDING_ON else None,
        high=auction.high,
        minimum=minimum(auction) if is_open and is_waiting else None,
        poll_after_seconds=polling.advise(wait(auction, close_at, now)) if is_waiting else None,
    )


def _status(auction: Auction, offer: Offer | None, standing: Standing, winning: bool) -> BidStatus:
    if standing.status in HOLDING_ON:
        return BidStatus.WON
    if standing.status != Status.QUEUED:
        return BidStatus.LOST
    if offer is None or not winning:
        return BidStatus.OUTBID
    return BidStatus.WINNING if terms_of(auction).meets_reserve(offer.maximum) else BidStatus.ACTIVE


def wait(auction: Auction, close_at: dt.datetime | None, now: dt.datetime) -> float:
    """Seconds after which asking again makes sense: less and less towards the end."""
    if auction.settled_at is not None:  # often enough not to miss a second chance
        return min(polling.FAR, (auction.claim_seconds or polling.FAR) / 3)
    if close_at is None:
        return polling.FAR
    if now < close_at:
        return (close_at - now).total_seconds() / SHARE_OF_WAIT
    due = max(close_at, auction.settle_at or close_at)
    return max(0.0, (due - now).total_seconds())
