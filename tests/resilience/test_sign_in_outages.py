"""Signing in while something is away: without Redis all goes on; without PostgreSQL nothing is half-done."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection, transaction

from auth_otp import delivery, tasks
from auth_otp.models import OtpAddress, OtpChallenge
from consumers.models import Consumer, ExchangeCode, Identity, Session
from distributions.core.models import Participation
from experiences.models import Event
from fanfare import redis
from tests.api import mailbox
from tests.api.servers import postgresql_away, redis_away
from tests.concurrency.race import race
from tests.lines import require_true_tally
from tests.resilience.test_killed_worker import ROOT, environment, wait_for
from tests.world import AUTHORIZE, EXCHANGE, SHOP, ConsumerClient, World, assert_error

LIMITED = "Rate limit exceeded"
TABLES = (OtpAddress, OtpChallenge, Consumer, ExchangeCode, Identity, Session, Participation, Event)


def everything() -> list[Any]:
    return [list(model._default_manager.order_by("pk").values()) for model in TABLES]


# --- Redis ----------------------------------------------------------------------------------------
def test_signing_in_without_redis(world: World, clock: Any) -> None:
    """The code goes out with the next look at what is unsent, since the broker is Redis too."""
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    with redis_away():
        assert mailbox.ask(world).status_code == 200
        assert mail.outbox == []
        tasks.send_codes()
        member = world.signed_in(mailbox.verify(world, mailbox.last_code(), by=guest))
        assert member.status(queue).json()["position"] == 1
        assert_error(guest.status(queue), 401, "Authentication required")
        by_shop = world.member(subject="4711")
        assert by_shop.get("/consumers/me").status_code == 200
    assert member.status(queue).json()["position"] == 1
    assert_error(guest.status(queue), 401, "Authentication required")
    require_true_tally(queue)


def test_limits_hold_without_redis(world: World, clock: Any) -> None:
    """Of requests, of an address and of a client; of tries and of failures a day."""
    with redis_away():
        assert mailbox.ask(world).status_code == 200
        assert_error(mailbox.ask(world), 429, "Rate limit exceeded")
        answers = [mailbox.ask(world, f"a{number}@example.com").status_code for number in range(20)]
        assert answers == [200] * 19 + [429]
        failed = 0
        while failed < 20:
            clock.shift(700)
            assert mailbox.ask(world).status_code == 200
            tasks.send_codes()
            code = mailbox.last_code()
            for guess in range(1, 6):
                assert_error(mailbox.verify(world, mailbox.wrong(code, guess)), 401, "otp_invalid")
            assert_error(
                mailbox.verify(world, code), *((401, "otp_invalid") if failed < 15 else (429, LIMITED))
            )
            failed += 5
        assert mailbox.failures() == 20
    assert_error(mailbox.verify(world, code), 429, LIMITED)


def test_a_code_works_once_without_redis(world: World, clock: Any) -> None:
    with redis_away():
        mailbox.ask(world)
        tasks.send_codes()
        code = mailbox.last_code()
        assert mailbox.verify(world, code).status_code == 200
        assert_error(mailbox.verify(world, code), 401, "otp_invalid")
        exchange = {"exchangeCode": world.authorize("4711").json()["exchangeCode"]}
        assert world.shop_front().post(EXCHANGE, exchange).status_code == 200
        assert_error(world.shop_front().post(EXCHANGE, exchange), 401, "invalid_exchange_code")


def test_redis_emptied_between_code_and_sign_in(world: World, clock: Any) -> None:
    code = mailbox.get_code(world)
    exchange = {"exchangeCode": world.authorize("4711").json()["exchangeCode"]}
    redis.client().flushdb()
    assert mailbox.verify(world, code).status_code == 200
    assert world.shop_front().post(EXCHANGE, exchange).status_code == 200


# --- PostgreSQL -----------------------------------------------------------------------------------
def test_without_postgresql_every_way_in_says_so(world: World, clock: Any) -> None:
    code = mailbox.get_code(world)
    exchange = {"exchangeCode": world.authorize("4711").json()["exchangeCode"]}
    guest, front, server = world.consumer(), world.shop_front(), world.server()
    before = everything()
    with postgresql_away():
        for answer in (
            front.post("/auth/guest"),
            mailbox.ask(world, "bob@example.com"),
            mailbox.verify(world, code),
            mailbox.verify(world, code, by=guest),
            server.post(AUTHORIZE, {**SHOP, "subject": "4712", "claims": {}}),
            front.post(EXCHANGE, exchange),
            guest.post(EXCHANGE, exchange),
            front.post("/auth/refresh", {"refreshToken": guest.refresh_token}),
            guest.get("/consumers/me"),
        ):
            assert_error(answer, 503, "Service unavailable", "SERVICE_UNAVAILABLE")
            assert int(answer.headers["Retry-After"]) >= 1
    assert everything() == before
    assert mailbox.verify(world, code, by=guest).status_code == 200
    assert front.post(EXCHANGE, exchange).status_code == 200


def by_code(world: World, guest: ConsumerClient) -> Callable[[], Any]:
    code = mailbox.get_code(world)
    return lambda: mailbox.verify(world, code, by=guest)


def by_shop(world: World, guest: ConsumerClient) -> Callable[[], Any]:
    exchange = {"exchangeCode": world.authorize("4711").json()["exchangeCode"]}
    return lambda: guest.post(EXCHANGE, exchange)


@pytest.mark.parametrize("way", [by_code, by_shop])
def test_a_connection_cut_in_mid_sign_in(world: World, way: Any) -> None:
    """The code was checked and the guest is being merged when PostgreSQL goes: all of it, or none."""
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    sign_in = way(world, guest)
    before = everything()
    held, cut = threading.Event(), threading.Event()

    def act(index: int) -> Any:
        if index == 0:
            with transaction.atomic():
                Consumer.objects.select_for_update(no_key=True).get(pk=guest.id)  # where the merger waits
                held.set()
                wait_for(cut_who_waits)
                cut.set()
            return None
        held.wait(20)
        return sign_in()

    answer = race(2, act).all()[1]
    assert cut.is_set()
    assert_error(answer, 503, "Service unavailable")
    assert everything() == before
    assert guest.status(queue).json()["position"] == 1
    member = world.signed_in(sign_in())  # the same code, unspent
    assert member.status(queue).json()["position"] == 1
    require_true_tally(queue)


def cut_who_waits() -> bool:
    """Whether somebody was waiting for a row, and isn't any more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # what one transaction saw before
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchall())


# --- A process that dies ----------------------------------------------------------------------------
# Does what its second word says, and stops where a code is on its way: the web process has committed it
# and not told a worker; the worker has claimed it and not handed it over.
PROCESS = """
import sys, time, django
django.setup()
from auth_otp import codes, delivery
from experiences.models import Organization
from fanfare import clock, contacts
def pause(*args, **kwargs):
    print("here", flush=True)
    time.sleep(60)
if sys.argv[1] == "web":
    contact = contacts.email("ada@example.com")
    organization = Organization.objects.get()
    challenge, _ = codes.request(organization, contact, name="", client="203.0.113.1", now=clock.now())
    pause(challenge)
else:
    delivery._hand_over = pause
    delivery.send(int(sys.argv[2]), now=clock.now())
"""


def kill_on_the_way(*words: str) -> None:
    command = [sys.executable, "-c", PROCESS, *words]
    process = subprocess.Popen(command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def test_killed_before_a_worker_was_told(world: World) -> None:
    kill_on_the_way("web")
    assert mailbox.last_challenge().claimed_at is None
    tasks.send_codes()
    tasks.send_codes()
    assert len(mailbox.mails()) == 1
    assert mailbox.verify(world, mailbox.last_code()).status_code == 200


def test_a_worker_killed_before_it_handed_a_code_over(world: World) -> None:
    with redis_away():
        mailbox.ask(world)
    row = mailbox.last_challenge()
    kill_on_the_way("worker", str(row.pk))
    row.refresh_from_db()
    assert (row.tries, row.sent_at) == (1, None) and row.claimed_at and row.box
    tasks.send_codes()
    assert mail.outbox == []  # it might be at work
    with time_machine.travel(row.claimed_at + delivery.RETRY_AFTER, tick=False):
        tasks.send_codes()
        tasks.send_codes()
        assert len(mailbox.mails()) == 1
        assert mailbox.verify(world, mailbox.last_code()).status_code == 200
