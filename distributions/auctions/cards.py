"""An auction as staff read it: its numbers, its words for a standing, its amounts. What a bidder would go up
to is in none of them.
"""

import datetime as dt
from functools import lru_cache
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from distributions.auctions import results, shape, state
from distributions.auctions.models import Auction, Bidder
from distributions.auctions.state import BidStatus
from distributions.core.models import Distribution, Reason, Status
from distributions.core.standing import Standing
from experiences.models import Event
from fanfare import money
from fanfare.console import moment

Card = tuple[str, str, str]
"""Title, number and what there is to say about it."""


def amount(minor: int | None, currency: str) -> str:
    """As forms have it: without the currency; empty for none."""
    return "" if minor is None else money.text(minor, currency)


def priced(minor: int | None, currency: str) -> str:
    """As pages show it, in one piece: `150.00 EUR`."""
    return "" if minor is None else f"{amount(minor, currency)}\N{NO-BREAK SPACE}{currency}"


# --- Numbers --------------------------------------------------------------------------------------
def numbers(distribution: Distribution, now: dt.datetime) -> list[Card]:
    """The cards."""
    auction, tally = distribution.auction, distribution.tally
    least = shape.minimum_next(distribution, now)
    next_bid = priced(least, auction.currency_code)
    bids = auction.bids
    counted = f"{bids:,} {_bids(bids)}; {auction.number - bids:,} refused or void"
    ended = f"{tally.completed:,} completed, {tally.returned:,} returned"
    return [
        _price(auction),
        ("Next bid", next_bid or "none", "at least" if least else "it is over"),
        ("Reserve", _reserve(auction), priced(auction.reserve_price, auction.currency_code)),
        ("Bidders", f"{tally.entered:,}", counted),
        _closing(distribution, now),
        (
            "Winners",
            f"{tally.admitted - tally.returned:,}",
            f"of {auction.winner_count:,}; {_due(auction, now) or ended}",
        ),
    ]


def _bids(number: int) -> str:
    return "bid" if number == 1 else "bids"


def _price(auction: Auction) -> Card:
    if auction.cancelled_at is not None:
        return "Price", "none", "all bids are void"
    leader = "" if auction.leader is None else shape.pseudonym(auction.leader)
    return "Price", priced(auction.high, auction.currency_code) or "no bid", leader


def _reserve(auction: Auction) -> str:
    if auction.reserve_price is None:
        return "none"
    is_met = auction.high is not None and state.terms_of(auction).meets_reserve(auction.high)
    return "met" if is_met else "not met"


def _closing(distribution: Distribution, now: dt.datetime) -> Card:
    """Until when one can bid, or since when no more; the day beside the time, which changes most."""
    auction, closes_at = distribution.auction, distribution.close_at
    if auction.cancelled_at is not None:
        return _at("Cancelled", auction.cancelled_at)
    if results.is_over(distribution, now):
        return _at("Closed", distribution.closed_at or closes_at or now, _extensions(auction))
    if closes_at is None:
        return "Closes", "by hand", ""
    left = str(dt.timedelta(seconds=int((closes_at - now).total_seconds())))
    return _at("Closes", closes_at, f"in\N{NO-BREAK SPACE}{left}", _extensions(auction))


def _at(title: str, at: dt.datetime, *more: str) -> Card:
    local = timezone.localtime(at)
    day = date_format(local, "j\N{NO-BREAK SPACE}M\N{NO-BREAK SPACE}Y\N{NO-BREAK SPACE}T")
    return title, date_format(local, "TIME_FORMAT"), "; ".join(filter(None, (day, *more)))


def _extensions(auction: Auction) -> str:
    """How often the closing moved, where bids may move it."""
    if auction.extension_window_seconds is None:
        return ""
    most = "" if auction.max_extensions is None else f" of {auction.max_extensions:,}"
    return f"{auction.extensions:,}{most} extensions"


def _due(auction: Auction, now: dt.datetime) -> str:
    """When winners are admitted, where that is not at closing."""
    is_decided = auction.settled_at is not None or auction.cancelled_at is not None
    if is_decided or auction.settle_at is None or results.is_due(auction, now):
        return ""
    return f"admitted at {moment(auction.settle_at)}"


def waiting(distribution: Distribution, now: dt.datetime) -> int:
    """Who may still win."""
    auction = distribution.auction
    if auction.cancelled_at is not None:
        return 0
    if auction.settled_at is None:
        return distribution.tally.taken
    return 0 if results.is_final(auction, distribution.tally) else auction.chances


# --- One standing ---------------------------------------------------------------------------------
_WORDS: dict[str, str] = {
    Reason.OUTBID: "Outbid",
    Reason.RESERVE_NOT_MET: "Below the reserve",
    Reason.ADMISSION_EXPIRED: "Not completed",
}
_STANDS: dict[BidStatus, str] = {
    BidStatus.ACTIVE: "the best, but below the reserve",
    BidStatus.OUTBID: "outbid",
    BidStatus.LOST: "lost",
}


def word(distribution: Distribution, standing: Standing) -> str:
    """What a standing is called."""
    if standing.status == Status.QUEUED:
        return "Next in turn" if distribution.auction.settled_at is not None else "Bidding"
    won = {Status.ADMITTED: "Won", Status.COMPLETED: "Completed"}
    return _WORDS.get(standing.deny_reason) or won.get(standing.status) or str(standing.status.label)


def details(distribution: Distribution, standing: Standing, now: dt.datetime) -> str:
    """What a bidder's bids come to, and what there is to pay."""
    auction = distribution.auction
    bidder = Bidder.objects.filter(pk=standing.id).first()
    if bidder is None or auction.cancelled_at is not None:
        return "no bid counts"
    found = state.figures(auction, bidder, standing, close_at=distribution.close_at, now=now)
    stands = _STANDS.get(found.bid_status, "")
    if found.winning_amount is not None:
        stands = f"won at {priced(found.winning_amount, auction.currency_code)}"
    elif found.bid_status == BidStatus.WINNING:
        stands = f"winning at {priced(found.current_bid, auction.currency_code)}"
    last = priced(found.last_bid_amount, auction.currency_code)
    counted = f"{found.bid_count:,} {_bids(found.bid_count)}" + (f", the last one of {last}" if last else "")
    return f"{counted}; {stands}"


# --- The trace ------------------------------------------------------------------------------------
_AMOUNTS = ("amount", "high", "from", "to", "price")


def read_event(event: Event) -> dict[str, Any]:
    """What an event of an auction tells, amounts first and with their currency."""
    has_amounts = any(isinstance(event.data.get(name), int) for name in _AMOUNTS)
    currency = _currency(event.distribution_id) if has_amounts or event.data.get("winners") else None
    return event.data if currency is None else _with_currency(event.data, currency)


@lru_cache(maxsize=1024)
def _currency(auction_id: str | None) -> str | None:
    """Of an auction in which somebody has bid: then it can't change any more."""
    return Auction.objects.filter(pk=auction_id).values_list("currency_code", flat=True).first()


def _with_currency(told: dict[str, Any], currency: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in sorted(told.items(), key=lambda item: item[0] not in _AMOUNTS):
        if name in _AMOUNTS and isinstance(value, int):
            found[name] = priced(value, currency)
        elif name == "winners":
            found[name] = [_with_currency(winner, currency) for winner in value]
        else:
            found[name] = value
    return found
