"""An auction ends once: whoever settles it, however often, and whatever shop and clock do meanwhile."""

import threading
from collections import Counter
from typing import Any

import pytest

from distributions import tasks
from distributions.auctions import results, steering
from distributions.auctions.models import Auction, Bidder
from distributions.core.models import Distribution, Participation, Tally
from experiences.models import Event
from fanfare import errors
from tests import lines
from tests.concurrency import bidders
from tests.concurrency.race import race
from tests.world import ConsumerClient, World

BY = "staff:1"


def with_bids(world: World, number: int, **settings: Any) -> tuple[Distribution, list[str]]:
    """An auction with so many bidders, each at 10.00 more than the one before; who goes furthest is last."""
    auction = world.auction(**{"starting": 1_000, "increment": 1_000, "ends_in": 60, **settings})
    people = lines.make_consumers(world, number)
    for turn, person in enumerate(people, start=1):
        bidders.bid(auction, person, 1_000 * turn)
    return auction, people


def told(auction: Distribution) -> Counter[str]:
    """How often the trace tells that it was closed, settled; and who moved."""
    rows = Event.objects.filter(distribution_id=auction.pk).exclude(name__startswith="auction.bid")
    return Counter(rows.values_list("name", flat=True))


def held(auction: Distribution) -> int:
    """How many places are held or used, in one look."""
    admitted, returned = Tally.objects.values_list("admitted", "returned").get(pk=auction.pk)
    return admitted - returned


def status_of(auction: Distribution, person: str) -> tuple[str, str]:
    row = Participation.objects.get(distribution=auction, consumer=person)
    return row.status, row.deny_reason


@pytest.mark.parametrize("winners", [1, 5])
def test_eight_workers_and_requests_settle_at_once(world: World, clock: Any, winners: int) -> None:
    auction, people = with_bids(world, 8, winner_count=winners)
    browser = world.consumer()
    clock.shift(60)

    def act(index: int) -> None:
        if index < 8:
            (tasks.settle_auction(auction.pk) if index % 2 else tasks.tick_auctions())
        elif index == 8:
            browser.status(auction)
        else:
            world.shop_front().get(f"/auctions/{auction.pk}")

    race(12, act).all()

    assert bidders.winners(auction) == {
        person: 1_000 * (people.index(person) + 1) for person in people[-winners:]
    }
    names = told(auction)
    assert (names["auction.closed"], names["auction.settled"]) == (1, 1)
    assert lines.require_true_tally(auction).admitted == winners


def test_the_control_without_the_lock_settles_twice(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction, _ = with_bids(world, 3)
    clock.shift(60)
    both_looked = threading.Barrier(2)

    def not_locked(auction_id: str) -> Auction:
        found = Auction.objects.select_related("distribution__tally", "distribution__sequence").get(
            pk=auction_id
        )
        both_looked.wait(30)
        return found

    monkeypatch.setattr(results, "locked", not_locked)
    race(2, lambda _: tasks.settle_auction(auction.pk)).all()
    assert told(auction)["auction.settled"] == 2


def snapshot(auction: Distribution) -> Any:
    """All that is stored of it, to be compared."""
    rows: list[Any] = list(Auction.objects.filter(pk=auction.pk).values_list())
    rows += Distribution.objects.filter(pk=auction.pk).values_list()
    rows += Tally.objects.filter(pk=auction.pk).values_list()
    rows += Participation.objects.filter(distribution=auction).order_by("id").values_list()
    rows += Bidder.objects.filter(auction=auction.pk).order_by("pk").values_list()
    rows += Event.objects.filter(distribution_id=auction.pk).order_by("id").values_list()
    return [[bytes(one) if isinstance(one, memoryview) else one for one in row] for row in rows]


def test_tasks_that_come_three_times_late_and_out_of_order(world: World, clock: Any) -> None:
    auction, people = with_bids(world, 4, winner_count=2)
    every = [tasks.offer_second_chances, tasks.deny_bidders, tasks.settle_auction]
    before = snapshot(auction)
    for task in every * 3:
        task(auction.pk)
    tasks.tick_auctions()
    assert snapshot(auction) == before

    clock.shift(86_400)
    for _ in range(3):
        tasks.settle_auction(auction.pk)
    settled = snapshot(auction)
    assert set(bidders.winners(auction)) == set(people[2:])
    clock.shift(86_400)
    for task in every * 3:
        task(auction.pk)
    tasks.tick_auctions()
    assert snapshot(auction) == settled
    for task in every:
        task("auction_00000000000000000000000000")  # of one that is nobody's


def test_who_was_outbid_by_a_purchase_has_not_missed_the_reserve(world: World, clock: Any) -> None:
    """They were the best so far, below the reserve; then somebody bought the only place."""
    auction = world.auction(reserve_price=40_000, buy_now_price=50_000)
    one, other = world.consumer(), world.consumer()
    assert one.bid(auction, "100.00").json()["bidStatus"] == "ACTIVE"
    assert other.bid(auction, "500.00").json()["status"] == "ADMITTED"
    body = one.status(auction).json()
    assert (body["bidStatus"], body["denyReason"]) == ("LOST", "OUTBID")


def test_a_buyers_earlier_bid_is_taken_back_and_the_purchase_still_counts(world: World, clock: Any) -> None:
    auction, person = world.auction(winner_count=2, buy_now_price=50_000), world.consumer()
    person.bid(auction, "100.00")
    person.bid(auction, "500.00")
    steering.void(bidders.accepted(auction)[0].pk, reason="A slip", actor=BY)
    told = person.status(auction).json()
    found = [told[name] for name in ("status", "winningAmount", "bidCount", "lastBidAmount")]
    assert found == ["ADMITTED", "500.00", 1, "500.00"]
    assert bidders.stored(auction).bids == 1


# --- Second chances --------------------------------------------------------------------------------


def test_second_chances_raced_by_expiry_and_completion(world: World, clock: Any) -> None:
    """Never a place too many, whoever looks; each is offered to the next, once."""
    auction, people = with_bids(world, 12, winner_count=3, claim_seconds=30, second_chance=True)
    clock.shift(60)
    tasks.settle_auction(auction.pk)
    most = [held(auction)]
    server = world.server()
    for turn in range(3):
        clock.shift(30 if turn else 0)
        rows = Participation.objects.filter(distribution=auction, status="ADMITTED")
        inside = sorted(rows.values_list("consumer", flat=True))

        def act(index: int, inside: list[str] = inside) -> Any:
            if index < 3:
                for _ in range(4):
                    tasks.expire_admissions()
                    tasks.offer_second_chances(auction.pk)
                    most.append(held(auction))
                return None
            body = {"consumerId": inside[index % len(inside)]}
            return server.post(f"/auctions/{auction.pk}/complete", body)

        answers = [answer for answer in race(4, act).all() if answer is not None]
        assert {answer.status_code for answer in answers} <= {200, 409}
        most.append(held(auction))
    assert max(most) == 3
    tally = lines.require_true_tally(auction)
    assert tally.completed >= 1
    # Those who got a place are the best, without gap: nobody was passed over, nobody was asked twice.
    got = bidders.winners(auction)
    assert set(got) == set(people[-len(got) :])
    assert tally.admitted == len(got) > 3
    assert all(price == 1_000 * (people.index(person) + 1) for person, price in got.items())


def test_a_completion_at_the_last_instant_keeps_the_place(world: World, clock: Any) -> None:
    for _ in range(6):
        auction, people = with_bids(world, 2, claim_seconds=30, second_chance=True)
        clock.shift(60)
        tasks.settle_auction(auction.pk)
        clock.shift(29)

        def act(index: int, auction: Distribution = auction, winner: str = people[1]) -> Any:
            if index:
                tasks.expire_admissions()
                return tasks.offer_second_chances(auction.pk)
            return world.server().post(f"/auctions/{auction.pk}/complete", {"consumerId": winner})

        assert race(4, act).all()[0].status_code == 200
        assert status_of(auction, people[1])[0] == "COMPLETED"
        clock.shift(60)
        tasks.expire_admissions()
        tasks.tick_auctions()
        assert status_of(auction, people[0])[0] == "QUEUED"
        assert held(auction) == 1


# --- Denied meanwhile ------------------------------------------------------------------------------


def deny(world: World, auction: Distribution, person: str) -> Any:
    body = {"consumerId": person, "reason": "FRAUD_DETECTED"}
    return world.server().post(f"/auctions/{auction.pk}/deny", body)


@pytest.mark.parametrize("_", range(4))
def test_the_leader_is_denied_while_it_is_settled(world: World, clock: Any, _: int) -> None:
    """Before: the next one wins. After: the place was won and comes back. Never a bit of both."""
    auction, people = with_bids(world, 3)
    clock.shift(60)
    answers = race(
        4, lambda index: tasks.settle_auction(auction.pk) if index else deny(world, auction, people[2])
    ).all()
    assert answers[0].status_code == 200
    assert status_of(auction, people[2]) == ("DENIED", "FRAUD_DETECTED")
    won = bidders.winners(auction)
    assert list(won.items()) in ([(people[1], 2_000)], [(people[2], 3_000)])
    assert held(auction) == (1 if people[1] in won else 0)
    assert told(auction)["auction.settled"] == 1
    lines.require_true_tally(auction)


@pytest.mark.parametrize("_", range(3))
def test_the_leader_is_denied_while_they_bid(world: World, _: int) -> None:
    auction = world.auction(starting=100, increment=7, ends_in=3600)
    people = lines.make_consumers(world, 6)
    leader = people[0]
    bidders.bid(auction, leader, 100, 10**6)

    def act(index: int) -> Any:
        if index == 5:
            return deny(world, auction, leader).status_code
        for turn in range(10):
            bidders.try_bid(auction, people[index], 200 * (turn + 1) + index)
        return None

    assert race(6, act).all()[5] == 200
    assert status_of(auction, leader)[0] == "DENIED"
    bidders.require_true_rows(auction)
    bidders.require_price(auction)
    with pytest.raises(errors.IllegalMove):
        bidders.bid(auction, leader, 10**7)
    steering.close_now(auction.pk, actor=BY)
    (winner,) = bidders.winners(auction)
    assert winner != leader


def client_statuses(auction: Distribution, crowd: list[ConsumerClient]) -> list[str]:
    return [one.status(auction).json()["status"] for one in crowd]


def test_all_are_told_the_same_result_at_the_same_instant(world: World, clock: Any) -> None:
    """The first request after the end settles it; every other one sees what came of that."""
    auction = world.auction(winner_count=2)
    crowd = [world.consumer() for _ in range(6)]
    for turn, one in enumerate(crowd):
        one.bid(auction, f"{100 + 10 * turn}.00")
    clock.shift(600)
    answers = race(6, lambda index: crowd[index].status(auction)).all()
    statuses = [answer.json()["status"] for answer in answers]
    assert statuses == ["DENIED"] * 4 + ["ADMITTED"] * 2
    assert client_statuses(auction, crowd) == statuses
