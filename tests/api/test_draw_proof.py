"""`GET /draws/:id/proof`, and of queues: what is published when, and what never is."""

import base64
import io
import re
from typing import Any

from django.core.management import call_command

from distributions import tasks
from distributions.core import switches
from distributions.core.models import Distribution, Drawing, FrozenList
from distributions.draws import rules
from fanfare import clock as time
from tests.api.lots import enter_all, file_of, freeze_and_draw, move, proof
from tests.world import ConsumerClient, World, assert_error, path_of

COMMITTED = {"version", "kind", "id", "level", "status", "commitment", "winnerCount"}
FROZEN = COMMITTED | {
    "frozenAt", "frozenBy", "root", "numbersGiven", "entryCount", "removedBeforeDraw", "groups", "entries",
}  # fmt: skip
DRAWN = FROZEN | {
    "drawnAt", "seed", "drawKey", "winners", "alternates", "placesOffered", "passedOver",
}  # fmt: skip
HEX = re.compile("[0-9a-f]{64}")
QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"


def erase(one: ConsumerClient) -> None:
    call_command("consumers", "erase", one.id, "--yes", stdout=io.StringIO())


# --- What it says at each stage -------------------------------------------------------------------
def test_what_is_committed_to_before_anybody_enters(world: World, clock: Any) -> None:
    draw = world.draw(winner_count=2)
    before = proof(world, draw)
    assert HEX.fullmatch(before["commitment"])
    assert before == {
        "version": 1,
        "kind": "draw",
        "id": draw.pk,
        "level": "commit-reveal",
        "status": "COMMITTED",
        "commitment": before["commitment"],
        "winnerCount": 2,
    }
    enter_all(world, draw, 2)
    clock.shift(60)  # closed, and the list is not written down yet
    assert proof(world, draw) == file_of(world, draw) == before


def test_what_is_frozen_when_entries_have_closed(world: World, clock: Any) -> None:
    draw = world.draw(winner_count=2)
    before, people = proof(world, draw), enter_all(world, draw, 5)
    people[1].leave(draw)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    frozen = proof(world, draw)
    assert set(frozen) == FROZEN
    assert HEX.fullmatch(frozen.pop("root"))
    assert len(frozen["entries"].pop("data")) == 5
    assert frozen == {
        **before,
        "status": "FROZEN",
        "frozenAt": "2026-12-01T09:01:00Z",
        "frozenBy": "schedule",
        "numbersGiven": 5,
        "entryCount": 4,
        "removedBeforeDraw": {"count": 1, "reasons": {"LEFT": 1}},
        "groups": [{"weight": 1, "entries": 4, "odds": 0.5}],
        "entries": {"first": 1, "nextCursor": None},
    }


def test_what_is_shown_when_all_is_drawn(world: World, clock: Any) -> None:
    draw = world.draw(winner_count=2, claim_seconds=600)
    people = enter_all(world, draw, 5)
    people[1].leave(draw)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    frozen = proof(world, draw)
    clock.shift(5)
    tasks.run_draw(draw.pk)
    drawn = proof(world, draw)
    assert set(drawn) == DRAWN
    assert (drawn["status"], drawn["drawnAt"]) == ("DRAWN", "2026-12-01T09:01:05Z")
    assert (drawn["placesOffered"], drawn["passedOver"]) == (2, [])
    kept = FROZEN - {"status"}
    assert {name: drawn[name] for name in kept} == {name: frozen[name] for name in kept}
    order = [*drawn["winners"], *drawn["alternates"]]
    assert (len(drawn["winners"]), {one["number"] for one in order}) == (2, {1, 3, 4, 5})
    assert order == sorted(order, key=lambda one: str(one["rank"]))
    for value in (drawn["seed"], drawn["drawKey"], *(one["rank"] for one in order)):
        assert HEX.fullmatch(value)


def test_cancelled_before_and_after_the_freeze(world: World, clock: Any) -> None:
    early, late = world.draw(), world.draw()
    for draw in (early, late):
        enter_all(world, draw, 2)
    tasks.freeze_draw(late.pk)
    frozen = proof(world, late)
    for draw in (early, late):
        switches.close(draw, now=time.now(), actor="staff:1")
    clock.shift(60)
    tasks.tick_draws()
    assert proof(world, early)["status"] == proof(world, late)["status"] == "CANCELLED"
    assert set(proof(world, early)) == COMMITTED
    assert proof(world, late) == file_of(world, late) == {**frozen, "status": "CANCELLED"}


def test_a_draw_that_waits_for_its_beacon_says_so(world: World, clock: Any) -> None:
    draw = world.draw(beacon={"source": "drand", "chain": QUICKNET, "round": 40_000_000})
    enter_all(world, draw, 1)
    named = {"source": "drand", "chain": QUICKNET, "round": 40_000_000, "roundAt": "2027-06-12T12:29:24Z"}
    before = proof(world, draw)
    assert set(before) == COMMITTED | {"beacon"}
    assert (before["level"], before["beacon"]) == ("beacon", named)
    clock.shift(60)
    tasks.tick_draws()
    tasks.tick_draws()
    waits = proof(world, draw)
    assert set(waits) == FROZEN | {"beacon"}
    assert (waits["status"], waits["level"], waits["beacon"]) == ("WAITING_FOR_BEACON", "beacon", named)


def test_a_list_frozen_by_staff_says_so(world: World, clock: Any) -> None:
    from_console = world.draw()
    enter_all(world, from_console, 1)
    rules.freeze(from_console.pk, now=time.now(), actor="staff:1")
    assert proof(world, from_console)["frozenBy"] == "staff"


def test_a_draw_that_nobody_entered(world: World, clock: Any) -> None:
    draw = world.draw()
    clock.shift(60)
    freeze_and_draw(draw)
    body = proof(world, draw)
    assert (body["numbersGiven"], body["entryCount"], body["groups"]) == (0, 0, [])
    assert (body["winners"], body["alternates"], body["placesOffered"]) == ([], [], 0)
    assert body["entries"] == {"first": 1, "data": [], "nextCursor": None}
    assert file_of(world, draw) == body


# --- What it never says ---------------------------------------------------------------------------
def secrets_of(draw: Distribution, body: dict[str, Any]) -> set[str]:
    """All that must not be known before the draw, in the forms in which it might be written."""
    salt = bytes(Drawing.objects.get(pk=draw.pk).salt)
    ranks = {one["rank"] for name in ("winners", "alternates") for one in body[name]}
    return {body["seed"], body["drawKey"], *ranks} | written(salt)


def written(value: bytes) -> set[str]:
    return {value.hex(), base64.b64encode(value).decode(), base64.urlsafe_b64encode(value).decode()}


def test_nothing_secret_before_the_draw_and_nobodys_name_ever(world: World, clock: Any) -> None:
    draw = world.draw(winner_count=2, claim_seconds=600)
    people = enter_all(world, draw, 5)
    ids = [one.enter(draw).json()["receipt"]["entryId"] for one in people]
    path, front = path_of(draw), world.shop_front()

    def everything() -> str:
        answers = [front.get(f"{path}{tail}") for tail in ("", "/proof", "/proof/file", "/proof?cursor=2")]
        answers += [front.get(f"/experiences/{world.sequence.experience_id}")]
        answers += [client.get(f"{path}/proof") for client in (people[0], world.server())]
        answers += [people[0].status(draw), people[0].get("/consumers/me")]
        assert {answer.status_code for answer in answers} == {200}
        return " ".join(answer.content.decode() for answer in answers)

    told = [everything()]
    clock.shift(60)
    told.append(everything())
    tasks.freeze_draw(draw.pk)
    told.append(everything())
    tasks.run_draw(draw.pk)
    after = proof(world, draw)
    for secret in secrets_of(draw, after):
        assert not any(secret in text for text in told)
    published = str(after) + str(file_of(world, draw))
    for one, identity in zip(people, ids, strict=True):
        assert one.id.partition("_")[2] not in published
        assert identity not in published
    for form in written(bytes(Drawing.objects.get(pk=draw.pk).salt)):
        assert form not in published


# --- Who was removed ------------------------------------------------------------------------------
def test_who_was_removed_before_the_draw_and_why(world: World, clock: Any) -> None:
    draw = world.draw(winner_count=2, max_entries_per_fingerprint=7)
    people = enter_all(world, draw, 7)
    assert world.consumer().enter(draw).json()["denyReason"] == "DEVICE_LIMIT"  # never had a number
    people[0].leave(draw)
    move(world, draw, "deny", people[1].id, reason="FRAUD_DETECTED")
    move(world, draw, "deny", people[2].id, reason="Ada Lovelace, again")
    erase(people[3])
    move(world, draw, "deny", people[4].id, reason="ADMIN_ACTION")
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    body = proof(world, draw)
    reasons = {"LEFT": 1, "FRAUD_DETECTED": 1, "OTHER": 1, "ADMIN_ACTION": 2}
    assert body["removedBeforeDraw"] == {"count": 5, "reasons": reasons}
    assert (body["numbersGiven"], body["entryCount"]) == (7, 2)
    lines = body["entries"]["data"]
    assert lines[:5] == ["0 LEFT", "0 FRAUD_DETECTED", "0 OTHER", "0 ADMIN_ACTION", "0 ADMIN_ACTION"]
    assert [re.fullmatch("1 [0-9a-f]{64}", line) is None for line in lines[5:]] == [False, False]
    assert "Lovelace" not in str(body)
    assert body["groups"] == [{"weight": 1, "entries": 2, "odds": 1.0}]


def test_what_happens_after_the_freeze_changes_nothing_in_the_list(world: World, clock: Any) -> None:
    """Who is removed then is passed over, and it is told, with a code."""
    draw = world.draw(winner_count=5, claim_seconds=600)
    people = enter_all(world, draw, 5)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    frozen = proof(world, draw)
    move(world, draw, "deny", people[0].id, reason="FRAUD_DETECTED")
    move(world, draw, "deny", people[1].id, reason="Ada Lovelace, again")
    erase(people[2])
    assert proof(world, draw) == frozen
    tasks.run_draw(draw.pk)
    body = proof(world, draw)
    for name in ("root", "entries", "entryCount", "removedBeforeDraw", "groups"):
        assert body[name] == frozen[name]
    told = sorted(body["passedOver"], key=lambda one: int(one["number"]))
    reasons = ("FRAUD_DETECTED", "OTHER", "ADMIN_ACTION")
    assert told == [{"number": number, "reason": why} for number, why in enumerate(reasons, start=1)]
    assert (body["placesOffered"], len(body["winners"])) == (5, 5)  # as drawn, whoever was passed over
    assert "Lovelace" not in str(body)
    # Whoever gives a place up that they had is not passed over: the order stands.
    people[3].leave(draw)
    assert proof(world, draw) == body


def test_places_that_are_passed_on_count_as_offered(world: World, clock: Any) -> None:
    draw = world.draw(winner_count=1, claim_seconds=60)
    enter_all(world, draw, 3)
    freeze_and_draw(draw)
    first = proof(world, draw)
    assert first["placesOffered"] == 1
    clock.shift(60)
    tasks.expire_admissions()
    tasks.tick_draws()
    assert proof(world, draw) == {**first, "placesOffered": 2}


def test_groups_of_different_weight_tell_their_odds(world: World, clock: Any) -> None:
    world.sequence_with("members", requires_authentication=True)
    draw = world.draw(winner_count=1, weights=[{"sequence": "members", "weight": 3}])
    enter_all(world, draw, 2)
    world.member("ada@example.com").enter(draw)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    body = proof(world, draw)
    assert [line.partition(" ")[0] for line in body["entries"]["data"]] == ["1", "1", "3"]
    assert body["groups"] == [
        {"weight": 1, "entries": 2, "odds": 0.2},
        {"weight": 3, "entries": 1, "odds": 0.6},
    ]


# --- A pre-queue's --------------------------------------------------------------------------------
def test_a_queue_without_a_lot_has_no_proof(world: World, clock: Any) -> None:
    for queue in (world.queue(), world.queue(opens_in=60, enter_from=time.now())):
        for tail in ("proof", "proof/file"):
            answer = world.shop_front().get(f"/queues/{queue.pk}/{tail}")
            assert_error(answer, 404, "Proof not found", "PROOF_NOT_FOUND")


def test_a_pre_queues_proof(world: World, clock: Any) -> None:
    queue = world.queue(opens_in=60, enter_from=time.now(), randomize_before_open=True)
    people = [world.consumer() for _ in range(4)]
    for one in people:
        one.enter(queue)
    people[0].leave(queue)
    before = proof(world, queue)
    assert set(before) == COMMITTED - {"winnerCount"}
    assert (before["kind"], before["id"], before["status"]) == ("queue", queue.pk, "COMMITTED")
    assert (
        before["commitment"] == world.shop_front().get(f"/queues/{queue.pk}").json()["shuffle"]["commitment"]
    )
    clock.shift(60)
    tasks.open_queue(queue.pk)
    world.consumer().enter(queue)  # behind those who were drawn, and not in the list
    body = proof(world, queue)
    assert set(body) == FROZEN | {"drawnAt", "seed", "drawKey"}  # the order is everybody's place
    assert (body["status"], body["level"], body["frozenBy"]) == ("DRAWN", "commit-reveal", "schedule")
    assert (body["numbersGiven"], body["entryCount"], body["winnerCount"]) == (4, 3, 3)
    assert body["removedBeforeDraw"] == {"count": 1, "reasons": {"LEFT": 1}}
    assert body["groups"] == [{"weight": 1, "entries": 3, "odds": 1.0}]
    assert body["entries"]["data"][0] == "0 LEFT"
    assert len(body["entries"]["data"]) == 4
    assert file_of(world, queue) == body
    shown = world.shop_front().get(f"/queues/{queue.pk}").json()["shuffle"]
    assert shown == {name: body[name] for name in ("commitment", "drawnAt", "seed", "root")}
    assert not any(one.id.partition("_")[2] in str(body) for one in people)


def test_an_order_drawn_before_there_were_lists_has_no_proof(world: World, clock: Any) -> None:
    queue = world.queue(opens_in=60, enter_from=time.now(), randomize_before_open=True)
    world.consumer().enter(queue)
    clock.shift(60)
    tasks.open_queue(queue.pk)
    FrozenList.objects.filter(pk=queue.pk).delete()
    for tail in ("proof", "proof/file"):
        answer = world.shop_front().get(f"/queues/{queue.pk}/{tail}")
        assert_error(answer, 404, "Proof not found", "PROOF_NOT_FOUND")
