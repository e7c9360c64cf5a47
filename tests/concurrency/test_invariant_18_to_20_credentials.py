"""Invariants 18 to 20: tokens work once, end at once, are stored nowhere, and open one door each."""

import re
import subprocess
import sys
from typing import Any

import jwt
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import BinaryField

from auth_otp.models import OtpChallenge
from consumers import access_tokens, sessions, signing
from consumers.models import Session, SigningKey
from distributions import tasks
from distributions.core import admission
from experiences import access_codes, keys
from experiences.models import ApiKey, Event
from fanfare import clock as time
from fanfare import errors, redis, sealing
from tests.api.mailbox import ADA, get_code, verify
from tests.concurrency.race import race
from tests.lines import admit, complete, leave
from tests.resilience.test_killed_worker import ROOT, environment
from tests.world import EXCHANGE, ApiClient, World, assert_error, make_world

GRACE = settings.REFRESH_GRACE_SECONDS


def refresh(world: World, token: str) -> Any:
    return world.shop_front().post("/auth/refresh", {"refreshToken": token})


# --- 18: refresh tokens work once, and nothing is stored ---


def test_a_refresh_race_gives_one_successor(world: World, clock: Any) -> None:
    """Parallel calls with one token (a lost answer, two tabs) all get the same next one."""
    consumer = world.consumer()
    answers = race(50, lambda _: refresh(world, consumer.refresh_token)).all()
    assert {answer.status_code for answer in answers} == {200}
    (second,) = {answer.json()["refreshToken"] for answer in answers}
    session = Session.objects.get(consumer_id=consumer.id)
    assert (session.generation, session.ended_at) == (1, None)

    clock.shift(GRACE)
    assert refresh(world, second).status_code == 200
    assert_error(refresh(world, consumer.refresh_token), 401, "invalid refresh token")
    session.refresh_from_db()
    assert session.end_reason == "refresh_reused"
    assert not Session.objects.filter(ended_at=None).exists()


def test_a_spent_refresh_token_ends_the_session(world: World, clock: Any) -> None:
    consumer = world.consumer()
    second = refresh(world, consumer.refresh_token).json()
    clock.shift(GRACE - 1)
    assert refresh(world, consumer.refresh_token).json()["refreshToken"] == second["refreshToken"]
    clock.shift(1)
    assert_error(refresh(world, consumer.refresh_token), 401, "invalid refresh token")

    assert_error(refresh(world, second["refreshToken"]), 401, "invalid refresh token")
    for token in (consumer.token, second["accessToken"]):
        holder = ApiClient({"X-Publishable-Key": world.publishable, "Authorization": f"Bearer {token}"})
        assert_error(holder.get("/organizations/current"), 401, "Authentication required")
    (trace,) = Event.objects.filter(name="session.ended")
    assert trace.data["reason"] == "refresh_reused"


def test_the_grace_ends_when_the_successor_is_used(world: World, clock: Any) -> None:
    consumer = world.consumer()
    second = refresh(world, consumer.refresh_token).json()["refreshToken"]
    assert refresh(world, second).status_code == 200
    assert_error(refresh(world, consumer.refresh_token), 401, "invalid refresh token")
    assert Session.objects.get(consumer_id=consumer.id).end_reason == "refresh_reused"


def test_thief_and_owner_at_once(world: World, clock: Any) -> None:
    """The old and the new token raced: whoever comes out, no spent token makes a second line of tokens."""
    consumer = world.consumer()
    second = refresh(world, consumer.refresh_token).json()["refreshToken"]
    clock.shift(GRACE)
    pair = [consumer.refresh_token, second]
    race(8, lambda index: refresh(world, pair[index % 2])).all()
    session = Session.objects.get(consumer_id=consumer.id)
    assert session.ended_at is not None
    assert Event.objects.filter(name="session.ended").count() == 1
    for token in (*pair, sessions.refresh_token(session, session.generation)):
        assert refresh(world, token).status_code == 401


def test_refreshing_and_logging_out_at_once(world: World) -> None:
    for _ in range(8):
        consumer = world.consumer()

        def act(index: int, who: Any = consumer) -> Any:
            return who.post("/auth/logout") if index else refresh(world, who.refresh_token)

        refreshed = race(2, act).all()[0]
        if refreshed.status_code == 200:
            tokens = refreshed.json()
            holder = ApiClient({"Authorization": f"Bearer {tokens['accessToken']}"})
            assert_error(holder.get("/organizations/current"), 401, "Authentication required")
            assert refresh(world, tokens["refreshToken"]).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-43] + ("A" if token[-43] != "A" else "B") + token[-42:],
        lambda token: token.replace("_0_", "_1_"),
        lambda token: token.replace("_0_", "_00_"),
        lambda token: token[3:],
        lambda token: "rt_" + "7" * 26 + token[29:],
        lambda token: token.replace("_0_", "_٠_"),
    ],
)
def test_a_forged_refresh_token(world: World, change: Any) -> None:
    consumer = world.consumer()
    assert_error(refresh(world, change(consumer.refresh_token)), 401, "invalid refresh token")
    other = make_world()
    assert_error(refresh(other, consumer.refresh_token), 401, "invalid refresh token")
    assert refresh(world, consumer.refresh_token).status_code == 200  # and it cost the session nothing


def test_secrets_are_stored_nowhere(world: World) -> None:
    """Every text, JSON and byte column of every table, and all of Redis, searched for what was issued."""
    codes = issue_codes(world)
    queue, consumer = world.queue(session_seconds=60), world.consumer()
    consumer.enter(queue)
    admitted = world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": consumer.id}).json()
    tokens = refresh(world, consumer.refresh_token).json()
    consumer.post("/auth/logout")
    key = ApiKey.objects.get(kind="secret")
    keys.rotate(key, now=time.now(), actor="staff:1")
    secrets = {
        world.secret,
        consumer.token,
        consumer.refresh_token,
        tokens["accessToken"],
        tokens["refreshToken"],
        admitted["admissionToken"],
        consumer.refresh_token[-43:],
        world.secret[8:30],
    }
    assert_not_stored(world, {*secrets, *codes})
    assert OtpChallenge.objects.filter(sent_at__isnull=False, box=None).count() == 2


def issue_codes(world: World) -> set[str]:
    """Codes of all kinds, some of them used: exchange codes, one-time codes, access codes."""
    member = world.member("eve@example.com")
    exchange = [world.authorize("customer-7").json()["exchangeCode"] for _ in range(2)]
    world.signed_in(world.shop_front().post(EXCHANGE, {"exchangeCode": exchange[0]}))
    sent = get_code(world, ADA)
    verify(world, sent)
    waiting = get_code(world, "bob@example.com")
    access = access_codes.generate(world.sequence, 2, now=time.now(), actor="system:test")
    access_codes.share(world.sequence, shared := "FRIENDS-OF-ADA", now=time.now(), actor="system:test")
    path = f"/experiences/{world.sequence.experience_id}/enter"
    for client, text in ((member, access[0]), (world.consumer(), shared)):
        assert client.post(path, {"accessCode": text}).status_code == 200
    texts = {*access, shared}
    return {*exchange, sent, waiting, *texts, *(access_codes.normalised(text) for text in texts)}


def assert_not_stored(world: World, secrets: set[str]) -> None:
    """Nowhere; six digits count where they stand alone, since any number may hold them."""
    stored, fast = everything_in_the_database(), everything_in_redis().decode("latin-1")
    assert world.publishable in stored  # so the search does find what is there
    assert re.search(alone("123456"), "(5,123456,x)")
    for kept in (stored, fast):
        assert [secret for secret in secrets if re.search(alone(secret), kept)] == []


def alone(secret: str) -> str:
    pattern = re.escape(secret)
    return rf"(?<![0-9A-Za-z.]){pattern}(?![0-9A-Za-z])" if len(secret) == 6 else pattern


def everything_in_the_database() -> str:
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            found += [row[0] for row in cursor.fetchall()]
    for model in apps.get_models():
        for column in [field.name for field in model._meta.fields if isinstance(field, BinaryField)]:
            values = model._default_manager.values_list(column, flat=True)
            found += [bytes(value).decode("latin-1") for value in values if value]
    return "\n".join(found)


def everything_in_redis() -> bytes:
    client: Any = redis.client()
    return b"\n".join(name + (client.dump(name) or b"") for name in client.scan_iter())


# --- 19: what has ended is refused at once ---

ASK = """
import sys, django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False, SERVER_NAME="localhost")
answer = client.get(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]})
spent = client.post(
    "/api/v1/auth/refresh",
    {"refreshToken": sys.argv[3]},
    content_type="application/json",
    headers={"X-Publishable-Key": sys.argv[4]},
) if len(sys.argv) > 3 else answer
print(answer.status_code, spent.status_code)
"""


def ask_another_process(path: str, token: str, *refresh: str) -> tuple[int, int]:
    """What a second web process, which knows nothing of this one's memory, answers to the access token
    and to the refresh token that is given with a publishable key."""
    command = [sys.executable, "-c", ASK, f"/api/v1{path}", token, *refresh]
    ran = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=True)
    access, spent = ran.stdout.split()[-2:]
    return int(access), int(spent)


def test_a_logout_is_known_to_another_process(world: World) -> None:
    queue, consumer = world.queue(), world.consumer()
    tasks.watch_redis()
    consumer.enter(queue)
    path = f"/queues/{queue.pk}/status"
    token = refresh(world, consumer.refresh_token).json()["refreshToken"]
    assert ask_another_process(path, consumer.token, token, world.publishable) == (200, 200)
    token = refresh(world, token).json()["refreshToken"]  # in the grace: what the other process was given
    assert consumer.post("/auth/logout").status_code == 204
    assert ask_another_process(path, consumer.token, token, world.publishable) == (401, 401)
    redis.client().flushdb()
    assert ask_another_process(path, consumer.token, token, world.publishable) == (401, 401)


def test_a_logout_is_known_to_all_threads_at_once(world: World) -> None:
    """From the moment in which the logout is answered, no request with its token succeeds."""
    queue, consumer = world.queue(), world.consumer()
    tasks.watch_redis()
    consumer.enter(queue)
    answered: list[bool] = []

    def act(index: int) -> list[tuple[bool, int]]:
        if index == 0:
            consumer.post("/auth/logout")
            answered.append(True)
            return []
        return [(bool(answered), consumer.status(queue).status_code) for _ in range(10)]

    after = [status for some in race(6, act).all() for known, status in some if known]
    assert after
    assert set(after) == {401}
    assert_error(consumer.post("/auth/logout"), 401, "Authentication required")
    assert Event.objects.filter(name="session.ended").count() == 1


def test_the_list_forgets_only_what_has_expired(world: World, clock: Any) -> None:
    consumer = world.consumer()
    tasks.watch_redis()
    consumer.post("/auth/logout")
    (session,) = Session.objects.filter(consumer_id=consumer.id)
    clock.shift(settings.ACCESS_TOKEN_SECONDS - 1)
    tasks.watch_redis()
    with pytest.raises(errors.NotAuthenticated):
        sessions.require_alive(session.pk, now=time.now())
    clock.shift(2)
    tasks.watch_redis()
    assert redis.client().zscore(redis.ENDED_SESSIONS, session.pk) is None
    assert redis.client().zscore(redis.ENDED_SESSIONS, "ready")
    assert_error(consumer.get("/organizations/current"), 401, "Authentication required", "TOKEN_EXPIRED")


# --- signing keys ---


def test_a_rotation_keeps_what_is_out(world: World, clock: Any) -> None:
    old, queue = world.consumer(), world.queue()
    before = {key["kid"] for key in signing.jwks()["keys"]}
    admitted = admit(queue, old.id)
    token = admission.token(queue, admitted)
    clock.shift(1)
    signing.rotate(now=time.now())

    new = world.consumer()
    assert jwt.get_unverified_header(new.token)["kid"] not in before
    assert old.get("/organizations/current").status_code == 200
    asked = {"consumerId": old.id, "token": token}
    assert world.server().post(f"/queues/{queue.pk}/validate", asked).json()["valid"] is True
    shown = world.shop_front().client.get("/.well-known/jwks.json").json()["keys"]
    assert len(shown) == 2
    assert before < {key["kid"] for key in shown}
    assert all(set(key) == {"kty", "crv", "x", "kid", "use", "alg"} for key in shown)  # no private part


def test_revoked_keys_are_refused_within_a_second(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MEMO_SECONDS", 1.0)
    old = world.consumer()
    assert old.get("/organizations/current").status_code == 200
    kept = dict(signing._memo._kept)
    clock.shift(0.1)
    signing.rotate(now=time.now(), revoke_old=True)
    assert_error(old.get("/organizations/current"), 401, "Authentication required")  # here at once

    signing._memo._kept.update(kept)  # another process, which has not heard of it
    assert old.get("/organizations/current").status_code == 200
    clock.shift(1)
    assert_error(old.get("/organizations/current"), 401, "Authentication required")
    assert world.consumer().get("/organizations/current").status_code == 200
    assert len(signing.jwks()["keys"]) == 1


def test_a_revoked_api_key_is_refused_within_a_second(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MEMO_SECONDS", 1.0)
    assert world.shop_front().get("/organizations/current").status_code == 200
    kept = dict(keys._published._kept)
    key = ApiKey.objects.get(kind="publishable")
    assert keys.revoke(key, now=time.now(), actor="staff:1")
    assert not keys.revoke(key, now=time.now(), actor="staff:1")
    assert_error(world.shop_front().get("/organizations/current"), 401, "Authentication required")
    keys._published._kept.update(kept)
    clock.shift(1)
    assert_error(world.shop_front().get("/organizations/current"), 401, "Authentication required")


def test_many_processes_start_on_an_empty_database(transactional_db: None) -> None:
    assert len(set(race(8, lambda _: signing.key_set().kid).all())) == 1
    assert SigningKey.objects.count() == 1


def test_private_keys_are_encrypted(world: World) -> None:
    world.consumer()
    (key,) = SigningKey.objects.all()
    box = bytes(key.private_box)
    assert b"PRIVATE" not in box
    raw = signing.key_set().private.private_bytes_raw()
    assert raw not in box
    assert sealing.unseal(signing.PURPOSE, box).startswith(b"-----BEGIN PRIVATE KEY-----")


# --- 20: an admission token is bound to one consumer, one distribution, one admission ---


def test_what_an_admission_token_opens(world: World, clock: Any) -> None:
    queue, other_queue = world.queue(session_seconds=60), world.queue(session_seconds=60)
    owner, other, server = world.consumer(), world.consumer(), world.server()
    stranger = make_world()
    token = admission.token(queue, admit(queue, owner.id))
    admit(other_queue, owner.id)
    admit(queue, other.id)

    def code(of: Any = queue, consumer_id: str = owner.id, shown: str = token, by: Any = server) -> Any:
        answer = by.post(f"/queues/{of.pk}/validate", {"consumerId": consumer_id, "token": shown})
        return answer.json().get("code") or answer.json().get("valid") or answer.json()["error"]

    assert code() is True
    assert code(of=other_queue) == "WRONG_DISTRIBUTION"
    assert code(consumer_id=other.id) == "CONSUMER_MISMATCH"
    assert code(by=stranger.server()) == "QUEUE_NOT_FOUND"
    head, body, mac = token.split(".")
    changed = ("A" if mac[0] != "A" else "B") + mac[1:]
    for forged in (owner.token, f"{head}.{body}.{changed}", f"{head}.{body}.", token[:-40], "x", "ä"):
        assert code(shown=forged) == "TOKEN_INVALID"
    assert code(shown=unsigned(token)) == "TOKEN_INVALID"
    holder = ApiClient({"Authorization": f"Bearer {token}"})
    assert_error(holder.get("/organizations/current"), 401, "Authentication required")

    complete(queue, owner.id)
    assert code() == "TOKEN_USED"
    leave(queue, other.id)
    assert code(consumer_id=other.id, shown=admission.token(queue, admit(queue, other.id))) is True


def unsigned(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none", headers={"typ": admission.TYP})


def test_a_token_of_an_earlier_admission(world: World, clock: Any) -> None:
    """Who left and is inside again shows the old token: it names the admission that ended."""
    queue, consumer, server = world.queue(), world.consumer(), world.server()
    old = admission.token(queue, admit(queue, consumer.id))
    leave(queue, consumer.id)
    new = admission.token(queue, admit(queue, consumer.id))

    def verdict(token: str) -> Any:
        return server.post(f"/queues/{queue.pk}/validate", {"consumerId": consumer.id, "token": token}).json()

    assert verdict(old)["code"] == "NOT_ADMITTED"
    assert verdict(new)["valid"] is True


@pytest.mark.parametrize("fraction", [0.0, 0.000001, 0.7])
def test_a_token_lasts_exactly_as_long_as_its_admission(world: World, clock: Any, fraction: float) -> None:
    clock.shift(fraction)
    queue, consumer, server = world.queue(session_seconds=30), world.consumer(), world.server()
    token = admission.token(queue, admit(queue, consumer.id))
    asked = {"consumerId": consumer.id, "token": token}
    clock.shift(29.999)
    assert server.post(f"/queues/{queue.pk}/validate", asked).json()["valid"] is True
    clock.shift(0.001)
    assert server.post(f"/queues/{queue.pk}/validate", asked).json()["code"] == "TOKEN_EXPIRED"


def test_clocks_that_differ_by_a_little(world: World, clock: Any) -> None:
    """A token made by a machine whose clock is ahead is good on one that is behind."""
    consumer, queue = world.consumer(), world.queue(session_seconds=30)
    token = admission.token(queue, admit(queue, consumer.id))
    clock.shift(-0.05)
    assert consumer.get("/organizations/current").status_code == 200
    assert admission.validate(
        queue, consumer_id=consumer.id, token=token, fingerprint=None, now=time.now()
    ).valid
    assert access_tokens.read(consumer.token, now=time.now()).consumer_id == consumer.id
