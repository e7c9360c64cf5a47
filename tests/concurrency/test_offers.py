"""Offers under many hands: each place is offered once, and claimed or passed on until all are sold."""

import random
from collections import Counter
from typing import Any

import pytest
from django.db.models import QuerySet

from consumers.models import Consumer, Message, Redemption
from distributions import offering
from distributions.core import lifecycle
from distributions.core.models import Distribution, Participation, Status
from distributions.timed_releases import rules as releases
from distributions.waitlists import rules
from distributions.waitlists.models import Notice, Waitlist
from fanfare import clock as time
from fanfare import errors
from tests.concurrency.race import race
from tests.lines import make_consumers
from tests.releases import require_true_stock
from tests.waitlists import offering as make_offering
from tests.waitlists import outcomes, told
from tests.world import World, make_release

WORKERS = 8
UNITS, PEOPLE = 12, 40


def make_members(world: World, number: int) -> list[str]:
    """So many who can be reached; their ids."""
    ids = make_consumers(world, number)
    for one in ids:
        Consumer.objects.filter(pk=one).update(is_guest=False, email=f"{one.lower()}@example.com")
    return ids


def wait(waitlist: Distribution, *ids: str) -> None:
    for one in ids:
        rules.enter(waitlist, one, now=time.now(), actor=f"consumer:{one}", fingerprint=None)


def work(waitlist: Distribution) -> None:
    """All workers at once."""
    race(WORKERS, lambda _: offering.run(waitlist.pk, now=time.now())).all()


def holds_an_offer(one: str) -> Notice | None:
    return Notice.objects.filter(participation__consumer=one, outcome="open").first()


def claim(release: Distribution, one: str) -> str:
    """Use the code and enter, as the API does; how it went."""
    notice = holds_an_offer(one)
    if notice is None:
        return "none"
    Redemption.objects.get_or_create(
        access_code=notice.access_code, consumer_id=one, defaults={"redeemed_at": time.now()}
    )
    try:
        releases.enter(release, one, now=time.now(), actor=f"consumer:{one}", fingerprint=None)
    except errors.SoldOut:
        return "sold out"
    return "claimed"


def test_many_workers_offer_each_place_once(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    make_release(way, inventory=UNITS)
    people = make_members(world, PEOPLE)
    wait(waitlist, *people)
    for _ in range(3):
        work(waitlist)
    assert told(waitlist) == people[:UNITS]
    assert Message.objects.count() == UNITS


@pytest.mark.parametrize("seed", range(3))
def test_all_is_sold_in_the_end_and_nobody_is_offered_what_is_not_there(
    world: World, clock: Any, seed: int
) -> None:
    """Some claim, some don't, some let the claim end, some leave, all at once with the workers; whoever holds
    an offer and comes in time has a unit.
    """
    chance = random.Random(seed)
    waitlist, way = make_offering(world, seconds=60)
    release = make_release(way, inventory=UNITS, claim_seconds=20)
    people = make_members(world, PEOPLE)
    wait(waitlist, *people)
    plan = {one: chance.choice(["buys", "buys", "ignores", "lets it end", "leaves"]) for one in people}
    found: Counter[str] = Counter()

    def live(one: str) -> str:
        if plan[one] == "leaves" and holds_an_offer(one) is not None:
            rules.leave(waitlist, one, now=time.now(), actor=f"consumer:{one}")
            return "left"
        if plan[one] in ("ignores", "leaves"):
            return plan[one]
        how = claim(release, one)
        if how == "claimed" and plan[one] == "buys":
            lifecycle.complete(release, one, now=time.now(), actor="key:1")
        return how

    for _ in range(60):
        open_to = [one for one in people if holds_an_offer(one) is not None]

        def step(number: int, holders: list[str] = open_to) -> str:
            if number < 3:
                offering.run(waitlist.pk, now=time.now())
                return "worked"
            return live(holders[number - 3])

        found.update(race(3 + len(open_to), step).all())
        assert require_true_stock(release).taken <= UNITS
        clock.shift(7)
        for distribution, ids in lifecycle.expired(time.now()).items():
            lifecycle.expire(distribution, ids, now=time.now())
    assert found["sold out"] == 0
    buyers = [one for one in people if plan[one] == "buys"]
    bought = Participation.objects.filter(distribution=release, status=Status.COMPLETED)
    assert bought.count() == min(UNITS, len(buyers))
    assert max(Counter(told(waitlist)).values()) == 1
    # In order: whoever bought was offered before any who bought not for want of an offer.
    assert sorted(bought.values_list("consumer_id", flat=True)) == sorted(buyers[:UNITS])
    assert set(outcomes(waitlist)) <= {"open", "claimed", "lapsed"}


def test_without_the_lock_a_place_is_offered_twice(world: World, clock: Any, monkeypatch: Any) -> None:
    """The control: were the waitlist's row not locked, workers at once would offer what one has offered."""
    waitlist, way = make_offering(world)
    make_release(way, inventory=3)
    wait(waitlist, *make_members(world, PEOPLE))
    lock = QuerySet.select_for_update

    def unlocked(self: Any, **options: Any) -> Any:
        return self if self.model is Waitlist else lock(self, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", unlocked)
    outcome = race(WORKERS, lambda _: offering.run(waitlist.pk, now=time.now()))
    assert outcome.errors or len(told(waitlist)) > 3
