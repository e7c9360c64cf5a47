"""Several units for one consumer: one after the other, each for itself, and no more than the limit."""

from typing import Any

import pytest

from distributions import tasks
from distributions.core.models import Participation
from distributions.timed_releases.models import TimedRelease
from tests.api.servers import redis_away
from tests.api.test_release_moves import GIVES_BACK
from tests.releases import claim, move, require_true_stock, trace, units
from tests.world import World


def test_one_is_all_unless_said(world: World, clock: Any) -> None:
    release, who = world.release(inventory=5), world.consumer()
    claim(release, who)
    move(world, release, "complete", who)
    for _ in range(2):
        assert who.enter(release).json()["status"] == "COMPLETED"
    assert units(release, who.id) == [(1, "COMPLETED")]


def test_several_one_after_the_other(world: World, clock: Any) -> None:
    release, who = world.release(inventory=5, max_per_consumer=3), world.consumer()
    tokens = []
    for number in range(3):
        clock.shift(1)
        tokens.append(claim(release, who)["admissionToken"])
        assert claim(release, who)["admissionToken"] == tokens[-1]  # never two at once
        assert Participation.objects.filter(status="ADMITTED").count() == 1
        assert require_true_stock(release).taken == number + 1
        assert move(world, release, "complete", who).json()["status"] == "COMPLETED"
        assert who.status(release).json()["status"] == "COMPLETED"
        verdict = move(world, release, "validate", who, token=tokens[-1]).json()
        assert verdict["code"] == "TOKEN_USED"
    assert len(set(tokens)) == 3
    assert who.enter(release).json()["status"] == "COMPLETED"
    assert units(release, who.id) == [(number, "COMPLETED") for number in (1, 2, 3)]
    assert trace(release, who.id) == ["entered", "completed"] * 3


@pytest.mark.parametrize("way", ["left", "expired"])
def test_a_unit_given_back_is_none_of_them(world: World, clock: Any, way: str) -> None:
    release, who = world.release(inventory=2, claim_seconds=60, max_per_consumer=2), world.consumer()
    claim(release, who)
    move(world, release, "complete", who)
    for _ in range(2):
        clock.shift(1)
        claim(release, who)
        GIVES_BACK[way](world, release, who, clock)
        expected = {"left": "LEFT", "expired": "DENIED"}[way]
        assert who.status(release).json()["status"] == expected
        tasks.expire_admissions()
        assert who.status(release).json()["status"] == expected  # written down, it is the same
        if way == "left":
            assert who.leave(release).json()["status"] == "LEFT"
    claim(release, who)
    move(world, release, "complete", who)
    assert who.enter(release).json()["status"] == "COMPLETED"
    over = {"left": "LEFT", "expired": "ADMISSION_EXPIRED"}[way]
    assert units(release, who.id) == [(1, "COMPLETED"), (2, over), (2, over), (2, "COMPLETED")]
    require_true_stock(release)


def test_after_a_denial_there_is_none(world: World, clock: Any) -> None:
    release, who = world.release(inventory=5, max_per_consumer=3), world.consumer()
    claim(release, who)
    move(world, release, "complete", who)
    claim(release, who)
    move(world, release, "deny", who)
    assert who.enter(release).json()["status"] == "DENIED"
    assert who.status(release).json()["status"] == "DENIED"
    assert units(release, who.id) == [(1, "COMPLETED"), (2, "ADMIN_ACTION")]
    assert require_true_stock(release).taken == 1


def test_the_limit_changes_under_way(world: World, clock: Any) -> None:
    release, who = world.release(inventory=9, max_per_consumer=2), world.consumer()
    for _ in range(2):
        claim(release, who)
        move(world, release, "complete", who)
    rows = TimedRelease.objects.filter(pk=release.pk)
    rows.update(max_per_consumer=1)
    assert who.enter(release).json()["status"] == "COMPLETED"
    rows.update(max_per_consumer=3)
    claim(release, who)
    rows.update(max_per_consumer=1)
    assert claim(release, who)  # the one they have
    assert who.leave(release).json()["status"] == "LEFT"
    assert who.enter(release).json()["status"] == "COMPLETED"
    assert units(release, who.id) == [(1, "COMPLETED"), (2, "COMPLETED"), (3, "LEFT")]
    require_true_stock(release)


def test_a_further_unit_that_redis_missed(world: World, clock: Any) -> None:
    """What Redis holds as completed is not the last word where one may have several."""
    release, who = world.release(inventory=3, max_per_consumer=2), world.consumer()
    claim(release, who)
    move(world, release, "complete", who)
    with redis_away():
        entered = claim(release, who)
    assert who.status(release).json() == entered
