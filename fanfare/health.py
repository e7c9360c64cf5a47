"""Health, readiness, metrics and public keys: for load balancers, monitors and shops."""

import datetime as dt
import os
from collections.abc import Callable

import orjson
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from consumers import signing
from fanfare import clock, redis

WORKER_SECONDS = 15  # a worker that gave no sign of life for longer is taken for dead


def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """PostgreSQL, Redis and a worker, each named; 503 without PostgreSQL, since only that is needed."""
    found = {"postgresql": _postgresql(), "redis": redis_answers(), "worker": _worker()}
    words = {name: "ok" if alive else "away" for name, alive in found.items()}
    return JsonResponse(words, status=200 if found["postgresql"] else 503)


class Probes:
    """Middleware: answers `/healthz` and `/readyz` before the host name is looked at, since load
    balancers ask by address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/healthz":
            return healthz(request)
        if request.path == "/readyz":
            return readyz(request)
        return self.get_response(request)


def _postgresql() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def redis_answers() -> bool:
    """Whether Redis is there."""
    return bool(redis.attempt("health", lambda: redis.client().ping()))


def worker_seen() -> dt.datetime | None:
    """When a worker last gave a sign of life; None: never, as far as Redis remembers."""
    seen = redis.attempt("health", lambda: redis.client().get(redis.HEARTBEAT))
    return dt.datetime.fromisoformat(seen.decode()) if isinstance(seen, bytes) else None


def _worker() -> bool:
    seen = worker_seen()
    return seen is not None and clock.now() - seen < dt.timedelta(seconds=WORKER_SECONDS)


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format. Not public: asks for `FANFARE_METRICS_TOKEN`, or a call from this machine."""
    if not _may_see_metrics(request):
        return HttpResponse(status=404)
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_see_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return constant_time_compare(given, settings.METRICS_TOKEN)
    is_local = request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
    return is_local and "HTTP_X_FORWARDED_FOR" not in request.META


def jwks(request: HttpRequest) -> HttpResponse:
    """The public keys that access and admission tokens are signed with (RFC 7517)."""
    return HttpResponse(
        orjson.dumps(signing.jwks()),
        content_type="application/jwk-set+json",
        headers={"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"},
    )
