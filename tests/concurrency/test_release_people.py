"""Signing in, claiming and the shop's moves at once: no deadlock, no unit lost, one claim at most."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from consumers.models import Consumer
from distributions import merging, privacy
from distributions.core.models import Distribution, Participation, Status
from distributions.timed_releases import rules
from fanfare import clock as time
from fanfare import errors
from tests.audits import audited
from tests.concurrency.race import race
from tests.lines import complete, leave, make_consumers
from tests.releases import require_true_stock
from tests.world import World

ROUNDS = 15
REFUSED = (errors.IllegalMove, errors.NotEntered, errors.NotAuthenticated, errors.SoldOut)


def enter(release: Distribution, who: str) -> Any:
    return rules.enter(release, who, now=time.now(), actor=f"consumer:{who}", fingerprint=None)


def merge(guest: str, person: str) -> None:
    with transaction.atomic():
        merging.merge(guest, Consumer.objects.get(pk=person), now=time.now())


def all_at_once(deeds: list[Callable[[], object]]) -> None:
    """Each in a thread of its own; what is refused is no error, and a deadlock is."""

    def run(index: int) -> None:
        try:
            deeds[index]()
        except REFUSED:
            return

    race(len(deeds), run).all()


@pytest.mark.parametrize("limit", [1, 2])
def test_signing_in_while_all_goes_on(world: World, limit: int) -> None:
    """Two releases, a guest and who they turn out to be: tabs of both, the shop, and two sign-ins."""
    releases = [world.release(inventory=500, max_per_consumer=limit) for _ in range(2)]
    for _ in range(ROUNDS):
        guest, person = make_consumers(world, 2)
        Consumer.objects.filter(pk=person).update(is_guest=False)
        for release in releases:
            enter(release, guest)
        enter(releases[0], person)
        deeds: list[Callable[[], object]] = [lambda g=guest, p=person: merge(g, p) for _ in range(2)]  # type: ignore[misc]
        for release in releases:
            for who in (guest, person):
                deeds += [
                    lambda r=release, w=who: enter(r, w),  # type: ignore[misc]
                    lambda r=release, w=who: complete(r, w),  # type: ignore[misc]
                    lambda r=release, w=who: leave(r, w),  # type: ignore[misc]
                ]
        all_at_once(deeds)
        assert Consumer.objects.get(pk=guest).merged_into_id == person
        for release in releases:
            require_true_stock(release)
            rows = Participation.objects.filter(distribution=release)
            assert not rows.filter(consumer_id=guest, status__in=[Status.ADMITTED, Status.COMPLETED]).exists()
            assert rows.filter(consumer_id=person, status=Status.ADMITTED).count() <= 1
            counted = rows.filter(consumer_id=person, status=Status.COMPLETED)
            done = counted.count()
            while enter(release, person).status == Status.ADMITTED:
                complete(release, person)
            assert counted.count() == max(done, limit)
    audited(*releases)


def test_erasing_while_all_goes_on(world: World) -> None:
    release = world.release(inventory=500, max_per_consumer=2)
    for who in make_consumers(world, ROUNDS):
        enter(release, who)
        person = Consumer.objects.get(pk=who)
        deeds: list[Callable[[], object]] = [
            lambda p=person: privacy.erase(p, now=time.now(), actor="staff:1"),  # type: ignore[misc]
            lambda w=who: enter(release, w),  # type: ignore[misc]
            lambda w=who: complete(release, w),  # type: ignore[misc]
            lambda w=who: enter(release, w),  # type: ignore[misc]
        ]
        all_at_once(deeds)
        assert not Participation.objects.filter(consumer_id=who, status=Status.ADMITTED).exists()
        require_true_stock(release)
    audited(release)
