"""`admit`, `complete` and `deny` by the secret key: legal moves once, the same answer when repeated."""

from typing import Any

import pytest

from distributions.core import switches
from distributions.core.models import Distribution, Participation
from experiences.models import Event
from fanfare import clock as time
from fanfare import ids
from tests.world import ConsumerClient, World, assert_error, make_world

STATES = ["QUEUED", "ADMITTED", "COMPLETED", "DENIED", "LEFT"]
# state → verb → the state after it; None: not legal. Entering again is part of `admit`.
MOVES: dict[str, dict[str, str | None]] = {
    "QUEUED": {"admit": "ADMITTED", "complete": None, "deny": "DENIED", "leave": "LEFT"},
    "ADMITTED": {"admit": "ADMITTED", "complete": "COMPLETED", "deny": "DENIED", "leave": "LEFT"},
    "COMPLETED": {"admit": None, "complete": "COMPLETED", "deny": None, "leave": None},
    "DENIED": {"admit": None, "complete": None, "deny": "DENIED", "leave": None},
    "LEFT": {"admit": "ADMITTED", "complete": None, "deny": None, "leave": "LEFT"},
}


def move(world: World, queue: Distribution, verb: str, consumer_id: str, **more: Any) -> Any:
    body = {"consumerId": consumer_id, **({"reason": "ADMIN_ACTION"} if verb == "deny" else {}), **more}
    return world.server().post(f"/queues/{queue.pk}/{verb}", body)


def bring(world: World, queue: Distribution, guest: ConsumerClient, state: str) -> None:
    """Through the API into that state."""
    guest.enter(queue)
    for verb in {"QUEUED": [], "COMPLETED": ["admit", "complete"]}.get(state, []):
        move(world, queue, verb, guest.id)
    if state in ("ADMITTED", "DENIED"):
        move(world, queue, "admit" if state == "ADMITTED" else "deny", guest.id)
    if state == "LEFT":
        guest.leave(queue)
    assert guest.status(queue).json()["status"] == state


def everything() -> list[Any]:
    rows = Participation.objects.order_by("id").values_list(
        "id", "status", "admitted_at", "ended_at", "deny_reason", "order_id"
    )
    return [*rows, Event.objects.count()]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", ["admit", "complete", "deny", "leave"])
def test_from_every_state_by_every_verb(world: World, clock: Any, state: str, verb: str) -> None:
    queue, guest = world.queue(), world.consumer()
    bring(world, queue, guest, state)
    before = everything()
    clock.shift(1)
    answer = guest.leave(queue) if verb == "leave" else move(world, queue, verb, guest.id)
    after = MOVES[state][verb]
    if after is None:
        assert assert_error(answer, 409, "Illegal transition")["status"] == state
        assert everything() == before
    else:
        assert (answer.status_code, answer.json()["status"]) == (200, after)
        assert (everything() == before) == (after == state)
    assert guest.status(queue).json()["status"] == (after or state)


@pytest.mark.parametrize("verb", ["admit", "complete", "deny"])
def test_repeating_answers_as_before(world: World, clock: Any, verb: str) -> None:
    queue, guest = world.queue(session_seconds=600), world.consumer()
    bring(world, queue, guest, "ADMITTED" if verb == "complete" else "QUEUED")
    first = move(world, queue, verb, guest.id)
    state = everything()
    clock.shift(5)
    again = move(world, queue, verb, guest.id)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert everything() == state


def test_an_admission_is_repeated_after_the_last_one_and_after_closing(world: World, clock: Any) -> None:
    queue, guest = world.queue(max_admissions=1, closes_in=60), world.consumer()
    first = move(world, queue, "admit", guest.id).json()
    assert_error(move(world, queue, "admit", world.consumer().id), 400, "Queue is closed")
    assert move(world, queue, "admit", guest.id).json() == first
    clock.shift(60)
    assert move(world, queue, "admit", guest.id).json() == first


def test_admitting_enters_who_never_did_and_says_so(world: World, clock: Any) -> None:
    queue, ahead, guest = world.queue(capacity=1, session_seconds=60), world.consumer(), world.consumer()
    ahead.enter(queue)
    body = move(world, queue, "admit", guest.id).json()
    assert body.pop("admissionToken").count(".") == 2
    assert body == {
        "status": "ADMITTED",
        "consumerId": guest.id,
        "queueId": queue.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
        "admittedAt": "2026-12-01T09:00:00Z",
        "expiresAt": "2026-12-01T09:01:00Z",
        "position": 0,
    }
    assert ahead.status(queue).json()["position"] == 1
    trace = Event.objects.get(name="queue.consumer.admitted")
    assert trace.actor.startswith("key:key_")
    assert trace.data["outOfTurn"] is True


def test_admitting_before_the_opening_and_after_closing(world: World, clock: Any) -> None:
    guest = world.consumer()
    pending, paused, closed = world.queue(opens_in=60), world.queue(), world.queue(closes_in=1)
    body = assert_error(move(world, pending, "admit", guest.id), 423, "Queue is not open yet")
    assert (body["openAt"], body["retryAfter"]) == ("2026-12-01T09:01:00Z", 60)
    switches.pause(paused, now=time.now(), actor="staff:1")
    assert move(world, paused, "admit", guest.id).json()["status"] == "ADMITTED"  # by hand, all the same
    clock.shift(1)
    assert_error(move(world, closed, "admit", guest.id), 400, "Queue is closed", "QUEUE_CLOSED")


def test_the_token_goes_to_whom_it_belongs(world: World) -> None:
    queue, guest = world.queue(), world.consumer()
    token = move(world, queue, "admit", guest.id).json()["admissionToken"]
    assert guest.status(queue).json()["admissionToken"] == token
    assert "admissionToken" not in move(world, queue, "complete", guest.id).json()


def test_an_order_and_a_reason_are_kept(world: World) -> None:
    queue, done, denied = world.queue(), world.consumer(), world.consumer()
    bring(world, queue, done, "ADMITTED")
    bring(world, queue, denied, "QUEUED")
    move(world, queue, "complete", done.id, orderId="A-1")
    assert move(world, queue, "deny", denied.id, reason="Bots, we think").json()["denyReason"] == (
        "Bots, we think"
    )
    assert Participation.objects.get(consumer_id=done.id).order_id == "A-1"
    assert "A-1" not in str(Event.objects.get(name="queue.consumer.completed").data)
    assert "Bots" not in str(Event.objects.get(name="queue.consumer.denied").data)


def test_a_reason_that_is_a_code_stands_in_the_trace(world: World) -> None:
    queue, denied = world.queue(), world.consumer()
    bring(world, queue, denied, "QUEUED")
    move(world, queue, "deny", denied.id, reason="FRAUD_DETECTED")
    assert Event.objects.get(name="queue.consumer.denied").data["reason"] == "FRAUD_DETECTED"


@pytest.mark.parametrize("reason", [None, "", 7, "x" * 201, "ADMISSION_EXPIRED"])
def test_a_reason_is_a_short_text_and_not_the_clocks(world: World, reason: object) -> None:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    body = assert_error(move(world, queue, "deny", guest.id, reason=reason), 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["reason"]
    assert guest.status(queue).json()["status"] == "QUEUED"


@pytest.mark.parametrize("verb", ["admit", "complete", "deny"])
def test_whom_nobody_knows(world: World, verb: str) -> None:
    queue, stranger = world.queue(), make_world().consumer()
    answers = [
        move(world, queue, verb, consumer_id)
        for consumer_id in (stranger.id, ids.new("cons"), "cons_", "x", stranger.id.lower(), queue.pk)
    ]
    bodies = {answer.content.replace(answer.headers["X-Request-Id"].encode(), b"") for answer in answers}
    for answer in answers:
        assert_error(answer, 404, "Consumer not found", "CONSUMER_NOT_FOUND")
    assert len(bodies) == 1
    odd: list[object] = [None, 5, True, [], {}, "", "x" * 65]
    for value in odd:
        answer = world.server().post(f"/queues/{queue.pk}/{verb}", {"consumerId": value, "reason": "x"})
        assert_error(answer, 400, "Validation failed")
    if verb != "admit":
        assert_error(move(world, queue, verb, world.consumer().id), 404, "Consumer not in queue")
    assert not Participation.objects.exists()


def test_an_expired_admission_is_not_completed(world: World, clock: Any) -> None:
    queue, guest = world.queue(session_seconds=60), world.consumer()
    move(world, queue, "admit", guest.id)
    clock.shift(60)
    for verb in ("complete", "deny"):
        assert assert_error(move(world, queue, verb, guest.id), 409, "Illegal transition")["status"] == (
            "DENIED"
        )
    assert move(world, queue, "admit", guest.id).json()["enteredAt"] == "2026-12-01T09:01:00Z"
