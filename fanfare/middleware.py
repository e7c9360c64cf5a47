"""What surrounds every request: its id, its log line, and JSON for errors outside the views."""

import re
import secrets
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.csrf import csrf_failure
from structlog.contextvars import bind_contextvars, clear_contextvars

from fanfare import errors, metrics
from fanfare.http import as_error, error_response

log = structlog.get_logger("fanfare.request")
_HARMLESS = re.compile(r"[A-Za-z0-9._:+/=@-]{1,64}")
METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))
Next = Callable[[HttpRequest], HttpResponseBase]


class RequestContext:
    """Takes over or makes `X-Request-Id`, binds it to all log lines, counts and logs the request."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-Id", "")
        request.id = given if _HARMLESS.fullmatch(given) else secrets.token_hex(8)  # type: ignore[attr-defined]
        clear_contextvars()
        bind_contextvars(request_id=request.id)  # type: ignore[attr-defined]
        started = time.perf_counter()
        response = _too_large(request) or self.get_response(request)
        seconds = time.perf_counter() - started
        response["X-Request-Id"] = request.id  # type: ignore[attr-defined]
        _note(request, response, seconds)
        return response


def _too_large(request: HttpRequest) -> HttpResponseBase | None:
    """A refusal before anybody reads the body, so that no stranger fills memory or disk with one.

    The API's parser has a narrower limit and reads no further than that.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if (
        request.path.startswith("/api/")
        or not length.isascii()
        or not length.isdigit()
        or int(length) <= settings.MAX_BODY_BYTES
    ):
        return None
    problem = errors.BodyTooLarge(f"At most {settings.MAX_BODY_BYTES} bytes.")
    return error_response(problem, request)


def _note(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """One metric and one log line a request; polls that went well are not worth a line."""
    route = request.resolver_match.route if request.resolver_match else "unmatched"
    method = request.method if request.method in METHODS else "OTHER"  # a stranger's word is no label
    metrics.REQUESTS.labels(method, route, response.status_code).inc()
    metrics.SECONDS.labels(route).observe(seconds)
    quiet = request.method == "GET" and response.status_code < 400
    write = log.debug if quiet else log.warning if response.status_code >= 500 else log.info
    write(
        "request",
        method=request.method,
        path=_path(request),
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        code=getattr(request, "refusal", None),
    )


def _path(request: HttpRequest) -> str:
    """As it was asked for, but for a token in it: whoever has that may do what it is for."""
    token = request.resolver_match.kwargs.get("token") if request.resolver_match else None
    return request.path.replace(token, "…") if token else request.path


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler404`: the API's shape under /api, a page elsewhere."""
    if request.path.startswith("/api/"):
        return error_response(as_error(exception), request)
    return render(request, "404.html", status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`: what Django itself refuses, such as a broken header or query."""
    problem = errors.Invalid(errors.Detail("request", "could not be read"))
    return error_response(problem, request)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's `CSRF_FAILURE_VIEW`: the API's shape under /api, Django's page elsewhere."""
    if request.path.startswith("/api/"):
        problem = errors.FanfareError(reason, error="Forbidden", code="FORBIDDEN").with_status(403)
        return error_response(problem, request)
    return csrf_failure(request, reason)


def crash(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`, for a crash outside the API's views."""
    problem = errors.FanfareError(
        "Something went wrong on our side.", error="Internal error", code="INTERNAL_ERROR"
    )
    return error_response(problem.with_status(500), request)
