"""`POST /auth/guest`: a consumer without a name, and a session."""

from typing import Any

from consumers.models import Consumer, Session
from experiences.models import Event
from tests.world import ApiClient, World, assert_error, make_world


def test_a_guest_gets_a_session(world: World, clock: Any) -> None:
    answer = world.shop_front().post("/auth/guest")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"session", "accessToken", "refreshToken", "accessTokenExpiresAt"}
    consumer = Consumer.objects.get()
    assert body["session"] == {
        "type": "guest",
        "consumerId": consumer.id,
        "guestId": consumer.id,
        "expiresAt": "2026-12-31T09:00:00Z",
    }
    assert body["accessTokenExpiresAt"] == "2026-12-01T10:00:00Z"
    assert consumer.is_guest and consumer.organization == world.organization
    assert list(Event.objects.filter(consumer_id=consumer.id).values_list("name", "actor")) == [
        ("consumer.created", f"consumer:{consumer.id}"),
        ("session.opened", f"consumer:{consumer.id}"),
    ]


def test_each_guest_is_another(world: World) -> None:
    first, second = world.consumer(), world.consumer()
    assert first.id != second.id
    assert first.token != second.token
    assert first.refresh_token != second.refresh_token


def test_the_secret_key_opens_it_too_and_nothing_else_does(world: World) -> None:
    assert world.server().post("/auth/guest").status_code == 200
    made = Consumer.objects.count()
    assert_error(ApiClient({}).post("/auth/guest"), 401, "Authentication required")
    assert (Consumer.objects.count(), Session.objects.count()) == (made, made)


def test_a_guest_belongs_to_the_organization_of_the_key(world: World) -> None:
    stranger = make_world()
    guest, queue = stranger.consumer(), world.queue()
    assert_error(guest.enter(queue), 404, "Queue not found")
    mixed = guest.get("/organizations/current", **{"X-Publishable-Key": world.publishable})
    assert_error(mixed, 401, "Authentication required")
