"""The pre-queue's draw: checkable by anyone, done once, fair to who comes before, during and after."""

import datetime as dt
import hashlib
import hmac
from typing import Any

import pytest
from django.conf import settings

from distributions import tasks
from distributions.core import catalog, live, switches
from distributions.core.models import Distribution, Drawing, Participation
from distributions.queues import line, rules, shuffle
from experiences.models import Event
from fanfare import clock as time
from fanfare import errors, redis
from tests.concurrency.race import race
from tests.concurrency.test_invariant_8_positions import require_redis_to_agree
from tests.lines import enter, events_of, fresh, leave, make_consumers, positions, require_true_tally
from tests.world import World

OPENS_IN = 60


def pre_queue(world: World, **more: Any) -> Distribution:
    """One that opens in a minute and draws its order then."""
    past = time.now() - dt.timedelta(hours=1)
    return world.queue(opens_in=OPENS_IN, enter_from=past, randomize_before_open=True, **more)


def drawn_order(queue: Distribution, tickets: dict[str, int]) -> list[str]:
    """The documented order of people by their tickets, made again without a line of ours."""
    key = bytes.fromhex(Drawing.objects.get(pk=queue.pk).key)
    return sorted(tickets, key=lambda one: hmac.digest(key, tickets[one].to_bytes(8, "big"), "sha256"))


def tickets_of(queue: Distribution) -> dict[str, int]:
    """Who holds which ticket, before the draw."""
    waiting = line.waiting(queue).values_list("consumer_id", "place")
    return {consumer_id: place or 0 for consumer_id, place in waiting}


def in_line(queue: Distribution) -> list[str]:
    return list(line.waiting(queue).values_list("consumer_id", flat=True))


def test_anyone_can_repeat_the_draw(world: World, clock: Any) -> None:
    queue, before = pre_queue(world), make_consumers(world, 30)
    for consumer_id in before:
        enter(queue, consumer_id)
    shop_front = world.shop_front()
    published = shop_front.get(f"/queues/{queue.pk}").json()["shuffle"]
    assert set(published) == {"commitment"}  # and no seed yet
    leave(queue, before[3])
    entered = [one for one in before if one != before[3]]
    tickets = tickets_of(queue)
    guest = world.consumer()
    receipt = guest.enter(queue).json()["receipt"]
    assert receipt["entryNumber"] == 31
    guest.leave(queue)
    assert shop_front.get(f"/queues/{queue.pk}/proof").json()["status"] == "COMMITTED"

    clock.shift(OPENS_IN)
    tasks.tick_queues()

    shown = shop_front.get(f"/queues/{queue.pk}").json()["shuffle"]
    assert shown["commitment"] == published["commitment"]
    assert hashlib.sha256(bytes.fromhex(shown["seed"])).hexdigest() == shown["commitment"]
    assert in_line(queue) == drawn_order(queue, tickets)
    assert in_line(queue) != entered
    require_redis_to_agree(queue)
    proof = shop_front.get(f"/queues/{queue.pk}/proof").json()
    told = [proof[name] for name in ("status", "root", "seed", "entryCount", "numbersGiven")]
    assert told == ["DRAWN", shown["root"], shown["seed"], 29, 31]
    assert proof["removedBeforeDraw"] == {"count": 2, "reasons": {"LEFT": 2}}

    later = make_consumers(world, 3)
    assert [enter(queue, one).position for one in later] == [30, 31, 32]
    (trace,) = [event for event in events_of(queue) if event.name == "queue.shuffled"]
    assert (trace.data["entries"], trace.data["seed"]) == (29, shown["seed"])
    require_true_tally(queue)


def test_positions_before_between_and_after(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen by the first who comes; drawn a little later; the line holds all the while."""
    queue = pre_queue(world)
    early = [world.consumer() for _ in range(4)]
    tasks.watch_redis()
    assert [one.enter(queue).json()["position"] for one in early] == [1, 2, 3, 4]

    clock.shift(OPENS_IN)
    late = [world.consumer() for _ in range(3)]
    assert [one.enter(queue).json()["position"] for one in late] == [5, 6, 7]
    assert fresh(queue).tally.frozen == 4
    assert [one.status(queue).json()["position"] for one in early] == [1, 2, 3, 4]
    assert rules.admit_batch(queue.pk, now=time.now()) == 0  # nobody before the draw
    early[1].leave(queue)
    assert [one.status(queue).json()["position"] for one in late][0] <= 5
    redis.client().flushdb()
    assert [one.status(queue).json()["position"] for one in late] == [4, 5, 6]
    tasks.watch_redis()
    assert [one.status(queue).json()["position"] for one in late] == [4, 5, 6]

    tasks.open_queue(queue.pk)
    drawn = drawn_order(queue, {early[ticket - 1].id: ticket for ticket in (1, 3, 4)})
    expected = {one: number for number, one in enumerate([*drawn, *(one.id for one in late)], start=1)}
    for lost in (lambda: None, redis.client().flushdb, tasks.watch_redis, away(monkeypatch)):
        lost()
        shown = {
            one.id: one.status(queue).json()["position"] for one in [*early, *late] if one is not early[1]
        }
        assert shown == expected
    monkeypatch.undo()


def away(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Redis out of reach."""

    def leave_it() -> None:
        monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:9/0")
        redis.reset()

    return leave_it


def test_many_processes_with_old_settings(world: World, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that remembers the queue from before the freeze counts right from its first answer."""
    monkeypatch.setattr(settings, "MEMO_SECONDS", 1.0)
    queue = pre_queue(world)
    early, late = [world.consumer() for _ in range(5)], world.consumer()
    tasks.watch_redis()
    clock.shift(OPENS_IN - 0.2)
    for one in early:
        one.enter(queue)
    old = dict(memo_of_catalog())
    clock.shift(0.3)
    assert late.enter(queue).json()["position"] == 6
    memo_of_catalog().update(old)  # another process, which has heard nothing
    assert late.status(queue).json()["position"] == 6


def memo_of_catalog() -> dict[Any, Any]:
    return catalog._memo._kept


def test_entering_while_it_is_frozen_and_drawn(world: World, clock: Any) -> None:
    """Everyone who commits before the freeze is drawn, everyone after follows in order; nobody is lost."""
    queue = pre_queue(world)
    before, during = make_consumers(world, 40), make_consumers(world, 120)
    for consumer_id in before:
        enter(queue, consumer_id)
    opening = time.now() + dt.timedelta(seconds=OPENS_IN)

    def act(index: int) -> int:
        if index < 2:
            return shuffle.draw(fresh(queue), now=opening)
        for number, consumer_id in enumerate(during[index - 2 :: 6]):
            moment = opening - dt.timedelta(seconds=1) if number < 3 else opening
            enter(queue, consumer_id, now=moment)
        return 0

    drawn = race(8, act).all()

    stored = fresh(queue)
    frozen, tally = stored.tally.frozen or 0, require_true_tally(queue)
    assert sorted(drawn)[-1] == sum(drawn) == frozen  # by one of the two workers
    assert tally.taken == 160
    rows = Participation.objects.filter(distribution=queue)
    assert rows.filter(place__lte=frozen).count() == 0
    drawn_places = rows.filter(place__lte=2 * frozen).order_by("place")
    people = list(drawn_places.values_list("consumer_id", flat=True))
    assert set(before) <= set(people)
    traced = Event.objects.filter(distribution_id=queue.pk, name="queue.consumer.entered")
    tickets = {event.consumer_id or "": event.data["place"] for event in traced}
    assert people == drawn_order(queue, {one: tickets[one] for one in people})
    behind = list(rows.filter(place__gt=2 * frozen).order_by("place").values_list("place", flat=True))
    assert behind == list(range(2 * frozen + 1, 2 * frozen + 1 + 160 - frozen))
    assert [event.name for event in events_of(queue)].count("queue.shuffled") == 1
    line.rebuild(queue)
    require_redis_to_agree(queue)
    assert shuffle.draw(fresh(queue), now=opening) == 0


@pytest.mark.parametrize("_", range(4))
def test_leaving_while_it_is_drawn(world: World, clock: Any, _: int) -> None:
    """Neither the draw nor those who leave meanwhile fail, and places have no ghosts."""
    queue, people = pre_queue(world), make_consumers(world, 60)
    for consumer_id in people:
        enter(queue, consumer_id)
    opening = time.now() + dt.timedelta(seconds=OPENS_IN)

    def act(index: int) -> int:
        if index == 0:
            return shuffle.draw(fresh(queue), now=opening)
        for consumer_id in people[index - 1 : 30 : 5]:
            leave(queue, consumer_id)
        return 0

    drawn = race(6, act).all()[0]
    assert 30 <= drawn <= 60
    line.rebuild(queue)
    assert require_true_tally(queue).taken == 30
    require_redis_to_agree(queue)
    order = positions(queue)
    tickets = {one: ticket for ticket, one in enumerate(people[30:], start=31)}
    assert sorted(order, key=order.__getitem__) == drawn_order(queue, tickets)


def test_closing_while_it_is_drawn(world: World, clock: Any) -> None:
    queue, people = pre_queue(world), make_consumers(world, 50)
    for consumer_id in people:
        enter(queue, consumer_id)
    opening = time.now() + dt.timedelta(seconds=OPENS_IN)

    def act(index: int) -> int:
        if index == 0:
            return shuffle.draw(fresh(queue), now=opening)
        switches.close(queue, now=opening, actor="staff:1")
        return switches.deny_waiting(queue, reason="QUEUE_CLOSED", now=opening, actor="staff:1")

    race(2, act).all()
    assert not line.waiting(queue).exists()
    require_true_tally(queue)


def test_drawn_but_never_told(world: World, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies between the draw's commit and Redis: the reconciliation writes it."""
    queue, people = pre_queue(world), make_consumers(world, 9)
    tasks.watch_redis()
    for consumer_id in people:
        enter(queue, consumer_id)
    clock.shift(OPENS_IN)
    shuffle.draw(fresh(queue), now=time.now())
    clock.shift(5)
    tasks.reconcile_redis()
    gate = live.pass_gate(
        session_id="x",
        consumer_id=in_line(queue)[0],
        distribution_id=queue.pk,
        frozen=9,
        rate_key=("x", "y"),
        limit=10,
        now=time.now(),
    )
    assert gate.standing is not None
    assert gate.standing.position == 1
    require_redis_to_agree(queue)


def test_nobody_enters_before_the_pre_queue(world: World, clock: Any) -> None:
    soon = time.now() + dt.timedelta(seconds=30)
    queue = world.queue(opens_in=OPENS_IN, enter_from=soon, randomize_before_open=True)
    (consumer_id,) = make_consumers(world, 1)
    with pytest.raises(errors.NotOpenYet) as refusal:
        enter(queue, consumer_id)
    assert refusal.value.retry_after == 30
    clock.shift(30)
    assert enter(queue, consumer_id).place == 1


def test_an_empty_pre_queue_opens(world: World, clock: Any) -> None:
    queue = pre_queue(world, admission_rate=60)
    clock.shift(OPENS_IN)
    tasks.tick_queues()
    (consumer_id,) = make_consumers(world, 1)
    assert enter(queue, consumer_id).place == 1
    clock.shift(1)
    assert rules.admit_batch(queue.pk, now=time.now()) == 1
