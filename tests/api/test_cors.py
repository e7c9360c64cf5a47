"""CORS: which origins a browser may call from, and what it may read."""

from typing import Any

import pytest

from experiences import keys
from experiences.models import KeyKind, KeyMode
from fanfare import clock as time
from tests.world import ApiClient, World, make_world

ALLOW = "Access-Control-Allow-Origin"
OURS = ["https://shop.example.com", "*.example.org", "http://127.0.0.1:5173"]


@pytest.fixture
def shop(world: World) -> World:
    """An organization that allows OURS."""
    world.organization.allowed_origins = OURS
    world.organization.save(update_fields=["allowed_origins"])
    return world


def preflight(path: str, origin: str, method: str) -> Any:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return ApiClient({}).send("OPTIONS", path, **asked)


ALLOWED = [
    "https://shop.example.com",
    "https://a.example.org",
    "https://a.b.example.org",
    "http://127.0.0.1:5173",
]
REFUSED = [
    "https://example.org",
    "http://shop.example.com",
    "http://a.example.org",
    "https://shop.example.com:8443",
    "https://a.example.org:8443",
    "https://shop.example.com.evil.net",
    "https://evilexample.org",
    "https://evil.net#.example.org",
    "https://evil.net/.example.org",
    "http://localhost:3000",
    "null",
    "*",
    "https://[",
    "*.example.org",
    "file://",
]


@pytest.mark.parametrize("origin", ALLOWED)
def test_an_allowed_origin_may_read(shop: World, origin: str) -> None:
    answer = shop.shop_front().get("/organizations/current", Origin=origin)
    assert answer.headers[ALLOW] == origin
    assert "Access-Control-Allow-Credentials" not in answer.headers
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"} <= exposed
    asked = preflight("/organizations/current", origin, "GET")
    assert (asked.status_code, asked.headers[ALLOW]) == (200, origin)
    allowed = set(asked.headers["Access-Control-Allow-Headers"].split(", "))
    assert {"authorization", "x-publishable-key", "x-fingerprint", "content-type"} <= allowed


@pytest.mark.parametrize("origin", REFUSED)
def test_any_other_origin_may_not(shop: World, origin: str) -> None:
    answer = shop.shop_front().get("/organizations/current", Origin=origin)
    assert answer.status_code == 200
    assert ALLOW not in answer.headers
    if origin != "http://localhost:3000":  # a preflight doesn't tell a test key
        assert ALLOW not in preflight("/organizations/current", origin, "GET").headers


def test_every_answer_varies_by_origin(shop: World) -> None:
    for origin in ("", ALLOWED[0], REFUSED[0]):
        answer = shop.shop_front().get(f"/experiences/{shop.sequence.experience_id}", Origin=origin)
        assert {"origin", "X-Publishable-Key", "Authorization"} <= set(answer.headers["Vary"].split(", "))


def test_another_organizations_origin_may_not_read(shop: World) -> None:
    stranger = make_world(allowed_origins=["https://theirs.example.net"])
    origin = {"Origin": "https://theirs.example.net"}
    assert ALLOW in stranger.shop_front().get("/organizations/current", **origin).headers
    assert ALLOW not in shop.shop_front().get("/organizations/current", **origin).headers
    # A preflight has no key: it is answered for whoever allows that origin.
    assert preflight("/organizations/current", origin["Origin"], "GET").headers[ALLOW] == origin["Origin"]


@pytest.mark.parametrize("origin", ["http://localhost", "http://localhost:3000"])
def test_a_test_key_allows_localhost_and_a_live_one_does_not(shop: World, origin: str) -> None:
    _, test_key = keys.create(
        shop.organization, KeyKind.PUBLISHABLE, now=time.now(), actor="system:test", mode=KeyMode.TEST
    )
    client = ApiClient({"X-Publishable-Key": test_key})
    assert client.get("/organizations/current", Origin=origin).headers[ALLOW] == origin
    assert ALLOW not in shop.shop_front().get("/organizations/current", Origin=origin).headers
    assert preflight("/auth/guest", origin, "POST").headers[ALLOW] == origin
    for other in (
        "http://localhost.evil.net",
        "https://localhost",
        "http://localhost:",
        "http://localhost:x",
    ):
        assert ALLOW not in client.get("/organizations/current", Origin=other).headers


def test_a_page_may_read_why_it_was_refused(shop: World) -> None:
    guest, origin = shop.consumer(), {"Origin": ALLOWED[0]}
    queue = shop.queue()
    refusals = [
        guest.get(f"/queues/{queue.pk}/status", Authorization="Bearer x", **origin),
        ApiClient({}).get("/organizations/current", **origin),
        ApiClient({"X-Publishable-Key": "pk_live_x"}).post("/auth/guest", **origin),
        guest.status(queue),
        guest.get(f"/queues/{queue.pk}/status", **origin),
        guest.send("POST", f"/queues/{queue.pk}/enter", b"{", **origin),
    ]
    assert [answer.status_code for answer in refusals] == [401, 401, 401, 404, 404, 400]
    assert [ALLOW in answer.headers for answer in refusals] == [True, True, True, False, True, True]


@pytest.mark.parametrize("kind", ["queues", "draws"])
@pytest.mark.parametrize("verb", ["admit", "complete", "deny", "validate"])
def test_what_needs_the_secret_key_is_not_for_browsers(shop: World, kind: str, verb: str) -> None:
    path = f"/{kind}/{(shop.queue() if kind == 'queues' else shop.draw()).pk}/{verb}"
    assert ALLOW not in shop.server().post(path, Origin=ALLOWED[0]).headers
    assert ALLOW not in shop.shop_front().post(path, Origin=ALLOWED[0]).headers
    assert ALLOW not in preflight(path, ALLOWED[0], "POST").headers


@pytest.mark.parametrize(("path", "method"), [("/nothing", "GET"), ("/auth/guest", "PUT"), ("/docs", "GET")])
def test_what_is_no_endpoint_allows_nobody(shop: World, path: str, method: str) -> None:
    assert ALLOW not in preflight(path, ALLOWED[0], method).headers


def test_outside_the_api_there_is_none(shop: World) -> None:
    answer = ApiClient({}).client.get("/healthz", headers={"Origin": ALLOWED[0]})
    assert ALLOW not in answer.headers
