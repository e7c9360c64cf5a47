"""One consumer: arrives, signs in, enters, polls as advised, buys or leaves.

Everything that the API said on the way is kept in a `Record`; judging it is the work of `checks`.
"""

import asyncio
import datetime as dt
import random
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from distributions.crowd.shop import Shop, TokenWrong
from distributions.crowd.wire import Refused, Span, Wire


@dataclass
class Record:
    """What one person saw and did. `outcome` is the last status, or the code of the refusal that ended it.

    Empty: never in. QUEUED or ADMITTED at the end: the outing was cut short.
    """

    consumer_id: str = ""
    outcome: str = ""
    deny_reason: str = ""
    entry: Span = field(default_factory=Span)
    entered_at: dt.datetime | None = None
    admissions: set[dt.datetime] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)  # names of admissions (`jti`)
    positions: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def admitted_at(self) -> dt.datetime | None:
        return min(self.admissions, default=None)


@dataclass(frozen=True)
class Plan:
    """What a person is going to do; seconds. `leaves_after` counts answers while waiting; None: never."""

    arrives_after: float
    thinks_for: float
    leaves_after: int | None


@dataclass
class Venue:
    """Where everybody goes."""

    wire: Wire
    shop: Shop
    path: str  # of the queue or auction
    publishable_key: str
    takes_guests: bool = True


class Person:
    """One consumer with a device and a session of their own."""

    def __init__(self, venue: Venue, plan: Plan) -> None:
        self.record = Record()
        self._venue = venue
        self._plan = plan
        self._fingerprint = f"fp_{secrets.token_urlsafe(16)}"
        self._token = self._refresh_token = ""

    async def live(self) -> None:
        """The whole way; ends when the API says it is over, or refuses."""
        await asyncio.sleep(self._plan.arrives_after)
        try:
            await self._sign_in()
            answer = await self._ask("enter", "POST", span=self.record.entry)
            answer = await self._wait(answer)
            if answer["status"] == "ADMITTED":
                await self._buy(answer)
        except Refused as refusal:
            self.record.outcome = refusal.code

    async def give_up(self) -> None:
        """Leave the line or the shop when the outing is cut short, so that nobody waits behind a ghost."""
        record = self.record
        if record.entry.asked is not None and record.outcome in ("", "QUEUED", "ADMITTED"):
            seen = (record.outcome, record.deny_reason)
            with suppress(Refused):
                await self._ask("leave", "POST")
            record.outcome, record.deny_reason = seen

    async def _sign_in(self) -> None:
        wire, headers = self._venue.wire, {"X-Publishable-Key": self._venue.publishable_key}
        if self._venue.takes_guests:
            found = await wire.ask("guest", "POST", "/api/v1/auth/guest", headers, {})
        else:
            body = {"exchangeCode": await self._venue.shop.name_customer()}
            found = await wire.ask("exchange", "POST", "/api/v1/auth/external/exchange", headers, body)
        self.record.consumer_id = found["session"]["consumerId"]
        self._token, self._refresh_token = found["accessToken"], found["refreshToken"]

    async def _wait(self, answer: Any) -> Any:
        """Poll until waiting is over, one way or another."""
        polls = 0
        while answer["status"] == "QUEUED":
            if polls == self._plan.leaves_after:
                return await self._ask("leave", "POST")
            await asyncio.sleep(answer["pollAfterSeconds"])
            answer = await self._ask("status", "GET")
            polls += 1
        return answer

    async def _buy(self, answer: Any) -> None:
        """Show the token to the shop, think, and be completed; then look once more."""
        shop, record = self._venue.shop, self.record
        token = answer["admissionToken"]
        try:
            record.tokens.add(shop.read_offline(token, record.consumer_id))
        except TokenWrong as problem:
            record.problems.append(f"a token is not valid offline: {problem}")
        await asyncio.sleep(self._plan.thinks_for)
        verdict = await shop.validate(record.consumer_id, token, self._fingerprint)
        if not verdict["valid"]:
            record.outcome = verdict["code"]
            if verdict["code"] != "TOKEN_EXPIRED":
                record.problems.append(f"validate refused an admission: {verdict['code']}")
            return
        self._note(await shop.complete(record.consumer_id, f"crowd-{secrets.token_hex(6)}"))
        await self._ask("status", "GET")
        if record.outcome != "COMPLETED":
            record.problems.append(f"a completed admission became {record.outcome}")

    async def _ask(self, verb: str, method: str, span: Span | None = None) -> Any:
        """A verb that answers how this person stands, which is noted."""
        answer = await self._send(verb, method, {} if method == "POST" else None, span)
        self._note(answer)
        return answer

    async def _send(
        self, verb: str, method: str, body: dict[str, Any] | None = None, span: Span | None = None
    ) -> Any:
        """The answer to a request with this person's session; one that has expired is refreshed."""
        path = f"{self._venue.path}/{verb}".rstrip("/")
        what = verb.partition("?")[0] or "look"
        try:
            return await self._venue.wire.ask(what, method, path, self._headers(), body, span)
        except Refused as refusal:
            if refusal.code != "TOKEN_EXPIRED":
                raise
            await self._refresh()
            return await self._venue.wire.ask(what, method, path, self._headers(), body, span)

    async def _refresh(self) -> None:
        headers = {"X-Publishable-Key": self._venue.publishable_key}
        body = {"refreshToken": self._refresh_token}
        found = await self._venue.wire.ask("refresh", "POST", "/api/v1/auth/refresh", headers, body)
        self._token, self._refresh_token = found["accessToken"], found["refreshToken"]

    def _headers(self) -> dict[str, str]:
        return {
            "X-Publishable-Key": self._venue.publishable_key,
            "Authorization": f"Bearer {self._token}",
            "X-Fingerprint": self._fingerprint,
        }

    def _note(self, answer: Any) -> None:
        record = self.record
        record.outcome = answer["status"]
        record.deny_reason = answer.get("denyReason", "")
        record.entered_at = dt.datetime.fromisoformat(answer["enteredAt"])
        if answer["status"] == "QUEUED" and "position" in answer:
            record.positions.append(answer["position"])
        if "admittedAt" in answer:
            record.admissions.add(dt.datetime.fromisoformat(answer["admittedAt"]))


def make_plan(*, arrive_within: float, think: float, leave_percent: float) -> Plan:
    """A person's plan by chance: arrivals are even, thinking takes `think` seconds on average."""
    chance = random.SystemRandom()
    leaves = chance.random() * 100 < leave_percent
    return Plan(
        arrives_after=chance.uniform(0, arrive_within),
        thinks_for=chance.uniform(0.2, 1.8) * think,
        leaves_after=chance.randrange(3) if leaves else None,
    )
