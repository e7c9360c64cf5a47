"""One consumer through a queue, over HTTP, as a shop and a browser would: guest, enter, wait, pass.

Standard library only. `admit_one.py BASE_URL` reads what `manage.py apply --json --new-keys`
printed from standard input; exits 1 with the answer that was not as promised.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

_ADMISSION_SECONDS = 30.0
_OPENING_SECONDS = 60.0
_FINGERPRINT = {"X-Fingerprint": "fp_ci00000001"}


class NotAsPromised(Exception):
    """The API answered something else than its contract says."""


class Client:
    """Calls the API with one set of credentials."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._base_url = base_url.rstrip("/") + "/api/v1"
        self._headers = headers

    def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """The status and the decoded body, whatever the status is."""
        request = urllib.request.Request(
            self._base_url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self._headers, **headers},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.loads(refusal.read() or b"null")

    def get_through(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        status, answer = self.call(method, path, body, **headers)
        if status not in (200, 201):
            raise NotAsPromised(f"{method} {path}: {status} {json.dumps(answer)}")
        return answer


def main(base_url: str, applied: dict[str, Any]) -> None:
    """Take one consumer all the way. Raises NotAsPromised."""
    keys = applied["organization"]
    shopper = {"X-Publishable-Key": keys["publishableKey"]}
    queue = next(queues(applied), None)
    if queue is None:
        raise NotAsPromised("apply printed no queue")
    guest = Client(base_url, shopper).get_through("POST", "/auth/guest", {})
    consumer = guest["session"]["consumerId"]
    browser = Client(base_url, {**shopper, "Authorization": f"Bearer {guest['accessToken']}"})
    shop = Client(base_url, {"Authorization": f"Bearer {keys['secretKey']}"})
    admitted = wait(browser, queue, enter(browser, queue))
    passed = {"consumerId": consumer, "token": admitted["admissionToken"]}
    validated = shop.get_through("POST", f"/queues/{queue}/validate", passed, **_FINGERPRINT)
    expect(validated, "valid", True)
    completed = shop.get_through("POST", f"/queues/{queue}/complete", {"consumerId": consumer})
    expect(completed, "status", "COMPLETED")


def queues(applied: dict[str, Any]) -> Iterator[str]:
    """The id of each queue in what `apply` printed."""
    for experience in each(applied["experiences"]):
        for sequence in each(experience["sequences"]):
            for queue in each(sequence.get("queues", {})):
                yield queue["id"] if isinstance(queue, dict) else queue


def each(things: Any) -> list[Any]:
    return list(things.values()) if isinstance(things, dict) else list(things)


def enter(browser: Client, queue: str) -> Any:
    """Enter, as soon as the queue is open."""
    deadline = time.monotonic() + _OPENING_SECONDS
    while True:
        path = f"/queues/{queue}/enter"
        status, answer = browser.call("POST", path, {}, **_FINGERPRINT)
        if status in (200, 201):
            return answer
        if status != 423 or time.monotonic() > deadline:
            raise NotAsPromised(f"POST {path}: {status} {json.dumps(answer)}")
        time.sleep(1)


def wait(browser: Client, queue: str, status: Any) -> Any:
    """Ask until admitted."""
    deadline = time.monotonic() + _ADMISSION_SECONDS
    while status["status"] == "QUEUED" and time.monotonic() < deadline:
        time.sleep(0.5)
        status = browser.get_through("GET", f"/queues/{queue}/status")
    expect(status, "status", "ADMITTED")
    return status


def expect(answer: Any, name: str, value: object) -> None:
    if answer.get(name) != value:
        raise NotAsPromised(f"{name} should be {value!r} in {json.dumps(answer)}")


if __name__ == "__main__":
    began = time.monotonic()
    try:
        main(sys.argv[1], json.load(sys.stdin))
    except (NotAsPromised, OSError, KeyError, ValueError) as problem:
        sys.exit(f"admit_one: {type(problem).__name__}: {problem}")
    sys.stdout.write(f"admitted, validated and completed in {time.monotonic() - began:.1f} s\n")
