"""Invariant 14: the highest valid bid wins, whoever bids at the same instant; and a control without the lock.

A hundred bidders with connections of their own, thousands of bids, and PostgreSQL's real clock, which ends
it in the middle.
"""

import itertools
import random
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.db.utils import IntegrityError

from distributions import tasks
from distributions.auctions import statements, steering
from distributions.auctions.models import Bid
from distributions.core.models import Distribution
from tests.concurrency import bidders
from tests.concurrency.bidders import Told
from tests.concurrency.race import race
from tests.lines import make_consumers, require_true_tally
from tests.world import World

CROWD = 100
TOO_LOW = {"BID_TOO_LOW", "BID_BELOW_INCREMENT"}


def ends_soon(auction: Distribution) -> None:
    """Let it close in a moment by PostgreSQL's clock, after all that has been decided so far."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE distributions_distribution SET close_at = clock_timestamp() + interval '0.5 seconds'"
            " WHERE id = %s",
            [auction.pk],
        )


def crowd_bids(auction: Distribution, people: list[str], each: int, until: int) -> list[Told]:
    """Everybody bids so often; when `until` bids were made, the end comes near."""
    made = itertools.count(1)

    def run(index: int) -> list[Told]:
        chance, told = random.Random(index), []
        for _ in range(each):
            told.append(bidders.try_bid(auction, people[index], *bidders.next_amount(auction, chance)))
            if next(made) == until:
                ends_soon(auction)
        return told

    return [one for told in race(len(people), run).all() for one in told]


@pytest.mark.parametrize(("winners", "each"), [(1, 50), (5, 15)])
def test_a_hundred_bidders_and_the_closing_in_the_middle(world: World, winners: int, each: int) -> None:
    auction = world.auction(starting=100, increment=7, winner_count=winners, ends_in=3600)
    people = make_consumers(world, CROWD)

    told = crowd_bids(auction, people, each, CROWD * each * 2 // 5)

    bidders.require_true_rows(auction, CROWD * each)
    bidders.require_in_time(auction, told)
    codes = Counter(one.code for one in told)
    assert codes[""] == len(bidders.accepted(auction)) > 20
    assert codes[bidders.CLOSED] > 100  # the closing did come in the middle
    assert set(codes) - TOO_LOW == {"", bidders.CLOSED}
    if winners == 1:
        bidders.require_rising(auction)
    bidders.require_price(auction)
    require_judged_alike(auction)

    due = bidders.plain(auction).results()
    tasks.settle_auction(auction.pk)
    assert bidders.winners(auction) == due
    assert len(due) == winners
    highest: Counter[str] = Counter()
    for row in bidders.accepted(auction):  # a later bid may name less than an earlier proxy
        highest[row.consumer_id] = max(highest[row.consumer_id], row.max_amount or row.amount)
    assert min(highest[who] for who in due) >= max(
        (top for who, top in highest.items() if who not in due), default=0
    )
    assert require_true_tally(auction).admitted == winners


def require_judged_alike(auction: Distribution) -> None:
    """A sample of all bids, refused ones too: the plain rules say the same of each, and of the price then."""
    rows = bidders.rows_of(auction)
    judged = [row for row in rows if row.refusal != bidders.CLOSED]
    for row in random.Random(1).sample(judged, 25):
        model = bidders.plain(auction, [one for one in rows if not one.refusal and one.number < row.number])
        model.decided = row.number - 1
        assert model.bid(row.consumer_id, row.amount, row.max_amount) == (row.refusal or row.kind)
        assert model.high() == row.high_after


def test_the_same_amount_at_once_is_taken_once(world: World) -> None:
    """Of fifty equal bids the first is the price, and nobody else is told that theirs was taken."""
    auction, people = world.auction(), make_consumers(world, 50)
    told = race(50, lambda index: bidders.try_bid(auction, people[index], 10_000)).all()
    assert Counter(one.code for one in told) == {"": 1, "BID_TOO_LOW": 49}
    (row,) = bidders.accepted(auction)
    assert (bidders.stored(auction).high, row.number) == (10_000, 1)
    bidders.require_true_rows(auction, 50)


def test_equal_maxima_at_once_go_to_the_earlier(world: World) -> None:
    auction, people = world.auction(winner_count=2), make_consumers(world, 20)
    race(20, lambda index: bidders.try_bid(auction, people[index], 10_000 + 2_000 * index, 90_000)).all()
    first, second, *_ = bidders.accepted(auction)
    assert set(bidders.plain(auction).results()) == {first.consumer_id, second.consumer_id}
    bidders.require_price(auction)
    due = bidders.plain(auction).results()
    steering.close_now(auction.pk, actor="staff:1")
    assert bidders.winners(auction) == due


def test_one_bidder_by_many_devices_has_one_place(world: World) -> None:
    """Invariant 2: their first bids race, and one participation stands for all of them."""
    auction, (person,) = world.auction(), make_consumers(world, 1)
    race(20, lambda index: bidders.try_bid(auction, person, 10_000 + 1_000 * index)).all()
    assert require_true_tally(auction).taken == 1
    bidders.require_true_rows(auction, 20)
    bidders.require_rising(auction)


@pytest.mark.parametrize("winners", [1, 3])
def test_no_more_are_sold_at_once_than_there_are(world: World, winners: int) -> None:
    """Invariant 4: everybody buys; the last one ends it."""
    auction = world.auction(buy_now_price=50_000, winner_count=winners)
    people = make_consumers(world, 30)
    told = race(30, lambda index: bidders.try_bid(auction, people[index], 50_000)).all()
    assert Counter(one.code for one in told) == {"": winners, bidders.CLOSED: 30 - winners}
    assert list(bidders.winners(auction).values()) == [50_000] * winners
    bidders.require_in_time(auction, told)
    assert require_true_tally(auction).admitted == winners


# --- The control -----------------------------------------------------------------------------------


def without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the row's lock nor the turn that bids wait for before it."""
    unlocked = statements._AUCTION.replace("FOR NO KEY UPDATE", "")
    assert unlocked != statements._AUCTION
    monkeypatch.setattr(statements, "_AUCTION", unlocked)
    out_of_turn = statements._TURN.replace(
        "pg_advisory_xact_lock(hashtextextended(%(auction)s, 0))", "%(auction)s::text"
    )
    assert out_of_turn != statements._TURN
    monkeypatch.setattr(statements, "_TURN", out_of_turn)


def meeting(monkeypatch: pytest.MonkeyPatch) -> None:
    """All who bid have looked before anybody writes."""
    looked, look = threading.Barrier(2), statements.look

    def look_and_wait(*about: Any) -> Any:
        found = look(*about)
        looked.wait(30)
        return found

    monkeypatch.setattr(statements, "look", look_and_wait)


def test_the_control_without_the_lock_loses_a_bid(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two look before either writes: the numbers of bids, which are unique, let one of them fail."""
    without_the_lock(monkeypatch)
    meeting(monkeypatch)
    auction, people = world.auction(), make_consumers(world, 2)
    found = race(2, lambda index: bidders.try_bid(auction, people[index], 10_000))
    assert len(found.results) == 1
    assert isinstance(found.errors[0], IntegrityError)
    with pytest.raises(AssertionError):
        bidders.require_true_rows(auction, 2)


def test_the_control_without_lock_and_numbers_takes_one_amount_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were what is required above to hold here too, it could not fail."""
    without_the_lock(monkeypatch)
    numbers, look = itertools.count(), statements.look

    def look_and_count(*about: Any) -> Any:
        found = look(*about)
        found.auction.number = next(numbers)
        return found

    monkeypatch.setattr(statements, "look", look_and_count)
    meeting(monkeypatch)
    auction, people = world.auction(), make_consumers(world, 2)
    race(2, lambda index: bidders.try_bid(auction, people[index], 10_000)).all()
    assert list(Bid.objects.filter(auction=auction.pk, refusal="").values_list("amount", flat=True)) == [
        10_000,
        10_000,
    ]
    for require in (bidders.require_rising, bidders.require_true_rows):
        with pytest.raises(AssertionError):
            require(auction)
