"""`POST /queues/:id/leave`: frees the place, or the admission."""

from typing import Any

from distributions.core.models import Distribution
from distributions.queues import rules
from experiences.models import Event
from fanfare import clock as time
from tests.world import World, assert_error


def test_who_leaves_makes_room(world: World, clock: Any) -> None:
    queue, first, second = world.queue(capacity=2), world.consumer(), world.consumer()
    for guest in (first, second):
        guest.enter(queue)
    answer = first.leave(queue)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "LEFT",
        "consumerId": first.id,
        "queueId": queue.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
    }
    assert second.status(queue).json()["position"] == 1
    assert world.consumer().enter(queue).status_code == 200
    left = Event.objects.get(name="queue.consumer.left")
    assert (left.actor, left.data["from"], left.data["to"]) == (f"consumer:{first.id}", "QUEUED", "LEFT")


def test_leaving_twice_answers_as_before(world: World) -> None:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    assert guest.leave(queue).json() == guest.leave(queue).json()
    assert Event.objects.filter(name="queue.consumer.left").count() == 1


def test_an_admission_given_up_is_another_ones(world: World, clock: Any) -> None:
    queue = world.queue(admission_rate=60, max_active=1, session_seconds=600)
    first, second = world.consumer(), world.consumer()
    for guest in (first, second):
        guest.enter(queue)
    clock.shift(1)
    assert rules.admit_batch(queue.pk, now=time.now()) == 1
    clock.shift(1)
    assert rules.admit_batch(queue.pk, now=time.now()) == 0
    token = first.status(queue).json()["admissionToken"]
    assert first.leave(queue).json()["status"] == "LEFT"
    clock.shift(1)
    assert rules.admit_batch(queue.pk, now=time.now()) == 1
    assert second.status(queue).json()["status"] == "ADMITTED"
    asked = {"consumerId": first.id, "token": token}
    assert world.server().post(f"/queues/{queue.pk}/validate", asked).json()["code"] == "NOT_ADMITTED"


def test_nothing_to_leave(world: World) -> None:
    queue, guest, done = world.queue(), world.consumer(), world.consumer()
    assert_error(guest.leave(queue), 404, "Consumer not in queue")
    server = world.server()
    server.post(f"/queues/{queue.pk}/admit", {"consumerId": done.id})
    server.post(f"/queues/{queue.pk}/complete", {"consumerId": done.id})
    body = assert_error(done.leave(queue), 409, "Illegal transition", "ILLEGAL_TRANSITION")
    assert body["status"] == "COMPLETED"
    assert Distribution.objects.get(pk=queue.pk).tally.taken == 0


def test_whoever_the_clock_denied_cannot_leave(world: World, clock: Any) -> None:
    queue = world.queue(closes_in=60)
    late = world.consumer()
    late.enter(queue)
    clock.shift(60)  # closed by the clock; the sweep has not been yet
    assert late.status(queue).json()["denyReason"] == "QUEUE_CLOSED"
    assert assert_error(late.leave(queue), 409, "Illegal transition")["status"] == "DENIED"
