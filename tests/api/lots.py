"""Draws as the API's tests need them: drawn by the tasks, and who came out how."""

from typing import Any

import jwt
from django.test import Client

from distributions import tasks
from distributions.core.models import Distribution
from tests.world import ConsumerClient, World, path_of

Entrants = list[ConsumerClient]


def enter_all(world: World, draw: Distribution, number: int) -> Entrants:
    """So many guests who entered, in the order of their numbers."""
    people = [world.consumer() for _ in range(number)]
    for one in people:
        assert one.enter(draw).json()["status"] == "QUEUED"
    return people


def freeze_and_draw(draw: Distribution) -> None:
    """As the clock has it done, whatever the hour."""
    tasks.freeze_draw(draw.pk)
    tasks.run_draw(draw.pk)


def by_order(world: World, draw: Distribution, people: Entrants) -> Entrants:
    """The entrants in the drawn order, the winners first; `people` by their numbers."""
    proof = world.shop_front().get(f"/draws/{draw.pk}/proof").json()
    assert proof["status"] == "DRAWN", proof
    return [people[one["number"] - 1] for one in (*proof["winners"], *proof["alternates"])]


def drawn(world: World, number: int, **settings: Any) -> tuple[Distribution, Entrants]:
    """A draw of so many entrants that is drawn at once, and they in its order."""
    draw = world.draw(**settings)
    people = enter_all(world, draw, number)
    freeze_and_draw(draw)
    return draw, by_order(world, draw, people)


def move(world: World, draw: Distribution, verb: str, consumer_id: str, **more: Any) -> Any:
    """The shop's server moves somebody."""
    body = {"consumerId": consumer_id, **({"reason": "ADMIN_ACTION"} if verb == "deny" else {}), **more}
    return world.server().post(f"/draws/{draw.pk}/{verb}", body)


def how(answer: Any) -> tuple[str, str | None, str | None]:
    """Status, result and reason in the answer of an enter, a status or a move."""
    body = answer.json()
    assert answer.status_code == 200, body
    return body["status"], body.get("drawStatus"), body.get("denyReason")


def without_advice(answer: Any) -> dict[str, Any]:
    """The body, but for the poll advice, which has some jitter."""
    body: dict[str, Any] = answer.json()
    assert answer.status_code == 200, body
    body.pop("pollAfterSeconds", None)
    return body


def read_offline(token: str, audience: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, checked as an outsider would, by the published keys."""
    published = jwt.PyJWKSet.from_dict(Client().get("/.well-known/jwks.json").json())
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, published[header["kid"]], ["EdDSA"], audience=audience)
    return header, claims


def proof(world: World, of: Distribution, query: str = "") -> dict[str, Any]:
    answer = world.shop_front().get(f"{path_of(of)}/proof{query}")
    body: dict[str, Any] = answer.json()
    assert answer.status_code == 200, body
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    return body


def file_of(world: World, of: Distribution) -> dict[str, Any]:
    answer = world.shop_front().get(f"{path_of(of)}/proof/file")
    body: dict[str, Any] = answer.json()
    assert answer.status_code == 200, body
    return body
