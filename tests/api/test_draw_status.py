"""`GET /draws/:id` and `GET /draws/:id/status`: what anyone may see, and how one stands."""

import datetime as dt
from typing import Any

import pytest
from django.conf import settings

from distributions import tasks
from distributions.core import catalog, lifecycle, live, switches
from distributions.core.models import Distribution, Participation
from distributions.core.standing import Standing
from distributions.draws.models import Draw
from fanfare import clock as time
from fanfare import redis
from tests.api.lots import by_order, drawn, enter_all, freeze_and_draw, how, move, without_advice
from tests.api.servers import redis_away
from tests.world import ConsumerClient, World, assert_error, make_draw, make_world

WAITS, WON, LOST = ("QUEUED", "ENTERED", None), ("ADMITTED", "WON", None), ("DENIED", "LOST", "NOT_SELECTED")


# --- The draw itself ------------------------------------------------------------------------------
def test_a_draw_shows_itself_at_each_stage(world: World, clock: Any) -> None:
    draw = world.draw(opens_in=10, closes_in=50, draws_in=60, winner_count=2, capacity=10)
    answer = world.shop_front().get(f"/draws/{draw.pk}")
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert {"X-Publishable-Key", "Authorization"} <= set(answer.headers["Vary"].split(", "))
    pending = answer.json()
    commitment = pending["commitment"]
    assert len(commitment) == 64
    assert pending == {
        "id": draw.pk,
        "name": "The draw",
        "sequenceId": world.sequence.id,
        "experienceId": world.sequence.experience_id,
        "status": "PENDING",
        "openAt": "2026-12-01T09:00:10Z",
        "closeAt": "2026-12-01T09:00:50Z",
        "drawAt": "2026-12-01T09:01:00Z",
        "timeZone": "UTC",
        "supportsGuest": True,
        "winnerCount": 2,
        "capacity": 10,
        "entrantCount": 0,
        "commitment": commitment,
        "verification": {"level": "commit-reveal", "status": "COMMITTED"},
    }

    def seen() -> dict[str, Any]:
        shown: dict[str, Any] = world.server().get(f"/draws/{draw.pk}").json()
        assert set(shown) == set(pending)
        same = set(pending) - {"status", "entrantCount", "verification"}
        assert {name: shown[name] for name in same} == {name: pending[name] for name in same}
        return {name: shown[name] for name in set(shown) - same}

    clock.shift(10)
    people = enter_all(world, draw, 4)
    people[0].leave(draw)
    committed = {"level": "commit-reveal", "status": "COMMITTED"}
    assert seen() == {"status": "OPEN", "entrantCount": 3, "verification": committed}
    clock.shift(40)
    assert seen() == {"status": "CLOSED", "entrantCount": 3, "verification": committed}
    tasks.tick_draws()
    frozen = seen()
    root = frozen["verification"].pop("root")
    assert len(root) == 64
    told = {"level": "commit-reveal", "status": "FROZEN", "frozenAt": "2026-12-01T09:00:50Z", "entryCount": 3}
    assert frozen == {"status": "CLOSED", "entrantCount": 3, "verification": told}
    clock.shift(10)
    assert seen()["status"] == "CLOSED"
    tasks.tick_draws()
    result = seen()
    assert len(result["verification"].pop("seed")) == 64
    told |= {"status": "DRAWN", "drawnAt": "2026-12-01T09:01:00Z", "root": root}
    assert result == {"status": "DRAWN", "entrantCount": 3, "verification": told}


def test_a_draw_that_staff_close_before_it_is_drawn_is_cancelled(world: World, clock: Any) -> None:
    draw = world.draw()
    (guest,) = enter_all(world, draw, 1)
    switches.close(draw, now=time.now(), actor="staff:1")
    clock.shift(60)
    tasks.tick_draws()
    shown = world.shop_front().get(f"/draws/{draw.pk}").json()
    assert (shown["status"], shown["verification"]["status"]) == ("CLOSED", "CANCELLED")
    assert how(guest.status(draw)) == ("DENIED", "LOST", "DRAW_CLOSED")


def test_a_draw_names_its_beacon(world: World, clock: Any) -> None:
    chain = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
    draw = world.draw(beacon={"source": "drand", "chain": chain, "round": 40_000_000})
    shown = world.shop_front().get(f"/draws/{draw.pk}").json()["verification"]
    due = "2027-06-12T12:29:24Z"
    beacon = {"source": "drand", "chain": chain, "round": 40_000_000, "roundAt": due}
    assert shown == {"level": "beacon", "status": "COMMITTED", "beacon": beacon}
    (guest,) = enter_all(world, draw, 1)
    clock.shift(60)
    tasks.tick_draws()
    waits = world.shop_front().get(f"/draws/{draw.pk}").json()
    assert (waits["status"], waits["verification"]["status"]) == ("CLOSED", "WAITING_FOR_BEACON")
    assert how(guest.status(draw)) == WAITS


# --- How one stands -------------------------------------------------------------------------------
@pytest.mark.parametrize("redis_is", ["there", "flushed", "away"])
def test_how_each_one_stands_at_each_stage(world: World, clock: Any, redis_is: str) -> None:
    draw = world.draw(winner_count=1, claim_seconds=600)
    people = enter_all(world, draw, 6)
    left, denied = people[:2]
    others = people[2:]
    early = [one.status(draw).json() for one in people]
    assert {body["drawStatus"] for body in early} == {"ENTERED"}
    clock.shift(10)
    left.leave(draw)
    move(world, draw, "deny", denied.id, reason="FRAUD_DETECTED")
    assert how(left.status(draw)) == ("LEFT", None, None)
    assert how(denied.status(draw)) == ("DENIED", "LOST", "FRAUD_DETECTED")
    clock.shift(50)
    assert {how(one.status(draw)) for one in others} == {WAITS}  # closed
    tasks.freeze_draw(draw.pk)
    assert {how(one.status(draw)) for one in others} == {WAITS}  # frozen
    late = others.pop()
    move(world, draw, "deny", late.id, reason="Not this time, sorry.")
    tasks.run_draw(draw.pk)
    winner, *alternates = [one for one in by_order(world, draw, people) if one is not late]
    assert len(alternates) == 2

    def ask() -> dict[str, dict[str, Any]]:
        return {one.id: without_advice(one.status(draw)) for one in people}

    if redis_is == "flushed":
        redis.client().flushdb()
    if redis_is == "away":
        with redis_away():
            told = ask()
    else:
        told = ask()
    token = told[winner.id].pop("admissionToken")
    assert token.count(".") == 2
    entered, moved = "2026-12-01T09:00:00Z", "2026-12-01T09:01:00Z"
    common = {one.id: {"consumerId": one.id, "drawId": draw.pk, "enteredAt": entered} for one in people}
    proved = {
        one.id: {"entryNumber": number, "receipt": early[number - 1]["receipt"]}
        for number, one in enumerate(people, start=1)
    }
    assert told[left.id] == common[left.id] | {"status": "LEFT"}
    turned_away = {"status": "DENIED", "drawStatus": "LOST"}
    for one, reason in ((denied, "FRAUD_DETECTED"), (late, "Not this time, sorry.")):
        assert told[one.id] == common[one.id] | proved[one.id] | turned_away | {"denyReason": reason}
    for one in alternates:
        waits = {"status": "QUEUED", "drawStatus": "ENTERED"}
        assert told[one.id] == common[one.id] | proved[one.id] | waits
    won = {
        "status": "ADMITTED",
        "drawStatus": "WON",
        "admittedAt": moved,
        "expiresAt": "2026-12-01T09:11:00Z",
    }
    assert told[winner.id] == common[winner.id] | proved[winner.id] | won

    del won["expiresAt"]
    done = won | {"status": "COMPLETED", "completedAt": moved}
    answer = move(world, draw, "complete", winner.id)
    assert answer.json() == winner.status(draw).json() == common[winner.id] | proved[winner.id] | done
    for one in alternates:  # the only place is used: nobody can get one any more
        assert how(one.status(draw)) == LOST


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
        if redis_is == "away":
            with redis_away():
                found = [how(one.status(draw)) for one in in_order]
        else:
            found = [how(one.status(draw)) for one in in_order]
        assert found == expected
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


# --- Beside other things --------------------------------------------------------------------------
def test_an_experience_shows_its_draws(world: World, clock: Any) -> None:
    draw = world.draw(closes_in=30)
    other = make_draw(world.sequence_with("later"), opens_in=10)
    queue = world.queue()
    front = world.shop_front()

    def shown() -> dict[str, Any]:
        body = front.get(f"/experiences/{world.sequence.experience_id}").json()
        assert [[one["id"] for one in way["queues"]] for way in body["sequences"]] == [[queue.pk], []]
        return {one["id"]: one for way in body["sequences"] for one in way["draws"]}

    for _ in range(3):
        assert shown() == {pk: front.get(f"/draws/{pk}").json() for pk in (draw.pk, other.pk)}
        clock.shift(30)
        tasks.tick_draws()
    assert {one["status"] for one in shown().values()} == {"DRAWN"}


def test_ones_own_page_shows_draws_that_are_not_over(world: World, clock: Any) -> None:
    draw = world.draw(claim_seconds=600, winner_count=1)
    quick = world.draw(winner_count=1)
    people = [world.consumer() for _ in range(3)]
    for one in people:
        for entered in (draw, quick):
            one.enter(entered)

    def active(one: ConsumerClient) -> Any:
        answer = one.get("/consumers/me")
        assert answer.status_code == 200
        return answer.json()["active"]

    for one in people:
        found = active(one)
        assert found["admissions"] == found["queues"] == {}
        assert set(found["draws"]) == {draw.pk, quick.pk}
        for entered in (draw, quick):
            told = dict(found["draws"][entered.pk])
            assert 2 <= told.pop("pollAfterSeconds") <= 30
            assert told == without_advice(one.status(entered))
    clock.shift(60)
    for entered in (draw, quick):
        freeze_and_draw(entered)
        winner, *others = by_order(world, entered, people)
        own = without_advice(winner.status(entered))
        assert own["status"] == "ADMITTED"
        assert active(winner)["admissions"][entered.pk] == active(winner)["draws"][entered.pk] == own
        for one in others:
            assert entered.pk not in active(one)["admissions"]
            assert (entered.pk in active(one)["draws"]) == (entered is draw)  # alternates still wait
    assert Draw.objects.count() == 2
