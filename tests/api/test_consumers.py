"""`GET /consumers/me` and `GET /consumers/:id`: who somebody is, and all that is open to them."""

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consumers.models import Consumer
from distributions import tasks
from distributions.queues import rules
from fanfare import clock as time
from fanfare import ids, redis
from tests.resilience.test_outages import NOBODY
from tests.world import SHOP, ApiClient, World, assert_error, make_world

KINDS = ("queues", "draws", "auctions", "timedReleases", "appointments", "waitlists")
EMPTY: dict[str, Any] = {name: {} for name in ("experiences", *KINDS, "admissions")}


def active(who: ApiClient) -> Any:
    answer = who.get("/consumers/me")
    assert answer.status_code == 200, answer.content
    return answer.json()["active"]


def test_a_guest_and_somebody(world: World, clock: Any) -> None:
    guest, member = world.consumer(), world.member("ada@example.com", name="Ada")
    nobody = {"email": None, "phone": None, "fullName": None, "createdAt": "2026-12-01T09:00:00Z"}
    assert guest.get("/consumers/me").json() == {
        **nobody, "id": guest.id, "isGuest": True, "active": EMPTY,
    }  # fmt: skip
    assert member.get("/consumers/me").json() == {
        **nobody, "id": member.id, "isGuest": False, "email": "ada@example.com", "fullName": "Ada",
        "active": EMPTY,
    }  # fmt: skip


def test_everything_that_is_open_is_shown_as_its_own_endpoint_shows_it(world: World, clock: Any) -> None:
    who, server = world.member(), world.server()
    queues = {name: world.queue(admission_rate=60, session_seconds=60) for name in "abcdefg"}
    for queue in queues.values():
        world.consumer().enter(queue)
        who.enter(queue)
    entered = who.post(f"/experiences/{world.sequence.experience_id}/enter").json()
    for name in "bcd":
        server.post(f"/queues/{queues[name].pk}/admit", {"consumerId": who.id})
    server.post(f"/queues/{queues['c'].pk}/complete", {"consumerId": who.id})
    server.post(f"/queues/{queues['e'].pk}/deny", {"consumerId": who.id, "reason": "ADMIN_ACTION"})
    who.leave(queues["f"])

    shown = active(who)
    assert set(shown["queues"]) == {queues[name].pk for name in "abdg"}
    assert set(shown["admissions"]) == {queues[name].pk for name in "bd"}
    assert shown["experiences"] == {
        entered["experienceId"]: {name: entered[name] for name in ("experienceId", "sequenceId", "enteredAt")}
    }
    for name in "abdg":
        own = who.status(queues[name]).json()
        told = dict(shown["queues"][queues[name].pk])
        for body in (own, told):
            body.pop("pollAfterSeconds", None)  # jitter
        assert told == own
    for pk, body in shown["admissions"].items():
        assert body == shown["queues"][pk]
        asked = {"consumerId": who.id, "token": body["admissionToken"]}
        assert server.post(f"/queues/{pk}/validate", asked).json()["valid"] is True
    assert [shown[name] for name in KINDS[1:]] == [{}] * 5


def test_what_the_clock_has_ended_is_absent(world: World, clock: Any) -> None:
    """An admission past its end and a line that closed, though nobody has written it down."""
    who = world.consumer()
    expired, closed, stays = world.queue(session_seconds=60), world.queue(closes_in=60), world.queue()
    world.server().post(f"/queues/{expired.pk}/admit", {"consumerId": who.id})
    for queue in (closed, stays):
        who.enter(queue)
    assert len(active(who)["queues"]) == 3
    clock.shift(60)
    shown = active(who)
    assert (set(shown["queues"]), shown["admissions"]) == ({stays.pk}, {})


def queries_for(world: World, number: int) -> int:
    who = world.member()
    for _ in range(number):
        queue = world.queue(admission_rate=60)
        who.enter(queue)
        who.post(f"/experiences/{world.sequence.experience_id}/enter")
    tasks.watch_redis()
    who.get("/consumers/me")
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert len(active(who)["queues"]) == number
    return len(seen)


def test_queries_do_not_grow_with_the_queues(world: World, clock: Any) -> None:
    assert queries_for(world, 2) == queries_for(world, 12) <= 10


def test_queries_do_not_grow_without_redis_either(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", NOBODY)
    redis.reset()
    try:
        assert queries_for(world, 2) == queries_for(world, 12) <= 10
    finally:
        monkeypatch.undo()
        redis.reset()


def test_positions_are_true_without_redis(world: World, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    queues = [world.queue() for _ in range(3)]
    for number, queue in enumerate(queues):
        for _ in range(number):
            world.consumer().enter(queue)
    who = world.consumer()
    for queue in queues:
        who.enter(queue)
    rules.admit_some(queues[2].pk, 1, now=time.now(), actor="staff:1")
    monkeypatch.setattr(settings, "REDIS_URL", NOBODY)
    redis.reset()
    shown = active(who)["queues"]
    assert [shown[queue.pk]["position"] for queue in queues] == [1, 2, 2]
    monkeypatch.undo()
    redis.reset()


def test_who_may_ask_for_oneself(world: World) -> None:
    assert_error(ApiClient({}).get("/consumers/me"), 401, "Authentication required")
    for client in (world.shop_front(), world.server()):
        assert_error(client.get("/consumers/me"), 400, "Consumer ID is required")


def test_the_shops_server_sees_its_consumers(world: World, clock: Any) -> None:
    guest, member = world.consumer(), world.member("ada@example.com", subject="4711")
    code = world.server().post("/auth/external/authorize", {**SHOP, "provider": "crm", "subject": "x"}).json()
    assert code["resolution"] == "created"
    shown = world.server().get(f"/consumers/{member.id}").json()
    assert shown == {
        "id": member.id,
        "email": "ada@example.com",
        "phone": None,
        "fullName": None,
        "externalIds": [{**SHOP, "subject": "4711"}],
        "isGuest": False,
        "createdAt": "2026-12-01T09:00:00Z",
    }
    body = world.server().get(f"/consumers/{guest.id}").json()
    assert (body["isGuest"], body["externalIds"]) == (True, [])


def test_a_consumer_of_others_is_not_there(world: World) -> None:
    stranger = make_world().member("ada@example.com")
    answers = [
        world.server().get(f"/consumers/{name}", **{"X-Request-Id": "same"})
        for name in (stranger.id, ids.new("cons"), "cons_", "nobody", stranger.id.lower(), "a.b")
    ]
    for answer in answers:
        assert_error(answer, 404, "Consumer not found", "CONSUMER_NOT_FOUND")
    assert len({answer.content for answer in answers}) == 1


def test_nobody_else_sees_consumers(world: World) -> None:
    one = world.consumer()
    for client in (world.shop_front(), one, world.member()):
        assert_error(client.get(f"/consumers/{one.id}"), 401, "Secret key required")
    assert_error(ApiClient({}).get(f"/consumers/{one.id}"), 401, "Authentication required")
    assert Consumer.objects.filter(pk=one.id).exists()
