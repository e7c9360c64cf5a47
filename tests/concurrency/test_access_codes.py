"""Access codes at once: exactly as many come in as a code is good for, and one consumer uses it once."""

import pytest

from consumers.models import Redemption, Visit
from experiences import access_codes
from experiences.models import AccessCode, Event
from fanfare import clock as time
from tests.concurrency.race import race
from tests.world import World


@pytest.mark.parametrize("uses", [1, 5])
def test_fifty_people_with_one_code(world: World, uses: int) -> None:
    (code,) = access_codes.generate(world.sequence, 1, now=time.now(), actor="staff:1", max_uses=uses)
    path, people = f"/experiences/{world.sequence.experience_id}/enter", [world.consumer() for _ in range(50)]
    answers = race(50, lambda index: people[index].post(path, {"accessCode": code})).all()
    assert sorted(answer.status_code for answer in answers) == [200] * uses + [403] * (50 - uses)
    assert {a.json()["error"] for a in answers if a.status_code == 403} == {"Access code required"}
    inside = {who.id for who, answer in zip(people, answers, strict=True) if answer.status_code == 200}
    assert set(Redemption.objects.values_list("consumer_id", flat=True)) == inside
    assert set(Visit.objects.values_list("consumer_id", flat=True)) == inside
    assert AccessCode.objects.get().uses == uses


@pytest.mark.parametrize("uses", [1, 5, None])
def test_one_person_twenty_times(world: World, uses: int | None) -> None:
    (code,) = access_codes.generate(world.sequence, 1, now=time.now(), actor="staff:1", max_uses=uses)
    path, who = f"/experiences/{world.sequence.experience_id}/enter", world.consumer()
    answers = race(20, lambda _: who.post(path, {"accessCode": code})).all()
    assert [answer.status_code for answer in answers] == [200] * 20, [a.content for a in answers]
    assert len({answer.json()["enteredAt"] for answer in answers}) == 1
    assert AccessCode.objects.get().uses == Redemption.objects.count() == Visit.objects.count() == 1
    assert Event.objects.filter(name="experience.consumer.entered").count() == 1


def test_coming_and_going_at_once(world: World) -> None:
    """One visit at most is under way, and each one that ended was traced."""
    here, who = f"/experiences/{world.sequence.experience_id}", world.consumer()
    answers = race(
        24, lambda index: who.delete(f"{here}/leave") if index % 3 == 0 else who.post(f"{here}/enter")
    ).all()
    assert {answer.status_code for answer in answers} == {200}, [a.content for a in answers]
    left = sum(answer.json().get("left", False) for answer in answers)
    assert Visit.objects.exclude(left_at=None).count() == left
    assert Event.objects.filter(name="experience.consumer.left").count() == left
    assert Visit.objects.filter(left_at=None).count() <= 1
    assert Event.objects.filter(name="experience.consumer.entered").count() == Visit.objects.count()
