"""`GET /draws/:id/status`: how one stands, from the entry to the end, whatever Redis knows."""

import datetime as dt
from contextlib import nullcontext
from typing import Any

import pytest
from django.conf import settings

from distributions import tasks
from distributions.core import catalog, lifecycle, live
from distributions.core.models import Distribution, Participation
from distributions.core.standing import Standing
from distributions.draws import beacon
from fanfare import clock as time
from fanfare import redis
from tests.api.lots import by_order, drawn, enter_all, freeze_and_draw, how, move, without_advice
from tests.api.servers import redis_away
from tests.world import ConsumerClient, World, assert_error, make_world

WAITS, WON, LOST = ("QUEUED", "ENTERED", None), ("ADMITTED", "WON", None), ("DENIED", "LOST", "NOT_SELECTED")


# --- How one stands -------------------------------------------------------------------------------
def test_how_each_one_stands_until_the_draw(world: World, clock: Any) -> None:
    draw = world.draw(claim_seconds=600)
    left, denied, *others = people = enter_all(world, draw, 4)
    assert {how(one.status(draw)) for one in people} == {WAITS}
    clock.shift(10)
    left.leave(draw)
    move(world, draw, "deny", denied.id, reason="FRAUD_DETECTED")
    out = [("LEFT", None, None), ("DENIED", "LOST", "FRAUD_DETECTED")]
    for stage in ("open", "closed", "frozen"):
        if stage == "closed":
            clock.shift(50)
        if stage == "frozen":
            tasks.freeze_draw(draw.pk)
        assert [how(one.status(draw)) for one in people] == [*out, WAITS, WAITS]
    move(world, draw, "deny", others[0].id, reason="Not this time, sorry.")
    out.append(("DENIED", "LOST", "Not this time, sorry."))
    assert [how(one.status(draw)) for one in people] == [*out, WAITS]


ENTERED, MOVED, ENDS = "2026-12-01T09:00:00Z", "2026-12-01T09:01:00Z", "2026-12-01T09:11:00Z"


def told_to(people: list[ConsumerClient], draw: Distribution, redis_is: str) -> dict[str, dict[str, Any]]:
    """The whole status of each, while Redis is so."""
    if redis_is == "flushed":
        redis.client().flushdb()
    with redis_away() if redis_is == "away" else nullcontext():
        return {one.id: without_advice(one.status(draw)) for one in people}


@pytest.mark.parametrize("redis_is", ["there", "flushed", "away"])
def test_how_each_one_stands_when_all_is_drawn(world: World, clock: Any, redis_is: str) -> None:
    draw = world.draw(winner_count=1, claim_seconds=600)
    left, denied, late, *others = people = enter_all(world, draw, 6)
    common = {one.id: {"consumerId": one.id, "drawId": draw.pk, "enteredAt": ENTERED} for one in people}
    proved = {
        one.id: {"entryNumber": number, "receipt": one.status(draw).json()["receipt"]}
        for number, one in enumerate(people, start=1)
    }
    left.leave(draw)
    move(world, draw, "deny", denied.id, reason="FRAUD_DETECTED")
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    move(world, draw, "deny", late.id, reason="Not this time, sorry.")
    tasks.run_draw(draw.pk)
    winner, *alternates = [one for one in by_order(world, draw, people) if one in others]

    told = told_to(people, draw, redis_is)
    assert told[winner.id].pop("admissionToken").count(".") == 2
    won = {"status": "ADMITTED", "drawStatus": "WON", "admittedAt": MOVED, "expiresAt": ENDS}
    assert told[winner.id] == common[winner.id] | proved[winner.id] | won
    assert len(alternates) == 2
    for one in alternates:
        waits = {"status": "QUEUED", "drawStatus": "ENTERED"}
        assert told[one.id] == common[one.id] | proved[one.id] | waits
    for one, reason in ((denied, "FRAUD_DETECTED"), (late, "Not this time, sorry.")):
        turned_away = {"status": "DENIED", "drawStatus": "LOST", "denyReason": reason}
        assert told[one.id] == common[one.id] | proved[one.id] | turned_away
    assert told[left.id] == common[left.id] | {"status": "LEFT"}


def test_when_every_place_is_used_nobody_waits_any_more(world: World, clock: Any) -> None:
    draw, (winner, *others) = drawn(world, 3, winner_count=1, claim_seconds=600)
    before = without_advice(winner.status(draw))
    clock.shift(60)
    answer = move(world, draw, "complete", winner.id)
    kept = {name: value for name, value in before.items() if name not in ("admissionToken", "expiresAt")}
    done = kept | {"status": "COMPLETED", "completedAt": MOVED}
    assert answer.json() == winner.status(draw).json() == done
    assert [how(one.status(draw)) for one in others] == [LOST, LOST]


@pytest.mark.parametrize("alternates", [True, False])
def test_a_loser_is_told_at_once_where_no_place_is_passed_on(
    world: World, clock: Any, alternates: bool
) -> None:
    lasts = None if alternates else 600  # alternates without an end of claiming wait for nothing
    draw = world.draw(winner_count=2, alternates=alternates, claim_seconds=lasts)
    people = enter_all(world, draw, 5)
    before = {one.id: without_advice(one.status(draw)) for one in people}
    clock.shift(60)
    freeze_and_draw(draw)
    for number, one in enumerate(by_order(world, draw, people)):
        body = one.status(draw).json()
        assert how(one.status(draw)) == (WON if number < 2 else LOST)
        assert body["receipt"] == before[one.id]["receipt"]
        assert ("admissionToken" in body) == ("admittedAt" in body) == (number < 2)
        assert "pollAfterSeconds" not in body
    assert set(Participation.objects.values_list("status", flat=True)) == {"ADMITTED", "QUEUED"}


def test_more_places_than_entries(world: World, clock: Any) -> None:
    draw, people = drawn(world, 2, winner_count=5, claim_seconds=60)
    assert {how(one.status(draw)) for one in people} == {WON}


def test_a_draw_that_nobody_entered(world: World, clock: Any) -> None:
    draw = world.draw()
    clock.shift(60)
    freeze_and_draw(draw)
    shown = world.shop_front().get(f"/draws/{draw.pk}").json()
    assert (shown["status"], shown["entrantCount"]) == ("DRAWN", 0)
    assert_error(world.consumer().status(draw), 404, "Consumer not in draw", "CONSUMER_NOT_IN_DRAW")


def test_a_place_that_is_not_claimed_in_time_is_over_and_the_next_ones(world: World, clock: Any) -> None:
    draw, (first, second, third) = drawn(world, 3, winner_count=1, claim_seconds=60)
    clock.shift(59.999)
    tasks.expire_admissions()
    tasks.tick_draws()
    assert [how(one.status(draw)) for one in (first, second, third)] == [WON, WAITS, WAITS]
    clock.shift(0.001)
    over = ("DENIED", "WON", "ADMISSION_EXPIRED")
    assert [how(one.status(draw)) for one in (first, second, third)] == [over, WAITS, WAITS]  # no sweep yet
    tasks.expire_admissions()
    tasks.tick_draws()
    assert [how(one.status(draw)) for one in (first, second, third)] == [over, WON, WAITS]
    body = second.status(draw).json()
    assert (body["admittedAt"], body["expiresAt"]) == ("2026-12-01T09:01:00Z", "2026-12-01T09:02:00Z")
    assert "admissionToken" not in first.status(draw).json()


def test_alternates_have_lost_when_the_draw_ends(world: World, clock: Any) -> None:
    end = time.now().replace(minute=5)
    draw, (first, second) = drawn(world, 2, claim_seconds=600, end_at=end)
    clock.move_to(end.replace(minute=4, second=59))
    assert [how(one.status(draw)) for one in (first, second)] == [WON, WAITS]
    clock.move_to(end)
    first.leave(draw)
    tasks.tick_draws()  # no place is given any more; those given last may not be seen yet
    assert how(second.status(draw)) == WAITS
    clock.move_to(end + dt.timedelta(seconds=2))
    assert how(second.status(draw)) == LOST


def test_where_losers_go_on_is_told_to_them_alone(world: World, clock: Any) -> None:
    queue = world.queue()
    draw, (first, second) = drawn(world, 2, fall_through=queue)
    assert second.status(draw).json()["next"] == {"kind": "queue", "id": queue.pk}
    assert "next" not in first.status(draw).json()
    tasks.tick_draws()
    assert second.status(queue).json()["position"] == 1
    assert how(second.status(draw)) == LOST
    assert_error(first.status(queue), 404, "Consumer not in queue")


@pytest.mark.parametrize(
    ("seconds_before", "least", "most"),
    [(1800, 30, 30), (38, 30, 30), (20, 16, 24), (5, 4, 6), (1, 2, 2), (0, 2, 2), (-300, 2, 2)],
)
def test_the_poll_advice_nears_the_draw_within_bounds(
    world: World, clock: Any, seconds_before: float, least: int, most: int
) -> None:
    draw = world.draw(draws_in=1800)
    (guest,) = enter_all(world, draw, 1)
    clock.shift(1800 - seconds_before)
    told = {guest.status(draw).json()["pollAfterSeconds"] for _ in range(30)}
    assert least <= min(told) <= max(told) <= most
    assert (len(told) > 1) == (most > least)


@pytest.mark.parametrize(("seconds", "least", "most"), [(0, 30, 30), (79, 16, 24), (98, 2, 2), (200, 2, 2)])
def test_while_it_waits_for_its_beacon_the_advice_nears_that(
    world: World, clock: Any, seconds: float, least: int, most: int
) -> None:
    """The round is due 99 seconds after entries close; later it may come at any moment."""
    number = beacon.CHAINS[beacon.QUICKNET].first_after(time.now() + dt.timedelta(seconds=157))
    named = {"source": "drand", "chain": beacon.QUICKNET, "round": number}
    assert beacon.CHAINS[beacon.QUICKNET].time_of(number) == time.now() + dt.timedelta(seconds=159)
    draw = world.draw(draws_in=60, beacon=named)
    (guest,) = enter_all(world, draw, 1)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    clock.shift(seconds)
    told = {guest.status(draw).json()["pollAfterSeconds"] for _ in range(30)}
    assert least <= min(told) <= max(told) <= most


def test_alternates_ask_seldom(world: World, clock: Any) -> None:
    draw, (_, alternate) = drawn(world, 2, claim_seconds=600)
    told = {alternate.status(draw).json()["pollAfterSeconds"] for _ in range(30)}
    assert 24 <= min(told) < max(told) == 30


def test_one_who_never_entered_and_another_tenants_draw(world: World) -> None:
    assert_error(world.consumer().status(world.draw()), 404, "Consumer not in draw", "CONSUMER_NOT_IN_DRAW")
    stranger = make_world()
    foreign, guest, visitor = stranger.draw(), world.consumer(), stranger.consumer()
    visitor.enter(foreign)
    unknown = "/draws/draw_00000000000000000000000000"
    for path in ("", "/status", "/proof", "/proof/file"):
        theirs = guest.get(f"/draws/{foreign.pk}{path}", **{"X-Request-Id": "same"})
        nobodys = guest.get(f"{unknown}{path}", **{"X-Request-Id": "same"})
        assert_error(theirs, 404, "Draw not found")
        assert theirs.content == nobodys.content
    queue = world.queue()
    assert_error(guest.get(f"/draws/{queue.pk}"), 404, "Draw not found")
    assert_error(guest.get(f"/queues/{world.draw().pk}"), 404, "Queue not found")


# --- A winner is never told anything else ---------------------------------------------------------
def put_back(draw: Distribution, one: ConsumerClient, standing: Standing) -> None:
    """Redis as it was before the draw: as if the worker had died before it told Redis."""
    redis.client().hset(redis.standings(draw.pk), one.id, live.encode(standing))


def standings_of(draw: Distribution, people: list[ConsumerClient]) -> dict[str, Standing]:
    return {one.id: lifecycle.latest(draw, one.id) for one in people}


@pytest.mark.parametrize("claim_seconds", [None, 600])
@pytest.mark.parametrize("redis_is", ["told", "behind", "flushed", "away"])
def test_whatever_redis_knows_a_winner_has_won_and_a_loser_lost(
    world: World, clock: Any, redis_is: str, claim_seconds: int | None
) -> None:
    draw = world.draw(winner_count=2, claim_seconds=claim_seconds)
    people = enter_all(world, draw, 5)
    before = standings_of(draw, people)
    clock.shift(60)
    freeze_and_draw(draw)
    in_order = by_order(world, draw, people)
    expected = [WON, WON, *[WAITS if claim_seconds else LOST] * 3]
    if redis_is == "behind":
        for one in people:
            put_back(draw, one, before[one.id])
    if redis_is == "flushed":
        redis.client().flushdb()
    for _ in range(2):
        with redis_away() if redis_is == "away" else nullcontext():
            assert [how(one.status(draw)) for one in in_order] == expected
    assert [one.status(draw).json()["receipt"]["entryNumber"] for one in in_order] == [
        people.index(one) + 1 for one in in_order
    ]


@pytest.mark.parametrize("redis_is", ["told", "behind", "flushed"])
def test_a_process_that_remembers_the_open_draw_tells_nobody_that_they_lost(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch, redis_is: str
) -> None:
    """Another process drew a moment ago; this one sees it up to a second later."""
    draw = world.draw(winner_count=2, claim_seconds=None)
    people = enter_all(world, draw, 5)
    before = standings_of(draw, people)
    clock.shift(60)
    monkeypatch.setattr(settings, "MEMO_SECONDS", 1)
    assert {how(one.status(draw)) for one in people} == {WAITS}  # remembered from now on
    monkeypatch.setattr(catalog, "forget", lambda: None)
    freeze_and_draw(draw)
    if redis_is == "behind":
        for one in people:
            put_back(draw, one, before[one.id])
    if redis_is == "flushed":
        redis.client().flushdb()
    found = {one.id: how(one.status(draw)) for one in people}
    clock.shift(1)
    in_order = by_order(world, draw, people)
    expected = WAITS if redis_is == "behind" else WON
    assert [found[one.id] for one in in_order] == [expected, expected, WAITS, WAITS, WAITS]
    assert [how(one.status(draw)) for one in in_order] == [WON, WON, LOST, LOST, LOST]


@pytest.mark.parametrize("remembers", [True, False])
def test_an_alternate_who_got_a_place_is_never_told_that_they_lost(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch, remembers: bool
) -> None:
    """Redis has not heard, and the process may remember the draw as it was before the place was given."""
    end = time.now().replace(minute=10)
    draw, (_, second, third) = drawn(world, 3, claim_seconds=60, end_at=end)
    before = standings_of(draw, [second, third])
    clock.move_to(end - dt.timedelta(seconds=0.5))
    tasks.expire_admissions()
    monkeypatch.setattr(settings, "MEMO_SECONDS", 1 if remembers else 0)
    assert how(second.status(draw)) == WAITS
    if remembers:
        monkeypatch.setattr(catalog, "forget", lambda: None)
    tasks.tick_draws()
    for one in (second, third):
        put_back(draw, one, before[one.id])
    seen = WAITS if remembers else WON
    assert [how(one.status(draw)) for one in (second, third)] == [seen, WAITS]
    clock.shift(0.9)  # the draw has ended, and what is remembered of it is 0.9 s old
    assert [how(one.status(draw)) for one in (second, third)] == [seen, WAITS]
    clock.move_to(end + dt.timedelta(seconds=2))
    assert [how(one.status(draw)) for one in (second, third)] == [WON, LOST]
