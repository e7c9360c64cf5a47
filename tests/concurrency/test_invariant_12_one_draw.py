"""Invariant 12: one draw. Whoever works at it, however often, and wherever they die: one result, the same."""

import datetime as dt
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from distributions import tasks
from distributions.core import drawings, lifecycle, live, odds, selection, switches
from distributions.core.models import Distribution, Drawing, FrozenList, Status
from distributions.draws import results, rules
from distributions.draws.setup import SETTINGS
from experiences import events
from fanfare import clock as time
from tests import draws, lines
from tests.concurrency.race import race
from tests.draws import WorkerDied, dies
from tests.world import World, assert_error

ENTRIES, WINNERS = 40, 7


def closed_draw(world: World, clock: Any, **more: Any) -> tuple[Distribution, list[str]]:
    """A draw whose entries, some weighted and one gone, have just closed."""
    draw = world.draw(**{"winner_count": WINNERS, **more})
    people = draws.fill(draw, world, [1, 2, 5, 1] * (ENTRIES // 4))
    lines.leave(draw, people[-1])
    clock.shift(60)
    return draw, people


def frozen_draw(world: World, clock: Any, **more: Any) -> tuple[Distribution, list[str]]:
    draw, people = closed_draw(world, clock, **more)
    tasks.freeze_draw(draw.pk)
    return draw, people


# --- At once ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [2, 8])
def test_many_workers_freeze_and_draw_at_once(world: World, clock: Any, workers: int) -> None:
    draw, _ = closed_draw(world, clock)

    race(workers, lambda _: tasks.freeze_draw(draw.pk)).all()

    frozen, due = draws.stored(draw), draws.due_order(draw)
    assert (frozen.numbers, frozen.entries, frozen.drawn_at) == (ENTRIES, ENTRIES - 1, None)
    assert draws.deeds(draw) == {"draw.frozen": 1}

    race(workers, lambda _: tasks.run_draw(draw.pk)).all()

    draws.require_one_result(draw, due)
    assert draws.stored(draw).root == frozen.root


@pytest.mark.parametrize("workers", [2, 8])
def test_many_ticks_at_once(world: World, clock: Any, workers: int) -> None:
    """Each tick finds what is due by itself: one freezes while others look, and some draw at once."""
    draw, _ = closed_draw(world, clock)

    def work(_: int) -> None:
        for _ in range(3):
            tasks.tick_draws()

    race(workers, work).all()
    tasks.tick_draws()

    draws.require_one_result(draw)


def test_the_control_without_the_lock_draws_twice(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same two workers without the lock: were they to agree, the tests above could not fail."""
    draw, _ = frozen_draw(world, clock)
    both_looked = threading.Barrier(2)

    def not_locked(distribution_id: str, *, wait: bool = False) -> Drawing | None:
        found = Drawing.objects.get(pk=distribution_id)
        both_looked.wait(30)
        return found

    monkeypatch.setattr(drawings, "locked", not_locked)
    race(2, lambda _: tasks.run_draw(draw.pk)).all()

    assert draws.deeds(draw)["draw.drawn"] == 2
    assert len(draws.numbers(draw, Status.ADMITTED)) == 2 * WINNERS
    with pytest.raises(AssertionError):
        draws.require_one_result(draw)


# --- Again, late, out of order ---------------------------------------------------------------------


def test_tasks_that_come_three_times_late_and_out_of_order(world: World, clock: Any) -> None:
    draw, _ = closed_draw(world, clock)
    every = [tasks.pass_on_places, tasks.fall_through, tasks.deny_entrants, tasks.run_draw]
    for task in every:  # before there is a list, none of them has anything to do
        task(draw.pk)
    assert draws.deeds(draw) == {}
    assert len(draws.numbers(draw, Status.QUEUED)) == ENTRIES - 1

    for _ in range(3):
        tasks.freeze_draw(draw.pk)
    frozen = draws.snapshot(draw)
    clock.shift(3600)
    for task in [tasks.freeze_draw, tasks.pass_on_places, tasks.fall_through, tasks.deny_entrants] * 3:
        task(draw.pk)
    assert draws.snapshot(draw) == frozen

    for _ in range(3):
        tasks.run_draw(draw.pk)
    draws.require_one_result(draw)
    drawn = draws.snapshot(draw)
    clock.shift(86_400)
    for task in [*every, tasks.freeze_draw] * 3:
        task(draw.pk)
    assert draws.snapshot(draw) == drawn


# --- Crashes ---------------------------------------------------------------------------------------

WHILE_FREEZING = {
    "hashing": (selection, "root"),
    "counting": (odds, "of_groups"),
    "writing the list": (FrozenList, "save"),
    "writing the trace": (events, "record"),
}


@pytest.mark.parametrize("point", WHILE_FREEZING)
def test_a_crash_while_it_is_frozen(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Entering is over from the first moment on, nothing is published until all is; the next tick does it."""
    draw = world.draw(winner_count=WINNERS)
    people = draws.fill(draw, world, ENTRIES)
    late = world.consumer()
    with monkeypatch.context() as patch:
        patch.setattr(*WHILE_FREEZING[point], dies)
        with pytest.raises(WorkerDied):
            draws.freeze_by_hand(draw)

    path = f"/draws/{draw.pk}"
    assert world.shop_front().get(path).json()["status"] == "CLOSED"
    assert_error(late.enter(draw), 400, "Draw is closed", "DRAW_CLOSED")
    proof = world.shop_front().get(f"{path}/proof").json()
    assert (proof["status"], "root" in proof, draws.deeds(draw)) == ("COMMITTED", False, {})
    lines.deny(draw, people[4])

    tasks.tick_draws()

    proof = draws.proof_of(world, draw)
    told = [proof[name] for name in ("status", "numbersGiven", "entryCount")]
    assert told == ["FROZEN", ENTRIES, ENTRIES - 1]
    assert proof["entries"]["data"][4] == "0 ADMIN_ACTION"
    assert draws.deeds(draw) == {"draw.frozen": 1}


def test_a_crash_between_freezing_and_drawing(world: World, clock: Any) -> None:
    """Whoever takes over, and whenever, draws from the list that was published."""
    draw, people = frozen_draw(world, clock)
    published, due = draws.proof_of(world, draw), draws.due_order(draw)
    clock.shift(3600)
    tasks.tick_draws()
    draws.require_one_result(draw, due)
    proof = draws.proof_of(world, draw)
    for name in ("root", "commitment", "entries", "frozenAt"):
        assert proof[name] == published[name]
    assert proof["drawnAt"] == "2026-12-01T10:01:00Z"
    assert len(people) == proof["numbersGiven"]


def dies_at(call: int, of: Callable[..., Any]) -> Callable[..., Any]:
    """The function, but at its n-th call the worker dies when it is done."""
    calls: list[None] = []

    def work(*about: Any, **more: Any) -> Any:
        calls.append(None)
        done = of(*about, **more)
        return dies() if len(calls) == call else done

    return work


WHILE_DRAWING = {
    "the key is fixed": (drawings, "extend", dies),
    "all is in order": (drawings, "extend", dies_at(1, drawings.extend)),
    "some have won": (lifecycle, "admit", dies_at(2, lifecycle.admit)),
    "nobody has won": (lifecycle, "admit", dies),
    "all have won": (results, "_passed_over", dies_at(4, results._passed_over)),
    "it is to be traced": (events, "record", dies),
}


@pytest.mark.parametrize("point", WHILE_DRAWING)
def test_a_crash_while_it_is_drawn(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Nothing of it is there, and nothing was told; who draws in the end draws the same."""
    monkeypatch.setattr(results, "AT_ONCE", 2)
    draw, people = frozen_draw(world, clock)
    before, due = draws.snapshot(draw), draws.due_order(draw)
    with monkeypatch.context() as patch:
        patch.setattr(*WHILE_DRAWING[point])
        with pytest.raises(WorkerDied):
            tasks.run_draw(draw.pk)

    assert draws.snapshot(draw) == before
    proof = draws.proof_of(world, draw)
    assert (proof["status"], {"seed", "drawKey", "winners"} & set(proof)) == ("FROZEN", set())
    clock.shift(7)
    tasks.tick_draws()
    draws.require_one_result(draw, due)
    assert len(people) == ENTRIES


def test_who_was_denied_between_a_crash_and_the_draw_is_passed_over(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, _ = frozen_draw(world, clock)
    due = draws.due_order(draw)
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "admit", dies)
        with pytest.raises(WorkerDied):
            tasks.run_draw(draw.pk)
    lines.deny(draw, draws.consumers(draw)[due[2]])
    tasks.tick_draws()
    assert draws.order(draw) == due
    assert draws.numbers(draw, Status.ADMITTED) == {*due[:2], *due[3 : WINNERS + 1]}
    proof = draws.proof_of(world, draw)
    assert proof["passedOver"] == [{"number": due[2], "reason": "ADMIN_ACTION"}]
    assert [one["number"] for one in proof["winners"]] == due[:WINNERS]


def test_a_crash_after_the_draw_before_redis_hears(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis still says that all of them wait; everybody is told the result all the same, and at once."""
    draw, people = world.draw(winner_count=3), [world.consumer() for _ in range(9)]
    tasks.watch_redis()
    for one in people:
        one.enter(draw)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    due = draws.due_order(draw)
    with monkeypatch.context() as patch:
        patch.setattr(live, "push", dies)
        with pytest.raises(WorkerDied):
            tasks.run_draw(draw.pk)

    expected = ["ADMITTED" if number in due[:3] else "DENIED" for number in range(1, 10)]
    assert [one.status(draw).json()["status"] for one in people] == expected
    drawn = draws.snapshot(draw)
    for _ in range(3):
        tasks.run_draw(draw.pk)
        tasks.tick_draws()
    assert draws.snapshot(draw) == drawn

    clock.shift(5)
    tasks.reconcile_redis()
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "latest", dies)  # what comes now comes from Redis
        assert [one.status(draw).json()["status"] for one in people] == expected
    draws.require_one_result(draw, due)


# --- Who comes and goes meanwhile ------------------------------------------------------------------


def mark_of(receipt: Any) -> str:
    return selection.mark(bytes.fromhex(receipt["entryId"])).hex()


@pytest.mark.parametrize("_", range(3))
def test_entering_and_leaving_while_it_is_frozen(world: World, clock: Any, _: int) -> None:
    """Whoever was told that they entered is in the list, or counted as removed; nobody else is."""
    draw = world.draw(winner_count=100)
    crowd = [world.consumer() for _ in range(42)]
    answers = {one.id: one.enter(draw) for one in crowd[:12]}
    left: dict[str, Any] = {}
    entered = threading.Semaphore(0)

    def act(index: int) -> None:
        if index < 2:
            for _ in range(3):
                assert entered.acquire(timeout=30)
            draws.freeze_by_hand(draw)
            return
        for one in crowd[12 + index - 2 :: 6]:
            answers[one.id] = one.enter(draw)
            entered.release()
        for one in crowd[index - 2 : 12 : 6]:
            left[one.id] = one.leave(draw)

    race(8, act).all()

    for answer in [*answers.values(), *left.values()]:
        assert answer.status_code == 200 or assert_error(answer, 400, "Draw is closed", "DRAW_CLOSED")
    receipts = {one: a.json()["receipt"] for one, a in answers.items() if a.status_code == 200}
    gone = {one for one, answer in left.items() if answer.status_code == 200}
    proof = draws.proof_of(world, draw)
    data = proof["entries"]["data"]
    assert (len(data), proof["numbersGiven"]) == (len(receipts), len(receipts))
    removed = {one for one, receipt in receipts.items() if data[receipt["entryNumber"] - 1] == "0 LEFT"}
    assert removed <= gone
    for one in set(receipts) - removed:
        assert data[receipts[one]["entryNumber"] - 1] == f"1 {mark_of(receipts[one])}"
    assert proof["removedBeforeDraw"]["count"] == len(removed)

    clock.shift(60)
    tasks.run_draw(draw.pk)
    people = draws.consumers(draw)
    passed = {people[one["number"]] for one in draws.proof_of(world, draw)["passedOver"]}
    won = {people[number] for number in draws.numbers(draw, Status.ADMITTED)}
    assert (passed, won) == (gone - removed, set(receipts) - gone)
    lines.require_true_tally(draw)


def close(draw: Distribution) -> None:
    switches.close(draw, now=time.now(), actor="staff:1")


@pytest.mark.parametrize("_", range(4))
def test_closing_while_it_is_drawn(world: World, clock: Any, _: int) -> None:
    """Drawn and then closed, or cancelled: never a bit of both."""
    draw, _people = frozen_draw(world, clock)

    def act(index: int) -> None:
        if index:
            close(draw)
        (tasks.deny_entrants if index else tasks.run_draw)(draw.pk)

    race(3, act).all()
    tasks.tick_draws()

    if draws.stored(draw).drawn_at is None:
        assert len(draws.numbers(draw, Status.DENIED)) == ENTRIES - 1
        assert not draws.ever_won(draw)
    else:
        assert len(draws.numbers(draw, Status.ADMITTED)) == WINNERS
        assert not draws.numbers(draw, Status.DENIED)


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, deed: Callable[[], Any]
) -> Callable[[], Any]:
    """When that function is done, begin the deed in a thread of its own; how it went, when asked.

    It has a moment to get as far as it gets.
    """
    work, began, went = getattr(module, name), threading.Event(), []

    def run() -> None:
        began.wait(30)
        went.append(race(1, lambda _: deed()))

    thread = threading.Thread(target=run)
    thread.start()

    def work_and_wait(*about: Any, **more: Any) -> Any:
        found = work(*about, **more)
        began.set()
        thread.join(0.3)
        return found

    def result() -> Any:
        thread.join(30)
        return went[0].all()[0]

    monkeypatch.setattr(module, name, work_and_wait)
    return result


@pytest.mark.parametrize(
    ("module", "name", "waits"),
    [(drawings, "draw", False), (results, "_lock_the_rest", True), (lifecycle, "admit", True)],
    ids=["put in order", "about to win", "have won"],
)
def test_closing_comes_before_the_first_winner_or_waits(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, waits: bool
) -> None:
    """Else somebody might be told that all is over, and then that they won."""
    draw, _ = frozen_draw(world, clock)
    was_drawn: list[bool] = []

    def close_and_look() -> None:
        close(draw)
        was_drawn.append(draws.stored(draw).drawn_at is not None)

    result = meanwhile(monkeypatch, module, name, close_and_look)
    tasks.run_draw(draw.pk)
    result()
    assert was_drawn == [waits] == [draws.stored(draw).drawn_at is not None]
    assert len(draws.numbers(draw, Status.ADMITTED)) == (WINNERS if waits else 0)
    assert draws.proof_of(world, draw)["status"] == ("DRAWN" if waits else "CANCELLED")


def test_settings_that_are_changed_meanwhile_wait_too(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both take the same locks in the same order; were it not so, one of them would be a victim."""
    draw, _ = frozen_draw(world, clock)
    ends = time.now() + dt.timedelta(hours=1)
    change = partial(SETTINGS.update, draw, {"end_at": ends}, now=time.now(), actor="staff:1")
    result = meanwhile(monkeypatch, lifecycle, "admit", change)
    tasks.run_draw(draw.pk)
    assert result() == {"end_at": (None, ends)}
    assert draws.settings_of(draw).end_at == ends
    draws.require_one_result(draw)


def test_who_draws_holds_the_lock_to_the_end(world: World, clock: Any) -> None:
    """Another worker does not even begin."""
    draw, _ = frozen_draw(world, clock)
    with transaction.atomic():
        assert drawings.locked(draw.pk) is not None
        assert race(1, lambda _: tasks.run_draw(draw.pk)).errors == []
        assert race(1, lambda _: rules.freeze(draw.pk, now=time.now(), actor="staff:1")).all() == [False]
    assert draws.stored(draw).drawn_at is None
    tasks.run_draw(draw.pk)
    draws.require_one_result(draw)
