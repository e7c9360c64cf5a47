"""Invariants 3 and 6: only legal moves, each once, each with its one row in the trace."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from distributions.core import lifecycle
from distributions.core.models import Distribution, Participation, Reason, Status
from distributions.core.standing import Standing
from experiences.models import Event
from fanfare import clock as time
from fanfare import errors
from tests.concurrency.race import race
from tests.lines import (
    admit,
    complete,
    deny,
    enter,
    events_of,
    leave,
    make_consumers,
    require_true_tally,
    stored,
)
from tests.world import World

Move = Callable[[Distribution, str], Any]
SESSION_SECONDS = 60


def expire(queue: Distribution, consumer_id: str) -> list[Standing]:
    """The sweep, at the admission's very end."""
    ids = [row.pk for row in stored(queue, consumer_id)]
    later = time.now() + dt.timedelta(seconds=SESSION_SECONDS)
    return lifecycle.expire(queue, ids, now=later)


MOVES: dict[str, Move] = {
    "admit": admit,
    "complete": complete,
    "deny": deny,
    "leave": leave,
    "expire": expire,
}
REACHED_BY: dict[str, list[Move]] = {
    "QUEUED": [enter],
    "ADMITTED": [enter, admit],
    "COMPLETED": [enter, admit, complete],
    "DENIED": [enter, deny],
    "LEFT": [enter, leave],
    "EXPIRED": [enter, admit, expire],
}
# (state, move) → the state after it; "same": answered as it stands; missing: IllegalMove, or for the
# sweep nothing. Who left or expired is entered anew by an admission by hand.
LEGAL = {
    ("QUEUED", "admit"): "ADMITTED",
    ("QUEUED", "deny"): "DENIED",
    ("QUEUED", "leave"): "LEFT",
    ("ADMITTED", "admit"): "same",
    ("ADMITTED", "complete"): "COMPLETED",
    ("ADMITTED", "deny"): "DENIED",
    ("ADMITTED", "leave"): "LEFT",
    ("ADMITTED", "expire"): "DENIED",
    ("COMPLETED", "complete"): "same",
    ("DENIED", "deny"): "same",
    ("LEFT", "leave"): "same",
    ("LEFT", "admit"): "new",
    ("EXPIRED", "admit"): "new",
}


def snapshot(queue: Distribution) -> tuple[list[dict[str, Any]], int]:
    """Every participation as stored, and how long the trace is."""
    return [dict(row) for row in Participation.objects.order_by("id").values()], len(events_of(queue))


@pytest.mark.parametrize("state", REACHED_BY)
@pytest.mark.parametrize("verb", MOVES)
def test_every_move_from_every_state(world: World, clock: Any, state: str, verb: str) -> None:
    queue = world.queue(session_seconds=SESSION_SECONDS)
    (consumer_id,) = make_consumers(world, 1)
    for step in REACHED_BY[state]:
        step(queue, consumer_id)
    before = snapshot(queue)
    expected = LEGAL.get((state, verb))
    clock.shift(1)

    if expected is None and verb != "expire":
        with pytest.raises(errors.IllegalMove) as refusal:
            MOVES[verb](queue, consumer_id)
        status = "DENIED" if state == "EXPIRED" else state
        assert (refusal.value.status, refusal.value.extra) == (409, {"status": status})
    elif expected == "same":
        assert MOVES[verb](queue, consumer_id).id == before[0][0]["id"]
    else:
        MOVES[verb](queue, consumer_id)

    if expected in (None, "same"):
        assert snapshot(queue) == before
    elif expected == "new":
        assert [row.status for row in stored(queue, consumer_id)][-1] == "ADMITTED"
        assert len(events_of(queue)) == before[1] + 2
    else:
        assert [row.status for row in stored(queue, consumer_id)] == [expected]
        assert len(events_of(queue)) == before[1] + 1
        MOVES[verb](queue, consumer_id)  # a second time
        assert len(events_of(queue)) == before[1] + 1
    require_true_tally(queue)


@pytest.mark.parametrize("verb", ["admit", "complete", "deny", "leave"])
def test_nobody_is_moved_who_never_entered(world: World, verb: str) -> None:
    queue = world.queue()
    (consumer_id,) = make_consumers(world, 1)
    if verb == "admit":
        assert admit(queue, consumer_id).status == Status.ADMITTED
        return
    with pytest.raises(errors.NotEntered):
        MOVES[verb](queue, consumer_id)
    assert not events_of(queue)


def test_conflicting_moves_at_once(world: World) -> None:
    """Complete, deny and leave at the same instant: exactly one wins, with one row in the trace."""
    queue = world.queue(session_seconds=SESSION_SECONDS)
    moves: list[Move] = [complete, deny, leave, expire]

    for consumer_id in make_consumers(world, 20):
        admit(queue, consumer_id)
        before = len(events_of(queue, consumer_id))
        outcome = race(8, lambda index, who=consumer_id: moves[index % 4](queue, who))  # type: ignore[misc]

        (row,) = stored(queue, consumer_id)
        assert all(isinstance(error, errors.IllegalMove) for error in outcome.errors), outcome.errors
        answers = [one for one in outcome.results if isinstance(one, Standing)]
        assert {one.status for one in answers} <= {row.status}
        assert [one for one in answers if one.deny_reason != row.deny_reason] == []
        trace = events_of(queue, consumer_id)[before:]
        assert [(event.data["from"], event.data["to"]) for event in trace] == [("ADMITTED", row.status)]
    require_true_tally(queue)


def test_admit_and_leave_at_once(world: World) -> None:
    """A place is left or admitted, or first admitted and then left; never lost, never both."""
    queue = world.queue(admission_rate=6000)
    for consumer_id in make_consumers(world, 20):
        enter(queue, consumer_id)

        def act(index: int, who: str = consumer_id) -> str:
            try:
                return (leave if index % 2 else admit)(queue, who).status
            except errors.IllegalMove as refusal:
                return f"refused: {refusal.extra['status']}"

        race(4, act).all()
        steps = [
            event.data.get("from", "") + ">" + event.data["to"] for event in events_of(queue, consumer_id)
        ]
        rows = stored(queue, consumer_id)
        assert steps[0] == ">QUEUED"
        assert len([row for row in rows if row.status in ("QUEUED", "ADMITTED")]) <= 1
        assert len(steps) == sum(2 if row.status == "QUEUED" else 1 for row in rows) + sum(
            1 if row.status != "QUEUED" else -1 for row in rows
        ) + sum(1 for row in rows if row.status == "LEFT" and row.admitted_at)
    require_true_tally(queue)


def test_each_move_tells_who_what_when(world: World, clock: Any) -> None:
    queue = world.queue(session_seconds=SESSION_SECONDS)
    consumer = world.consumer()
    server = world.server()
    consumer.enter(queue)
    server.post(f"/queues/{queue.pk}/admit", {"consumerId": consumer.id})
    server.post(f"/queues/{queue.pk}/complete", {"consumerId": consumer.id, "orderId": "A-7"})

    trace = events_of(queue, consumer.id)
    key = world.organization.keys.get(kind="secret")
    assert [(event.name, event.actor) for event in trace] == [
        ("queue.consumer.entered", f"consumer:{consumer.id}"),
        ("queue.consumer.admitted", f"key:{key.pk}"),
        ("queue.consumer.completed", f"key:{key.pk}"),
    ]
    assert [event.data for event in trace] == [
        {"to": "QUEUED", "place": 1},
        {"from": "QUEUED", "to": "ADMITTED", "outOfTurn": True},
        {"from": "ADMITTED", "to": "COMPLETED"},
    ]
    assert {event.at for event in trace} == {time.now()}
    assert {event.organization_id for event in trace} == {world.organization.pk}


@pytest.mark.parametrize("move", [admit, complete, deny, leave, expire])
def test_a_move_and_its_trace_are_kept_together(
    world: World, monkeypatch: pytest.MonkeyPatch, move: Move
) -> None:
    """Where the transaction does not commit, there is neither."""
    queue = world.queue(session_seconds=SESSION_SECONDS)
    (consumer_id,) = make_consumers(world, 1)
    enter(queue, consumer_id)
    if move is not admit:
        admit(queue, consumer_id)
    before = snapshot(queue)
    # The trace can't be written: what is traced must not happen either.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE experiences_event ADD CONSTRAINT broken CHECK (name = 'x') NOT VALID")
    try:
        with pytest.raises(DatabaseError):
            move(queue, consumer_id)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE experiences_event DROP CONSTRAINT broken")
    assert snapshot(queue) == before
    require_true_tally(queue)


@pytest.mark.parametrize(
    "sql", ["UPDATE experiences_event SET actor = 'nobody'", "DELETE FROM experiences_event"]
)
def test_the_trace_can_only_grow(world: World, sql: str) -> None:
    queue = world.queue()
    enter(queue, make_consumers(world, 1)[0])
    before = list(Event.objects.order_by("id").values())
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert list(Event.objects.order_by("id").values()) == before


def test_an_admission_ends_at_its_very_instant(world: World, clock: Any) -> None:
    """Readers and writers agree, whether or not anybody has swept."""
    queue = world.queue(session_seconds=SESSION_SECONDS)
    consumer, server = world.consumer(), world.server()
    admitted = server.post(f"/queues/{queue.pk}/admit", {"consumerId": consumer.id}).json()
    asked = {"consumerId": consumer.id, "token": admitted["admissionToken"]}

    clock.shift(SESSION_SECONDS - 0.001)
    assert consumer.status(queue).json()["status"] == "ADMITTED"
    assert server.post(f"/queues/{queue.pk}/validate", asked).json()["valid"] is True
    clock.shift(0.001)
    body = consumer.status(queue).json()
    assert (body["status"], body["denyReason"]) == ("DENIED", Reason.ADMISSION_EXPIRED)
    assert server.post(f"/queues/{queue.pk}/validate", asked).json()["code"] == "TOKEN_EXPIRED"
    for verb, more in (("complete", {}), ("deny", {"reason": "X"})):
        refused = server.post(f"/queues/{queue.pk}/{verb}", {"consumerId": consumer.id, **more})
        assert (refused.status_code, refused.json()["status"]) == (409, "DENIED")
    assert consumer.leave(queue).status_code == 409
    assert stored(queue, consumer.id)[0].status == "ADMITTED"  # refused, and nothing changed
