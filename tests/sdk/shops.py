"""Shop's servers for tests of the Python client: before Fanfare itself, or before one that misbehaves.

Tests are written once and run with both clients: the one to be awaited is awaited here.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.wsgi import get_wsgi_application
from django.db import connection
from fanfare_client import AsyncClient, Client, Options
from jwt.algorithms import OKPAlgorithm

from tests.contract import conformance

KINDS = [Client, AsyncClient]
URL = "http://localhost"
SECRET = "sk_test_" + "a" * 38
ORGANIZATION, CONSUMER = "org_" + "0" * 26, "cons_" + "1" * 26
QUEUE, OTHER_QUEUE = "queue_" + "2" * 26, "queue_" + "3" * 26
START = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC).timestamp()
JWKS, CURRENT = "/.well-known/jwks.json", "/api/v1/organizations/current"
Answer = httpx.Response | Exception


class Awaited:
    """An AsyncClient that is used as if it were none."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self.client, self.runner = client, runner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        return lambda *args, **kwargs: self.runner.run(method(*args, **kwargs))


class Fanfare(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Fanfare itself in this process; each answer of the API is held against the schema."""

    def __init__(self) -> None:
        self.wsgi = httpx.WSGITransport(get_wsgi_application())
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        answer = self.wsgi.handle_request(request)
        answer.read()
        if request.url.path.startswith("/api/"):
            shown: Any = answer
            conformance.check(request.method, request.url.path, shown)
        return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        found = await asyncio.to_thread(self._in_thread, request)
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    def _in_thread(self, request: httpx.Request) -> httpx.Response:
        try:
            return self.handle_request(request)
        finally:
            connection.close()


@dataclass
class Pretender(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers as it is told, path by path, and tells what it was asked; signs tokens; has the clocks.

    What is told for a path may be several answers, of which the last one stays.
    """

    kid: str = "kid-1"
    at: float = START  # what the shop's machine takes for the time
    ticks: float = 0.0
    told: dict[str, list[Callable[[], Answer]]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)  # that the keys come with
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def __post_init__(self) -> None:
        self.tell(JWKS, self.published)
        self.tell(CURRENT, self.organization)

    def published(self) -> httpx.Response:
        key = OKPAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return httpx.Response(200, json={"keys": [{**key, "kid": self.kid}]}, headers=self.headers)

    def organization(self) -> httpx.Response:
        return httpx.Response(200, json={"id": ORGANIZATION})

    def tell(self, path: str, *answers: Callable[[], Answer]) -> None:
        self.told[path] = list(answers)

    def count(self, path: str) -> int:
        return sum(request.url.path == path for request in self.requests)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answers = self.told[request.url.path]
        found = (answers.pop(0) if len(answers) > 1 else answers[0])()
        if isinstance(found, Exception):
            raise found
        return found

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return self.handle_request(request)

    def token(self, *, kid: str | None = None, typ: str = "admission+jwt", **claims: Any) -> str:
        """Of an admission that lasts ten minutes; a claim that is None is left out."""
        said = {
            "iss": URL, "aud": ORGANIZATION, "sub": CONSUMER, "jti": "AAAA", "iat": int(START),
            "exp": int(START) + 600, "distributionType": "queue", "distributionId": QUEUE,
            "experienceId": "exp_1", "sequenceId": "seq_1", **claims,
        }  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        headers = {"kid": kid or self.kid, "typ": typ}
        return jwt.encode(said, self.private, "EdDSA", headers=headers)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ticks += seconds

    async def sleep_awaited(self, seconds: float) -> None:
        self.sleep(seconds)

    def options(self, **more: Any) -> Options:
        return Options(now=lambda: self.at, ticks=lambda: self.ticks, **more)


@contextmanager
def client_of(kind: Any, transport: Any, key: str, **more: Any) -> Iterator[Any]:
    """A client of that kind, used alike; closed at the end."""
    if kind is Client:
        with Client(key, URL, transport=transport, **more) as client:
            yield client
        return
    with asyncio.Runner() as runner:
        awaited = Awaited(AsyncClient(key, URL, transport=transport, **more), runner)
        yield awaited
        awaited.close()


@contextmanager
def before(kind: Any, pretender: Pretender, **options: Any) -> Iterator[Any]:
    """A client before a pretender, with its clocks."""
    sleep: Any = pretender.sleep if kind is Client else pretender.sleep_awaited
    made = pretender.options(**options)
    with client_of(kind, pretender, SECRET, sleep=sleep, options=made) as client:
        yield client


def refused(status: int, code: str, **more: Any) -> Callable[[], httpx.Response]:
    """The contract's error, which `more` adds to; a Retry-After where it has one."""
    body = {"error": code.title(), "code": code, "message": "So it is.", "requestId": "r", **more}
    headers = {"Retry-After": str(more["retryAfter"])} if "retryAfter" in more else {}
    return lambda: httpx.Response(status, json=body, headers=headers)
