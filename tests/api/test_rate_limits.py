"""How often an organization may be asked in a minute, and what the headers say of it."""

from collections.abc import Callable
from typing import Any

import pytest

from fanfare.limits import DEFAULTS
from tests.api.servers import redis_away
from tests.world import ApiClient, World, assert_error, make_world

NAMES = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
START = 1_796_115_600  # 2026-12-01T09:00:00Z
Call = Callable[[World, Any, Any], Any]
CALLS: dict[str, tuple[str, Call]] = {
    "enter": ("queueEntry", lambda world, queue, guest: guest.enter(queue)),
    "status": ("statusCheck", lambda world, queue, guest: guest.status(queue)),
    "guest": ("authentication", lambda world, queue, guest: world.shop_front().post("/auth/guest")),
}


def set_limits(world: World, **limits: int) -> None:
    world.organization.rate_limits = limits
    world.organization.save(update_fields=["rate_limits"])


def numbers(answer: Any) -> tuple[int, int]:
    """Limit and remaining; the reset is a time of this test."""
    limit, remaining, reset = (int(answer.headers[name]) for name in NAMES)
    assert START <= reset <= START + 300
    return limit, remaining


@pytest.mark.parametrize("name", CALLS)
def test_a_limit_is_counted_down_refused_and_given_anew(world: World, clock: Any, name: str) -> None:
    category, call = CALLS[name]
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    clock.move_to(START + 121)
    set_limits(world, **{category: 3})
    counted = [numbers(call(world, queue, guest)) for _ in range(3)]
    assert counted == [(3, 2), (3, 1), (3, 0)]
    refused = call(world, queue, guest)
    body = assert_error(refused, 429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")
    assert numbers(refused) == (3, 0)
    wait = int(refused.headers["Retry-After"])
    assert wait == body["retryAfter"] == int(refused.headers[NAMES[2]]) - START - 121
    clock.shift(wait - 1)
    assert call(world, queue, guest).status_code == 429
    clock.shift(2)
    assert numbers(call(world, queue, guest)) == (3, 2)


def test_the_defaults_are_the_contracts(world: World, clock: Any) -> None:
    set_limits(world)
    queue, guest = world.queue(), world.consumer()
    for category, call in CALLS.values():
        assert numbers(call(world, queue, guest))[0] == DEFAULTS[category]
    assert DEFAULTS == {
        "queueEntry": 1000,
        "drawEntry": 1000,
        "auctionBid": 500,
        "statusCheck": 5000,
        "authentication": 100,
    }


def test_each_organization_and_each_category_has_its_own(world: World, clock: Any) -> None:
    queue, guest = world.queue(), world.consumer()
    stranger = make_world()
    theirs, visitor = stranger.queue(), stranger.consumer()
    set_limits(world, queueEntry=1)
    assert guest.enter(queue).status_code == 200
    assert guest.enter(queue).status_code == 429
    assert guest.status(queue).status_code == 200
    assert visitor.enter(theirs).status_code == 200


def test_every_refusal_of_a_limited_endpoint_has_the_headers(world: World, clock: Any) -> None:
    queue, pending, guest = world.queue(), world.queue(opens_in=60), world.consumer()
    front, unknown = world.shop_front(), "/queues/queue_00000000000000000000000000"
    refusals = [
        guest.status(queue),
        guest.get(f"{unknown}/status"),
        guest.post(f"{unknown}/enter"),
        guest.enter(pending),
        guest.enter(queue, **{"X-Fingerprint": ""}),
        guest.send("POST", f"/queues/{queue.pk}/enter", b"{"),
        guest.send("POST", f"/queues/{queue.pk}/enter", b"x" * 65_537),
        guest.send("POST", f"/queues/{queue.pk}/enter", b"x", "text/plain"),
        front.get(f"/queues/{queue.pk}/status"),
        ApiClient({}).post("/auth/guest"),
        front.post("/auth/refresh", {}),
        front.post("/auth/refresh", {"refreshToken": "x"}),
        front.post("/auth/logout"),
    ]
    guest.post("/auth/logout")
    refusals += [guest.status(queue), guest.enter(queue), guest.post("/auth/logout")]
    assert {answer.status_code for answer in refusals} == {400, 401, 404, 413, 415, 423}
    for answer in refusals:
        numbers(answer)


def test_what_is_not_there_counts_all_the_same(world: World, clock: Any) -> None:
    guest = world.consumer()
    set_limits(world, statusCheck=2)
    path = "/queues/queue_00000000000000000000000000/status"
    assert [guest.get(path).status_code for _ in range(3)] == [404, 404, 429]


def test_other_endpoints_have_no_limit(world: World) -> None:
    queue = world.queue()
    for answer in (
        world.shop_front().get(f"/queues/{queue.pk}"),
        world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": world.consumer().id}),
    ):
        assert answer.status_code == 200
        assert not set(NAMES) & set(answer.headers)


@pytest.mark.parametrize("name", CALLS)
def test_without_redis_everyone_is_served(world: World, clock: Any, name: str) -> None:
    category, call = CALLS[name]
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    set_limits(world, **{category: 1})
    with redis_away():
        answers = [call(world, queue, guest) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert {numbers(answer) for answer in answers} == {(1, 1)}
