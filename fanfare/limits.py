"""Rate limits: one table of categories, per organization and minute.

Hot categories are counted in the Redis round trip that does their work (`distributions.core.live`);
cold ones by `fanfare.throttling`. Without Redis nothing is limited: the request is
served, logged and counted in a metric.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanfare import errors

WINDOW_SECONDS = 60
# Requests per organization and minute, unless the organization's own `rate_limits` says otherwise.
DEFAULTS = {
    "queueEntry": 1000,
    "drawEntry": 1000,
    "auctionBid": 500,
    "statusCheck": 5000,
    "authentication": 100,
}


@dataclass(frozen=True)
class Usage:
    """How much of a category's minute is used; `reset` is the Unix second at which it starts anew."""

    limit: int
    used: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The three `X-RateLimit-…` headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": str(self.reset),
        }

    def require(self, now: dt.datetime) -> None:
        """Raise RateLimited when the minute is used up."""
        if self.used > self.limit:
            wait = max(1, self.reset - int(now.timestamp()))
            raise errors.RateLimited(f"Try again in {wait} s.", retry_after=wait)


def limit_for(category: str, overrides: Mapping[str, Any]) -> int:
    """Requests a minute for a category, the organization's own number first."""
    return int(overrides.get(category) or DEFAULTS[category])


def window(now: dt.datetime) -> tuple[int, int]:
    """The number of the minute that `now` is in, and the Unix second at which it ends."""
    number = int(now.timestamp()) // WINDOW_SECONDS
    return number, (number + 1) * WINDOW_SECONDS
