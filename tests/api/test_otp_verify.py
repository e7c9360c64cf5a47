"""`POST /auth/otp/verify`: a code opens one session, once, for ten minutes, for few tries."""

from typing import Any

import jwt
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from auth_otp import codes
from auth_otp.models import OtpAddress, OtpChallenge
from consumers.models import Consumer, Session
from fanfare import clock as time
from fanfare import contacts, errors
from tests.api.mailbox import (
    ADA,
    PHONE,
    VERIFY,
    ask,
    browser,
    failures,
    get_code,
    last_challenge,
    last_code,
    verify,
    wrong,
)
from tests.api.servers import redis_away
from tests.world import ApiClient, World, assert_error, make_world

INVALID = (401, "otp_invalid", "OTP_INVALID")
EXPIRED = (401, "otp_expired", "OTP_EXPIRED")
LIMITED = (429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")
DAY = 86_400


def burn(world: World, clock: Any, number: int) -> None:
    """Ask for so many codes and guess each wrong five times; then wait until another may be sent."""
    for _ in range(number):
        code = get_code(world)
        for guess in range(1, 6):
            assert_error(verify(world, wrong(code, guess)), *INVALID)
        clock.shift(600)


@pytest.mark.parametrize(("address", "name"), [(ADA, "email"), (PHONE, "phone")])
def test_a_session(world: World, clock: Any, address: str, name: str) -> None:
    answer = verify(world, get_code(world, address), address)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    consumer = Consumer.objects.get()
    assert body["session"] == {
        "type": "authenticated",
        "consumerId": consumer.id,
        name: address,
        "expiresAt": "2026-12-31T09:00:00Z",
    }
    assert body["accessTokenExpiresAt"] == "2026-12-01T10:00:00Z"
    assert (consumer.is_guest, getattr(consumer, f"{name}_verified_at")) == (False, time.now())
    claims = jwt.decode(body["accessToken"], options={"verify_signature": False})
    assert claims["guest"] is False
    assert (claims["sub"], claims["aud"]) == (consumer.id, world.organization.id)
    assert claims["sid"] == Session.objects.get().id
    bearer = {"Authorization": f"Bearer {body['accessToken']}"}
    assert ApiClient(bearer).get("/organizations/current").status_code == 200
    again = world.shop_front().post("/auth/refresh", {"refreshToken": body["refreshToken"]})
    assert again.json()["session"] == body["session"]


def test_it_works_once(world: World, clock: Any) -> None:
    code = get_code(world)
    assert verify(world, code).status_code == 200
    assert_error(verify(world, code), *INVALID)
    assert Session.objects.count() == 1


def test_with_blanks_as_people_type_it(world: World, clock: Any) -> None:
    code = get_code(world)
    assert verify(world, f" {code[:3]} {code[3:]} ").status_code == 200


def test_ten_minutes(world: World, clock: Any) -> None:
    code = get_code(world)
    clock.shift(599.999)
    assert verify(world, code).status_code == 200
    code = get_code(world)
    clock.shift(600)
    assert_error(verify(world, code), *EXPIRED)
    assert_error(verify(world, wrong(code)), *EXPIRED)
    assert (failures(), last_challenge().attempts) == (0, 0)


def test_five_tries(world: World, clock: Any) -> None:
    code = get_code(world)
    for number in range(1, 6):
        assert_error(verify(world, wrong(code, number)), *INVALID)
    assert_error(verify(world, code), *INVALID)
    assert_error(verify(world, wrong(code, 7)), *INVALID)
    assert (failures(), last_challenge().attempts) == (5, 5)
    assert not Session.objects.exists()


def test_the_fifth_try_may_be_right(world: World, clock: Any) -> None:
    code = get_code(world)
    for number in range(1, 5):
        assert_error(verify(world, wrong(code, number)), *INVALID)
    assert verify(world, code).status_code == 200


def test_a_new_code_voids_the_one_before(world: World, clock: Any) -> None:
    old = get_code(world)
    clock.shift(30)
    new = get_code(world)
    while new == old:  # one time in a million
        clock.shift(600)
        new = get_code(world)
    assert_error(verify(world, old), *INVALID)
    assert verify(world, new).status_code == 200
    assert_error(verify(world, old), *INVALID)


def test_a_new_code_does_not_forget_wrong_ones(world: World, clock: Any) -> None:
    """Twenty a day, whatever was sent or succeeded meanwhile; and then the right one is refused as well."""
    burn(world, clock, 3)
    assert verify(world, get_code(world)).status_code == 200
    assert failures() == 15
    clock.shift(600)
    burn(world, clock, 1)
    code = get_code(world)
    refused = verify(world, code)
    assert_error(refused, *LIMITED)
    oldest = OtpChallenge.objects.filter(attempts__gt=0).earliest("id")
    left = (oldest.expires_at - time.now()).total_seconds() + DAY
    assert int(refused.headers["Retry-After"]) == left
    assert (failures(), last_challenge().attempts, last_challenge().used_at) == (20, 0, None)


def test_the_day_ends(world: World, clock: Any) -> None:
    burn(world, clock, 4)
    code = get_code(world)
    clock.shift(int(verify(world, code).headers["Retry-After"]) - 1)
    assert_error(verify(world, get_code(world)), *LIMITED)
    clock.shift(1)
    code = last_code()
    assert failures() == 15  # those at the oldest code are over, and no others
    for guess in range(1, 6):
        assert_error(verify(world, wrong(code, guess)), *INVALID)
    assert_error(verify(world, code), *LIMITED)


def test_another_address_is_untouched(world: World, clock: Any) -> None:
    burn(world, clock, 4)
    assert_error(verify(world, get_code(world)), *LIMITED)
    assert verify(world, get_code(world, PHONE), PHONE).status_code == 200
    other = make_world()
    assert verify(other, get_code(other)).status_code == 200


def test_two_thousand_guesses(world: World, clock: Any) -> None:
    """A hundred new codes for one address within a day, twenty guesses each, the right one among them:
    none succeeds, twenty are looked at. Once nothing is looked at, guesses go straight to the domain.
    """
    contact, started = contacts.email(ADA), time.now()
    for number in range(100):
        answer = ask(world)
        assert answer.status_code == 200
        code = last_code()
        guesses = [*(wrong(code, guess) for guess in range(1, 20)), code]
        if number < 5:
            assert {verify(world, guess).status_code for guess in guesses} <= {401, 429}
        else:
            with transaction.atomic():
                found = [codes.check(world.organization, contact, one, now=time.now()) for one in guesses]
            assert {type(one) for one in found} == {errors.RateLimited}
        clock.shift(answer.json()["resendInSeconds"])
    assert (time.now() - started).total_seconds() < DAY
    assert OtpChallenge.objects.count() == 100
    assert sum(OtpChallenge.objects.values_list("attempts", flat=True)) == failures() == 20
    assert not OtpChallenge.objects.exclude(used_at=None).exists()
    assert not Session.objects.exists()
    assert not Consumer.objects.exists()


def test_a_success_ends_the_growing_wait(world: World, clock: Any) -> None:
    for wait in (30, 60, 120):
        assert ask(world).json()["resendInSeconds"] == wait
        clock.shift(wait)
    assert verify(world, last_code()).status_code == 200
    assert ask(world).json()["resendInSeconds"] == 30


def test_a_code_of_another_shop_is_worth_nothing(world: World, clock: Any) -> None:
    other = make_world()
    code = get_code(world)
    assert_error(verify(other, code), *INVALID)
    theirs = get_code(other)
    if theirs != code:  # but for one time in a million
        assert_error(verify(other, code), *INVALID)
    assert verify(world, code).status_code == 200
    assert verify(other, theirs).status_code == 200
    assert Consumer.objects.count() == 2


def test_a_code_of_another_address_is_worth_nothing(world: World, clock: Any) -> None:
    code = get_code(world)
    ask(world, "bob@example.com")
    if last_code("bob@example.com") != code:
        assert_error(verify(world, code, "bob@example.com"), *INVALID)
    assert_error(verify(world, code, "eve@example.com"), *INVALID)
    assert verify(world, code).status_code == 200


def test_a_name_fills_an_empty_profile_alone(world: World, clock: Any) -> None:
    def sign_in(**more: str) -> str:
        clock.shift(600)
        verify(world, get_code(world, **more))
        return Consumer.objects.get().full_name

    assert sign_in() == ""
    assert sign_in(name="  Ada Lovelace ") == "Ada Lovelace"
    assert sign_in(name="Mallory") == sign_in(name="") == "Ada Lovelace"


def test_a_name_without_the_code_goes_nowhere(world: World, clock: Any) -> None:
    """Whoever asks in somebody's name does not name them, should they ask again themselves."""
    ask(world, name="Mallory")
    clock.shift(30)
    verify(world, get_code(world))
    assert Consumer.objects.get().full_name == ""


def test_the_same_address_is_the_same_consumer(world: World, clock: Any) -> None:
    found = []
    for address in (ADA, PHONE, ADA, PHONE):
        clock.shift(600)
        session = verify(world, get_code(world, address), address).json()["session"]
        found.append(session["consumerId"])
    assert found[:2] == found[2:]
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": ADA}, "code"),
        ({"email": ADA, "code": ""}, "code"),
        ({"email": ADA, "code": 123456}, "code"),
        ({"email": ADA, "code": None}, "code"),
        ({"email": ADA, "code": "1" * 21}, "code"),
        ({"email": ADA, "code": "12345\0"}, "body"),
        ({"code": "123456"}, "body"),
        ({"email": ADA, "phone": PHONE, "code": "123456"}, "body"),
        ({"email": "ada", "code": "123456"}, "email"),
        ({"phone": "030 901820", "code": "123456"}, "phone"),
        ({"phone": PHONE, "defaultCountry": "XX", "code": "123456"}, "defaultCountry"),
    ],
)
def test_what_is_refused(world: World, body: Any, field: str) -> None:
    problem = assert_error(world.shop_front().post(VERIFY, body), 400, "Validation failed")
    assert [detail["field"] for detail in problem["details"]] == [field]
    assert not OtpAddress.objects.exists()


@pytest.mark.parametrize(
    "guess", ["x", "12345", "1234567", "１２３４５６", "-12345", "0x1234", "é" * 20, "' OR 1=1"]
)
def test_no_code_at_all_is_a_wrong_one(world: World, clock: Any, guess: str) -> None:
    code = get_code(world)
    if guess != code:
        assert_error(verify(world, guess), *INVALID)
    assert verify(world, code).status_code == 200


@pytest.mark.parametrize("asked", [True, False])
def test_a_failure_does_not_tell_whether_somebody_is_known(world: World, clock: Any, asked: bool) -> None:
    """Not by the answer, not by the number of queries: with a code under way, and with none."""
    known, unknown = ADA, "nobody@example.com"
    assert verify(world, get_code(world, known), known).status_code == 200
    clock.shift(7 * DAY)
    found = []
    for address in ("somebody@example.com", known, unknown):  # the first: the key's last use is noted
        code = get_code(world, address) if asked else "123456"
        with CaptureQueriesContext(connection) as queries:
            answer = verify(world, wrong(code), address)
        told = {**assert_error(answer, *INVALID), "requestId": ""}
        found.append((told, answer.headers.keys(), len(queries)))
    assert found[1] == found[2]


def test_without_redis(world: World, clock: Any) -> None:
    """Limits are PostgreSQL's own; a session opens all the same."""
    burn(world, clock, 3)
    code = get_code(world)
    with redis_away():
        for guess in range(1, 6):
            assert_error(verify(world, wrong(code, guess)), *INVALID)
        assert_error(verify(world, code), *LIMITED)
        assert failures() == 20
        clock.shift(DAY + 600)
    code = get_code(world)
    with redis_away():
        assert verify(world, code).status_code == 200


def test_a_name_from_somebody_else_is_not_taken(world: World, clock: Any) -> None:
    """A stranger may ask for somebody's code, and not call them names."""
    ask(world, by=browser(world, "203.0.113.66"), name="Not Your Name")
    assert verify(world, last_code(), by=browser(world, "203.0.113.1")).status_code == 200
    assert Consumer.objects.get().full_name == ""
