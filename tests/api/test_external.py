"""External sign-in: the shop's server names a customer, the browser exchanges a code for a session."""

from typing import Any

import orjson
import pytest

from consumers.models import Consumer, ExchangeCode, Identity
from experiences.models import Event
from tests.api.mailbox import get_code, verify
from tests.concurrency.race import race
from tests.world import AUTHORIZE, EXCHANGE, SHOP, ConsumerClient, World, assert_error, make_world

EMAIL = "ada@example.com"


def exchange(world: World, code: str) -> Any:
    return world.shop_front().post(EXCHANGE, {"exchangeCode": code})


def sign_in_by_otp(world: World, email: str) -> ConsumerClient:
    """Ask for a code by mail and send it back."""
    return world.signed_in(verify(world, get_code(world, email), email))


def profile(world: World, consumer_id: str) -> dict[str, Any]:
    body = world.server().get(f"/consumers/{consumer_id}").json()
    return {name: body[name] for name in ("email", "phone", "fullName")}


def claims_of(size: int) -> dict[str, Any]:
    """Claims of exactly so many bytes as JSON."""
    claims = {"email": EMAIL, "padding": ""}
    return claims | {"padding": "x" * (size - len(orjson.dumps(claims)))}


# --- authorize and exchange ---


def test_a_customer_is_created_once_and_signed_in(world: World, clock: Any) -> None:
    first = world.authorize("4711", email=EMAIL, name="Ada Lovelace")
    assert first.status_code == 200
    body = first.json()
    assert body["exchangeCode"].startswith("exc_")
    assert (body["resolution"], body["expiresAt"]) == ("created", "2026-12-01T09:01:00Z")

    answer = exchange(world, body["exchangeCode"])
    session = answer.json()["session"]
    consumer = world.signed_in(answer)
    assert (session["type"], session["email"]) == ("authenticated", EMAIL)
    assert "guestId" not in session
    me = consumer.get("/consumers/me").json()
    assert (me["id"], me["isGuest"], me["fullName"]) == (consumer.id, False, "Ada Lovelace")

    second = world.authorize("4711").json()
    assert second["resolution"] == "existing"
    assert world.signed_in(exchange(world, second["exchangeCode"])).id == consumer.id
    shown = world.server().get(f"/consumers/{consumer.id}").json()
    assert shown["externalIds"] == [{**SHOP, "subject": "4711"}]
    assert [event.name for event in Event.objects.filter(consumer_id=consumer.id).order_by("id")] == [
        "consumer.created",
        "session.opened",
        "session.opened",
    ]


def test_a_code_works_for_sixty_seconds(world: World, clock: Any) -> None:
    in_time, late = (world.authorize("4711").json()["exchangeCode"] for _ in range(2))
    clock.shift(59)
    assert exchange(world, in_time).status_code == 200
    clock.shift(1)
    assert_error(exchange(world, late), 401, "exchange_code_expired")
    assert_error(exchange(world, late), 401, "exchange_code_expired")


def test_a_code_works_once(world: World, clock: Any) -> None:
    code = world.authorize("4711").json()["exchangeCode"]
    assert exchange(world, code).status_code == 200
    assert_error(exchange(world, code), 401, "invalid_exchange_code")
    clock.shift(3600)
    assert_error(exchange(world, code), 401, "invalid_exchange_code")


def test_one_code_exchanged_at_once_opens_one_session(world: World) -> None:
    code = world.authorize("4711").json()["exchangeCode"]
    answers = race(12, lambda _: exchange(world, code)).all()
    assert sorted(answer.status_code for answer in answers) == [200] + 11 * [401]
    assert {a.json()["error"] for a in answers if a.status_code == 401} == {"invalid_exchange_code"}
    assert Event.objects.filter(name="session.opened").count() == 1


@pytest.mark.parametrize("text", ["exc_", "exc_nope", "x", "exc_ü" + "x" * 42, "' OR 1=1 --"])
def test_an_unknown_code(world: World, text: str) -> None:
    assert_error(exchange(world, text), 401, "invalid_exchange_code")


@pytest.mark.parametrize(
    "body", [{}, {"exchangeCode": None}, {"exchangeCode": 7}, {"exchangeCode": "x" * 201}]
)
def test_a_code_that_can_be_none(world: World, body: Any) -> None:
    assert_error(world.shop_front().post(EXCHANGE, body), 400, "Validation failed")


def test_another_organizations_code_is_unknown_and_stays_good(world: World, clock: Any) -> None:
    code = world.authorize("4711").json()["exchangeCode"]
    assert_error(exchange(make_world(), code), 401, "invalid_exchange_code")
    assert exchange(world, code).status_code == 200
    late = world.authorize("4711").json()["exchangeCode"]
    clock.shift(60)
    assert_error(exchange(make_world(), late), 401, "invalid_exchange_code")


def test_only_the_secret_key_names_customers(world: World) -> None:
    body = {**SHOP, "subject": "4711"}
    for client in (world.shop_front(), world.consumer(), world.member()):
        before = Consumer.objects.count(), ExchangeCode.objects.count()
        assert_error(client.post(AUTHORIZE, body), 401, "Secret key required")
        assert (Consumer.objects.count(), ExchangeCode.objects.count()) == before


def test_codes_are_kept_as_hashes(world: World) -> None:
    text = world.authorize("4711").json()["exchangeCode"]
    for row in (*ExchangeCode.objects.values(), *Event.objects.values()):
        assert text.removeprefix("exc_") not in str(row)


# --- who is who ---


def test_two_identities_with_one_address_are_two_people(world: World) -> None:
    people = {
        world.member(EMAIL, subject="1").id,
        world.member(EMAIL, subject="2").id,
        sign_in_by_otp(world, EMAIL).id,
    }
    assert len(people) == 3
    assert {profile(world, person)["email"] for person in people} == {EMAIL}


@pytest.mark.parametrize("is_verified", [True, False])
def test_a_code_by_mail_does_not_open_what_only_claims_named(world: World, is_verified: bool) -> None:
    named = world.member(EMAIL, subject="4711", email_verified=is_verified)
    proved = sign_in_by_otp(world, EMAIL)
    assert proved.id != named.id
    assert sign_in_again(world, EMAIL) == proved.id
    assert world.member(subject="4711").id == named.id


def sign_in_again(world: World, email: str) -> str:
    """Whom the address' identity names by now."""
    return Identity.objects.get(provider="email", issuer="", subject=email).consumer_id


@pytest.mark.parametrize(("provider", "subject"), [("email", EMAIL), ("phone", "+4930901820")])
def test_a_shops_provider_cannot_pass_for_a_proved_address(world: World, provider: str, subject: str) -> None:
    proved = sign_in_by_otp(world, EMAIL)
    for issuer in ("https://shop.example.com", "email", "x"):
        body = {"provider": provider, "issuer": issuer, "subject": subject}
        answer = world.server().post(AUTHORIZE, body)
        assert answer.json()["resolution"] == "created"
    for none in ("", " ", "\t", None):
        empty = {"provider": provider, "issuer": none, "subject": subject}
        assert_error(world.server().post(AUTHORIZE, empty), 400, "Validation failed")
    assert sign_in_again(world, EMAIL) == proved.id
    assert profile(world, proved.id)["email"] == EMAIL


def test_one_subject_at_two_places_is_two_people(world: World) -> None:
    names = [
        {"provider": provider, "issuer": issuer, "subject": "4711"}
        for provider in ("shop", "Shop")
        for issuer in ("https://a.example.com", "https://A.example.com", "https://a.example.com/")
    ]
    for body in names:
        assert world.server().post(AUTHORIZE, body).json()["resolution"] == "created"
    assert make_world().authorize("4711").json()["resolution"] == "created"
    assert Consumer.objects.count() == len(names) + 1


LOOK_ALIKES = [
    "ada", "Ada", "ada ", " ada", "аda", "ada\u200b", "a\u0301da", "\u00e1da", "ａｄａ", "ada\n", "𝒶da",
    "4711", "٤٧١١", "4711.0", "x" * 319, "x" * 320, "x" * 319 + "y", "'; DROP TABLE--", "%", "_", "🦊" * 320,
]  # fmt: skip


def test_subjects_that_look_alike_stay_apart(world: World) -> None:
    ids = {world.member(subject=subject).id for subject in LOOK_ALIKES}
    assert len(ids) == len(LOOK_ALIKES)
    assert {world.member(subject=subject).id for subject in LOOK_ALIKES} == ids
    assert set(Identity.objects.values_list("subject", flat=True)) == set(LOOK_ALIKES)


@pytest.mark.parametrize("subject", ["", "a\0b", "\0", "x" * 321, "🦊" * 321, None, 4711, True, ["4711"], {}])
def test_subjects_that_are_none(world: World, subject: Any) -> None:
    assert_error(world.server().post(AUTHORIZE, {**SHOP, "subject": subject}), 400, "Validation failed")
    assert not Consumer.objects.exists()


@pytest.mark.parametrize("provider", ["", "a b", "ä", "x" * 51, "a/b", None])
def test_providers_that_are_none(world: World, provider: Any) -> None:
    body = {**SHOP, "provider": provider, "subject": "4711"}
    assert_error(world.server().post(AUTHORIZE, body), 400, "Validation failed")


def test_one_new_customer_named_at_once_is_one_consumer(world: World) -> None:
    answers = race(16, lambda _: world.authorize("4711", email=EMAIL)).all()
    assert [answer.status_code for answer in answers] == [200] * 16
    resolutions = sorted(answer.json()["resolution"] for answer in answers)
    assert resolutions == ["created"] + ["existing"] * 15
    assert len({world.signed_in(exchange(world, a.json()["exchangeCode"])).id for a in answers}) == 1
    assert (Consumer.objects.count(), Identity.objects.count()) == (1, 1)
    assert Event.objects.filter(name="consumer.created").count() == 1
    assert not Event.objects.filter(name="consumer.updated").exists()


# --- claims ---


def test_claims_fill_what_is_empty_and_nothing_else(world: World) -> None:
    one = world.member(subject="4711").id
    assert profile(world, one) == {"email": None, "phone": None, "fullName": None}
    world.authorize("4711", email="Ada@Example.com", name="  Ada  ")
    world.authorize("4711", email="eve@example.com", phone_number="+49 30 901820", name="Eve")
    world.authorize("4711", email="", phone="+4930901821", name=None)
    expected = {"email": EMAIL, "phone": "+4930901820", "fullName": "Ada"}
    assert profile(world, one) == expected
    updates = Event.objects.filter(name="consumer.updated", consumer_id=one).order_by("id")
    assert [event.data for event in updates] == [{"filled": ["email", "full_name"]}, {"filled": ["phone"]}]
    assert {event.actor.partition(":")[0] for event in updates} == {"key"}


def test_claims_at_once_never_overwrite_one_another(world: World) -> None:
    """Whichever address came first stays: what the trace says was filled, was filled once."""
    for number in range(8):
        one = world.member(subject=f"s{number}").id
        race(6, lambda index, n=number: world.authorize(f"s{n}", email=f"e{index}@example.com")).all()  # type: ignore[misc]
        fills = Event.objects.filter(name="consumer.updated", consumer_id=one)
        assert [event.data for event in fills] == [{"filled": ["email"]}]


@pytest.mark.parametrize("alias", ["phone", "phone_number", "phoneNumber"])
def test_openid_connects_names_and_ours(world: World, alias: str) -> None:
    claims: dict[str, Any] = {alias: "+4930901820", "fullName": "Ada", "sub": "x", "extra": {}}
    one = world.member(subject="4711", **claims).id
    assert profile(world, one) == {"email": None, "phone": "+4930901820", "fullName": "Ada"}


def test_claims_of_ten_thousand_bytes_are_taken_and_no_more(world: World) -> None:
    assert world.authorize("1", **claims_of(10_000)).json()["resolution"] == "created"
    body = assert_error(world.authorize("2", **claims_of(10_001)), 400, "Validation failed")
    assert body["details"] == [{"field": "claims", "message": "At most 10,000 bytes."}]
    umlauts = {"padding": "ä" * 4_995}  # 9,990 bytes in UTF-8, with quotes and name a few over
    assert_error(world.authorize("3", **umlauts), 400, "Validation failed")
    assert Identity.objects.count() == 1
    assert "padding" not in str(list(Consumer.objects.values()) + list(Event.objects.values()))


WRONG_CLAIMS: list[tuple[Any, str]] = [
    (None, "claims"), ([], "claims"), ("x", "claims"), (7, "claims"), (True, "claims"),
    ({"email": 7}, "claims.email"), ({"email": "nobody"}, "claims.email"),
    ({"email": ["a@b.de"]}, "claims.email"),
    ({"email": {"$ne": ""}}, "claims.email"), ({"email": "аda@example.com" + "x" * 250}, "claims.email"),
    ({"phone": "112"}, "claims.phone"), ({"phone_number": 4930901820}, "claims.phoneNumber"),
    ({"name": "x" * 201}, "claims.name"), ({"fullName": ["Ada"]}, "claims.fullName"),
    ({"name": True}, "claims.name"), ({"email": False}, "claims.email"),
]  # fmt: skip


@pytest.mark.parametrize(("claims", "field"), WRONG_CLAIMS)
def test_wrong_claims_are_named_and_make_nobody(world: World, claims: Any, field: str) -> None:
    answer = world.server().post(AUTHORIZE, {**SHOP, "subject": "4711", "claims": claims})
    details = assert_error(answer, 400, "Validation failed")["details"]
    assert [detail["field"] for detail in details] == [field]
    assert not Consumer.objects.exists()


HOSTILE_CLAIMS = [
    '{"name": "a\\u0000b"}', '{"x": ' + "[" * 300 + "]" * 300 + "}", '{"n": 1e999}', '{"x\\u0000": 1}',
    '{"n": 123456789012345678901234567890}', '{"name": "\\ud800"}', '{"x": NaN}', '{"x": {"y": "\\u0000"}}',
]  # fmt: skip


@pytest.mark.parametrize("claims", HOSTILE_CLAIMS)
def test_hostile_claims_are_refused_or_ignored(world: World, claims: str) -> None:
    text = f'{{"provider": "shop", "issuer": "x", "subject": "1", "claims": {claims}}}'
    answer = world.server().send("POST", AUTHORIZE, text)
    assert answer.status_code in (200, 400), answer.json()


@pytest.mark.parametrize("said", ["true", 1, "yes", [True], None, False])
def test_only_true_means_verified(world: World, said: Any) -> None:
    world.member(EMAIL, subject="4711", email_verified=said, phone="+4930901820", phoneVerified=said)
    person = Consumer.objects.get()
    assert (person.email, person.email_verified_at, person.phone_verified_at) == (EMAIL, None, None)


def test_a_verified_address_verifies_only_itself(world: World) -> None:
    world.authorize("4711", email=EMAIL)
    world.authorize("4711", email="eve@example.com", email_verified=True)
    assert Consumer.objects.get().email_verified_at is None
    world.authorize("4711", email=EMAIL, emailVerified=True)
    assert Consumer.objects.get().email_verified_at is not None
