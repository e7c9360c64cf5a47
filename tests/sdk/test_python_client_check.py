"""The Python client's check by the public keys: what it refuses, by which clock, how rarely it asks."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fanfare_client import (
    AsyncClient,
    Client,
    NotAuthenticated,
    TokenExpired,
    TokenInvalid,
    Unavailable,
    Unexpected,
)

from tests.sdk.shops import (
    CONSUMER,
    CURRENT,
    JWKS,
    KINDS,
    ORGANIZATION,
    OTHER_QUEUE,
    QUEUE,
    SECRET,
    START,
    URL,
    Pretender,
    before,
    refused,
)

HOUR = 3600


@pytest.fixture
def server() -> Pretender:
    return Pretender()


@pytest.fixture(params=KINDS)
def shop(request: Any, server: Pretender) -> Iterator[Any]:
    with before(request.param, server) as client:
        yield client


def check(shop: Any, token: Any) -> Any:
    return shop.check(token, distribution_id=QUEUE, consumer_id=CONSUMER)


def away() -> Exception:
    return httpx.ConnectError("Connection refused")


def test_what_a_good_token_says(shop: Any, server: Pretender) -> None:
    found = check(shop, server.token())
    assert (found.id, found.consumer_id, found.distribution_id) == ("AAAA", CONSUMER, QUEUE)
    assert (found.admitted_at.timestamp(), found.expires_at.timestamp()) == (START, START + 600)
    assert check(shop, server.token(exp=None)).expires_at is None


# --- What is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, 5, "", "x", "x.y.z", "a" * 4097, "é.é.é", "e30.e30.e30", "W10.e30."])
def test_what_is_no_token_costs_no_request(shop: Any, server: Pretender, token: Any) -> None:
    with pytest.raises(TokenInvalid):
        check(shop, token)
    deep = jwt.utils.base64url_encode(b"[" * 3000).decode()
    with pytest.raises(TokenInvalid):
        check(shop, f"{deep}.e30.AAAA")
    with pytest.raises(TokenInvalid):
        check(shop, server.token(more="x" * 4096))
    assert server.requests == []


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"typ": "JWT"}, "TOKEN_INVALID"),
        ({"typ": "receipt+jwt"}, "TOKEN_INVALID"),
        ({"aud": "org_other"}, "TOKEN_INVALID"),
        ({"aud": None}, "TOKEN_INVALID"),
        ({"jti": None}, "TOKEN_INVALID"),
        ({"sub": None}, "TOKEN_INVALID"),
        ({"exp": "soon"}, "TOKEN_INVALID"),
        ({"exp": 10**20}, "TOKEN_INVALID"),
        ({"iat": int(START) + 6}, "TOKEN_INVALID"),
        ({"distributionId": OTHER_QUEUE}, "WRONG_DISTRIBUTION"),
        ({"sub": "cons_other"}, "CONSUMER_MISMATCH"),
    ],
)
def test_what_is_signed_but_not_for_this(
    shop: Any, server: Pretender, claims: dict[str, Any], code: str
) -> None:
    with pytest.raises(TokenInvalid) as caught:
        check(shop, server.token(**claims))
    assert (caught.value.code, caught.value.status) == (code, None)


def test_what_is_forged(shop: Any, server: Pretender) -> None:
    good = server.token()
    said = jwt.decode(good, options={"verify_signature": False})
    head = {"kid": server.kid, "typ": "admission+jwt"}
    public = server.published().json()["keys"][0]["x"]
    forged = [
        jwt.encode(said, Ed25519PrivateKey.generate(), "EdDSA", headers=head),
        jwt.encode(said, public, "HS256", headers=head),
        jwt.encode(said, "", "none", headers=head),
        good[:-4] + "AAAA",
        good.rpartition(".")[0] + ".",
    ]
    for token in forged:
        with pytest.raises(TokenInvalid):
            check(shop, token)
    assert check(shop, good)


# --- The clock -------------------------------------------------------------------------------------


def test_the_end_is_exact_but_for_the_leeway(shop: Any, server: Pretender) -> None:
    token = server.token()
    server.at = START + 604.9
    assert check(shop, token)
    server.at = START + 605
    with pytest.raises(TokenExpired) as caught:
        check(shop, token)
    assert caught.value.code == "TOKEN_EXPIRED"


@pytest.mark.parametrize(("off", "problem"), [(HOUR, TokenExpired), (-HOUR, TokenInvalid)])
def test_a_clock_that_is_off_by_an_hour(
    shop: Any, server: Pretender, off: float, problem: type[TokenInvalid]
) -> None:
    server.at = START + off
    with pytest.raises(problem, match="clock") as caught:
        check(shop, server.token())
    assert type(caught.value) is problem


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("off", [HOUR, -HOUR])
def test_the_servers_clock_may_count(server: Pretender, kind: Any, off: float) -> None:
    """By answers of now, and by one that a cache kept for a minute."""
    dates = [("Tue, 01 Dec 2026 09:00:00 GMT", "0"), ("Tue, 01 Dec 2026 08:59:00 GMT", "60")]
    for date, age in dates:
        server.at = START + off
        server.headers = {"Date": date, "Age": age}
        with before(kind, server, use_server_clock=True) as shop:
            assert check(shop, server.token())
            server.at += 598
            assert check(shop, server.token())
            server.at += 10
            with pytest.raises(TokenExpired):
                check(shop, server.token())


def test_half_of_what_an_answer_takes_is_on_the_way_back(server: Pretender) -> None:
    """An answer of a minute, whose Date is of the middle of it."""

    def slow() -> httpx.Response:
        server.at += 60
        server.ticks += 60
        return server.published()

    server.at, server.headers = START + HOUR, {"Date": "Tue, 01 Dec 2026 09:00:30 GMT"}
    server.tell(JWKS, slow)
    with before(Client, server, use_server_clock=True) as shop:
        assert check(shop, server.token())
        server.at = START + HOUR + 606
        with pytest.raises(TokenExpired):
            check(shop, server.token())


@pytest.mark.parametrize("date", ["", "now", "Tue, 99 Dec 2026 09:00:00 GMT"])
def test_a_date_that_is_none_is_passed_over(server: Pretender, date: str) -> None:
    server.headers = {"Date": date}
    with before(Client, server, use_server_clock=True) as shop:
        assert check(shop, server.token())


# --- How often the keys are fetched ----------------------------------------------------------------


def test_keys_are_kept_for_ten_minutes(shop: Any, server: Pretender) -> None:
    for at, fetched in [(0, 1), (1, 1), (599, 1), (600, 2), (1199, 2), (1200, 3)]:
        server.ticks = at
        check(shop, server.token())
        assert server.count(JWKS) == fetched
    assert server.count(CURRENT) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_organization_that_is_told_is_not_asked_for(server: Pretender, kind: Any) -> None:
    with before(kind, server, organization_id=ORGANIZATION) as shop:
        assert check(shop, server.token())
    assert [request.url.path for request in server.requests] == [JWKS]


def test_made_up_kids_cause_no_burst(shop: Any, server: Pretender) -> None:
    check(shop, server.token())
    for number in range(1000):
        server.ticks = number / 10  # a hundred seconds
        with pytest.raises(TokenInvalid):
            check(shop, server.token(kid=f"made-up-{number}"))
        assert server.count(JWKS) <= 1 + 1 + number // 100
    assert server.count(JWKS) == 1 + 10
    assert check(shop, server.token())


def test_a_new_kid_is_fetched_at_once(shop: Any, server: Pretender) -> None:
    check(shop, server.token())
    server.kid, server.private = "kid-2", Ed25519PrivateKey.generate()
    assert check(shop, server.token())
    assert server.count(JWKS) == 2


def test_old_keys_serve_for_a_while(shop: Any, server: Pretender) -> None:
    token = server.token()
    check(shop, token)
    server.tell(JWKS, away)
    for at in range(600, HOUR):
        server.ticks = at
        assert check(shop, token)
        assert server.count(JWKS) == 1 + 1 + (at - 600) // 10
    server.ticks = HOUR + 600
    with pytest.raises(Unavailable):
        check(shop, token)
    server.tell(JWKS, server.published)
    with pytest.raises(Unavailable):
        check(shop, token)
    server.ticks += 10
    assert check(shop, token)


def test_a_new_kid_is_not_called_forged_while_keys_cannot_be_fetched(shop: Any, server: Pretender) -> None:
    check(shop, server.token())
    server.kid, server.private = "kid-2", Ed25519PrivateKey.generate()
    server.tell(JWKS, away)
    for _ in range(2):
        with pytest.raises(Unavailable):
            check(shop, server.token())
    server.tell(JWKS, server.published)
    server.ticks += 10
    assert check(shop, server.token())


def test_a_failure_that_is_over_holds_nothing_up(shop: Any, server: Pretender) -> None:
    """With the keys back, a new one is fetched at once."""
    check(shop, server.token())
    server.tell(JWKS, away)
    server.ticks = 600
    check(shop, server.token())
    server.tell(JWKS, server.published)
    server.ticks = 610
    check(shop, server.token())
    server.kid, server.private = "kid-2", Ed25519PrivateKey.generate()
    server.ticks = 611
    assert check(shop, server.token())
    assert server.count(JWKS) == 4


@pytest.mark.parametrize("path", [JWKS, CURRENT])
def test_a_server_that_was_never_there(shop: Any, server: Pretender, path: str) -> None:
    server.tell(path, away)
    for _ in range(100):
        with pytest.raises(Unavailable) as caught:
            check(shop, server.token())
        assert "Connection refused" in str(caught.value)
    assert server.count(path) == 3
    server.tell(
        path, server.published if path == JWKS else lambda: httpx.Response(200, json={"id": ORGANIZATION})
    )
    server.ticks += 10
    assert check(shop, server.token())


@pytest.mark.parametrize(
    "keys", ["<html>", '{"keys": []}', '{"keys": [{"kty": "RSA", "kid": "kid-1"}]}', '{"keys": 5}',
             '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "kid-1"}]}'],
)  # fmt: skip
def test_keys_that_are_none(shop: Any, server: Pretender, keys: str) -> None:
    server.tell(JWKS, lambda: httpx.Response(200, text=keys))
    for _ in range(10):
        with pytest.raises(Unexpected):
            check(shop, server.token())
    assert server.count(JWKS) == 1


def test_a_wrong_key_is_said_as_such(shop: Any, server: Pretender) -> None:
    server.tell(CURRENT, refused(401, "AUTHENTICATION_REQUIRED"))
    for _ in range(10):
        with pytest.raises(NotAuthenticated):
            check(shop, server.token())
    assert len(server.requests) == 1


# --- Many at once ----------------------------------------------------------------------------------


class Gate(Pretender):
    """Lets nobody have the keys before it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened, self.asked = threading.Event(), threading.Event()
        self.opened.set()

    def published(self) -> httpx.Response:
        self.asked.set()
        assert self.opened.wait(10)
        return super().published()


def test_threads_fetch_once_and_wait_for_keys_alone() -> None:
    server = Gate()
    server.opened.clear()
    with before(Client, server) as shop, ThreadPoolExecutor(16) as threads:
        waiting = [threads.submit(check, shop, server.token()) for _ in range(16)]
        assert server.asked.wait(10)
        server.opened.set()
        assert all(one.result() for one in waiting)
        assert server.count(JWKS) == 1

        server.ticks = 600
        server.opened.clear()
        server.asked.clear()
        fetching = threads.submit(check, shop, server.token())
        assert server.asked.wait(10)
        assert check(shop, server.token())  # by the old keys, while another thread is fetching new ones
        assert not fetching.done()
        server.opened.set()
        assert fetching.result()
        assert server.count(JWKS) == 2


def test_tasks_fetch_once_and_wait_for_keys_alone() -> None:
    server = Pretender()
    opened = asyncio.Event()

    class Gated(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = server.handle_request(request)
            await opened.wait()
            return answer

    async def crowd() -> None:
        async with AsyncClient(SECRET, URL, transport=Gated(), options=server.options()) as shop:
            waiting = [asyncio.create_task(checked(shop)) for _ in range(50)]
            await asyncio.sleep(0.01)
            assert not any(one.done() for one in waiting)
            opened.set()
            await asyncio.gather(*waiting)
            assert server.count(JWKS) == 1

            server.ticks = 600
            opened.clear()
            fetching = asyncio.create_task(checked(shop))
            await asyncio.sleep(0.01)
            await checked(shop)  # by the old keys, while another task is fetching new ones
            assert not fetching.done()
            opened.set()
            await fetching
            assert server.count(JWKS) == 2

    async def checked(shop: AsyncClient) -> None:
        token = server.token()
        found = await asyncio.wait_for(shop.check(token, distribution_id=QUEUE), 10)
        assert found.consumer_id == CONSUMER

    asyncio.run(crowd())
