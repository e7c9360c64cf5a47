"""Invariant 15: a bid near the end moves the closing, and the closing that is shown is the one that counts.

Against PostgreSQL's real clock, which nobody waits for: bidders bid until they are told that it is over.
"""

import datetime as dt
import random
from typing import Any

import pytest
from django.conf import settings

from distributions import tasks
from distributions.auctions import steering
from distributions.core.models import Distribution, Participation, Status
from experiences.models import Event
from fanfare import clock as time
from fanfare import errors
from tests.concurrency import bidders
from tests.concurrency.bidders import Told
from tests.concurrency.plain_auction import RAISE, Closing
from tests.concurrency.race import race
from tests.lines import make_consumers, require_true_tally
from tests.world import World, assert_error

CROWD = 12
BY = "staff:1"


def bid_until_it_is_over(auction: Distribution, people: list[str], index: int) -> list[Told]:
    chance, told = random.Random(index), [bidders.try_bid(auction, people[index], 1)]
    while told[-1].code != bidders.CLOSED:
        told.append(bidders.try_bid(auction, people[index], *bidders.next_amount(auction, chance)))
    return told


def events_named(auction: Distribution, name: str) -> list[Event]:
    return list(Event.objects.filter(distribution_id=auction.pk, name=name).order_by("id"))


def require_closing(auction: Distribution, announced: dt.datetime) -> None:
    """Bid by bid the closing is where the accepted ones moved it, in the row, the trace and at last."""
    has = bidders.stored(auction)
    window, lasts = has.extension_window_seconds, has.extension_seconds or 0
    closing = Closing(announced, window, lasts, has.max_extensions, has.hard_end_at)
    moves = []
    for row in bidders.rows_of(auction):
        before = closing.at
        if not row.refusal and row.kind != RAISE and closing.accepted(row.at):
            moves.append((row.pk, before, closing.at))
        assert row.closes_at == closing.at
    assert (has.distribution.close_at, has.extensions) == (closing.at, closing.extensions)
    told = [event.data for event in events_named(auction, "auction.extended")]
    read = dt.datetime.fromisoformat
    assert [(one["bid"], read(one["from"]), read(one["to"])) for one in told] == moves
    assert has.extensions > 0  # else this has shown nothing


@pytest.mark.parametrize("limit", [{"max_extensions": 2}, {"hard_end_in": 0.9}])
def test_bids_at_once_near_the_end(world: World, limit: dict[str, Any]) -> None:
    hard_end = limit.pop("hard_end_in", None)
    more = {} if hard_end is None else {"hard_end_at": time.now() + dt.timedelta(seconds=hard_end)}
    auction = world.auction(
        starting=100,
        increment=7,
        ends_in=0.5,
        extension_window_seconds=1,
        extension_seconds=1,
        **more,
        **limit,
    )
    announced, people = auction.close_at, make_consumers(world, CROWD)
    assert announced is not None

    told = race(CROWD, lambda index: bid_until_it_is_over(auction, people, index)).all()

    bidders.require_true_rows(auction)
    bidders.require_in_time(auction, [one for many in told for one in many])
    require_closing(auction, announced)
    bidders.require_rising(auction)
    bidders.require_price(auction)
    due = bidders.plain(auction).results()
    tasks.settle_auction(auction.pk)
    assert bidders.winners(auction) == due
    (closed,) = events_named(auction, "auction.closed")
    shown = world.shop_front().get(f"/auctions/{auction.pk}").json()
    assert closed.data["closeAt"] == shown["closeAt"]
    assert dt.datetime.fromisoformat(shown["closeAt"]) == bidders.stored(auction).distribution.close_at


def test_the_closing_that_was_shown_counts_to_the_microsecond(world: World, clock: Any) -> None:
    auction = world.auction(ends_in=60, extension_window_seconds=30, extension_seconds=40)
    one, other = world.consumer(), world.consumer()
    one.bid(auction, "100.00")
    assert auction.close_at is not None
    path = f"/auctions/{auction.pk}"

    clock.move_to(auction.close_at - dt.timedelta(microseconds=1))
    assert_error(other.bid(auction, "100.00"), 400, "Bid must be higher than current bid")
    shown = world.shop_front().get(path).json()
    assert shown["closeAt"] == "2026-12-01T09:01:00Z"  # a refused bid moves nothing
    assert other.bid(auction, "110.00").status_code == 200
    shown = world.shop_front().get(path).json()
    assert shown["closeAt"] == "2026-12-01T09:01:39.999999Z"

    clock.move_to(auction.close_at)
    assert one.bid(auction, "120.00").json()["bidStatus"] == "WINNING"
    assert world.shop_front().get(path).json()["closeAt"] == shown["closeAt"]  # the new end is far away yet
    clock.move_to(dt.datetime.fromisoformat(shown["closeAt"]))
    assert_error(other.bid(auction, "130.00"), 400, "Auction is closed", "AUCTION_CLOSED")
    assert one.status(auction).json()["status"] == "ADMITTED"
    assert world.shop_front().get(path).json()["closeAt"] == shown["closeAt"]


def test_what_is_remembered_of_the_closing_ends_nothing(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that knows the auction as it was before an extension looks again before it settles."""
    monkeypatch.setattr(settings, "MEMO_SECONDS", 3600)
    auction = world.auction(ends_in=60, extension_window_seconds=30, extension_seconds=40)
    one, other = world.consumer(), world.consumer()
    path = f"/auctions/{auction.pk}"
    assert world.shop_front().get(path).json()["closeAt"] == "2026-12-01T09:01:00Z"
    clock.shift(59)
    assert one.bid(auction, "100.00").status_code == 200
    clock.shift(2)
    shown = world.shop_front().get(path).json()
    assert (shown["status"], shown["closeAt"]) == ("OPEN", "2026-12-01T09:01:39Z")
    assert one.status(auction).json()["bidStatus"] == "WINNING"
    assert other.bid(auction, "110.00").status_code == 200
    clock.shift(40)
    assert other.status(auction).json()["status"] == "ADMITTED"


# --- Staff -----------------------------------------------------------------------------------------


def crowd_and_staff(auction: Distribution, people: list[str], deed: Any, each: int = 15) -> list[Told]:
    """Everybody bids so often; in between, staff do something."""
    told: list[Told] = []

    def run(index: int) -> None:
        chance = random.Random(index)
        for turn in range(each):
            told.append(bidders.try_bid(auction, people[index], *bidders.next_amount(auction, chance)))
            if index == 0 and turn == each // 2:
                deed()

    race(len(people), run).all()
    return told


@pytest.mark.parametrize("winners", [1, 3])
def test_staff_close_while_everybody_bids(world: World, winners: int) -> None:
    auction = world.auction(starting=100, increment=7, winner_count=winners)
    people = make_consumers(world, CROWD)
    told = crowd_and_staff(auction, people, lambda: steering.close_now(auction.pk, actor=BY))
    bidders.require_true_rows(auction, CROWD * 15)
    bidders.require_in_time(auction, told)
    assert {one.code for one in told} >= {"", bidders.CLOSED}
    bidders.require_price(auction)
    assert bidders.winners(auction) == bidders.plain(auction).results()
    assert require_true_tally(auction).admitted == winners
    assert len(events_named(auction, "auction.settled")) == 1


def test_staff_extend_while_bids_do(world: World) -> None:
    """Both count: the closing only ever gets later, and the last word is what stands in the row."""
    auction = world.auction(
        starting=100, increment=7, ends_in=30, extension_window_seconds=31, extension_seconds=31
    )
    people = make_consumers(world, CROWD)
    to = time.now() + dt.timedelta(seconds=45)
    told = crowd_and_staff(auction, people, lambda: steering.extend(auction.pk, to, actor=BY))
    assert bidders.CLOSED not in {one.code for one in told}
    shown = [row.closes_at for row in bidders.rows_of(auction)]
    assert shown == sorted(shown)  # type: ignore[type-var]
    assert to in shown
    assert bidders.stored(auction).distribution.close_at == shown[-1]
    moves = [(e.data["from"], e.data["to"]) for e in events_named(auction, "auction.extended")]
    assert all(before[1] == after[0] for before, after in zip(moves, moves[1:], strict=False))
    bidders.require_true_rows(auction, CROWD * 15)


@pytest.mark.parametrize("_", range(3))
def test_staff_cancel_while_everybody_bids_and_buys(world: World, _: int) -> None:
    auction = world.auction(starting=100, increment=7, winner_count=3, buy_now_price=5_000)
    people = make_consumers(world, CROWD)
    buyer = make_consumers(world, 1)[0]

    def cancel() -> None:
        bidders.try_bid(auction, buyer, 5_000)
        steering.cancel(auction.pk, reason="Stolen", actor=BY)

    told = crowd_and_staff(auction, people, cancel)
    assert bidders.CLOSED in {one.code for one in told}
    assert all(row.voided_at is not None for row in bidders.accepted(auction))
    rows = [row.number for row in bidders.rows_of(auction)]
    assert rows == list(range(1, CROWD * 15 + 2))
    tasks.tick_auctions()
    statuses = Participation.objects.filter(distribution=auction).values_list("status", "deny_reason")
    assert set(statuses) == {(Status.DENIED, "ADMIN_ACTION")}
    assert require_true_tally(auction).inside == 0


def test_cancelled_or_settled_and_never_both(world: World, clock: Any) -> None:
    for _ in range(6):
        auction = world.auction(ends_in=60)
        person = world.consumer()
        person.bid(auction, "100.00")
        clock.shift(60)

        def act(index: int, auction: Distribution = auction) -> bool:
            if index:
                return bool(tasks.settle_auction(auction.pk))
            try:
                steering.cancel(auction.pk, reason="Stolen", actor=BY)
            except errors.IllegalMove:
                return False
            return True

        was_cancelled = race(3, act).all()[0]
        has = bidders.stored(auction)
        assert (has.cancelled_at is None, has.settled_at is None) == (not was_cancelled, was_cancelled)
        expected = ("DENIED", "LOST") if was_cancelled else ("ADMITTED", "WON")
        told = person.status(auction).json()
        assert (told["status"], told["bidStatus"]) == expected


@pytest.mark.parametrize("_", range(3))
def test_bids_are_taken_back_while_everybody_bids(world: World, _: int) -> None:
    """The price is that of what remains, whichever bids came between."""
    auction = world.auction(starting=100, increment=7, winner_count=2)
    people = make_consumers(world, CROWD)

    def void_some() -> None:
        for row in random.Random(1).sample(bidders.accepted(auction), 3):
            steering.void(row.pk, reason="A slip", actor=BY)

    crowd_and_staff(auction, people, void_some)
    bidders.require_true_rows(auction, CROWD * 15)
    bidders.require_price(auction)
    assert len(events_named(auction, "auction.bid.voided")) == 3
    due = bidders.plain(auction).results()
    steering.close_now(auction.pk, actor=BY)
    assert bidders.winners(auction) == due
