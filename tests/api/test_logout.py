"""`POST /auth/logout`: the session's tokens are refused from then on, whatever becomes of Redis."""

from contextlib import nullcontext
from typing import Any

import pytest
from django.conf import settings

from consumers import sessions
from consumers.models import Session
from distributions.tasks import watch_redis
from experiences.models import Event
from fanfare import clock as time
from fanfare import redis
from tests.api.servers import redis_away
from tests.world import ConsumerClient, World, assert_error


def assert_ended(world: World, guest: ConsumerClient, queue: Any) -> None:
    """Neither token opens anything: hot and cold endpoints, refresh, another logout."""
    assert_error(guest.status(queue), 401, "Authentication required")
    assert_error(guest.enter(queue), 401, "Authentication required")
    assert_error(guest.leave(queue), 401, "Authentication required")
    assert_error(guest.get("/organizations/current"), 401, "Authentication required")
    assert_error(guest.post(f"/queues/{queue.pk}/admit"), 401, "Authentication required")
    assert_error(guest.post("/auth/logout"), 401, "Authentication required")
    again = world.shop_front().post("/auth/refresh", {"refreshToken": guest.refresh_token})
    assert_error(again, 401, "invalid refresh token")


@pytest.mark.parametrize("is_list_complete", [True, False])
def test_it_works_at_once(world: World, is_list_complete: bool) -> None:
    if is_list_complete:
        sessions.rebuild_ended(now=time.now())
    guest, other, queue = world.consumer(), world.consumer(), world.queue()
    guest.enter(queue)
    other.enter(queue)
    answer = guest.post("/auth/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    assert_ended(world, guest, queue)
    assert other.status(queue).json()["status"] == "QUEUED"
    ended = Event.objects.get(name="session.ended")
    assert (ended.consumer_id, ended.data["reason"]) == (guest.id, "logout")


def test_it_stands_when_redis_is_flushed(world: World) -> None:
    sessions.rebuild_ended(now=time.now())
    guest, queue = world.consumer(), world.queue()
    guest.post("/auth/logout")
    redis.client().flushdb()
    assert_ended(world, guest, queue)
    watch_redis()
    assert_ended(world, guest, queue)


def test_it_works_without_redis_and_stands_when_redis_is_back(world: World) -> None:
    sessions.rebuild_ended(now=time.now())
    guest, queue = world.consumer(), world.queue()
    with redis_away():
        assert guest.post("/auth/logout").status_code == 204
        assert_ended(world, guest, queue)
    watch_redis()
    assert_ended(world, guest, queue)


@pytest.mark.parametrize("is_redis_there", [True, False])
def test_a_consumer_is_needed(world: World, is_redis_there: bool) -> None:
    with nullcontext() if is_redis_there else redis_away():
        assert_error(world.shop_front().post("/auth/logout"), 400, "Consumer ID is required")
        assert_error(world.server().post("/auth/logout"), 400, "Consumer ID is required")
    assert not Session.objects.filter(ended_at__isnull=False).exists()


def test_a_process_that_saw_redis_fail_asks_postgresql_until_redis_has_heard(world: World) -> None:
    sessions.rebuild_ended(now=time.now())
    guest, queue = world.consumer(), world.queue()
    address = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis.reset()
    try:
        assert guest.post("/auth/logout").status_code == 204
        kept = redis._down_until
    finally:
        settings.REDIS_URL = address
        redis.reset()
    redis._down_until = kept - redis.DOWN_SECONDS  # it tries again, and Redis is back
    assert_ended(world, guest, queue)  # though no worker has told Redis yet
