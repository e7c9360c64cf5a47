"""Releases among all that is somebody's: their own page, an experience, signing in as a guest, erasing."""

from collections.abc import Callable
from typing import Any

import pytest

from consumers.models import Consumer
from distributions import privacy, tasks
from distributions.core.models import Distribution
from experiences.models import Event
from fanfare import clock as time
from fanfare import ids
from tests.api.servers import redis_away
from tests.releases import claim, move, require_sold_out, require_true_stock, trace, units
from tests.world import ConsumerClient, World, make_release, make_world, path_of


def test_what_is_theirs(world: World, clock: Any) -> None:
    releases = {name: world.release(claim_seconds=60, max_per_consumer=2) for name in "abcde"}
    who, other = world.member(), world.consumer()
    for name in "abcd":
        claim(releases[name], who)
    claim(releases["e"], other)
    move(world, releases["b"], "complete", who)
    who.leave(releases["c"])
    move(world, releases["d"], "complete", who)
    claim(releases["d"], who)  # a second one
    active = who.get("/consumers/me").json()["active"]
    assert set(active["timedReleases"]) == {releases["a"].pk, releases["d"].pk}
    assert active["admissions"] == active["timedReleases"]
    for name in "ad":
        assert active["timedReleases"][releases[name].pk] == who.status(releases[name]).json()
    assert active["queues"] == active["draws"] == active["auctions"] == {}


def test_shown_in_its_experience(world: World, clock: Any) -> None:
    release = world.release(inventory=7, claim_seconds=60, opens_in=60, closes_in=120)
    body = world.shop_front().get(f"/experiences/{world.sequence.experience_id}").json()
    (sequence,) = body["sequences"]
    assert sequence["timedReleases"] == [world.shop_front().get(path_of(release)).json()]
    assert (body["openAt"], body["closeAt"]) == ("2026-12-01T09:01:00Z", "2026-12-01T09:02:00Z")


def test_another_tenants_is_not_there(world: World, clock: Any) -> None:
    stranger = make_world()
    theirs, guest = make_release(stranger.sequence), world.consumer()
    calls: dict[str, Callable[[str], Any]] = {
        "": lambda path: world.shop_front().get(path),
        "/enter": guest.post,
        "/status": guest.get,
        "/leave": guest.post,
        "/complete": lambda path: world.server().post(path, {"consumerId": guest.id}),
        "/validate": lambda path: world.server().post(path, {"consumerId": guest.id, "token": "x"}),
    }
    for end, call in calls.items():
        answers = [call(f"/timed-releases/{name}{end}") for name in (theirs.pk, ids.new("release"), "x")]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["code"] for answer in answers} == {"TIMED_RELEASE_NOT_FOUND"}
    require_true_stock(theirs)
    assert not Event.objects.filter(distribution_id=theirs.pk).exists()


# --- A guest turns out to be somebody -------------------------------------------------------------
STATES = ("nothing", "completed", "claimed", "left", "denied", "expired", "completed claimed")


def bring(world: World, release: Distribution, who: ConsumerClient, state: str, clock: Any) -> None:
    """Bring them into this state; "expired" is written down by nobody."""
    for step in state.split():
        if step == "nothing":
            continue
        claim(release, who)
        if step == "completed":
            move(world, release, "complete", who)
        elif step == "left":
            who.leave(release)
        elif step == "denied":
            move(world, release, "deny", who)


def pair(world: World) -> tuple[ConsumerClient, ConsumerClient]:
    """A guest, and the member whom they will turn out to be."""
    return world.consumer(), world.member(subject="4711")


def merged(world: World, guest: ConsumerClient) -> ConsumerClient:
    return world.member(subject="4711", guest=guest)


@pytest.mark.parametrize("mine", STATES)
@pytest.mark.parametrize("theirs", STATES)
@pytest.mark.parametrize("limit", [1, 3])
def test_both_had_units(world: World, clock: Any, theirs: str, mine: str, limit: int) -> None:
    if limit == 1 and "completed claimed" in (theirs, mine):
        return
    release = world.release(inventory=9, claim_seconds=60, max_per_consumer=limit)
    guest, member = pair(world)
    expired = [who for who, state in ((guest, theirs), (member, mine)) if state == "expired"]
    for who in expired:
        claim(release, who)
    clock.shift(60 if expired else 0)
    for who, state in ((guest, theirs), (member, mine)):
        if who not in expired:
            bring(world, release, who, state, clock)
        clock.shift(1)
    person = merged(world, guest)
    require_true_stock(release)
    found = [what for _, what in units(release, person.id)]
    numbers = [unit for unit, what in units(release, person.id) if what in ("COMPLETED", "ADMITTED")]
    assert len(set(numbers)) == len(numbers)
    done = (theirs + mine).count("completed")
    has_claimed = [state for state in (theirs, mine) if "claimed" in state]
    keeps = bool(has_claimed) and mine != "denied" and done < limit
    assert found.count("COMPLETED") == done
    assert found.count("ADMITTED") == keeps
    left_over = [what for _, what in units(release, guest.id)]
    assert not {"COMPLETED", "ADMITTED"} & set(left_over)
    _require_going_on(world, release, person, done, is_denied="ADMIN_ACTION" in found, limit=limit)


def _require_going_on(
    world: World, release: Distribution, person: ConsumerClient, done: int, *, is_denied: bool, limit: int
) -> None:
    """The person claims as many more as they may, and no more."""
    if is_denied:
        expected = {"COMPLETED", "DENIED"} if done >= limit else {"DENIED"}
        assert person.enter(release).json()["status"] in expected
        return
    for _ in range(max(0, limit - done)):
        token = claim(release, person)["admissionToken"]
        assert move(world, release, "validate", person, token=token).json()["valid"] is True
        assert move(world, release, "complete", person).json()["status"] == "COMPLETED"
    assert person.enter(release).json()["status"] == "COMPLETED"
    assert person.status(release).json()["status"] == "COMPLETED"
    assert [what for _, what in units(release, person.id)].count("COMPLETED") == max(limit, done)
    require_true_stock(release)


@pytest.mark.parametrize("is_guest_first", [True, False])
def test_of_two_claims_the_earlier_stays(world: World, clock: Any, is_guest_first: bool) -> None:
    release, late = world.release(inventory=2, claim_seconds=600), world.consumer()
    guest, member = pair(world)
    first, second = (guest, member) if is_guest_first else (member, guest)
    kept = claim(release, first)
    clock.shift(1)
    claim(release, second)
    clock.shift(1)
    require_sold_out(late.enter(release), 598)
    person = merged(world, guest)
    assert person.status(release).json()["enteredAt"] == kept["enteredAt"]
    assert claim(release, late)  # the other one came back
    old = move(world, release, "validate", person, token=kept["admissionToken"]).json()
    assert (old["valid"], old["consumerId"]) == (True, person.id)
    assert move(world, release, "complete", guest).json()["consumerId"] == person.id
    require_true_stock(release)


def test_what_is_given_back_after_a_merger_may_be_claimed_again(world: World, clock: Any) -> None:
    release = world.release(inventory=2)
    guest, member = pair(world)
    claim(release, guest)
    claim(release, member)
    person = merged(world, guest)
    assert person.leave(release).json()["status"] == "LEFT"
    assert claim(release, person) == person.status(release).json()
    assert move(world, release, "complete", person).json()["status"] == "COMPLETED"
    assert require_true_stock(release).taken == 1


def test_a_merger_is_told_once_for_a_release(world: World, clock: Any) -> None:
    release = world.release(max_per_consumer=3)
    guest = world.consumer()
    bring(world, release, guest, "completed completed claimed", clock)
    person = merged(world, guest)
    assert units(release, person.id) == [(1, "COMPLETED"), (2, "COMPLETED"), (3, "ADMITTED")]
    whole = Event.objects.get(name="consumer.merged", distribution_id=None)
    assert (whole.data["moved"], whole.data["left"]) == ([release.pk], [])
    with redis_away():
        known = person.status(release).json()
    assert person.status(release).json() == known
    assert known["status"] == "ADMITTED"


# --- Forgetting somebody --------------------------------------------------------------------------
@pytest.mark.parametrize("is_over", [False, True])
def test_who_is_erased_gives_the_unit_back(world: World, clock: Any, is_over: bool) -> None:
    release = world.release(inventory=2, claim_seconds=60, max_per_consumer=2)
    who, late = world.member("ada@example.com"), world.consumer()
    claim(release, who)
    move(world, release, "complete", who, orderId="ORDER-7")
    claim(release, who)
    clock.shift(60 if is_over else 0)
    person = Consumer.objects.get(pk=who.id)
    assert len(privacy.export(person)["participations"]) == 2
    assert privacy.erase(person, now=time.now(), actor="staff:1")
    assert units(release, who.id) == [(1, "COMPLETED"), (2, "ADMISSION_EXPIRED" if is_over else "LEFT")]
    assert trace(release, who.id)[-1] == ("expired" if is_over else "left")
    assert "ORDER-7" not in str(privacy.export(person))
    assert claim(release, late)
    tasks.expire_admissions()
    assert require_true_stock(release).taken == 2
