"""Redis flushed in the midst of bookings, away, or deaf: bookings and what is told of them stay right."""

from collections.abc import Callable
from typing import Any

import pytest

from distributions import tasks
from distributions.core import live
from distributions.core.models import Distribution
from fanfare import redis
from tests.bookings import booked, move, require_true_bookings, slot
from tests.concurrency.race import race
from tests.resilience.test_outages import no_redis  # noqa: F401 (a fixture)
from tests.world import ConsumerClient, World, assert_error, path_of

SHOWN = ("status", "denyReason", "startTime")
A, B, C = ("2026-12-02T00:30:00Z", "2026-12-02T01:00:00Z", "2026-12-02T01:30:00Z")


def told(appointment: Distribution, who: ConsumerClient) -> tuple[Any, ...]:
    """How they stand and how many are ahead; None where they never booked."""
    answer = who.status(appointment)
    if answer.status_code == 404:
        return (None,)
    body = answer.json()
    return (*(body.get(name) for name in SHOWN), len(body["bookings"]))


def free(world: World, appointment: Distribution) -> list[str]:
    """Which of tomorrow's first four slots have a place."""
    found = world.shop_front().get(f"{path_of(appointment)}/slots?date=2026-12-02").json()["slots"]
    return [one["startTime"] for one in found[:4] if one["available"]]


def whole_life(
    world: World, appointment: Distribution, clock: Any, between: Callable[[], Any] = lambda: None
) -> list[Any]:
    """Book, be refused, rebook, cancel, be denied, checked in, or miss it; what all are told after each."""
    crowd, found = [world.consumer() for _ in range(3)], []
    ada, bob, eve = crowd
    path = path_of(appointment)

    def look() -> None:
        between()
        found.append([[told(appointment, who) for who in crowd], free(world, appointment)])

    between()
    first = booked(appointment, ada, slot(1))
    between()
    assert booked(appointment, ada, slot(1)) == first
    between()
    body = {"slotTime": slot(1).isoformat()}
    assert_error(bob.post(f"{path}/book", body), 409, "Slot is full")
    booked(appointment, bob, slot(2))
    look()
    between()
    assert ada.post(f"{path}/rebook", {"slotTime": slot(3).isoformat()}).status_code == 200
    booked(appointment, eve, slot(1))
    look()
    between()
    assert bob.delete(f"{path}/cancel").json()["status"] == "CANCELLED"
    between()
    move(world, appointment, "deny", eve)
    look()
    between()
    token = ada.status(appointment).json()["admissionToken"]
    assert move(world, appointment, "validate", ada, token=token).json()["valid"] is True
    between()
    assert move(world, appointment, "complete", ada).json()["status"] == "COMPLETED"
    look()
    for task in (tasks.watch_redis, tasks.reconcile_redis, tasks.expire_admissions, tasks.tick_doors):
        task()
    look()
    require_true_bookings(appointment, limit=1)
    return found


EXPECTED = [
    [[("ADMITTED", None, A, 1), ("ADMITTED", None, B, 1), (None,)], ["2026-12-02T00:00:00Z", C]],
    [
        [("ADMITTED", None, C, 1), ("ADMITTED", None, B, 1), ("ADMITTED", None, A, 1)],
        ["2026-12-02T00:00:00Z"],
    ],
    *[
        [
            [(word, None, C, 1), ("LEFT", None, B, 0), ("DENIED", "ADMIN_ACTION", A, 0)],
            ["2026-12-02T00:00:00Z", A, B],
        ]
        for word in ("ADMITTED", "COMPLETED", "COMPLETED")
    ],
]


def test_with_redis(world: World, clock: Any) -> None:
    """What the others are compared with."""
    assert whole_life(world, world.appointment(), clock) == EXPECTED


def test_redis_is_flushed_before_each_step(world: World, clock: Any) -> None:
    found = whole_life(world, world.appointment(), clock, between=lambda: redis.client().flushdb())
    assert found == EXPECTED


@pytest.mark.usefixtures("no_redis")
def test_without_redis(world: World, clock: Any) -> None:
    assert whole_life(world, world.appointment(), clock) == EXPECTED


def test_redis_hears_of_nothing(world: World, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "push", lambda *_: None)
    assert whole_life(world, world.appointment(), clock) == EXPECTED


def test_redis_is_flushed_while_everybody_books(world: World) -> None:
    appointment = world.appointment()
    crowd = [world.consumer() for _ in range(6)]
    starts = [slot(number).isoformat() for number in range(4)]

    def act(index: int) -> list[int]:
        if index == 6:
            return [0 for _ in range(40) if not redis.client().flushdb()]
        codes = []
        for turn in range(6):
            body = {"slotTime": starts[(index + turn) % 4]}
            verb = "rebook" if turn % 3 == 1 else "book"
            codes.append(crowd[index].post(f"{path_of(appointment)}/{verb}", body).status_code)
            codes.append(crowd[index].status(appointment).status_code)
            if turn % 3 == 2:
                codes.append(crowd[index].delete(f"{path_of(appointment)}/cancel").status_code)
        return codes

    answers = race(7, act).all()
    # 404: nothing of theirs was booked yet.
    assert {code for codes in answers for code in codes} <= {200, 404, 409}
    require_true_bookings(appointment, limit=1)
