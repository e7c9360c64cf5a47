"""Every refusal Fanfare knows: its HTTP status, its stable words, its headers.

Plain exceptions, so that tasks, commands and the console raise and catch the same ones as the API.
`fanfare.http` turns them into responses. `error` and `code` are stable; `message` explains.
"""

import datetime as dt
import math
from dataclasses import dataclass

from fanfare.wire import camel


@dataclass(frozen=True)
class Detail:
    """What is wrong with one field of a body or a file; `field` is a path such as `theme.fontFamily`."""

    field: str
    message: str


class FanfareError(Exception):
    """The base of all refusals.

    `retry_after` is in whole seconds; `extra` holds additional body fields (snake_case).
    """

    status = 400
    error = "Bad request"
    code = "BAD_REQUEST"

    def __init__(
        self,
        message: str = "",
        *,
        error: str | None = None,
        code: str | None = None,
        details: list[Detail] | None = None,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
        **extra: object,
    ) -> None:
        self.error = error or self.error
        self.code = code or self.code
        self.message = message or f"{self.error}."
        self.details = details or []
        self.retry_after = retry_after
        self.headers = headers or {}
        self.extra = extra
        super().__init__(self.message)

    def with_status(self, status: int) -> "FanfareError":
        """The same refusal under another HTTP status, for the few that have no class of their own."""
        self.status = status
        return self


class Invalid(FanfareError):
    """A body, query or file that is not as described."""

    error, code = "Validation failed", "VALIDATION_FAILED"

    def __init__(self, *details: Detail, message: str = "") -> None:
        text = message or "; ".join(f"{camel(d.field)}: {d.message}" for d in details)
        super().__init__(text, details=list(details))


class NotAuthenticated(FanfareError):
    """No credential, or one that is unknown, revoked, expired, malformed or of another tenant."""

    status, error, code = 401, "Authentication required", "AUTHENTICATION_REQUIRED"


class SecretKeyRequired(FanfareError):
    status, error, code = 401, "Secret key required", "SECRET_KEY_REQUIRED"


class InvalidRefreshToken(FanfareError):
    status, error, code = 401, "invalid refresh token", "INVALID_REFRESH_TOKEN"


class OtpInvalid(FanfareError):
    """A wrong code, or none to compare it with; the two look alike."""

    status, error, code = 401, "otp_invalid", "OTP_INVALID"


class OtpExpired(FanfareError):
    status, error, code = 401, "otp_expired", "OTP_EXPIRED"


class InvalidExchangeCode(FanfareError):
    status, error, code = 401, "invalid_exchange_code", "INVALID_EXCHANGE_CODE"


class ExchangeCodeExpired(FanfareError):
    status, error, code = 401, "exchange_code_expired", "EXCHANGE_CODE_EXPIRED"


class ConsumerRequired(FanfareError):
    error, code = "Consumer ID is required", "CONSUMER_REQUIRED"


class SignInRequired(FanfareError):
    status, error, code = 403, "Sign-in required", "SIGN_IN_REQUIRED"


class AccessCodeRequired(FanfareError):
    status, error, code = 403, "Access code required", "ACCESS_CODE_REQUIRED"


class NotEligible(FanfareError):
    status, error, code = 403, "Not eligible", "NOT_ELIGIBLE"


class NotFound(FanfareError):
    """Not there, or not this organization's: the answer never tells which."""

    status, error, code = 404, "Not found", "NOT_FOUND"

    def __init__(self, thing: str) -> None:
        code = f"{thing.upper().replace(' ', '_')}_NOT_FOUND"
        super().__init__(error=f"{thing} not found", code=code)


class NotEntered(FanfareError):
    """A move for a consumer who never entered the distribution."""

    status = 404

    def __init__(self, kind: str) -> None:
        code = f"CONSUMER_NOT_IN_{kind.upper().replace(' ', '_')}"
        super().__init__(error=f"Consumer not in {kind.lower()}", code=code)


class FingerprintRequired(FanfareError):
    error, code = "FINGERPRINT_REQUIRED", "FP001"

    def __init__(self) -> None:
        super().__init__(
            "Send X-Fingerprint: fp_ and 10 to 64 letters, digits, _ or -.",
            headers={"X-Fingerprint-Error": "true"},
        )


class DeviceMismatch(FanfareError):
    status, error, code = 403, "DEVICE_MISMATCH", "FP002"

    def __init__(self) -> None:
        super().__init__(
            "The fingerprint is not the one given at entry.",
            headers={"X-Fingerprint-Mismatch": "true"},
        )


class WorkRequired(FanfareError):
    error, code = "Proof of work required", "PROOF_OF_WORK_REQUIRED"

    def __init__(self) -> None:
        super().__init__("Solve a challenge and send its payload as X-Altcha.")


class WorkInvalid(FanfareError):
    """Wrong, too late, used before, or meant for another consumer or distribution."""

    error, code = "Proof of work invalid", "PROOF_OF_WORK_INVALID"

    def __init__(self) -> None:
        super().__init__("Solve a new challenge.")


class IllegalMove(FanfareError):
    """A move that the present status does not allow; the body carries that status."""

    status, error, code = 409, "Illegal transition", "ILLEGAL_TRANSITION"


class NotOpenYet(FanfareError):
    """Before opening; `Retry-After`: seconds until one may enter, rounded up (a pre-queue is earlier)."""

    status = 423

    def __init__(
        self, kind: str, opens_at: dt.datetime, *, now: dt.datetime, wait_until: dt.datetime
    ) -> None:
        super().__init__(
            f"It opens at {opens_at.astimezone(dt.UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}.",
            error=f"{kind} is not open yet",
            code=f"{kind.upper().replace(' ', '_')}_NOT_OPEN",
            retry_after=max(1, math.ceil((wait_until - now).total_seconds())),
            open_at=opens_at,
        )


class Closed(FanfareError):
    """After closing, or paused by staff: `code` ends in `_CLOSED` or `_PAUSED`."""

    def __init__(self, kind: str, *, paused: bool = False, message: str = "") -> None:
        code = f"{kind.upper().replace(' ', '_')}_{'PAUSED' if paused else 'CLOSED'}"
        self.is_paused = paused
        super().__init__(
            message or ("Paused by staff; try again." if paused else ""),
            error=f"{kind} is closed",
            code=code,
        )


class Full(FanfareError):
    """Every place is taken; one may come free, so a client may try again."""

    status = 429

    def __init__(self, kind: str, *, retry_after: int) -> None:
        super().__init__(
            "Every place is taken.",
            error=f"{kind} is full",
            code=f"{kind.upper().replace(' ', '_')}_FULL",
            retry_after=retry_after,
        )


class SoldOut(FanfareError):
    """Every unit is taken; `retry_after` only where one may still come back."""

    status = 429

    def __init__(self, kind: str, *, retry_after: int | None = None) -> None:
        more = "Units that are not claimed in time come back." if retry_after else ""
        super().__init__(
            more,
            error=f"{kind} is sold out",
            code=f"{kind.upper().replace(' ', '_')}_SOLD_OUT",
            retry_after=retry_after,
        )


class SlotFull(FanfareError):
    """Every place of a slot is taken."""

    status, error, code = 409, "Slot is full", "SLOT_FULL"


class BookingLimit(FanfareError):
    """The consumer has as many bookings ahead as one may have."""

    status, error, code = 409, "Booking limit reached", "BOOKING_LIMIT_REACHED"


class TooLateToCancel(FanfareError):
    """The start is nearer than bookings can be cancelled."""

    status, error, code = 409, "Too late to cancel", "TOO_LATE_TO_CANCEL"


class BidTooLow(FanfareError):
    """A bid at or below what there is; `details` and `minimumNextBid` tell the least acceptable amount."""

    error, code = "Bid must be higher than current bid", "BID_TOO_LOW"

    def __init__(self, least: str, message: str = "") -> None:
        text = f"At least {least}."
        super().__init__(message or text, details=[Detail("amount", text)], minimum_next_bid=least)


class BidBelowIncrement(BidTooLow):
    """A bid above the price, but by less than the increment."""

    error, code = "Bid must meet minimum increment", "BID_BELOW_INCREMENT"


class KeyReused(FanfareError):
    """An `Idempotency-Key` that came with another body before."""

    status, error, code = 409, "Idempotency key reused", "IDEMPOTENCY_KEY_REUSED"


class RateLimited(FanfareError):
    status, error, code = 429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED"


class BodyTooLarge(FanfareError):
    status, error, code = 413, "Body too large", "BODY_TOO_LARGE"


class LengthRequired(FanfareError):
    """A chunked body: WSGI hands over none without its length, so it would be lost silently."""

    status, error, code = 411, "Length required", "LENGTH_REQUIRED"


class UnsupportedMediaType(FanfareError):
    status, error, code = 415, "Unsupported media type", "UNSUPPORTED_MEDIA_TYPE"


class MethodNotAllowed(FanfareError):
    status, error, code = 405, "Method not allowed", "METHOD_NOT_ALLOWED"


class Busy(FanfareError):
    """PostgreSQL is away or did not answer in time; nothing was changed."""

    status, error, code = 503, "Service unavailable", "SERVICE_UNAVAILABLE"
