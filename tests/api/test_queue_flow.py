"""The main job through the front door: enter, wait, be admitted, be validated, complete."""

from typing import Any

from distributions.queues import rules
from fanfare import clock as time
from tests.world import World, assert_error


def test_from_entry_to_completion(world: World, clock: Any) -> None:
    queue = world.queue(admission_rate=60, session_seconds=600)
    first, second = world.consumer(), world.consumer()

    entered = first.enter(queue)
    assert entered.status_code == 200, entered.content
    body = entered.json()
    assert (body["status"], body["position"], body["consumerId"]) == ("QUEUED", 1, first.id)
    assert second.enter(queue).json()["position"] == 2
    assert second.status(queue).json()["position"] == 2

    clock.shift(1)
    assert rules.admit_batch(queue.pk, now=time.now()) == 1
    admitted = first.status(queue).json()
    assert (admitted["status"], admitted["position"]) == ("ADMITTED", 0)
    assert second.status(queue).json()["position"] == 1

    server, token = world.server(), admitted["admissionToken"]
    asked = {"consumerId": first.id, "token": token}
    verdict = server.post(f"/queues/{queue.pk}/validate", asked)
    assert verdict.json()["valid"] is True, verdict.content
    done = server.post(f"/queues/{queue.pk}/complete", {"consumerId": first.id, "orderId": "A-1"}).json()
    assert done["status"] == "COMPLETED"
    assert server.post(f"/queues/{queue.pk}/validate", asked).json()["code"] == "TOKEN_USED"

    assert second.leave(queue).json()["status"] == "LEFT"
    assert_error(
        server.post(f"/queues/{queue.pk}/complete", {"consumerId": second.id}), 409, "Illegal transition"
    )
