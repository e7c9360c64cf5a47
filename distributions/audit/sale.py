"""An auction replayed by its own rules: each bid decided again, in the order of the trace. Pure.

Where guests who bid turned out to be somebody, the bids of two are one bidder's since then, and which were
whose is not known any more: then bids are not decided again, and only what they come to is weighed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from distributions.auctions import book, state
from distributions.auctions.book import BidKind, Book, Offer, Refusal
from distributions.auctions.models import Auction, Bid, Bidder
from distributions.audit.findings import Ledger
from distributions.audit.trace import Settings
from distributions.core.models import Status

BIDS = "every bid was decided by the rules, at the price they come to"
STAND = "every bidder stands for what their bids come to"
IN_TIME = "no bid after the closing"
HIGHEST = "the highest bidders won, each at the price the rules say"
PRICED = {
    "startingPrice": "starting_price",
    "minimumBidIncrement": "minimum_bid_increment",
    "incrementTable": "increment_table",
    "reservePrice": "reserve_price",
    "buyNowPrice": "buy_now_price",
    "winnerCount": "winner_count",
}
MERGED = "guests who bid turned out to be somebody: the bids of both are one bidder's"
Step = tuple[int, str, str | None, dict[str, Any]]
"""An event: id, name, consumer, data."""


@dataclass
class Sale:
    """Where the auction stands at some point of its trace."""

    auction: Auction  # a copy of our own: its settings are as they were then
    settings: Settings
    bids: Mapping[str, Bid]
    ledger: Ledger
    offers: dict[int, Offer] = field(default_factory=dict)
    named: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    bought: int = 0

    def see(self, step: Step) -> None:
        """The next event."""
        event, name, consumer, data = step
        self.settings.apply(event)
        for told, column in PRICED.items():
            setattr(self.auction, column, self.settings.get(told))
        if name == "auction.settled":
            self._settle(event, data)
        elif name in ("auction.consumer.denied", "auction.consumer.left"):
            if data.get("from") == Status.QUEUED:
                theirs = [bid.participation_id for bid in self.bids.values() if bid.consumer_id == consumer]
                self.offers = {key: one for key, one in self.offers.items() if key not in theirs}
        elif name in ("auction.bid.placed", "auction.bid.refused", "auction.bid.voided"):
            bid = self.bids.get(str(data.get("bid")))
            ids = {"event": event, "bid": data.get("bid"), "consumer": consumer}
            if self.ledger.of(BIDS).require(bid is not None, "the bid is not there", **ids) and bid:
                self._bid(name, bid, ids)

    @property
    def book(self) -> Book:
        """By what the next bid is decided."""
        self.auction.bought = self.bought
        return book.open_book(state.terms_of(self.auction), self.offers.values())

    def _bid(self, name: str, bid: Bid, ids: dict[str, Any]) -> None:
        bidder = bid.participation_id or 0
        if name == "auction.bid.voided":
            self.named[bidder] = [one for one in self.named.get(bidder, []) if one[0] != bid.number]
            offer = book.offer_of(bidder, self.named[bidder])
            self.offers.pop(bidder, None)
            self.offers |= {} if offer is None else {bidder: offer}
            return
        verdict = book.decide(
            self.book, self.offers.get(bidder), bidder, bid.number, bid.amount, bid.max_amount
        )
        promise = self.ledger.of(BIDS)
        if name == "auction.bid.refused":
            if bid.refusal in list(Refusal):  # others were refused before the price was looked at
                promise.require(verdict.refusal == bid.refusal, f"by the rules {verdict}", **ids)
            return
        is_right = verdict.kind == bid.kind and not bid.refusal
        if not promise.require(is_right, f"{bid.kind} of {bid.amount}, by the rules {verdict}", **ids):
            return
        if bid.kind == BidKind.BUY_NOW:
            self.offers.pop(bidder, None)
            self.bought += 1
        elif verdict.offer is not None:
            self.offers[bidder] = verdict.offer
            self.named.setdefault(bidder, []).append((bid.number, bid.amount, bid.max_amount or bid.amount))
        found = self.book
        high = found.high if found.terms.places else bid.amount
        promise.require(bid.high_after == high, f"the price was {bid.high_after}, by the rules {high}", **ids)

    def _settle(self, event: int, data: dict[str, Any]) -> None:
        found = self.book
        consumers = {bid.participation_id: bid.consumer_id for bid in self.bids.values()}
        pairs = zip(found.winning, found.prices, strict=True)
        due = {consumers[one.bidder]: price for one, price in pairs if found.terms.meets_reserve(one.maximum)}
        told = {winner["consumer"]: winner["price"] for winner in data["winners"]}
        self.ledger.of(HIGHEST).require(told == due, f"{told} won, by the rules {due}", event=event)


def buyers(bids: Iterable[Bid]) -> set[int | None]:
    """Who bought a place at once; what else their bids come to matters to nobody."""
    return {bid.participation_id for bid in bids if bid.kind == BidKind.BUY_NOW and not bid.refusal}


def check_bidders(bidders: Iterable[Bidder], bids: Sequence[Bid], ledger: Ledger) -> None:
    """What each bidder's row says is what their bids come to."""
    named: dict[int | None, list[tuple[int, int, int]]] = {}
    for bid in bids:
        if not bid.refusal and bid.voided_at is None and bid.kind != BidKind.BUY_NOW:
            one = (bid.number, bid.amount, bid.max_amount or bid.amount)
            named.setdefault(bid.participation_id, []).append(one)
    bought = buyers(bids)
    for bidder in bidders:
        due, stored = book.offer_of(bidder.pk, named.get(bidder.pk, [])), state.offer_of(bidder)
        if bidder.pk not in bought:
            ledger.of(STAND).require(due == stored, f"{stored}, by the bids {due}", participation=bidder.pk)


def check_times(bids: Iterable[Bid], ledger: Ledger) -> None:
    """Accepted while it was open. What buys the last place closes it at that instant."""
    for bid in bids:
        if not bid.refusal and bid.closes_at is not None and bid.kind != BidKind.BUY_NOW:
            is_in_time = bid.at < bid.closes_at
            ledger.of(IN_TIME).require(is_in_time, f"{bid.at}, closed {bid.closes_at}", bid=bid.pk)


def check_winners(bidders: Sequence[Bidder], bids: Sequence[Bid], ledger: Ledger) -> None:
    """Nobody who waits in vain would have gone further than somebody who won."""
    bought = buyers(bids)
    winners = [one.maximum for one in bidders if one.price is not None and one.pk not in bought]
    least = min((maximum for maximum in winners if maximum is not None), default=None)
    for loser in bidders:
        is_waiting = loser.participation.status == Status.QUEUED
        if least is not None and is_waiting and loser.maximum is not None:
            told = f"lost with {loser.maximum}, another one won with {least}"
            ledger.of(HIGHEST).require(loser.maximum <= least, told, participation=loser.pk)
