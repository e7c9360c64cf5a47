"""Invariant 4 for timed releases: never more units are held than there are, and none is lost; with controls.

Claimants are real threads with connections of their own. Time stands still but for its jumps, so a claim
whose time is over is over for all threads at once.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections, transaction

from distributions import tasks
from distributions.core import lifecycle, statements
from distributions.core.models import Distribution, Participation, Status
from distributions.core.standing import Standing
from distributions.timed_releases import rules
from fanfare import clock as time
from fanfare import errors
from tests.concurrency.race import race
from tests.lines import complete, leave, make_consumers
from tests.releases import HOLDING, require_true_stock, trace, units
from tests.world import World

UNITS, CLAIMANTS, THREADS = 200, 1_000, 16
TABS = 8


def enter(release: Distribution, consumer_id: str) -> Standing:
    """Claim a unit now, as the consumer."""
    return rules.enter(
        release, consumer_id, now=time.now(), actor=f"consumer:{consumer_id}", fingerprint=None
    )


def held(release: Distribution) -> int:
    """How many units are held, in one look at the rows themselves."""
    return Participation.objects.filter(distribution=release, status__in=HOLDING).count()


def in_threads(number: int, people: list[str], run: Callable[[int, str], str]) -> Counter[str]:
    """`run` for each of the people, by so many threads; how often each word came back."""

    def one(numbered: tuple[int, str]) -> str:
        return run(*numbered)

    with ThreadPoolExecutor(number) as pool:
        found = Counter(pool.map(one, enumerate(people)))
        close = threading.Barrier(number)  # each thread closes its own connection

        def end(_: int) -> None:
            close.wait(30)
            connections.close_all()

        list(pool.map(end, range(number)))
    return found


@contextmanager
def watched(release: Distribution) -> Iterator[list[int]]:
    """Somebody counts the units that are held, all the while."""
    over, seen = threading.Event(), []

    def watch() -> None:
        while not over.wait(0.002):
            seen.append(held(release))
        connection.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def claims(release: Distribution, index: int, who: str) -> str:
    """One claimant's way: of ten, seven buy, two give the unit back, and one lets it be."""
    try:
        standing = enter(release, who)
    except errors.SoldOut:
        return "sold out"
    assert standing.status == Status.ADMITTED
    if index % 10 < 7:
        complete(release, who)
        return "bought"
    if index % 10 < 9:
        leave(release, who)
        return "left"
    return "idle"


# --- Two hundred units and a thousand claimants ---------------------------------------------------
def test_two_hundred_units_and_a_thousand_claimants(world: World, clock: Any) -> None:
    """Three in ten leave or let it expire, who is refused comes again: exactly 200 have a place at last."""
    release = world.release(inventory=UNITS, claim_seconds=60)
    people, fate = make_consumers(world, CLAIMANTS), Counter[str]()
    index_of = {who: index for index, who in enumerate(people)}
    waiting = list(people)
    with watched(release) as seen:
        for _ in range(100):
            outcome: dict[str, str] = {}

            def run(_: int, who: str, told: dict[str, str] = outcome) -> str:
                told[who] = claims(release, index_of[who], who)
                return told[who]

            fate += in_threads(THREADS, waiting, run)
            waiting = [who for who in waiting if outcome[who] == "sold out"]
            if not outcome or fate["bought"] == UNITS:
                break
            clock.shift(60)  # nobody sweeps: those who ask find what has ended
    assert require_true_stock(release).completed == fate["bought"] == UNITS
    assert seen
    assert max(seen) <= UNITS == held(release)
    assert fate["left"] + fate["idle"] > 0
    rows = Participation.objects.filter(distribution=release)
    assert rows.filter(status=Status.COMPLETED).values("consumer_id").distinct().count() == UNITS
    assert rows.count() == fate["bought"] + fate["left"] + fate["idle"]
    with pytest.raises(errors.SoldOut) as refusal:
        enter(release, make_consumers(world, 1)[0])
    assert refusal.value.retry_after is None  # none comes back any more


def test_too_little_demand_leaves_the_rest_in_stock(world: World, clock: Any) -> None:
    release, people = world.release(inventory=UNITS, claim_seconds=60), make_consumers(world, 150)
    fate = in_threads(THREADS, people, lambda index, who: claims(release, index, who))
    assert fate == {"bought": 105, "left": 30, "idle": 15}
    clock.shift(60)
    for _ in race(2, lambda _: tasks.expire_admissions()).all():
        pass
    assert require_true_stock(release).taken == 105


# --- Controls: the same against a statement without its guard ------------------------------------
def test_the_control_without_the_guard_gives_too_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unguarded = statements.ENTER.replace("taken < places", "TRUE")
    assert unguarded != statements.ENTER
    monkeypatch.setattr(statements, "ENTER", unguarded)
    release, people = world.release(inventory=2), make_consumers(world, TABS)
    race(TABS, lambda index: enter(release, people[index])).all()
    assert held(release) == TABS
    with pytest.raises(AssertionError):
        require_true_stock(release)


def test_the_control_that_looks_first_gives_too_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking and then counting, each by itself: all looked before any counted."""
    looked, guarded = threading.Barrier(TABS), statements.enter

    def looks_first(release: Distribution, *about: Any, **values: Any) -> Any:
        if held(release) >= 2:
            return None
        looked.wait(30)
        return guarded(release, *about, **values)

    monkeypatch.setattr(statements, "ENTER", statements.ENTER.replace("taken < places", "TRUE"))
    monkeypatch.setattr(statements, "enter", looks_first)
    release, people = world.release(inventory=2), make_consumers(world, TABS)
    race(TABS, lambda index: enter(release, people[index])).all()
    assert held(release) == TABS


# --- The last unit --------------------------------------------------------------------------------
def test_one_unit_and_fifty_at_once(world: World) -> None:
    release = world.release(inventory=1, claim_seconds=60)
    crowd = [world.consumer() for _ in range(50)]
    answers = race(50, lambda index: crowd[index].enter(release)).all()
    found = Counter(answer.json().get("status") or answer.json()["code"] for answer in answers)
    assert found == {"ADMITTED": 1, "TIMED_RELEASE_SOLD_OUT": 49}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers if answer.status_code == 429)
    assert require_true_stock(release).entered == 1


@pytest.mark.parametrize("inventory", [1, 3])
def test_claims_that_ended_are_given_anew_once(world: World, clock: Any, inventory: int) -> None:
    """All come at the second at which all claims end: so many have a unit, whoever ended them."""
    release = world.release(inventory=inventory, claim_seconds=60)
    first, later = make_consumers(world, inventory), make_consumers(world, 12)
    for round_ in range(5):
        for who in first if round_ == 0 else ():
            enter(release, who)
        clock.shift(60)
        outcome = race(12, lambda index: enter(release, later[index]))
        assert len(outcome.results) == inventory, outcome.errors
        assert all(isinstance(error, errors.SoldOut) for error in outcome.errors)
        assert require_true_stock(release).taken == inventory


def test_buying_giving_back_and_ending_at_once(world: World, clock: Any) -> None:
    """One claim, and everybody has something to say of it: one word stands, and the tally is true."""
    release, sweeps = world.release(inventory=1, claim_seconds=60), Counter[str]()
    for who in make_consumers(world, 20):
        enter(release, who)

        def act(index: int, who: str = who) -> str:
            deeds: list[Callable[[], Any]] = [
                lambda: complete(release, who),
                lambda: leave(release, who),
                lambda: lifecycle.deny(release, who, now=time.now(), actor="key:test", reason="ADMIN_ACTION"),
                lambda: enter(release, who),
            ]
            try:
                deeds[index % 4]()
            except (errors.IllegalMove, errors.SoldOut):
                return "refused"
            return "done"

        race(TABS, act).all()
        tally = require_true_stock(release)
        state = units(release, who)[-1][1]
        sweeps[state] += 1
        if tally.taken and state == "ADMITTED":
            leave(release, who)
        if state == "COMPLETED":  # bought: one unit more, for the next one
            type(tally).objects.filter(pk=release.pk).update(places=tally.completed + 1)
    assert sum(sweeps.values()) == 20


# --- One consumer ---------------------------------------------------------------------------------
@pytest.mark.parametrize("inventory", [None, 1, 5])
@pytest.mark.parametrize("limit", [1, 3])
def test_many_tabs_of_one_consumer(world: World, inventory: int | None, limit: int) -> None:
    release = world.release(inventory=inventory, claim_seconds=60, max_per_consumer=limit)
    consumer = world.consumer()
    answers = race(16, lambda _: consumer.enter(release)).all()
    assert [answer.status_code for answer in answers] == [200] * 16
    assert len({answer.json()["admissionToken"] for answer in answers}) == 1
    assert units(release, consumer.id) == [(1, "ADMITTED")]
    assert trace(release, consumer.id) == ["entered"]
    assert require_true_stock(release).entered == 1


def test_many_tabs_at_the_second_at_which_the_claim_ends(world: World, clock: Any) -> None:
    release, (who,) = world.release(inventory=1, claim_seconds=60), make_consumers(world, 1)
    enter(release, who)
    clock.shift(60)
    standings = race(16, lambda _: enter(release, who)).all()
    assert len({standing.id for standing in standings}) == 1
    assert units(release, who) == [(1, "ADMISSION_EXPIRED"), (1, "ADMITTED")]
    assert trace(release, who) == ["entered", "expired", "entered"]
    require_true_stock(release)


def test_entering_and_completing_at_once_gives_no_more_than_the_limit(world: World) -> None:
    """Tabs enter while the shop completes, over and over: never two at once, never one too many."""
    limit = 3
    release = world.release(inventory=50, max_per_consumer=limit)
    people = make_consumers(world, 6)
    most: list[int] = []

    def act(index: int) -> None:
        who = people[index % len(people)]
        for turn in itertools.count():
            rows = Participation.objects.filter(distribution=release, consumer_id=who)
            most.append(rows.filter(status=Status.ADMITTED).count())
            if turn > 40 or rows.filter(status=Status.COMPLETED).count() >= limit:
                return
            if index < 2 * len(people):
                enter(release, who)
                continue
            try:
                complete(release, who)
            except (errors.IllegalMove, errors.NotEntered):
                continue

    race(3 * len(people), act).all()
    assert max(most) == 1
    for who in people:
        while enter(release, who).status == Status.ADMITTED:
            complete(release, who)
        assert units(release, who) == [(number, "COMPLETED") for number in (1, 2, 3)]
    assert require_true_stock(release).completed == limit * len(people)


def test_the_control_without_the_limit_gives_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were no unit the last one, the test above could not end as it does."""
    unlimited = statements.ENTER.replace("AND unit < %(units)s::int", "")
    assert unlimited != statements.ENTER
    monkeypatch.setattr(statements, "ENTER", unlimited)
    release, (who,) = world.release(max_per_consumer=2), make_consumers(world, 1)
    for _ in range(4):
        assert enter(release, who).status == Status.ADMITTED
        complete(release, who)


def test_the_index_stands_behind_the_statement(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that does not see the live unit is stopped by the constraint, and counts nothing."""
    blind = statements.ENTER.replace("AND NOT EXISTS (SELECT FROM existing)", "")
    assert blind != statements.ENTER
    release, (who,) = world.release(inventory=5, max_per_consumer=3), make_consumers(world, 1)
    enter(release, who)
    monkeypatch.setattr(statements, "ENTER", blind)
    with pytest.raises(Exception, match="one_participation"), transaction.atomic():
        statements.enter(
            release, who, now=time.now(), actor="x", fingerprint=None, metadata=None, units=3, admitted=True
        )
    assert require_true_stock(release).taken == 1
