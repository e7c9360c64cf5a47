"""Laws of the price rules of auctions, for any history of bids."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as some

from distributions.auctions.book import BidKind, Offer, Refusal, Terms, decide, offer_of, open_book
from tests.pure.auction_sale import Deed, Sale

small = some.integers(1, 120)
tables = some.lists(
    some.tuples(some.integers(0, 100), some.integers(0, 9)), max_size=3, unique_by=lambda r: r[0]
)


@some.composite
def any_terms(draw: some.DrawFn) -> Terms:
    """As settings allow them: steps and prices rise, reserve above the start, buy-now above both."""
    starting, increment = draw(some.integers(0, 60)), draw(some.integers(1, 9))
    steps, step = [], increment
    for start, more in sorted(draw(tables)):
        step += more
        steps.append((start, step))
    reserve = draw(some.none() | some.integers(starting, 110))
    least = max(starting, reserve or 0) + 1
    buy_now = draw(some.none() | some.integers(least, least + 60))
    return Terms(starting, increment, tuple(steps), reserve, buy_now, draw(some.integers(1, 4)))


@some.composite
def histories(draw: some.DrawFn) -> list[tuple[int, int, int | None]]:
    """Bids of few people, so that they meet again; none is made to be accepted."""
    deeds = []
    for _ in range(draw(some.integers(0, 25))):
        amount = draw(small)
        maximum = draw(some.none() | some.integers(amount, 150))
        deeds.append((draw(some.integers(1, 6)), amount, maximum))
    return deeds


def take(sale: Sale, deeds: Sequence[Deed]) -> None:
    for bidder, amount, maximum in deeds:
        if sale.terms.places and bidder not in sale.bought:
            sale.bid(bidder, amount, maximum)


@given(any_terms(), histories())
def test_the_lowest_winning_price_never_falls(terms: Terms, deeds: list[Deed]) -> None:
    sale = Sale(terms)
    for deed in deeds:
        low, minimum = sale.book.low, sale.book.minimum
        take(sale, [deed])
        if not sale.terms.places:
            break
        assert low is None or (sale.book.low is not None and sale.book.low >= low)
        assert sale.book.minimum >= minimum
        if sale.verdicts and sale.verdicts[-1].kind == BidKind.RAISE and terms.reserve is None:
            assert sale.book.minimum == minimum


@given(any_terms(), histories())
def test_the_price_never_falls_where_nobody_buys(terms: Terms, deeds: list[Deed]) -> None:
    sale = Sale(Terms(**{**vars(terms), "buy_now": None}))
    high = 0
    for deed in deeds:
        take(sale, [deed])
        assert (sale.book.high or 0) >= high
        high = sale.book.high or 0


@given(any_terms(), histories())
def test_with_one_winner_each_named_price_is_above_the_one_before(terms: Terms, deeds: list[Deed]) -> None:
    sale = Sale(Terms(**{**vars(terms), "places": 1, "buy_now": None}))
    for deed in deeds:
        price = sale.book.high
        verdict = sale.bid(*deed)
        if verdict.kind == BidKind.BID and price is not None:
            assert deed[1] >= price + sale.terms.increment(price)
        elif verdict.refusal is not None and price is not None:
            assert deed[1] < price + sale.terms.increment(price)


offers = some.lists(
    some.tuples(small, some.integers(0, 60)), max_size=8
).map(
    lambda rows: [
        Offer(bidder, amount + more, bidder * 3 % 11, amount) for bidder, (amount, more) in enumerate(rows, 1)
    ]
)  # fmt: skip


@given(any_terms(), offers, some.randoms())
def test_the_order_in_which_offers_are_looked_at_is_nothing(
    terms: Terms, found: list[Offer], random: object
) -> None:
    mixed = list(found)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert open_book(terms, mixed) == open_book(terms, found)


@given(any_terms(), offers)
def test_who_wins_and_at_which_price(terms: Terms, found: list[Offer]) -> None:
    """The highest maxima, of equals the earlier; each within what they named, above who does not win."""
    book = open_book(terms, found)
    losing = [offer for offer in found if not book.is_winning(offer.bidder)]
    assert len(book.winning) == min(terms.places, len(found))
    for winner, price in zip(book.winning, book.prices, strict=True):
        assert winner.amount <= price <= winner.maximum
        assert all((winner.maximum, -winner.since) > (other.maximum, -other.since) for other in losing)
        highest = max((other.maximum for other in losing), default=None)
        if highest is not None:
            assert price >= min(winner.maximum, highest + terms.increment(highest))
        if terms.reserve is not None and winner.maximum >= terms.reserve:
            assert price >= terms.reserve
        # Not a unit more than one of these asks for.
        reasons = {winner.amount, winner.maximum, terms.reserve}
        reasons |= set() if highest is None else {highest + terms.increment(highest)}
        assert price in reasons


@given(any_terms(), offers, some.integers(0, 9))
def test_only_one_more_than_the_places_matter(terms: Terms, found: list[Offer], cut: int) -> None:
    """Which is why reading so many is enough."""
    ranked = sorted(found, key=lambda offer: (-offer.maximum, offer.since))
    assert open_book(terms, ranked[: terms.places + 1 + cut]) == open_book(terms, found)


@given(any_terms(), histories(), some.integers(1, 6))
@settings(max_examples=200)
def test_the_least_is_accepted_and_nothing_below_it(terms: Terms, deeds: list[Deed], bidder: int) -> None:
    sale = Sale(terms)
    take(sale, deeds)
    if not sale.terms.places or bidder in sale.bought:
        return
    number, own, book = len(sale.verdicts) + 1, sale.offers.get(bidder), sale.book
    refused = decide(book, own, bidder, number, 1, None)
    if refused.refusal is None:
        assert book.minimum == 1
        return
    assert decide(book, own, bidder, number, refused.least, None).kind in (BidKind.BID, BidKind.BUY_NOW)
    for amount in {1, refused.least // 2 or 1, refused.least - 1}:
        below = decide(book, own, bidder, number, amount, None)
        assert below.refusal is not None
        assert below.least == refused.least
        is_short = book.low is not None and book.low < amount < book.minimum
        assert below.refusal == (Refusal.BELOW_INCREMENT if is_short else Refusal.TOO_LOW)
    assert own is not None or refused.least == book.minimum


@given(any_terms(), histories())
def test_what_bidders_stand_for_follows_from_their_bids_alone(terms: Terms, deeds: list[Deed]) -> None:
    """So a bid can be taken back: what is left comes to what it would have come to."""
    sale = Sale(terms)
    take(sale, deeds)
    for bidder, offer in sale.offers.items():
        bids = [(number, amount, top) for who, number, amount, top in sale.made if who == bidder]
        assert offer_of(bidder, bids) == offer == offer_of(bidder, bids[::-1])
    assert offer_of(1, []) is None


@given(any_terms(), histories())
def test_nobody_is_committed_beyond_what_they_said(terms: Terms, deeds: list[Deed]) -> None:
    sale = Sale(terms)
    take(sale, deeds)
    said: dict[int, int] = {}
    for bidder, amount, maximum in deeds:
        said[bidder] = max(said.get(bidder, 0), maximum or amount)
    for offer, price in zip(sale.book.winning, sale.book.prices, strict=True):
        assert price <= said[offer.bidder]
