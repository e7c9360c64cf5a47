"""A worker dies at any statement of a bid, a settlement, a void or a cancellation: nothing half done is left.

Each deed is tried again and again, dying one statement later each time, until it gets through; after each
death all tables are as they were, and the deed that gets through at last does all of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from distributions import tasks
from distributions.auctions import statements, steering
from distributions.auctions.models import Auction, Bid, Bidder
from distributions.core import statements as moves
from distributions.core.models import Distribution, Participation, Tally
from experiences.models import Event
from tests import lines
from tests.concurrency import bidders
from tests.draws import WorkerDied
from tests.world import World

BY = "staff:1"
MOST = 80  # statements of one deed


def snapshot(auction: Distribution) -> Any:
    """All that is stored of an auction."""
    found: list[Any] = []
    for model, key in (
        (Auction, "pk"),
        (Distribution, "pk"),
        (Tally, "pk"),
        (Participation, "distribution"),
        (Bidder, "auction"),
        (Bid, "auction"),
        (Event, "distribution_id"),
    ):
        found += model._default_manager.filter(**{key: auction.pk}).order_by("pk").values_list()
    return [[bytes(one) if isinstance(one, memoryview) else one for one in row] for row in found]


class Life:
    """So many statements; then it is over."""

    def __init__(self, lasts: int) -> None:
        self.left = lasts

    def one_less(self) -> None:
        if not self.left:
            raise WorkerDied
        self.left -= 1


@contextmanager
def dying_after(lasts: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Die before the statement after so many: the ORM's, those of the moves, or those that bids send."""
    life = Life(lasts)
    send, run = statements._send, moves._run

    def orm(execute: Any, *about: Any) -> Any:
        life.one_less()
        return execute(*about)

    def pipeline(deeds: list[Any], **more: Any) -> Any:
        """What is sent before the death is rolled back with the rest."""
        for number, _ in enumerate(deeds):
            if not life.left:
                send(deeds[:number])
            life.one_less()
        return send(deeds, **more)

    def move(*about: Any) -> Any:
        life.one_less()
        return run(*about)

    with monkeypatch.context() as patch, connection.execute_wrapper(orm):
        patch.setattr(statements, "_send", pipeline)
        patch.setattr(moves, "_run", move)
        yield


def try_until_done(auction: Distribution, deed: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> int:
    """How often the worker died; after each death all is as it was, and after the last try it is not."""
    before = snapshot(auction)
    for lasts in range(MOST):
        try:
            with dying_after(lasts, monkeypatch):
                deed()
        except WorkerDied:
            assert snapshot(auction) == before, lasts
        else:
            assert snapshot(auction) != before
            return lasts
    raise AssertionError("It never got through.")


@pytest.fixture
def auction(world: World, clock: Any) -> Distribution:
    """Three bidders, one of them by proxy; two places; bids move the closing."""
    found = world.auction(
        winner_count=2,
        buy_now_price=90_000,
        ends_in=60,
        extension_window_seconds=60,
        extension_seconds=61,
        claim_seconds=30,
        second_chance=True,
        max_entries_per_fingerprint=50,
    )
    for turn, person in enumerate(lines.make_consumers(world, 3), start=1):
        bidders.bid(found, person, 10_000 * turn, 50_000 if turn == 1 else None)
    return found


def test_a_bid(world: World, auction: Distribution, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row, price, bidder, entry, closing and trace: all or nothing."""
    (person,) = lines.make_consumers(world, 1)
    clock.shift(5)
    deaths = try_until_done(auction, lambda: bidders.bid(auction, person, 60_000, 70_000), monkeypatch)
    assert deaths >= 10  # looking, entering, writing
    bidders.require_true_rows(auction, 4)
    bidders.require_price(auction)
    assert bidders.stored(auction).extensions == 2  # the first bid's, and now one more
    assert lines.require_true_tally(auction).taken == 4


def test_a_purchase(world: World, auction: Distribution, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (person,) = lines.make_consumers(world, 1)
    try_until_done(auction, lambda: bidders.bid(auction, person, 90_000), monkeypatch)
    bidders.require_true_rows(auction, 4)
    assert bidders.winners(auction) == {person: 90_000}
    assert lines.require_true_tally(auction).inside == 1


def test_a_refused_bid(world: World, auction: Distribution, monkeypatch: pytest.MonkeyPatch) -> None:
    (person,) = lines.make_consumers(world, 1)
    try_until_done(auction, lambda: bidders.try_bid(auction, person, 1), monkeypatch)
    bidders.require_true_rows(auction, 4)


def test_a_settlement(auction: Distribution, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    due = bidders.plain(auction).results()
    clock.shift(3600)
    deaths = try_until_done(auction, lambda: tasks.settle_auction(auction.pk), monkeypatch)
    assert deaths >= 6
    assert bidders.winners(auction) == due
    assert lines.require_true_tally(auction).inside == 2
    names = [event.name for event in lines.events_of(auction)]
    assert (names.count("auction.closed"), names.count("auction.settled")) == (1, 1)


def test_a_second_chance(auction: Distribution, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.shift(3600)
    tasks.settle_auction(auction.pk)
    clock.shift(30)
    tasks.expire_admissions()
    try_until_done(auction, lambda: tasks.offer_second_chances(auction.pk), monkeypatch)
    assert lines.require_true_tally(auction).inside == 1


def test_a_void(auction: Distribution, monkeypatch: pytest.MonkeyPatch) -> None:
    leading = bidders.accepted(auction)[0]
    try_until_done(auction, lambda: steering.void(leading.pk, reason="A slip", actor=BY), monkeypatch)
    bidders.require_price(auction)
    bidders.require_true_rows(auction, 3)


def test_a_cancellation(world: World, auction: Distribution, monkeypatch: pytest.MonkeyPatch) -> None:
    (person,) = lines.make_consumers(world, 1)
    bidders.bid(auction, person, 90_000)
    try_until_done(auction, lambda: steering.cancel(auction.pk, reason="Stolen", actor=BY), monkeypatch)
    tasks.tick_auctions()
    assert lines.require_true_tally(auction).inside == 0


def test_closing_and_extending(auction: Distribution, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    to = lines.fresh(auction).close_at
    assert to is not None
    later = to.replace(year=to.year + 1)
    try_until_done(auction, lambda: steering.extend(auction.pk, later, actor=BY), monkeypatch)
    assert bidders.stored(auction).distribution.close_at == later
    due = bidders.plain(auction).results()
    try_until_done(auction, lambda: steering.close_now(auction.pk, actor=BY), monkeypatch)
    assert bidders.winners(auction) == due
