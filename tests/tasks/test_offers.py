"""Free places are offered to those who wait, in order: claimed, or passed on to the next."""

from typing import Any

import pytest

from consumers.models import Redemption
from distributions import offering, tasks
from distributions.core import switches
from distributions.core.models import Distribution
from distributions.timed_releases import rules as releases
from distributions.waitlists.models import Notice, Notification
from experiences.models import AccessCode
from fanfare import clock as time
from tests.waitlists import code_for, come_in, mails, members, news, outcomes, send_all, told, trace, wait
from tests.waitlists import offering as make_offering
from tests.world import ConsumerClient, World, assert_error, make_draw, make_queue, make_release

STAFF = "staff:1"


def tick() -> None:
    """What beat does each second."""
    tasks.expire_admissions()
    tasks.tick_waitlists()


def buys(world: World, who: ConsumerClient, name: str, release: Distribution) -> Any:
    """Come in by the code that was sent, and enter; the answer."""
    come_in(world, who, code_for(name))
    return who.enter(release)


def test_as_many_as_are_free_are_offered_in_order(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    people = members(world, "ada", "bea", "cem")
    release = make_release(way, inventory=2, claim_seconds=300)
    wait(waitlist, *people)
    for _ in range(3):
        tick()
    ada, bea, cem = people
    assert told(waitlist) == [ada.id, bea.id]
    for who in (ada, bea):
        status = who.status(waitlist).json()
        assert (status["isEntered"], status["offerExpiresAt"]) == (True, "2026-12-01T09:10:00Z")
    assert "notifiedAt" not in cem.status(waitlist).json()
    made = Notification.objects.get()
    assert (made.actor, made.limit, made.notified, made.is_offer) == ("system:offers", 2, 2, True)
    assert trace(waitlist, ada.id)[-1] == ("notified", "system:offers")
    assert_error(cem.enter(release), 403, "Access code required")
    send_all()
    assert not mails("cem")
    assert "A place has come free" in mails("ada")[0].body


def test_who_claims_waits_no_more(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    release, (ada, bea) = make_release(way, inventory=1, claim_seconds=300), members(world, "ada", "bea")
    wait(waitlist, ada, bea)
    tick()
    assert buys(world, ada, "ada", release).json()["status"] == "ADMITTED"
    tick()
    assert outcomes(waitlist) == ["claimed"]
    status = ada.status(waitlist).json()
    assert (status["isEntered"], status["offerOutcome"]) == (False, "CLAIMED")
    assert trace(waitlist, ada.id)[-1] == ("left", "system:offers")
    assert ada.enter(release).json()["status"] == "ADMITTED"  # asking again is no second entry
    world.server().post(f"/timed-releases/{release.pk}/complete", {"consumerId": ada.id})
    for _ in range(3):
        clock.shift(10)
        tick()
    assert told(waitlist) == [ada.id]  # sold; bea goes on waiting


def test_an_offer_that_is_not_taken_goes_to_the_next(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world, seconds=60)
    release, (ada, bea) = make_release(way, inventory=1), members(world, "ada", "bea")
    wait(waitlist, ada, bea)
    tick()
    come_in(world, ada, code_for("ada"))  # and goes no further
    clock.shift(59)
    tick()
    assert outcomes(waitlist) == ["open"]
    clock.shift(1)
    tick()
    assert outcomes(waitlist) == ["lapsed"]  # whoever is half way in has some seconds more
    clock.shift(5)
    tick()
    assert (outcomes(waitlist), told(waitlist)) == (["lapsed", "open"], [ada.id, bea.id])
    status = ada.status(waitlist).json()
    assert (status["isEntered"], status["offerOutcome"]) == (False, "LAPSED")
    assert_error(ada.enter(release), 403, "Access code required")
    assert come_in(world, ada, code_for("ada")).json()["sequenceId"] == world.sequence.pk
    assert (AccessCode.objects.filter(revoked_at=None).count(), Redemption.objects.count()) == (1, 0)
    assert buys(world, bea, "bea", release).json()["status"] == "ADMITTED"
    wait(waitlist, ada)  # again, at the end
    tick()
    assert outcomes(waitlist) == ["lapsed", "claimed"]
    assert "offerExpiresAt" not in ada.status(waitlist).json()
    ada.leave(waitlist)
    assert "offerOutcome" not in ada.status(waitlist).json()  # by themselves, this time


def test_who_was_half_way_in_keeps_the_place(world: World, clock: Any) -> None:
    """Entered after the offer was ended, on conditions that were looked at before."""
    waitlist, way = make_offering(world, seconds=60)
    release, (ada, bea) = make_release(way, inventory=1), members(world, "ada", "bea")
    wait(waitlist, ada, bea)
    tick()
    clock.shift(60)
    tick()
    releases.enter(release, ada.id, now=time.now(), actor=f"consumer:{ada.id}", fingerprint=None)
    for _ in range(3):
        clock.shift(5)
        tick()
    assert told(waitlist) == [ada.id]


def test_a_claim_that_ends_is_offered_to_the_next(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world, seconds=600)
    release, (ada, bea) = make_release(way, inventory=1, claim_seconds=60), members(world, "ada", "bea")
    wait(waitlist, ada, bea)
    tick()
    buys(world, ada, "ada", release)
    tick()
    clock.shift(60)
    tick()
    assert told(waitlist) == [ada.id, bea.id]
    assert_error(ada.enter(release), 403, "Access code required")  # the offer was of one claim
    assert buys(world, bea, "bea", release).json()["status"] == "ADMITTED"


def test_who_gives_the_unit_back_makes_room(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    release, (ada, bea) = make_release(way, inventory=1), members(world, "ada", "bea")
    wait(waitlist, ada, bea)
    tick()
    buys(world, ada, "ada", release)
    tick()
    ada.leave(release)
    tick()
    assert told(waitlist) == [ada.id, bea.id]


def test_an_offer_is_of_one_place_though_nobody_else_waits(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    release, (ada,) = make_release(way, inventory=1), members(world, "ada")
    wait(waitlist, ada)
    tick()
    buys(world, ada, "ada", release)
    tick()
    assert outcomes(waitlist) == ["claimed"]
    ada.leave(release)
    tick()
    assert ada.enter(release).json()["code"] == "ACCESS_CODE_REQUIRED"
    assert offering.due() == []


def test_who_leaves_the_list_gives_the_offer_up(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    make_release(way, inventory=1)
    ada, bea = members(world, "ada", "bea")
    wait(waitlist, ada, bea)
    tick()
    ada.leave(waitlist)
    tick()
    assert outcomes(waitlist) == ["lapsed"]
    clock.shift(5)
    tick()
    assert told(waitlist) == [ada.id, bea.id]
    assert come_in(world, ada, code_for("ada")).json()["sequenceId"] == world.sequence.pk


def test_who_can_not_be_reached_is_offered_nothing(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    make_release(way, inventory=5)
    nameless, (ada,) = world.member(subject="4711"), members(world, "ada")
    wait(waitlist, nameless, ada)
    tick()
    assert told(waitlist) == [ada.id]
    assert_error(world.consumer().enter(waitlist), 403, "Sign-in required")


def test_news_from_staff_is_no_offer(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    (ada,) = members(world, "ada")
    wait(waitlist, ada)
    notification = news(waitlist, "Soon.")
    assert outcomes(waitlist) == [""]
    make_release(way, inventory=1)
    tick()
    assert (notification.is_offer, outcomes(waitlist)) == (False, ["", "open"])
    clock.shift(60)
    news(waitlist, "More of it soon.")
    status = ada.status(waitlist).json()
    assert (status["notifiedAt"], status["offerExpiresAt"]) == (
        "2026-12-01T09:01:00Z",
        "2026-12-01T09:10:00Z",  # which news take nothing away from
    )


def test_codes_that_staff_hand_out_for_the_same_places_are_offers(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world, seconds=600)
    make_release(way, inventory=2)
    ada, bea, cem = members(world, "ada", "bea", "cem")
    wait(waitlist, bea, cem)
    wait(waitlist, ada, vip=True)
    made = news(
        waitlist, "For you.", sequence=way, code_seconds=60, metadata_name="vip", metadata_value="true"
    )
    assert (made.is_offer, told(waitlist)) == (True, [ada.id])
    tick()
    assert told(waitlist) == [ada.id, bea.id]  # one place is held for ada
    clock.shift(65)
    tick()
    clock.shift(5)
    tick()
    assert outcomes(waitlist) == ["lapsed", "open", "open"]
    assert told(waitlist)[-1] == cem.id


def test_whoever_comes_while_places_are_free_is_offered_one(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    make_release(way)  # any number
    people = members(world, "ada", "bea")
    for one in people:
        wait(waitlist, one)
        tick()
    assert told(waitlist) == [one.id for one in people]
    assert Notification.objects.filter(finished_at=None).count() == 0


# --- What is free ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("queue", "inside", "expected"),
    [
        ({"capacity": 3}, 1, 2),
        ({"max_admissions": 3}, 1, 2),
        ({"max_admissions": 5, "capacity": 2}, 0, 2),
        ({"max_admissions": 1}, 1, 0),
        ({}, 1, 4),
        ({"capacity": 3, "opens_in": 60}, 0, 0),
        ({"capacity": 3, "closes_in": 0}, 0, 0),
    ],
)
def test_what_a_queue_has_left(
    world: World, clock: Any, queue: dict[str, Any], inside: int, expected: int
) -> None:
    waitlist, way = make_offering(world)
    made = make_queue(way, **queue)
    for _ in range(inside):
        guest = world.consumer()
        way.access_codes.create(digest=b"x" * 32, hint="XX")
        Redemption.objects.create(
            access_code=way.access_codes.get(), consumer_id=guest.id, redeemed_at=time.now()
        )
        assert guest.enter(made).status_code == 200
    wait(waitlist, *members(world, "a", "b", "c", "d"))
    tick()
    assert len(told(waitlist)) == expected


def test_places_of_all_that_is_open_are_added_up(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    make_release(way, inventory=1)
    make_queue(way, capacity=1)
    make_draw(way)  # gives its places itself
    held = make_release(way, inventory=5)
    switches.pause(held, now=time.now(), actor=STAFF)
    make_release(world.sequence, inventory=5)  # elsewhere
    wait(waitlist, *members(world, "a", "b", "c", "d"))
    tick()
    assert len(told(waitlist)) == 2


def test_while_it_is_paused_nothing_is_offered_and_offers_still_end(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world, seconds=60)
    make_release(way, inventory=1)
    wait(waitlist, *members(world, "ada", "bea"))
    tick()
    switches.pause(waitlist, now=time.now(), actor=STAFF)
    clock.shift(70)
    tick()
    clock.shift(70)
    tick()
    assert outcomes(waitlist) == ["lapsed"]
    switches.resume(waitlist, now=time.now(), actor=STAFF)
    tick()
    assert outcomes(waitlist) == ["lapsed", "open"]


def test_a_closed_one_offers_until_nobody_waits(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    ada, bea = members(world, "ada", "bea")
    wait(waitlist, ada, bea)
    switches.close(waitlist, now=time.now(), actor=STAFF)
    make_release(way, inventory=2)
    tick()
    assert told(waitlist) == [ada.id, bea.id]


def test_who_is_idle_is_not_looked_at(world: World, clock: Any) -> None:
    waitlist, way = make_offering(world)
    make_release(way, inventory=1)
    assert offering.due() == []
    (ada,) = members(world, "ada")
    wait(waitlist, ada)
    assert offering.due() == [waitlist.pk]
    tick()
    ada.leave(waitlist)
    assert offering.due() == [waitlist.pk]  # the offer is still open
    tick()
    assert offering.due() == []
    assert Notice.objects.get().ended_at == time.now()


def test_a_waitlist_that_only_notifies_offers_nothing(world: World, clock: Any) -> None:
    waitlist, (ada,) = world.waitlist(), members(world, "ada")
    world.release(inventory=5)
    wait(waitlist, ada)
    tick()
    assert (offering.due(), told(waitlist)) == ([], [])
    assert offering.run(waitlist.pk, now=time.now()) == 0
