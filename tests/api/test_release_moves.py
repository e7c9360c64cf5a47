"""What becomes of a claimed unit: bought, given back, taken away, or its time is over; and the next one."""

from collections.abc import Callable
from typing import Any

import pytest

from distributions import tasks
from distributions.core.models import Distribution, Participation
from distributions.timed_releases import rules
from experiences.models import Event
from fanfare import redis
from tests.api.servers import redis_away
from tests.releases import claim, claimed, move, require_sold_out, require_true_stock, shown, trace, units
from tests.world import ConsumerClient, World, assert_error

Way = Callable[[World, Distribution, ConsumerClient, Any], Any]
GIVES_BACK: dict[str, Way] = {
    "left": lambda world, release, who, clock: who.leave(release),
    "denied": lambda world, release, who, clock: move(world, release, "deny", who),
    "expired": lambda world, release, who, clock: clock.shift(60),
}


# --- A unit comes back ----------------------------------------------------------------------------
@pytest.mark.parametrize("way", GIVES_BACK)
def test_a_unit_comes_back(world: World, clock: Any, way: str) -> None:
    release, late = world.release(inventory=1, claim_seconds=60), world.consumer()
    (first,) = claimed(release, world, 1)
    clock.shift(0.5)
    require_sold_out(late.enter(release), 60)
    clock.shift(-0.5)
    GIVES_BACK[way](world, release, first, clock)
    assert claim(release, late)  # before any task ran
    require_sold_out(world.consumer().enter(release), 60)
    assert trace(release, first.id) == ["entered", way]
    tally = require_true_stock(release)
    assert (tally.taken, tally.admitted, tally.returned) == (1, 2, 1)
    if way != "denied":
        require_sold_out(first.enter(release), 60)  # they may, but nothing is there


@pytest.mark.parametrize("asks", ["status", "enter", "leave", "complete", "validate", "me", "somebody else"])
def test_a_claim_ends_at_its_very_second_for_whoever_asks(world: World, clock: Any, asks: str) -> None:
    release, late = world.release(inventory=1, claim_seconds=60), world.consumer()
    (first,) = claimed(release, world, 1)
    token = first.status(release).json()["admissionToken"]
    clock.shift(59.999)
    assert first.status(release).json()["status"] == "ADMITTED"
    require_sold_out(late.enter(release), 1)
    clock.shift(0.001)
    if asks == "status":
        body = first.status(release).json()
        assert (body["status"], body["denyReason"]) == ("DENIED", "ADMISSION_EXPIRED")
        assert "admissionToken" not in body
    elif asks == "enter":
        again = claim(release, first)
        assert (again["enteredAt"], again["expiresAt"]) == ("2026-12-01T09:01:00Z", "2026-12-01T09:02:00Z")
        assert again["admissionToken"] != token
        assert trace(release, first.id) == ["entered", "expired", "entered"]
    elif asks == "leave":
        assert assert_error(first.leave(release), 409, "Illegal transition")["status"] == "DENIED"
    elif asks == "complete":
        refused = move(world, release, "complete", first)
        assert assert_error(refused, 409, "Illegal transition")["status"] == "DENIED"
    elif asks == "validate":
        assert move(world, release, "validate", first, token=token).json()["code"] == "TOKEN_EXPIRED"
    elif asks == "me":
        active = first.get("/consumers/me").json()["active"]
        assert (active["timedReleases"], active["admissions"]) == ({}, {})
    else:
        assert claim(release, late)
        assert units(release, first.id) == [(1, "ADMISSION_EXPIRED")]
    require_true_stock(release)


def test_the_task_ends_the_rest(world: World, clock: Any) -> None:
    release = world.release(inventory=2, claim_seconds=60)
    first, second = claimed(release, world, 2)
    clock.shift(60)
    assert shown(world, release)["available"] == 0
    for _ in range(2):
        tasks.expire_admissions()
    assert shown(world, release)["available"] == 2
    for who in (first, second):
        assert trace(release, who.id) == ["entered", "expired"]
        assert Event.objects.filter(consumer_id=who.id).latest("id").actor == "system:expire_admissions"
    assert require_true_stock(release).taken == 0


def test_another_entrant_has_just_ended_the_claims(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between finding all sold and looking for claims that are over, somebody else ended them."""
    release, late = world.release(inventory=2, claim_seconds=60), world.consumer()
    claimed(release, world, 2)
    clock.shift(60)
    ends = somebody_ends_first(monkeypatch)
    assert claim(release, late)
    assert ends == [2]
    assert require_true_stock(release).taken == 1


def somebody_ends_first(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sweep of somebody else runs just before ours; how many it found."""
    ours, ended = rules._end_claims, []

    def late(distribution: Distribution, now: Any) -> bool:
        ended.append(Participation.objects.filter(distribution=distribution, status="ADMITTED").count())
        tasks.expire_admissions()
        return ours(distribution, now)

    monkeypatch.setattr(rules, "_end_claims", late)
    return ended


# --- Moves ----------------------------------------------------------------------------------------
def bring(world: World, release: Distribution, clock: Any, state: str) -> ConsumerClient:
    """Somebody in this state."""
    (who,) = claimed(release, world, 1)
    if state == "completed":
        move(world, release, "complete", who)
    elif state != "admitted":
        GIVES_BACK[state](world, release, who, clock)
        tasks.expire_admissions()
    return who


AFTER = {  # state, verb: the status afterwards, or 409 with what it is
    ("admitted", "leave"): "LEFT", ("admitted", "complete"): "COMPLETED", ("admitted", "deny"): "DENIED",
    ("completed", "leave"): None, ("completed", "complete"): "COMPLETED", ("completed", "deny"): None,
    ("left", "leave"): "LEFT", ("left", "complete"): None, ("left", "deny"): None,
    ("denied", "leave"): None, ("denied", "complete"): None, ("denied", "deny"): "DENIED",
    ("expired", "leave"): None, ("expired", "complete"): None, ("expired", "deny"): None,
}  # fmt: skip


@pytest.mark.parametrize(("state", "verb"), AFTER)
def test_from_every_state_by_every_verb(world: World, clock: Any, state: str, verb: str) -> None:
    release = world.release(inventory=1, claim_seconds=60)
    who = bring(world, release, clock, state)
    before, stands = trace(release, who.id), who.status(release).json()["status"]
    for _ in range(2):
        answer = who.leave(release) if verb == "leave" else move(world, release, verb, who)
        if AFTER[state, verb] is None:
            assert assert_error(answer, 409, "Illegal transition")["status"] == stands
        else:
            assert (answer.status_code, answer.json()["status"]) == (200, AFTER[state, verb])
            assert "admissionToken" not in answer.json()
    changed = state == "admitted"
    assert trace(release, who.id) == before + ([str(AFTER[state, verb]).lower()] if changed else [])
    require_true_stock(release)


@pytest.mark.parametrize("verb", ["status", "leave", "complete", "deny"])
def test_who_never_entered(world: World, clock: Any, verb: str) -> None:
    release, guest = world.release(), world.consumer()
    own: dict[str, Any] = {"status": guest.status, "leave": guest.leave}
    answer = own[verb](release) if verb in own else move(world, release, verb, guest)
    assert_error(answer, 404, "Consumer not in timed release", "CONSUMER_NOT_IN_TIMED_RELEASE")


def test_a_denial_stays(world: World, clock: Any) -> None:
    release, who = world.release(inventory=5), world.consumer()
    claim(release, who)
    move(world, release, "deny", who, reason="FRAUD_DETECTED")
    again = who.enter(release).json()
    assert (again["status"], again["denyReason"]) == ("DENIED", "FRAUD_DETECTED")
    assert units(release, who.id) == [(1, "FRAUD_DETECTED")]
    assert require_true_stock(release).taken == 0


def test_an_order_is_kept_out_of_the_trace(world: World, clock: Any) -> None:
    release, who = world.release(), world.consumer()
    claim(release, who)
    body = move(world, release, "complete", who, orderId="ORDER-7").json()
    assert (body["status"], body["completedAt"]) == ("COMPLETED", "2026-12-01T09:00:00Z")
    assert Participation.objects.get().order_id == "ORDER-7"
    assert "ORDER-7" not in str(list(Event.objects.values()))


def test_what_validate_says(world: World, clock: Any) -> None:
    release, other = world.release(claim_seconds=60), world.release(claim_seconds=60)
    who, stranger = claimed(release, world, 2)
    token = who.status(release).json()["admissionToken"]
    claim(other, who)

    def verdict(of: ConsumerClient, shown: str, at: Distribution = release) -> Any:
        body = move(world, at, "validate", of, token=shown).json()
        return body.get("code") or body["valid"]

    assert verdict(who, token) is True
    assert verdict(who, token[:-2]) == "TOKEN_INVALID"
    assert verdict(stranger, token) == "CONSUMER_MISMATCH"
    assert verdict(who, token, other) == "WRONG_DISTRIBUTION"
    who.leave(release)
    assert verdict(who, token) == "NOT_ADMITTED"
    clock.shift(1)
    second = claim(release, who)["admissionToken"]
    assert verdict(who, token) == "NOT_ADMITTED"  # of the unit that was given back
    assert verdict(who, second) is True
    move(world, release, "complete", who)
    assert verdict(who, second) == "TOKEN_USED"


# --- Redis ----------------------------------------------------------------------------------------
def test_everything_works_without_redis(world: World, clock: Any) -> None:
    release, late = world.release(inventory=1, claim_seconds=60, max_per_consumer=2), world.consumer()
    who = world.consumer()
    with redis_away():
        claim(release, who)
        require_sold_out(late.enter(release), 60)
        token = who.status(release).json()["admissionToken"]
        assert move(world, release, "validate", who, token=token).json()["valid"] is True
        assert who.leave(release).json()["status"] == "LEFT"
        claim(release, late)
        clock.shift(60)
        assert late.status(release).json()["denyReason"] == "ADMISSION_EXPIRED"
        claim(release, who)
        assert move(world, release, "complete", who).json()["status"] == "COMPLETED"
    require_true_stock(release)


def test_redis_emptied(world: World, clock: Any) -> None:
    release = world.release(inventory=3, claim_seconds=60)
    people = claimed(release, world, 3)
    move(world, release, "complete", people[0])
    people[1].leave(release)
    before = [one.status(release).json() for one in people]
    redis.client().flushdb()
    assert [one.status(release).json() for one in people] == before
    redis.client().flushdb()
    tasks.watch_redis()
    assert [one.enter(release).json()["status"] for one in people] == ["COMPLETED", "ADMITTED", "ADMITTED"]
    assert require_true_stock(release).taken == 3


def test_the_path_of_a_release(world: World) -> None:
    """Another kind's id opens nothing here, nor this one's there."""
    release, queue, guest = world.release(), world.queue(), world.consumer()
    assert_error(guest.post(f"/timed-releases/{queue.pk}/enter"), 404, "Timed release not found")
    assert_error(guest.post(f"/queues/{release.pk}/enter"), 404, "Queue not found")
