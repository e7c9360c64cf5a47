"""Invariant 13: a place that is not taken up goes to the next in the drawn order, and there are never more
holders than places.
"""

import datetime as dt
import random
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from consumers.models import Consumer
from distributions import privacy, tasks
from distributions.core import drawings, lifecycle, switches
from distributions.core.models import Distribution, Drawing, Participation, Status
from distributions.draws import results, rules
from fanfare import clock as time
from fanfare import errors
from tests import draws, lines
from tests.concurrency.race import race
from tests.draws import Verifier
from tests.world import ConsumerClient, World, assert_error

CLAIM = 60  # seconds
LOST = ("DENIED", "NOT_SELECTED", "LOST")
WAITS = ("QUEUED", None, "ENTERED")
WON = ("ADMITTED", None, "WON")
EXPIRED = ("DENIED", "ADMISSION_EXPIRED", "WON")


def drawn(
    world: World, clock: Any, entries: int = 8, **settings: Any
) -> tuple[Distribution, list[ConsumerClient]]:
    """A draw of three places that has just been drawn; its entrants in the drawn order."""
    draw = world.draw(**{"winner_count": 3, "claim_seconds": CLAIM, **settings})
    people = [world.consumer() for _ in range(entries)]
    for one in people:
        assert one.enter(draw).status_code == 200
    clock.shift(60)
    order = draws.draw_now(draw)
    return draw, [people[number - 1] for number in order]


def told(draw: Distribution, *people: ConsumerClient) -> list[tuple[str, str | None, str]]:
    """What each of them sees: status, reason, and how the draw went for them."""
    bodies = [one.status(draw).json() for one in people]
    return [(body["status"], body.get("denyReason"), body["drawStatus"]) for body in bodies]


def complete(world: World, draw: Distribution, one: ConsumerClient) -> Any:
    return world.server().post(f"/draws/{draw.pk}/complete", {"consumerId": one.id})


def deny(world: World, draw: Distribution, one: ConsumerClient, reason: str = "FRAUD_DETECTED") -> Any:
    answer = world.server().post(f"/draws/{draw.pk}/deny", {"consumerId": one.id, "reason": reason})
    assert answer.status_code == 200
    return answer


# --- Down the order --------------------------------------------------------------------------------


def test_unclaimed_places_go_down_the_order_at_their_second(world: World, clock: Any) -> None:
    draw, line = drawn(world, clock)
    assert told(draw, *line) == [WON] * 3 + [WAITS] * 5
    assert complete(world, draw, line[1]).status_code == 200
    clock.shift(CLAIM - 0.001)
    draws.sweep()
    assert told(draw, line[0], line[2], line[3]) == [WON, WON, WAITS]

    clock.shift(0.001)
    assert told(draw, line[0], line[2], line[3]) == [EXPIRED, EXPIRED, WAITS]  # nobody wrote it down yet
    refused = assert_error(complete(world, draw, line[0]), 409, "Illegal transition")
    assert refused["status"] == "DENIED"
    draws.sweep()
    assert told(draw, *line[3:]) == [WON] * 2 + [WAITS] * 3
    assert line[3].status(draw).json()["expiresAt"] == "2026-12-01T09:03:00Z"

    clock.shift(CLAIM / 2)
    assert complete(world, draw, line[4]).status_code == 200
    clock.shift(CLAIM / 2)
    draws.sweep()
    assert told(draw, *line[5:]) == [WON, WAITS, WAITS]
    proof = draws.proof_of(world, draw)
    assert [one["number"] for one in proof["winners"]] == draws.order(draw)[:3]
    assert (proof["placesOffered"], proof["passedOver"]) == (6, [])
    assert draws.held(draw) == 3


@pytest.mark.parametrize("how", ["leaves", "is denied", "is erased"])
def test_a_place_that_comes_back_goes_to_the_next(world: World, clock: Any, how: str) -> None:
    draw, line = drawn(world, clock)
    if how == "leaves":
        assert line[1].leave(draw).json()["status"] == "LEFT"
    elif how == "is denied":
        deny(world, draw, line[1])
    else:
        privacy.erase(Consumer.objects.get(pk=line[1].id), now=time.now(), actor="staff:1")
    assert draws.held(draw) == 2
    for _ in range(3):
        draws.sweep()
    assert told(draw, line[0], *line[2:]) == [WON] * 3 + [WAITS] * 4
    assert draws.proof_of(world, draw)["passedOver"] == []  # they had got their place


def test_an_alternate_can_not_leave_and_a_winner_does_not_come_back(world: World, clock: Any) -> None:
    draw, line = drawn(world, clock)
    assert_error(line[4].leave(draw), 400, "Draw is closed", "DRAW_CLOSED")
    line[0].leave(draw)
    assert_error(line[0].enter(draw), 400, "Draw is closed", "DRAW_CLOSED")


def test_who_was_removed_after_the_freeze_is_skipped_and_told(
    world: World, clock: Any, tmp_path: Path
) -> None:
    """Denied by the shop, in its code or its own words; erased; or found to be somebody who entered too."""
    draw = world.draw(winner_count=3, claim_seconds=CLAIM)
    member = world.member(subject="4711")
    people = [member, *[world.consumer() for _ in range(9)]]
    for one in people:
        one.enter(draw)
    clock.shift(60)
    tasks.freeze_draw(draw.pk)
    due = draws.due_order(draw)
    line = [people[number - 1] for number in due if number != 1]
    deny(world, draw, line[0])
    deny(world, draw, line[1], "Her third account, says Mr. Roe")
    privacy.erase(Consumer.objects.get(pk=line[4].id), now=time.now(), actor="staff:1")
    world.member(subject="4711", guest=line[5])
    tasks.run_draw(draw.pk)
    reasons = {0: "FRAUD_DETECTED", 1: "OTHER", 4: "ADMIN_ACTION", 5: "LEFT"}
    skipped = {people.index(line[at]) + 1: reason for at, reason in reasons.items()}

    stay = [number for number in due if number not in skipped]
    assert draws.numbers(draw, Status.ADMITTED) == set(stay[:3])
    clock.shift(CLAIM)
    draws.sweep()
    clock.shift(CLAIM)
    draws.sweep()

    assert draws.ever_won(draw) == sum((sorted(stay[at : at + 3]) for at in (0, 3)), [])
    proof = draws.proof_of(world, draw)
    assert {one["number"]: one["reason"] for one in proof["passedOver"]} == skipped
    assert [one["number"] for one in proof["winners"]] == due[:3]
    assert "Roe" not in str(proof)
    Verifier(tmp_path).require_good(proof)


def test_the_order_is_exhausted(world: World, clock: Any) -> None:
    draw, line = drawn(world, clock, entries=4)
    complete(world, draw, line[0])
    clock.shift(CLAIM)
    draws.sweep()
    assert told(draw, *line) == [("COMPLETED", None, "WON"), EXPIRED, EXPIRED, WON]
    assert results.due_to_pass_on(time.now()) == []
    clock.shift(CLAIM)
    before = draws.held(draw)
    draws.sweep()
    after = draws.snapshot(draw)
    for _ in range(3):
        draws.sweep()
    assert (before, draws.held(draw), draws.settings_of(draw).offered) == (2, 1, 4)
    assert draws.snapshot(draw) == after
    with pytest.raises(errors.IllegalMove, match="Nobody is left"):
        results.offer_next(draw.pk, now=time.now(), actor="staff:1")


def test_more_alternates_than_were_put_in_order(world: World, clock: Any, tmp_path: Path) -> None:
    """The order goes on where it stopped; what was published of it does not change."""
    winners, entries = 600, 2_000
    draw = world.draw(winner_count=winners, claim_seconds=CLAIM)
    draws.fill(draw, world, [1, 1, 2, 1] * (entries // 4))
    clock.shift(60)
    first = draws.draw_now(draw)
    assert len(first) == winners + results.ALTERNATES < entries
    told_before = draws.proof_of(world, draw)
    for offered in (2 * winners, 3 * winners):
        clock.shift(CLAIM)
        draws.sweep()
        assert draws.settings_of(draw).offered == offered
    order = draws.order(draw)
    assert len(order) == entries
    assert order == draws.due_order(draw)
    assert order[: len(first)] == first
    assert set(draws.ever_won(draw)) == set(order[: 3 * winners])
    proof = draws.proof_of(world, draw)
    assert proof["winners"] == told_before["winners"]
    assert proof["alternates"][: results.ALTERNATES] == told_before["alternates"]
    Verifier(tmp_path).require_good(proof)


def test_the_order_is_extended_again_and_again(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "ALTERNATES", 2)
    draw = world.draw(winner_count=3, claim_seconds=CLAIM)
    draws.fill(draw, world, [1, 3] * 10)
    clock.shift(60)
    draws.draw_now(draw)
    due = draws.due_order(draw)
    for turn in range(7):
        assert draws.numbers(draw, Status.ADMITTED) == set(due[3 * turn : 3 * turn + 3])
        clock.shift(CLAIM)
        draws.sweep()
    assert draws.order(draw) == due


# --- Until when ------------------------------------------------------------------------------------


def test_the_draw_ends(world: World, clock: Any) -> None:
    ends = time.now() + dt.timedelta(seconds=60 + CLAIM + CLAIM / 2)
    draw, line = drawn(world, clock, end_at=ends)
    clock.shift(CLAIM)
    draws.sweep()
    assert told(draw, *line) == [EXPIRED] * 3 + [WON] * 3 + [WAITS] * 2
    clock.shift(CLAIM / 2 - 1)
    line[3].leave(draw)
    draws.sweep()
    assert told(draw, *line[6:]) == [WON, WAITS]

    clock.shift(1)
    line[4].leave(draw)
    draws.sweep()
    assert draws.held(draw) == 2  # a place that comes back in the very second of the end stays free
    clock.shift(rules.LAST_PLACES.total_seconds())
    assert told(draw, *line[5:]) == [WON, WON, LOST]
    clock.shift(CLAIM)
    draws.sweep()
    assert told(draw, *line[5:]) == [EXPIRED, EXPIRED, LOST]
    assert draws.held(draw) == 0


def test_staff_close_it_after_the_draw(world: World, clock: Any) -> None:
    """Who holds a place keeps it; who waits has lost, from that instant; nothing is passed on."""
    draw, line = drawn(world, clock)
    line[0].leave(draw)
    assert switches.close(draw, now=time.now(), actor="staff:1")
    assert told(draw, *line[1:]) == [WON] * 2 + [LOST] * 5
    draws.sweep()
    tasks.deny_entrants(draw.pk)
    assert told(draw, *line[1:]) == [WON] * 2 + [LOST] * 5
    assert complete(world, draw, line[1]).status_code == 200
    clock.shift(CLAIM)
    draws.sweep()
    assert told(draw, *line[2:]) == [EXPIRED] + [LOST] * 5
    assert draws.proof_of(world, draw)["status"] == "DRAWN"
    with pytest.raises(errors.Closed):
        results.offer_next(draw.pk, now=time.now(), actor="staff:1")


@pytest.mark.parametrize("stage", ["open", "frozen"])
def test_staff_close_it_before_the_draw(world: World, clock: Any, stage: str, tmp_path: Path) -> None:
    """It is cancelled: there are no winners, and no seed is told, though it was frozen already."""
    draw, people = world.draw(), [world.consumer() for _ in range(4)]
    for one in people:
        one.enter(draw)
    if stage == "frozen":
        draws.freeze_by_hand(draw)
    assert switches.close(draw, now=time.now(), actor="staff:1")
    cancelled = ("DENIED", "DRAW_CLOSED", "LOST")
    assert told(draw, *people) == [cancelled] * 4
    assert draws.numbers(draw, Status.QUEUED) == {1, 2, 3, 4}
    clock.shift(60)
    for _ in range(2):
        draws.sweep()
        tasks.freeze_draw(draw.pk)
        tasks.run_draw(draw.pk)
    assert told(draw, *people) == [cancelled] * 4
    assert draws.numbers(draw, Status.DENIED) == {1, 2, 3, 4}
    proof = draws.proof_of(world, draw)
    assert (proof["status"], "root" in proof, "seed" in proof) == ("CANCELLED", stage == "frozen", False)
    Verifier(tmp_path).require_good(proof)


def test_when_all_places_are_claimed_alternates_know_at_once(world: World, clock: Any) -> None:
    draw, line = drawn(world, clock)
    complete(world, draw, line[0])
    complete(world, draw, line[1])
    assert told(draw, *line[3:]) == [WAITS] * 5
    complete(world, draw, line[2])
    assert told(draw, *line[3:]) == [LOST] * 5
    assert draws.numbers(draw, Status.QUEUED) == set(draws.order(draw)[3:])  # which nobody had to write


@pytest.mark.parametrize("settings", [{"claim_seconds": None}, {"alternates": False}])
def test_without_alternates_losers_know_at_once(world: World, clock: Any, settings: dict[str, Any]) -> None:
    draw, line = drawn(world, clock, **settings)
    assert told(draw, *line) == [WON] * 3 + [LOST] * 5
    line[0].leave(draw)
    clock.shift(600)
    draws.sweep()
    tasks.pass_on_places(draw.pk)
    assert told(draw, *line[3:]) == [LOST] * 5


def test_losers_cost_no_update_of_a_row(world: World, clock: Any) -> None:
    """Not when it is frozen or drawn, nor when places are passed on or all is over."""
    draw = world.draw(winner_count=5, claim_seconds=CLAIM)
    draws.fill(draw, world, 300)
    before = draws.versions(draw)
    clock.shift(60)
    draws.draw_now(draw)
    clock.shift(CLAIM)
    draws.sweep()
    people = draws.consumers(draw)
    for number in draws.order(draw)[5:10]:
        lines.complete(draw, people[number])
    draws.sweep()
    after = draws.versions(draw)
    assert {number for number in before if after[number] != before[number]} == set(draws.order(draw)[:10])
    assert len(before) == 300


# --- Staff's hand ----------------------------------------------------------------------------------


def test_staff_offer_a_place_to_the_next(world: World, clock: Any) -> None:
    draw, line = drawn(world, clock, alternates=False)
    by_hand = {"now": time.now(), "actor": "staff:1"}
    with pytest.raises(errors.IllegalMove, match="Every place is taken"):
        results.offer_next(draw.pk, **by_hand)  # type: ignore[arg-type]
    line[1].leave(draw)
    draws.sweep()
    assert told(draw, line[3]) == [LOST]

    assert results.offer_next(draw.pk, **by_hand) == line[3].id  # type: ignore[arg-type]

    assert told(draw, *line[3:]) == [WON] + [LOST] * 4
    (traced,) = [event for event in lines.events_of(draw, line[3].id) if event.name == "draw.consumer.won"]
    assert (traced.actor, traced.data["byHand"]) == ("staff:1", True)
    assert draws.proof_of(world, draw)["placesOffered"] == 4


def test_nothing_is_offered_by_hand_before_the_draw(world: World, clock: Any) -> None:
    draw = world.draw()
    draws.fill(draw, world, 3)
    draws.freeze_by_hand(draw)
    with pytest.raises(errors.IllegalMove, match="Nothing is drawn yet"):
        results.offer_next(draw.pk, now=time.now(), actor="staff:1")


def test_many_offer_one_place_by_hand_at_once(world: World, clock: Any) -> None:
    draw, line = drawn(world, clock, alternates=False)
    line[0].leave(draw)
    outcome = race(4, lambda _: results.offer_next(draw.pk, now=time.now(), actor="staff:1"))
    assert outcome.results == [line[3].id]
    assert [type(error) for error in outcome.errors] == [errors.IllegalMove] * 3


# --- At once ---------------------------------------------------------------------------------------

PLACES = 12


def inside(draw: Distribution) -> int:
    """How many hold a place or have used it, by their rows."""
    rows = Participation.objects.filter(distribution=draw)
    return rows.filter(status__in=[Status.ADMITTED, Status.COMPLETED]).count()


def someone_inside(draw: Distribution, dice: random.Random) -> str | None:
    rows = Participation.objects.filter(distribution=draw, status=Status.ADMITTED)
    people = list(rows.order_by("place").values_list("consumer_id", flat=True))
    return dice.choice(people) if people else None


@pytest.mark.parametrize("seed", range(2))
def test_never_more_holders_than_places(world: World, clock: Any, seed: int) -> None:
    """Two pass places on, two end admissions, two complete, two leave, for some rounds."""
    draw = world.draw(winner_count=PLACES, claim_seconds=CLAIM)
    draws.fill(draw, world, 100)
    clock.shift(60)
    draws.draw_now(draw)
    held: list[int] = []

    def act(index: int) -> None:
        dice = random.Random(seed * 100 + index)
        for step in range(6):
            held.extend([draws.held(draw), inside(draw)])
            if index < 2:
                tasks.pass_on_places(draw.pk)
            elif index < 4:
                tasks.expire_admissions()
            elif step in ((1, 4) if index < 6 else (0,)) and (one := someone_inside(draw, dice)):
                with suppress(errors.IllegalMove):
                    (lines.leave if index < 6 else lines.complete)(draw, one)

    for _ in range(5):
        race(8, act).all()
        clock.shift(CLAIM / 2)
    draws.sweep()

    assert max(held) == PLACES
    assert draws.held(draw) == inside(draw) == PLACES
    lines.require_true_tally(draw)
    offered = draws.settings_of(draw).offered
    assert offered > 2 * PLACES
    order = draws.order(draw)
    turns = {row.place: row.admitted_at for row in draws.by_number(draw).values() if row.admitted_at}
    assert set(turns) == set(order[:offered])
    moments = [turns[number] for number in order[:offered]]
    assert moments == sorted(moments)
    assert draws.proof_of(world, draw)["passedOver"] == []


def test_the_control_without_the_lock_gives_a_place_twice(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two who look and then give: were only one place given, the test above could not fail."""
    draw, line = drawn(world, clock)
    line[0].leave(draw)
    both_looked = threading.Barrier(2)

    def not_locked(distribution_id: str, *, wait: bool = False) -> Drawing | None:
        return Drawing.objects.select_related("distribution__draw").get(pk=distribution_id)

    def free(drawing: Drawing) -> int:
        both_looked.wait(30)
        return 1

    monkeypatch.setattr(drawings, "locked", not_locked)
    monkeypatch.setattr(results, "_locked", not_locked)
    monkeypatch.setattr(results, "_free", free)
    race(2, lambda _: tasks.pass_on_places(draw.pk)).all()
    assert inside(draw) == 4 > draws.stored(draw).winner_count


def test_a_completion_and_an_expiry_in_the_same_second(world: World, clock: Any) -> None:
    """Whoever was told that the sale is done holds the place; else it goes to the next. Never both."""
    draw, line = drawn(world, clock, entries=9)
    clock.shift(CLAIM)

    def act(index: int) -> Any:
        if index == 0:
            tasks.expire_admissions()
        if index < 2:
            return tasks.pass_on_places(draw.pk)
        before = time.now() - dt.timedelta(milliseconds=1)  # of a request that came just in time
        with suppress(errors.IllegalMove):
            return lifecycle.complete(draw, line[index - 2].id, now=before, actor="key:1").status
        return None

    done = [status for status in race(5, act).all()[2:] if status == Status.COMPLETED]
    draws.sweep()
    assert len(draws.numbers(draw, Status.COMPLETED)) == len(done)
    assert draws.held(draw) == inside(draw) == 3
    lines.require_true_tally(draw)
