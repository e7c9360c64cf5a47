"""Redis flushed in the midst of an auction, away, or deaf: bids and what is told of them stay right."""

from typing import Any

import pytest

from distributions import tasks
from distributions.auctions import steering
from distributions.core import lifecycle, live
from distributions.core.models import Distribution
from fanfare import redis
from tests import lines
from tests.concurrency import bidders
from tests.concurrency.race import race
from tests.draws import dies
from tests.resilience.test_outages import no_redis  # noqa: F401 (a fixture)
from tests.world import ConsumerClient, World, assert_error

SHOWN = ("status", "bidStatus", "bidCount", "currentBid", "currentHighBid", "minimumNextBid", "winningAmount")


def statuses(auction: Distribution, crowd: list[ConsumerClient]) -> list[dict[str, Any]]:
    found = []
    for one in crowd:
        body = one.status(auction).json()
        found.append({name: body[name] for name in (*SHOWN, "denyReason") if name in body})
    return found


def whole_life(world: World, auction: Distribution, clock: Any, between: Any = lambda: None) -> list[Any]:
    """Bids, a void, a denial, the end, a second chance; what all are told after each, `between` before."""
    crowd, told = [world.consumer() for _ in range(4)], []

    def look() -> None:
        between()
        told.append(statuses(auction, crowd))

    for turn, (amount, maximum) in enumerate([("100.00", "300.00"), ("150.00", None), ("200.00", "250.00")]):
        between()
        assert crowd[turn].bid(auction, amount, maximum, key="k").status_code == 200
        between()
        assert crowd[turn].bid(auction, amount, maximum, key="k").status_code == 200
    assert_error(crowd[3].bid(auction, "260.00"), 400, "Bid must be higher than current bid")
    look_again = crowd[3].bid(auction, "270.00").json()
    assert look_again["bidStatus"] == "OUTBID"
    look()
    leading = next(row for row in bidders.accepted(auction) if row.max_amount == 30_000)
    steering.void(leading.pk, reason="A slip", actor="staff:1")
    look()
    body = {"consumerId": crowd[1].id, "reason": "FRAUD_DETECTED"}
    assert world.server().post(f"/auctions/{auction.pk}/deny", body).status_code == 200
    look()
    clock.shift(600)
    look()
    clock.shift(30)
    between()
    tasks.expire_admissions()
    tasks.tick_auctions()
    look()
    bidders.require_true_rows(auction)
    lines.require_true_tally(auction)
    return told


TERMS: dict[str, Any] = {"claim_seconds": 30, "second_chance": True}
EXPECTED = [
    # After the bids: the first one leads by proxy, at one increment above the last, and at most at 300.00.
    [("WINNING", "280.00"), ("OUTBID", None), ("OUTBID", None), ("OUTBID", None)],
    [("OUTBID", None), ("OUTBID", None), ("OUTBID", None), ("WINNING", "270.00")],
    [("OUTBID", None), ("LOST", None), ("OUTBID", None), ("WINNING", "270.00")],
    [("LOST", None), ("LOST", None), ("OUTBID", None), ("WON", None)],
    [("LOST", None), ("LOST", None), ("WON", None), ("LOST", None)],
]


def summary(told: list[Any]) -> list[Any]:
    return [[(one["bidStatus"], one.get("currentBid")) for one in each] for each in told]


def test_with_redis(world: World, clock: Any) -> None:
    """What the others are compared with."""
    assert summary(whole_life(world, world.auction(**TERMS), clock)) == EXPECTED


def test_redis_is_flushed_before_each_step(world: World, clock: Any) -> None:
    found = whole_life(world, world.auction(**TERMS), clock, between=lambda: redis.client().flushdb())
    assert summary(found) == EXPECTED


@pytest.mark.usefixtures("no_redis")
def test_without_redis(world: World, clock: Any) -> None:
    assert summary(whole_life(world, world.auction(**TERMS), clock)) == EXPECTED


def test_redis_hears_of_nothing(world: World, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "push", lambda *_: None)
    assert summary(whole_life(world, world.auction(**TERMS), clock)) == EXPECTED


def test_redis_hears_of_the_entry_alone(world: World, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says of all that they wait; who won is told so all the same, and at once."""
    auction, crowd = world.auction(winner_count=2), [world.consumer() for _ in range(4)]
    tasks.watch_redis()
    for turn, one in enumerate(crowd):
        one.bid(auction, f"{100 + 10 * turn}.00")
    assert all(one.status(auction).json()["status"] == "QUEUED" for one in crowd)
    clock.shift(600)
    monkeypatch.setattr(live, "push", lambda *_: None)
    answers = [one.status(auction).json() for one in crowd]
    assert [one["status"] for one in answers] == ["DENIED", "DENIED", "ADMITTED", "ADMITTED"]
    assert [one.get("winningAmount") for one in answers] == [None, None, "120.00", "130.00"]
    assert all("admissionToken" in one for one in answers[2:])


def test_a_death_after_the_commit_loses_no_bid(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis never hears of the entry; the bid counts, and is answered as the first when it comes again."""
    auction, person = world.auction(), world.consumer()
    with monkeypatch.context() as patch:
        patch.setattr(live, "push", dies)
        headers = {**person.headers, "Idempotency-Key": "k"}
        path = f"/api/v1/auctions/{auction.pk}/bid"
        answer: Any = person.client.post(path, {"amount": "100.00"}, "application/json", headers=headers)
        assert answer.status_code == 500
    assert bidders.stored(auction).high == 10_000
    assert person.bid(auction, "100.00", key="k").json()["bidStatus"] == "WINNING"
    assert person.status(auction).json()["bidStatus"] == "WINNING"
    bidders.require_true_rows(auction, 1)


def test_redis_is_flushed_while_everybody_bids(world: World) -> None:
    auction = world.auction(starting=100, increment=7, ends_in=3600)
    crowd = [world.consumer() for _ in range(6)]

    def act(index: int) -> list[int]:
        if index == 6:
            return [0 for _ in range(40) if not redis.client().flushdb()]
        codes = []
        for turn in range(8):
            amount = 100 + 400 * turn + 60 * index
            codes.append(crowd[index].bid(auction, f"{amount // 100}.{amount % 100:02}").status_code)
            codes.append(crowd[index].status(auction).status_code)
        return codes

    answers = race(7, act).all()
    assert {code for codes in answers for code in codes} <= {
        200,
        400,
        404,
    }  # 404: no bid of theirs was taken yet
    bidders.require_true_rows(auction, 48)
    bidders.require_rising(auction)
    bidders.require_price(auction)
    leader = bidders.plain(auction).winning()[0]
    for one in crowd:
        if lines.stored(auction, one.id):
            told = one.status(auction).json()
            assert (told["bidStatus"] == "WINNING") == (one.id == leader)
            assert lifecycle.latest(auction, one.id).status == told["status"] == "QUEUED"
