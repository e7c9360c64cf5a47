"""`GET /draws/:id`: what anyone may see of a draw; and draws beside other things."""

from typing import Any

from distributions import tasks
from distributions.core import switches
from fanfare import clock as time
from tests.api.lots import by_order, enter_all, freeze_and_draw, how, without_advice
from tests.world import ConsumerClient, World, make_draw

COMMITTED = {"level": "commit-reveal", "status": "COMMITTED"}


def test_a_draw_shows_itself(world: World, clock: Any) -> None:
    draw = world.draw(opens_in=10, closes_in=50, draws_in=60, winner_count=2, capacity=10)
    answer = world.shop_front().get(f"/draws/{draw.pk}")
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert {"X-Publishable-Key", "Authorization"} <= set(answer.headers["Vary"].split(", "))
    shown = answer.json()
    assert len(shown["commitment"]) == 64
    assert shown == {
        "id": draw.pk,
        "name": "The draw",
        "sequenceId": world.sequence.id,
        "experienceId": world.sequence.experience_id,
        "status": "PENDING",
        "openAt": "2026-12-01T09:00:10Z",
        "alternates": True,
        "claimSeconds": None,
        "endAt": None,
        "weights": [],
        "closeAt": "2026-12-01T09:00:50Z",
        "drawAt": "2026-12-01T09:01:00Z",
        "timeZone": "UTC",
        "supportsGuest": True,
        "winnerCount": 2,
        "capacity": 10,
        "entrantCount": 0,
        "commitment": shown["commitment"],
        "verification": COMMITTED,
    }


def test_what_changes_from_stage_to_stage(world: World, clock: Any) -> None:
    draw = world.draw(opens_in=10, closes_in=50, draws_in=60, winner_count=2, capacity=10)
    changing = ("status", "entrantCount", "verification")
    first = world.server().get(f"/draws/{draw.pk}").json()

    def seen() -> list[Any]:
        shown = world.server().get(f"/draws/{draw.pk}").json()
        assert {**shown, **{name: first[name] for name in changing}} == first
        return [shown[name] for name in changing]

    clock.shift(10)
    people = enter_all(world, draw, 4)
    people[0].leave(draw)
    assert seen() == ["OPEN", 3, COMMITTED]
    clock.shift(40)
    assert seen() == ["CLOSED", 3, COMMITTED]
    tasks.tick_draws()
    frozen = seen()
    told: dict[str, Any] = {"level": "commit-reveal", "frozenAt": "2026-12-01T09:00:50Z", "entryCount": 3}
    told["root"] = frozen[2]["root"]
    assert frozen == ["CLOSED", 3, {**told, "status": "FROZEN"}]
    clock.shift(10)
    assert seen() == frozen
    tasks.tick_draws()
    result = seen()
    told |= {"status": "DRAWN", "drawnAt": "2026-12-01T09:01:00Z", "seed": result[2]["seed"]}
    assert result == ["DRAWN", 3, told]
    assert len(told["root"]) == len(told["seed"]) == 64


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
    assert how(guest.status(draw)) == ("QUEUED", "ENTERED", None)


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


def test_an_experience_closes_when_its_draw_takes_no_entries_any_more(world: World, clock: Any) -> None:
    path = f"/experiences/{world.sequence.experience_id}"
    world.draw(draws_in=60)
    assert world.shop_front().get(path).json()["closeAt"] == "2026-12-01T09:01:00Z"
    world.draw(draws_in=120, closes_in=90)
    assert world.shop_front().get(path).json()["closeAt"] == "2026-12-01T09:01:30Z"


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
