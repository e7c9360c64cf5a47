"""Redis away: everything works from PostgreSQL. PostgreSQL away or stuck: 503, and nothing changed."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction

from distributions import tasks
from distributions.core.models import Participation, Tally
from distributions.queues import rules
from distributions.queues.models import Queue
from fanfare import clock as time
from fanfare import redis
from tests.concurrency.race import race
from tests.concurrency.test_invariant_8_positions import require_redis_to_agree
from tests.lines import enter, fill, make_consumers, require_true_tally
from tests.world import ConsumerClient, World, assert_error

NOBODY = "redis://127.0.0.1:9/0"  # a port on which nothing listens


def close_pool() -> None:
    """Give up all connections that this process keeps."""
    connections.close_all()
    database: Any = connections["default"]
    database.close_pool()


@pytest.fixture
def no_redis(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Redis out of reach from here on, for all that this process does."""
    monkeypatch.setattr(settings, "REDIS_URL", NOBODY)
    redis.reset()
    yield
    monkeypatch.undo()
    redis.reset()


def test_everything_works_without_redis(world: World, clock: Any, no_redis: None) -> None:
    queue = world.queue(admission_rate=60, session_seconds=60)
    first, second, third = (world.consumer() for _ in range(3))
    server = world.server()

    assert [one.enter(queue).json()["position"] for one in (first, second, third)] == [1, 2, 3]
    assert third.status(queue).json()["position"] == 3
    assert third.enter(queue).json()["position"] == 3
    clock.shift(1)
    assert rules.admit_batch(queue.pk, now=time.now()) == 1
    assert third.status(queue).json()["position"] == 2
    admitted = first.status(queue).json()
    asked = {"consumerId": first.id, "token": admitted["admissionToken"]}
    assert server.post(f"/queues/{queue.pk}/validate", asked).json()["valid"] is True
    done = server.post(f"/queues/{queue.pk}/complete", {"consumerId": first.id})
    assert done.json()["status"] == "COMPLETED"
    assert second.leave(queue).json()["status"] == "LEFT"
    by_hand = server.post(f"/queues/{queue.pk}/admit", {"consumerId": third.id}).json()
    assert (by_hand["status"], by_hand["position"]) == ("ADMITTED", 0)
    refreshed = world.shop_front().post("/auth/refresh", {"refreshToken": second.refresh_token})
    assert refreshed.status_code == 200

    assert third.post("/auth/logout").status_code == 204
    assert_error(third.status(queue), 401, "Authentication required")
    assert_error(third.enter(queue), 401, "Authentication required")
    for task in (tasks.watch_redis, tasks.reconcile_redis, tasks.tick_queues, tasks.expire_admissions):
        task()  # quietly
    require_true_tally(queue)


def test_redis_returns_and_knows_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    queue, people = world.queue(), make_consumers(world, 6)
    leaver, waiter = world.consumer(), world.consumer()
    tasks.watch_redis()
    for consumer_id in people:
        enter(queue, consumer_id)
    leaver.enter(queue)
    waiter.enter(queue)
    with monkeypatch.context() as away:
        away.setattr(settings, "REDIS_URL", NOBODY)
        redis.reset()
        rules.admit_some(queue.pk, 4, now=time.now(), actor="staff:1")
        leaver.leave(queue)
        leaver.post("/auth/logout")
        assert waiter.status(queue).json()["position"] == 3
    redis.reset()
    tasks.watch_redis()
    tasks.reconcile_redis()
    assert waiter.status(queue).json()["position"] == 3
    assert_error(leaver.status(queue), 401, "Authentication required")
    require_redis_to_agree(queue)


def test_redis_emptied_in_mid_event(world: World) -> None:
    """Status and entering go on, the watch rebuilds, positions are right and never worse."""
    queue = world.queue()
    fill(queue, world, 100)
    watchers = [world.consumer() for _ in range(3)]
    for watcher in watchers:
        watcher.enter(queue)
    tasks.watch_redis()
    before = [watcher.status(queue).json()["position"] for watcher in watchers]

    redis.client().flushdb()
    newcomer = world.consumer()
    assert newcomer.enter(queue).json()["position"] == 104
    assert [watcher.status(queue).json()["position"] for watcher in watchers] == before == [101, 102, 103]
    rules.admit_some(queue.pk, 10, now=time.now(), actor="staff:1")
    assert watchers[0].status(queue).json()["position"] == 91
    tasks.watch_redis()
    assert watchers[0].status(queue).json()["position"] == 91
    assert redis.client().getbit(redis.gone(queue.pk), 0) == 1
    require_redis_to_agree(queue)


def test_a_logout_is_known_after_redis_lost_it(world: World) -> None:
    """To every process, before and after the list is rebuilt."""
    queue, gone, here = world.queue(), world.consumer(), world.consumer()
    tasks.watch_redis()
    for consumer in (gone, here):
        consumer.enter(queue)
    gone.post("/auth/logout")
    assert_error(gone.status(queue), 401, "Authentication required")
    redis.client().flushdb()
    for _ in range(2):
        assert_error(gone.status(queue), 401, "Authentication required")
        assert_error(gone.leave(queue), 401, "Authentication required")
        assert here.status(queue).status_code == 200
        tasks.watch_redis()
    assert redis.client().zscore(redis.ENDED_SESSIONS, "ready")


@pytest.fixture
def no_postgresql(world: World) -> Iterator[list[ConsumerClient]]:
    """Two guests, and from then on a PostgreSQL that nobody reaches."""
    guests = [world.consumer(), world.consumer()]
    database = connections["default"].settings_dict
    kept = {"PORT": database["PORT"], "OPTIONS": database["OPTIONS"]}
    close_pool()
    database |= {"PORT": "9", "OPTIONS": {"connect_timeout": 1}}
    yield guests
    connections.close_all()
    database |= kept


def test_without_postgresql_all_is_refused_kindly(world: World, no_postgresql: list[ConsumerClient]) -> None:
    guest, other = no_postgresql
    missing = "queue_01ARZ3NDEKTSV4RRFFQ69G5FAV"
    for answer in (
        guest.post(f"/queues/{missing}/enter"),
        other.get(f"/queues/{missing}/status"),
        world.shop_front().post("/auth/guest"),
        world.server().post(f"/queues/{missing}/admit", {"consumerId": guest.id}),
        world.shop_front().get("/organizations/current"),
    ):
        assert_error(answer, 503, "Service unavailable", "SERVICE_UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) >= 1


def test_connections_that_postgresql_cut(world: World) -> None:
    """After a restart of PostgreSQL each old connection may cost a 503; nothing is lost or done twice."""
    queue, people = world.queue(), [world.consumer() for _ in range(8)]
    race(8, lambda index: people[index].status(queue)).all()  # so that the pool has several
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    try:
        answers = [race(8, lambda index: people[index].enter(queue)).all() for _ in range(6)]
        assert {answer.status_code for some in answers for answer in some} <= {200, 503}
        assert {answer.status_code for answer in answers[-1]} == {200}
        assert require_true_tally(queue).entered == 8
    finally:
        close_pool()


@pytest.mark.parametrize("verb", ["enter", "leave", "admit", "complete"])
def test_a_lock_that_is_not_given_in_time(world: World, verb: str) -> None:
    """503 in the one shape, and nothing changed."""
    queue, consumer, server = world.queue(), world.consumer(), world.server()
    if verb != "enter":
        consumer.enter(queue)
    if verb == "complete":
        server.post(f"/queues/{queue.pk}/admit", {"consumerId": consumer.id})
    before = list(Participation.objects.values())
    locked, done = threading.Event(), threading.Event()

    def act(index: int) -> Any:
        if index == 0:
            with transaction.atomic():
                Tally.objects.select_for_update().get(pk=queue.pk)
                Queue.objects.select_for_update().get(pk=queue.pk)
                locked.set()
                done.wait(20)
            return None
        locked.wait(20)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 100")
        try:
            if verb in ("admit", "complete"):
                return server.post(f"/queues/{queue.pk}/{verb}", {"consumerId": consumer.id})
            return consumer.post(f"/queues/{queue.pk}/{verb}")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = 3000")
            done.set()

    answer = race(2, act).all()[1]
    assert_error(answer, 503, "Service unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert list(Participation.objects.values()) == before
    require_true_tally(queue)
