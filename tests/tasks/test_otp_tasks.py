"""Codes on their way: sent once, tried again while they are good, through whatever provider is set."""

from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import override_settings
from kombu.exceptions import OperationalError

from auth_otp import codes, tasks
from auth_otp.models import OtpAddress, OtpChallenge
from fanfare import clock as time
from fanfare import providers, sealing
from fanfare.celery import app
from tests.api.mailbox import (
    ADA,
    FAILING,
    PHONE,
    ask,
    last_challenge,
    last_code,
    mails,
    messages,
    verify,
)
from tests.api.servers import redis_away
from tests.world import World

DAY = 86_400


def ask_unsent(world: World, address: str = ADA) -> OtpChallenge:
    """A code that waits to be sent."""
    with redis_away():
        assert ask(world, address).status_code == 200
    row = last_challenge(address)
    assert (row.tries, row.sent_at) == (0, None)
    assert row.box is not None
    return row


def content(row: OtpChallenge) -> str:
    """The code of one that wasn't sent."""
    assert row.box is not None
    return sealing.unseal(codes.PURPOSE, row.box).decode()


# --- Once ---


def test_a_task_that_runs_twice(world: World, clock: Any) -> None:
    row = ask_unsent(world)
    for _ in range(2):
        tasks.send_code(row.pk)
        tasks.send_codes()
    clock.shift(60)
    tasks.send_code(row.pk)
    tasks.send_codes()
    assert len(mail.outbox) == last_challenge().tries == 1


@pytest.mark.parametrize("key", [0, -1, 2**62])
def test_of_a_code_that_is_not_there(world: World, key: int) -> None:
    tasks.send_code(key)
    tasks.send_codes()
    tasks.purge_codes()
    assert mail.outbox == []


def test_after_a_code_was_voided_or_used_it_is_not_sent(world: World, clock: Any) -> None:
    old = ask_unsent(world)
    clock.shift(30)
    new = ask_unsent(world)
    old.refresh_from_db()
    assert (old.box, old.voided_at) == (None, time.now())
    assert verify(world, content(new)).status_code == 200
    new.refresh_from_db()
    assert (new.box, new.used_at) == (None, time.now())
    for row in (old, new):
        tasks.send_code(row.pk)
    tasks.send_codes()
    assert mail.outbox == []


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Tasks go to a broker that nobody reaches, until it is undone."""
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setitem(app.conf.changes, "task_always_eager", False)
    # It would try again until a clock that stands still says that four seconds are over.
    once = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "max_retries": 0}
    monkeypatch.setitem(app.conf.changes, "broker_transport_options", once)
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    return monkeypatch


def test_a_broker_that_is_away(world: World, clock: Any, no_broker: pytest.MonkeyPatch) -> None:
    """The request is answered all the same, and the next look at what is unsent finds the code."""
    with pytest.raises(OperationalError):
        tasks.send_code.apply_async(args=[1], retry=False)
    assert ask(world).status_code == 200
    assert mail.outbox == []
    no_broker.undo()
    tasks.send_codes()
    assert len(mails()) == 1


# --- Failures ---


def test_a_provider_that_fails_is_tried_again(world: World, clock: Any) -> None:
    with override_settings(EMAIL_BACKEND=FAILING):
        assert ask(world).status_code == 200
        row = last_challenge()
        assert row.problem == "ConnectionRefusedError: The mail server is away."
        assert (row.tries, row.claimed_at, row.sent_at) == (1, time.now(), None)
        assert row.box is not None
    clock.shift(29.999)
    tasks.send_codes()
    assert mail.outbox == []
    clock.shift(0.001)
    tasks.send_codes()
    row = last_challenge()
    assert (row.tries, row.problem, row.sent_at, row.box) == (2, "", time.now(), None)
    assert len(mails()) == 1
    assert verify(world, last_code()).status_code == 200


def test_five_tries(world: World, clock: Any) -> None:
    with override_settings(EMAIL_BACKEND=FAILING):
        ask(world)
        for number in range(1, 8):
            assert last_challenge().tries == min(number, 5)
            clock.shift(30)
            tasks.send_codes()
    clock.shift(30)
    tasks.send_codes()
    tasks.send_code(last_challenge().pk)
    assert mail.outbox == []


def test_never_after_it_expired(world: World, clock: Any) -> None:
    row = ask_unsent(world)
    clock.shift(600)
    tasks.send_codes()
    tasks.send_code(row.pk)
    assert mail.outbox == []
    assert last_challenge().tries == 0


def test_what_is_sent_late_says_how_long_it_is_good(world: World, clock: Any) -> None:
    ask_unsent(world)
    clock.shift(480)
    tasks.send_codes()
    assert "It is good for 2 minutes" in mails()[0].body


def test_no_provider_at_all(world: World, clock: Any) -> None:
    """Nothing set: the request is answered as ever, and the row tells staff why nothing came."""
    none = {**providers.email(""), **providers.sms("")}
    with override_settings(**none):
        assert ask(world).status_code == ask(world, PHONE).status_code == 200
    told = "ImproperlyConfigured: No mail server is set: FANFARE_EMAIL_URL."
    assert last_challenge().problem == told
    told = "ImproperlyConfigured: No SMS gateway is set: FANFARE_SMS_URL."
    assert last_challenge(PHONE).problem == told


def test_a_box_that_another_key_sealed(world: World, clock: Any) -> None:
    row = ask_unsent(world)
    with override_settings(SECRET_KEY="another key of at least 32 characters"):
        tasks.send_codes()
    row.refresh_from_db()
    assert (row.problem, row.tries, row.sent_at) == ("Unsealable: ", 1, None)


def test_one_that_fails_does_not_hold_up_the_others(world: World, clock: Any) -> None:
    ask_unsent(world, PHONE)
    ask_unsent(world)
    with override_settings(SMS_BACKEND="fanfare.sms.to_nowhere"):
        tasks.send_codes()
    assert len(mails()) == 1
    assert messages() == []


# --- Forgetting ---


def test_old_codes_are_forgotten_and_only_those(world: World, clock: Any) -> None:
    """A week after they expired."""
    ask(world, "old@example.com")
    clock.shift(1)
    ask(world, "edge@example.com")
    ask(world)
    clock.shift(settings.CODES_KEPT_SECONDS - DAY)
    ask(world)
    tasks.purge_codes()
    assert (OtpChallenge.objects.count(), OtpAddress.objects.count()) == (4, 3)
    clock.shift(DAY + settings.OTP_SECONDS)
    tasks.purge_codes()
    rows = OtpChallenge.objects.order_by("id")
    assert list(rows.values_list("address", flat=True)) == ["edge@example.com", ADA, ADA]
    clock.shift(0.001)
    tasks.purge_codes()
    assert list(rows.values_list("address", flat=True)) == [ADA]
    assert OtpAddress.objects.get().address == ADA


def test_a_purge_takes_some_at_a_time(world: World, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AT_ONCE", 2)
    for number in range(3):
        ask(world, f"p{number}@example.com")
    clock.shift(8 * DAY)
    tasks.purge_codes()
    assert OtpChallenge.objects.count() == 1
    tasks.purge_codes()
    assert OtpChallenge.objects.count() == OtpAddress.objects.count() == 0
