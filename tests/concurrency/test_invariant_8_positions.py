"""Invariant 8: a reported position never increases, whatever Redis misses, forgets or hears late."""

import datetime as dt
import random
import threading
import time as real_time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from distributions import tasks
from distributions.core import live, reconcile
from distributions.core.models import Distribution
from distributions.core.standing import Standing
from distributions.queues import line, rules
from fanfare import clock, errors, redis
from tests.audits import audited
from tests.concurrency.race import race
from tests.lines import admit, complete, enter, fresh, leave, make_consumers, positions, require_true_tally
from tests.world import World

WATCHERS, CROWD, SECONDS = 6, 60, 2.5
STEPS = ["enter", "enter", "leave", "admit", "flush", "rebuild", "restart"]
RECENTLY = dt.timedelta(seconds=30)
_unreliable = threading.local()


@pytest.fixture
def _bad_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What threads marked as unreliable push comes late, in another order, or never."""
    push, merge_gone = live.push, live.merge_gone

    def push_badly(distribution_id: str, frozen: int, standings: Iterable[Standing]) -> int | None:
        chance: random.Random | None = getattr(_unreliable, "chance", None)
        if chance is not None:
            if chance.random() < 0.2:
                return None
            real_time.sleep(chance.uniform(0, 0.05))
        return push(distribution_id, frozen, standings)

    def merge_late(distribution_id: str, bitmap: bytes) -> None:
        real_time.sleep(random.uniform(0, 0.1))
        merge_gone(distribution_id, bitmap)

    monkeypatch.setattr(live, "push", push_badly)
    monkeypatch.setattr(live, "merge_gone", merge_late)


def require_redis_to_agree(queue: Distribution) -> None:
    """Everybody's position by Redis is what PostgreSQL counts."""
    waiting, stored = positions(queue), fresh(queue)
    frozen = stored.tally.frozen or 0
    by_redis = {
        row.consumer_id: live.position(queue.pk, frozen, row.place or 0) for row in line.waiting(stored)
    }
    assert by_redis == waiting
    for row in line.waiting(stored):
        standing = Standing.from_row([getattr(row, name) for name in line._COLUMNS])
        assert line.count_position(stored, standing) == waiting[row.consumer_id]


class Storm:
    """A queue with watchers who wait in the middle of a crowd, and all that happens to it."""

    def __init__(self, world: World, seed: int) -> None:
        self.seed = seed
        self.queue = world.queue(admission_rate=60)
        crowd, self.extra = make_consumers(world, CROWD), make_consumers(world, CROWD)
        self.ahead, behind = crowd[: CROWD // 2], crowd[CROWD // 2 :]
        self.watchers = [world.consumer() for _ in range(WATCHERS)]
        self.seen: dict[str, list[int]] = {watcher.id: [] for watcher in self.watchers}
        for consumer_id in [*self.ahead, *self.seen, *behind]:
            enter(self.queue, consumer_id)
        self.over = threading.Event()

    def run(self) -> None:
        roles = [self.watch, self.watch, self.watch, self.move, self.move, self.admit, self.mend, self.stop]
        race(len(roles), lambda index: roles[index](random.Random(f"{self.seed}-{index}"), index)).all()

    def watch(self, _: random.Random, index: int) -> None:
        while not self.over.is_set():
            for watcher in self.watchers[index::3]:
                self.seen[watcher.id].append(watcher.status(self.queue).json()["position"])

    def move(self, chance: random.Random, _: int) -> None:
        _unreliable.chance = chance
        while not self.over.is_set():
            with suppress(errors.IllegalMove, errors.NotEntered):
                leave(self.queue, chance.choice(self.ahead + self.extra))
            enter(self.queue, chance.choice(self.extra))

    def admit(self, chance: random.Random, _: int) -> None:
        _unreliable.chance = chance
        for _ in range(CROWD // 6):
            rules.admit_some(self.queue.pk, 1, now=clock.now(), actor="staff:1")
            self.over.wait(chance.uniform(0, 2 * SECONDS / (CROWD / 6)))

    def mend(self, chance: random.Random, _: int) -> None:
        while not self.over.wait(chance.uniform(0, 0.05)):
            line.rebuild(self.queue)
            if chance.random() < 0.3:
                reconcile.repush(since=clock.now() - RECENTLY)
            if chance.random() < 0.3:
                redis.client().flushdb()

    def stop(self, *_: object) -> None:
        self.over.wait(SECONDS)
        self.over.set()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.usefixtures("_bad_line")
def test_a_storm(world: World, seed: int) -> None:
    """Entering, leaving, admitting with bad pushes, rebuilding, and Redis flushed again and again."""
    storm = Storm(world, seed)
    storm.run()

    for consumer_id, numbers in storm.seen.items():
        assert len(numbers) > 5
        assert numbers == sorted(numbers, reverse=True), consumer_id
    reconcile.repush(since=clock.now() - RECENTLY)
    line.rebuild(storm.queue)
    require_redis_to_agree(storm.queue)
    require_true_tally(storm.queue)
    audited(storm.queue)


def test_what_postgresql_told_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is empty, PostgreSQL counts; then Redis comes back with less than PostgreSQL knew."""
    queue, crowd, watcher = world.queue(), make_consumers(world, 5), world.consumer()
    for consumer_id in crowd:
        enter(queue, consumer_id)
    watcher.enter(queue)
    _, older = line.gone_bitmap(queue)
    with monkeypatch.context() as lost:
        lost.setattr(live, "push", lambda *_: None)
        leave(queue, crowd[0])
        leave(queue, crowd[1])
    assert watcher.status(queue).json()["position"] == 4
    live.merge_gone(queue.pk, older)
    assert watcher.status(queue).json()["position"] == 4
    leave(queue, crowd[2])  # this one Redis hears of, but it still lacks two
    assert watcher.status(queue).json()["position"] <= 4
    reconcile.repush(since=clock.now() - RECENTLY)
    assert watcher.status(queue).json()["position"] == 3
    require_redis_to_agree(queue)


@pytest.mark.parametrize("away_seconds", [3, 40, 3000])
def test_redis_was_out_of_reach_and_comes_back_with_what_it_had(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch, away_seconds: int
) -> None:
    """Nothing is emptied and no run is new, and yet Redis missed every move of a while."""
    queue = world.queue(session_seconds=100_000)
    crowd, inside, gone, back = make_consumers(world, 3), world.consumer(), world.consumer(), world.consumer()
    for consumer_id in crowd:
        enter(queue, consumer_id)
    for consumer in (inside, gone, back):
        consumer.enter(queue)
    leave(queue, back.id)
    admit(queue, gone.id)
    tasks.watch_redis()
    ended = world.consumer()
    assert ended.get("/organizations/current").status_code == 200

    with monkeypatch.context() as away:
        away.setattr(redis, "attempt", lambda *_: None)
        clock.shift(1)
        leave(queue, crowd[0])
        admit(queue, inside.id)
        complete(queue, gone.id)
        enter(queue, back.id)
        ended.post("/auth/logout")
        clock.shift(away_seconds)
    tasks.watch_redis()
    tasks.reconcile_redis()

    assert inside.status(queue).json()["status"] == "ADMITTED"
    assert gone.status(queue).json()["status"] == "COMPLETED"
    assert (back.status(queue).json()["status"], back.status(queue).json()["position"]) == ("QUEUED", 3)
    assert redis.client().zscore(redis.ENDED_SESSIONS, "ready")
    assert ended.get("/organizations/current").status_code == 401
    require_redis_to_agree(queue)


def test_who_enters_again_unheard_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis knows that they left and missed that they are back."""
    queue, consumer = world.queue(), world.consumer()
    consumer.enter(queue)
    consumer.leave(queue)
    with monkeypatch.context() as lost:
        lost.setattr(live, "push", lambda *_: None)
        consumer.enter(queue)
    assert consumer.status(queue).json()["status"] == "QUEUED"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=strategies.lists(
        strategies.tuples(strategies.sampled_from(STEPS), strategies.integers(0, 5)), max_size=25
    )
)
def test_against_a_list(world: World, steps: list[tuple[str, int]]) -> None:
    """Any sequence of moves and losses: positions are those of a plain list."""
    queue, people = world.queue(), make_consumers(world, 6)
    model: list[str] = []
    admitted: set[str] = set()
    for step, number in steps:
        who = people[number]
        if step == "enter" and who not in admitted:
            enter(queue, who)
            model += [] if who in model else [who]
        elif step == "leave" and who in model:
            leave(queue, who)
            model.remove(who)
        elif step == "admit" and model:
            rules.admit_some(queue.pk, 1, now=clock.now(), actor="staff:1")
            admitted.add(model.pop(0))
        elif step == "flush":
            redis.client().flushdb()
        elif step == "rebuild":
            line.rebuild(queue)
        elif step == "restart":
            redis.client().delete(redis.RUN_ID)
            tasks.watch_redis()
        expected = {consumer_id: place for place, consumer_id in enumerate(model, start=1)}
        assert positions(queue) == expected
        rows = {
            row.consumer_id: Standing.from_row([getattr(row, name) for name in line._COLUMNS])
            for row in line.waiting(queue)
        }
        assert {one: line.find_position(queue, row) for one, row in rows.items()} == expected
    line.rebuild(queue)
    require_redis_to_agree(queue)
