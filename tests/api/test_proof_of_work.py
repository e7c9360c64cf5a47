"""`GET …/challenge` and `X-Altcha`: entering may cost a proof of work, for one consumer, once."""

import base64
import json
from typing import Any

import altcha
import pytest

from distributions.core.models import Distribution
from fanfare import redis
from tests.api.servers import redis_away
from tests.world import ConsumerClient, World, assert_error, path_of

REQUIRED = (400, "Proof of work required", "PROOF_OF_WORK_REQUIRED")
INVALID = (400, "Proof of work invalid", "PROOF_OF_WORK_INVALID")
KINDS = {
    "queue": "enter",
    "draw": "enter",
    "release": "enter",
    "waitlist": "enter",
    "auction": "bid",
    "appointment": "book",
}


def asked(consumer: ConsumerClient, distribution: Distribution) -> dict[str, Any]:
    """A challenge."""
    answer = consumer.get(f"{path_of(distribution)}/challenge")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return dict(answer.json())


def solved(challenge: dict[str, Any], **solution: Any) -> dict[str, str]:
    """The header with a challenge's payload, as the widget makes it."""
    read = altcha.Challenge.from_dict(challenge)
    found = altcha.solve_challenge(read)
    assert found is not None
    return packed({"challenge": challenge, "solution": {**found.to_dict(), **solution}})


def packed(payload: Any) -> dict[str, str]:
    return {"X-Altcha": base64.b64encode(json.dumps(payload).encode()).decode()}


def knock(consumer: ConsumerClient, distribution: Distribution, verb: str, **headers: str) -> Any:
    """Enter, by whatever the kind calls it."""
    bodies: dict[str, Any] = {"bid": {"amount": "500.00"}, "book": {"slotTime": "2026-12-01T10:00:00Z"}}
    return consumer.post(f"{path_of(distribution)}/{verb}", bodies.get(verb), **headers)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_asks_for_it_once(world: World, clock: Any, kind: str) -> None:
    distribution, verb = getattr(world, kind)(proof_of_work=1), KINDS[kind]
    mia = world.consumer()
    assert mia.get(path_of(distribution)).json()["proofOfWork"] is True
    assert_error(knock(mia, distribution, verb), *REQUIRED)
    header = solved(asked(mia, distribution))
    assert knock(mia, distribution, verb, **header).status_code == 200
    # Whoever is in has paid: the answer may have got lost.
    assert knock(mia, distribution, verb).json().get("code") not in ("PROOF_OF_WORK_REQUIRED",)


def test_it_is_off_by_default(world: World) -> None:
    queue, mia = world.queue(), world.consumer()
    assert "proofOfWork" not in mia.get(path_of(queue)).json()
    assert mia.enter(queue, **{"X-Altcha": "of no use here"}).status_code == 200


def test_an_answer_is_good_once(world: World, clock: Any) -> None:
    queue, mia = world.queue(proof_of_work=1), world.consumer()
    header = solved(asked(mia, queue))
    entered = mia.enter(queue, **header).json()
    assert mia.enter(queue, **header).json()["enteredAt"] == entered["enteredAt"]
    mia.leave(queue)
    assert_error(mia.enter(queue, **header), *INVALID)
    assert mia.enter(queue, **solved(asked(mia, queue))).status_code == 200


def test_a_wrong_answer_spends_the_challenge(world: World, clock: Any) -> None:
    queue, mia = world.queue(proof_of_work=1), world.consumer()
    challenge = asked(mia, queue)
    assert_error(mia.enter(queue, **solved(challenge, counter=4_000_000_000)), *INVALID)
    assert_error(mia.enter(queue, **solved(challenge)), *INVALID)


def test_it_is_for_one_consumer_and_one_distribution(world: World, clock: Any) -> None:
    queue, other = world.queue(proof_of_work=1), world.queue(proof_of_work=1)
    mia, bot = world.consumer(), world.consumer()
    header = solved(asked(mia, queue))
    assert_error(bot.enter(queue, **header), *INVALID)
    assert_error(mia.enter(other, **header), *INVALID)
    assert mia.enter(queue, **header).status_code == 200


def test_it_ends_after_ten_minutes(world: World, clock: Any) -> None:
    queue, mia = world.queue(proof_of_work=1), world.consumer()
    header = solved(asked(mia, queue))
    clock.shift(601)
    assert_error(mia.enter(queue, **header), *INVALID)


def test_it_costs_what_staff_say(world: World, clock: Any) -> None:
    mia = world.consumer()
    costs = [asked(mia, world.queue(proof_of_work=steps))["parameters"]["cost"] for steps in (1, 7)]
    assert costs == [1_000, 7_000]


@pytest.mark.parametrize(
    "change", [{"cost": 1}, {"keyPrefix": ""}, {"expiresAt": 4_000_000_000}, {"algorithm": "SHA-256"}]
)
def test_who_makes_it_cheaper_is_found_out(world: World, clock: Any, change: dict[str, Any]) -> None:
    queue, mia = world.queue(proof_of_work=1), world.consumer()
    challenge = asked(mia, queue)
    challenge["parameters"] |= change
    assert_error(mia.enter(queue, **solved(challenge)), *INVALID)


@pytest.mark.parametrize(
    "payload",
    [
        None, [], "x", 7, {}, {"challenge": 1, "solution": 2},
        {"challenge": {"parameters": []}, "solution": {}},
        {"challenge": {"parameters": {}}, "solution": {"counter": 1, "derivedKey": "00"}},
    ],
)  # fmt: skip
def test_nonsense_is_no_answer(world: World, clock: Any, payload: Any) -> None:
    assert_error(world.consumer().enter(world.queue(proof_of_work=1), **packed(payload)), *INVALID)


@pytest.mark.parametrize("text", ["", "!", "e30=", "A" * 3_000, "bnVsbA", "\u00ff", "W1tbW1tbW1tb"])
def test_nor_is_what_cannot_be_read(world: World, clock: Any, text: str) -> None:
    answer = world.consumer().enter(world.queue(proof_of_work=1), **{"X-Altcha": text})
    assert_error(answer, *INVALID)


@pytest.mark.parametrize("counter", [-1, 2**32, 1.5, "1", None, True, []])
def test_a_strange_counter(world: World, clock: Any, counter: Any) -> None:
    queue, mia = world.queue(proof_of_work=1), world.consumer()
    assert_error(mia.enter(queue, **solved(asked(mia, queue), counter=counter)), *INVALID)


def test_without_redis_it_still_costs(world: World, clock: Any) -> None:
    queue, mia = world.queue(proof_of_work=1), world.consumer()
    header = solved(asked(mia, queue))
    with redis_away():
        assert_error(mia.enter(queue), *REQUIRED)
        assert mia.enter(queue, **header).status_code == 200


def test_who_was_let_in_by_the_shop_pays_nothing(world: World, clock: Any) -> None:
    queue, mia = world.queue(proof_of_work=1), world.consumer()
    world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": mia.id})
    assert mia.enter(queue).json()["status"] == "ADMITTED"


def test_challenges_are_few(world: World, clock: Any) -> None:
    queue, mia = world.queue(proof_of_work=1), world.consumer()
    for _ in range(30):
        asked(mia, queue)
    limited = mia.get(f"{path_of(queue)}/challenge")
    assert_error(limited, 429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")
    assert list(redis.client().scan_iter("spent:*")) == []  # asking keeps nothing
