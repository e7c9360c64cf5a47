"""HTTP with keep-alive, a bound on requests in flight, and the time that each kind of request took."""

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx

TIMEOUT_SECONDS = 30.0
GIVE_UP_AFTER = 12  # failures of one request in a row, some two minutes
LONGEST_PAUSE_SECONDS = 15.0
PATIENCE_WHEN_FULL = 3  # times that a person tries to enter where every place is taken
FULL = ("QUEUE_FULL", "TIMED_RELEASE_SOLD_OUT")
# Refusals that tell to come back later.
COME_BACK = (
    "RATE_LIMIT_EXCEEDED",
    "QUEUE_NOT_OPEN",
    "AUCTION_NOT_OPEN",
    "TIMED_RELEASE_NOT_OPEN",
    "APPOINTMENT_NOT_OPEN",
    "SERVICE_UNAVAILABLE",
)


class Refused(Exception):
    """An answer that is not 2xx, or none at all (`UNREACHABLE`); `code` is the API's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass
class Span:
    """When a request that was answered may have had its effect: between these, in monotonic seconds.

    Tries that may have got through without an answer count; those that were refused don't.
    """

    asked: float | None = None
    answered: float = 0.0


class Wire:
    """One connection pool to the public API."""

    def __init__(self, base_url: str, concurrency: int) -> None:
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        # Proxies of the environment are for the world outside.
        self._http = httpx.AsyncClient(
            base_url=base_url, limits=limits, timeout=TIMEOUT_SECONDS, trust_env=False
        )
        self._turn = asyncio.Semaphore(concurrency)
        self.milliseconds: defaultdict[str, list[float]] = defaultdict(list)
        self.told_to_wait: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ask(
        self,
        what: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: dict[str, Any] | None = None,
        span: Span | None = None,
    ) -> Any:
        """The body of a 2xx answer, however often one has to come back. Raises Refused.

        `what` names the request in the figures. Retry-After is honoured; a server that fails or can't
        be reached is asked again, ever later.
        """
        span = span or Span()
        failures, tries_when_full = 0, 0
        while True:
            span.asked = time.monotonic() if span.asked is None else span.asked
            try:
                answer = await self._send(what, method, path, headers, body)
            except httpx.TransportError as problem:
                failures += 1
                await self._pause(failures, "UNREACHABLE", repr(problem))
                continue
            if answer.is_success:
                span.answered = time.monotonic()
                return answer.json()
            refusal = _refusal(answer)
            if answer.status_code >= 500:
                failures += 1
                await self._pause(failures, refusal.code, str(refusal), _retry_after(answer))
                continue
            span.asked = None
            may_come_back = refusal.code in FULL and "Retry-After" in answer.headers
            tries_when_full += may_come_back
            if refusal.code not in COME_BACK and not (may_come_back and tries_when_full < PATIENCE_WHEN_FULL):
                raise refusal
            self.told_to_wait[refusal.code] += 1
            await asyncio.sleep(_retry_after(answer))

    async def _send(
        self, what: str, method: str, path: str, headers: dict[str, str], body: dict[str, Any] | None
    ) -> httpx.Response:
        async with self._turn:
            began = time.monotonic()
            answer = await self._http.request(method, path, headers=headers, json=body)
            if answer.is_success:
                self.milliseconds[what].append((time.monotonic() - began) * 1000)
            return answer

    async def _pause(self, failures: int, code: str, message: str, least: float = 0.0) -> None:
        self.failures[code] += 1
        if failures >= GIVE_UP_AFTER:
            raise Refused(code, message)
        await asyncio.sleep(max(least, min(LONGEST_PAUSE_SECONDS, 0.25 * 2**failures)))


def _refusal(answer: httpx.Response) -> Refused:
    try:
        body = answer.json()
        return Refused(str(body["code"]), f"{body['error']}: {body['message']}")
    except (ValueError, KeyError, TypeError):
        return Refused(f"HTTP_{answer.status_code}", answer.text[:200])


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 1.0
