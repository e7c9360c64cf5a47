"""`POST /queues/:id/enter`: a place, once, while the queue takes people in."""

from typing import Any

import pytest

from distributions.core import switches
from distributions.core.models import Distribution, Participation
from experiences.models import Event
from fanfare import clock as time
from tests.world import World, assert_error


def reload(queue: Distribution) -> Distribution:
    return Distribution.objects.select_related("queue", "tally").get(pk=queue.pk)


def test_a_first_entry_is_a_place_at_the_end(world: World, clock: Any) -> None:
    queue, first, second = world.queue(admission_rate=60), world.consumer(), world.consumer()
    first.enter(queue)
    answer = second.post(f"/queues/{queue.pk}/enter", {"metadata": {"size": 42, "from": ["a", {"b": None}]}})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert 2 <= body.pop("pollAfterSeconds") <= 30
    assert body == {
        "status": "QUEUED",
        "consumerId": second.id,
        "queueId": queue.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
        "position": 2,
        "estimatedWaitTimeInSeconds": 2,
    }
    row = Participation.objects.get(consumer_id=second.id)
    assert row.metadata == {"size": 42, "from": ["a", {"b": None}]}
    trace = Event.objects.get(name="queue.consumer.entered", consumer_id=second.id)
    assert (trace.actor, trace.distribution_id) == (f"consumer:{second.id}", queue.pk)


def test_entering_again_finds_the_same_place(world: World, clock: Any) -> None:
    queue, ahead, guest = world.queue(capacity=2), world.consumer(), world.consumer()
    ahead.enter(queue)
    first = guest.enter(queue)
    clock.shift(5)
    again = guest.post(f"/queues/{queue.pk}/enter", {"metadata": {"new": True}})
    assert again.status_code == first.status_code
    for name in ("status", "enteredAt", "position", "consumerId"):
        assert again.json()[name] == first.json()[name]
    assert Participation.objects.filter(consumer_id=guest.id).count() == 1
    assert reload(queue).tally.entered == 2
    assert Event.objects.filter(name="queue.consumer.entered").count() == 2


def test_a_full_queue_says_when_to_ask_again_and_a_freed_place_is_taken(world: World) -> None:
    queue, inside, outside = world.queue(capacity=1), world.consumer(), world.consumer()
    inside.enter(queue)
    refused = outside.enter(queue)
    body = assert_error(refused, 429, "Queue is full", "QUEUE_FULL")
    assert refused.headers["Retry-After"] == str(body["retryAfter"])
    assert inside.enter(queue).status_code == 200  # who is in stays in
    inside.leave(queue)
    assert outside.enter(queue).json()["status"] == "QUEUED"


def test_before_the_opening_it_says_when(world: World, clock: Any) -> None:
    queue, guest = world.queue(opens_in=90.5), world.consumer()
    refused = guest.enter(queue)
    body = assert_error(refused, 423, "Queue is not open yet", "QUEUE_NOT_OPEN")
    assert body["openAt"] == "2026-12-01T09:01:30.500000Z"
    assert body["message"] == "It opens at 2026-12-01T09:01:30Z."
    assert (body["retryAfter"], refused.headers["Retry-After"]) == (91, "91")
    clock.shift(90.5)
    assert guest.enter(queue).status_code == 200


def test_a_pre_queue_takes_people_in_before_the_opening(world: World, clock: Any) -> None:
    early = time.now().replace(minute=5)
    queue, guest = world.queue(opens_in=600, enter_from=early), world.consumer()
    assert assert_error(guest.enter(queue), 423, "Queue is not open yet")["retryAfter"] == 300
    clock.shift(300)
    assert guest.enter(queue).json()["status"] == "QUEUED"


@pytest.mark.parametrize("how", ["paused", "closed by hand", "closed by the clock"])
def test_a_closed_or_paused_queue_takes_nobody_in(world: World, clock: Any, how: str) -> None:
    queue, guest = world.queue(closes_in=60), world.consumer()
    if how == "paused":
        switches.pause(queue, now=time.now(), actor="staff:1")
    elif how == "closed by hand":
        switches.close(queue, now=time.now(), actor="staff:1")
    else:
        clock.shift(60)
    code = "QUEUE_PAUSED" if how == "paused" else "QUEUE_CLOSED"
    assert_error(guest.enter(queue), 400, "Queue is closed", code)
    assert not Participation.objects.exists()
    if how == "paused":
        switches.resume(reload(queue), now=time.now(), actor="staff:1")
        assert guest.enter(queue).status_code == 200


def test_who_left_comes_back_at_the_end(world: World, clock: Any) -> None:
    queue, first, second = world.queue(), world.consumer(), world.consumer()
    first.enter(queue)
    second.enter(queue)
    first.leave(queue)
    clock.shift(60)
    body = first.enter(queue).json()
    assert (body["status"], body["position"], body["enteredAt"]) == ("QUEUED", 2, "2026-12-01T09:01:00Z")


def test_who_was_denied_or_has_completed_stays_so(world: World) -> None:
    queue, server = world.queue(), world.server()
    denied, done = world.consumer(), world.consumer()
    for guest in (denied, done):
        guest.enter(queue)
    server.post(f"/queues/{queue.pk}/deny", {"consumerId": denied.id, "reason": "FRAUD_DETECTED"})
    server.post(f"/queues/{queue.pk}/admit", {"consumerId": done.id})
    server.post(f"/queues/{queue.pk}/complete", {"consumerId": done.id})
    again = denied.enter(queue).json()
    assert (again["status"], again["denyReason"]) == ("DENIED", "FRAUD_DETECTED")
    assert done.enter(queue).json()["status"] == "COMPLETED"
    assert Participation.objects.count() == 2


@pytest.mark.parametrize("metadata", [None, 5, "text", [1], {"long": "x" * 2048}])
def test_metadata_is_a_small_object(world: World, metadata: object) -> None:
    queue, guest = world.queue(), world.consumer()
    answer = guest.post(f"/queues/{queue.pk}/enter", {"metadata": metadata})
    body = assert_error(answer, 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["metadata"]
    assert not Participation.objects.exists()


def test_metadata_may_have_exactly_two_kibibytes(world: World) -> None:
    queue, guest = world.queue(), world.consumer()
    metadata = {"k": "x" * (2048 - len('{"k":""}'))}
    assert guest.post(f"/queues/{queue.pk}/enter", {"metadata": metadata}).status_code == 200
