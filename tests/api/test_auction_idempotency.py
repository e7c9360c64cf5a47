"""`Idempotency-Key`: a bid that comes again is answered as the first, whatever happened since."""

from typing import Any

import pytest

from distributions.auctions.models import Bid
from tests.api import bids
from tests.world import World, assert_error, path_of


def test_a_repeated_bid_is_answered_as_the_first_and_counts_once(world: World, clock: Any) -> None:
    auction = world.auction(extension_window_seconds=600, extension_seconds=600)
    first, second = bids.bidders(world, 2)
    answer = first.bid(auction, "100.00", "150.00", key="one")
    clock.shift(10)
    second.bid(auction, "160.00")
    before, rows = bids.state(auction), bids.trace(auction)
    clock.shift(10)
    again = first.bid(auction, "100.00", "150.00", key="one")
    assert (again.status_code, again.json()) == (200, answer.json())
    assert again.json()["bidStatus"] == "WINNING"  # as it was then
    assert (bids.state(auction), bids.trace(auction)) == (before, rows)
    assert Bid.objects.count() == 2
    assert bids.how(first.status(auction)) == ("QUEUED", "OUTBID", None)


def test_the_same_bid_in_other_words_is_the_same(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    first = guest.bid(auction, "100.00", "150.00", key="one")
    for amount, maximum in (("100", "150.0"), (100, 150), (100.0, "0150.00")):
        assert guest.bid(auction, amount, maximum, key="one").json() == first.json()
    assert Bid.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "maximum"), [("110.00", "150.00"), ("100.00", "160.00"), ("100.00", None), ("99.99", "150.00")]
)
def test_another_bid_with_the_same_key_is_refused_and_leaves_nothing(
    world: World, clock: Any, amount: str, maximum: str | None
) -> None:
    auction, guest = world.auction(), world.consumer()
    guest.bid(auction, "100.00", "150.00", key="one")
    before, traced = bids.state(auction), bids.trace(auction)
    reused = guest.bid(auction, amount, maximum, key="one")
    assert_error(reused, 409, "Idempotency key reused", "IDEMPOTENCY_KEY_REUSED")
    assert (bids.state(auction), bids.trace(auction)) == (before, traced)
    assert Bid.objects.count() == 1


def test_a_refused_bid_is_refused_again_in_the_same_words(world: World, clock: Any) -> None:
    """Also where it would be accepted by now, or refused for another reason: nobody bids unawares."""
    auction = world.auction()
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00")
    assert bids.refused(second.bid(auction, "105.00", key="low")) == ("BID_BELOW_INCREMENT", "110.00")
    first.bid(auction, "200.00")
    assert bids.refused(second.bid(auction, "105.00", key="low")) == ("BID_BELOW_INCREMENT", "110.00")
    world.server().post(f"{path_of(auction)}/deny", {"consumerId": first.id, "reason": "FRAUD_DETECTED"})
    assert bids.price(world, auction)[2] == "100.00"
    assert bids.refused(second.bid(auction, "105.00", key="low")) == ("BID_BELOW_INCREMENT", "110.00")
    assert bids.reasons(auction).count("BID_BELOW_INCREMENT") == 1
    assert second.bid(auction, "200.00", key="low").status_code == 409
    assert bids.how(second.bid(auction, "105.00", key="new")) == ("QUEUED", "WINNING", None)


def test_what_was_no_bid_leaves_the_key_free(world: World, clock: Any) -> None:
    auction, guest = world.auction(opens_in=10), world.consumer()
    assert guest.bid(auction, "x", key="one").json()["code"] == "VALIDATION_FAILED"
    assert guest.bid(auction, "100.00", key="one").json()["code"] == "AUCTION_NOT_OPEN"
    clock.shift(10)
    assert bids.how(guest.bid(auction, "110.00", key="one")) == ("QUEUED", "WINNING", None)


def test_two_consumers_and_two_auctions_may_have_the_same_key(world: World, clock: Any) -> None:
    auction, other = world.auction(), world.auction()
    first, second = bids.bidders(world, 2)
    assert bids.taken(first.bid(auction, "100.00", key="one"))["consumerId"] == first.id
    assert bids.taken(second.bid(auction, "110.00", key="one"))["consumerId"] == second.id
    assert bids.taken(first.bid(other, "120.00", key="one"))["auctionId"] == other.pk
    assert Bid.objects.count() == 3


def test_keys_are_told_apart_by_every_letter_and_kept_as_hashes(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    amounts = iter(range(100, 900, 10))
    for key in ("one", "One", "one,", "x" * 255, "x" * 254 + "y", "!", "~", '"quoted"'):
        bids.taken(guest.bid(auction, f"{next(amounts)}.00", key=key))
    assert Bid.objects.count() == 8
    kept = [bytes(key) for key in Bid.objects.values_list("idempotency_key", flat=True) if key is not None]
    assert {len(key) for key in kept} == {16}
    assert b"one" not in b"".join(kept)


@pytest.mark.parametrize("key", ["", " ", "two words", "x" * 256, "é", "a\x7f", "tab\there"])
def test_what_is_no_key(world: World, clock: Any, key: str) -> None:
    auction, guest = world.auction(), world.consumer()
    body = assert_error(guest.bid(auction, "100.00", **{"Idempotency-Key": key}), 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["Idempotency-Key"]
    assert not Bid.objects.exists()


def test_after_the_end_the_first_answer_is_told_again(world: World, clock: Any) -> None:
    auction = world.auction()
    first, second = bids.bidders(world, 2)
    answers = [first.bid(auction, "100.00", key="a").json(), second.bid(auction, "110.00", key="b").json()]
    late = first.bid(auction, "105.00", key="c").json()
    clock.shift(600)

    def again() -> list[Any]:
        return [first.bid(auction, "100.00", key="a").json(), second.bid(auction, "110.00", key="b").json()]

    assert again() == answers
    bids.sweep()
    assert bids.how(second.status(auction)) == ("ADMITTED", "WON", None)
    assert again() == answers
    told = first.bid(auction, "105.00", key="c").json()
    assert {**told, "requestId": ""} == {**late, "requestId": ""}
    world.server().post(f"{path_of(auction)}/complete", {"consumerId": second.id})
    assert again() == answers
    assert first.bid(auction, "500.00", key="d").json()["code"] == "AUCTION_CLOSED"


def test_a_purchase_is_told_again_as_it_stands(world: World, clock: Any) -> None:
    """Who bought needs the token, and must not be told that they are inside when they are not any more."""
    auction, guest = world.auction(buy_now_price=50_000, claim_seconds=60), world.consumer()
    bought = bids.taken(guest.bid(auction, "500.00", key="buy"))
    assert bought["status"] == "ADMITTED"
    clock.shift(10)
    again = bids.taken(guest.bid(auction, "500.00", key="buy"))
    assert again == bought
    assert "admissionToken" in again
    world.server().post(f"{path_of(auction)}/complete", {"consumerId": guest.id})
    done = bids.taken(guest.bid(auction, "500.00", key="buy"))
    assert (done["status"], done["bidStatus"], done["winningAmount"]) == ("COMPLETED", "WON", "500.00")
    assert "admissionToken" not in done
    assert guest.bid(auction, "500.00", key="another").json()["code"] == "AUCTION_CLOSED"
    assert [bid.kind for bid in bids.rows(auction) if not bid.refusal] == ["BUY_NOW"]


def test_a_purchase_whose_time_is_over(world: World, clock: Any) -> None:
    auction, guest = world.auction(buy_now_price=50_000, winner_count=2, claim_seconds=60), world.consumer()
    guest.bid(auction, "500.00", key="buy")
    clock.shift(60)
    body = bids.taken(guest.bid(auction, "500.00", key="buy"))
    assert (body["status"], body["denyReason"]) == ("DENIED", "ADMISSION_EXPIRED")
    bids.sweep()
    assert bids.taken(guest.bid(auction, "500.00", key="buy"))["status"] == "DENIED"
    assert [bid.kind for bid in bids.rows(auction)] == ["BUY_NOW"]
