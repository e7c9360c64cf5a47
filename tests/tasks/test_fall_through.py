"""Losers of a draw go on into a queue by themselves: in the drawn order, each once, as the queue allows."""

import datetime as dt
from typing import Any

import pytest

from consumers.models import Consumer
from distributions import falling_through, privacy, tasks
from distributions.core import lifecycle, switches
from distributions.core.models import Distribution, Participation, Status
from distributions.draws import results
from distributions.queues import line
from fanfare import clock as time
from tests import draws, lines
from tests.concurrency.race import race
from tests.draws import WorkerDied, dies
from tests.world import ConsumerClient, World

WINNERS = 2


def drawn(
    world: World, clock: Any, queue: Distribution, people: list[ConsumerClient] | None = None, **settings: Any
) -> tuple[Distribution, list[ConsumerClient]]:
    """A draw whose losers go on into the queue, just drawn; its entrants in the drawn order."""
    draw = world.draw(**{"winner_count": WINNERS, "fall_through": queue, **settings})
    people = people or [world.consumer() for _ in range(7)]
    for one in people:
        assert one.enter(draw).status_code == 200
    clock.shift(60)
    return draw, [people[number - 1] for number in draws.draw_now(draw)]


def in_line(queue: Distribution) -> list[str]:
    """Who waits in the queue, in order."""
    return list(line.waiting(queue).values_list("consumer_id", flat=True))


def ids(people: list[ConsumerClient]) -> list[str]:
    return [one.id for one in people]


def next_of(draw: Distribution, *people: ConsumerClient) -> list[Any]:
    """Where each of them is told to go on."""
    return [one.status(draw).json().get("next") for one in people]


def test_losers_go_on_in_the_drawn_order_and_each_once(world: World, clock: Any) -> None:
    queue = world.queue()
    draw, order = drawn(world, clock, queue)
    for _ in range(3):
        tasks.tick_draws()
        tasks.fall_through(draw.pk)

    assert in_line(queue) == ids(order[WINNERS:])
    assert [one.status(queue).json()["position"] for one in order[WINNERS:]] == [1, 2, 3, 4, 5]
    assert Participation.objects.filter(distribution=queue).count() == 5
    assert {event.actor for event in lines.events_of(queue)} == {"system:fall_through"}
    there = {"kind": "queue", "id": queue.pk}
    assert next_of(draw, *order) == [None] * WINNERS + [there] * 5
    assert falling_through.due(time.now()) == []
    lines.require_true_tally(queue)


def test_who_left_the_queue_again_is_not_brought_back(world: World, clock: Any) -> None:
    queue = world.queue()
    draw, order = drawn(world, clock, queue)
    tasks.tick_draws()
    order[3].leave(queue)
    tasks.tick_draws()
    tasks.fall_through(draw.pk)
    assert in_line(queue) == ids([order[2], *order[4:]])


@pytest.mark.parametrize("workers", [2, 8])
def test_many_workers_at_once(world: World, clock: Any, workers: int) -> None:
    queue = world.queue()
    draw = world.draw(winner_count=WINNERS, fall_through=queue)
    draws.fill(draw, world, [1, 4] * 20)
    clock.shift(60)
    order, people = draws.draw_now(draw), draws.consumers(draw)

    def work(_: int) -> None:
        for _ in range(10):
            tasks.fall_through(draw.pk)

    race(workers, work).all()
    tasks.fall_through(draw.pk)

    assert in_line(queue) == [people[number] for number in order[WINNERS:]]
    assert lines.require_true_tally(queue).entered == 38
    names = [event.name for event in lines.events_of(queue)]
    assert names == ["queue.consumer.entered"] * 38


def test_some_at_a_time(world: World, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task does not go on forever, and the order is put together further where it is needed."""
    monkeypatch.setattr(falling_through, "AT_ONCE", 4)
    monkeypatch.setattr(results, "ALTERNATES", 1)
    queue = world.queue()
    draw = world.draw(winner_count=WINNERS, fall_through=queue)
    draws.fill(draw, world, 12)
    clock.shift(60)
    assert len(draws.draw_now(draw)) == WINNERS + 1
    for number in (4, 8, 10, 10):
        tasks.fall_through(draw.pk)
        people = draws.consumers(draw)
        assert in_line(queue) == [people[one] for one in draws.due_order(draw)[WINNERS:]][:number]


def test_a_crash_on_the_way(world: World, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who had gone on stays there; the one whose turn it was goes next, once."""
    queue = world.queue()
    draw, order = drawn(world, clock, queue)
    enter, entered = lifecycle.enter, []

    def enter_twice(*about: Any, **more: Any) -> Any:
        entered.append(about)
        done = enter(*about, **more)
        return dies() if len(entered) == 3 else done

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "enter", enter_twice)
        with pytest.raises(WorkerDied):
            tasks.fall_through(draw.pk)
    assert in_line(queue) == ids(order[WINNERS : WINNERS + 2])
    tasks.tick_draws()
    assert in_line(queue) == ids(order[WINNERS:])


# --- The queue allows it or not --------------------------------------------------------------------


def test_a_full_queue_is_waited_for(world: World, clock: Any) -> None:
    queue = world.queue(capacity=2)
    _, order = drawn(world, clock, queue)
    for _ in range(3):
        tasks.tick_draws()
    assert in_line(queue) == ids(order[2:4])
    order[2].leave(queue)
    tasks.tick_draws()
    assert in_line(queue) == ids(order[3:5])
    lines.admit(queue, order[3].id)
    lines.admit(queue, order[4].id)
    tasks.tick_draws()
    assert in_line(queue) == ids(order[5:7])


def test_a_queue_that_is_not_open_yet_is_waited_for(world: World, clock: Any) -> None:
    queue = world.queue(opens_in=90)
    _, order = drawn(world, clock, queue)
    tasks.tick_draws()
    assert in_line(queue) == []
    clock.shift(29.999)
    tasks.tick_draws()
    assert in_line(queue) == []
    clock.shift(0.001)
    tasks.tick_draws()
    assert in_line(queue) == ids(order[2:])


def test_a_pre_queue_lets_them_in_before_the_opening(world: World, clock: Any) -> None:
    """Where all who are there by then get a place by lot."""
    queue = world.queue(opens_in=90, enter_from=time.now(), randomize_before_open=True)
    _, order = drawn(world, clock, queue)
    tasks.tick_draws()
    assert in_line(queue) == ids(order[2:])


def test_a_paused_queue_is_waited_for(world: World, clock: Any) -> None:
    queue = world.queue()
    switches.pause(queue, now=time.now(), actor="staff:1")
    _, order = drawn(world, clock, queue)
    tasks.tick_draws()
    assert in_line(queue) == []
    switches.resume(lines.fresh(queue), now=time.now(), actor="staff:1")
    tasks.tick_draws()
    assert in_line(queue) == ids(order[2:])


@pytest.mark.parametrize("by", ["hand", "clock", "deletion"])
def test_a_queue_that_has_closed_is_left_alone(world: World, clock: Any, by: str) -> None:
    queue = world.queue(closes_in=60) if by == "clock" else world.queue()
    draw, order = drawn(world, clock, queue)
    if by == "hand":
        switches.close(queue, now=time.now(), actor="staff:1")
        assert falling_through.due(time.now()) == []
    elif by == "deletion":
        queue.delete()
    for _ in range(2):
        tasks.tick_draws()
        tasks.fall_through(draw.pk)
    assert not Participation.objects.filter(distribution_id=queue.pk).exists()
    assert order[3].status(draw).json()["denyReason"] == "NOT_SELECTED"


def test_a_loser_who_is_in_the_queue_keeps_the_place(world: World, clock: Any) -> None:
    """However they stand there, waiting, admitted or denied."""
    queue = world.queue()
    people = [world.consumer() for _ in range(7)]
    for one in people[:3]:
        one.enter(queue)
    lines.admit(queue, people[1].id)
    lines.deny(queue, people[2].id)
    _, order = drawn(world, clock, queue, people)
    before = {one.id: one.status(queue).json()["status"] for one in people[:3]}
    tasks.tick_draws()
    followers = [one for one in order[2:] if one not in people[:3]]
    assert in_line(queue) == [people[0].id, *ids(followers)]
    assert {one.id: one.status(queue).json()["status"] for one in people[:3]} == before
    lines.require_true_tally(queue)


def test_conditions_of_the_queue_hold(world: World, clock: Any) -> None:
    """Who does not meet them is skipped, and holds nobody up."""
    inner = world.sequence_with("members", requires_authentication=True)
    queue = world.queue()
    Distribution.objects.filter(pk=queue.pk).update(sequence=inner)
    people = [world.member() if number % 2 else world.consumer() for number in range(10)]
    members = {one.id for one in people[1::2]}
    _, order = drawn(world, clock, queue, people)
    tasks.tick_draws()
    assert in_line(queue) == [one for one in ids(order[2:]) if one in members]


def test_a_queue_for_nobody_but_members(world: World, clock: Any) -> None:
    queue = world.queue(supports_guest=False)
    people = [world.member() if number % 2 else world.consumer() for number in range(10)]
    _, order = drawn(world, clock, queue, people)
    tasks.tick_draws()
    assert in_line(queue) == [one.id for one in order[2:] if one in people[1::2]]


def test_the_limit_of_entries_by_one_device_holds(world: World, clock: Any) -> None:
    """Their device is the one by which they entered the draw; all of these have the same."""
    queue = world.queue(max_entries_per_fingerprint=3)
    _, order = drawn(world, clock, queue)
    tasks.tick_draws()
    assert in_line(queue) == ids(order[2:5])
    assert [one.status(queue).json()["denyReason"] for one in order[5:]] == ["DEVICE_LIMIT"] * 2


# --- Who has lost ----------------------------------------------------------------------------------


def test_passed_over_and_offered_by_hand_are_skipped(world: World, clock: Any) -> None:
    queue = world.queue(opens_in=90)
    draw = world.draw(winner_count=WINNERS, fall_through=queue, alternates=False)
    people = [world.consumer() for _ in range(8)]
    for one in people:
        one.enter(draw)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    order = [people[number - 1] for number in draws.due_order(draw)]
    lines.deny(draw, order[0].id, "FRAUD_DETECTED")
    lines.deny(draw, order[5].id, "FRAUD_DETECTED")
    tasks.run_draw(draw.pk)
    privacy.erase(Consumer.objects.get(pk=order[6].id), now=time.now(), actor="staff:1")
    order[1].leave(draw)
    assert results.offer_next(draw.pk, now=time.now(), actor="staff:1") == order[3].id

    clock.shift(30)
    tasks.tick_draws()

    assert in_line(queue) == ids([order[4], order[7]])
    there = {"kind": "queue", "id": queue.pk}
    assert next_of(draw, *order[:6], order[7]) == [None] * 4 + [there, None, there]


def test_who_may_still_get_a_place_does_not_go_on(world: World, clock: Any) -> None:
    """Not before all places are claimed, whoever delivers the task."""
    queue = world.queue()
    draw, order = drawn(world, clock, queue, claim_seconds=60)
    tasks.tick_draws()
    tasks.fall_through(draw.pk)
    assert in_line(queue) == []
    assert next_of(draw, *order) == [None] * 7
    lines.complete(draw, order[0].id)
    tasks.fall_through(draw.pk)
    assert in_line(queue) == []
    clock.shift(60)
    draws.sweep()
    lines.complete(draw, order[2].id)
    tasks.tick_draws()
    assert in_line(queue) == ids(order[3:])
    assert next_of(draw, order[1], order[2], order[3]) == [None, None, {"kind": "queue", "id": queue.pk}]


@pytest.mark.parametrize("how", ["its end", "staff"])
def test_when_the_draw_is_over(world: World, clock: Any, how: str) -> None:
    queue = world.queue()
    ends = time.now() + dt.timedelta(seconds=90)
    draw, order = drawn(world, clock, queue, claim_seconds=60, end_at=ends)
    tasks.tick_draws()
    assert in_line(queue) == []
    if how == "staff":
        switches.close(draw, now=time.now(), actor="staff:1")
    else:
        clock.shift(30)
    tasks.tick_draws()
    assert in_line(queue) == ids(order[2:])
    assert draws.numbers(draw, Status.ADMITTED) == set(draws.order(draw)[:2])


def test_nobody_goes_on_from_a_draw_that_is_cancelled_or_not_drawn(world: World, clock: Any) -> None:
    """A list that is frozen has no order yet; there must be none by accident."""
    queue = world.queue()
    draw = world.draw(winner_count=WINNERS, fall_through=queue)
    draws.fill(draw, world, 5)
    draws.freeze_by_hand(draw)
    tasks.fall_through(draw.pk)
    assert draws.order(draw) == []
    switches.close(draw, now=time.now(), actor="staff:1")
    clock.shift(60)
    for _ in range(2):
        tasks.tick_draws()
        tasks.fall_through(draw.pk)
    assert (in_line(queue), draws.order(draw)) == ([], [])
