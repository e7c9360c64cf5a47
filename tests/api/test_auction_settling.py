"""How an auction ends: who wins at which price, by whichever comes first; complete, deny, validate."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from distributions import tasks
from distributions.core.models import Participation
from tests.api import bids
from tests.api.bids import ended, move
from tests.conftest import START
from tests.lines import require_true_tally
from tests.world import ConsumerClient, World, assert_error, path_of

Call = Callable[[World, Any, ConsumerClient], Any]
HALF_PAST = START + dt.timedelta(minutes=30)


def validate(world: World, auction: Any, person: ConsumerClient, token: str) -> dict[str, Any]:
    return bids.taken(move(world, auction, "validate", person, token=token))


# --- Who writes it down ---------------------------------------------------------------------------
FIRST: dict[str, Call] = {
    "the task": lambda world, auction, person: bids.sweep(),
    "GET": lambda world, auction, person: bids.shown(world, auction),
    "GET highest-bid": lambda world, auction, person: bids.highest(world, auction),
    "GET status": lambda world, auction, person: person.status(auction),
    "GET bids": lambda world, auction, person: person.get(f"{path_of(auction)}/bids"),
    "GET bids/history": lambda world, auction, person: person.get(f"{path_of(auction)}/bids/history"),
    "GET consumers/me": lambda world, auction, person: person.get("/consumers/me"),
    "POST complete": lambda world, auction, person: move(world, auction, "complete", person),
    "POST validate": lambda world, auction, person: validate(world, auction, person, "x"),
}


@pytest.mark.parametrize("who", FIRST)
def test_whoever_comes_first_after_the_end_settles_it_once(world: World, clock: Any, who: str) -> None:
    auction, people = ended(world, clock, "100.00", "110.00")
    assert "auction.closed" not in bids.trace(auction)
    clock.shift(5)
    FIRST[who](world, auction, people[0])
    won = bids.taken(people[1].status(auction))
    assert (won["status"], won["bidStatus"], won["winningAmount"]) == ("ADMITTED", "WON", "110.00")
    assert won["admittedAt"] == "2026-12-01T09:10:05Z"
    for call in FIRST.values():
        call(world, auction, people[0])
    names = bids.trace(auction)
    assert (names.count("auction.closed"), names.count("auction.settled")) == (1, 1)
    closed = bids.last_event(auction, "auction.closed")
    data = {"closeAt": "2026-12-01T09:10:00Z", "high": 11_000, "bids": 2, "extensions": 0}
    assert data.items() <= closed.data.items()
    settled = bids.last_event(auction, "auction.settled").data
    assert settled == {
        "winners": [{"consumer": people[1].id, "price": 11_000}],
        "bought": 0,
        "currency": "EUR",
    }


def test_winners_wait_for_the_hour_of_settling(world: World, clock: Any) -> None:
    auction, people = ended(world, clock, "100.00", "110.00", settle_at=HALF_PAST)
    for _ in range(2):
        bids.sweep()
        shown = bids.shown(world, auction)
        assert (shown["status"], shown["settleAt"]) == ("CLOSED", "2026-12-01T09:30:00Z")
        assert bids.how(people[1].status(auction)) == ("QUEUED", "WINNING", None)
        assert bids.how(people[0].status(auction)) == ("QUEUED", "OUTBID", None)
        assert people[0].bid(auction, "500.00").json()["code"] == "AUCTION_CLOSED"
        clock.move_to(HALF_PAST - dt.timedelta(seconds=1))
    clock.shift(1)
    assert bids.how(people[1].status(auction)) == ("ADMITTED", "WON", None)
    assert bids.how(people[0].status(auction)) == ("DENIED", "LOST", "OUTBID")
    shown = bids.shown(world, auction)
    assert (shown["status"], shown["settledAt"]) == ("SETTLED", "2026-12-01T09:30:00Z")
    assert bids.trace(auction).count("auction.closed") == 1


def test_nobody_bid(world: World, clock: Any) -> None:
    auction, _ = ended(world, clock)
    shown = bids.shown(world, auction)
    assert (shown["status"], shown["currentHighBid"], shown["bidCount"]) == ("SETTLED", None, 0)
    assert bids.last_event(auction, "auction.settled").data["winners"] == []
    bids.sweep()


# --- Winners --------------------------------------------------------------------------------------
def test_a_winner_has_a_token_until_the_claim_is_over(world: World, clock: Any) -> None:
    auction, [loser, winner] = ended(world, clock, "100.00", "110.00", claim_seconds=300)
    body = bids.taken(winner.status(auction))
    token = body.pop("admissionToken")
    assert body == {
        "status": "ADMITTED",
        "bidStatus": "WON",
        "consumerId": winner.id,
        "auctionId": auction.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
        "admittedAt": "2026-12-01T09:10:00Z",
        "expiresAt": "2026-12-01T09:15:00Z",
        "currencyCode": "EUR",
        "bidCount": 1,
        "lastBidAmount": "110.00",
        "lastBidTime": "2026-12-01T09:00:00Z",
        "currentHighBid": "110.00",
        "winningAmount": "110.00",
    }
    assert validate(world, auction, winner, token) == {
        "valid": True,
        "consumerId": winner.id,
        "admittedAt": "2026-12-01T09:10:00Z",
        "expiresAt": "2026-12-01T09:15:00Z",
        "amount": "110.00",
        "currencyCode": "EUR",
    }
    assert validate(world, auction, loser, token)["code"] == "CONSUMER_MISMATCH"
    assert "amount" not in validate(world, auction, loser, token)
    refused = world.server().post(
        f"{path_of(auction)}/validate",
        {"consumerId": winner.id, "token": token},
        **{"X-Fingerprint": "fp_another-device"},
    )
    assert_error(refused, 403, "DEVICE_MISMATCH", "FP002")
    clock.shift(300)
    assert validate(world, auction, winner, token)["code"] == "TOKEN_EXPIRED"
    assert bids.how(winner.status(auction)) == ("DENIED", "LOST", "ADMISSION_EXPIRED")


def test_complete_is_done_once_and_told_again(world: World, clock: Any) -> None:
    auction, [winner] = ended(world, clock, "100.00", claim_seconds=300)
    token = bids.taken(winner.status(auction))["admissionToken"]
    first = move(world, auction, "complete", winner, orderId="o-1")
    body = bids.taken(first)
    assert (body["status"], body["bidStatus"], body["winningAmount"]) == ("COMPLETED", "WON", "100.00")
    assert "admissionToken" not in body
    assert validate(world, auction, winner, token)["code"] == "TOKEN_USED"
    clock.shift(600)
    assert move(world, auction, "complete", winner, orderId="o-2").json() == body
    assert bids.trace(auction).count("auction.consumer.completed") == 1
    assert_error(move(world, auction, "deny", winner), 409, "Illegal transition")


def test_a_winner_who_is_denied_stays_so_and_nobody_follows(world: World, clock: Any) -> None:
    auction, [loser, winner] = ended(world, clock, "100.00", "110.00", claim_seconds=300)
    token = bids.taken(winner.status(auction))["admissionToken"]
    denied = bids.taken(move(world, auction, "deny", winner, reason="FRAUD_DETECTED"))
    assert (denied["status"], denied["denyReason"]) == ("DENIED", "FRAUD_DETECTED")
    again = bids.taken(move(world, auction, "deny", winner, reason="ADMIN_ACTION"))
    assert again["denyReason"] == "FRAUD_DETECTED"
    assert_error(move(world, auction, "complete", winner), 409, "Illegal transition")
    assert validate(world, auction, winner, token)["code"] == "NOT_ADMITTED"
    bids.sweep()
    assert bids.how(loser.status(auction)) == ("DENIED", "LOST", "OUTBID")
    require_true_tally(auction)


# --- Losers ---------------------------------------------------------------------------------------
def test_losers_are_told_so_though_nobody_wrote_it_down(world: World, clock: Any) -> None:
    auction, [loser, _] = ended(world, clock, "100.00", "110.00")
    body = bids.taken(loser.status(auction))
    assert body == {
        "status": "DENIED",
        "bidStatus": "LOST",
        "denyReason": "OUTBID",
        "consumerId": loser.id,
        "auctionId": auction.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
        "currencyCode": "EUR",
        "bidCount": 1,
        "lastBidAmount": "100.00",
        "lastBidTime": "2026-12-01T09:00:00Z",
        "currentHighBid": "110.00",
    }
    assert Participation.objects.get(consumer_id=loser.id).status == "QUEUED"
    refused = move(world, auction, "complete", loser)
    assert assert_error(refused, 409, "Illegal transition")["status"] == "DENIED"
    assert bids.taken(move(world, auction, "deny", loser, reason="FRAUD_DETECTED")) == body  # it was decided
    assert bids.taken(loser.status(auction)) == body


@pytest.mark.parametrize("verb", ["complete", "deny"])
def test_a_move_of_who_never_bid(world: World, clock: Any, verb: str) -> None:
    auction, _ = ended(world, clock, "100.00")
    outsider = world.consumer()
    refused = move(world, auction, verb, outsider)
    assert_error(refused, 404, "Consumer not in auction", "CONSUMER_NOT_IN_AUCTION")


def test_who_bids_is_not_completed_before_the_end(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    guest.bid(auction, "100.00")
    before = bids.state(auction)
    refused = move(world, auction, "complete", guest)
    assert assert_error(refused, 409, "Illegal transition")["status"] == "QUEUED"
    assert bids.state(auction) == before


# --- Denied before the end ------------------------------------------------------------------------
def test_a_leader_who_is_denied_leaves_the_price_as_it_would_have_been(world: World, clock: Any) -> None:
    auction = world.auction()
    first, second, third = bids.bidders(world, 3)
    first.bid(auction, "100.00", "150.00")
    second.bid(auction, "110.00", "130.00")
    third.bid(auction, "200.00", "900.00")
    assert bids.price(world, auction) == ("200.00", "Bidder 3", "210.00")
    clock.shift(5)
    denied = bids.taken(move(world, auction, "deny", third, reason="FRAUD_DETECTED"))
    assert (denied["status"], denied["bidStatus"]) == ("DENIED", "LOST")
    assert bids.highest(world, auction) == {
        "amount": "140.00",
        "bidder": "Bidder 1",
        "at": "2026-12-01T09:00:05Z",
        "minimumNextBid": "150.00",
    }
    assert bids.how(first.status(auction)) == ("QUEUED", "WINNING", None)
    assert bids.refused(second.bid(auction, "149.99")) == ("BID_BELOW_INCREMENT", "150.00")
    clock.shift(600)
    assert bids.taken(first.status(auction))["winningAmount"] == "140.00"
    assert bids.how(third.status(auction)) == ("DENIED", "LOST", "FRAUD_DETECTED")


def test_one_who_does_not_lead_is_denied_and_the_leaders_price_falls(world: World, clock: Any) -> None:
    auction = world.auction()
    first, second = bids.bidders(world, 2)
    first.bid(auction, "100.00", "500.00")
    second.bid(auction, "300.00")
    assert bids.price(world, auction) == ("310.00", "Bidder 1", "320.00")
    move(world, auction, "deny", second)
    assert bids.price(world, auction) == ("100.00", "Bidder 1", "110.00")
    shown = bids.taken(first.get(f"{path_of(auction)}/bids"))["data"]
    assert [(bid["bidder"], bid["state"]) for bid in shown] == [("Bidder 2", "VOID"), ("Bidder 1", "VALID")]


def test_between_closing_and_settling_too(world: World, clock: Any) -> None:
    auction, [first, second] = ended(world, clock, "100.00", "110.00", settle_at=HALF_PAST)
    bids.sweep()
    move(world, auction, "deny", second, reason="FRAUD_DETECTED")
    assert bids.highest(world, auction)["amount"] == "100.00"
    clock.move_to(HALF_PAST)
    tasks.tick_auctions()
    assert bids.taken(first.status(auction))["winningAmount"] == "100.00"
