"""A crowd that bids by itself, and what must be true of every auction afterwards."""

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

from distributions.auctions import rules
from distributions.auctions.bidding import Ask
from distributions.auctions.models import Auction, Bid, Bidder
from distributions.core.models import LIVE, Distribution, Participation
from experiences.models import Event
from fanfare import clock, errors
from tests.concurrency.plain_auction import PlainAuction, PlainBid

CLOSED = "AUCTION_CLOSED"


@dataclass(frozen=True)
class Told:
    """What a bidder saw of one bid, by the clock of this machine, which is PostgreSQL's too."""

    began: dt.datetime
    ended: dt.datetime
    code: str = ""  # why it was refused


def bid(auction: Distribution, consumer_id: str, amount: int, maximum: int | None = None) -> Any:
    """As the endpoint does, without a device."""
    ask = Ask(amount, maximum, "EUR")
    return rules.bid(auction, consumer_id, ask, actor=f"consumer:{consumer_id}", fingerprint=None)


def try_bid(auction: Distribution, consumer_id: str, amount: int, maximum: int | None = None) -> Told:
    """Bid, and say how it went; anything but a refusal is raised."""
    began, code = clock.now(), ""
    try:
        bid(auction, consumer_id, amount, maximum)
    except errors.FanfareError as refusal:
        code = refusal.code
    return Told(began, clock.now(), code)


def stored(auction: Distribution) -> Auction:
    return Auction.objects.select_related("distribution").get(pk=auction.pk)


def next_amount(auction: Distribution, chance: random.Random) -> tuple[int, int | None]:
    """What somebody bids who has just looked: a little more, now and then with a proxy, or too little."""
    has = stored(auction)
    least = has.starting_price if has.low is None else has.low + has.minimum_bid_increment
    amount = max(1, least + chance.randint(-10, 60))
    return amount, amount + chance.randint(0, 80) if chance.random() < 0.5 else None


def rows_of(auction: Distribution) -> list[Bid]:
    return list(Bid.objects.filter(auction=auction.pk).order_by("number"))


def accepted(auction: Distribution) -> list[Bid]:
    return [row for row in rows_of(auction) if not row.refusal]


def plain(auction: Distribution, bids: list[Bid] | None = None) -> PlainAuction:
    """The plain model with the accepted bids that count, those given or all that are stored."""
    has = stored(auction)
    found = PlainAuction(
        has.starting_price,
        has.minimum_bid_increment,
        [],
        has.reserve_price,
        has.buy_now_price,
        has.winner_count,
    )
    for row in accepted(auction) if bids is None else bids:
        found.bids.append(
            PlainBid(
                row.number,
                row.consumer_id,
                str(row.kind),
                row.amount,
                row.max_amount or row.amount,
                row.voided_at is not None,
            )
        )
    return found


def winners(auction: Distribution) -> dict[str, int]:
    """Who has got a place, and for how much."""
    rows = Bidder.objects.filter(auction=auction.pk, participation__admitted_at__isnull=False)
    return {str(who): price or 0 for who, price in rows.values_list("participation__consumer_id", "price")}


def require_true_rows(auction: Distribution, decided: int | None = None) -> None:
    """Numbers without gaps; one row and one trace a bid, in the same order; the auction's row says so too."""
    rows, has = rows_of(auction), stored(auction)
    assert [row.number for row in rows] == list(range(1, has.number + 1))
    assert decided is None or has.number == decided
    out = Participation.objects.filter(distribution=auction.pk, status__in=["DENIED", "LEFT"])
    if not out.exists():  # of whoever was taken out no bid counts
        shown = [row for row in rows if row.kind != "RAISE" and not row.refusal]
        assert has.bids == sum(row.voided_at is None for row in shown)
    events = Event.objects.filter(distribution_id=auction.pk)
    told = events.filter(name__in=["auction.bid.placed", "auction.bid.refused"]).order_by("id")
    placed = [(event.data["bid"], event.name.endswith("placed")) for event in told]
    assert placed == [(row.pk, not row.refusal) for row in rows]


def require_rising(auction: Distribution) -> None:
    """Each named price is above the one before, and the price that bids left never fell."""
    named = [row.amount for row in accepted(auction) if row.kind == "BID"]
    assert all(one < other for one, other in zip(named, named[1:], strict=False)), named
    prices = [row.high_after or 0 for row in accepted(auction)]
    assert prices == sorted(prices)


def require_in_time(auction: Distribution, told: list[Told]) -> None:
    """Nobody was taken after the closing or turned away before it, by what is stored and what they saw."""
    close_at = stored(auction).distribution.close_at
    assert close_at is not None
    for row in rows_of(auction):
        assert row.closes_at is not None
        if row.kind == "BUY_NOW" and row.at == close_at:  # the last place was bought: that is the end
            assert row.closes_at == close_at
        elif not row.refusal:
            assert row.at < min(row.closes_at, close_at)
        else:
            assert (row.refusal == CLOSED) == (row.at >= close_at)
    for one in told:
        assert one.ended >= close_at if one.code == CLOSED else one.began < close_at
    times = [row.at for row in rows_of(auction)]
    assert times == sorted(times)


def require_price(auction: Distribution) -> None:
    """The price on the auction's row, and what to bid next, are what the plain rules say."""
    has, model = stored(auction), plain(auction)
    rows = Participation.objects.filter(distribution=auction.pk)
    there = set(rows.filter(status__in=LIVE).values_list("consumer_id", flat=True))
    model.denied = set(rows.values_list("consumer_id", flat=True)) - there
    assert has.high == model.high()
    if has.low is not None:
        assert has.low + has.minimum_bid_increment == model.least()
