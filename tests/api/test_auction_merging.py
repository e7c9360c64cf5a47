"""A guest who bids turns out to be somebody: that takes no bid back, and nobody bids against themselves."""

import json
from typing import Any

import pytest

from consumers.models import Consumer
from distributions import privacy, tasks
from distributions.auctions import rules, steering
from distributions.auctions.models import Bid
from distributions.core.models import Distribution, Participation
from experiences.models import Event
from fanfare import clock as time
from tests.concurrency.race import race
from tests.lines import require_true_tally
from tests.world import ConsumerClient, World, assert_error

SUBJECT = "4711"


def becomes(world: World, guest: ConsumerClient) -> ConsumerClient:
    """The guest signs in, always as the same person."""
    return world.member(subject=SUBJECT, guest=guest)


def price(world: World, auction: Distribution) -> str:
    body = world.shop_front().get(f"/auctions/{auction.pk}/highest-bid").json()
    found: str = body["amount"]
    return found


def deny(world: World, auction: Distribution, person: ConsumerClient) -> None:
    body = {"consumerId": person.id, "reason": "FRAUD_DETECTED"}
    assert world.server().post(f"/auctions/{auction.pk}/deny", body).status_code == 200


def export(consumer_id: str) -> dict[str, Any]:
    return privacy.export(Consumer.objects.get(pk=consumer_id))


def test_the_guests_bids_come_along(world: World, clock: Any) -> None:
    auction = world.auction()
    guest, rival = world.consumer(), world.consumer()
    guest.bid(auction, "100.00", "300.00")
    rival.bid(auction, "150.00")
    before = guest.status(auction).json()
    bids = world.shop_front().get(f"/auctions/{auction.pk}/highest-bid").json()

    member = becomes(world, guest)

    after = member.status(auction).json()
    assert after == before | {"consumerId": member.id, "pollAfterSeconds": after["pollAfterSeconds"]}
    assert (after["bidStatus"], after["currentBid"], after["bidCount"]) == ("WINNING", "160.00", 1)
    assert world.shop_front().get(f"/auctions/{auction.pk}/highest-bid").json() == bids
    (own,) = member.get(f"/auctions/{auction.pk}/bids/history").json()["data"]
    assert (own["amount"], own["state"]) == ("100.00", "VALID")
    assert [one["isOwn"] for one in member.get(f"/auctions/{auction.pk}/bids").json()["data"]] == [
        False,
        True,
    ]
    assert_error(guest.bid(auction, "400.00"), 401, "Authentication required")

    clock.shift(600)
    won = member.status(auction).json()
    assert (won["status"], won["winningAmount"]) == ("ADMITTED", "160.00")
    assert require_true_tally(auction).admitted == 1


@pytest.mark.parametrize("first", ["guest", "member"])
def test_both_bid_and_one_bidder_stands_for_both(world: World, clock: Any, first: str) -> None:
    """The higher maximum counts, whoever set it; what one drove the other up to is gone with the other."""
    auction = world.auction()
    member, guest, rival = world.member(subject=SUBJECT), world.consumer(), world.consumer()
    one, other = (guest, member) if first == "guest" else (member, guest)
    one.bid(auction, "100.00", "500.00")
    clock.shift(1)
    other.bid(auction, "200.00", "400.00")
    rival.bid(auction, "420.00")
    assert price(world, auction) == "430.00"

    member = becomes(world, guest)

    assert price(world, auction) == "430.00"
    told = member.status(auction).json()
    assert (told["bidStatus"], told["bidCount"], told["currentBid"]) == ("WINNING", 2, "430.00")
    bids = world.shop_front().get(f"/auctions/{auction.pk}").json()["bidCount"]
    assert bids == 3
    history = member.get(f"/auctions/{auction.pk}/bids/history").json()["data"]
    assert {row["state"] for row in history} == {"VALID"}
    assert len({row["bidder"] for row in member.get(f"/auctions/{auction.pk}/bids").json()["data"]}) == 2
    rival.bid(auction, "495.00")
    assert price(world, auction) == "500.00"  # the proxy of 500.00 goes on
    clock.shift(600)
    assert member.status(auction).json()["winningAmount"] == "500.00"
    assert require_true_tally(auction).admitted == 1


def test_signing_in_does_not_take_back_what_both_drove_each_other_up_to(world: World, clock: Any) -> None:
    """Else two devices could keep others away, and pay little; nobody is told a lower price either."""
    auction = world.auction()
    member, guest = world.member(subject=SUBJECT), world.consumer()
    guest.bid(auction, "100.00", "500.00")
    member.bid(auction, "200.00", "400.00")
    assert price(world, auction) == "410.00"
    member = becomes(world, guest)
    assert price(world, auction) == "410.00"
    told = Event.objects.filter(distribution_id=auction.pk, name="auction.bid.placed").order_by("id").last()
    assert told is not None
    assert (told.data["merged"], told.data["amount"], told.data["kind"]) == (True, 41_000, "RAISE")
    shown = member.get(f"/auctions/{auction.pk}/bids").json()["data"]
    assert [row["kind"] for row in shown] == ["BID", "BID"]
    clock.shift(600)
    assert member.status(auction).json()["winningAmount"] == "410.00"


def test_signing_in_frees_a_place_for_the_next(world: World, clock: Any) -> None:
    """Of two winners one person is left, so that the third is winning."""
    auction = world.auction(winner_count=2)
    member, guest, third = world.member(subject=SUBJECT), world.consumer(), world.consumer()
    third.bid(auction, "100.00")
    guest.bid(auction, "200.00")
    member.bid(auction, "300.00")
    assert third.status(auction).json()["bidStatus"] == "OUTBID"
    member = becomes(world, guest)
    assert third.status(auction).json()["bidStatus"] == "WINNING"
    clock.shift(600)
    assert member.status(auction).json()["winningAmount"] == "300.00"
    assert third.status(auction).json()["winningAmount"] == "100.00"


def test_who_was_denied_takes_no_bid_back_by_signing_in(world: World, clock: Any) -> None:
    """They win nothing by it: the bid stands as the guest's, whom nobody is any more."""
    auction = world.auction()
    member, guest, rival = world.member(subject=SUBJECT), world.consumer(), world.consumer()
    member.bid(auction, "100.00")
    deny(world, auction, member)
    rival.bid(auction, "100.00")
    guest.bid(auction, "110.00", "900.00")
    member = becomes(world, guest)
    told = member.status(auction).json()
    assert (told["status"], told["denyReason"]) == ("DENIED", "FRAUD_DETECTED")
    assert price(world, auction) == "110.00"
    assert_error(member.bid(auction, "200.00"), 409, "Illegal transition")
    assert rival.bid(auction, "905.00").json()["bidStatus"] == "WINNING"
    clock.shift(600)
    assert rival.status(auction).json()["winningAmount"] == "905.00"
    assert member.status(auction).json()["status"] == "DENIED"


def test_a_denied_guest_stays_denied(world: World, clock: Any) -> None:
    auction = world.auction()
    guest = world.consumer()
    guest.bid(auction, "100.00")
    deny(world, auction, guest)
    member = becomes(world, guest)
    assert_error(member.bid(auction, "200.00"), 409, "Illegal transition")
    assert member.status(auction).json()["denyReason"] == "FRAUD_DETECTED"


def test_a_bought_place_comes_before_a_bid(world: World, clock: Any) -> None:
    auction = world.auction(winner_count=2, buy_now_price=50_000)
    member, guest, rival = world.member(subject=SUBJECT), world.consumer(), world.consumer()
    guest.bid(auction, "100.00")
    clock.shift(1)
    member.bid(auction, "500.00")
    rival.bid(auction, "120.00")
    member = becomes(world, guest)
    told = member.status(auction).json()
    assert (told["status"], told["winningAmount"]) == ("ADMITTED", "500.00")
    clock.shift(600)
    assert rival.status(auction).json()["winningAmount"] == "120.00"
    assert require_true_tally(auction).inside == 2


def test_a_won_place_is_kept_though_it_is_settled_meanwhile(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The merger has seen both waiting; before it holds the auction, one of them wins."""
    auction = world.auction()
    member, guest = world.member(subject=SUBJECT), world.consumer()
    guest.bid(auction, "100.00")
    clock.shift(1)
    member.bid(auction, "200.00")
    clock.shift(600)
    adjusting = rules.adjusting

    def settled_first(distribution: Distribution) -> Any:
        race(1, lambda _: tasks.settle_auction(auction.pk)).all()
        return adjusting(distribution)

    monkeypatch.setattr(rules, "adjusting", settled_first)
    member = becomes(world, guest)
    told = member.status(auction).json()
    assert (told["status"], told["winningAmount"]) == ("ADMITTED", "200.00")
    assert require_true_tally(auction).inside == 1


def test_a_bid_can_be_repeated_by_its_key_also_after_signing_in(world: World, clock: Any) -> None:
    """It is their own bid by then; where both used one key, the consumer's own is meant."""
    auction = world.auction()
    guest = world.consumer()
    first = guest.bid(auction, "100.00", key="one")
    assert guest.bid(auction, "100.00", key="one").json() == first.json()
    member = becomes(world, guest)
    again = member.bid(auction, "100.00", key="one")
    assert (again.status_code, again.json()["lastBidAmount"]) == (200, "100.00")
    assert_error(member.bid(auction, "150.00", key="one"), 409, "Idempotency key reused")


# --- Erased, exported ------------------------------------------------------------------------------


def test_an_erased_leader_bids_no_more(world: World, clock: Any) -> None:
    auction = world.auction()
    leader, rival = world.member(subject=SUBJECT), world.consumer()
    rival.bid(auction, "100.00", "300.00")
    leader.bid(auction, "150.00", "900.00")
    assert price(world, auction) == "310.00"
    privacy.erase(Consumer.objects.get(pk=leader.id), now=time.now(), actor="staff:1")
    assert price(world, auction) == "100.00"
    clock.shift(600)
    assert rival.status(auction).json()["winningAmount"] == "100.00"
    rows = Participation.objects.filter(distribution=auction, consumer=leader.id)
    assert list(rows.values_list("status", "deny_reason")) == [("DENIED", "ADMIN_ACTION")]


def test_a_merged_and_erased_leader_is_gone_with_all_their_bids(world: World, clock: Any) -> None:
    auction = world.auction()
    guest, rival = world.consumer(), world.consumer()
    rival.bid(auction, "100.00")
    guest.bid(auction, "150.00", "900.00")
    member = becomes(world, guest)
    member.bid(auction, "200.00")
    privacy.erase(Consumer.objects.get(pk=guest.id), now=time.now(), actor="staff:1")
    assert price(world, auction) == "100.00"
    assert rival.bid(auction, "160.00").status_code == 200


@pytest.mark.parametrize("end", ["settled", "cancelled", "open"])
def test_an_export_tells_no_maximum_before_it_is_settled(world: World, clock: Any, end: str) -> None:
    auction = world.auction()
    guest, rival = world.consumer(), world.consumer()
    guest.bid(auction, "100.00", "777.77", key="one")
    guest.bid(auction, "100.00", "777.78")
    assert guest.bid(auction, "90.00", "777.75").status_code == 400
    rival.bid(auction, "120.00")
    member = becomes(world, guest)
    if end == "settled":
        clock.shift(600)
        tasks.settle_auction(auction.pk)
    elif end == "cancelled":
        steering.cancel(auction.pk, reason="Stolen", actor="staff:1")
    found = export(member.id)
    assert [row["amount"] for row in found["bids"]] == [10_000, 10_000, 9_000]
    told = json.dumps(found, default=str)
    for maximum in ("77777", "777.77", "77778", "777.78", "77775"):
        assert (maximum in told) == (end == "settled" and "." not in maximum)
    assert Bid.objects.filter(auction=auction.pk, consumer=member.id).count() == 3
