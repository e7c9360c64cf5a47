"""`POST /queues/:id/validate`: every verdict on an admission token."""

from typing import Any

import jwt
import pytest
from django.test import Client

from fanfare import clock as time
from tests.api.servers import redis_away
from tests.world import ConsumerClient, World, assert_error, make_world


def validate(world: World, queue: Any, consumer_id: str, token: str, **headers: str) -> Any:
    body = {"consumerId": consumer_id, "token": token}
    return world.server().post(f"/queues/{queue.pk}/validate", body, **headers)


def admitted(world: World, queue: Any) -> tuple[ConsumerClient, str]:
    """A consumer who entered with their device and was admitted, and their token."""
    guest = world.consumer()
    guest.enter(queue)
    world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id})
    return guest, guest.status(queue).json()["admissionToken"]


def assert_refused(answer: Any, code: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["valid"], body["code"]) == (200, False, code)
    assert set(body) == {"valid", "code", "message"}


@pytest.mark.parametrize("session_seconds", [None, 600])
def test_a_good_token(world: World, clock: Any, session_seconds: int | None) -> None:
    queue = world.queue(session_seconds=session_seconds)
    guest, token = admitted(world, queue)
    ends = {"expiresAt": "2026-12-01T09:10:00Z"} if session_seconds else {}
    expected = {"valid": True, "consumerId": guest.id, "admittedAt": "2026-12-01T09:00:00Z", **ends}
    assert validate(world, queue, guest.id, token).json() == expected
    assert validate(world, queue, guest.id, token).json() == expected
    with redis_away():
        assert validate(world, queue, guest.id, token).json() == expected


def test_every_code(world: World, clock: Any) -> None:
    queue, other = world.queue(session_seconds=60), world.queue()
    guest, token = admitted(world, queue)
    assert_refused(validate(world, queue, guest.id, "x"), "TOKEN_INVALID")
    assert_refused(validate(world, queue, guest.id, token[:-4] + "AAAA"), "TOKEN_INVALID")
    assert_refused(validate(world, queue, guest.id, guest.token), "TOKEN_INVALID")
    assert_refused(validate(world, other, guest.id, token), "WRONG_DISTRIBUTION")
    assert_refused(validate(world, queue, world.consumer().id, token), "CONSUMER_MISMATCH")
    assert_refused(validate(world, queue, "nobody", token), "CONSUMER_MISMATCH")

    denied, denied_token = admitted(world, queue)
    body = {"consumerId": denied.id, "reason": "ADMIN_ACTION"}
    world.server().post(f"/queues/{queue.pk}/deny", body)
    assert_refused(validate(world, queue, denied.id, denied_token), "NOT_ADMITTED")

    done, done_token = admitted(world, queue)
    world.server().post(f"/queues/{queue.pk}/complete", {"consumerId": done.id})
    assert_refused(validate(world, queue, done.id, done_token), "TOKEN_USED")

    clock.shift(60)
    assert_refused(validate(world, queue, guest.id, token), "TOKEN_EXPIRED")


def test_a_token_is_of_one_admission(world: World, clock: Any) -> None:
    """Who left and was admitted again can't use the first token, even where it doesn't expire."""
    queue = world.queue()
    guest, first = admitted(world, queue)
    guest.leave(queue)
    clock.shift(1)
    world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id})
    assert_refused(validate(world, queue, guest.id, first), "NOT_ADMITTED")
    second = guest.status(queue).json()["admissionToken"]
    assert validate(world, queue, guest.id, second).json()["valid"] is True


def test_another_organizations_token_is_none_of_ours(world: World) -> None:
    stranger = make_world()
    queue, foreign = world.queue(), stranger.queue()
    guest, token = admitted(stranger, foreign)
    assert_refused(validate(world, queue, guest.id, token), "TOKEN_INVALID")
    assert_error(validate(world, foreign, guest.id, token), 404, "Queue not found")


def test_the_device_is_asked_for_and_compared(world: World) -> None:
    queue = world.queue()
    guest, token = admitted(world, queue)
    for header in ("", "fp_short", "0123456789abc", "fp_" + "x" * 65, "fp_with space1"):
        refused = validate(world, queue, guest.id, token, **{"X-Fingerprint": header})
        assert_error(refused, 400, "FINGERPRINT_REQUIRED", "FP001")
        assert refused.headers["X-Fingerprint-Error"] == "true"
    other = validate(world, queue, guest.id, token, **{"X-Fingerprint": "fp_another-device"})
    assert_error(other, 403, "DEVICE_MISMATCH", "FP002")
    assert other.headers["X-Fingerprint-Mismatch"] == "true"
    assert validate(world, queue, guest.id, token).json()["valid"] is True


def test_a_shop_can_check_the_token_by_itself(world: World, clock: Any) -> None:
    queue = world.queue(session_seconds=600)
    guest, token = admitted(world, queue)
    published = jwt.PyJWKSet.from_dict(Client().get("/.well-known/jwks.json").json())
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"]) == ("admission+jwt", "EdDSA")
    key = published[header["kid"]]
    claims = jwt.decode(token, key, ["EdDSA"], audience=world.organization.id)
    jti = claims.pop("jti")
    now = int(time.now().timestamp())
    assert jti
    assert claims == {
        "iss": "http://localhost:8000",
        "aud": world.organization.id,
        "sub": guest.id,
        "iat": now,
        "exp": now + 600,
        "distributionType": "queue",
        "distributionId": queue.pk,
        "experienceId": world.sequence.experience_id,
        "sequenceId": world.sequence.id,
    }


@pytest.mark.parametrize("token", [None, 5, [], {}, "", "x" * 4097])
def test_a_token_is_text(world: World, token: Any) -> None:
    body = assert_error(validate(world, world.queue(), "x", token), 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["token"]
