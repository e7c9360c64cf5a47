"""JSON in and out: camelCase on the wire, snake_case inside, one shape for every error.

This is the only module that knows camelCase and the only one that turns an exception into a response.
"""

import datetime as dt
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
import structlog
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions as drf
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from fanfare import errors

log = structlog.get_logger(__name__)

BODY_LIMIT = 64 * 1024  # bytes
RETRY_WHEN_BUSY = 2  # seconds


@lru_cache(maxsize=2048)
def camel(name: str) -> str:
    """`entered_at` → `enteredAt`; ids and names without a lower-case letter after `_` stay as they are."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


@lru_cache(maxsize=2048)
def snake(name: str) -> str:
    """`consumerId` → `consumer_id`."""
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def camelize(value: Any) -> Any:
    """The same structure with every key in camelCase."""
    if isinstance(value, dict):
        return {camel(k) if isinstance(k, str) else k: camelize(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [camelize(v) for v in value]
    return value


def iso(instant: dt.datetime) -> str:
    """ISO 8601 in UTC with `Z`, to the microsecond where there is one."""
    return instant.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"


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

    Raises BodyTooLarge, or Invalid for whatever isn't one JSON object of storable text.
    """

    media_type = "application/json"

    def parse(self, stream: Any, *_: Any) -> dict[str, Any]:
        raw = stream.read(BODY_LIMIT + 1)
        if len(raw) > BODY_LIMIT:
            raise errors.BodyTooLarge(f"At most {BODY_LIMIT} bytes.")
        if not raw.strip():
            return {}
        try:
            body = orjson.loads(raw)
        except (orjson.JSONDecodeError, RecursionError) as problem:
            raise _bad_body(f"not valid JSON: {problem}") from None
        if not isinstance(body, dict):
            raise _bad_body("must be a JSON object")
        if b"\\u0000" in raw and _has_nul(body):
            raise _bad_body("must not contain NUL characters")
        return {snake(key): value for key, value in body.items()}


def _bad_body(message: str) -> errors.Invalid:
    return errors.Invalid(errors.Detail("body", message))


def _has_nul(value: Any) -> bool:
    """PostgreSQL stores no NUL; orjson's own depth limit bounds this recursion."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(k) or _has_nul(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


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
    return HttpResponse(body, status=error.status, content_type="application/json", headers=_headers(error))


def handle(problem: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: every exception becomes the one shape, a crash included."""
    error = as_error(problem)
    request = context["request"]._request
    request.refusal = error.code
    return Response(error_body(error, request.id), status=error.status, headers=_headers(error))


def _headers(error: errors.FanfareError) -> dict[str, str]:
    headers = dict(error.headers)
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return headers


def as_error(problem: Exception) -> errors.FanfareError:
    """The refusal that an exception means; unknown ones are logged with their trace and answer 500."""
    if isinstance(problem, errors.FanfareError):
        return problem
    if isinstance(problem, Http404 | drf.NotFound):
        return errors.FanfareError(error="Not found", code="NOT_FOUND").with_status(404)
    if isinstance(problem, PermissionDenied):
        return errors.FanfareError(error="Forbidden", code="FORBIDDEN").with_status(403)
    if isinstance(problem, drf.UnsupportedMediaType):
        return errors.UnsupportedMediaType("Send application/json.")
    if isinstance(problem, drf.ValidationError):
        return errors.Invalid(*_details(problem.detail))
    if isinstance(problem, drf.APIException):
        words = str(problem.default_detail).rstrip(".")
        code = str(problem.default_code).upper()
        return errors.FanfareError(str(problem), error=words, code=code).with_status(problem.status_code)
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


def _details(detail: Any, path: str = "") -> list[errors.Detail]:
    """DRF's nested error tree as flat paths."""
    if isinstance(detail, dict):
        return [
            found
            for key, value in detail.items()
            for found in _details(value, path if key == "non_field_errors" else _join(path, key))
        ]
    if isinstance(detail, list):
        return [found for value in detail for found in _details(value, path)]
    return [errors.Detail(path or "body", str(detail))]


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
