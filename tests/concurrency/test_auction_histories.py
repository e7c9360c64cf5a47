"""Invariant 14, by machine: any history of an auction comes to what a plain model of the rules says.

Bids, proxies, raises, purchases, voids, denials, extensions, closings by hand and by the clock, settlement,
claims and second chances, in any order, over HTTP against PostgreSQL; after each step all that anybody is
told is compared.
"""

import datetime as dt
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from distributions.auctions import api, steering
from distributions.auctions.models import Bid
from fanfare import clock as time
from fanfare import errors
from tests.audits import audited
from tests.concurrency.auction_history import ADMITTED, COMPLETED, DENIED, QUEUED, Twice, tick
from tests.concurrency.plain_auction import BUY_NOW, Closing, PlainAuction
from tests.conftest import START
from tests.world import ConsumerClient, World

PEOPLE = 4
BY = "staff:1"
Near = tuple[int, int, int | None]
"""Who bids how much more than the least amount, and how much more by proxy."""
anybody = some.integers(0, PEOPLE - 1)
near = some.tuples(anybody, some.integers(-2, 6), some.none() | some.integers(0, 40))


@some.composite
def announced(draw: some.DrawFn) -> dict[str, Any]:
    """Settings of an auction that ends in a minute."""
    starting, increment = draw(some.integers(0, 30)), draw(some.integers(1, 8))

    def now_and_then(values: some.SearchStrategy[int]) -> int | None:
        return draw(values) if draw(some.sampled_from([True, True, False])) else None

    reserve = now_and_then(some.integers(starting, 60))
    least = max(starting, reserve or 0) + 1
    rows = some.tuples(some.integers(0, 60), some.integers(increment, increment + 9))
    window = now_and_then(some.integers(1, 90))
    return {
        "starting": starting,
        "increment": increment,
        "table": draw(some.lists(rows, max_size=1)),
        "reserve": reserve,
        "buy_now": now_and_then(some.integers(least, least + 90)),
        "winners": draw(some.integers(1, 3)),
        "window": window,
        "lasts": draw(some.integers(1, 90)),
        "most": now_and_then(some.integers(0, 2)),
        "hard_end": now_and_then(some.integers(60, 200)),
        "settles": now_and_then(some.integers(60, 200)),
        "claim": now_and_then(some.just(30)),
        "chance": draw(some.booleans()),
    }


def later(seconds: int | None) -> dt.datetime | None:
    return None if seconds is None else time.now() + dt.timedelta(seconds=seconds)


class Histories(RuleBasedStateMachine):
    """One auction and everything that may befall it."""

    world: ClassVar[World]
    clock: ClassVar[Any]
    people: ClassVar[list[ConsumerClient]]
    twice: Twice

    @initialize(has=announced(), bids=some.lists(near, min_size=2, max_size=8))
    def announce(self, has: dict[str, Any], bids: list[Near]) -> None:
        self.clock.move_to(START)  # each history has the same times, and nobody's session ends
        table = [{"from": f"0.{start:02}", "increment": f"0.{step:02}"} for start, step in has["table"]]
        auction = self.world.auction(
            starting=has["starting"],
            increment=has["increment"],
            increment_table=table,
            reserve_price=has["reserve"],
            buy_now_price=has["buy_now"],
            winner_count=has["winners"],
            extension_window_seconds=has["window"],
            extension_seconds=has["window"] and has["lasts"],
            max_extensions=has["most"],
            hard_end_at=later(has["hard_end"]),
            settle_at=later(has["settles"]),
            claim_seconds=has["claim"],
            second_chance=has["chance"],
            ends_in=60,
        )
        plain = PlainAuction(
            has["starting"], has["increment"], has["table"], has["reserve"], has["buy_now"], has["winners"]
        )
        assert auction.close_at is not None
        closing = Closing(auction.close_at, has["window"], has["lasts"], has["most"], later(has["hard_end"]))
        self.twice = Twice(
            auction, plain, closing, self.people, later(has["settles"]), has["claim"], has["chance"]
        )
        self.bid_one_after_another(bids)

    @rule(who=anybody, amount=some.integers(1, 130), more=some.none() | some.integers(0, 60))
    def bid(self, who: int, amount: int, more: int | None) -> None:
        """Any bid; most of these come to be refused."""
        self.twice.bid(who, amount, None if more is None else amount + more)

    @rule(bids=some.lists(near, min_size=2, max_size=8))
    def bid_what_it_takes(self, bids: list[Near]) -> None:
        """One after another at the least amount, or near it; each answer is compared."""
        self.bid_one_after_another(bids)

    def bid_one_after_another(self, bids: list[Near]) -> None:
        for who, above, more in bids:
            amount = max(1, self.twice.plain.least() + above)
            self.twice.bid(who, amount, None if more is None else amount + more)
            self.clock.shift(1)
            self.twice.settle_if_due()

    @rule(who=anybody, more=some.integers(0, 40))
    def raise_the_maximum(self, who: int, more: int) -> None:
        if self.twice.plain.counting(str(who)):
            named, limit = self.twice.plain.named(str(who)), self.twice.plain.limit(str(who))
            self.twice.bid(who, named, limit + more)

    @precondition(lambda self: self.twice.plain.bids and self.twice.plain.buy_now)
    @rule(who=anybody)
    def buy_at_once(self, who: int) -> None:
        assert self.twice.plain.buy_now is not None
        self.twice.bid(who, self.twice.plain.buy_now, None)

    @rule(seconds=some.integers(0, 25))
    def time_goes_by(self, seconds: int) -> None:
        self.clock.shift(seconds)

    @rule(micros=some.integers(-1, 1), who=anybody)
    def bid_at_the_closing(self, micros: int, who: int) -> None:
        """At the very instant, or a millionth before or after it."""
        at = self.twice.closing.at + dt.timedelta(microseconds=micros)
        if not self.twice.is_over() and at > time.now():
            self.clock.move_to(at)
            self.twice.bid(who, self.twice.plain.least(), None)

    @precondition(lambda self: self.twice.plain.bids)
    @rule(data=some.data())
    def void(self, data: some.DataObject) -> None:
        twice = self.twice
        bid = data.draw(some.sampled_from(twice.plain.bids))
        row = Bid.objects.get(auction=twice.auction.pk, number=bid.number)
        if twice.is_settled or twice.is_cancelled or bid.is_void or bid.kind == BUY_NOW:
            with pytest.raises(errors.IllegalMove):
                steering.void(row.pk, reason="A slip", actor=BY)
            return
        steering.void(row.pk, reason="A slip", actor=BY)
        bid.is_void = True

    @rule(seconds=some.integers(-5, 60))
    def extend(self, seconds: int) -> None:
        twice = self.twice
        to = twice.closing.at + dt.timedelta(seconds=seconds)
        is_beyond = twice.closing.hard_end is not None and to > twice.closing.hard_end
        if twice.is_over() or seconds <= 0 or is_beyond:
            with pytest.raises(errors.FanfareError):
                steering.extend(twice.auction.pk, to, actor=BY)
            return
        steering.extend(twice.auction.pk, to, actor=BY)
        twice.closing.at = to

    @precondition(lambda self: len(self.twice.plain.bids) > 4)
    @rule()
    def close_now(self) -> None:
        if self.twice.is_over():
            with pytest.raises(errors.FanfareError):
                steering.close_now(self.twice.auction.pk, actor=BY)
            return
        steering.close_now(self.twice.auction.pk, actor=BY)
        self.twice.closing.at = time.now()

    @precondition(lambda self: len(self.twice.plain.bids) > 6)
    @rule()
    def cancel(self) -> None:
        twice = self.twice
        if twice.is_settled or twice.is_cancelled:
            with pytest.raises(errors.IllegalMove):
                steering.cancel(twice.auction.pk, reason="Stolen", actor=BY)
            return
        voided = sum(not bid.is_void for bid in twice.plain.bids)
        assert steering.cancel(twice.auction.pk, reason="Stolen", actor=BY) == voided
        twice.is_cancelled = True
        for place in twice.places.values():
            if twice.now_of(place)[0] == ADMITTED:
                place.status, place.reason = DENIED, "ADMIN_ACTION"

    @precondition(lambda self: self.twice.plain.bids)
    @rule(who=anybody)
    def deny(self, who: int) -> None:
        name = str(who)
        if not any(bid.who == name for bid in self.twice.plain.bids):
            return
        body = {"consumerId": self.people[who].id, "reason": "ADMIN_ACTION"}
        status = self.twice.standing(name)[0]
        answer = self.world.server().post(f"/auctions/{self.twice.auction.pk}/deny", body)
        if status == ADMITTED:
            self.twice.places[name].status, self.twice.places[name].reason = DENIED, "ADMIN_ACTION"
        elif status == QUEUED:
            self.twice.plain.denied.add(name)
        assert status not in (ADMITTED, QUEUED) or answer.status_code == 200

    @precondition(lambda self: self.twice.places)
    @rule(data=some.data())
    def complete(self, data: some.DataObject) -> None:
        name = data.draw(some.sampled_from(sorted(self.twice.places)))
        status = self.twice.standing(name)[0]
        body = {"consumerId": self.people[int(name)].id}
        answer = self.world.server().post(f"/auctions/{self.twice.auction.pk}/complete", body)
        assert answer.status_code == (200 if status in (ADMITTED, COMPLETED) else 409)
        if status == ADMITTED:
            self.twice.places[name].status = COMPLETED

    @precondition(lambda self: self.twice.is_over() or len(self.twice.plain.bids) > 4)
    @rule(seconds=some.sampled_from([0, 31]))
    def beat(self, seconds: int) -> None:
        self.clock.shift(seconds)
        tick()
        self.twice.settle_if_due()
        self.twice.pass_on_if_due()

    @invariant()
    def all_that_is_told_is_so(self) -> None:
        self.twice.require_equal(self.world)

    def teardown(self) -> None:
        if hasattr(self, "twice"):
            self.twice.require_rows()
            audited(self.twice.auction)


def test_any_history_comes_to_what_the_plain_rules_say(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "BIDS", "1000000/m")  # all histories are within the same minutes
    Histories.world, Histories.clock = world, clock
    Histories.people = [world.consumer() for _ in range(PEOPLE)]
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
