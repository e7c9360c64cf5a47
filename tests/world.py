"""Makers of test data: plain functions with good defaults, and clients that speak the API."""

import datetime as dt
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from distributions.appointments.models import Appointment
from distributions.appointments.validation import WEEKDAYS
from distributions.auctions.models import Auction
from distributions.core import drawings
from distributions.core.models import Distribution, Kind, Tally
from distributions.draws.models import Draw
from distributions.kinds import KINDS, RELATED
from distributions.queues.models import Queue
from distributions.timed_releases.models import TimedRelease
from distributions.waitlists.models import Waitlist
from experiences import keys
from experiences.models import Experience, KeyKind, Organization, Sequence
from fanfare import clock, ids
from tests.contract import conformance

FINGERPRINT = "fp_0123456789"
AUTHORIZE, EXCHANGE = "/auth/external/authorize", "/auth/external/exchange"
SHOP = {"provider": "shop", "issuer": "https://shop.example.com"}  # who names customers
_numbers = itertools.count(1)
_handler = ClientHandler(enforce_csrf_checks=False)  # one for all clients: its middleware takes long to load


@dataclass
class World:
    """One tenant and its keys."""

    organization: Organization
    sequence: Sequence
    publishable: str
    secret: str
    consumers: list["ConsumerClient"] = field(default_factory=list)

    def consumer(self, **headers: str) -> "ConsumerClient":
        """A new guest, signed in over HTTP."""
        return self.signed_in(self.shop_front().post("/auth/guest"), **headers)

    def member(
        self, email: str = "", *, subject: str = "", guest: "ConsumerClient | None" = None, **claims: Any
    ) -> "ConsumerClient":
        """A customer whom the shop's server names, signed in by exchange; `guest`: who they were before.

        Known by `subject`, else by a new one; the e-mail address is one that the shop has verified.
        """
        known = {"email": email, "email_verified": True} if email else {}
        named = self.authorize(subject or f"member-{next(_numbers)}", **{**known, **claims})
        code = {"exchangeCode": named.json()["exchangeCode"]}
        return self.signed_in((guest or self.shop_front()).post(EXCHANGE, code))

    def authorize(self, subject: str, **claims: Any) -> Any:
        """The shop's server names a customer."""
        return self.server().post(AUTHORIZE, {**SHOP, "subject": subject, "claims": claims})

    def signed_in(self, answer: Any, **headers: str) -> "ConsumerClient":
        """The browser of whoever was answered with tokens."""
        body = answer.json()
        assert answer.status_code == 200, body
        found = ConsumerClient(
            self.publishable, body["accessToken"], headers or {"X-Fingerprint": FINGERPRINT}
        )
        found.id, found.refresh_token = body["session"]["consumerId"], body["refreshToken"]
        self.consumers.append(found)
        return found

    def shop_front(self) -> "ApiClient":
        """A browser with the publishable key alone."""
        return ApiClient({"X-Publishable-Key": self.publishable})

    def server(self) -> "ApiClient":
        """The shop's server."""
        return ApiClient({"Authorization": f"Bearer {self.secret}", "X-Fingerprint": FINGERPRINT})

    def sequence_with(self, slug: str, **settings: Any) -> Sequence:
        """One more sequence of the experience."""
        experience = self.sequence.experience
        return Sequence.objects.create(experience=experience, slug=slug, name=slug.title(), **settings)

    def sequence_in(self, experience: str) -> Sequence:
        """A sequence of another experience, by its slug."""
        made = Experience.objects.create(organization=self.organization, slug=experience, name="Drop")
        return Sequence.objects.create(experience=made, slug="everyone", name="Everyone")

    def queue(self, **settings: Any) -> Distribution:
        """A queue of this world; see make_queue."""
        return make_queue(self.sequence, **settings)

    def auction(self, **settings: Any) -> Distribution:
        """An auction of this world; see make_auction."""
        return make_auction(self.sequence, **settings)

    def release(self, **settings: Any) -> Distribution:
        """A timed release of this world; see make_release."""
        return make_release(self.sequence, **settings)

    def appointment(self, **settings: Any) -> Distribution:
        """An appointment of this world; see make_appointment."""
        return make_appointment(self.sequence, **settings)

    def waitlist(self, **settings: Any) -> Distribution:
        """The waitlist of this world; see make_waitlist."""
        return make_waitlist(self.sequence, **settings)

    def draw(self, **settings: Any) -> Distribution:
        """A draw of this world; see make_draw."""
        return make_draw(self.sequence, **settings)


class ApiClient:
    """Django's test client under `/api/v1` with headers; each answer is held against the schema."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.client = Client(raise_request_exception=False)
        self.client.handler = _handler

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.send("DELETE", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, json.dumps({} if body is None else body), **headers)

    def send(
        self,
        method: str,
        path: str,
        body: str | bytes = b"",
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        """Any request; `body` goes out as it is."""
        response = self.client.generic(
            method, f"/api/v1{path}", body, content_type, headers={**self.headers, **headers}
        )
        if response.streaming:  # a file, read whole
            whole: Any = HttpResponse(
                response.getvalue(), status=response.status_code, headers=response.headers
            )
            whole.json = lambda: json.loads(whole.content)
            response = whole
        if method not in ("HEAD", "OPTIONS"):
            conformance.check(method, f"/api/v1{path}".partition("?")[0], response)
        return response


class ConsumerClient(ApiClient):
    """A consumer's browser: publishable key, access token, fingerprint."""

    id: str
    refresh_token: str

    def __init__(self, publishable: str, token: str, headers: dict[str, str]) -> None:
        self.token = token
        super().__init__({"X-Publishable-Key": publishable, "Authorization": f"Bearer {token}", **headers})

    def enter(self, distribution: Distribution, **headers: str) -> Any:
        return self.post(f"{path_of(distribution)}/enter", **headers)

    def status(self, distribution: Distribution) -> Any:
        return self.get(f"{path_of(distribution)}/status")

    def leave(self, distribution: Distribution) -> Any:
        if distribution.kind == Kind.WAITLIST:
            return self.delete(f"{path_of(distribution)}/leave")
        return self.post(f"{path_of(distribution)}/leave")

    def bid(
        self, auction: Distribution, amount: Any, maximum: Any = None, *, key: str = "", **headers: str
    ) -> Any:
        """Bid, with a proxy if there is a maximum; `key`: the Idempotency-Key."""
        body = {"amount": amount, **({} if maximum is None else {"maxAmount": maximum})}
        named = {"Idempotency-Key": key} if key else {}
        return self.post(f"{path_of(auction)}/bid", body, **named, **headers)


def path_of(distribution: Distribution) -> str:
    """`/queues/queue_…`, `/draws/draw_…`."""
    return f"/{KINDS[Kind(distribution.kind)].path}/{distribution.pk}"


def make_world(slug: str | None = None, **settings: Any) -> World:
    """A tenant with a live key of each kind, one experience and one sequence; generous rate limits."""
    number = next(_numbers)
    slug = slug or f"shop-{number}"
    limits = dict.fromkeys(
        ("authentication", "queueEntry", "drawEntry", "auctionBid", "statusCheck"), 100_000
    )
    organization = Organization.objects.create(
        slug=slug, name=slug.title(), **{"rate_limits": limits, **settings}
    )
    now = clock.now()
    _, publishable = keys.create(organization, KeyKind.PUBLISHABLE, now=now, actor="system:test")
    _, secret = keys.create(organization, KeyKind.SECRET, now=now, actor="system:test")
    experience = Experience.objects.create(organization=organization, slug="drop", name="Drop")
    sequence = Sequence.objects.create(experience=experience, slug="everyone", name="Everyone")
    return World(organization, sequence, publishable, secret)


def make_queue(sequence: Sequence, *, capacity: int | None = None, **settings: Any) -> Distribution:
    """A queue that is open, without limits and by hand, unless said otherwise; see `_make` for its times."""
    distribution, queue = _make(sequence, Kind.QUEUE, "queue", capacity, settings)
    if Queue.objects.create(distribution=distribution, **queue).randomize_before_open:
        drawings.commit(distribution)
    return loaded(distribution)


def make_draw(
    sequence: Sequence, *, draws_in: float = 60, capacity: int | None = None, **settings: Any
) -> Distribution:
    """A draw that is open, with one winner, drawn in a minute; see `_make` for its times."""
    distribution, draw = _make(sequence, Kind.DRAW, "draw", capacity, settings)
    draw_at = clock.now() + dt.timedelta(seconds=draws_in)
    Draw.objects.create(distribution=distribution, draw_at=draw_at, **draw)
    drawings.commit(distribution)
    return loaded(distribution)


def make_release(sequence: Sequence, *, inventory: int | None = None, **settings: Any) -> Distribution:
    """A timed release that is open, without end and with any number of units; see `_make` for its times."""
    distribution, release = _make(sequence, Kind.TIMED_RELEASE, "release", inventory, settings)
    TimedRelease.objects.create(distribution=distribution, **release)
    return loaded(distribution)


def make_appointment(sequence: Sequence, **settings: Any) -> Distribution:
    """An appointment that can be booked, guests too: half an hour a slot, all around the clock in UTC, one
    place each; see `_make` for its times.
    """
    distribution, appointment = _make(sequence, Kind.APPOINTMENT, "appt", None, settings)
    always = {day: [["00:00", "24:00"]] for day in WEEKDAYS}
    Appointment.objects.create(distribution=distribution, **({"opening_hours": always} | appointment))
    return loaded(distribution)


def make_waitlist(sequence: Sequence, *, capacity: int | None = None, **settings: Any) -> Distribution:
    """A waitlist that is open, whose staff notify; see `_make` for its times."""
    distribution, waitlist = _make(sequence, Kind.WAITLIST, "wl", capacity, settings)
    Waitlist.objects.create(distribution=distribution, **waitlist)
    return loaded(distribution)


def make_auction(
    sequence: Sequence,
    *,
    starting: int = 10_000,
    increment: int = 1_000,
    ends_in: float | None = 600,
    **settings: Any,
) -> Distribution:
    """An auction in EUR that is open and ends in ten minutes; from 100.00 on, by 10.00, and guests may bid.

    Amounts are minor units, also in `settings`; see `_make` for its other times.
    """  # fmt: skip
    distribution, auction = _make(sequence, Kind.AUCTION, "auction", None, {"closes_in": ends_in, **settings})
    fixed = {"starting_price": starting, "minimum_bid_increment": increment, "currency_code": "EUR"}
    close_at = distribution.close_at
    Auction.objects.create(distribution=distribution, announced_close_at=close_at, **(fixed | auction))
    return loaded(distribution)


def _make(
    sequence: Sequence, kind: Kind, prefix: str, capacity: int | None, settings: dict[str, Any]
) -> tuple[Distribution, dict[str, Any]]:
    """The two rows that all kinds have, and the settings that are the kind's own.

    `opens_in` and `closes_in` are seconds from now.
    """
    now = clock.now()
    for name in ("open", "close"):
        seconds = settings.pop(f"{name}s_in", None)
        settings[f"{name}_at"] = None if seconds is None else now + dt.timedelta(seconds=seconds)
    shared = ("open_at", "close_at", "supports_guest", "max_entries_per_fingerprint", "proof_of_work")
    distribution = Distribution.objects.create(
        id=ids.new(prefix),
        organization=sequence.experience.organization,
        sequence=sequence,
        kind=kind,
        slug=f"{kind}-{next(_numbers)}".replace("_", "-"),
        name=f"The {'line' if kind == Kind.QUEUE else kind.label.lower()}",
        **{name: settings.pop(name) for name in shared if name in settings},
    )
    Tally.objects.create(distribution=distribution, places=capacity)
    return distribution, settings


def loaded(distribution: Distribution) -> Distribution:
    """As it is stored now, with all that belongs to it."""
    return Distribution.objects.select_related(*RELATED).get(pk=distribution.pk)


def assert_error(response: Any, status: int, error: str, code: str | None = None) -> dict[str, Any]:
    """The response is this refusal, in the one shape; its body."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body.get("error")) == (status, error), body
    assert body["requestId"] == response.headers["X-Request-Id"]
    assert {"error", "code", "message", "requestId"} <= set(body)
    if code is not None:
        assert body["code"] == code
    return body
