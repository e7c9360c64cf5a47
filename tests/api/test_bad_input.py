"""What no client should send: each gets a refusal in the one shape, never a 500, and changes nothing."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.db.models import Count, Max
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from distributions.core.models import Distribution
from fanfare import ids
from tests.world import ApiClient, ConsumerClient, World, assert_error, make_world

LIMIT = 64 * 1024
JSON = "application/json"
PATIENT = how(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def rows() -> dict[str, Any]:
    """How many rows each table has, and the last id."""
    found = {}
    for model in apps.get_models():
        key = model._meta.pk.name
        found[model._meta.label] = model._default_manager.aggregate(Count(key), Max(key))
    return found


@contextmanager
def nothing_changes() -> Iterator[None]:
    before = rows()
    yield
    assert rows() == before


class Scene:
    """A world with a queue, a consumer who waits, a server; and every POST endpoint with its client."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.queue: Distribution = world.queue(session_seconds=600)
        self.guest: ConsumerClient = world.consumer()
        self.front, self.server = world.shop_front(), world.server()

    def posts(self) -> list[tuple[ApiClient, str]]:
        at = f"/queues/{self.queue.pk}"
        moves = [(self.server, f"{at}/{verb}") for verb in ("admit", "complete", "deny", "validate")]
        consumers = [(self.guest, f"{at}/enter"), (self.guest, f"{at}/leave"), (self.guest, "/auth/logout")]
        return [*moves, *consumers, (self.front, "/auth/guest"), (self.front, "/auth/refresh")]


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


BROKEN: dict[str, bytes] = {
    "half an object": b"{",
    "two objects": b"{}{}",
    "single quotes": b"{'a': 1}",
    "a comment": b"{} // no",
    "a trailing comma": b'{"a": 1,}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "a byte-order mark": b"\xef\xbb\xbf{}",
    "invalid UTF-8": b'{"a": "\xff"}',
    "UTF-16": "{}".encode("utf-16"),
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a NUL byte": b'{"a": "\x00"}',
    "an escaped NUL": b'{"a": "\\u0000"}',
    "an escaped NUL in a key": b'{"\\u0000": 1}',
    "an escaped NUL deep down": b'{"a": [{"b": ["\\u0000"]}]}',
    "deep lists": b'{"a": ' + b"[" * 33 + b"]" * 33 + b"}",
    "very deep lists": b'{"a": ' + b"[" * 900 + b"]" * 900 + b"}",
    "bottomless lists": b"[" * 30_000,
    "bottomless objects": b'{"a":' * 10_000,
    "deep objects with a NUL": b'{"a":' * 900 + b'"\\u0000"' + b"}" * 900,
    "a list": b"[]",
    "a string": b'"consumerId"',
    "a number": b"5",
    "null": b"null",
    "true": b"true",
    "form fields": b"consumerId=x",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_body_that_is_no_object_of_json(scene: Scene, what: str) -> None:
    with nothing_changes():
        for client, path in scene.posts():
            answer = client.send("POST", path, BROKEN[what])
            body = assert_error(answer, 400, "Validation failed", "VALIDATION_FAILED")
            assert [detail["field"] for detail in body["details"]] == ["body"]


def test_a_body_of_64_kibibytes_and_one_more(scene: Scene) -> None:
    fits = json.dumps({"unknown": "x" * (LIMIT - len('{"unknown": ""}'))}).encode()
    assert len(fits) == LIMIT
    with nothing_changes():
        for client, path in scene.posts():
            assert_error(client.send("POST", path, fits + b" "), 413, "Body too large", "BODY_TOO_LARGE")
            assert_error(client.send("POST", path, b"x" * 3_000_000), 413, "Body too large")
    assert scene.guest.send("POST", f"/queues/{scene.queue.pk}/enter", fits).status_code == 200


TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"]
TYPES += ["application/xml", "application/jsonp", "*/*", "json", "application/json/json", "é"]


@pytest.mark.parametrize("content_type", TYPES)
def test_a_body_of_another_type(scene: Scene, content_type: str) -> None:
    with nothing_changes():
        for client, path in scene.posts():
            answer = client.send("POST", path, b"{}", content_type)
            assert_error(answer, 415, "Unsupported media type", "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", [JSON, "APPLICATION/JSON", "application/json; charset=utf-8", ""])
def test_a_body_of_the_right_type(scene: Scene, content_type: str) -> None:
    answer = scene.guest.send("POST", f"/queues/{scene.queue.pk}/enter", b'{"metadata": {}}', content_type)
    assert answer.status_code == 200


def test_unknown_fields_and_other_spellings_are_ignored(scene: Scene) -> None:
    at, guest = f"/queues/{scene.queue.pk}", scene.guest
    entered = guest.post(f"{at}/enter", {"status": "ADMITTED", "position": 1, "fingerprint": None, "": 0})
    assert entered.json()["status"] == "QUEUED"
    more = {"consumerId": guest.id, "consumer_id": "x", "ConsumerId": "x", "admissionToken": [], "at": {}}
    assert scene.server.post(f"{at}/admit", more).json()["status"] == "ADMITTED"
    with nothing_changes():
        refused = scene.server.post(f"{at}/complete", {"consumer_id": guest.id})
        body = assert_error(refused, 400, "Validation failed")
    assert body["details"] == [{"field": "consumerId", "message": "This field is required."}]
    assert body["message"] == "consumerId: This field is required."
    assert scene.world.shop_front().get(f"{at}?unknown=1&status=CLOSED&id=x").json()["status"] == "OPEN"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        ["cons_" + "0" * 26, "1e999", "\u202e", "é" * 300, "x" * 5000, "${7*7}", "' OR 1=1 --"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["consumerId", "token", "reason", "orderId", "refreshToken", "metadata", "consumer_id", "x"]
objects = st.dictionaries(st.sampled_from(FIELDS), values, max_size=6)


@PATIENT
@given(body=objects, index=st.integers(0, 4))
def test_no_object_gets_anything_but_a_clean_refusal(scene: Scene, body: Any, index: int) -> None:
    """Law: whatever the body, the moves and refresh refuse in the one shape and change nothing."""
    client, path = [*scene.posts()[:4], scene.posts()[-1]][index]
    with nothing_changes():
        answer = client.send("POST", path, json.dumps(body).encode())
    verdict = path.endswith("/validate") and answer.status_code == 200 and answer.json()["valid"] is False
    assert verdict or answer.status_code in (400, 401, 404)


@PATIENT
@given(metadata=st.dictionaries(st.text(max_size=10), values, max_size=4))
def test_any_metadata_is_kept_or_refused(scene: Scene, metadata: Any) -> None:
    guest = scene.world.consumer()
    answer = guest.send(
        "POST", f"/queues/{scene.queue.pk}/enter", json.dumps({"metadata": metadata}).encode()
    )
    assert answer.status_code in (200, 400)
    assert guest.status(scene.queue).status_code == (200 if answer.status_code == 200 else 404)


@PATIENT
@given(raw=st.binary(max_size=200))
def test_no_bytes_get_anything_but_a_clean_refusal(scene: Scene, raw: bytes) -> None:
    with nothing_changes():
        answer = scene.server.send("POST", f"/queues/{scene.queue.pk}/admit", raw)
    assert_error(answer, 400, "Validation failed")


ODD_IDS = [
    "x", "%00", "%0A", "%20", "%25", "%FF", "%C3%28", "%E2%80%AE", "..", "a.b", "%2e%2e", "é", "💥", "'", '"',
    "<x>", "queue_", "queue_01", "queue_" + "0" * 25, "queue_" + "0" * 27, "queue_8" + "0" * 25,
    "queue_" + "I" * 26, "queue_" + "0" * 26 + "%0A", "QUEUE_" + "0" * 26, "draw_" + "0" * 26, "-1", "0",
    "null", "undefined", "x" * 5000, "%7B%7D", "*", "$", "{id}", "%u0000",
]  # fmt: skip


def test_an_odd_a_foreign_and_a_missing_id_are_answered_alike(scene: Scene) -> None:
    stranger, world = make_world(), scene.world
    odd = [*ODD_IDS, stranger.queue().pk, ids.new("queue"), scene.queue.pk.lower(), scene.guest.id]
    odd += [world.organization.id, world.sequence.id, world.sequence.experience_id]
    for client, verb in (
        (scene.front, ""),
        (scene.guest, "/status"),
        (scene.guest, "/enter"),
        (scene.guest, "/leave"),
        (scene.server, "/admit"),
        (scene.server, "/complete"),
        (scene.server, "/deny"),
        (scene.server, "/validate"),
    ):
        method = "GET" if verb in ("", "/status") else "POST"
        with nothing_changes():
            answers = [
                client.send(method, f"/queues/{found}{verb}", b"{}", **{"X-Request-Id": "same"})
                for found in odd
            ]
        for found, answer in zip(odd, answers, strict=True):
            assert (found, answer.status_code) == (found, 404)
        assert {answer.content for answer in answers} == {answers[0].content}
        assert_error(answers[0], 404, "Queue not found", "QUEUE_NOT_FOUND")


@PATIENT
@given(text=st.text(min_size=1, max_size=40).filter(lambda text: "/" not in text and text not in (".", "..")))
def test_no_text_is_an_id(scene: Scene, text: str) -> None:
    path = quote(text.encode("utf-8", "surrogatepass"), safe="")
    assert_error(scene.guest.get(f"/queues/{path}/status"), 404, "Queue not found")


NOWHERE = [
    "",
    "/",
    "/nothing",
    "/queues",
    "/queues/",
    "/auth",
    "/auth/guest/",
    "/queues//status",
    "/%00",
    "/%ff",
]
NOWHERE += [
    "/auth/guest%0A",
    "/queues/x/y",
    "/queues/a%2Fb/status",
    "/organizations/",
    "/../admin/",
    "/docs/",
]


@pytest.mark.parametrize("path", NOWHERE)
def test_an_address_that_there_is_not(world: World, path: str) -> None:
    for client in (ApiClient({}), world.shop_front()):
        for method in ("GET", "POST", "DELETE", "PATCH"):
            answer = client.send(method, path, b"{")
            assert_error(answer, 404, "Not found", "NOT_FOUND")
            assert answer.headers["Cache-Control"] == "no-store"
    queue = world.queue()
    assert_error(world.consumer().post(f"/queues/{queue.pk}/enter/"), 404, "Not found")


def test_a_method_that_the_address_has_not(scene: Scene) -> None:
    at = f"/queues/{scene.queue.pk}"
    gets = ["/organizations/current", at, f"{at}/status", "/experiences/x"]
    posts = [path for _, path in scene.posts()]
    with nothing_changes():
        for path, right in [*((path, "GET") for path in gets), *((path, "POST") for path in posts)]:
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - {right}:
                for client in (ApiClient({}), scene.guest, scene.server):
                    answer = client.send(method, path, b"{")
                    assert_error(answer, 405, "Method not allowed", "METHOD_NOT_ALLOWED")
                    assert right in answer.headers["Allow"].split(", ")


def test_options_names_the_methods_and_head_is_a_get(scene: Scene) -> None:
    at = f"/queues/{scene.queue.pk}"
    with nothing_changes():
        for path, methods in ((at, "GET, HEAD, OPTIONS"), (f"{at}/enter", "POST, OPTIONS")):
            answer = ApiClient({}).send("OPTIONS", path)
            assert (answer.status_code, answer.headers["Allow"], answer.content) == (204, methods, b"")
        head = scene.front.send("HEAD", at)
        assert (head.status_code, head.content) == (200, b"")
        assert scene.guest.send("HEAD", f"{at}/status").status_code == 404


GARBAGE = [
    "",
    " ",
    "\t",
    "é",
    "\x7f",
    "\x01",
    "x" * 10_000,
    "Bearer",
    "Bearer \x00",
    ",",
    ";",
    "%00",
    "null",
    "☠",
]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_in_headers(scene: Scene, garbage: str) -> None:
    at, text = f"/queues/{scene.queue.pk}", garbage.encode().decode("latin-1")  # as WSGI has it
    with nothing_changes():
        for name in ("Authorization", "X-Publishable-Key"):
            answer = scene.guest.post(f"{at}/enter", **{name: text})
            assert_error(answer, 401, "Authentication required")
        refused = scene.guest.post(f"{at}/enter", **{"X-Fingerprint": text})
        assert_error(refused, 400, "FINGERPRINT_REQUIRED")
    for name in ("X-Request-Id", "Accept", "Origin", "If-None-Match", "Accept-Encoding", "Cookie", "Range"):
        assert scene.front.get(at, **{name: text}).status_code == 200
    for name in ("Accept-Language", "Accept-Charset", "Referer", "User-Agent", "X-HTTP-Method-Override"):
        assert scene.front.get(at, **{name: text}).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml;q=1", "*/*;q=0"])
def test_whatever_is_accepted_json_is_what_there_is(world: World, accept: str) -> None:
    answer = world.shop_front().get("/organizations/current", Accept=accept)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON)


@pytest.mark.parametrize(
    "query", ["?%ff=%fe", "?a=%00", "?" + "a=b&" * 3000, "?=&==&", "?\xff", "?format=html"]
)
def test_an_odd_query(scene: Scene, query: str) -> None:
    assert scene.front.get(f"/queues/{scene.queue.pk}{query}").status_code == 200


@pytest.mark.parametrize("length", ["-1", "x", "", "1e3"])
def test_an_odd_content_length(scene: Scene, length: str) -> None:
    """The server in front lets none of these through; should one come, it is no crash."""
    with nothing_changes():
        answer = scene.server.client.generic(
            "POST",
            f"/api/v1/queues/{scene.queue.pk}/admit",
            b"{}",
            JSON,
            headers=scene.server.headers,
            CONTENT_LENGTH=length,
        )
    assert_error(answer, 400, "Validation failed")


def test_a_body_without_a_length_is_not_lost_silently(scene: Scene) -> None:
    """A chunked body reaches no WSGI application."""
    with nothing_changes():
        for client, path in scene.posts():
            answer = client.send("POST", path, b"", **{"Transfer-Encoding": "chunked"})
            assert_error(answer, 411, "Length required", "LENGTH_REQUIRED")


class CutOff(io.BytesIO):
    """A body whose sender went away."""

    def read(self, *_: object) -> bytes:
        raise ConnectionResetError


def test_a_body_that_ends_too_soon(scene: Scene) -> None:
    path = f"/api/v1/queues/{scene.queue.pk}/admit"
    cut_off: dict[str, Any] = {"wsgi.input": CutOff()}
    with nothing_changes():
        answer = scene.server.client.generic(
            "POST", path, b"{}", JSON, headers=scene.server.headers, **cut_off
        )
    assert_error(answer, 400, "Validation failed")


def test_a_host_that_is_not_ours(scene: Scene) -> None:
    answer = scene.front.client.get("/api/v1/organizations/current", headers={"Host": "elsewhere.example"})
    assert_error(answer, 400, "Validation failed")
