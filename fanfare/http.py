"""JSON in and out: camelCase on the wire, snake_case inside, one shape for every error.

The only module that turns an exception into a response; the spelling itself is `fanfare.wire`.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from fanfare import errors
from fanfare.wire import camel, snake

log = structlog.get_logger(__name__)

BODY_LIMIT = 64 * 1024  # bytes
DEPTH_LIMIT = 32  # objects and lists within one another
RETRY_WHEN_BUSY = 2  # seconds


def camelize(value: Any) -> Any:
    """The same structure with every key in camelCase."""
    if isinstance(value, dict):
        return {camel(k) if isinstance(k, str) else k: camelize(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [camelize(v) for v in value]
    return value


def dumps(value: Any) -> bytes:
    """JSON bytes of a response body in the API's spelling."""
    return orjson.dumps(camelize(value), default=str, option=orjson.OPT_UTC_Z)


class JsonRenderer(BaseRenderer):
    """Responses in camelCase by orjson."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, *_: Any) -> bytes:
        return b"" if data is None else dumps(data)


class JsonParser(BaseParser):
    """An object in camelCase, at most `BODY_LIMIT` bytes; its own keys come out in snake_case.

    A key in another spelling is an unknown one. Raises BodyTooLarge, or Invalid for whatever isn't one
    JSON object of storable text and bounded depth.
    """

    media_type = "application/json"

    def loads(self, raw: bytes) -> Any:
        """What the text says. Raises ValueError or RecursionError."""
        return orjson.loads(raw)

    def parse(self, stream: Any, *_: Any) -> dict[str, Any]:
        raw = stream.read(BODY_LIMIT + 1)
        if len(raw) > BODY_LIMIT:
            raise errors.BodyTooLarge(f"At most {BODY_LIMIT} bytes.")
        if not raw.strip():
            return {}
        try:
            body = self.loads(raw)
        except (ValueError, RecursionError) as problem:
            raise _bad_body(f"not valid JSON: {problem}") from None
        if not isinstance(body, dict):
            raise _bad_body("must be a JSON object")
        _require_storable(body)
        return {snake(key): value for key, value in body.items() if "_" not in key}


class WrittenNumber(float):
    """A JSON number with decimals or exponent that remembers how it was written."""

    written: str

    def __new__(cls, text: str) -> "WrittenNumber":
        found = super().__new__(cls, text)
        found.written = text
        return found


class ExactJsonParser(JsonParser):
    """The same where amounts of money may come as numbers: not a digit of them is lost."""

    def loads(self, raw: bytes) -> Any:
        return json.loads(raw, parse_float=WrittenNumber, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _bad_body(message: str) -> errors.Invalid:
    return errors.Invalid(errors.Detail("body", message))


def _require_storable(value: Any, depth: int = 0) -> None:
    """PostgreSQL stores no NUL and no infinite number; what is too deep can't be walked through."""
    if depth > DEPTH_LIMIT:
        raise _bad_body(f"must not be nested more than {DEPTH_LIMIT} times")
    if isinstance(value, str) and "\0" in value:
        raise _bad_body("must not contain NUL characters")
    if isinstance(value, float) and not math.isfinite(value):
        raise _bad_body("must not contain infinite numbers")
    if isinstance(value, dict):
        for key, entry in value.items():
            _require_storable(key, depth)
            _require_storable(entry, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            _require_storable(entry, depth + 1)


class JsonOnly(BaseContentNegotiation):
    """JSON is all there is, whatever `Accept` says; another kind of body is a 415."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return parsers[0] if kind in ("application/json", "") else None

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def error_body(error: errors.FanfareError, request_id: str) -> dict[str, Any]:
    """The one shape of a refusal."""
    body: dict[str, Any] = {
        "error": error.error,
        "code": error.code,
        "message": error.message,
        "request_id": request_id,
    }
    if error.details:
        body["details"] = [{"field": camel(d.field), "message": d.message} for d in error.details]
    if error.retry_after is not None:
        body["retry_after"] = error.retry_after
    return body | error.extra


def error_response(error: errors.FanfareError, request: HttpRequest) -> HttpResponse:
    """A plain Django response for a refusal outside the views (router, middleware, crash)."""
    body = dumps(error_body(error, getattr(request, "id", "")))
    return HttpResponse(body, status=error.status, content_type="application/json", headers=headers(error))


def handle(problem: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: every exception becomes the one shape, a crash included."""
    error = as_error(problem)
    request = context["request"]._request
    request.refusal = error.code
    return Response(error_body(error, request.id), status=error.status, headers=headers(error))


def headers(error: errors.FanfareError) -> dict[str, str]:
    """What a refusal says in its headers; none is kept by a cache, since the next answer may differ."""
    found = {"Cache-Control": "no-store", **error.headers}
    if error.status == 401:
        found["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        found["Retry-After"] = str(error.retry_after)
    return found


def as_error(problem: Exception) -> errors.FanfareError:
    """The refusal that an exception means; unknown ones are logged with their trace and answer 500."""
    if isinstance(problem, errors.FanfareError):
        return problem
    if isinstance(problem, Http404):
        return errors.FanfareError(error="Not found", code="NOT_FOUND").with_status(404)
    if isinstance(problem, PermissionDenied):
        return errors.FanfareError(error="Forbidden", code="FORBIDDEN").with_status(403)
    if isinstance(problem, drf.APIException):
        return _as_ours(problem)
    if isinstance(problem, UnreadablePostError):  # the client went away
        return _bad_body("could not be read")
    if isinstance(problem, DataError):
        return errors.Invalid(errors.Detail("body", "holds a value that can't be stored"))
    if isinstance(problem, OperationalError | InterfaceError):
        log.warning("database.unavailable", problem=str(problem).splitlines()[:1])
        return errors.Busy("Try again.", retry_after=RETRY_WHEN_BUSY)
    kind = "database.error" if isinstance(problem, DatabaseError) else "crash"
    log.error(kind, exc_info=problem)
    return errors.FanfareError(
        "Something went wrong on our side.", error="Internal error", code="INTERNAL_ERROR"
    ).with_status(500)


def _as_ours(problem: drf.APIException) -> errors.FanfareError:
    """The refusal that one of DRF's own exceptions means."""
    if isinstance(problem, drf.UnsupportedMediaType):
        return errors.UnsupportedMediaType("Send application/json.")
    if isinstance(problem, drf.MethodNotAllowed):
        return errors.MethodNotAllowed(str(problem.detail))
    if isinstance(problem, drf.ValidationError):
        return errors.Invalid(*_details(problem.detail))
    words, code = str(problem.default_detail).rstrip("."), str(problem.default_code).upper()
    return errors.FanfareError(str(problem), error=words, code=code).with_status(problem.status_code)


def _details(detail: Any, path: str = "") -> list[errors.Detail]:
    """DRF's nested error tree as flat paths, in the wire's spelling."""
    if isinstance(detail, dict):
        return [
            found
            for key, value in detail.items()
            for found in _details(value, path if key == "non_field_errors" else _join(path, camel(str(key))))
        ]
    if isinstance(detail, list):
        return [found for value in detail for found in _details(value, path)]
    return [errors.Detail(path or "body", str(detail))]


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
