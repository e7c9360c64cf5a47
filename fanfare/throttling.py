"""Counting the cold categories of `fanfare.limits` through django-ratelimit."""

from typing import Any

from django_ratelimit.core import get_usage
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from fanfare import metrics, redis
from fanfare.limits import Usage, limit_for


class Throttle(BaseThrottle):
    """Counts a cold category for the organization of the request's credential.

    Raises RateLimited; leaves the usage for the headers.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        organization = request.auth.organization  # type: ignore[union-attr]
        limit = limit_for(view.rate_category, organization.rate_limits)
        counted = redis.attempt(
            "rate",
            lambda: get_usage(
                request._request,
                group=view.rate_category,
                key=lambda *_: organization.id,
                rate=f"{limit}/m",
                increment=True,
            ),
        )
        if counted is None:
            metrics.UNLIMITED.inc()
            return True
        now = view.now
        reset = int(now.timestamp()) + max(0, counted["time_left"])
        usage = Usage(limit, counted["count"], reset)
        request._request.usage = usage  # type: ignore[attr-defined]
        usage.require(now)
        return True
