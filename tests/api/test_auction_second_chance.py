"""A place that its winner does not complete: offered to the next bidder where that is set, else released."""

from typing import Any

from tests.api import bids
from tests.api.bids import ended, move
from tests.lines import require_true_tally
from tests.world import World


def test_a_place_that_is_not_completed_is_offered_to_the_next(world: World, clock: Any) -> None:
    auction, people = ended(
        world, clock, "100.00", "110.00", "120.00", "130.00",
        claim_seconds=60, second_chance=True,
    )  # fmt: skip
    assert bids.how(people[3].status(auction)) == ("ADMITTED", "WON", None)
    waiting = bids.taken(people[2].status(auction))
    assert (waiting["status"], waiting["bidStatus"]) == ("QUEUED", "OUTBID")
    assert 2 <= waiting["pollAfterSeconds"] <= 30
    clock.shift(59)
    bids.sweep()
    assert bids.taken(people[2].status(auction))["status"] == "QUEUED"
    clock.shift(1)
    bids.sweep()
    offered = bids.taken(people[2].status(auction))
    assert (offered["status"], offered["bidStatus"], offered["winningAmount"]) == (
        "ADMITTED",
        "WON",
        "120.00",
    )
    assert (offered["admittedAt"], offered["expiresAt"]) == ("2026-12-01T09:11:00Z", "2026-12-01T09:12:00Z")
    assert bids.how(people[3].status(auction)) == ("DENIED", "LOST", "ADMISSION_EXPIRED")
    move(world, auction, "deny", people[2])  # at once, not only when the time is over
    bids.sweep()
    assert bids.taken(people[1].status(auction))["winningAmount"] == "110.00"
    move(world, auction, "complete", people[1])
    bids.sweep()
    assert bids.how(people[0].status(auction)) == ("DENIED", "LOST", "OUTBID")
    tally = require_true_tally(auction)
    assert (tally.completed, tally.admitted, tally.returned) == (1, 3, 2)


def test_an_offer_is_at_the_bidders_own_maximum_and_only_at_the_reserve(world: World, clock: Any) -> None:
    auction = world.auction(reserve_price=30_000, claim_seconds=60, second_chance=True)
    people = bids.bidders(world, 3)
    people[0].bid(auction, "290.00")
    people[1].bid(auction, "300.00", "350.00")
    people[2].bid(auction, "310.00", "500.00")
    assert bids.price(world, auction) == ("360.00", "Bidder 3", "370.00")
    clock.shift(600)
    bids.sweep()
    assert bids.how(people[0].status(auction)) == ("DENIED", "LOST", "OUTBID")
    clock.shift(60)
    bids.sweep()
    assert bids.taken(people[1].status(auction))["winningAmount"] == "350.00"
    clock.shift(60)
    bids.sweep()
    assert [bids.taken(one.status(auction))["status"] for one in people] == ["DENIED"] * 3
    assert require_true_tally(auction).inside == 0


def test_without_second_chances_a_place_is_released(world: World, clock: Any) -> None:
    auction, [loser, winner] = ended(world, clock, "100.00", "110.00", claim_seconds=60)
    bids.sweep()
    assert bids.how(loser.status(auction)) == ("DENIED", "LOST", "OUTBID")
    clock.shift(60)
    bids.sweep()
    assert bids.how(winner.status(auction)) == ("DENIED", "LOST", "ADMISSION_EXPIRED")
    assert bids.how(loser.status(auction)) == ("DENIED", "LOST", "OUTBID")
    tally = require_true_tally(auction)
    assert (tally.admitted, tally.returned, tally.inside) == (1, 1, 0)
