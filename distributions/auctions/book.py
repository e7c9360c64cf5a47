"""The rules of an auction, pure: who is winning at which price, and what becomes of one more bid.

Everything follows from the set of bids that count, not from the way there: of each bidder the highest
maximum (and which bid set it) and the highest amount that they named themselves. So taking a bid back
leaves what there would be without it, and a plain model can repeat any history. Amounts are minor units.

- The `places` highest maxima win; of equal ones the earlier.
- A winner's price is the amount they named, raised by their proxy as far as needed: one increment above
  the highest maximum that does not win, but never above their own.
- A maximum at or above the reserve lifts the price to it.
- The next bid must be one increment above the lowest winning price; at least the starting price while
  there are fewer bidders than places.

So the lowest winning price never falls when a bid is accepted: a new one exceeds it, and whoever gives
way was winning, which makes the highest maximum that does not win at least as high as before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class BidKind(StrEnum):
    """What an accepted bid does: names a price, raises the maximum alone, or buys at once."""

    BID = "BID"
    RAISE = "RAISE"
    BUY_NOW = "BUY_NOW"


class Refusal(StrEnum):
    """Why the price refuses a bid."""

    TOO_LOW = "BID_TOO_LOW"
    BELOW_INCREMENT = "BID_BELOW_INCREMENT"


@dataclass(frozen=True)
class Terms:
    """What was announced; `increments` are (from which price, how much), in order of both.

    `places`: how many may still win; what was bought at once is not among them.
    """

    starting_price: int
    minimum_increment: int
    increments: tuple[tuple[int, int], ...] = ()
    reserve: int | None = None
    buy_now: int | None = None
    places: int = 1

    def increment(self, price: int) -> int:
        """By how much a bid must exceed this price."""
        steps = [step for start, step in self.increments if start <= price]
        return steps[-1] if steps else self.minimum_increment

    def meets_reserve(self, maximum: int) -> bool:
        """Whether such a maximum may win."""
        return self.reserve is None or maximum >= self.reserve


@dataclass(frozen=True)
class Offer:
    """What one bidder stands for; `since` is the number of the bid that set the maximum."""

    bidder: int
    maximum: int
    since: int
    amount: int


@dataclass(frozen=True)
class Book:
    """Where an auction stands: who wins, the best first, each at which price, against which challenge.

    `challenge` is the highest maximum that does not win; `minimum` the least amount of the next bid.
    """

    terms: Terms
    winning: tuple[Offer, ...]
    prices: tuple[int, ...]
    challenge: int | None
    minimum: int

    @property
    def high(self) -> int | None:
        """The highest price; None before the first bid."""
        return max(self.prices, default=None)

    @property
    def low(self) -> int | None:
        """What the next bid has to exceed; None while there are fewer bidders than places."""
        return min(self.prices) if self.prices and len(self.winning) >= self.terms.places else None

    @property
    def leader(self) -> Offer | None:
        """Whose price is the highest; of equals the better ranked."""
        return self.winning[self.prices.index(max(self.prices))] if self.prices else None

    @property
    def last(self) -> Offer | None:
        """Whom the next bidder would displace; None while nobody has to give way."""
        return self.winning[-1] if len(self.winning) >= self.terms.places and self.winning else None

    def price_of(self, offer: Offer) -> int:
        """What the offer is at: a winner's price, or the maximum of one who has been outbid."""
        return dict(zip((one.bidder for one in self.winning), self.prices, strict=True)).get(
            offer.bidder, offer.maximum
        )

    def is_winning(self, bidder: int | None) -> bool:
        """Whether they are among the winners, reserve aside."""
        return any(one.bidder == bidder for one in self.winning)


def open_book(terms: Terms, offers: Iterable[Offer]) -> Book:
    """Where the auction stands with these offers; of each bidder one, and at least the best `places` + 1."""
    ranked = sorted(offers, key=lambda offer: (-offer.maximum, offer.since))
    winning, rest = tuple(ranked[: terms.places]), ranked[terms.places :]
    challenge = rest[0].maximum if rest else None
    prices = tuple(price(terms, offer, challenge) for offer in winning)
    is_free = len(winning) < terms.places or not prices
    minimum = max(terms.starting_price, 1) if is_free else min(prices) + terms.increment(min(prices))
    return Book(terms, winning, prices, challenge, minimum)


def price(terms: Terms, offer: Offer, challenge: int | None) -> int:
    """A winner's price against the challenge."""
    found = offer.amount
    if challenge is not None:
        found = max(found, min(offer.maximum, challenge + terms.increment(challenge)))
    if terms.reserve is not None and offer.maximum >= terms.reserve:
        found = max(found, terms.reserve)
    return found


@dataclass(frozen=True)
class Verdict:
    """What becomes of a bid: its kind and what its bidder then stands for, or a refusal.

    `least` is the least amount that would not have been refused.
    """

    kind: BidKind | None = None
    offer: Offer | None = None
    refusal: Refusal | None = None
    least: int = 0


def decide(
    book: Book, own: Offer | None, bidder: int, number: int, amount: int, maximum: int | None
) -> Verdict:
    """Whether a bid of `amount`, and by proxy up to `maximum`, is accepted, as the auction's `number`th.

    `own` is what the bidder stands for so far. Buying at once comes first, as long as the price is below.
    Who is winning may raise the maximum alone: then the price stays, unless the reserve is met by it.
    """
    buy_now = book.terms.buy_now
    if buy_now is not None and amount >= buy_now >= book.minimum:
        return Verdict(BidKind.BUY_NOW, Offer(bidder, buy_now, number, buy_now))
    is_winning = own is not None and book.is_winning(bidder)
    least = max(book.minimum, book.price_of(own) + 1) if own and is_winning else book.minimum
    if buy_now is not None and buy_now >= book.minimum:
        least = min(least, buy_now)
    if amount >= least:
        return Verdict(BidKind.BID, _merged(own, Offer(bidder, maximum or amount, number, amount)))
    if own and is_winning and maximum and maximum > own.maximum and amount >= own.amount:
        return Verdict(BidKind.RAISE, replace(own, maximum=maximum, since=number))
    is_between = book.low is not None and book.low < amount < book.minimum
    return Verdict(refusal=Refusal.BELOW_INCREMENT if is_between else Refusal.TOO_LOW, least=least)


def _merged(own: Offer | None, bid: Offer) -> Offer:
    """What a bidder stands for with one more bid; an equal maximum stays as early as it was."""
    if own is None:
        return bid
    is_higher = bid.maximum > own.maximum
    return Offer(
        own.bidder,
        maximum=bid.maximum if is_higher else own.maximum,
        since=bid.since if is_higher else own.since,
        amount=max(own.amount, bid.amount),
    )


def offer_of(bidder: int, bids: Sequence[tuple[int, int, int]]) -> Offer | None:
    """What a bidder's bids (number, amount, maximum) come to; None without any."""
    offer: Offer | None = None
    for number, amount, maximum in sorted(bids):
        offer = _merged(offer, Offer(bidder, maximum, number, amount))
    return offer
