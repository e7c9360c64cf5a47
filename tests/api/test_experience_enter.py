"""`POST /experiences/:id/enter`, `DELETE …/leave`, and what a sequence asks before its queues are entered."""

import itertools
from dataclasses import dataclass
from typing import Any

import pytest

from consumers.models import Redemption, Visit
from distributions.core.models import Participation
from experiences import access_codes, audiences
from experiences.models import AccessCode, Event, Sequence
from fanfare import clock as time
from fanfare import ids
from tests.world import ApiClient, ConsumerClient, World, assert_error, make_queue, make_world

CONDITIONS = ("authentication", "access_code", "audience")
SUBSETS = [
    set(some) for number in range(4) for some in itertools.combinations(CONDITIONS, number)
]  # what a sequence asks
ERRORS = {
    "authentication": "Sign-in required",
    "access_code": "Access code required",
    "audience": "Not eligible",
}
EMAIL, PHONE, SUBJECT = "ada@example.com", "+4930901820", "customer-4711"
CODE = "WELCOME-2026"


def enter(who: ApiClient, world: World, code: str | None = None) -> Any:
    body = {} if code is None else {"accessCode": code}
    return who.post(f"/experiences/{world.sequence.experience_id}/enter", body)


def leave(who: ApiClient, world: World) -> Any:
    return who.delete(f"/experiences/{world.sequence.experience_id}/leave").json()["left"]


def ask_for(sequence: Sequence, conditions: set[str]) -> Sequence:
    """Let the sequence ask for these, the code and the list being the ones above."""
    now, actor = time.now(), "staff:1"
    if "access_code" in conditions:
        access_codes.share(sequence, CODE, now=now, actor=actor)
    if "audience" in conditions:
        audiences.add(sequence, audiences.read_list([EMAIL, PHONE, SUBJECT]), now=now, actor=actor)
    sequence.requires_authentication = "authentication" in conditions
    sequence.save()
    return sequence


@dataclass(frozen=True)
class Person:
    """Who comes: a guest, somebody, or somebody on the list; with the code in hand or without."""

    is_guest: bool = False
    listed_by: str = ""
    has_code: bool = False

    def arrive(self, world: World) -> ConsumerClient:
        if self.is_guest:
            return world.consumer()
        if self.listed_by == "email":
            return world.member(EMAIL)
        if self.listed_by == "phone":
            return world.member(phone=PHONE, phone_number_verified=True)
        return world.member(subject=SUBJECT if self.listed_by == "external" else "")

    def lacks(self, asked: set[str], *, code_counts: bool) -> list[str]:
        """What is missing, the first to be done first; a guest signs in before anybody looks at a list."""
        met = {
            "authentication": not self.is_guest,
            "access_code": code_counts,
            "audience": bool(self.listed_by),
        }
        missing = [condition for condition in CONDITIONS if condition in asked and not met[condition]]
        signs_in = self.is_guest and "audience" in missing and "authentication" not in missing
        return ["authentication", *missing] if signs_in else missing


KNOWN = [(True, ""), (False, ""), (False, "email"), (False, "phone"), (False, "external")]
PEOPLE = [Person(*known, has_code) for has_code in (False, True) for known in KNOWN]
WORDS = {"authentication": "a sign-in", "access_code": "an access code", "audience": "a place on its list"}


def written() -> list[int]:
    """How much there is of all that an entry writes."""
    tables = (Visit, Redemption, Participation, Event)
    used = sum(AccessCode.objects.values_list("uses", flat=True))
    return [*(table.objects.count() for table in tables), used]


@pytest.mark.parametrize("asked", SUBSETS, ids=lambda asked: "+".join(sorted(asked)) or "nothing")
@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_who_may_come_in(world: World, clock: Any, asked: set[str], person: Person) -> None:
    sequence, queue = ask_for(world.sequence, asked), world.queue()
    who = person.arrive(world)
    before = written()

    answer = enter(who, world, CODE if person.has_code else None)
    lacking = person.lacks(asked, code_counts=person.has_code)
    if lacking:
        body = assert_error(answer, 403, ERRORS[lacking[0]])
        needs = " and ".join(WORDS[condition] for condition in lacking)
        told = {"field": f"sequences.{sequence.id}", "message": f"Everyone: needs {needs}."}
        assert body["details"] == [told]
        assert written() == before
    else:
        body = answer.json()
        assert (answer.status_code, body["sequenceId"], body["enteredAt"]) == (
            200, sequence.id, "2026-12-01T09:00:00Z",
        )  # fmt: skip
        shown = who.get(f"/experiences/{sequence.experience_id}").json()
        assert body["experience"] == shown
        assert shown["sequences"][0]["requires"] == [name for name in CONDITIONS if name in asked]
        assert Redemption.objects.count() == int("access_code" in asked)

    before = written()
    lacking = person.lacks(asked, code_counts=person.has_code and not lacking)
    if lacking:
        assert_error(who.enter(queue), 403, ERRORS[lacking[0]])
        assert written() == before
        admitted = world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": who.id})
        assert admitted.json()["status"] == "ADMITTED"  # the shop itself goes past conditions
        assert_error(who.enter(queue), 403, ERRORS[lacking[0]])
        assert who.status(queue).json()["status"] == "ADMITTED"
    else:
        assert who.enter(queue).json()["status"] == "QUEUED"


# --- routing ---


def test_the_highest_priority_comes_first_and_of_equals_the_older(world: World, clock: Any) -> None:
    low = world.sequence_with("low", priority=-5)
    equals = [world.sequence_with(name, priority=7) for name in ("b", "a")]
    locked = world.sequence_with("locked", priority=9, requires_authentication=True)
    first = min(sequence.id for sequence in equals)
    assert enter(world.consumer(), world).json()["sequenceId"] == first
    assert enter(world.member(), world).json()["sequenceId"] == locked.id
    Sequence.objects.filter(pk=low.id).update(priority=10)
    assert enter(world.member(), world).json()["sequenceId"] == low.id


def test_the_nearest_says_what_is_missing_and_details_say_it_of_each(world: World) -> None:
    ask_for(world.sequence, {"authentication", "access_code"})
    near = ask_for(world.sequence_with("near", priority=-1), {"access_code"})
    far = ask_for(world.sequence_with("far", priority=3), set(CONDITIONS))
    body = assert_error(enter(world.consumer(), world), 403, "Access code required", "ACCESS_CODE_REQUIRED")
    assert [(detail["field"], detail["message"]) for detail in body["details"]] == [
        (f"sequences.{far.id}", "Far: needs a sign-in and an access code and a place on its list."),
        (f"sequences.{world.sequence.id}", "Everyone: needs a sign-in and an access code."),
        (f"sequences.{near.id}", "Near: needs an access code."),
    ]
    ask_for(near, {"audience"})
    Sequence.objects.filter(pk=near.id).update(requires_access_code=False)
    # Equally far: the one of higher priority speaks.
    assert_error(enter(world.consumer(), world), 403, "Sign-in required", "SIGN_IN_REQUIRED")


def test_without_sequences_there_is_no_way_in(world: World) -> None:
    Sequence.objects.all().delete()
    assert_error(enter(world.consumer(), world), 403, "Not eligible", "NOT_ELIGIBLE")


def test_repeats_keep_the_first_instant_and_write_nothing(world: World, clock: Any) -> None:
    who = world.consumer()
    first = enter(who, world).json()
    before = written()
    clock.shift(60)
    again = enter(who, world).json()
    assert (again["enteredAt"], again["sequenceId"]) == (first["enteredAt"], first["sequenceId"])
    assert written() == before


def test_a_better_way_later_and_a_worse_one(world: World, clock: Any) -> None:
    """Decided anew each time, and traced when it changes; when they first came stays."""
    friends = ask_for(world.sequence_with("friends", priority=5), {"access_code"})
    members = ask_for(world.sequence_with("members", priority=9), {"audience"})
    who = world.member(EMAIL)
    Sequence.objects.filter(pk=members.id).update(priority=-1)
    entered = enter(who, world).json()["enteredAt"]
    clock.shift(1)
    assert enter(who, world, CODE).json()["sequenceId"] == friends.id
    Sequence.objects.filter(pk=members.id).update(priority=9)
    clock.shift(1)
    assert enter(who, world).json() | {"experience": 0} == {
        "experienceId": world.sequence.experience_id,
        "enteredAt": entered,
        "sequenceId": members.id,
        "experience": 0,
    }
    members.audience.all().delete()
    assert enter(who, world).json()["sequenceId"] == friends.id
    traced = Event.objects.filter(name="experience.consumer.entered", consumer_id=who.id).order_by("id")
    assert [(event.data["from"], event.data["to"]) for event in traced] == [
        (None, world.sequence.id),
        (world.sequence.id, friends.id),
        (friends.id, members.id),
        (members.id, friends.id),
    ]
    assert {event.actor for event in traced} == {f"consumer:{who.id}"}


# --- leaving ---


def test_leaving_tells_whether_there_was_anything_to_leave(world: World, clock: Any) -> None:
    queue, who = world.queue(), world.consumer()
    assert leave(who, world) is False
    first = enter(who, world).json()
    who.enter(queue)
    assert [leave(who, world) for _ in range(3)] == [True, False, False]
    assert who.status(queue).json()["position"] == 1  # participations stay as they are
    assert who.get("/consumers/me").json()["active"]["experiences"] == {}
    clock.shift(60)
    again = enter(who, world).json()
    assert again["enteredAt"] == "2026-12-01T09:01:00Z" != first["enteredAt"]
    assert leave(who, world) is True
    assert Event.objects.filter(name="experience.consumer.left", consumer_id=who.id).count() == 2


def test_whoever_used_a_code_needs_none_after_leaving(world: World, clock: Any) -> None:
    ask_for(world.sequence, {"access_code"})
    who = world.consumer()
    assert enter(who, world, CODE).status_code == 200
    assert leave(who, world) is True
    assert enter(who, world).status_code == 200
    assert AccessCode.objects.get().uses == 1


# --- who and where ---


@pytest.mark.parametrize("verb", ["enter", "leave"])
def test_only_consumers_come_and_go(world: World, verb: str) -> None:
    def act(client: ApiClient, experience: str) -> Any:
        path = f"/experiences/{experience}/{verb}"
        return client.post(path) if verb == "enter" else client.delete(path)

    here = world.sequence.experience_id
    assert_error(act(ApiClient({}), here), 401, "Authentication required")
    for client in (world.shop_front(), world.server()):
        assert_error(act(client, here), 400, "Consumer ID is required")
    who = world.consumer()
    for missing in (make_world().sequence.experience_id, ids.new("exp"), "exp_", world.sequence.id):
        assert_error(act(who, missing), 404, "Experience not found")
    who.post("/auth/logout")
    assert_error(act(who, here), 401, "Authentication required")
    assert not Visit.objects.exists()


@pytest.mark.parametrize("code", [7, True, ["x"], {"a": 1}, "x" * 101, "a\0b", None])
def test_a_code_that_can_be_none(world: World, code: Any) -> None:
    answer = world.consumer().post(f"/experiences/{world.sequence.experience_id}/enter", {"accessCode": code})
    details = assert_error(answer, 400, "Validation failed")["details"]
    assert [detail["field"] for detail in details] in (["accessCode"], ["body"])


def test_conditions_come_after_guests_where_none_are_taken(world: World) -> None:
    ask_for(world.sequence, {"access_code"})
    queue = world.queue(supports_guest=False)
    guest = world.consumer()
    enter(guest, world, CODE)
    assert_error(guest.enter(queue), 403, "Sign-in required")
    assert_error(world.member().enter(queue), 403, "Access code required")


def test_one_sequences_conditions_are_not_anothers(world: World) -> None:
    closed = make_queue(ask_for(world.sequence_with("closed"), set(CONDITIONS)))
    opened, who = world.queue(), world.consumer()
    assert who.enter(opened).status_code == 200
    assert_error(who.enter(closed), 403, "Sign-in required")
    assert_error(who.status(closed), 404, "Consumer not in queue")
