"""What the clock does to timed releases: the opening traced, the closing, and claims that end; each once."""

from typing import Any

from distributions import tasks
from distributions.core.models import Distribution
from experiences.models import Event
from tests.releases import claimed, require_true_stock
from tests.world import World, loaded


def tick() -> None:
    """What a second does, by two schedulers."""
    for _ in range(2):
        tasks.tick_doors()
        tasks.expire_admissions()


def traced(release: Distribution) -> list[tuple[str, str]]:
    rows = Event.objects.filter(distribution_id=release.pk, consumer_id=None).order_by("id")
    return list(rows.values_list("name", "actor"))


def test_opening_and_closing_are_traced_once_and_in_time(world: World, clock: Any) -> None:
    release = world.release(opens_in=60, closes_in=120, claim_seconds=600)
    clock.shift(59.999)
    tick()
    assert traced(release) == []
    clock.shift(0.001)
    tick()
    assert traced(release) == [("timed_release.opened", "system:schedule")]
    claimed(release, world, 2)
    clock.shift(59.999)
    tick()
    assert loaded(release).closed_at is None
    clock.shift(0.001)
    tick()
    assert traced(release)[1:] == [("timed_release.closed", "system:close_doors")]
    assert loaded(release).closed_at == loaded(release).close_at
    assert require_true_stock(release).taken == 2  # whoever has a unit keeps it
    clock.shift(540)
    tick()
    assert require_true_stock(release).taken == 0
    ended = Event.objects.filter(distribution_id=release.pk, name="timed_release.consumer.expired")
    assert ended.count() == 2


def test_one_that_closed_before_anybody_looked(world: World, clock: Any) -> None:
    """No worker for an hour: it is closed, whenever the opening is told."""
    release = world.release(opens_in=60, closes_in=120)
    clock.shift(3600)
    tick()
    assert "timed_release.closed" in dict(traced(release))
    assert loaded(release).closed_at is not None


def test_other_kinds_are_left_alone(world: World, clock: Any) -> None:
    queue, draw = world.queue(closes_in=10), world.draw(closes_in=10)
    clock.shift(20)
    tasks.tick_doors()
    assert [traced(other) for other in (queue, draw)] == [[], []]
