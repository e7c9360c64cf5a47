"""A guest signs in while everything goes on: no entry is lost, none counts twice, nobody waits forever."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

from consumers.models import Consumer, Redemption, Visit
from distributions.core import lifecycle
from distributions.core.models import LIVE, OVER_FOR_NOW, Distribution, Participation
from distributions.queues import rules
from experiences import access_codes
from experiences.models import Event
from fanfare import clock as time
from fanfare import redis
from tests.concurrency.race import race
from tests.lines import fill, require_true_tally
from tests.world import EXCHANGE, ConsumerClient, World

ROUNDS = 6


def signing_in(world: World, guest: ConsumerClient, subject: str = "4711") -> Callable[[], Any]:
    """The guest's exchange, authorized beforehand."""
    code = {"exchangeCode": world.authorize(subject).json()["exchangeCode"]}
    return lambda: guest.post(EXCHANGE, code)


def refused_or_done(answers: list[Any]) -> list[Any]:
    """The answers, none of which is a failure of ours."""
    assert {answer.status_code for answer in answers} <= {200, 401}, [a.content for a in answers]
    return answers


def require_one_each(world: World, queues: list[Distribution]) -> None:
    """Nobody who was merged holds anything that counts; tallies are true."""
    merged = Consumer.objects.exclude(merged_into=None)
    rows = Participation.objects.filter(consumer__in=merged).exclude(OVER_FOR_NOW)
    assert not rows.filter(status__in=LIVE).exists()
    assert not Visit.objects.filter(consumer__in=merged, left_at=None).exists()
    for queue in queues:
        require_true_tally(queue)


def require_kept(queues: list[Distribution], entries: list[Any], member_id: str) -> None:
    """Each entry that was answered with 2xx is the consumer's, and there is one in each queue."""
    for index, queue in enumerate(queues):
        kept = [answer for answer in entries[index :: len(queues)] if answer.status_code == 200]
        rows = Participation.objects.filter(distribution_id=queue.pk, consumer_id=member_id, status__in=LIVE)
        assert rows.count() == (1 if kept else 0), queue.pk


def test_entering_many_queues_while_signing_in(world: World) -> None:
    queues = [world.queue() for _ in range(4)]
    for number in range(ROUNDS):
        guest = world.consumer()
        sign_in = signing_in(world, guest, f"person-{number}")

        def act(index: int, guest: ConsumerClient = guest, sign_in: Callable[[], Any] = sign_in) -> Any:
            return sign_in() if index == 12 else guest.enter(queues[index % 4])

        *entries, signed = refused_or_done(race(13, act).all())
        member = world.signed_in(signed)
        require_kept(queues, entries, member.id)
        for queue in queues:
            assert member.enter(queue).json()["status"] == "QUEUED"
    require_one_each(world, queues)


def test_two_sign_ins_of_one_guest(world: World) -> None:
    """As two people at once: one of them gets what the guest had, the other one nothing."""
    queues = [world.queue() for _ in range(3)]
    for number in range(ROUNDS):
        guest = world.consumer()
        for queue in queues:
            guest.enter(queue)
        ways = [signing_in(world, guest, f"{name}-{number}") for name in "abcd"]
        answers = refused_or_done(race(4, lambda index, ways=ways: ways[index]()).all())  # type: ignore[misc]
        people = [world.signed_in(answer).id for answer in answers if answer.status_code == 200]
        heir = Consumer.objects.get(pk=guest.id).merged_into_id
        assert heir in people
        rows = Participation.objects.filter(consumer__in=[*people, guest.id])
        assert set(rows.values_list("consumer_id", flat=True)) == {heir}
        assert rows.count() == 3
    assert Event.objects.filter(name="consumer.merged", distribution_id=None).count() == ROUNDS
    require_one_each(world, queues)


def test_the_consumer_enters_while_the_guest_becomes_them(world: World) -> None:
    queues = [world.queue() for _ in range(3)]
    for number in range(ROUNDS):
        guest, member = world.consumer(), world.member(subject=f"person-{number}")
        for queue in queues:
            guest.enter(queue)
        sign_in = signing_in(world, guest, f"person-{number}")

        def act(index: int, member: ConsumerClient = member, sign_in: Callable[[], Any] = sign_in) -> Any:
            return sign_in() if index == 9 else member.enter(queues[index % 3])

        answers = race(10, act).all()
        assert {answer.status_code for answer in answers} == {200}, [a.content for a in answers]
        for queue in queues:
            counted = Participation.objects.filter(distribution_id=queue.pk, consumer_id=member.id)
            assert counted.exclude(OVER_FOR_NOW).count() == 1
            assert member.status(queue).json()["status"] == "QUEUED"
    require_one_each(world, queues)


def test_guests_become_one_consumer_at_once(world: World) -> None:
    """Whoever comes first, the earliest entry of all stays, in each queue and experience."""
    queues = [world.queue() for _ in range(4)]
    for number in range(ROUNDS):
        guests = [world.consumer() for _ in range(4)]
        for turn, guest in enumerate(guests):
            for queue in queues[turn:] + queues[:turn]:
                guest.enter(queue)
            guest.post(f"/experiences/{world.sequence.experience_id}/enter")
        subject = f"person-{number}"
        ways = [signing_in(world, guest, subject) for guest in guests]
        answers = race(4, lambda index, ways=ways: ways[index]()).all()  # type: ignore[misc]
        assert {answer.status_code for answer in answers} == {200}, [a.content for a in answers]
        (person,) = {answer.json()["session"]["consumerId"] for answer in answers}
        for queue in queues:
            rows = Participation.objects.filter(
                distribution_id=queue.pk, consumer__in=[person, *(guest.id for guest in guests)]
            )
            counted = rows.exclude(OVER_FOR_NOW)
            assert [row.pk for row in counted] == [rows.earliest("entered_at", "id").pk]
            assert counted.get().consumer_id == person
        assert Visit.objects.filter(consumer_id=person, left_at=None).count() == 1
    require_one_each(world, queues)


def test_guests_with_many_visits_and_codes_become_one_at_once(world: World) -> None:
    """Entered in opposite orders, so that whoever locked in the order of entry would wait forever."""
    worlds = [world.sequence_in(f"drop-{number}") for number in range(6)]
    codes = [
        access_codes.generate(sequence, 1, now=time.now(), actor="staff:1", max_uses=None)[0]
        for sequence in worlds
    ]
    for number in range(ROUNDS):
        guests = [world.consumer(), world.consumer()]
        for guest, turn in zip(guests, (1, -1), strict=True):
            for sequence, code in list(zip(worlds, codes, strict=True))[::turn]:
                path = f"/experiences/{sequence.experience_id}/enter"
                assert guest.post(path, {"accessCode": code}).status_code == 200
        ways = [signing_in(world, guest, f"person-{number}") for guest in guests]
        answers = race(2, lambda index, ways=ways: ways[index]()).all()  # type: ignore[misc]
        assert {answer.status_code for answer in answers} == {200}, [a.content for a in answers]
        person = answers[0].json()["session"]["consumerId"]
        assert Visit.objects.filter(consumer_id=person, left_at=None).count() == 6
        assert Redemption.objects.filter(consumer_id=person).count() == 6
    require_one_each(world, [])


def test_entering_an_experience_while_signing_in(world: World) -> None:
    """A visit that was answered with 2xx is the consumer's, and so is the code that it used up."""
    friends = world.sequence_with("friends", priority=5)
    path = f"/experiences/{world.sequence.experience_id}/enter"
    codes = access_codes.generate(friends, 2 * ROUNDS, now=time.now(), actor="staff:1")
    for number, code in enumerate(codes):
        guest = world.consumer()
        sign_in = signing_in(world, guest, f"person-{number}")

        def act(index: int, guest: Any = guest, sign_in: Any = sign_in, code: str = code) -> Any:
            return sign_in() if index == 3 else guest.post(path, {"accessCode": code})

        *entries, signed = refused_or_done(race(4, act).all())
        member = world.signed_in(signed)
        is_in = any(entry.status_code == 200 for entry in entries)
        assert Visit.objects.filter(consumer_id=member.id, left_at=None).exists() == is_in
        assert Redemption.objects.filter(consumer_id=member.id).exists() == is_in
    require_one_each(world, [])


def test_admitting_goes_on_meanwhile(world: World) -> None:
    """Everybody is a guest in line with an account in it too; batches are admitted while all sign in."""
    queues = [world.queue(admission_rate=60_000, session_seconds=600) for _ in range(2)]
    fill(queues[0], world, 20)
    pairs = []
    for number in range(10):
        guest, member = world.consumer(), world.member(subject=f"person-{number}")
        for queue, order in zip(queues, ((guest, member), (member, guest)), strict=True):
            for who in order:
                who.enter(queue)
        pairs.append((guest, member, signing_in(world, guest, f"person-{number}")))

    def act(index: int) -> Any:
        if index < 10:
            return pairs[index][2]()
        for _ in range(10):
            rules.admit_batch(queues[index % 2].pk, now=time.now())
        return None

    answers = race(14, act).all()[:10]
    assert {answer.status_code for answer in answers} == {200}, [a.content for a in answers]
    for queue in queues:
        for guest, member, _ in pairs:
            rows = Participation.objects.filter(
                distribution_id=queue.pk, consumer__in=[guest.id, member.id]
            ).exclude(OVER_FOR_NOW)
            assert [row.consumer_id for row in rows] == [member.id]
            told = member.status(queue).json()["status"]
            assert told == lifecycle.latest(queue, member.id).status
    require_one_each(world, queues)


def test_a_shop_that_completes_meanwhile(world: World) -> None:
    """By the guest's id or the consumer's, one completion stands and is the consumer's."""
    for number in range(ROUNDS):
        queue, guest, member = world.queue(), world.consumer(), world.member(subject=f"person-{number}")
        member.enter(queue)
        world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": guest.id})
        sign_in = signing_in(world, guest, f"person-{number}")

        path, body = f"/queues/{queue.pk}/complete", {"consumerId": guest.id}

        def act(index: int, sign_in: Any = sign_in, path: str = path, body: Any = body) -> Any:
            return sign_in() if index == 0 else world.server().post(path, body)

        answers = race(3, act).all()
        assert {answer.status_code for answer in answers} <= {200, 409}, [a.content for a in answers]
        tally = require_true_tally(queue)
        if any(answer.status_code == 200 for answer in answers[1:]):
            assert tally.completed == 1
        require_one_each(world, [queue])


@pytest.fixture
def expiring(world: World, clock: Any) -> Iterator[Distribution]:
    """A queue with a limit of devices whose admissions are over, though nobody has swept."""
    yield world.queue(session_seconds=60, max_entries_per_fingerprint=1000)


def test_an_expired_guest_enters_again_while_signing_in(
    world: World, expiring: Distribution, clock: Any
) -> None:
    """Both write the expiry down; neither waits for the other forever."""
    for number in range(2 * ROUNDS):
        guest = world.consumer(**{"X-Fingerprint": f"fp_{number:010}"})
        guest.enter(expiring)
        world.server().post(f"/queues/{expiring.pk}/admit", {"consumerId": guest.id})
        clock.shift(61)
        sign_in = signing_in(world, guest, f"person-{number}")

        def act(index: int, guest: Any = guest, sign_in: Any = sign_in) -> Any:
            return sign_in() if index == 0 else guest.enter(expiring)

        refused_or_done(race(4, act).all())
    require_one_each(world, [expiring])


def test_without_redis(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same from PostgreSQL alone."""
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:9/0")
    redis.reset()
    test_entering_many_queues_while_signing_in(world)
    monkeypatch.undo()
    redis.reset()
