"""What goes over the wire: each request of the shop's server, and how its answer is read. No I/O."""

from __future__ import annotations

import datetime as dt
import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx
import jwt
from jwt.algorithms import OKPAlgorithm

from fanfare_client.errors import (
    FanfareError,
    IllegalMove,
    NotAuthenticated,
    NotFound,
    RateLimited,
    Unavailable,
    Unexpected,
)

T = TypeVar("T")
Body = dict[str, Any]
API = "/api/v1"
PATHS = {
    "queue": "queues",
    "draw": "draws",
    "auction": "auctions",
    "release": "timed-releases",
    "appt": "appointments",
}
TRIES = 3  # of one call, in all
FIRST_PAUSE_SECONDS = 0.5  # before the second try; twice that before the third
LONGEST_PAUSE_SECONDS = 10.0  # a longer Retry-After is left to the caller
BY_STATUS = {401: NotAuthenticated, 404: NotFound, 429: RateLimited, 503: Unavailable}
AWAY = (502, 503, 504)  # whoever says so: Fanfare, or the proxy in front of it
_ID = re.compile(r"([a-z]+)_[0-9A-Z]{26}")
_FINGERPRINT = re.compile(r"fp_[A-Za-z0-9_-]{10,64}")


# --- What is asked ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request, and what reads the body of its answer.

    `is_repeatable`: asking again answers as before. `is_public`: it goes without the secret key.
    """

    method: str
    path: str
    read: Callable[[Body], T]
    body: Body | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeatable: bool = True
    is_public: bool = False

    @property
    def content(self) -> str | None:
        """The body in ASCII: what a browser sent may be no Unicode, which is the server's to refuse."""
        return None if self.body is None else json.dumps(self.body, allow_nan=False)


@dataclass(frozen=True)
class Verdict:
    """Whether a token admits; if not, `code` is TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_USED,
    CONSUMER_MISMATCH, NOT_ADMITTED or WRONG_DISTRIBUTION.

    `amount` is what an auction's winner pays, decimal text; the last three are a booking's.
    """

    valid: bool
    code: str | None = None
    message: str | None = None
    consumer_id: str | None = None
    admitted_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    amount: str | None = None
    currency_code: str | None = None
    booking_id: str | None = None
    start_time: dt.datetime | None = None
    end_time: dt.datetime | None = None


@dataclass(frozen=True)
class Standing:
    """How a consumer stands: QUEUED, ADMITTED, COMPLETED, DENIED or LEFT. `body` has what the kind adds."""

    status: str
    consumer_id: str
    entered_at: dt.datetime
    admitted_at: dt.datetime | None = None
    completed_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    deny_reason: str | None = None
    admission_token: str | None = field(default=None, repr=False)
    body: Body = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Consumer:
    """Who a consumer is; each of `external_ids` has provider, issuer and subject."""

    id: str
    email: str | None
    phone: str | None
    full_name: str | None
    is_guest: bool
    created_at: dt.datetime
    external_ids: list[dict[str, str]]


@dataclass(frozen=True)
class ExchangeCode:
    """Stands for the shop's customer until their browser exchanges it; `resolution`: created or existing."""

    code: str = field(repr=False)
    expires_at: dt.datetime
    resolution: str


def validate(distribution_id: str, consumer_id: str, token: str, fingerprint: str | None) -> Call[Verdict]:
    """A fingerprint that is malformed goes as none: it came from a browser."""
    is_sound = isinstance(fingerprint, str) and _FINGERPRINT.fullmatch(fingerprint)
    headers = {"X-Fingerprint": fingerprint} if fingerprint is not None and is_sound else {}
    body = {"consumerId": consumer_id, "token": token}
    return Call("POST", _path(distribution_id, "validate"), _verdict, body, headers)


def move(verb: str, distribution_id: str, consumer_id: str, **more: str | None) -> Call[Standing]:
    """`admit`, `complete` or `deny`; of `more` what is not None goes along."""
    told = {name: value for name, value in more.items() if value is not None}
    return Call("POST", _path(distribution_id, verb), _standing, {"consumerId": consumer_id, **told})


def consumer(consumer_id: str) -> Call[Consumer]:
    if _prefix(consumer_id) != "cons":
        raise _not_found("Consumer", consumer_id)
    return Call("GET", f"{API}/consumers/{consumer_id}", _consumer)


def authorize(
    provider: str, issuer: str, subject: str, claims: Mapping[str, Any] | None
) -> Call[ExchangeCode]:
    body: Body = {"provider": provider, "issuer": issuer, "subject": subject}
    if claims is not None:
        body["claims"] = dict(claims)
    return Call("POST", f"{API}/auth/external/authorize", _exchange_code, body, is_repeatable=False)


def organization() -> Call[str]:
    """The id of the organization that the key is of."""
    return Call("GET", f"{API}/organizations/current", lambda body: str(body["id"]))


def keys() -> Call[dict[str, Any]]:
    """The public keys by their names."""
    return Call("GET", "/.well-known/jwks.json", _keys, is_public=True)


def _path(distribution_id: str, verb: str) -> str:
    """Raises NotFound for what can't be the id of a distribution, as the server would."""
    kind = PATHS.get(_prefix(distribution_id))
    if kind is None:
        raise _not_found("Distribution", distribution_id)
    return f"{API}/{kind}/{distribution_id}/{verb}"


def _prefix(text: object) -> str:
    found = _ID.fullmatch(text) if isinstance(text, str) else None
    return found[1] if found else ""


def _not_found(thing: str, text: object) -> NotFound:
    code, error = f"{thing.upper()}_NOT_FOUND", f"{thing} not found"
    return NotFound(f"{text!r:.80} is no id of one.", status=404, code=code, error=error)


# --- What is answered ------------------------------------------------------------------------------


def read(call: Call[T], answer: httpx.Response) -> T:
    """What the answer says. Raises a FanfareError: by the contract, Unavailable or Unexpected."""
    body = _object(answer)
    if not answer.is_success:
        raise _refusal(answer, body)
    if body is None:
        raise _unexpected(answer)
    try:
        return call.read(body)
    except (LookupError, TypeError, ValueError, AttributeError, jwt.PyJWTError) as problem:
        raise _unexpected(answer) from problem


def unreachable(problem: httpx.RequestError) -> FanfareError:
    """What to raise where there was no answer, or none that could be read."""
    kind = Unavailable if isinstance(problem, httpx.TransportError) else Unexpected
    return kind(f"{type(problem).__name__}: {problem}", code="UNREACHABLE", error="No answer")


def pause_before_next(problem: FanfareError, tries: int, most: int) -> float | None:
    """Seconds until the call is worth another try, after so many; None: it is not."""
    if tries >= most or not isinstance(problem, (Unavailable, RateLimited)):
        return None
    told = problem.retry_after
    if told is None and isinstance(problem, RateLimited):
        return None
    if told is not None and told > LONGEST_PAUSE_SECONDS:
        return None
    spread = random.uniform(0.5, 1.5)  # noqa: S311 (so that not all come back at once)
    return max(told or 0.0, FIRST_PAUSE_SECONDS * (1 << (tries - 1)) * spread)


def _object(answer: httpx.Response) -> Body | None:
    """The body, None where it is no JSON object."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _refusal(answer: httpx.Response, body: Body | None) -> FanfareError:
    status, wait = answer.status_code, _retry_after(answer)
    if body is None or not all(isinstance(body.get(name), str) for name in ("error", "code", "message")):
        if status not in AWAY:
            return _unexpected(answer)
        message = f"The server, or what stands before it, answers {status}."
        told: Any = {"status": status, "retry_after": wait, "body": answer.text[:200]}
        return Unavailable(message, code="UNREACHABLE", error="No answer", **told)
    kind, details = BY_STATUS.get(status, FanfareError), body.get("details")
    if body["code"] == "ILLEGAL_TRANSITION":
        kind = IllegalMove
    return kind(
        body["message"],
        status=status,
        code=body["code"],
        error=body["error"],
        details=details if isinstance(details, list) else (),
        retry_after=wait,
        body=body,
    )


def _unexpected(answer: httpx.Response) -> Unexpected:
    elsewhere = answer.headers.get("Location")
    hint = f"It points to {elsewhere}." if elsewhere else "Is base_url right?"
    message = f"{answer.status_code} from {answer.url} is no answer of Fanfare's. {hint}"
    return Unexpected(
        message, status=answer.status_code, code="UNEXPECTED", error="Unexpected", body=answer.text[:200]
    )


def _retry_after(answer: httpx.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if re.fullmatch("[0-9]{1,9}", text) else None


def _time(text: str | None) -> dt.datetime | None:
    return None if text is None else _instant(text)


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _verdict(body: Body) -> Verdict:
    if not isinstance(body["valid"], bool):
        raise TypeError
    return Verdict(
        valid=body["valid"],
        code=body.get("code"),
        message=body.get("message"),
        consumer_id=body.get("consumerId"),
        admitted_at=_time(body.get("admittedAt")),
        expires_at=_time(body.get("expiresAt")),
        amount=body.get("amount"),
        currency_code=body.get("currencyCode"),
        booking_id=body.get("bookingId"),
        start_time=_time(body.get("startTime")),
        end_time=_time(body.get("endTime")),
    )


def _standing(body: Body) -> Standing:
    return Standing(
        status=body["status"],
        consumer_id=body["consumerId"],
        entered_at=_instant(body["enteredAt"]),
        admitted_at=_time(body.get("admittedAt")),
        completed_at=_time(body.get("completedAt")),
        expires_at=_time(body.get("expiresAt")),
        deny_reason=body.get("denyReason"),
        admission_token=body.get("admissionToken"),
        body=body,
    )


def _consumer(body: Body) -> Consumer:
    return Consumer(
        id=body["id"],
        email=body["email"],
        phone=body["phone"],
        full_name=body["fullName"],
        is_guest=body["isGuest"],
        created_at=_instant(body["createdAt"]),
        external_ids=body["externalIds"],
    )


def _exchange_code(body: Body) -> ExchangeCode:
    return ExchangeCode(body["exchangeCode"], _instant(body["expiresAt"]), body["resolution"])


def _keys(body: Body) -> dict[str, Any]:
    """Those of Ed25519; others sign no admission. Raises ValueError where there is none."""
    sound = [key for key in body["keys"] if (key.get("kty"), key.get("crv")) == ("OKP", "Ed25519")]
    found = {str(key["kid"]): OKPAlgorithm.from_jwk(key) for key in sound}
    if not found:
        raise ValueError("no key")
    return found
