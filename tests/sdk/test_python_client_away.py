"""The Python client when Fanfare is away, answers nonsense or tells to wait: typed errors, few requests."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fanfare_client import (
    FanfareError,
    IllegalMove,
    NotAuthenticated,
    NotFound,
    RateLimited,
    Unavailable,
    Unexpected,
)
from fanfare_client.wire import TRIES

from tests.sdk.shops import (
    CONSUMER,
    CURRENT,
    JWKS,
    KINDS,
    QUEUE,
    SECRET,
    URL,
    Answer,
    Pretender,
    before,
    refused,
)

COMPLETE = f"/api/v1/queues/{QUEUE}/complete"
DONE = {
    "status": "COMPLETED",
    "consumerId": CONSUMER,
    "queueId": QUEUE,
    "enteredAt": "2026-12-01T09:00:00Z",
    "completedAt": "2026-12-01T09:00:01.250000Z",
}
PAGE = "<!doctype html><title>Welcome</title>"


@pytest.fixture
def server() -> Pretender:
    return Pretender()


@pytest.fixture(params=KINDS)
def shop(request: Any, server: Pretender) -> Iterator[Any]:
    with before(request.param, server) as client:
        yield client


def done() -> httpx.Response:
    return httpx.Response(200, json=DONE)


def away() -> Exception:
    return httpx.ConnectError("Connection refused")


def slow() -> Exception:
    return httpx.ReadTimeout("timed out")


def gateway() -> httpx.Response:
    return httpx.Response(502, html=PAGE)


busy = refused(503, "SERVICE_UNAVAILABLE", retryAfter=2)


@pytest.mark.parametrize("failing", [away, slow, gateway, busy, refused(503, "SERVICE_UNAVAILABLE")])
def test_a_call_that_may_be_repeated_is(shop: Any, server: Pretender, failing: Callable[[], Answer]) -> None:
    server.tell(COMPLETE, failing, failing, done)
    assert shop.complete(QUEUE, CONSUMER, order_id="A-1").status == "COMPLETED"
    bodies = [request.content for request in server.requests]
    assert len(bodies) == 3 and len(set(bodies)) == 1
    first, second = server.slept
    assert 0.25 <= first <= 2 and 0.5 <= second <= 2


@pytest.mark.parametrize("failing", [away, slow, gateway, busy])
def test_it_is_not_repeated_for_ever(shop: Any, server: Pretender, failing: Callable[[], Answer]) -> None:
    server.tell(COMPLETE, failing)
    for tries in (3, 6):
        with pytest.raises(Unavailable) as caught:
            shop.complete(QUEUE, CONSUMER)
        assert len(server.requests) == tries
    assert caught.value.status in (None, 502, 503)


def test_what_makes_something_new_is_tried_once(shop: Any, server: Pretender) -> None:
    server.tell("/api/v1/auth/external/authorize", away)
    with pytest.raises(Unavailable):
        shop.authorize("shop", "https://shop.example.com", "4711")
    assert (len(server.requests), server.slept) == (1, [])


def test_too_many_calls_wait_as_they_are_told(shop: Any, server: Pretender) -> None:
    server.tell(COMPLETE, refused(429, "RATE_LIMIT_EXCEEDED", retryAfter=10), done)
    assert shop.complete(QUEUE, CONSUMER).status == "COMPLETED"
    assert server.slept == [10]


@pytest.mark.parametrize("more", [{"retryAfter": 11}, {}])
def test_a_longer_wait_is_left_to_the_caller(shop: Any, server: Pretender, more: dict[str, int]) -> None:
    server.tell(COMPLETE, refused(429, "RATE_LIMIT_EXCEEDED", **more))
    with pytest.raises(RateLimited) as caught:
        shop.complete(QUEUE, CONSUMER)
    assert caught.value.retry_after == more.get("retryAfter")
    assert (len(server.requests), server.slept) == (1, [])


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "AUTHENTICATION_REQUIRED", NotAuthenticated),
        (401, "SECRET_KEY_REQUIRED", NotAuthenticated),
        (404, "QUEUE_NOT_FOUND", NotFound),
        (409, "ILLEGAL_TRANSITION", IllegalMove),
        (409, "SLOT_FULL", FanfareError),
        (400, "VALIDATION_FAILED", FanfareError),
        (423, "QUEUE_NOT_OPEN", FanfareError),
        (500, "INTERNAL_ERROR", FanfareError),
    ],
)
def test_refusals_have_a_type(shop: Any, server: Pretender, status: int, code: str, kind: type) -> None:
    server.tell(COMPLETE, refused(status, code, details=[{"field": "orderId", "message": "no"}]))
    with pytest.raises(FanfareError) as caught:
        shop.complete(QUEUE, CONSUMER)
    problem = caught.value
    assert type(problem) is kind
    assert (problem.status, problem.code, problem.error) == (status, code, code.title())
    assert (problem.message, str(problem)) == ("So it is.", f"{code}: So it is.")
    assert problem.details == [{"field": "orderId", "message": "no"}]
    assert problem.body["requestId"] == "r"
    assert len(server.requests) == 1


NONSENSE: list[httpx.Response] = [
    httpx.Response(200, html=PAGE),
    httpx.Response(404, html=PAGE),
    httpx.Response(500, html=PAGE),
    httpx.Response(200, text=""),
    httpx.Response(204),
    httpx.Response(200, json=[]),
    httpx.Response(200, json={}),
    httpx.Response(200, json={**DONE, "enteredAt": "yesterday"}),
    httpx.Response(200, json={**DONE, "enteredAt": None}),
    httpx.Response(200, content=b"\xff\xfe{"),
    httpx.Response(200, text="[" * 100_000),
    httpx.Response(404, json={"detail": "Not found."}),
    httpx.Response(400, json={"error": 1, "code": "X", "message": "x"}),
    httpx.Response(302, headers={"Location": "https://elsewhere.example.com/"}),
]


@pytest.mark.parametrize("number", range(len(NONSENSE)))
def test_an_answer_that_is_not_fanfares(shop: Any, server: Pretender, number: int) -> None:
    answer = NONSENSE[number]
    told = httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
    server.tell(COMPLETE, lambda: told)
    with pytest.raises(Unexpected) as caught:
        shop.complete(QUEUE, CONSUMER)
    assert (caught.value.status, caught.value.code) == (answer.status_code, "UNEXPECTED")
    assert len(server.requests) == 1  # a redirect is not followed: the key goes nowhere else


def test_an_answer_that_cannot_be_decoded(shop: Any, server: Pretender) -> None:
    server.tell(COMPLETE, lambda: httpx.DecodingError("not gzip"))
    with pytest.raises(Unexpected):
        shop.complete(QUEUE, CONSUMER)
    assert len(server.requests) == 1


@dataclass
class Flow(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body without end: so much at a time, after so many seconds."""

    server: Pretender
    chunk: bytes
    seconds: float
    chunks: int = 0

    def __iter__(self) -> Iterator[bytes]:
        while self.chunks < 1000:
            self.chunks += 1
            self.server.ticks += self.seconds
            yield self.chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in iter(self):
            yield chunk


@pytest.mark.parametrize(("chunk", "seconds"), [(b" ", 4.0), (b" " * 100_000, 0.0)])
def test_a_body_without_end_is_cut_off(shop: Any, server: Pretender, chunk: bytes, seconds: float) -> None:
    flows = [Flow(server, chunk, seconds) for _ in range(TRIES)]
    server.tell(JWKS, *[lambda flow=flow: httpx.Response(200, stream=flow) for flow in flows])
    with pytest.raises(Unavailable):
        shop.check(server.token(), distribution_id=QUEUE)
    assert [0 < flow.chunks <= 11 for flow in flows] == [True] * TRIES


def test_what_a_browser_made_up_is_the_servers_to_refuse(shop: Any, server: Pretender) -> None:
    path = f"/api/v1/queues/{QUEUE}/validate"
    server.tell(path, refused(400, "VALIDATION_FAILED"))
    with pytest.raises(FanfareError) as caught:
        shop.validate(QUEUE, "\ud800", "\udfff", 7)
    assert caught.value.code == "VALIDATION_FAILED"
    (request,) = server.requests
    assert request.content == rb'{"consumerId": "\ud800", "token": "\udfff"}'
    assert request.headers["Content-Type"] == "application/json"
    assert "X-Fingerprint" not in request.headers


def test_a_verdict_is_yes_or_no(shop: Any, server: Pretender) -> None:
    server.tell(f"/api/v1/queues/{QUEUE}/validate", lambda: httpx.Response(200, json={"valid": "yes"}))
    with pytest.raises(Unexpected):
        shop.validate(QUEUE, CONSUMER, "token")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["pk_live_" + "a" * 38, "", "eyJhbGciOi", f"{SECRET}\n", f" {SECRET}"])
def test_a_key_that_is_not_secret_is_refused(kind: Any, key: str) -> None:
    with pytest.raises(ValueError, match="publishable" if key.startswith("pk_") else "sk_live_") as caught:
        kind(key, URL)
    assert not key.strip() or key.strip() not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("address", ["", "fanfare.example.com", "ftp://fanfare.example.com", "https:///x"])
def test_an_address_that_is_none_is_refused(kind: Any, address: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        kind(SECRET, address)


def test_the_secret_key_goes_to_the_api_alone(shop: Any, server: Pretender) -> None:
    shop.check(server.token(), distribution_id=QUEUE)
    sent = {request.url.path: request.headers.get("Authorization") for request in server.requests}
    assert sent == {CURRENT: f"Bearer {SECRET}", JWKS: None}
