"""The base of every view: one instant per request, a body read by a serializer or refused, and the
headers that every answer has: how much of the rate is used, and who may keep the answer.
"""

import datetime as dt
import hashlib
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from fanfare import clock, errors, http, ids
from fanfare.limits import Usage, limit_for, window
from fanfare.wire import snake

# For what is the same for everyone with a key of one organization; anything else is not kept at all.
FOR_A_SECOND = {"Cache-Control": "public, max-age=1", "Vary": "X-Publishable-Key, Authorization"}


class ApiViewSet(ViewSet):
    """A viewset with `now`, the instant at which the request is taken to happen.

    `rate_categories` names the rate limit of each action that has one.
    """

    now: dt.datetime
    lookup_url_kwarg = "id"
    rate_categories: ClassVar[dict[str, str]] = {}

    @property
    def is_verb(self) -> bool:
        """Whether the method is one that the address has: neither OPTIONS nor a 405."""
        return self.action not in (None, "metadata")

    @property
    def rate_category(self) -> str | None:
        """Which rate limit the request counts against."""
        return self.rate_categories.get(self.action or "")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = clock.now()
        if not self.is_verb:
            return
        super().initial(request, *args, **kwargs)
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            raise errors.LengthRequired("Send Content-Length.")

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Which methods there are, in `Allow`; nobody needs a key for that."""
        return Response(status=204)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers.setdefault("Cache-Control", "no-store")
        if self.rate_category:
            for name, value in self._usage(self.rate_category).headers().items():
                final[name] = value
        return final

    def _usage(self, category: str) -> Usage:
        """What was counted; where nothing was (no Redis, or refused before), the whole minute is left."""
        http = self.request._request
        counted: Usage | None = getattr(http, "usage", None)
        if counted is not None:
            return counted
        organization = getattr(http, "organization", None)
        limit = limit_for(category, organization.rate_limits if organization else {})
        return Usage(limit, 0, window(self.now)[1])


class TextField(serializers.CharField):
    """Text, and nothing else: a number is not taken for its digits."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class IdField(serializers.RegexField):
    """An id of ours in an answer, with the pattern that the schema shows."""

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(rf"^{prefix}_{ids.ULID_PATTERN}$", **options)


class NothingSerializer(serializers.Serializer[Any]):
    """The body of what needs none: an object, of which nothing is read."""


def cacheable(request: Request, body: Any) -> Response:
    """The same for everyone with a key, for a second; 304 for whoever has it already (`If-None-Match`)."""
    tag = f'"{hashlib.sha256(http.dumps(body)).hexdigest()[:32]}"'
    headers = {"ETag": tag, **FOR_A_SECOND}
    given = [
        entry.strip().removeprefix("W/") for entry in request.headers.get("If-None-Match", "").split(",")
    ]
    if tag in given or "*" in given:
        return Response(status=304, headers=headers)
    return Response(body, headers=headers)


def parse_query(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The query's parameters as the serializer describes them, in the wire's spelling. Raises a
    ValidationError.
    """
    given = request.query_params.dict()
    parsed = serializer(data={snake(name): value for name, value in given.items() if "_" not in name})
    parsed.is_valid(raise_exception=True)
    return dict(parsed.validated_data)


def parse(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body's fields as the serializer describes them. Raises a ValidationError."""
    parsed = serializer(data=request.data)
    parsed.is_valid(raise_exception=True)
    return dict(parsed.validated_data)
