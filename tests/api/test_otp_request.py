"""`POST /auth/otp/request`: whose address it is nobody can tell; how often it may be asked is limited."""

import json
from typing import Any

import pytest
from django.core import mail as django_mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from auth_otp import tasks
from auth_otp.models import OtpAddress, OtpChallenge
from tests.api.mailbox import (
    ADA,
    PHONE,
    REQUEST,
    ask,
    browser,
    get_code,
    last_code,
    mails,
    messages,
    verify,
)
from tests.api.servers import redis_away
from tests.world import World, assert_error, make_world

LIMITED = (429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")


def test_by_mail(world: World, clock: Any) -> None:
    answer = ask(world)
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "expiresInSeconds": 600, "resendInSeconds": 30}
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(mails()) == len(django_mail.outbox) == 1
    assert verify(world, last_code()).json()["session"]["email"] == ADA


def test_by_sms(world: World, clock: Any) -> None:
    answer = ask(world, "01512 3456789", defaultCountry="de")
    assert answer.json() == {"ok": True, "expiresInSeconds": 600, "resendInSeconds": 30}
    (text,) = messages(PHONE)
    assert text == f"{last_code(PHONE)} is your code for {world.organization.name}. It is good for 10 min."
    assert django_mail.outbox == []
    assert verify(world, last_code(PHONE), PHONE).json()["session"]["phone"] == PHONE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"email": "ada@münchen.de"}, {"email": " ADA@XN--MNCHEN-3YA.de "}),
        ({"email": ADA}, {"email": "ＡＤＡ@Example.com"}),
        ({"phone": PHONE}, {"phone": "0151 23456789", "defaultCountry": "DE"}),
    ],
)
def test_two_spellings_are_one_person(world: World, clock: Any, one: Any, other: Any) -> None:
    front = world.shop_front()
    assert front.post(REQUEST, one).status_code == 200
    assert_error(front.post(REQUEST, other), *LIMITED)
    address = OtpAddress.objects.get().address
    sent = mails(address) or mails("ada@xn--mnchen-3ya.de")
    code = str(sent[0].subject)[:6] if sent else last_code(address)
    first = front.post("/auth/otp/verify", {**other, "code": f"{code[:3]} {code[3:]}"}).json()
    clock.shift(30)
    front.post(REQUEST, other)
    sent = mails(address) or mails("ada@xn--mnchen-3ya.de")
    code = str(sent[-1].subject)[:6] if sent else last_code(address)
    second = front.post("/auth/otp/verify", {**one, "code": code}).json()
    assert first["session"]["consumerId"] == second["session"]["consumerId"]


REFUSED: list[tuple[Any, str]] = [
    ({}, "body"),
    ({"defaultCountry": "DE", "name": "Ada"}, "body"),
    ({"email": ADA, "phone": PHONE}, "body"),
    ({"email": "ada"}, "email"),
    ({"email": ""}, "email"),
    ({"email": None}, "email"),
    ({"email": 5}, "email"),
    ({"email": [ADA]}, "email"),
    ({"email": f"{ADA}, bob@example.com"}, "email"),
    ({"email": f"{ADA}\nBcc: bob@example.com"}, "email"),
    ({"email": f"{'a' * 243}@example.com"}, "email"),
    ({"email": "ad\0a@example.com"}, "body"),
    ({"phone": "030 901820"}, "phone"),
    ({"phone": "030 901820", "defaultCountry": "GB"}, "phone"),
    ({"phone": "x"}, "phone"),
    ({"phone": 4915123456789}, "phone"),
    ({"phone": "+49 1512 3456789" + " " * 50 + "1"}, "phone"),
    ({"phone": "+49\x001512 3456789"}, "body"),
    ({"phone": "+49 900 1234567"}, "phone"),
    ({"phone": "0900 1234567", "defaultCountry": "DE"}, "phone"),
    ({"phone": "+1 900 234 5678"}, "phone"),
    ({"phone": "0151 23456789", "defaultCountry": "Germany"}, "defaultCountry"),
    ({"phone": PHONE, "defaultCountry": "XX"}, "defaultCountry"),
    ({"phone": PHONE, "defaultCountry": ""}, "defaultCountry"),
    ({"phone": PHONE, "defaultCountry": 49}, "defaultCountry"),
    ({"email": ADA, "name": "x" * 201}, "name"),
    ({"email": ADA, "name": ["Ada"]}, "name"),
]


@pytest.mark.parametrize(("body", "field"), REFUSED)
def test_what_is_refused(world: World, body: Any, field: str) -> None:
    problem = assert_error(world.shop_front().post(REQUEST, body), 400, "Validation failed")
    assert [detail["field"] for detail in problem["details"]] == [field]
    assert not OtpChallenge.objects.exists()
    assert not OtpAddress.objects.exists()


@pytest.mark.parametrize("field", ["email", "phone", "name"])
def test_half_a_character(world: World, field: str) -> None:
    body = json.dumps({"email": ADA, field: "X"}).replace('"X"', r'"ada\ud800@example.com"')
    assert_error(world.shop_front().send("POST", REQUEST, body), 400, "Validation failed")
    assert not OtpChallenge.objects.exists()


def test_only_with_a_key(world: World) -> None:
    front = world.shop_front()
    answer = front.post(REQUEST, {"email": ADA}, **{"X-Publishable-Key": "pk_live_nonsense"})
    assert_error(answer, 401, "Authentication required")
    assert not OtpChallenge.objects.exists()


def test_known_and_unknown_are_answered_alike(world: World, clock: Any) -> None:
    """Status, body, names of headers, and the same number of queries."""
    assert verify(world, get_code(world)).status_code == 200
    clock.shift(3_601)
    ask(world, "somebody@example.com")  # an hour later the key's last use is noted
    found = []
    for address in (ADA, "nobody@example.com", ADA, "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(world, address)
        found.append((answer.status_code, answer.headers.keys(), len(queries), _plain(answer.json())))
    known, unknown, known_again, unknown_again = found
    assert (known[0], known_again[0]) == (200, 429)
    assert known == unknown
    assert known_again == unknown_again


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "requestId": ""}


# --- How often ---


def test_each_wait_is_twice_the_one_before(world: World, clock: Any) -> None:
    for wait in (30, 60, 120, 240, 480):
        assert ask(world).json()["resendInSeconds"] == wait
        body = assert_error(ask(world), *LIMITED)
        assert body["retryAfter"] == wait
        clock.shift(wait - 0.5)
        refused = ask(world)
        assert_error(refused, *LIMITED)
        assert refused.headers["Retry-After"] == "1"
        clock.shift(0.5)
    assert ask(world).json()["resendInSeconds"] == 600
    assert len(mails()) == 6
    clock.shift(3_601)
    assert ask(world).json()["resendInSeconds"] == 30


def test_five_in_ten_minutes(world: World, clock: Any) -> None:
    """Where sign-ins in between keep the wait short."""
    waits = []
    for _ in range(5):
        answer = ask(world)
        waits.append(answer.json()["resendInSeconds"])
        assert verify(world, last_code()).status_code == 200
        clock.shift(30)
    assert waits == [30, 30, 30, 30, 480]  # after the fifth: until the first is ten minutes old
    refused = ask(world)
    assert_error(refused, *LIMITED)
    assert refused.headers["Retry-After"] == "450"
    clock.shift(449)
    assert_error(ask(world), *LIMITED)
    clock.shift(1)
    assert ask(world).status_code == 200
    assert len(mails()) == 6


def test_a_refused_request_changes_nothing(world: World, clock: Any) -> None:
    code = get_code(world)
    clock.shift(29)
    assert_error(ask(world), *LIMITED)
    assert verify(world, code).status_code == 200


def test_twenty_in_ten_minutes_of_one_client(world: World, clock: Any) -> None:
    here, there = browser(world), browser(world, "203.0.113.2")
    for number in range(20):
        assert ask(world, f"p{number}@example.com", by=here).status_code == 200
        clock.shift(1)
    refused = ask(world, "p20@example.com", by=here)
    assert_error(refused, *LIMITED)
    assert refused.headers["Retry-After"] == "580"
    assert not OtpAddress.objects.filter(address="p20@example.com").exists()
    assert ask(world, "p20@example.com", by=there).status_code == 200
    other = make_world()
    assert ask(other, "p20@example.com", by=browser(other)).status_code == 200
    clock.shift(579)
    assert_error(ask(world, "p21@example.com", by=here), *LIMITED)
    clock.shift(1)
    assert ask(world, "p21@example.com", by=here).status_code == 200


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("203.0.113.1", "::ffff:203.0.113.1", True),
        ("::ffff:203.0.113.1", "::ffff:203.0.113.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_who_is_one_client(world: World, clock: Any, one: str, other: str, are_one: bool) -> None:
    for number, network_address in enumerate((one, other)):
        ask(world, f"p{number}@example.com", by=browser(world, network_address))
    clients = {bytes(row.client) for row in OtpChallenge.objects.all()}
    assert len(clients) == (1 if are_one else 2)


def test_another_shop_is_untouched(world: World, clock: Any) -> None:
    """The same address there: neither wait nor code is touched by a request here."""
    code, other = get_code(world), make_world()
    assert ask(other).status_code == 200
    assert verify(world, code).status_code == 200


def test_limits_hold_without_redis_and_the_mail_comes_later(world: World, clock: Any) -> None:
    here = browser(world)
    with redis_away():
        assert ask(world, by=here).json()["resendInSeconds"] == 30
        assert_error(ask(world, by=here), *LIMITED)
        for number in range(19):
            assert ask(world, f"p{number}@example.com", by=here).status_code == 200
        assert_error(ask(world, "p19@example.com", by=here), *LIMITED)
    assert mails() == []
    tasks.send_codes()
    tasks.send_codes()
    assert len(mails()) == 1
    assert len(django_mail.outbox) == 20
    assert verify(world, last_code()).status_code == 200
