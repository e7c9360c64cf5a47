"""Tasks run twice, late, at once on two workers, and with ids of what is gone: quietly, with one result."""

from typing import Any

import pytest

from distributions import tasks
from distributions.core import reconcile, switches
from distributions.core.models import Distribution, Participation, Reason, Status
from distributions.queues import line, rules
from fanfare import clock as time
from fanfare import errors, ids, redis
from tests.concurrency.race import race
from tests.lines import (
    admit,
    complete,
    enter,
    events_of,
    fill,
    fresh,
    leave,
    make_consumers,
    require_true_tally,
    stored,
)
from tests.world import World, assert_error

OF_ONE = [tasks.admit_queue, tasks.open_queue, tasks.close_queue, tasks.rebuild_line]
OF_ALL = [tasks.tick_queues, tasks.expire_admissions, tasks.watch_redis, tasks.reconcile_redis]


def names_of(queue: Distribution) -> list[str]:
    """What happened to the queue itself, in order."""
    return [event.name for event in events_of(queue) if event.consumer_id is None]


def statuses(queue: Distribution) -> list[str]:
    return list(
        Participation.objects.filter(distribution=queue).order_by("id").values_list("status", flat=True)
    )


@pytest.mark.parametrize("task", OF_ONE)
def test_of_a_queue_that_is_not_there(transactional_db: None, task: Any) -> None:
    task(ids.new("queue"))
    task("nonsense")


@pytest.mark.parametrize("task", OF_ONE)
def test_of_a_queue_that_was_deleted_meanwhile(world: World, task: Any) -> None:
    queue = world.queue(admission_rate=60)
    enter(queue, make_consumers(world, 1)[0])
    key = queue.pk
    queue.delete()
    task(key)


@pytest.mark.parametrize("task", OF_ALL)
def test_with_nothing_to_do(transactional_db: None, task: Any) -> None:
    task()
    task()


@pytest.mark.parametrize("task", [tasks.admit_queue, tasks.open_queue, tasks.rebuild_line])
def test_of_a_closed_queue(world: World, clock: Any, task: Any) -> None:
    queue = world.queue(admission_rate=600)
    fill(queue, world, 3)
    switches.close(queue, now=time.now(), actor="staff:1")
    tasks.close_queue(queue.pk)
    before = statuses(queue)
    clock.shift(60)
    task(queue.pk)
    assert statuses(queue) == before == ["DENIED"] * 3


def test_two_beats_at_once(world: World, clock: Any) -> None:
    queue = world.queue(admission_rate=600, session_seconds=600)
    fill(queue, world, 50)
    clock.shift(1)
    race(4, lambda _: tasks.tick_queues()).all()
    assert require_true_tally(queue).admitted == 10
    assert names_of(queue) == ["queue.opened"]
    race(4, lambda _: tasks.tick_queues()).all()
    assert require_true_tally(queue).admitted == 10


def test_a_late_message_admits_nobody_too_many(world: World, clock: Any) -> None:
    """Ten messages that waited for a minute: as if one had come."""
    queue = world.queue(admission_rate=60)
    fill(queue, world, 50)
    clock.shift(60)
    for _ in range(10):
        tasks.admit_queue(queue.pk)
    assert require_true_tally(queue).admitted <= 2


def test_pause_and_resume(world: World, clock: Any) -> None:
    queue, consumer = world.queue(admission_rate=60), world.consumer()
    fill(queue, world, 10)
    assert switches.pause(queue, now=time.now(), actor="staff:1")
    assert not switches.pause(queue, now=time.now(), actor="staff:1")
    for _ in range(30):
        clock.shift(1)
        tasks.tick_queues()
    assert require_true_tally(queue).admitted == 0
    assert_error(consumer.enter(queue), 400, "Queue is closed", "QUEUE_PAUSED")

    assert switches.resume(queue, now=time.now(), actor="staff:1")
    assert not switches.resume(queue, now=time.now(), actor="staff:1")
    tasks.tick_queues()
    assert 1 <= require_true_tally(queue).admitted <= 2  # the pause was not saved up
    assert consumer.enter(queue).status_code == 200
    assert names_of(queue) == ["queue.paused", "queue.opened", "queue.resumed"]


def test_it_opens_once(world: World, clock: Any) -> None:
    queue = world.queue(opens_in=10, admission_rate=60)
    tasks.tick_queues()
    assert names_of(queue) == []
    clock.shift(10)
    race(4, lambda _: tasks.open_queue(queue.pk)).all()
    assert names_of(queue) == ["queue.opened"]


def test_it_closes_by_the_clock(world: World, clock: Any) -> None:
    queue = world.queue(closes_in=30, admission_rate=60, session_seconds=600)
    waiting, inside = world.consumer(), world.consumer()
    inside.enter(queue)
    waiting.enter(queue)
    clock.shift(1)
    tasks.tick_queues()
    clock.shift(29)
    # At that very instant, before anybody has written it down.
    body = waiting.status(queue).json()
    assert (body["status"], body["denyReason"]) == ("DENIED", Reason.QUEUE_CLOSED)
    assert_error(world.consumer().enter(queue), 400, "Queue is closed", "QUEUE_CLOSED")

    race(3, lambda _: tasks.tick_queues()).all()
    assert statuses(queue) == ["ADMITTED", "DENIED"]
    assert inside.status(queue).json()["status"] == "ADMITTED"
    assert names_of(queue) == ["queue.opened", "queue.closed"]
    complete(queue, inside.id)
    require_true_tally(queue)


def test_closing_while_entering_goes_on(world: World) -> None:
    """Nobody is left waiting in a closed queue."""
    queue, people = world.queue(), make_consumers(world, 80)

    def act(index: int) -> int:
        if index == 0:
            tasks.close_queue(queue.pk)
            return 0
        entered = 0
        for consumer_id in people[index - 1 :: 4]:
            try:
                enter(queue, consumer_id)
            except errors.Closed:
                return entered
            entered += 1
        return entered

    race(5, act).all()
    tasks.tick_queues()  # the sweep finds those who entered before the closing committed
    assert set(statuses(queue)) <= {"DENIED"}
    with pytest.raises(errors.Closed):
        enter(queue, make_consumers(world, 1)[0])
    require_true_tally(queue)


def test_closing_while_a_batch_is_admitted(world: World) -> None:
    """Whoever was admitted keeps the admission; whoever waited is denied; nobody is both."""
    for _ in range(6):
        queue = world.queue(admission_rate=6000)
        fill(queue, world, 120)

        def act(index: int, queue: Distribution = queue) -> int:
            if index:
                return rules.admit_batch(queue.pk, now=time.now())
            tasks.close_queue(queue.pk)
            return 0

        admitted = sum(race(3, act).all())
        tasks.tick_queues()
        found = statuses(queue)
        assert found.count("ADMITTED") == admitted
        assert found.count("DENIED") == 120 - admitted
        require_true_tally(queue)


@pytest.mark.parametrize("recycles", [True, False])
def test_the_total_is_used_up(world: World, clock: Any, recycles: bool) -> None:
    queue = world.queue(admission_rate=600, max_admissions=5, session_seconds=20, recycle_expired=recycles)
    people = fill(queue, world, 12)
    watcher = world.consumer()
    watcher.enter(queue)
    for _ in range(3):
        clock.shift(1)
        tasks.tick_queues()
    assert fresh(queue).tally.admitted == 5
    if recycles:  # not closed while an admission may come back
        assert statuses(queue).count("QUEUED") == 8
        for consumer_id in people[:3]:
            complete(queue, consumer_id)
        clock.shift(20)
        tasks.expire_admissions()
        tasks.tick_queues()
        assert [stored(queue, one)[0].status for one in people[5:8]] == ["ADMITTED", "ADMITTED", "QUEUED"]
        for consumer_id in people[5:7]:
            complete(queue, consumer_id)
        clock.shift(1)
        tasks.tick_queues()
    tasks.tick_queues()
    body = watcher.status(queue).json()
    assert (body["status"], body["denyReason"]) == ("DENIED", Reason.QUEUE_CLOSED)
    assert "QUEUED" not in statuses(queue)
    assert names_of(queue)[-1] == "queue.closed"
    assert_error(world.consumer().enter(queue), 400, "Queue is closed")
    require_true_tally(queue)


def test_admissions_end_once(world: World, clock: Any) -> None:
    queue = world.queue(session_seconds=30)
    people = make_consumers(world, 6)
    for consumer_id in people:
        admit(queue, consumer_id)
    complete(queue, people[0])
    leave(queue, people[1])
    clock.shift(29)
    tasks.expire_admissions()
    assert statuses(queue).count("ADMITTED") == 4
    clock.shift(1)
    race(4, lambda _: tasks.expire_admissions()).all()

    rows = Participation.objects.filter(distribution=queue, deny_reason=Reason.ADMISSION_EXPIRED)
    assert rows.count() == 4
    trace = [event for event in events_of(queue) if event.actor == "system:expire_admissions"]
    assert [(event.data["from"], event.data["to"]) for event in trace] == [("ADMITTED", "DENIED")] * 4
    assert require_true_tally(queue).inside == 0


def test_expiring_and_completing_at_once(world: World, clock: Any) -> None:
    """At the end of an admission either the shop was in time or it was not; both agree."""
    queue = world.queue(session_seconds=30)
    for consumer_id in make_consumers(world, 10):
        admit(queue, consumer_id)
        clock.shift(30)
        outcome = race(
            4,
            lambda index, who=consumer_id: (  # type: ignore[misc]
                tasks.expire_admissions() if index % 2 else complete(queue, who)
            ),
        )
        (row,) = stored(queue, consumer_id)
        assert row.status == Status.DENIED
        assert all(isinstance(error, errors.IllegalMove) for error in outcome.errors)
        assert len(outcome.errors) == 2
    require_true_tally(queue)


def test_a_rebuild_is_done_by_one_worker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = world.queue()
    fill(queue, world, 5)
    built: list[str] = []

    def note(one: Distribution) -> int:
        built.append(one.pk)
        return 0

    monkeypatch.setattr(line, "rebuild", note)
    assert reconcile.begin_rebuild(queue.pk)
    tasks.rebuild_line(queue.pk)
    assert not built
    reconcile.end_rebuild(queue.pk)
    tasks.rebuild_line(queue.pk)
    assert built == [queue.pk]


def test_the_watch_gives_a_sign_of_life(world: World, clock: Any) -> None:
    assert not redis.client().get(redis.HEARTBEAT)
    tasks.watch_redis()
    first = redis.client().get(redis.HEARTBEAT)
    clock.shift(1)
    tasks.watch_redis()
    assert redis.client().get(redis.HEARTBEAT) != first
    clock.shift(100)
    assert world.shop_front().client.get("/readyz").json()["worker"] == "away"
