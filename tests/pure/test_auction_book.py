"""The price rules of auctions by cases that a person can follow."""

import pytest

from distributions.auctions.book import BidKind, Refusal
from tests.pure.auction_sale import Deed, played, terms

# --- One winner ------------------------------------------------------------------------------------

A, B, C, D = 1, 2, 3, 4
TABLE = (terms(increments=((200, 20), (500, 50))), terms(increments=((0, 5),)))
STEPS = [(99, 10), (199, 10), (200, 20), (499, 20), (500, 50), (10**15, 50)]


@pytest.mark.parametrize(
    ("deeds", "leader", "price", "minimum"),
    [
        ([], None, None, 100),
        ([(A, 100, None)], A, 100, 110),
        ([(A, 100, 300)], A, 100, 110),  # alone, the proxy raises nothing
        ([(A, 100, 300), (B, 110, None)], A, 120, 130),  # one increment above who does not win
        ([(A, 100, 115), (B, 110, None)], A, 115, 125),  # but never above their own
        ([(A, 100, 300), (B, 110, 300)], A, 300, 310),  # of equal maxima the earlier, at that maximum
        ([(A, 100, 300), (B, 110, 301)], B, 301, 311),
        ([(A, 100, 300), (B, 110, 400)], B, 310, 320),
        ([(A, 100, 300), (A, 110, 500)], A, 110, 120),  # naming a price is a bid, from the leader too
        ([(A, 100, 300), (A, 100, 500)], A, 100, 110),  # the maximum alone: the price stays
        ([(A, 100, 300), (A, 100, 500), (B, 110, 400)], A, 410, 420),
        ([(A, 100, 300), (B, 110, 200), (A, 210, 250)], A, 210, 220),  # a lower maximum takes nothing back
        ([(A, 100, 300), (B, 110, None), (B, 120, None)], A, 120, 130),  # the second is refused
        ([(A, 100, None), (B, 110, None), (A, 120, None)], A, 120, 130),
        ([(A, 99, 500)], None, None, 100),  # refused, the proxy with it
    ],
)
def test_one_winner(deeds: list[Deed], leader: int | None, price: int | None, minimum: int) -> None:
    book = played(terms(), *deeds).book
    assert (book.leader and book.leader.bidder, book.high, book.minimum) == (leader, price, minimum)


@pytest.mark.parametrize(
    ("deeds", "refusal", "least"),
    [
        ([(A, 99, None)], Refusal.TOO_LOW, 100),
        ([(A, 100, None), (B, 100, None)], Refusal.TOO_LOW, 110),
        ([(A, 100, None), (B, 101, None)], Refusal.BELOW_INCREMENT, 110),
        ([(A, 100, None), (B, 109, 900)], Refusal.BELOW_INCREMENT, 110),  # the proxy makes up for nothing
        ([(A, 100, None), (A, 100, None)], Refusal.TOO_LOW, 110),
        ([(A, 100, 300), (A, 100, 300)], Refusal.TOO_LOW, 110),  # a maximum that is no higher
        ([(A, 100, 300), (A, 100, 200)], Refusal.TOO_LOW, 110),
        ([(A, 100, 300), (B, 110, None), (A, 99, 500)], Refusal.TOO_LOW, 130),
    ],
)
def test_refused(deeds: list[Deed], refusal: Refusal, least: int) -> None:
    verdict = played(terms(), *deeds).verdicts[-1]
    assert (verdict.refusal, verdict.least, verdict.offer) == (refusal, least, None)


@pytest.mark.parametrize(("price", "increment"), STEPS)
def test_the_increment_by_a_table(price: int, increment: int) -> None:
    """The step of the highest row that the price reaches; below all rows the plain one."""
    assert TABLE[0].increment(price) == increment
    assert TABLE[1].increment(price) == 5


def test_the_table_is_asked_at_the_price_that_must_be_exceeded() -> None:
    sale = played(TABLE[0], (A, 190, 1000), (B, 200, None))
    assert (sale.book.high, sale.book.minimum) == (220, 240)  # 20 above 200, and again 20 above 220
    sale.bid(B, 495)
    assert (sale.book.high, sale.book.minimum) == (515, 565)


@pytest.mark.parametrize(
    ("deeds", "price", "minimum"),
    [
        ([(A, 100, 249)], 100, 110),
        ([(A, 100, 250)], 250, 260),  # a maximum at the reserve lifts the price to it
        ([(A, 100, 400)], 250, 260),
        ([(A, 300, None)], 300, 310),
        ([(A, 100, 249), (A, 100, 260)], 250, 260),  # also by the leader's own raise
        ([(A, 100, 240), (B, 110, 245)], 245, 255),
        ([(A, 100, 400), (B, 260, None)], 270, 280),
    ],
)
def test_the_reserve(deeds: list[Deed], price: int, minimum: int) -> None:
    book = played(terms(reserve=250), *deeds).book
    assert (book.high, book.minimum) == (price, minimum)


def test_meeting_the_reserve() -> None:
    assert [terms(reserve=250).meets_reserve(maximum) for maximum in (249, 250, 251)] == [False, True, True]
    assert terms().meets_reserve(1)


@pytest.mark.parametrize(
    ("deeds", "kind"),
    [
        ([(A, 500, None)], BidKind.BUY_NOW),
        ([(A, 900, None)], BidKind.BUY_NOW),  # at the price announced, not at the one named
        ([(A, 499, 900)], BidKind.BID),  # a proxy buys nothing
        ([(A, 100, 480), (B, 480, None), (C, 500, None)], BidKind.BUY_NOW),
        ([(A, 100, 499), (B, 490, None), (C, 509, None)], BidKind.BID),  # the price has passed it
        ([(A, 100, None), (A, 500, None)], BidKind.BUY_NOW),  # the leader too
    ],
)
def test_buying_at_once(deeds: list[Deed], kind: BidKind) -> None:
    verdict = played(terms(buy_now=500), *deeds).verdicts[-1]
    assert verdict.kind == kind
    if kind == BidKind.BUY_NOW:
        assert verdict.offer is not None
        assert (verdict.offer.amount, verdict.offer.maximum) == (500, 500)


# --- Several winners -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deeds", "winning", "minimum"),
    [
        ([(A, 100, None)], {A: 100}, 100),  # a place is free
        ([(A, 300, None), (B, 100, None)], {A: 300, B: 100}, 110),  # each at their own
        ([(A, 300, None), (B, 100, None), (C, 110, None)], {A: 300, C: 110}, 120),
        ([(A, 100, 300), (B, 100, 200), (C, 110, None)], {A: 120, B: 120}, 130),
        ([(A, 100, None), (B, 100, None), (C, 110, None)], {A: 100, C: 110}, 110),  # the later gives way
        ([(A, 100, 500), (B, 100, 200), (C, 110, 200)], {A: 210, B: 200}, 210),
        ([(A, 100, 500), (B, 100, 200), (A, 100, 600)], {A: 100, B: 100}, 110),
        ([(A, 400, 500), (B, 100, None), (A, 400, None)], {A: 400, B: 100}, 110),  # refused: at 400 already
        ([(A, 400, 500), (B, 100, None), (A, 401, None)], {A: 401, B: 100}, 110),
    ],
)
def test_two_winners(deeds: list[Deed], winning: dict[int, int], minimum: int) -> None:
    book = played(terms(places=2), *deeds).book
    found = zip(book.winning, book.prices, strict=True)
    assert ({offer.bidder: price for offer, price in found}, book.minimum) == (winning, minimum)


def test_a_winner_is_told_the_least_that_raises_their_own_price() -> None:
    verdict = played(terms(places=2), (A, 400, 500), (B, 100, None), (A, 400, None)).verdicts[-1]
    assert (verdict.refusal, verdict.least) == (Refusal.TOO_LOW, 401)


def test_a_winner_who_would_buy_is_told_the_price_of_that() -> None:
    """Their own price, driven up by who does not win, has reached what buying costs."""
    sale = played(terms(starting=10, places=2, buy_now=100), (C, 10, 90), (A, 50, 500), (B, 90, None))
    assert (sale.book.high, sale.book.minimum) == (100, 100)
    refused = sale.bid(A, 95)
    assert (refused.refusal, refused.least) == (Refusal.BELOW_INCREMENT, 100)
    assert sale.bid(A, 100).kind == BidKind.BUY_NOW


def test_one_of_two_is_bought() -> None:
    """One place is left, for which the others go on; the better of them has it."""
    sale = played(terms(places=2, buy_now=500), (A, 100, 300), (B, 100, 200), (C, 500, None))
    assert [
        (offer.bidder, price) for offer, price in zip(sale.book.winning, sale.book.prices, strict=True)
    ] == [(A, 210)]
    assert sale.bid(D, 500).kind == BidKind.BUY_NOW
    assert sale.book.winning == ()
