"""The OpenAPI description: what the views say of themselves, in the wire's spelling.

A verb's own lines are said by `describes`; what follows from its permission (credentials and their
refusals), its rate limit, its path and its HTTP method is derived here, once for all.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, TypeVar

import orjson
from django.http import HttpRequest, HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import Serializer

from fanfare import errors, http, ids
from fanfare.wire import camel

Refusals = Callable[[str], list[errors.FanfareError]]
F = TypeVar("F", bound=Callable[..., Any])

Way = dict[str, list[str]]
PUBLISHABLE: Way = {"publishableKey": []}
ACCESS: Way = {"accessToken": []}
SECRET: Way = {"secretKey": []}
# What the contract's letters open with; a permission says its letter in `needs`.
SECURITY: dict[str, list[Way]] = {
    "P": [PUBLISHABLE, SECRET, ACCESS],
    "C": [{**PUBLISHABLE, **ACCESS}, ACCESS],
    "S": [SECRET],
}
SECURITY_SCHEMES = {
    "publishableKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Publishable-Key",
        "description": "pk_live_… or pk_test_…: browsers and apps.",
    },
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A consumer: the access token of a sign-in.",
    },
    "secretKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "sk_live_… or sk_test_…: the shop's server, alone.",
    },
}
_SECONDS = {"type": "integer", "minimum": 1}
HEADERS = {
    "X-Request-Id": {"schema": {"type": "string"}, "description": "Names this request in logs."},
    "X-RateLimit-Limit": {"schema": {"type": "integer"}, "description": "Requests a minute."},
    "X-RateLimit-Remaining": {"schema": {"type": "integer"}, "description": "Left of this minute."},
    "X-RateLimit-Reset": {"schema": {"type": "integer"}, "description": "Unix second of the next minute."},
    "Retry-After": {"schema": _SECONDS, "description": "Seconds until asking again makes sense."},
    "ETag": {"schema": {"type": "string"}, "description": "For If-None-Match."},
    "WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer."},
    "X-Fingerprint-Error": {"schema": {"const": "true"}},
    "X-Fingerprint-Mismatch": {"schema": {"const": "true"}},
}
ERROR = {
    "type": "object",
    "description": "Every refusal. `error` and `code` are stable; `message` explains.",
    "required": ["code", "error", "message", "requestId"],
    "properties": {
        "error": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "requestId": {"type": "string"},
        "details": {
            "type": "array",
            "description": "What is wrong with which field.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "retryAfter": {**_SECONDS, "description": "As the header Retry-After."},
        "openAt": {"type": "string", "format": "date-time", "description": "423: when it opens."},
        "status": {"type": "string", "description": "409: the present status."},
        "minimumNextBid": {"type": "string", "description": "Of a bid: the least acceptable amount."},
        "next": {
            "type": "object",
            "description": "Full, sold out or closed: where to go on, if there is anything.",
            "required": ["kind", "id"],
            "properties": {
                "kind": {"type": "string", "enum": ["sequence", "waitlist"]},
                "id": {"type": "string"},
            },
        },
    },
}
FINGERPRINT = OpenApiParameter(
    "X-Fingerprint",
    location="header",
    pattern="^fp_[A-Za-z0-9_-]{10,64}$",
    description="The device's; required unless the organization switched it off.",
)
WORK = OpenApiParameter(
    "X-Altcha",
    location="header",
    description="The solved `challenge`; required where there is `proofOfWork`, unless one is in.",
)


def _no_refusals(title: str) -> list[errors.FanfareError]:
    return []


@dataclass(frozen=True)
class Described:
    """What a verb says of itself; `answer` and `body`: a serializer, the view's attribute that holds it, or
    None.
    """

    answer: type[Serializer[Any]] | type[str] | str | None
    body: type[Serializer[Any]] | str | None
    refusals: Refusals
    status: int
    has_etag: bool
    media_type: str
    parameters: tuple[OpenApiParameter, ...]


def describes(
    answer: type[Serializer[Any]] | type[str] | str | None,
    *parameters: OpenApiParameter,
    body: type[Serializer[Any]] | str | None = None,
    refusals: Refusals = _no_refusals,
    status: int = 200,
    has_etag: bool = False,
    media_type: str = "",
) -> Callable[[F], F]:
    """Say of a view's verb what it answers, takes and refuses; `refusals` is given the kind's title.

    `media_type` of an answer that is not JSON, but a file.
    """

    def note(verb: F) -> F:
        verb.described = Described(  # type: ignore[attr-defined]
            answer, body, refusals, status, has_etag, media_type, parameters
        )
        return verb

    return note


class Description(AutoSchema):
    """One operation of the API: an action of an `ApiViewSet`."""

    view: Any

    @property
    def _described(self) -> Described:
        found: Described = getattr(self.view, self.view.action).described
        return found

    @property
    def _needs(self) -> set[str]:
        return {permission.needs for permission in self.view.get_permissions()}

    @property
    def _group(self) -> str:
        return camel(self.path.split("/")[3].replace("-", "_"))

    def get_operation_id(self) -> str:
        verb = "get" if self.view.action == "retrieve" else self.view.action
        return f"{self._group}{verb[0].upper()}{camel(verb[1:])}"

    def get_tags(self) -> list[str]:
        return [self._group]

    def get_summary(self) -> str:
        return str(getattr(self.view, self.view.action).__doc__).partition("\n")[0]

    def get_description(self) -> str:  # type: ignore[override]
        return ""

    def get_auth(self) -> list[Way]:
        return [way for letter in self._needs for way in SECURITY[letter]]

    def get_request_serializer(self) -> Any:
        return self._named(self._described.body)

    def get_response_serializers(self) -> Any:
        status, media_type = self._described.status, self._described.media_type
        return {(status, media_type) if media_type else status: self._named(self._described.answer)}

    def _named(self, told: type[Serializer[Any]] | type[str] | str | None) -> Any:
        return getattr(self.view, told) if isinstance(told, str) else told

    def get_override_parameters(self) -> list[Any]:
        found = list(self._described.parameters)
        if "{id}" in self.path:
            pattern = f"^{self.view.prefix}_{ids.ULID_PATTERN}$"
            found.append(OpenApiParameter("id", location="path", pattern=pattern))
        if self._described.has_etag:
            found.append(OpenApiParameter("If-None-Match", location="header"))
        return found

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        responses = super()._get_response_bodies(direction)
        names = ["X-Request-Id"]
        if self.view.rate_categories.get(self.view.action):
            names += ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
        if self._described.has_etag:
            responses["304"] = {"description": "As it was.", "headers": {}}
        for response in responses.values():
            response["description"] = response["description"] or "Done."
            response["headers"] = _headers([*names, "ETag"] if self._described.has_etag else names)
        return responses | _refused(self._refusals(), names)

    def _refusals(self) -> list[errors.FanfareError]:
        title = getattr(self.view, "title", "")
        found: list[errors.FanfareError] = [
            errors.NotAuthenticated(),
            errors.NotAuthenticated(code="TOKEN_EXPIRED"),
            errors.Busy("Try again.", retry_after=http.RETRY_WHEN_BUSY),
        ]
        found += [errors.ConsumerRequired()] if "C" in self._needs else []
        found += [errors.SecretKeyRequired()] if "S" in self._needs else []
        found += [errors.NotFound(title)] if "{id}" in self.path else []
        if self.method == "POST":
            found += [errors.Invalid(errors.Detail("field", "This field is required."))]
            found += [errors.LengthRequired("Send Content-Length."), errors.BodyTooLarge()]
            found += [errors.UnsupportedMediaType("Send application/json.")]
        if self.view.rate_categories.get(self.view.action):
            found.append(errors.RateLimited("Try again in 7 s.", retry_after=7))
        return found + self._described.refusals(title)


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _refused(refusals: list[errors.FanfareError], names: list[str]) -> dict[str, Any]:
    """The refusals by status, each with its stable words as an example."""
    grouped: dict[int, list[errors.FanfareError]] = defaultdict(list)
    for refusal in refusals:
        grouped[refusal.status].append(refusal)
    return {str(status): _response(grouped[status], names) for status in sorted(grouped)}


def _response(refusals: list[errors.FanfareError], names: list[str]) -> dict[str, Any]:
    content = {
        "schema": {"$ref": "#/components/schemas/Error"},
        "examples": {refusal.code: {"value": _example(refusal)} for refusal in refusals},
    }
    own = {name for refusal in refusals for name in http.headers(refusal)} & set(HEADERS)
    return {
        "description": "; ".join(dict.fromkeys(refusal.error for refusal in refusals)),
        "headers": _headers([*names, *sorted(own)]),
        "content": {"application/json": content},
    }


def _example(refusal: errors.FanfareError) -> Any:
    return orjson.loads(http.dumps(http.error_body(refusal, "0123456789abcdef")))


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Spectacular's last step: the wire's spelling everywhere, and what all operations refer to."""
    components = result.setdefault("components", {})
    components["schemas"] = {name: _camelized(found) for name, found in components["schemas"].items()}
    components["schemas"]["Error"] = ERROR
    components["headers"] = HEADERS
    components["securitySchemes"] = SECURITY_SCHEMES
    return result


def _camelized(schema: Any) -> Any:
    """The same schema with its properties, at any depth, as they are on the wire."""
    if isinstance(schema, list):
        return [_camelized(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _camelized(value) for key, value in schema.items()}
    if isinstance(found.get("properties"), dict):
        found["properties"] = {camel(key): value for key, value in found["properties"].items()}
    if isinstance(found.get("required"), list):
        found["required"] = sorted(camel(name) for name in found["required"])
    return found


_one_at_a_time = Lock()


def document() -> bytes:
    """The whole description as JSON; made once a process, since only a new release changes it.

    By one thread: drf-spectacular loads its extensions at the first use, and two at once trip over that.
    """
    with _one_at_a_time:
        return _document()


@lru_cache(maxsize=1)
def _document() -> bytes:
    found = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return json.dumps(found, ensure_ascii=False).encode()


def openapi(request: HttpRequest) -> HttpResponse:
    """`/api/v1/openapi.json`, for everyone."""
    headers = {"Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*"}
    return HttpResponse(document(), content_type="application/json", headers=headers)
