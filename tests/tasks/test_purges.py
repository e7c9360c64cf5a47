"""Forgetting what is over: only that, in batches, and no refusal or limit with it."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from auth_otp import tasks as otp_tasks
from auth_otp.models import OtpAddress, OtpChallenge
from consumers import tasks
from consumers.models import Consumer, ExchangeCode, Session
from distributions.tasks import watch_redis
from fanfare import clock as time
from fanfare import redis
from fanfare.celery import app
from tests.api import mailbox
from tests.concurrency.race import race
from tests.resilience.test_killed_worker import wait_for
from tests.world import EXCHANGE, ConsumerClient, World, assert_error

HOUR, DAY = 3_600, 86_400
WEEK = 7 * DAY
GOOD = 600  # seconds of a code


def purge() -> None:
    """What beat does, with both."""
    tasks.purge_sessions()
    otp_tasks.purge_codes()


def is_kept(browser: ConsumerClient) -> bool:
    return Session.objects.filter(consumer_id=browser.id).exists()


def make_sessions(world: World, number: int, *, ended_at: dt.datetime | None) -> None:
    """So many sessions of one guest, as signing in and out would have left them."""
    guest = Consumer.objects.create(organization=world.organization)
    Session.objects.bulk_create(
        Session(
            consumer=guest,
            organization=world.organization,
            created_at=time.now(),
            expires_at=time.now() + dt.timedelta(days=30),
            ended_at=ended_at,
        )
        for _ in range(number)
    )


def make_challenges(world: World, number: int, created_at: dt.datetime) -> None:
    """So many codes of as many addresses, as asking would have left them."""
    OtpChallenge.objects.bulk_create(
        OtpChallenge(
            organization=world.organization, channel="email", address=f"{created_at:%d}-{one}@example.com",
            client=b"", digest=b"", created_at=created_at, expires_at=created_at + dt.timedelta(minutes=10),
        )
        for one in range(number)
    )  # fmt: skip
    OtpAddress.objects.bulk_create(
        OtpAddress(
            organization=world.organization, address=f"{created_at:%d}-{one}@example.com",
            asked_at=created_at,
        )
        for one in range(number)
    )  # fmt: skip


# --- Only what is over and old ----------------------------------------------------------------------
def test_sessions(world: World, clock: Any) -> None:
    ended, alive = world.consumer(), world.consumer()
    ended.post("/auth/logout")
    clock.shift(DAY)
    late = world.consumer()
    late.post("/auth/logout")
    clock.shift(WEEK - DAY)
    purge()
    assert is_kept(ended)  # for a week, for staff to look at
    clock.shift(1)
    purge()
    assert [is_kept(one) for one in (ended, late, alive)] == [False, True, True]
    answer = world.shop_front().post("/auth/refresh", {"refreshToken": alive.refresh_token})
    assert answer.status_code == 200


def test_sessions_that_expired(world: World, clock: Any) -> None:
    expired, refreshed = world.consumer(), world.consumer()
    clock.shift(20 * DAY)
    world.shop_front().post("/auth/refresh", {"refreshToken": refreshed.refresh_token})
    clock.shift(10 * DAY + WEEK)
    purge()
    assert is_kept(expired)
    clock.shift(1)
    purge()
    assert [is_kept(one) for one in (expired, refreshed)] == [False, True]
    answer = world.shop_front().post("/auth/refresh", {"refreshToken": expired.refresh_token})
    assert_error(answer, 401, "invalid refresh token")


def test_exchange_codes(world: World, clock: Any) -> None:
    old = world.authorize("4711").json()["exchangeCode"]
    clock.shift(DAY)
    world.authorize("4712")
    clock.shift(WEEK - DAY + 61)
    new = world.authorize("4713").json()["exchangeCode"]
    purge()
    assert ExchangeCode.objects.count() == 2
    assert_error(world.shop_front().post(EXCHANGE, {"exchangeCode": old}), 401, "invalid_exchange_code")
    assert world.shop_front().post(EXCHANGE, {"exchangeCode": new}).status_code == 200


def test_one_time_codes(world: World, clock: Any) -> None:
    """A week after they expired, and counters a week after they were asked for."""
    mailbox.get_code(world, "old@example.com")
    clock.shift(DAY)
    mailbox.get_code(world, "young@example.com")
    clock.shift(WEEK - DAY)
    purge()
    assert OtpAddress.objects.count() == 2
    clock.shift(GOOD)
    purge()
    assert OtpChallenge.objects.count() == 2
    clock.shift(1)
    code = mailbox.get_code(world, "new@example.com")
    purge()
    left = {"young@example.com", "new@example.com"}
    assert set(OtpChallenge.objects.values_list("address", flat=True)) == left
    assert set(OtpAddress.objects.values_list("address", flat=True)) == left
    assert mailbox.verify(world, code, "new@example.com").status_code == 200


def test_a_code_that_is_good_for_long(world: World, clock: Any, settings: Any) -> None:
    """Asked for long ago and good still: neither it nor what was guessed at it is forgotten."""
    settings.OTP_SECONDS = 30 * DAY
    code = mailbox.get_code(world)
    clock.shift(WEEK + 1)
    mailbox.verify(world, mailbox.wrong(code))
    purge()
    assert mailbox.failures() == 1
    assert mailbox.verify(world, code).status_code == 200


# --- Refusals and limits stay -------------------------------------------------------------------------
def test_an_ended_sessions_tokens_stay_refused(world: World, clock: Any, settings: Any) -> None:
    """While its access token would be good, its row stays, so that Redis can be given the list again."""
    settings.ACCESS_TOKEN_SECONDS = 10 * DAY
    queue, ended = world.queue(), world.consumer()
    ended.enter(queue)
    watch_redis()
    ended.post("/auth/logout")
    for seconds in (1, WEEK, DAY, 2 * DAY):
        clock.shift(seconds)
        purge()
        for _ in range(2):
            require_refused(world, ended, queue)
            redis.client().flushdb()
            require_refused(world, ended, queue)
            watch_redis()
    assert not is_kept(ended)  # at last: the token is over


def require_refused(world: World, ended: ConsumerClient, queue: Any) -> None:
    assert_error(ended.status(queue), 401, "Authentication required")
    assert_error(ended.get("/consumers/me"), 401, "Authentication required")
    answer = world.shop_front().post("/auth/refresh", {"refreshToken": ended.refresh_token})
    assert_error(answer, 401, "invalid refresh token")


def fail(world: World, clock: Any, number: int) -> None:
    """So many wrong codes, five a code."""
    for _ in range(number // 5):
        code = mailbox.get_code(world)
        for guess in range(1, 6):
            assert_error(mailbox.verify(world, mailbox.wrong(code, guess)), 401, "otp_invalid")
        clock.shift(700)


def test_failures_of_a_day_are_not_forgotten(world: World, clock: Any) -> None:
    fail(world, clock, 20)
    ends = OtpChallenge.objects.earliest("id").expires_at + dt.timedelta(days=1)
    for hours in (1, 10, 12):
        clock.shift(hours * HOUR - 2_800 if hours == 1 else hours * HOUR)
        purge()
        code = mailbox.get_code(world)
        assert_error(mailbox.verify(world, code), 429, "Rate limit exceeded")
    clock.shift((ends - time.now()).total_seconds())
    assert mailbox.verify(world, mailbox.get_code(world)).status_code == 200


def test_requests_are_not_forgotten(world: World, clock: Any) -> None:
    mailbox.ask(world)
    purge()
    assert_error(mailbox.ask(world), 429, "Rate limit exceeded")


def test_who_asks_while_the_purge_waits(world: World, clock: Any) -> None:
    """What a request has touched meanwhile counts again, and stays."""
    make_challenges(world, 1, time.now())
    clock.shift(WEEK + 1)
    locked = threading.Event()

    def act(index: int) -> None:
        if index == 0:
            with transaction.atomic():
                OtpAddress.objects.update(succeeded_at=time.now(), asked_at=time.now())
                locked.set()
                wait_for(is_somebody_waiting)
        else:
            locked.wait(20)
            otp_tasks.purge_codes()

    race(2, act).all()
    assert OtpAddress.objects.get().succeeded_at == time.now()


def test_who_asks_while_their_counter_is_deleted(world: World) -> None:
    """The row goes between a request's two steps: it makes another one."""
    mailbox.ask(world)
    OtpChallenge.objects.all().delete()
    locked = threading.Event()

    def act(index: int) -> Any:
        if index == 0:
            with transaction.atomic():
                OtpAddress.objects.select_for_update(no_key=True).get()
                locked.set()
                wait_for(is_somebody_waiting)
                OtpAddress.objects.all().delete()
            return None
        locked.wait(20)
        return mailbox.ask(world)

    assert race(2, act).all()[1].status_code == 200
    assert OtpAddress.objects.count() == 1


def is_somebody_waiting() -> bool:
    """Whether another connection of this database waits for a row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # what one transaction saw before
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        row: Any = cursor.fetchone()
    return bool(row[0])


# --- In batches, twice, at once -----------------------------------------------------------------------
@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AT_ONCE", 3)
    monkeypatch.setattr(otp_tasks, "AT_ONCE", 3)


def counts() -> tuple[int, int, int]:
    return Session.objects.count(), OtpChallenge.objects.count(), OtpAddress.objects.count()


def test_a_batch_at_a_time(world: World, clock: Any, small_batches: None) -> None:
    make_sessions(world, 7, ended_at=time.now())
    make_challenges(world, 7, time.now())
    clock.shift(WEEK + GOOD + 1)
    make_sessions(world, 2, ended_at=None)
    make_challenges(world, 2, time.now())
    found = []
    for _ in range(5):
        purge()
        found.append(counts())
    assert found == [(6, 6, 6), (3, 3, 3), (2, 2, 2), (2, 2, 2), (2, 2, 2)]


def test_two_workers_at_once(world: World, clock: Any) -> None:
    make_sessions(world, 2_000, ended_at=time.now())
    make_challenges(world, 2_000, time.now())
    clock.shift(WEEK + GOOD + 1)
    make_sessions(world, 20, ended_at=None)
    make_challenges(world, 20, time.now())
    race(4, lambda _: purge()).all()
    assert counts() == (20, 20, 20)


def test_with_nothing_to_do(transactional_db: None) -> None:
    purge()
    purge()
    assert counts() == (0, 0, 0)


def test_beat_calls_both() -> None:
    """More often than a day's worth piles up."""
    schedule = app.conf.beat_schedule
    called = {entry["task"]: entry["schedule"] for entry in schedule.values()}
    assert called[tasks.purge_sessions.name] <= HOUR
    assert called[otp_tasks.purge_codes.name] <= HOUR
