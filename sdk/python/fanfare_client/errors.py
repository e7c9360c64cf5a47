"""What can go wrong, in the contract's words: `code` and `error` are stable, `message` explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class FanfareError(Exception):
    """The base of all that goes wrong, and itself a refusal without a class of its own, such as `FP002`.

    `status` is the HTTP status, None where there was no answer. `details` are the fields that were wrong,
    each with `field` and `message`. `retry_after` is in seconds, None where nobody said. `body` is the
    answer as it came: an object, or the beginning of a text that is none.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str = "",
        error: str = "",
        details: Sequence[Mapping[str, str]] = (),
        retry_after: float | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.error = error
        self.details = list(details)
        self.retry_after = retry_after
        self.body = body

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message


class NotFound(FanfareError):
    """No such distribution, consumer or booking here, or the consumer never entered."""


class IllegalMove(FanfareError):
    """The present status does not allow it: `body["status"]`."""


class RateLimited(FanfareError):
    """Too often; `retry_after` says how long to wait."""


class NotAuthenticated(FanfareError):
    """The secret key is unknown or revoked."""


class Unavailable(FanfareError):
    """Fanfare can't be reached, or says that it can't answer just now. Whether it acted is not known."""


class Unexpected(FanfareError):
    """An answer that is not Fanfare's: a web page, a redirect. Is `base_url` right?"""


class TokenInvalid(FanfareError):
    """`check` does not take the token; `code` as in a verdict: TOKEN_INVALID, WRONG_DISTRIBUTION, …"""


class TokenExpired(TokenInvalid):
    """The admission's time is over, by this machine's clock."""
