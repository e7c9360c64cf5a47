"""`X-Request-Id`: taken over where it is harmless, made where it is not, on every answer."""

import re

import pytest
from django.test import Client

from tests.world import World

MADE = re.compile("[0-9a-f]{16}")


@pytest.mark.parametrize("given", ["a", "7f3c-55.a_b:c+d/e=f@g", "x" * 64])
def test_a_harmless_one_is_taken_over(world: World, given: str) -> None:
    answer = world.shop_front().get("/nothing", **{"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == answer.json()["requestId"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "é", "<script>", '"', "a,b", "a;b", "%00"])
def test_any_other_is_replaced(world: World, given: str) -> None:
    answer = world.shop_front().get("/nothing", **{"X-Request-Id": given})
    assert MADE.fullmatch(answer.headers["X-Request-Id"])
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]


def test_every_answer_has_one(world: World) -> None:
    client = Client(raise_request_exception=False)
    guest = world.consumer()
    answers = [
        client.get(path)
        for path in (
            "/healthz",
            "/readyz",
            "/",
            "/nothing",
            "/admin/",
            "/api/v1/openapi.json",
            "/api/v1/docs",
        )
    ]
    answers += [guest.post("/auth/logout"), client.get("/healthz", headers={"Host": "elsewhere.net"})]
    answers += [guest.send("OPTIONS", "/auth/guest"), guest.send("HEAD", "/organizations/current")]
    found = [answer.headers["X-Request-Id"] for answer in answers]
    assert len(set(found)) == len(answers)
