"""A history of bids, played by the price rules alone."""

from dataclasses import dataclass, field

from distributions.auctions.book import BidKind, Book, Offer, Terms, Verdict, decide, open_book

Deed = tuple[int, int, int | None]
"""Who bids which amount, and up to which maximum."""


@dataclass
class Sale:
    """A history of bids, played; `offers` of those who wait, `verdicts` of all."""

    terms: Terms
    offers: dict[int, Offer] = field(default_factory=dict)
    made: list[tuple[int, int, int, int]] = field(default_factory=list)  # bidder, number, amount, maximum
    verdicts: list[Verdict] = field(default_factory=list)
    bought: set[int] = field(default_factory=set)

    @property
    def book(self) -> Book:
        return open_book(self.terms, self.offers.values())

    def bid(self, bidder: int, amount: int, maximum: int | None = None) -> Verdict:
        number = len(self.verdicts) + 1
        verdict = decide(self.book, self.offers.get(bidder), bidder, number, amount, maximum)
        self.verdicts.append(verdict)
        if verdict.kind == BidKind.BUY_NOW:
            self.offers.pop(bidder, None)
            self.bought.add(bidder)
            self.terms = Terms(**{**vars(self.terms), "places": self.terms.places - 1})
        elif verdict.offer is not None:
            self.offers[bidder] = verdict.offer
            self.made.append((bidder, number, verdict.offer.amount, maximum or amount))
        return verdict


def terms(starting: int = 100, increment: int = 10, **more: object) -> Terms:
    return Terms(starting, increment, **more)  # type: ignore[arg-type]


def played(terms: Terms, *deeds: Deed) -> Sale:
    sale = Sale(terms)
    for deed in deeds:
        sale.bid(*deed)
    return sale
