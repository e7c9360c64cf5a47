"""The two clients, which differ in awaiting alone: they send, wait and lock.

What is said and judged is in `wire` and `tokens`.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

import httpx

from fanfare_client import bounds, tokens, wire
from fanfare_client.errors import FanfareError
from fanfare_client.tokens import Admission, Keyring, ServerClock
from fanfare_client.wire import Call, Consumer, ExchangeCode, Standing, Verdict

T = TypeVar("T")
TIMEOUT_SECONDS = 10.0
_SECRET_KEY = re.compile("sk_(live|test)_[0-9A-Za-z]+")
_wall: Callable[[], float] = time.time  # noqa: TID251 (the package stands alone; tests give another clock)


@dataclass(frozen=True)
class Options:
    """How `check` judges.

    `organization_id`: asked for once, unless given. `leeway_seconds`: how far the clocks may differ.
    `keys_seconds`: how long public keys are kept. `use_server_clock`: judge times by the `Date` of the
    server's answers, where this machine's clock is not to be trusted. `now` (seconds since 1970) and
    `ticks` (seconds that only go forward) are for tests.
    """

    organization_id: str | None = None
    leeway_seconds: float = 5.0
    keys_seconds: float = 600.0
    use_server_clock: bool = False
    now: Callable[[], float] = _wall
    ticks: Callable[[], float] = time.monotonic


class _Base:
    """All that needs no I/O."""

    def __init__(self, secret_key: str, base_url: str, timeout: float, options: Options | None) -> None:
        _require_secret(secret_key)
        if not re.match("https?://[^/]", base_url):
            raise ValueError("base_url is Fanfare's address, such as https://fanfare.example.com.")
        self._url = base_url.rstrip("/")
        # httpx shows this header as [secure].
        self._authorization = httpx.Headers({"Authorization": f"Bearer {secret_key}"})
        self._timeout = timeout
        self._options = options or Options()
        self._server_clock = ServerClock() if self._options.use_server_clock else None
        self._ticks = self._options.ticks
        self._keys = Keyring(self._options.organization_id, self._options.keys_seconds)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def _request(self, http: httpx.Client | httpx.AsyncClient, call: Call[T]) -> httpx.Request:
        headers = httpx.Headers() if call.is_public else self._authorization.copy()
        headers.update(call.headers)
        if call.content is not None:
            headers["Content-Type"] = "application/json"
        return http.build_request(call.method, self._url + call.path, content=call.content, headers=headers)

    def _bound(self, answer: httpx.Response) -> None:
        """Before the body is read."""
        bounds.bind(answer, self._timeout, self._ticks)

    def _read(self, call: Call[T], answer: httpx.Response, sent_at: float) -> T:
        if self._server_clock is not None:
            self._server_clock.note(answer, self._options.now(), self._ticks() - sent_at)
        return wire.read(call, answer)

    def _tries(self) -> int:
        """How often to try a fetch: just once where old keys will do meanwhile."""
        return 1 if self._keys.is_fresh(self._ticks()) else wire.TRIES

    def _judge(self, token: str, kid: str, distribution_id: str, consumer_id: str | None) -> Admission:
        claims = self._keys.read(token, kid, self._ticks())
        now = self._options.now() + (self._server_clock.ahead if self._server_clock else 0.0)
        return tokens.judge(claims, distribution_id, consumer_id, now, self._options.leeway_seconds)


class Client(_Base):
    """Fanfare for one organization. One for the whole process; threads may share it.

    Every method raises FanfareError or one of its subclasses. See AsyncClient for the same, awaited.
    """

    def __init__(
        self,
        secret_key: str,
        base_url: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
        options: Options | None = None,
    ) -> None:
        """`timeout`: seconds of a step, thrice that for a body. Raises ValueError for no key or address."""
        super().__init__(secret_key, base_url, timeout, options)
        self._http = httpx.Client(
            timeout=timeout, transport=transport, event_hooks={"response": [self._bound]}
        )
        self._sleep = sleep
        self._lock = threading.Lock()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections up."""
        self._http.close()

    def check(self, token: str, *, distribution_id: str, consumer_id: str | None = None) -> Admission:
        """What the token says, by the public keys alone: no request, but now and then one for the keys.

        Whether it was used, only `validate` knows; also that a guest is somebody with another id by now.
        Raises TokenExpired, TokenInvalid, or Unavailable where the keys were never to be had.
        """
        kid = tokens.kid_of(token)
        self._fetch_keys(kid)
        return self._judge(token, kid, distribution_id, consumer_id)

    def validate(
        self, distribution_id: str, consumer_id: str, token: str, fingerprint: str | None = None
    ) -> Verdict:
        """Fanfare's own word on a token. `fingerprint`: the shopper's, passed on.

        A token that is not valid is an answer; another device (`FP002`), or none (`FP001`), is raised.
        """
        return self._make(wire.validate(distribution_id, consumer_id, token, fingerprint))

    def admit(self, distribution_id: str, consumer_id: str) -> Standing:
        """Admit a consumer to a queue out of turn; the answer has their token."""
        return self._make(wire.move("admit", distribution_id, consumer_id))

    def complete(
        self,
        distribution_id: str,
        consumer_id: str,
        *,
        order_id: str | None = None,
        booking_id: str | None = None,
    ) -> Standing:
        """The consumer is done. `booking_id`: which of several bookings. Raises IllegalMove, NotFound."""
        more = {"orderId": order_id, "bookingId": booking_id}
        return self._make(wire.move("complete", distribution_id, consumer_id, **more))

    def deny(
        self, distribution_id: str, consumer_id: str, *, reason: str, booking_id: str | None = None
    ) -> Standing:
        """Turn a consumer away, for a reason of the contract or in own words, of 200 characters at most."""
        more = {"reason": reason, "bookingId": booking_id}
        return self._make(wire.move("deny", distribution_id, consumer_id, **more))

    def consumer(self, consumer_id: str) -> Consumer:
        """Who that is, by the id that they have or had as a guest."""
        return self._make(wire.consumer(consumer_id))

    def authorize(
        self, provider: str, issuer: str, subject: str, claims: Mapping[str, Any] | None = None
    ) -> ExchangeCode:
        """A code for the browser of the shop's own customer, who is signed in by it. Tried once only."""
        return self._make(wire.authorize(provider, issuer, subject, claims))

    def _make(self, call: Call[T], most: int = wire.TRIES) -> T:
        """The answer, after as many tries as the call allows, with pauses in between."""
        tries = 0
        while True:
            tries += 1
            try:
                return self._try(call)
            except FanfareError as problem:
                pause = wire.pause_before_next(problem, tries, most if call.is_repeatable else 1)
                if pause is None:
                    raise
            self._sleep(pause)

    def _try(self, call: Call[T]) -> T:
        sent_at = self._ticks()
        try:
            answer = self._http.send(self._request(self._http, call))
        except httpx.RequestError as problem:
            raise wire.unreachable(problem) from problem
        return self._read(call, answer, sent_at)

    def _fetch_keys(self, kid: str) -> None:
        """Fetch what is needed and due, one thread at a time; who can do with the old keys doesn't wait."""
        keys, at = self._keys, self._ticks
        if not keys.wants(kid, at()) or not self._lock.acquire(blocking=not keys.has(kid, at())):
            return
        try:
            if not keys.wants(kid, at()):
                return
            most = self._tries()
            keys.begin(kid, at())
            if keys.organization_id is None:
                keys.organization_id = self._make(wire.organization(), most)
            keys.take(self._make(wire.keys(), most), at())
        except FanfareError as problem:
            keys.miss(problem, at())
        finally:
            self._lock.release()


class AsyncClient(_Base):
    """As Client, for one event loop: the same methods, awaited."""

    def __init__(
        self,
        secret_key: str,
        base_url: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        options: Options | None = None,
    ) -> None:
        """As Client's."""
        super().__init__(secret_key, base_url, timeout, options)

        async def bound(answer: httpx.Response) -> None:
            self._bound(answer)

        self._http = httpx.AsyncClient(
            timeout=timeout, transport=transport, event_hooks={"response": [bound]}
        )
        self._sleep = sleep
        self._lock: asyncio.Lock | None = None  # made where it is used: Python 3.9 binds it to that loop

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections up."""
        await self._http.aclose()

    async def check(self, token: str, *, distribution_id: str, consumer_id: str | None = None) -> Admission:
        """As Client.check."""
        kid = tokens.kid_of(token)
        await self._fetch_keys(kid)
        return self._judge(token, kid, distribution_id, consumer_id)

    async def validate(
        self, distribution_id: str, consumer_id: str, token: str, fingerprint: str | None = None
    ) -> Verdict:
        """As Client.validate."""
        return await self._make(wire.validate(distribution_id, consumer_id, token, fingerprint))

    async def admit(self, distribution_id: str, consumer_id: str) -> Standing:
        """As Client.admit."""
        return await self._make(wire.move("admit", distribution_id, consumer_id))

    async def complete(
        self,
        distribution_id: str,
        consumer_id: str,
        *,
        order_id: str | None = None,
        booking_id: str | None = None,
    ) -> Standing:
        """As Client.complete."""
        more = {"orderId": order_id, "bookingId": booking_id}
        return await self._make(wire.move("complete", distribution_id, consumer_id, **more))

    async def deny(
        self, distribution_id: str, consumer_id: str, *, reason: str, booking_id: str | None = None
    ) -> Standing:
        """As Client.deny."""
        more = {"reason": reason, "bookingId": booking_id}
        return await self._make(wire.move("deny", distribution_id, consumer_id, **more))

    async def consumer(self, consumer_id: str) -> Consumer:
        """As Client.consumer."""
        return await self._make(wire.consumer(consumer_id))

    async def authorize(
        self, provider: str, issuer: str, subject: str, claims: Mapping[str, Any] | None = None
    ) -> ExchangeCode:
        """As Client.authorize."""
        return await self._make(wire.authorize(provider, issuer, subject, claims))

    async def _make(self, call: Call[T], most: int = wire.TRIES) -> T:
        tries = 0
        while True:
            tries += 1
            try:
                return await self._try(call)
            except FanfareError as problem:
                pause = wire.pause_before_next(problem, tries, most if call.is_repeatable else 1)
                if pause is None:
                    raise
            await self._sleep(pause)

    async def _try(self, call: Call[T]) -> T:
        sent_at = self._ticks()
        try:
            answer = await self._http.send(self._request(self._http, call))
        except httpx.RequestError as problem:
            raise wire.unreachable(problem) from problem
        return self._read(call, answer, sent_at)

    async def _fetch_keys(self, kid: str) -> None:
        keys, at = self._keys, self._ticks
        self._lock = self._lock or asyncio.Lock()
        if not keys.wants(kid, at()) or (self._lock.locked() and keys.has(kid, at())):
            return
        async with self._lock:
            if not keys.wants(kid, at()):
                return
            most = self._tries()
            keys.begin(kid, at())
            try:
                if keys.organization_id is None:
                    keys.organization_id = await self._make(wire.organization(), most)
                keys.take(await self._make(wire.keys(), most), at())
            except FanfareError as problem:
                keys.miss(problem, at())


def _require_secret(key: str) -> None:
    """Raise ValueError, which does not repeat what it was given."""
    if key.startswith("pk_"):
        raise ValueError("That is the publishable key, for browsers. The shop's server needs the secret one.")
    if not _SECRET_KEY.fullmatch(key):
        raise ValueError(
            "A secret key is sk_live_ or sk_test_ and letters and digits, and nothing around it."
        )
