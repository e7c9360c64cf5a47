"""What an auction may be set to: reserve, buying now, several winners, a table of steps."""

from typing import Any

import pytest

from distributions.core.models import Distribution
from tests.api import bids
from tests.world import World, assert_error, path_of


def reserve_of(world: World, auction: Distribution) -> tuple[bool, str | None]:
    """What all are told of it: whether it is met, and it itself where staff show it."""
    body = bids.shown(world, auction)
    return body["reserveMet"], body.get("reservePrice")


# --- The reserve ----------------------------------------------------------------------------------
def test_below_the_reserve_the_best_is_active_and_wins_nothing(world: World, clock: Any) -> None:
    auction = world.auction(reserve_price=30_000)
    first, second = bids.bidders(world, 2)
    assert reserve_of(world, auction) == (False, None)
    assert bids.how(first.bid(auction, "100.00")) == ("QUEUED", "ACTIVE", None)
    assert bids.how(second.bid(auction, "110.00", "299.99")) == ("QUEUED", "ACTIVE", None)
    assert bids.how(first.status(auction)) == ("QUEUED", "OUTBID", None)
    assert bids.price(world, auction) == ("110.00", "Bidder 2", "120.00")
    assert reserve_of(world, auction) == (False, None)
    clock.shift(600)
    bids.sweep()
    assert bids.how(second.status(auction)) == ("DENIED", "LOST", "RESERVE_NOT_MET")
    assert bids.how(first.status(auction)) == ("DENIED", "LOST", "OUTBID")
    assert reserve_of(world, auction) == (False, None)
    assert bids.last_event(auction, "auction.settled").data["winners"] == []


@pytest.mark.parametrize("maximum", ["300.00", "900.00"])
def test_a_maximum_at_the_reserve_or_above_lifts_the_price_to_it(
    world: World, clock: Any, maximum: str
) -> None:
    auction = world.auction(reserve_price=30_000)
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00")
    assert bids.how(second.bid(auction, "110.00", maximum)) == ("QUEUED", "WINNING", None)
    assert bids.price(world, auction) == ("300.00", "Bidder 2", "310.00")
    assert reserve_of(world, auction) == (True, None)
    clock.shift(600)
    body = bids.taken(second.status(auction))
    assert (body["status"], body["bidStatus"], body["winningAmount"]) == ("ADMITTED", "WON", "300.00")


def test_a_bid_above_the_reserve_is_at_its_own_amount(world: World, clock: Any) -> None:
    auction, guest = world.auction(reserve_price=30_000), world.consumer()
    assert bids.taken(guest.bid(auction, "310.00"))["currentHighBid"] == "310.00"
    assert reserve_of(world, auction) == (True, None)


def test_a_raise_to_the_reserve_lifts_the_price(world: World, clock: Any) -> None:
    auction, guest = world.auction(reserve_price=30_000), world.consumer()
    guest.bid(auction, "100.00")
    body = bids.taken(guest.bid(auction, "100.00", "350.00"))
    assert (body["bidStatus"], body["currentBid"], body["minimumNextBid"]) == ("WINNING", "300.00", "310.00")
    assert bids.price(world, auction) == ("300.00", "Bidder 1", "310.00")


def test_the_reserve_is_shown_where_staff_say_so(world: World, clock: Any) -> None:
    assert reserve_of(world, world.auction(reserve_price=30_000, show_reserve=True)) == (False, "300.00")
    assert reserve_of(world, world.auction(show_reserve=True)) == (True, None)  # there is none


# --- Buying now -----------------------------------------------------------------------------------
def test_buying_now_ends_the_auction_for_its_one_winner(world: World, clock: Any) -> None:
    auction = world.auction(buy_now_price=50_000, claim_seconds=60)
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00", "450.00")
    assert bids.shown(world, auction)["buyNowPrice"] == "500.00"
    clock.shift(30)
    body = bids.taken(second.bid(auction, "500.00"))
    assert (body["status"], body["bidStatus"], body["winningAmount"]) == ("ADMITTED", "WON", "500.00")
    assert (body["admittedAt"], body["expiresAt"]) == ("2026-12-01T09:00:30Z", "2026-12-01T09:01:30Z")
    token = {"consumerId": second.id, "token": body["admissionToken"]}
    verdict = bids.taken(world.server().post(f"{path_of(auction)}/validate", token))
    assert (verdict["valid"], verdict["amount"], verdict["currencyCode"]) == (True, "500.00", "EUR")
    assert_error(first.bid(auction, "600.00"), 400, "Auction is closed", "AUCTION_CLOSED")
    assert bids.how(first.status(auction)) == ("DENIED", "LOST", "OUTBID")
    shown = bids.shown(world, auction)
    assert (shown["status"], shown["closeAt"]) == ("SETTLED", "2026-12-01T09:00:30Z")
    assert (shown["buyNowPrice"], shown["currentHighBid"], shown["minimumNextBid"]) == (None, "500.00", None)
    assert bids.rows(auction)[1].kind == "BUY_NOW"


def test_more_than_the_price_buys_at_the_price(world: World, clock: Any) -> None:
    auction, guest = world.auction(buy_now_price=50_000), world.consumer()
    body = bids.taken(guest.bid(auction, "700.00", "900.00"))
    assert (body["bidStatus"], body["winningAmount"], body["lastBidAmount"]) == ("WON", "500.00", "500.00")


def test_a_maximum_alone_buys_nothing(world: World, clock: Any) -> None:
    auction, guest = world.auction(buy_now_price=50_000), world.consumer()
    assert bids.how(guest.bid(auction, "100.00", "900.00")) == ("QUEUED", "WINNING", None)
    assert bids.price(world, auction) == ("100.00", "Bidder 1", "110.00")


def test_buying_is_off_once_bids_have_passed_it(world: World, clock: Any) -> None:
    auction = world.auction(buy_now_price=50_000)
    first, second = bids.bidders(world, 2)
    first.bid(auction, "490.00")
    assert bids.shown(world, auction)["buyNowPrice"] == "500.00"  # one more bid is exactly that
    first.bid(auction, "491.00", "491.00")  # below the increment: refused
    assert bids.shown(world, auction)["buyNowPrice"] == "500.00"
    other = world.auction(buy_now_price=50_000)
    first.bid(other, "490.01")
    assert bids.shown(world, other)["buyNowPrice"] is None
    assert bids.refused(second.bid(other, "500.00")) == ("BID_BELOW_INCREMENT", "500.01")
    body = bids.taken(second.bid(other, "510.00"))
    assert (body["status"], body["bidStatus"]) == ("QUEUED", "WINNING")
    assert bids.how(second.bid(auction, "500.00")) == ("ADMITTED", "WON", None)


def test_of_three_places_one_is_bought_and_two_are_bid_for(world: World, clock: Any) -> None:
    auction = world.auction(buy_now_price=50_000, winner_count=3)
    people = bids.bidders(world, 5)
    for person, amount in zip(people, ("100.00", "120.00", "130.00"), strict=False):
        person.bid(auction, amount)
    assert bids.how(people[0].status(auction)) == ("QUEUED", "WINNING", None)
    assert bids.how(people[3].bid(auction, "500.00")) == ("ADMITTED", "WON", None)
    assert bids.how(people[0].status(auction)) == ("QUEUED", "OUTBID", None)  # two places are left
    assert bids.last_event(auction, "auction.bid.outbid").consumer_id == people[0].id
    shown = bids.shown(world, auction)
    assert (shown["status"], shown["closeAt"]) == ("OPEN", "2026-12-01T09:10:00Z")
    assert (shown["currentHighBid"], shown["minimumNextBid"]) == ("130.00", "130.00")
    assert shown["buyNowPrice"] == "500.00"
    assert bids.how(people[4].bid(auction, "140.00")) == ("QUEUED", "WINNING", None)
    clock.shift(600)
    bids.sweep()
    ends = [bids.taken(person.status(auction)) for person in people]
    assert [body["bidStatus"] for body in ends] == ["LOST", "LOST", "WON", "WON", "WON"]
    assert [body.get("winningAmount") for body in ends] == [None, None, "130.00", "500.00", "140.00"]


def test_when_every_place_is_bought_it_is_over(world: World, clock: Any) -> None:
    auction = world.auction(buy_now_price=50_000, winner_count=2)
    people = bids.bidders(world, 4)
    people[0].bid(auction, "100.00")
    for person in people[1:3]:
        assert bids.how(person.bid(auction, "500.00")) == ("ADMITTED", "WON", None)
    assert_error(people[3].bid(auction, "500.00"), 400, "Auction is closed", "AUCTION_CLOSED")
    assert bids.how(people[0].status(auction)) == ("DENIED", "LOST", "OUTBID")
    bids.sweep()
    assert bids.trace(auction).count("auction.settled") == 1


def test_who_has_bought_bids_no_more(world: World, clock: Any) -> None:
    auction, guest = world.auction(buy_now_price=50_000, winner_count=2), world.consumer()
    guest.bid(auction, "500.00")
    before = bids.state(auction)
    body = assert_error(guest.bid(auction, "500.00"), 409, "Illegal transition", "ILLEGAL_TRANSITION")
    assert body["status"] == "ADMITTED"
    assert bids.state(auction) == before
    assert bids.reasons(auction) == ["", "ILLEGAL_TRANSITION"]


# --- Several winners ------------------------------------------------------------------------------
def test_three_win_each_at_their_own_bid(world: World, clock: Any) -> None:
    auction = world.auction(winner_count=3)
    people = bids.bidders(world, 5)
    for person, amount in zip(people[:3], ("100.00", "100.00", "150.00"), strict=True):
        assert bids.how(person.bid(auction, amount)) == ("QUEUED", "WINNING", None)
    assert bids.price(world, auction) == ("150.00", "Bidder 3", "110.00")
    assert bids.refused(people[3].bid(auction, "109.99")) == ("BID_BELOW_INCREMENT", "110.00")
    assert bids.how(people[3].bid(auction, "110.00")) == ("QUEUED", "WINNING", None)
    # Of two equal ones the later gives way.
    assert bids.how(people[0].status(auction)) == ("QUEUED", "WINNING", None)
    assert bids.how(people[1].status(auction)) == ("QUEUED", "OUTBID", None)
    assert bids.price(world, auction) == ("150.00", "Bidder 3", "110.00")
    assert bids.how(people[4].bid(auction, "120.00", "200.00")) == ("QUEUED", "WINNING", None)
    assert bids.how(people[0].status(auction)) == ("QUEUED", "OUTBID", None)
    assert bids.price(world, auction) == ("150.00", "Bidder 3", "120.00")
    clock.shift(600)
    ends = [bids.taken(person.status(auction)) for person in people]
    assert [body.get("winningAmount") for body in ends] == [None, None, "150.00", "110.00", "120.00"]
    told = bids.last_event(auction, "auction.settled").data["winners"]
    assert sorted((one["consumer"], one["price"]) for one in told) == sorted(
        [(people[2].id, 15_000), (people[3].id, 11_000), (people[4].id, 12_000)]
    )


def test_fewer_bidders_than_places_all_win(world: World, clock: Any) -> None:
    auction = world.auction(winner_count=3)
    people = bids.bidders(world, 2)
    for person in people:
        person.bid(auction, "100.00", "900.00")
    clock.shift(600)
    assert [bids.taken(one.status(auction))["winningAmount"] for one in people] == ["100.00", "100.00"]


# --- Steps ----------------------------------------------------------------------------------------
STEPS = [{"from": "200.00", "increment": "20.00"}, {"from": "500.00", "increment": "50.00"}]


def test_the_increment_follows_the_table(world: World, clock: Any) -> None:
    auction = world.auction(increment_table=STEPS)
    assert bids.shown(world, auction)["incrementTable"] == STEPS
    people = bids.bidders(world, 2)
    asked = []
    for number, amount in enumerate(["100.00", "199.99", "220.00", "480.00", "499.99", "500.00", "519.99"]):
        answer = people[number % 2].bid(auction, amount)
        asked.append(answer.json()["minimumNextBid"])
    assert asked == ["110.00", "209.99", "240.00", "500.00", "500.00", "550.00", "550.00"]
    assert bids.reasons(auction) == ["", "", "", "", "BID_BELOW_INCREMENT", "", "BID_BELOW_INCREMENT"]


def test_a_proxy_goes_by_the_step_at_what_it_is_up_against(world: World, clock: Any) -> None:
    auction = world.auction(increment_table=STEPS)
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00", "2000.00")
    second.bid(auction, "190.00")
    assert bids.price(world, auction)[0] == "200.00"
    second.bid(auction, "220.00", "600.00")
    assert bids.price(world, auction) == ("650.00", "Bidder 1", "700.00")
