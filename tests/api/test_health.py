"""Beside the API: health, readiness by part, metrics for the few, public keys for everyone."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client, override_settings

from distributions.tasks import watch_redis
from fanfare.health import WORKER_SECONDS
from tests.api.servers import postgresql_away, redis_away
from tests.world import ApiClient, World


def get(path: str, **meta: Any) -> Any:
    return Client(raise_request_exception=False).get(path, **meta)


def test_the_process_answers_whatever_is_away(world: World) -> None:
    with redis_away(), postgresql_away():
        answer = get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readiness_names_each_part(world: World, clock: Any) -> None:
    watch_redis()
    answer = get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"postgresql": "ok", "redis": "ok", "worker": "ok"})
    clock.shift(WORKER_SECONDS)
    assert get("/readyz").json()["worker"] == "away"
    with redis_away():
        answer = get("/readyz")
    assert answer.status_code == 200  # served without it, only slower
    assert answer.json() == {"postgresql": "ok", "redis": "away", "worker": "away"}
    watch_redis()
    with postgresql_away():
        answer = get("/readyz")
    assert (answer.status_code, answer.json()["postgresql"]) == (503, "away")
    assert get("/readyz").status_code == 200


def test_without_postgresql_the_api_says_when_to_come_back(world: World) -> None:
    guest, queue = world.consumer(), world.queue()
    with postgresql_away():
        answer = guest.enter(queue)
    body = answer.json()
    assert (answer.status_code, body["error"]) == (503, "Service unavailable")
    assert answer.headers["Retry-After"] == str(body["retryAfter"])
    assert guest.enter(queue).json()["position"] == 1


def test_metrics_are_for_this_machine_alone(world: World) -> None:
    assert b"fanfare_requests_total" in get("/metrics").content
    assert get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 404
    assert get("/metrics", HTTP_X_FORWARDED_FOR="10.0.0.7").status_code == 404
    assert get("/metrics", HTTP_X_FORWARDED_FOR="").status_code == 404


def test_metrics_by_token(world: World) -> None:
    with override_settings(METRICS_TOKEN="a-long-token"):  # noqa: S106
        assert get("/metrics").status_code == 404
        for given in ("a-long-token", "Bearer a-long-toke", "Bearer ", "Bearer é"):
            if given != "a-long-token":
                assert get("/metrics", HTTP_AUTHORIZATION=given).status_code == 404
        right = get("/metrics", HTTP_AUTHORIZATION="Bearer a-long-token", REMOTE_ADDR="10.0.0.7")
        assert right.status_code == 200


def test_a_metric_names_no_id(world: World) -> None:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    text = get("/metrics").content.decode()
    assert 'route="api/v1/queues/<str:id>/enter"' in text
    assert queue.pk not in text


@pytest.mark.django_db(transaction=True)
def test_the_public_keys_hold_nothing_private() -> None:
    answer = ApiClient({}).client.get("/.well-known/jwks.json")
    assert answer.headers["Content-Type"] == "application/jwk-set+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")


def test_probes_are_answered_whatever_the_host() -> None:
    """Load balancers ask by address; everything else is for the names we answer to."""
    assert Client().get("/healthz", headers={"Host": "10.1.2.3"}).status_code == 200
    assert Client().get("/admin/login/", headers={"Host": "10.1.2.3"}).status_code == 400


def test_a_strangers_method_is_no_label(world: World) -> None:
    Client().generic("BREW" + "X" * 200, "/healthz")
    Client().generic("BREW" + "X" * 200, "/api/v1/auth/guest")
    page = Client().get("/metrics", REMOTE_ADDR="127.0.0.1").content.decode()
    assert "BREW" not in page
    assert 'method="OTHER"' in page


def test_a_large_body_is_refused_before_anyone_reads_it() -> None:
    large = Client().post(
        "/admin/login/", b"x", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="2000000"
    )
    assert large.status_code == 413
    assert large.json()["code"] == "BODY_TOO_LARGE"


def test_a_forged_form_under_the_api_is_refused_in_its_shape() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/api/v1/openapi.json").json()["code"] == "FORBIDDEN"


def test_a_crash_logs_no_secret() -> None:
    """In JSON as in the console, a trace shows no locals: keys and tokens are among them."""
    code = (
        "import django, logging; django.setup()\n"
        "def crash(token):\n    raise RuntimeError('unforeseen')\n"
        "try:\n    crash('sk_live_' + 'S' * 38)\n"
        "except RuntimeError as problem:\n"
        "    import structlog; structlog.get_logger('x').error('crash', exc_info=problem)\n"
    )
    for form in ("json", "console"):
        variables = os.environ | {"DJANGO_SETTINGS_MODULE": "fanfare.settings", "FANFARE_LOG_FORMAT": form}
        said = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True)
        assert "unforeseen" in said.stderr
        assert "SSSS" not in said.stderr
