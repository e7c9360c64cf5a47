"""`POST /auth/refresh`: a token is spent once; a spent one that comes back ends the session."""

import datetime as dt
from typing import Any

import pytest
from django.conf import settings

from consumers.models import Session
from experiences.models import Event
from tests.concurrency.race import race
from tests.world import World, assert_error, make_world

REFUSED = "invalid refresh token"
MONTH = dt.timedelta(days=30)


def refresh(world: World, token: object) -> Any:
    return world.shop_front().post("/auth/refresh", {"refreshToken": token})


def test_a_pair_is_spent_for_the_next(world: World, clock: Any) -> None:
    guest, queue = world.consumer(), world.queue()
    clock.shift(600)
    answer = refresh(world, guest.refresh_token)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["session"]["consumerId"] == guest.id
    assert body["session"]["expiresAt"] == "2026-12-31T09:10:00Z"
    assert body["accessTokenExpiresAt"] == "2026-12-01T10:10:00Z"
    assert body["refreshToken"] != guest.refresh_token
    for token in (guest.token, body["accessToken"]):
        assert guest.post(f"/queues/{queue.pk}/enter", Authorization=f"Bearer {token}").status_code == 200
    assert refresh(world, body["refreshToken"]).status_code == 200


def test_within_the_grace_a_lost_answer_comes_again(world: World, clock: Any) -> None:
    guest = world.consumer()
    first = refresh(world, guest.refresh_token).json()
    clock.shift(settings.REFRESH_GRACE_SECONDS - 0.001)
    again = refresh(world, guest.refresh_token).json()
    assert again["refreshToken"] == first["refreshToken"]
    assert refresh(world, first["refreshToken"]).status_code == 200
    assert Session.objects.get().ended_at is None


def test_reuse_after_the_grace_ends_the_session(world: World, clock: Any) -> None:
    guest, queue = world.consumer(), world.queue()
    newest = refresh(world, guest.refresh_token).json()
    clock.shift(settings.REFRESH_GRACE_SECONDS)
    assert_error(refresh(world, guest.refresh_token), 401, REFUSED)
    assert_error(refresh(world, newest["refreshToken"]), 401, REFUSED)
    for token in (guest.token, newest["accessToken"]):
        answer = guest.post(f"/queues/{queue.pk}/enter", Authorization=f"Bearer {token}")
        assert_error(answer, 401, "Authentication required")
    ended = Event.objects.get(name="session.ended")
    assert (ended.consumer_id, ended.data["reason"]) == (guest.id, "refresh_reused")


def test_a_spent_token_whose_successor_is_spent_has_no_grace(world: World, clock: Any) -> None:
    guest = world.consumer()
    second = refresh(world, guest.refresh_token).json()
    assert refresh(world, second["refreshToken"]).status_code == 200
    assert_error(refresh(world, guest.refresh_token), 401, REFUSED)
    assert Session.objects.get().ended_at is not None


def test_fifty_at_once_leave_one_living_session(world: World) -> None:
    guest = world.consumer()
    answers = race(50, lambda _: refresh(world, guest.refresh_token)).all()
    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.json()["refreshToken"] for answer in answers}
    assert len(successors) == 1
    session = Session.objects.get()
    assert (session.generation, session.ended_at) == (1, None)
    assert refresh(world, successors.pop()).status_code == 200


def test_it_ends_after_thirty_days_without_use(world: World, clock: Any) -> None:
    guest = world.consumer()
    clock.shift(MONTH - dt.timedelta(seconds=1))
    token = refresh(world, guest.refresh_token).json()["refreshToken"]
    clock.shift(MONTH)
    assert_error(refresh(world, token), 401, REFUSED)
    assert Session.objects.get().generation == 1


@pytest.mark.parametrize("change", ["", "rt_", "x" * 200, "rt_é", "first", "last", "generation", "session"])
def test_a_token_that_is_not_ours_changes_nothing(world: World, change: str) -> None:
    guest = world.consumer()
    start, session, generation, mac = guest.refresh_token.split("_", 3)
    other = world.consumer().refresh_token.split("_", 3)[1]
    token = {
        "": "rt_" + "0" * 26,
        "first": "x" + guest.refresh_token[1:],
        "last": guest.refresh_token[:-1] + ("A" if guest.refresh_token[-1] != "A" else "E"),
        "generation": f"{start}_{session}_{int(generation) + 1}_{mac}",
        "session": f"{start}_{other}_{generation}_{mac}",
    }.get(change, change)
    assert_error(refresh(world, token), 401, REFUSED)
    assert not Session.objects.exclude(generation=0, ended_at=None).exists()
    assert refresh(world, guest.refresh_token).status_code == 200


@pytest.mark.parametrize("token", [None, 5, True, [], {}, "", "x" * 201])
def test_what_is_no_text_is_told(world: World, token: object) -> None:
    body = assert_error(refresh(world, token), 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["refreshToken"]


def test_another_organization_can_neither_use_nor_end_it(world: World, clock: Any) -> None:
    guest, stranger = world.consumer(), make_world()
    foreign = assert_error(refresh(stranger, guest.refresh_token), 401, REFUSED)
    unknown = assert_error(refresh(stranger, "rt_nothing"), 401, REFUSED)
    assert {**foreign, "requestId": ""} == {**unknown, "requestId": ""}
    refresh(world, guest.refresh_token)
    clock.shift(settings.REFRESH_GRACE_SECONDS)
    assert_error(refresh(stranger, guest.refresh_token), 401, REFUSED)
    assert Session.objects.get().ended_at is None
