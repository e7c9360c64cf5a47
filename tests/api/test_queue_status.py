"""`GET /queues/:id` and `GET /queues/:id/status`: what anyone may see, and how one stands."""

from typing import Any

import pytest

from distributions.core import switches
from distributions.queues import rules
from fanfare import clock as time
from fanfare import redis
from tests.api.servers import redis_away
from tests.world import World, assert_error, make_world


def test_a_queue_shows_itself(world: World, clock: Any) -> None:
    queue = world.queue(capacity=10, opens_in=60, closes_in=120, admission_rate=30)
    answer = world.shop_front().get(f"/queues/{queue.pk}")
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert {"X-Publishable-Key", "Authorization"} <= set(answer.headers["Vary"].split(", "))
    assert answer.json() == {
        "id": queue.pk,
        "name": "The line",
        "sequenceId": world.sequence.id,
        "experienceId": world.sequence.experience_id,
        "status": "PENDING",
        "openAt": "2026-12-01T09:01:00Z",
        "closeAt": "2026-12-01T09:02:00Z",
        "timeZone": "UTC",
        "capacity": 10,
        "admissionRate": 30,
        "consumerCount": 0,
        "supportsGuest": True,
    }
    clock.shift(60)
    assert world.server().get(f"/queues/{queue.pk}").json()["status"] == "OPEN"
    switches.pause(queue, now=time.now(), actor="staff:1")
    assert world.shop_front().get(f"/queues/{queue.pk}").json()["status"] == "PAUSED"
    clock.shift(60)
    assert world.shop_front().get(f"/queues/{queue.pk}").json()["status"] == "CLOSED"


def test_its_time_zone_is_its_own_or_the_next_one_above(world: World) -> None:
    queue, experience = world.queue(), world.sequence.experience
    world.organization.time_zone = "Asia/Tokyo"
    world.organization.save(update_fields=["time_zone"])
    assert world.shop_front().get(f"/queues/{queue.pk}").json()["timeZone"] == "Asia/Tokyo"
    experience.time_zone = "Europe/Berlin"
    experience.save(update_fields=["time_zone"])
    assert world.shop_front().get(f"/queues/{queue.pk}").json()["timeZone"] == "Europe/Berlin"


def test_the_consumer_count_is_who_waits(world: World) -> None:
    queue, guests = world.queue(), [world.consumer() for _ in range(3)]
    for guest in guests:
        guest.enter(queue)
    guests[0].leave(queue)
    rules.admit_some(queue.pk, 1, now=time.now(), actor="staff:1")
    assert world.shop_front().get(f"/queues/{queue.pk}").json()["consumerCount"] == 1


@pytest.mark.parametrize("redis_is", ["there", "flushed", "away"])
def test_all_five_states(world: World, clock: Any, redis_is: str) -> None:
    queue, server = world.queue(session_seconds=60), world.server()
    waits, inside, done, denied, left = guests = [world.consumer() for _ in range(5)]
    for guest in guests:
        guest.enter(queue)
    clock.shift(10)
    for guest in (inside, done):
        server.post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id})
    server.post(f"/queues/{queue.pk}/complete", {"consumerId": done.id})
    server.post(f"/queues/{queue.pk}/deny", {"consumerId": denied.id, "reason": "Not this time, sorry."})
    left.leave(queue)

    def ask() -> list[dict[str, Any]]:
        answers = [guest.status(queue) for guest in guests]
        assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
        return [answer.json() for answer in answers]

    if redis_is == "flushed":
        redis.client().flushdb()
    if redis_is == "away":
        with redis_away():
            bodies = ask()
    else:
        bodies = ask()
    assert 2 <= bodies[0].pop("pollAfterSeconds") <= 30
    assert bodies[1].pop("admissionToken").count(".") == 2
    common = [{"consumerId": guest.id, "queueId": queue.pk} for guest in guests]
    entered, moved = "2026-12-01T09:00:00Z", "2026-12-01T09:00:10Z"
    assert bodies == [
        {**common[0], "status": "QUEUED", "enteredAt": entered, "position": 1},
        {
            **common[1],
            "status": "ADMITTED",
            "enteredAt": entered,
            "admittedAt": moved,
            "expiresAt": "2026-12-01T09:01:10Z",
            "position": 0,
        },
        {
            **common[2],
            "status": "COMPLETED",
            "enteredAt": entered,
            "admittedAt": moved,
            "completedAt": moved,
        },
        {**common[3], "status": "DENIED", "enteredAt": entered, "denyReason": "Not this time, sorry."},
        {**common[4], "status": "LEFT", "enteredAt": entered},
    ]


def test_an_admission_past_its_end_is_denied_before_any_sweep(world: World, clock: Any) -> None:
    queue, guest = world.queue(session_seconds=60), world.consumer()
    guest.enter(queue)
    world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id})
    clock.shift(59)
    assert guest.status(queue).json()["status"] == "ADMITTED"
    clock.shift(1)
    body = guest.status(queue).json()
    assert (body["status"], body["denyReason"]) == ("DENIED", "ADMISSION_EXPIRED")
    assert "admissionToken" not in body


def test_who_still_waits_when_it_closes_is_denied(world: World, clock: Any) -> None:
    queue, guest = world.queue(closes_in=60), world.consumer()
    guest.enter(queue)
    clock.shift(60)
    body = guest.status(queue).json()
    assert (body["status"], body["denyReason"]) == ("DENIED", "QUEUE_CLOSED")


def test_the_wait_is_told_where_there_is_a_rate_and_null_while_paused(world: World) -> None:
    by_hand, at_a_rate, guest = world.queue(), world.queue(admission_rate=6), world.consumer()
    for queue in (by_hand, at_a_rate):
        guest.enter(queue)
    assert "estimatedWaitTimeInSeconds" not in guest.status(by_hand).json()
    assert guest.status(at_a_rate).json()["estimatedWaitTimeInSeconds"] == 10
    switches.pause(at_a_rate, now=time.now(), actor="staff:1")
    assert guest.status(at_a_rate).json()["estimatedWaitTimeInSeconds"] is None


def test_one_who_never_entered(world: World) -> None:
    assert_error(
        world.consumer().status(world.queue()), 404, "Consumer not in queue", "CONSUMER_NOT_IN_QUEUE"
    )


def test_another_tenants_queue_is_not_there(world: World) -> None:
    stranger = make_world()
    foreign, guest = stranger.queue(), world.consumer()
    visitor = stranger.consumer()
    visitor.enter(foreign)
    unknown = "/queues/queue_00000000000000000000000000"
    for path in ("", "/status"):
        theirs = guest.get(f"/queues/{foreign.pk}{path}", **{"X-Request-Id": "same"})
        nobodys = guest.get(f"{unknown}{path}", **{"X-Request-Id": "same"})
        assert_error(theirs, 404, "Queue not found")
        assert theirs.content == nobodys.content
