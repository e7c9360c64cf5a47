"""`leave`, `complete`, `deny` and `validate` of a draw: which are legal when, once, and what they answer."""

from typing import Any

import pytest

from distributions import tasks
from distributions.core import switches
from distributions.core.models import Distribution, Participation
from experiences.models import Event
from fanfare import clock as time
from fanfare import ids
from tests.api.lots import by_order, drawn, enter_all, freeze_and_draw, how, move, read_offline
from tests.api.servers import redis_away
from tests.world import ConsumerClient, World, assert_error, make_world

CLOSED = "Draw is closed"
# state → verb → the status after it; None: not legal, CLOSED: the list stands.
MOVES: dict[str, dict[str, str | None]] = {
    "entered": {"complete": None, "deny": "DENIED", "leave": "LEFT"},
    "closed": {"complete": None, "deny": "DENIED", "leave": CLOSED},
    "frozen": {"complete": None, "deny": "DENIED", "leave": CLOSED},
    "alternate": {"complete": None, "deny": "DENIED", "leave": CLOSED},
    "won": {"complete": "COMPLETED", "deny": "DENIED", "leave": "LEFT"},
    "completed": {"complete": "COMPLETED", "deny": None, "leave": None},
    "lost": {"complete": None, "deny": "DENIED", "leave": None},
    "cancelled": {"complete": None, "deny": "DENIED", "leave": None},
    "denied": {"complete": None, "deny": "DENIED", "leave": None},
    "denied winner": {"complete": None, "deny": "DENIED", "leave": None},
    "left": {"complete": None, "deny": None, "leave": "LEFT"},
    "expired": {"complete": None, "deny": None, "leave": None},
}
IS = {
    "entered": ("QUEUED", "ENTERED", None),
    "closed": ("QUEUED", "ENTERED", None),
    "frozen": ("QUEUED", "ENTERED", None),
    "alternate": ("QUEUED", "ENTERED", None),
    "won": ("ADMITTED", "WON", None),
    "completed": ("COMPLETED", "WON", None),
    "lost": ("DENIED", "LOST", "NOT_SELECTED"),
    "cancelled": ("DENIED", "LOST", "DRAW_CLOSED"),
    "denied": ("DENIED", "LOST", "FRAUD_DETECTED"),
    "denied winner": ("DENIED", "WON", "FRAUD_DETECTED"),
    "left": ("LEFT", None, None),
    "expired": ("DENIED", "WON", "ADMISSION_EXPIRED"),
}


def bring(world: World, clock: Any, state: str) -> tuple[Distribution, ConsumerClient]:
    """A draw, and somebody in it who stands so; by the API and the tasks."""
    lasts = None if state == "lost" else 300
    draw = world.draw(winner_count=1, claim_seconds=lasts)
    people = enter_all(world, draw, 3)
    one = people[0]
    if state == "left":
        one.leave(draw)
    if state == "denied":
        move(world, draw, "deny", one.id, reason="FRAUD_DETECTED")
    if state == "cancelled":
        switches.close(draw, now=time.now(), actor="staff:1")
    if state not in ("entered", "left", "cancelled"):
        clock.shift(60)
    if state == "frozen":
        tasks.freeze_draw(draw.pk)
    if state in ("won", "completed", "denied winner", "lost", "alternate", "expired"):
        freeze_and_draw(draw)
        winner, *others = by_order(world, draw, people)
        one = others[0] if state in ("lost", "alternate") else winner
    if state == "completed":
        move(world, draw, "complete", one.id)
    if state == "denied winner":
        move(world, draw, "deny", one.id, reason="FRAUD_DETECTED")
    if state == "expired":
        clock.shift(300)
    assert how(one.status(draw)) == IS[state]
    return draw, one


def do(world: World, draw: Distribution, verb: str, one: ConsumerClient) -> Any:
    return one.leave(draw) if verb == "leave" else move(world, draw, verb, one.id)


def everything() -> list[Any]:
    rows = Participation.objects.order_by("id").values_list(
        "id", "status", "place", "admitted_at", "ended_at", "deny_reason", "order_id"
    )
    return [*rows, Event.objects.count()]


@pytest.mark.parametrize("state", MOVES)
@pytest.mark.parametrize("verb", ["complete", "deny", "leave"])
def test_from_every_state_by_every_verb(world: World, clock: Any, state: str, verb: str) -> None:
    draw, one = bring(world, clock, state)
    before = everything()
    answer, after = do(world, draw, verb, one), MOVES[state][verb]
    if after == CLOSED:
        assert_error(answer, 400, "Draw is closed", "DRAW_CLOSED")
    elif after is None:
        refused = assert_error(answer, 409, "Illegal transition", "ILLEGAL_TRANSITION")
        assert refused["status"] == IS[state][0]
    else:
        assert how(answer)[0] == after
    is_moved = after not in (None, CLOSED, IS[state][0])
    assert (everything() != before) == is_moved
    if not is_moved:
        assert how(one.status(draw)) == IS[state]
        return
    told = how(one.status(draw))
    assert told == how(answer)
    state_after = everything()
    clock.shift(1)
    again = do(world, draw, verb, one)
    assert (again.status_code, again.json()) == (answer.status_code, answer.json())
    assert everything() == state_after
    row = Participation.objects.get(consumer_id=one.id)
    assert (row.status, told[0]) == (after, after)


def test_a_loser_is_answered_as_lost_whatever_the_shop_says(world: World, clock: Any) -> None:
    draw, (winner, loser) = drawn(world, 2, winner_count=1)
    before = everything()
    refused = assert_error(move(world, draw, "complete", loser.id), 409, "Illegal transition")
    assert refused["status"] == "DENIED"
    for reason in ("FRAUD_DETECTED", "Our own words."):
        assert how(move(world, draw, "deny", loser.id, reason=reason)) == IS["lost"]
    assert everything() == before
    assert how(winner.status(draw)) == IS["won"]


def test_a_place_given_up_is_the_next_ones_where_places_are_passed_on(world: World, clock: Any) -> None:
    draw, (first, second, third) = drawn(world, 3, winner_count=1, claim_seconds=600)
    assert first.leave(draw).json()["status"] == "LEFT"
    tasks.tick_draws()
    found = [how(one.status(draw)) for one in (first, second, third)]
    assert found == [IS["left"], IS["won"], IS["alternate"]]
    move(world, draw, "deny", second.id)
    tasks.tick_draws()
    assert how(third.status(draw)) == IS["won"]
    assert how(move(world, draw, "complete", third.id)) == IS["completed"]


def test_a_place_given_up_is_nobodys_where_none_is_passed_on(world: World, clock: Any) -> None:
    draw, (first, second) = drawn(world, 2, winner_count=1, claim_seconds=600, alternates=False)
    first.leave(draw)
    tasks.tick_draws()
    assert how(second.status(draw)) == IS["lost"]


def test_an_entry_taken_back_is_in_no_draw(world: World, clock: Any) -> None:
    draw = world.draw(winner_count=5, claim_seconds=600)
    people = enter_all(world, draw, 5)
    people[1].leave(draw)
    move(world, draw, "deny", people[2].id)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    move(world, draw, "deny", people[3].id)
    tasks.run_draw(draw.pk)
    found = [how(one.status(draw))[0] for one in people]
    assert found == ["ADMITTED", "LEFT", "DENIED", "DENIED", "ADMITTED"]


def test_leaving_twice_writes_once(world: World, clock: Any) -> None:
    draw = world.draw()
    (guest,) = enter_all(world, draw, 1)
    assert guest.leave(draw).json() == guest.leave(draw).json()
    trace = Event.objects.get(name="draw.consumer.left")
    assert (trace.actor, trace.data["from"], trace.data["to"]) == (f"consumer:{guest.id}", "QUEUED", "LEFT")
    assert_error(world.consumer().leave(draw), 404, "Consumer not in draw", "CONSUMER_NOT_IN_DRAW")


def test_an_order_and_a_reason_are_kept_and_stay_out_of_the_trace(world: World, clock: Any) -> None:
    draw, (first, second) = drawn(world, 2, winner_count=2)
    answer = move(world, draw, "complete", first.id, orderId="A-1").json()
    assert "admissionToken" not in answer
    assert Participation.objects.get(consumer_id=first.id).order_id == "A-1"
    assert move(world, draw, "deny", second.id, reason="Bots, we think").json()["denyReason"] == (
        "Bots, we think"
    )
    done, denied = (Event.objects.get(name=f"draw.consumer.{word}") for word in ("completed", "denied"))
    assert done.actor.startswith("key:key_")
    assert "A-1" not in str(done.data)
    assert "Bots" not in str(denied.data)
    assert Event.objects.filter(name="draw.consumer.won").count() == 2


@pytest.mark.parametrize("reason", [None, "", 7, "x" * 201, "ADMISSION_EXPIRED"])
def test_a_reason_is_a_short_text_and_not_the_clocks(world: World, reason: object) -> None:
    draw = world.draw()
    (guest,) = enter_all(world, draw, 1)
    body = assert_error(move(world, draw, "deny", guest.id, reason=reason), 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["reason"]
    assert how(guest.status(draw)) == IS["entered"]


@pytest.mark.parametrize("verb", ["complete", "deny"])
def test_whom_nobody_knows(world: World, verb: str) -> None:
    draw, stranger = world.draw(), make_world().consumer()
    for consumer_id in (stranger.id, ids.new("cons"), "cons_", "x", stranger.id.lower(), draw.pk):
        assert_error(move(world, draw, verb, consumer_id), 404, "Consumer not found", "CONSUMER_NOT_FOUND")
    odd: list[object] = [None, 5, True, [], {}, "", "x" * 65]
    for value in odd:
        answer = world.server().post(f"/draws/{draw.pk}/{verb}", {"consumerId": value, "reason": "x"})
        assert_error(answer, 400, "Validation failed")
    assert_error(move(world, draw, verb, world.consumer().id), 404, "Consumer not in draw")
    assert not Participation.objects.exists()


def test_nobody_is_admitted_by_hand(world: World) -> None:
    """A draw has no such verb: who wins is the lot's business."""
    draw = world.draw()
    (guest,) = enter_all(world, draw, 1)
    answer = move(world, draw, "admit", guest.id)
    assert answer.status_code == 404
    assert how(guest.status(draw)) == IS["entered"]


# --- Validation -----------------------------------------------------------------------------------
def validate(world: World, draw: Distribution, consumer_id: str, token: str, **headers: str) -> Any:
    body = {"consumerId": consumer_id, "token": token}
    return world.server().post(f"/draws/{draw.pk}/validate", body, **headers)


def token_of(draw: Distribution, one: ConsumerClient) -> str:
    return str(one.status(draw).json()["admissionToken"])


def assert_refused(answer: Any, code: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["valid"], body["code"]) == (200, False, code)
    assert set(body) == {"valid", "code", "message"}


@pytest.mark.parametrize("claim_seconds", [None, 600])
def test_a_winners_token(world: World, clock: Any, claim_seconds: int | None) -> None:
    draw, (winner, _) = drawn(world, 2, winner_count=1, claim_seconds=claim_seconds)
    token = token_of(draw, winner)
    ends = {"expiresAt": "2026-12-01T09:10:00Z"} if claim_seconds else {}
    expected = {"valid": True, "consumerId": winner.id, "admittedAt": "2026-12-01T09:00:00Z", **ends}
    assert validate(world, draw, winner.id, token).json() == expected
    with redis_away():
        assert validate(world, draw, winner.id, token).json() == expected
    header, claims = read_offline(token, world.organization.id)
    now = int(time.now().timestamp())
    assert header["typ"] == "admission+jwt"
    assert claims.pop("jti")
    assert claims == {
        "iss": "http://localhost:8000",
        "aud": world.organization.id,
        "sub": winner.id,
        "iat": now,
        **({"exp": now + 600} if claim_seconds else {}),
        "distributionType": "draw",
        "distributionId": draw.pk,
        "experienceId": world.sequence.experience_id,
        "sequenceId": world.sequence.id,
    }


def test_every_code(world: World, clock: Any) -> None:
    draw, (done, denied, left, winner, _) = drawn(world, 5, winner_count=4, claim_seconds=60)
    other, (elsewhere,) = drawn(world, 1)
    tokens = {one.id: token_of(draw, one) for one in (done, denied, left, winner)}
    token = tokens[winner.id]
    assert_refused(validate(world, draw, winner.id, "x"), "TOKEN_INVALID")
    assert_refused(validate(world, draw, winner.id, token[:-4] + "AAAA"), "TOKEN_INVALID")
    assert_refused(validate(world, draw, winner.id, winner.token), "TOKEN_INVALID")
    assert_refused(validate(world, other, winner.id, token), "WRONG_DISTRIBUTION")
    assert_refused(validate(world, draw, elsewhere.id, token_of(other, elsewhere)), "WRONG_DISTRIBUTION")
    assert_refused(validate(world, draw, done.id, token), "CONSUMER_MISMATCH")
    assert_refused(validate(world, draw, "nobody", token), "CONSUMER_MISMATCH")
    move(world, draw, "complete", done.id)
    assert_refused(validate(world, draw, done.id, tokens[done.id]), "TOKEN_USED")
    move(world, draw, "deny", denied.id)
    assert_refused(validate(world, draw, denied.id, tokens[denied.id]), "NOT_ADMITTED")
    left.leave(draw)
    assert_refused(validate(world, draw, left.id, tokens[left.id]), "NOT_ADMITTED")
    clock.shift(59.999)
    assert validate(world, draw, winner.id, token).json()["valid"] is True
    clock.shift(0.001)  # at its very instant, and no sweep has been
    assert_refused(validate(world, draw, winner.id, token), "TOKEN_EXPIRED")
    tasks.expire_admissions()
    assert_refused(validate(world, draw, winner.id, token), "TOKEN_EXPIRED")
    assert_refused(validate(world, draw, done.id, tokens[done.id]), "TOKEN_USED")


def test_a_queues_token_is_none_of_a_draws(world: World, clock: Any) -> None:
    draw, (winner,) = drawn(world, 1)
    queue = world.queue()
    body = {"consumerId": winner.id}
    of_queue = world.server().post(f"/queues/{queue.pk}/admit", body).json()["admissionToken"]
    assert_refused(validate(world, draw, winner.id, of_queue), "WRONG_DISTRIBUTION")
    asked = {**body, "token": token_of(draw, winner)}
    assert_refused(world.server().post(f"/queues/{queue.pk}/validate", asked), "WRONG_DISTRIBUTION")


def test_another_organizations_token_is_none_of_ours(world: World, clock: Any) -> None:
    stranger = make_world()
    draw, _ = drawn(world, 1)
    foreign, (winner,) = drawn(stranger, 1)
    assert_refused(validate(world, draw, winner.id, token_of(foreign, winner)), "TOKEN_INVALID")
    assert_error(validate(world, foreign, winner.id, token_of(foreign, winner)), 404, "Draw not found")


def test_the_device_is_asked_for_and_compared(world: World, clock: Any) -> None:
    draw, (winner,) = drawn(world, 1)
    token = token_of(draw, winner)
    refused = validate(world, draw, winner.id, token, **{"X-Fingerprint": "fp_short"})
    assert_error(refused, 400, "FINGERPRINT_REQUIRED", "FP001")
    other = validate(world, draw, winner.id, token, **{"X-Fingerprint": "fp_another-device"})
    assert_error(other, 403, "DEVICE_MISMATCH", "FP002")
    assert other.headers["X-Fingerprint-Mismatch"] == "true"
    assert validate(world, draw, winner.id, token).json()["valid"] is True


def test_a_place_of_an_alternate_has_a_token_of_its_own(world: World, clock: Any) -> None:
    draw, (first, second) = drawn(world, 2, winner_count=1, claim_seconds=60)
    old = token_of(draw, first)
    clock.shift(60)
    tasks.expire_admissions()
    tasks.tick_draws()
    token = token_of(draw, second)
    assert validate(world, draw, second.id, token).json()["expiresAt"] == "2026-12-01T09:02:00Z"
    assert_refused(validate(world, draw, first.id, old), "TOKEN_EXPIRED")
    assert_refused(validate(world, draw, first.id, token), "CONSUMER_MISMATCH")


@pytest.mark.parametrize("token", [None, 5, [], {}, "", "x" * 4097])
def test_a_token_is_text(world: World, token: Any) -> None:
    body = assert_error(validate(world, world.draw(), "x", token), 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["token"]
