"""When bids are taken: not before the opening, not from the closing on, and how late bids move it."""

import datetime as dt
from typing import Any

import pytest

from distributions.auctions import steering
from distributions.core.models import Distribution, Participation
from tests.api import bids
from tests.conftest import START
from tests.world import World, assert_error

SOFT = {"extension_window_seconds": 60, "extension_seconds": 120}


def at(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


# --- Opening and closing --------------------------------------------------------------------------
def test_before_it_opens_no_bid_is_taken(world: World, clock: Any) -> None:
    auction, guest = world.auction(opens_in=30), world.consumer()
    clock.shift(10.5)
    refused = guest.bid(auction, "100.00")
    body = assert_error(refused, 423, "Auction is not open yet", "AUCTION_NOT_OPEN")
    assert (body["openAt"], body["retryAfter"]) == ("2026-12-01T09:00:30Z", 20)
    assert refused.headers["Retry-After"] == "20"
    assert bids.reasons(auction) == ["AUCTION_NOT_OPEN"]
    assert not Participation.objects.exists()
    assert (bids.shown(world, auction)["status"], bids.shown(world, auction)["minimumNextBid"]) == (
        "PENDING", "100.00",
    )  # fmt: skip
    clock.shift(19.499)
    assert guest.bid(auction, "100.00").status_code == 423
    clock.shift(0.001)
    assert bids.how(guest.bid(auction, "100.00")) == ("QUEUED", "WINNING", None)


def test_the_last_millisecond_counts_and_the_closing_does_not(world: World, clock: Any) -> None:
    auction = world.auction()
    first, second = bids.bidders(world, 2)
    clock.shift(599.999)
    assert bids.how(first.bid(auction, "100.00")) == ("QUEUED", "WINNING", None)
    clock.shift(0.001)
    for person in (second, first):
        assert_error(person.bid(auction, "500.00"), 400, "Auction is closed", "AUCTION_CLOSED")
    assert bids.reasons(auction) == ["", "AUCTION_CLOSED", "AUCTION_CLOSED"]
    assert bids.trace(auction)[-2:] == ["auction.bid.refused"] * 2
    body = bids.taken(first.status(auction))
    assert (body["bidStatus"], body["winningAmount"]) == ("WON", "100.00")
    assert_error(second.bid(auction, "500.00"), 400, "Auction is closed", "AUCTION_CLOSED")
    assert_error(first.bid(auction, "500.00"), 400, "Auction is closed", "AUCTION_CLOSED")
    assert_error(second.status(auction), 404, "Consumer not in auction", "CONSUMER_NOT_IN_AUCTION")


def test_without_a_closing_it_goes_on_until_staff_end_it(world: World, clock: Any) -> None:
    auction, guest = world.auction(ends_in=None), world.consumer()
    clock.shift(1800)
    guest.bid(auction, "100.00")
    bids.sweep()
    shown = bids.shown(world, auction)
    assert (shown["status"], shown["closeAt"]) == ("OPEN", None)
    steering.close_now(auction.pk, actor="staff:1")
    assert bids.how(guest.status(auction)) == ("ADMITTED", "WON", None)
    assert bids.shown(world, auction)["closeAt"] == "2026-12-01T09:30:00Z"


# --- Soft close -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seconds", "closes"), [(0, 600), (539.999, 600), (540, 660), (570, 690), (599.999, 719.999)]
)
def test_a_bid_within_the_window_moves_the_closing(
    world: World, clock: Any, seconds: float, closes: float
) -> None:
    auction, guest = world.auction(**SOFT), world.consumer()
    clock.shift(seconds)
    guest.bid(auction, "100.00")
    assert bids.closing(world, auction) == at(closes)
    assert bids.trace(auction).count("auction.extended") == (closes != 600)
    if closes != 600:
        told = bids.last_event(auction, "auction.extended").data
        assert (told["bid"], told["from"]) == (bids.rows(auction)[0].pk, "2026-12-01T09:10:00Z")
        assert dt.datetime.fromisoformat(told["to"]) == at(closes)


def test_the_closing_that_is_shown_is_the_one_that_is_applied_and_traced(world: World, clock: Any) -> None:
    auction = world.auction(**SOFT)
    first, second = bids.bidders(world, 2)
    clock.shift(599)
    first.bid(auction, "100.00")
    assert bids.closing(world, auction) == at(719)
    clock.move_to(at(718.999))
    assert second.bid(auction, "110.00").status_code == 200
    assert bids.closing(world, auction) == at(838.999)
    clock.move_to(at(838.998))
    bids.sweep()
    assert bids.shown(world, auction)["status"] == "OPEN"
    clock.move_to(at(838.999))
    assert first.bid(auction, "120.00").json()["code"] == "AUCTION_CLOSED"
    bids.sweep()
    assert bids.how(second.status(auction)) == ("ADMITTED", "WON", None)
    closed = bids.last_event(auction, "auction.closed")
    assert closed.data["extensions"] == 2
    assert dt.datetime.fromisoformat(closed.data["closeAt"]) == at(838.999)
    shown = bids.shown(world, auction)
    assert dt.datetime.fromisoformat(shown["closeAt"]) == at(838.999)
    assert Distribution.objects.get(pk=auction.pk).closed_at == at(838.999)


def test_a_refused_bid_extends_nothing(world: World, clock: Any) -> None:
    auction = world.auction(**SOFT)
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00", "200.00", key="k")
    clock.shift(590)
    bids.refused(second.bid(auction, "105.00"))
    bids.refused(second.bid(auction, "100.00"))
    assert second.bid(auction, "x").status_code == 400
    assert second.bid(auction, "120.00", **{"X-Fingerprint": ""}).status_code == 400
    assert first.bid(auction, "100.00", "200.00", key="k").status_code == 200  # told again
    assert first.bid(auction, "130.00", key="k").status_code == 409
    assert bids.closing(world, auction) == at(600)
    assert "auction.extended" not in bids.trace(auction)


def test_who_is_outbid_at_once_extends_too_but_no_raise(world: World, clock: Any) -> None:
    """Others must have the time to answer a bid; a raise costs nothing, and would use the extensions up."""
    auction = world.auction(**SOFT)
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00", "200.00")
    clock.shift(590)
    assert bids.how(second.bid(auction, "110.00")) == ("QUEUED", "OUTBID", None)
    assert bids.closing(world, auction) == at(710)
    clock.shift(100)
    assert first.bid(auction, "100.00", "300.00").status_code == 200
    assert bids.closing(world, auction) == at(710)


def test_at_most_so_many_times(world: World, clock: Any) -> None:
    auction, guest = world.auction(**SOFT, max_extensions=2), world.consumer()
    amounts = iter(range(100, 200, 10))
    left = []
    for seconds, closes in ((590, 710), (700, 820), (810, 820), (819.999, 820)):
        clock.move_to(at(seconds))
        assert guest.bid(auction, f"{next(amounts)}.00").status_code == 200
        assert bids.closing(world, auction) == at(closes)
        left.append(bids.shown(world, auction)["extensionsLeft"])
    assert left == [1, 0, 0, 0]
    clock.move_to(at(820))
    assert guest.bid(auction, "900.00").json()["code"] == "AUCTION_CLOSED"


def test_not_beyond_the_hard_end(world: World, clock: Any) -> None:
    auction, guest = world.auction(**SOFT, hard_end_at=at(700)), world.consumer()
    assert bids.shown(world, auction)["hardEndAt"] == "2026-12-01T09:11:40Z"
    assert bids.shown(world, auction)["extensionsLeft"] is None
    for seconds, amount in ((570, "100.00"), (660, "110.00"), (699.999, "120.00")):
        clock.move_to(at(seconds))
        assert guest.bid(auction, amount).status_code == 200
    assert bids.closing(world, auction) == at(700)
    assert bids.trace(auction).count("auction.extended") == 2  # the third moved nothing
    clock.move_to(at(700))
    assert guest.bid(auction, "900.00").json()["code"] == "AUCTION_CLOSED"


def test_the_closing_never_comes_earlier(world: World, clock: Any) -> None:
    """A window longer than what is added."""
    auction = world.auction(extension_window_seconds=300, extension_seconds=10)
    guest = world.consumer()
    for seconds, amount, closes in ((400, "100.00", 600), (590, "110.00", 600), (591, "120.00", 601)):
        clock.move_to(at(seconds))
        guest.bid(auction, amount)
        assert bids.closing(world, auction) == at(closes)
    assert bids.trace(auction).count("auction.extended") == 1


def test_without_a_window_nothing_moves(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    clock.shift(599.999)
    guest.bid(auction, "100.00")
    assert bids.closing(world, auction) == at(600)
    assert bids.shown(world, auction)["extensionsLeft"] == 0
