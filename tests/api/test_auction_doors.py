"""Who may bid, by which device, and how often."""

from typing import Any

import pytest

from distributions.auctions.models import Bid
from distributions.core.models import Participation
from experiences.models import AudienceMember, Event
from tests.api import bids
from tests.api.mailbox import ADA
from tests.api.test_rate_limits import NAMES, START, numbers, set_limits
from tests.world import FINGERPRINT, World, assert_error, make_auction, path_of

OTHER = {"X-Fingerprint": "fp_another-device"}


def left() -> tuple[int, int, int]:
    """What bids leave behind."""
    traced = Event.objects.filter(name__startswith="auction.").count()
    return Bid.objects.count(), Participation.objects.count(), traced


# --- Who ------------------------------------------------------------------------------------------
def test_guests_bid_only_where_they_may(world: World, clock: Any) -> None:
    auction = world.auction(supports_guest=False)
    assert_error(world.consumer().bid(auction, "100.00"), 403, "Sign-in required", "SIGN_IN_REQUIRED")
    assert left() == (0, 0, 0)
    assert bids.how(world.member().bid(auction, "100.00")) == ("QUEUED", "WINNING", None)
    assert bids.how(world.consumer().bid(world.auction(), "100.00")) == ("QUEUED", "WINNING", None)


def test_the_conditions_of_its_sequence(world: World, clock: Any) -> None:
    signed_in = make_auction(world.sequence_with("signed-in", requires_authentication=True))
    with_code = make_auction(world.sequence_with("coded", requires_access_code=True))
    listed = world.sequence_with("listed", requires_audience=True)
    AudienceMember.objects.create(sequence=listed, key=f"email:{ADA}")
    for_the_listed = make_auction(listed)
    guest, ada, grace = world.consumer(), world.member(ADA), world.member("grace@example.com")
    assert_error(guest.bid(signed_in, "100.00"), 403, "Sign-in required", "SIGN_IN_REQUIRED")
    assert grace.bid(signed_in, "100.00").status_code == 200
    assert_error(grace.bid(with_code, "100.00"), 403, "Access code required", "ACCESS_CODE_REQUIRED")
    assert_error(grace.bid(for_the_listed, "100.00"), 403, "Not eligible", "NOT_ELIGIBLE")
    assert ada.bid(for_the_listed, "100.00").status_code == 200
    assert left()[:2] == (2, 2)


def test_who_was_denied_bids_no_more(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    guest.bid(auction, "100.00")
    denial = {"consumerId": guest.id, "reason": "FRAUD_DETECTED"}
    world.server().post(f"{path_of(auction)}/deny", denial)
    body = assert_error(guest.bid(auction, "200.00"), 409, "Illegal transition", "ILLEGAL_TRANSITION")
    assert body["status"] == "DENIED"
    assert bids.price(world, auction) == (None, None, "100.00")
    assert bids.how(guest.status(auction)) == ("DENIED", "LOST", "FRAUD_DETECTED")


def test_nobody_enters_or_leaves_but_by_bids(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    guest.bid(auction, "100.00")
    for verb in ("enter", "leave", "admit"):
        assert guest.post(f"{path_of(auction)}/{verb}").status_code == 404
    assert bids.how(guest.status(auction)) == ("QUEUED", "WINNING", None)


# --- Devices --------------------------------------------------------------------------------------
@pytest.mark.parametrize("header", [None, "", "fp_123456789", "fp_" + "x" * 65])
def test_a_device_is_asked_for_at_each_bid(world: World, clock: Any, header: str | None) -> None:
    auction, guest = world.auction(), world.consumer()
    guest.bid(auction, "100.00")
    before = left()
    del guest.headers["X-Fingerprint"]
    refused = guest.bid(auction, "110.00", **({} if header is None else {"X-Fingerprint": header}))
    assert_error(refused, 400, "FINGERPRINT_REQUIRED", "FP001")
    assert refused.headers["X-Fingerprint-Error"] == "true"
    assert left() == before


def test_where_none_is_required_none_is_asked_for(world: World, clock: Any) -> None:
    world.organization.require_fingerprint = False
    world.organization.save()
    auction, guest = world.auction(), world.consumer()
    del guest.headers["X-Fingerprint"]
    assert bids.how(guest.bid(auction, "100.00")) == ("QUEUED", "WINNING", None)
    assert Participation.objects.get().fingerprint is None


def test_one_device_brings_in_so_many_and_no_more(world: World, clock: Any) -> None:
    auction = world.auction(max_entries_per_fingerprint=2)
    first, second, third = bids.bidders(world, 3)
    first.bid(auction, "100.00")
    second.bid(auction, "110.00")
    body = bids.taken(third.bid(auction, "120.00", "900.00"))
    assert body == {
        "status": "DENIED",
        "bidStatus": "LOST",
        "denyReason": "DEVICE_LIMIT",
        "consumerId": third.id,
        "auctionId": auction.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
        "bidCount": 0,
        "currencyCode": "EUR",
    }
    assert bids.price(world, auction) == ("110.00", "Bidder 2", "120.00")
    assert bids.reasons(auction) == ["", "", "DEVICE_LIMIT"]
    assert bids.how(third.status(auction)) == ("DENIED", "LOST", "DEVICE_LIMIT")
    assert third.bid(auction, "500.00", **OTHER).json()["status"] == "DENIED"  # it stays so
    assert bids.how(first.bid(auction, "120.00")) == ("QUEUED", "WINNING", None)  # who is in goes on
    assert bids.how(world.consumer(**OTHER).bid(auction, "130.00")) == ("QUEUED", "WINNING", None)


def test_another_device_at_a_later_bid_is_flagged(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    guest.bid(auction, "100.00")
    guest.bid(auction, "110.00", **{"X-Fingerprint": FINGERPRINT})
    assert not Participation.objects.get().is_risky
    assert bids.refused(guest.bid(auction, "115.00", **OTHER))[0] == "BID_BELOW_INCREMENT"
    assert bids.how(guest.bid(auction, "120.00", **OTHER)) == ("QUEUED", "WINNING", None)
    assert Participation.objects.get().is_risky
    flagged = [event for event in Event.objects.filter(name="auction.consumer.entered")][-1]
    assert flagged.data == {"otherDevice": True}


# --- The rate -------------------------------------------------------------------------------------
def test_bids_over_the_limit_leave_nothing(world: World, clock: Any) -> None:
    auction = world.auction(ends_in=3600)
    guest, other = bids.bidders(world, 2)
    clock.move_to(START + 121)
    set_limits(world, auctionBid=3)
    given = [guest.bid(auction, amount) for amount in ("100.00", "100.00", "x")]
    assert [answer.status_code for answer in given] == [200, 400, 400]
    assert [numbers(answer) for answer in given] == [(3, 2), (3, 1), (3, 0)]
    before, stored = left(), bids.state(auction)
    refused = other.bid(auction, "500.00", key="k")
    body = assert_error(refused, 429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")
    assert numbers(refused) == (3, 0)
    wait = int(refused.headers["Retry-After"])
    assert wait == body["retryAfter"] == int(refused.headers[NAMES[2]]) - (START + 121)
    assert (left(), bids.state(auction)) == (before, stored)
    assert guest.status(auction).status_code == 200  # counted apart
    clock.shift(wait)
    assert numbers(other.bid(auction, "500.00", key="k")) == (3, 2)


def test_looking_at_the_price_counts_as_a_status_check(world: World, clock: Any) -> None:
    auction, guest = world.auction(ends_in=3600), world.consumer()
    guest.bid(auction, "100.00")
    path, front = f"{path_of(auction)}/highest-bid", world.shop_front()
    clock.move_to(START + 121)
    set_limits(world, statusCheck=3)
    assert numbers(front.get(path)) == (3, 2)
    assert numbers(guest.status(auction)) == (3, 1)
    tag = front.get(path).headers["ETag"]  # the third
    refused = front.get(path, **{"If-None-Match": tag})
    assert_error(refused, 429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")
    assert int(refused.headers["Retry-After"]) > 0
    assert bids.shown(world, auction)["currentHighBid"] == "100.00"  # not limited
    assert numbers(guest.bid(auction, "110.00"))[0] == 500  # the contract's own number


def test_every_refusal_of_what_is_limited_has_the_headers(world: World, clock: Any) -> None:
    auction, pending, guest = world.auction(), world.auction(opens_in=30), world.consumer()
    unknown = "/auctions/auction_00000000000000000000000000"
    refusals = [
        guest.status(auction),
        guest.get(f"{unknown}/highest-bid"),
        guest.post(f"{unknown}/bid"),
        guest.bid(pending, "100.00"),
        guest.bid(auction, "1.00"),
        guest.bid(auction, "100.00", **{"X-Fingerprint": ""}),
        guest.send("POST", f"{path_of(auction)}/bid", b"{"),
        world.shop_front().post(f"{path_of(auction)}/bid"),
    ]
    assert [answer.status_code for answer in refusals] == [404, 404, 404, 423, 400, 400, 400, 400]
    for answer in refusals:
        numbers(answer)
    for path in ("", "/bids", "/bids/history"):
        assert not set(NAMES) & set(guest.get(f"{path_of(auction)}{path}").headers)
