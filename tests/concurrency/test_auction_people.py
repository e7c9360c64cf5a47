"""People sign in, are erased, settings change and it ends, all while everybody bids: nobody waits forever."""

import random
from contextlib import suppress
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from consumers.models import Consumer
from distributions import tasks
from distributions.auctions import steering
from distributions.auctions.models import Bid, Bidder
from distributions.auctions.setup import SETTINGS
from distributions.core.models import LIVE, Distribution, Participation
from experiences.models import Event
from fanfare import clock as time
from fanfare import errors
from tests import lines
from tests.concurrency import bidders
from tests.concurrency.race import race
from tests.concurrency.test_erasing import erase
from tests.concurrency.test_merging import signing_in
from tests.world import ConsumerClient, World

BY = "staff:1"
ROUNDS = 4


def require_sound(*auctions: Distribution) -> None:
    """One bidder a person, nothing of theirs anywhere else, and the price of what counts."""
    for auction in auctions:
        bidders.require_true_rows(auction)
        bidders.require_price(auction)
        lines.require_true_tally(auction)
        live = Participation.objects.filter(distribution=auction, status__in=LIVE)
        people = list(live.values_list("consumer_id", flat=True))
        assert len(people) == len(set(people))
        merged = Consumer.objects.exclude(merged_into=None)
        assert not live.filter(consumer__in=merged).exists()
        assert not Bid.objects.filter(auction=auction.pk, consumer__in=merged).exists()


def bid_often(browser: ConsumerClient, auctions: list[Distribution], seed: int, each: int = 6) -> list[Any]:
    chance, answers = random.Random(seed), []
    for _ in range(each):
        auction = chance.choice(auctions)
        amount, maximum = bidders.next_amount(auction, chance)
        money = [None if one is None else f"{one // 100}.{one % 100:02}" for one in (amount, maximum)]
        answers.append(browser.bid(auction, *money))
    return answers


def codes(answers: list[Any]) -> set[int]:
    """A 500 or 503 would be a deadlock."""
    return {one.status_code for one in answers}


@pytest.mark.parametrize("_", range(ROUNDS))
def test_a_guest_signs_in_while_both_bid(world: World, _: int) -> None:
    """In two auctions, by two devices; every bid that was answered with 200 counts for the person."""
    auctions = [world.auction(starting=100, increment=7, ends_in=3600) for _ in range(2)]
    member, guest, rival = world.member(subject="4711"), world.consumer(), world.consumer()
    for auction in auctions:
        guest.bid(auction, "1.00", "90.00")
    sign_in = signing_in(world, guest)
    jobs = [(guest, 1), (guest, 2), (member, 3), (member, 4), (rival, 5)]

    def act(index: int) -> list[Any]:
        if index == len(jobs):
            return [sign_in()]
        browser, seed = jobs[index]
        return bid_often(browser, auctions, seed)

    answers = race(len(jobs) + 1, act).all()
    assert codes(answers[-1]) == {200}
    assert codes([one for many in answers[:2] for one in many]) <= {200, 400, 401}
    assert codes([one for many in answers[2:5] for one in many]) <= {200, 400}
    require_sound(*auctions)
    good = sum(one.status_code == 200 for many in answers[:5] for one in many) + 2
    ids = [auction.pk for auction in auctions]
    held = Event.objects.filter(distribution_id__in=ids, data__merged=True)  # so that no price fell
    assert sum(len(bidders.accepted(auction)) for auction in auctions) == good + held.count()
    for auction in auctions:  # nothing was taken back, the guest's proxy least of all
        bidder = Bidder.objects.get(
            auction=auction.pk, participation__consumer=member.id, participation__status="QUEUED"
        )
        assert (bidder.maximum or 0) >= 9_000


def test_guests_become_one_person_at_once_while_it_ends(world: World) -> None:
    for number in range(ROUNDS):
        auctions = [world.auction(starting=100, increment=7, winner_count=2) for _ in range(2)]
        guests = [world.consumer() for _ in range(3)]
        for turn, guest in enumerate(guests):
            for auction in auctions if turn % 2 else auctions[::-1]:
                guest.bid(auction, f"{1 + turn}.00", f"{20 + turn}.00")
        ways = [signing_in(world, guest, f"person-{number}") for guest in guests]

        def act(index: int, ways: Any = ways, auctions: Any = auctions) -> Any:
            if index < 3:
                return ways[index]()
            return steering.close_now(auctions[index - 3].pk, actor=BY)

        outcome = race(5, act).all()
        assert codes(outcome[:3]) == {200}, [answer.content for answer in outcome[:3]]
        (person,) = {answer.json()["session"]["consumerId"] for answer in outcome[:3]}
        for auction in auctions:
            live = Participation.objects.filter(distribution=auction, status__in=LIVE)
            assert [row.consumer_id for row in live] == [person]
            assert live.get().status == "ADMITTED", "Whoever won before or after, the person has a place."
            assert lines.require_true_tally(auction).inside == 1


def test_bidders_are_erased_while_all_bid(world: World) -> None:
    for number in range(ROUNDS):
        auctions = [world.auction(starting=100, increment=7, ends_in=3600) for _ in range(2)]
        crowd = [world.member(subject=f"s-{number}-{index}") for index in range(4)]
        for auction in auctions:
            crowd[0].bid(auction, "1.00", "90.00")  # the leader goes

        def act(index: int, crowd: Any = crowd, auctions: Any = auctions) -> list[Any]:
            if index == 4:
                return [erase(crowd[0].id)]  # type: ignore[func-returns-value]
            return bid_often(crowd[index], auctions, index)

        answers = race(5, act).all()[:4]
        assert codes(answers[0]) <= {200, 400, 401, 409}
        assert codes([one for many in answers[1:] for one in many]) <= {200, 400}
        require_sound(*auctions)
        for auction in auctions:
            row = Participation.objects.get(distribution=auction, consumer=crowd[0].id)
            assert (row.status, row.deny_reason) == ("DENIED", "ADMIN_ACTION")
            steering.close_now(auction.pk, actor=BY)
            assert crowd[0].id not in bidders.winners(auction)


def test_settings_change_while_the_first_bids_come(world: World) -> None:
    """Either the bid was decided by the new terms, or the terms stay as they were announced."""
    for _ in range(2 * ROUNDS):
        auction, people = world.auction(starting=100, increment=7), lines.make_consumers(world, 4)

        def act(index: int, auction: Distribution = auction, people: list[str] = people) -> Any:
            if index < 4:
                return bidders.try_bid(auction, people[index], 150)
            try:
                values = {"starting_price": 200, "claim_seconds": 60 + index}
                return SETTINGS.update(lines.fresh(auction), values, now=time.now(), actor=BY)
            except ValidationError:
                return None

        outcome = race(6, act).all()
        has = bidders.stored(auction)
        is_changed = any(outcome[4:])
        taken = [one.code for one in outcome[:4]].count("")
        assert (has.starting_price, taken) in ([(200, 0)] if is_changed else [(100, 1)])
        bidders.require_true_rows(auction, 4)


def void_two(auction: Distribution) -> None:
    for row in bidders.accepted(auction)[:2]:
        with suppress(errors.IllegalMove):
            steering.void(row.pk, reason="A slip", actor=BY)


def beat(_: Distribution) -> None:
    for _turn in range(6):
        tasks.expire_admissions()
        tasks.tick_auctions()


def rename(auction: Distribution) -> None:
    SETTINGS.update(lines.fresh(auction), {"name": "Lot 2"}, now=time.now(), actor=BY)


def bid_and_buy(auction: Distribution, person: str, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(8):
        bidders.try_bid(auction, person, *bidders.next_amount(auction, chance))
    bidders.try_bid(auction, person, 50_000)


@pytest.mark.parametrize("_", range(2))
def test_everything_at_once(world: World, _: int) -> None:
    """Bids, purchases, denials, voids, mergers, settings, settlement, second chances: none waits forever."""
    terms = {"winner_count": 3, "buy_now_price": 50_000, "claim_seconds": 1, "second_chance": True}
    auction = world.auction(starting=100, increment=7, **terms)
    people, guest = lines.make_consumers(world, 6), world.consumer()
    guest.bid(auction, "1.00", "80.00")
    sign_in = signing_in(world, guest)
    denied = {"consumerId": people[0], "reason": "FRAUD_DETECTED"}
    deeds = [void_two, beat, beat, rename]

    def act(index: int) -> Any:
        if index < 6:
            return bid_and_buy(auction, people[index], index)
        if index < 10:
            return deeds[index - 6](auction)
        return sign_in() if index == 10 else world.server().post(f"/auctions/{auction.pk}/deny", denied)

    answers = race(12, act).all()[10:]
    assert codes(answers) <= {200, 404}  # who has not bid yet can't be denied
    tally = lines.require_true_tally(auction)
    assert tally.admitted - tally.returned <= 3
    bidders.require_true_rows(auction)
