"""No worker looks after Redis: what it missed is not made up for, so it is not believed either."""

from typing import Any

from distributions import tasks
from fanfare import redis
from tests.api.servers import redis_away
from tests.world import World, assert_error


def test_a_logout_that_redis_missed(world: World) -> None:
    queue, consumer = world.queue(), world.consumer()
    consumer.enter(queue)
    tasks.watch_redis()
    with redis_away():
        assert consumer.post("/auth/logout").status_code == 204
    redis.reset()  # another process, which knows nothing of the outage
    redis.client().delete(redis.WATCHED)  # its time is over
    assert_error(consumer.get("/consumers/me"), 401, "Authentication required")
    assert_error(consumer.status(queue), 401, "Authentication required")


def test_redis_is_believed_while_somebody_watches(world: World, django_assert_num_queries: Any) -> None:
    queue, consumer = world.queue(), world.consumer()
    consumer.enter(queue)
    tasks.watch_redis()
    tasks.rebuild_line(queue.pk)
    assert 0 < redis.client().ttl(redis.WATCHED) <= redis.WATCHED_SECONDS
    consumer.status(queue)
    with django_assert_num_queries(4) as watched:  # key, organization and queue: nothing is remembered here
        consumer.status(queue)
    redis.client().delete(redis.WATCHED)
    with django_assert_num_queries(len(watched) + 1):
        consumer.status(queue)
