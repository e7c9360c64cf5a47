"""`next`: where to go on when there is nothing left, in a status and in a refusal."""

from typing import Any

import pytest

from distributions import tasks
from distributions.core import following, switches
from distributions.core.models import Distribution
from experiences import setup
from experiences.models import Sequence
from fanfare import clock as time
from tests import draws
from tests.lines import admit
from tests.releases import move
from tests.world import World, assert_error, loaded, make_waitlist

STAFF = "staff:1"


def follow(world: World) -> dict[str, str]:
    """A sequence that follows the world's; how it is told."""
    way = world.sequence_with("later")
    setup.update(world.sequence, {"next": way}, now=time.now(), actor=STAFF)
    return {"kind": "sequence", "id": way.pk}


def close(distribution: Distribution) -> None:
    switches.close(distribution, now=time.now(), actor=STAFF)


def next_of(answer: Any) -> Any:
    return answer.json().get("next")


def lose_queue(world: World, clock: Any) -> tuple[Any, str]:
    queue, guest = world.queue(closes_in=5), world.consumer()
    guest.enter(queue)
    clock.shift(5)
    return guest.status(queue), "QUEUE_CLOSED"


def lose_queue_that_staff_closed(world: World, clock: Any) -> tuple[Any, str]:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    close(queue)
    tasks.close_queue(queue.pk)
    return guest.status(queue), "QUEUE_CLOSED"


def lose_draw(world: World, clock: Any) -> tuple[Any, str]:
    draw, people = world.draw(), [world.consumer() for _ in range(2)]
    for one in people:
        one.enter(draw)
    clock.shift(60)
    order = draws.draw_now(draw)
    loser = people[order[1] - 1]
    clock.shift(5)
    return loser.status(draw), "NOT_SELECTED"


def lose_draw_that_staff_closed(world: World, clock: Any) -> tuple[Any, str]:
    draw, guest = world.draw(), world.consumer()
    guest.enter(draw)
    close(draw)
    return guest.status(draw), "DRAW_CLOSED"


def lose_auction(world: World, clock: Any) -> tuple[Any, str]:
    auction, one, two = world.auction(ends_in=60), world.consumer(), world.consumer()
    one.bid(auction, "100.00")
    two.bid(auction, "200.00")
    clock.shift(60)
    return one.status(auction), "OUTBID"


def lose_by_the_reserve(world: World, clock: Any) -> tuple[Any, str]:
    auction, one = world.auction(ends_in=60, reserve_price=50_000), world.consumer()
    one.bid(auction, "100.00")
    clock.shift(60)
    return one.status(auction), "RESERVE_NOT_MET"


def let_it_end_when_all_is_over(world: World, clock: Any) -> tuple[Any, str]:
    release, guest = world.release(closes_in=30, claim_seconds=60), world.consumer()
    guest.enter(release)
    clock.shift(60)
    return guest.status(release), "ADMISSION_EXPIRED"


LOSSES = [
    lose_queue,
    lose_queue_that_staff_closed,
    lose_draw,
    lose_draw_that_staff_closed,
    lose_auction,
    lose_by_the_reserve,
    let_it_end_when_all_is_over,
]


@pytest.mark.parametrize("lose", LOSSES)
def test_whoever_lost_is_told_what_follows(world: World, clock: Any, lose: Any) -> None:
    expected = follow(world)
    make_waitlist(world.sequence)  # the sequence comes before it
    answer, reason = lose(world, clock)
    assert (answer.json()["status"], answer.json()["denyReason"]) == ("DENIED", reason)
    assert next_of(answer) == expected


@pytest.mark.parametrize("lose", LOSSES)
def test_else_the_sequences_own_waitlist(world: World, clock: Any, lose: Any) -> None:
    waitlist = world.waitlist()
    answer, _ = lose(world, clock)
    assert next_of(answer) == {"kind": "waitlist", "id": waitlist.pk}


@pytest.mark.parametrize("lose", LOSSES)
def test_else_nothing(world: World, clock: Any, lose: Any) -> None:
    make_waitlist(world.sequence_with("elsewhere"))
    answer, _ = lose(world, clock)
    assert "next" not in answer.json()


def test_a_closed_waitlist_does_not_follow(world: World, clock: Any) -> None:
    queue, guest = world.queue(closes_in=5), world.consumer()
    waitlist = world.waitlist(closes_in=10)
    guest.enter(queue)
    clock.shift(5)
    assert next_of(guest.status(queue)) == {"kind": "waitlist", "id": waitlist.pk}
    switches.pause(waitlist, now=time.now(), actor=STAFF)  # one may enter it again later
    assert next_of(guest.status(queue)) == {"kind": "waitlist", "id": waitlist.pk}
    clock.shift(5)
    assert "next" not in guest.status(queue).json()


def test_not_for_whom_somebody_turned_away(world: World, clock: Any) -> None:
    follow(world)
    queue, guest = world.queue(max_entries_per_fingerprint=1), world.consumer()
    guest.enter(queue)
    body = world.consumer().enter(queue).json()
    assert (body["denyReason"], body.get("next")) == ("DEVICE_LIMIT", None)
    answer = world.server().post(
        f"/queues/{queue.pk}/deny", {"consumerId": guest.id, "reason": "NOT_ELIGIBLE"}
    )
    assert "next" not in answer.json()
    assert "next" not in guest.status(queue).json()


def test_not_for_whom_may_enter_again(world: World, clock: Any) -> None:
    follow(world)
    release, guest = world.release(claim_seconds=60), world.consumer()
    guest.enter(release)
    clock.shift(60)
    body = guest.status(release).json()
    assert (body["denyReason"], body.get("next")) == ("ADMISSION_EXPIRED", None)


# --- Refusals -------------------------------------------------------------------------------------
def come_to_a_full_queue(world: World, clock: Any) -> Any:
    queue = world.queue(capacity=1)
    world.consumer().enter(queue)
    return world.consumer().enter(queue), 429, "Queue is full"


def come_to_a_closed_queue(world: World, clock: Any) -> Any:
    return world.consumer().enter(world.queue(closes_in=0)), 400, "Queue is closed"


def come_to_a_full_draw(world: World, clock: Any) -> Any:
    draw = world.draw(capacity=1)
    world.consumer().enter(draw)
    return world.consumer().enter(draw), 429, "Draw is full"


def come_when_it_is_sold_out(world: World, clock: Any) -> Any:
    release = world.release(inventory=1)
    first = world.consumer()
    first.enter(release)
    move(world, release, "complete", first)
    return world.consumer().enter(release), 429, "Timed release is sold out"


def bid_too_late(world: World, clock: Any) -> Any:
    return world.consumer().bid(world.auction(ends_in=0), "100.00"), 400, "Auction is closed"


@pytest.mark.parametrize(
    "come",
    [
        come_to_a_full_queue,
        come_to_a_closed_queue,
        come_to_a_full_draw,
        come_when_it_is_sold_out,
        bid_too_late,
    ],
)
def test_who_comes_too_late_is_told_what_follows(world: World, clock: Any, come: Any) -> None:
    waitlist = world.waitlist()
    answer, status, error = come(world, clock)
    assert assert_error(answer, status, error)["next"] == {"kind": "waitlist", "id": waitlist.pk}
    expected = follow(world)
    answer, status, error = come(world, clock)
    assert assert_error(answer, status, error)["next"] == expected


def test_a_full_waitlist_is_followed_by_the_next_sequence(world: World, clock: Any) -> None:
    waitlist = world.waitlist(capacity=1)
    world.consumer().enter(waitlist)
    assert "next" not in world.consumer().enter(waitlist).json()
    expected = follow(world)
    assert next_of(world.consumer().enter(waitlist)) == expected


def test_who_is_to_try_again_is_sent_nowhere(world: World, clock: Any) -> None:
    follow(world)
    queue = world.queue()
    switches.pause(queue, now=time.now(), actor=STAFF)
    assert "next" not in assert_error(world.consumer().enter(queue), 400, "Queue is closed", "QUEUE_PAUSED")
    assert "next" not in world.consumer().enter(world.queue(opens_in=60)).json()
    assert "next" not in world.consumer().enter(world.queue(supports_guest=False)).json()
    assert "next" not in world.server().post(f"/queues/{queue.pk}/admit", {"consumerId": "x"}).json()


def test_who_waits_or_is_inside_costs_no_question(world: World, clock: Any, monkeypatch: Any) -> None:
    """Nobody looks for what follows before there is somebody who needs it."""
    asked: list[str] = []
    load = following._memo._load

    def counted(key: str) -> Any:
        asked.append(key)
        return load(key)

    monkeypatch.setattr(following._memo, "_load", counted)
    waitlist, queue, waiting, inside = world.waitlist(), world.queue(), world.consumer(), world.consumer()
    for one in (waiting, inside):
        one.enter(queue)
    admit(queue, inside.id)
    assert [one.status(queue).json()["status"] for one in (waiting, inside)] == ["QUEUED", "ADMITTED"]
    assert asked == []
    close(queue)
    assert next_of(waiting.status(queue)) == {"kind": "waitlist", "id": waitlist.pk}
    assert asked == [world.sequence.pk]


# --- Settings -------------------------------------------------------------------------------------
def test_an_experience_shows_what_follows(world: World, clock: Any) -> None:
    expected = follow(world)
    body = world.shop_front().get(f"/experiences/{world.sequence.experience_id}").json()
    assert [sequence["next"] for sequence in body["sequences"]] == [expected["id"], None]


def test_what_follows_is_another_of_the_same_experience(world: World, clock: Any) -> None:
    elsewhere: Sequence = world.sequence_in("club")
    for wrong in (world.sequence, elsewhere):
        with pytest.raises(Exception, match="another sequence of the same experience"):
            setup.update(world.sequence, {"next": wrong}, now=time.now(), actor=STAFF)
        world.sequence.refresh_from_db()
    assert world.sequence.next is None


def test_without_the_sequence_that_followed(world: World, clock: Any) -> None:
    expected = follow(world)
    Sequence.objects.get(pk=expected["id"]).delete()
    waitlist, queue = world.waitlist(), world.queue(closes_in=0)
    assert next_of(world.consumer().enter(queue)) == {"kind": "waitlist", "id": waitlist.pk}
    assert loaded(queue).sequence.next is None
