"""Counting through django-ratelimit: the cold categories of `fanfare.limits`, and guesses of all kinds."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django_ratelimit.core import get_usage
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from fanfare import errors, metrics, redis
from fanfare.limits import Usage, limit_for


def usage_of(
    request: HttpRequest, group: str, key: str, rate: str, *, increment: bool = True
) -> Mapping[str, Any] | None:
    """How often a key was counted, once more if `increment`; None without Redis: then nobody is limited.

    `rate` as django-ratelimit writes it, such as `20/10m`.
    """
    found: Mapping[str, Any] | None = redis.attempt(
        "rate",
        lambda: get_usage(request, group=group, key=lambda *_: key, rate=rate, increment=increment),
    )
    if found is None:
        metrics.UNLIMITED.inc()
    return found


def require(request: HttpRequest, group: str, key: str, rate: str, *, increment: bool = True) -> None:
    """Count as `usage_of` does. Raises RateLimited when it was once too often."""
    counted = usage_of(request, group, key, rate, increment=increment)
    if counted and counted["should_limit"]:
        wait = max(1, counted["time_left"])
        raise errors.RateLimited(f"Too often. Try again in {wait} s.", retry_after=wait)


class Throttle(BaseThrottle):
    """Counts a cold category for the organization of the request's credential.

    Raises RateLimited; leaves the usage for the headers.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        organization = request.auth.organization  # type: ignore[union-attr]
        limit = limit_for(view.rate_category, organization.rate_limits)
        counted = usage_of(request._request, view.rate_category, organization.id, f"{limit}/m")
        if counted is None:
            return True
        now = view.now
        reset = int(now.timestamp()) + max(0, counted["time_left"])
        usage = Usage(limit, counted["count"], reset)
        request._request.usage = usage  # type: ignore[attr-defined]
        usage.require(now)
        return True
