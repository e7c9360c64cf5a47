"""`manage.py audit`: a real history passes, and each promise that is broken by hand is found."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from distributions import tasks
from distributions.appointments import rules as calendar
from distributions.auctions.models import Bid
from distributions.audit import counting, lots, order, projections, replay, sale, slots
from distributions.audit.checking import COUNTERS
from distributions.core import drawings
from distributions.core.models import Distribution, Participation
from distributions.queues import line, rules, setup
from experiences.models import Event
from fanfare import clock as time
from fanfare import redis
from tests.audits import audited, broken, by_hand, weighed
from tests.bookings import asked
from tests.draws import draw_now
from tests.lines import admit, complete, deny, enter, fresh, leave, make_consumers
from tests.releases import claimed, move
from tests.world import World

STATES = {replay.EQUAL, replay.KNOWN, replay.LEGAL}


@pytest.fixture
def queue(world: World, clock: Any) -> Distribution:
    """Ten entered, four were admitted by the clock and one by hand; of all ends there is one."""
    queue = world.queue(admission_rate=60, session_seconds=100, capacity=10, max_active=8, max_admissions=9)
    people = make_consumers(world, 10)
    for one in people:
        enter(queue, one)
        clock.shift(0.5)
    for _ in range(4):
        assert rules.admit_batch(queue.pk, now=time.now()) == 1
        clock.shift(1)
    admit(queue, people[9])
    complete(queue, people[0], order_id="A-1")
    deny(queue, people[1])
    leave(queue, people[2])
    leave(queue, people[8])
    clock.shift(120)
    tasks.expire_admissions()
    assert enter(queue, people[3]).place == 11
    clock.shift(40)
    line.rebuild(fresh(queue))
    return queue


def at_place(queue: Distribution, place: int) -> Participation:
    return Participation.objects.get(distribution=queue, place=place)


def test_a_queue_of_all_moves_is_kept(queue: Distribution) -> None:
    found = weighed(queue)
    names = {replay.ONCE, replay.ONE, replay.IN_TIME, counting.PLACES, counting.INSIDE, counting.TOTAL}
    names |= STATES | {counting.RATE, order.ORDER, COUNTERS, projections.STANDINGS, projections.BITMAP}
    assert all(found[name] for name in names), found


def test_the_report_tells_of_waits_and_of_hands(queue: Distribution, tmp_path: Path) -> None:
    out, page = io.StringIO(), tmp_path / "report.html"
    slug = queue.organization.slug
    call_command("audit", organization=slug, html=page, stdout=out)
    assert "Every promise was kept." in out.getvalue() and "inversions: 0" in out.getvalue()
    (found,) = audited(queue)
    assert found["inversions"] == 0
    (hand,) = found["byHand"]["listed"]
    assert (hand["by"], hand["outOfTurn"], hand["consumer"]) == (
        "key:test",
        True,
        at_place(queue, 10).consumer_id,
    )
    assert list(found["figures"]["waitSeconds"]) == [str(share) for share in range(10, 101, 10)]
    assert sum(found["figures"]["admissions"]["numbers"]) == 5
    text = page.read_text()
    assert "Every promise was kept" in text and hand["consumer"] in text and "<rect" in text
    assert "http" not in text and "src=" not in text


def test_a_lost_event_is_found(queue: Distribution) -> None:
    event = Event.objects.filter(distribution_id=queue.pk, name="queue.consumer.admitted").earliest("id")
    by_hand("DELETE FROM experiences_event WHERE id = %s", event.pk)
    found = broken(queue)
    assert {replay.EQUAL, replay.LEGAL, COUNTERS} <= set(found)
    assert found[replay.EQUAL][0]["consumer"] == event.consumer_id


def test_a_lost_entry_is_found(queue: Distribution) -> None:
    row = at_place(queue, 6)
    by_hand("DELETE FROM experiences_event WHERE consumer_id = %s", row.consumer_id)
    assert broken(queue)[replay.KNOWN][0]["participation"] == row.pk


def test_a_lost_participation_is_found(queue: Distribution) -> None:
    row = at_place(queue, 6)
    by_hand("DELETE FROM distributions_participation WHERE id = %s", row.pk)
    assert broken(queue)[replay.KNOWN][0]["consumer"] == row.consumer_id


@pytest.mark.parametrize(
    "column",
    [
        "status = 'LEFT', ended_at = now()",
        "entered_at = entered_at - interval '1 s'",
        "status = 'ADMITTED', admitted_at = entered_at",
    ],
)
def test_a_row_that_its_trace_does_not_tell_of_is_found(queue: Distribution, column: str) -> None:
    row = at_place(queue, 6)
    by_hand(f"UPDATE distributions_participation SET {column} WHERE id = %s", row.pk)  # noqa: S608
    assert broken(queue)[replay.EQUAL][0]["participation"] == row.pk


def copy_event(event: Event, **changes: Any) -> None:
    event.pk = None
    for name, value in changes.items():
        setattr(event, name, value)
    event.save(force_insert=True)


def test_a_doubled_admission_is_found(queue: Distribution) -> None:
    event = Event.objects.filter(distribution_id=queue.pk, name="queue.consumer.admitted").latest("id")
    copy_event(event)
    found = broken(queue)
    assert found[replay.ONCE][0]["consumer"] == event.consumer_id
    assert {replay.LEGAL, COUNTERS} <= set(found)


def test_an_illegal_move_is_found(queue: Distribution) -> None:
    event = Event.objects.filter(distribution_id=queue.pk, name="queue.consumer.completed").latest("id")
    copy_event(event, data={"from": "COMPLETED", "to": "LEFT"}, name="queue.consumer.left")
    assert replay.LEGAL in broken(queue)


def test_two_live_participations_are_found(queue: Distribution) -> None:
    row = at_place(queue, 6)
    event = Event.objects.filter(consumer_id=row.consumer_id).earliest("id")
    copy_event(event, data={"to": "QUEUED", "place": 12})
    assert broken(queue)[replay.ONE][0]["participations"] == [row.pk]


def test_an_expiry_before_its_time_is_found(queue: Distribution) -> None:
    row = at_place(queue, 4)
    by_hand(
        "UPDATE distributions_participation SET expires_at = ended_at + interval '1 s' WHERE id = %s", row.pk
    )
    assert broken(queue)[replay.IN_TIME][0]["participation"] == row.pk


@pytest.mark.parametrize("counter", ["taken", "entered", "admitted", "completed", "returned"])
def test_a_wrong_counter_is_found(queue: Distribution, counter: str) -> None:
    by_hand(f"UPDATE distributions_tally SET {counter} = {counter} + 1 WHERE distribution_id = %s", queue.pk)
    (example,) = broken(queue)[COUNTERS]
    assert example["what"].startswith(counter)


@pytest.mark.parametrize(
    ("table", "column", "promise"),
    [
        ("tally", "places = 3", counting.PLACES),
        ("queue", "max_active = 2", counting.INSIDE),
        ("queue", "max_admissions = 4, recycle_expired = FALSE", counting.TOTAL),
        ("queue", "admission_rate = 3", counting.RATE),
    ],
)
def test_a_limit_that_was_exceeded_is_found(
    queue: Distribution, table: str, column: str, promise: str
) -> None:
    """As if it had been lower all the time."""
    by_hand(f"UPDATE distributions_{table} SET {column} WHERE distribution_id = %s", queue.pk)
    assert set(broken(queue)) == {promise}


def test_a_limit_counts_as_it_was_then(queue: Distribution) -> None:
    """Lowered since, it says nothing about before."""
    values = {"capacity": 3, "max_active": 1, "max_admissions": 5, "admission_rate": 1}
    setup.SETTINGS.update(fresh(queue), values, now=time.now(), actor="staff:1")
    audited(queue)


def test_an_inversion_is_found(queue: Distribution) -> None:
    first, third = at_place(queue, 1), at_place(queue, 3)
    for pk, place in ((first.pk, 100), (third.pk, 1), (first.pk, 3)):
        by_hand("UPDATE distributions_participation SET place = %s WHERE id = %s", place, pk)
    assert order.ORDER in broken(queue)


def test_an_entry_after_the_closing_is_found(queue: Distribution) -> None:
    event = Event.objects.filter(distribution_id=queue.pk).earliest("id")
    copy_event(event, name="queue.closed", consumer_id=None, data={})
    audited(queue)
    by_hand("UPDATE experiences_event SET id = 0 WHERE name = 'queue.closed'")
    assert counting.ENDED in broken(queue)


def test_a_wrong_bit_is_found(queue: Distribution) -> None:
    waiting, gone = at_place(queue, 6), at_place(queue, 9)
    redis.client().setbit(redis.gone(queue.pk), 6, 1)
    redis.client().setbit(redis.gone(queue.pk), 9, 0)
    found = broken(queue)[projections.BITMAP]
    assert [one["participation"] for one in found] == [waiting.pk, gone.pk]


def test_a_standing_that_is_not_so_is_found(queue: Distribution) -> None:
    row = at_place(queue, 6)
    key = redis.standings(queue.pk)
    kept: Any = redis.client().hget(key, row.consumer_id)
    redis.client().hset(key, row.consumer_id, kept.replace(b"QUEUED", b"LEFT"))
    assert broken(queue)[projections.STANDINGS][0]["consumer"] == row.consumer_id
    redis.client().hset(key, row.consumer_id, b"99999999 " + kept.split(b" ", 1)[1])
    assert broken(queue)[projections.STANDINGS][0]["participation"] == 99999999
    redis.client().hdel(key, row.consumer_id)
    audited(queue)


def test_what_is_on_its_way_to_redis_is_no_fault(queue: Distribution, clock: Any) -> None:
    row = at_place(queue, 6)
    kept: Any = redis.client().hget(redis.standings(queue.pk), row.consumer_id)
    leave(queue, row.consumer_id)
    redis.client().hset(redis.standings(queue.pk), row.consumer_id, kept)
    redis.client().setbit(redis.gone(queue.pk), 6, 0)
    audited(queue)
    clock.shift(31)
    assert set(broken(queue)) == {projections.STANDINGS, projections.BITMAP}


def test_without_redis_it_says_so(queue: Distribution, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    redis.reset()
    try:
        (found,) = audited(queue)
    finally:
        redis.reset()
    skipped = {one["name"] for one in found["promises"] if one.get("skipped") == projections.AWAY}
    assert skipped == {projections.STANDINGS, projections.BITMAP}


# --- Drawn by lot ---------------------------------------------------------------------------------


@pytest.fixture
def draw(world: World, clock: Any) -> Distribution:
    """Twelve entered, one left; three win, one does not claim, and an alternate does."""
    draw = world.draw(winner_count=3, claim_seconds=60, capacity=12)
    people = [world.consumer() for _ in range(12)]
    for one in people:
        assert one.enter(draw).status_code == 200
    assert people[4].leave(draw).status_code == 200
    clock.shift(60)
    draw_now(draw)
    winners = Participation.objects.filter(distribution=draw, status="ADMITTED").values_list("consumer_id")
    for (winner,) in list(winners)[:2]:
        world.server().post(f"/draws/{draw.pk}/complete", {"consumerId": winner})
    clock.shift(61)
    tasks.expire_admissions()
    tasks.tick_draws()
    clock.shift(40)
    assert Participation.objects.filter(distribution=draw, admitted_at__isnull=False).count() == 4
    return draw


def test_a_draw_is_kept(draw: Distribution) -> None:
    found = weighed(draw)
    names = STATES | {lots.REPEATED, lots.LISTED, lots.WON, counting.WINNERS, counting.PLACES, COUNTERS}
    assert all(found[name] for name in names), found


@pytest.mark.parametrize(
    ("sql", "promise"),
    [
        ("UPDATE distributions_drawing SET seed = sha256(seed) WHERE distribution_id = %s", lots.REPEATED),
        ("UPDATE distributions_drawing SET key = repeat('0', 64) WHERE distribution_id = %s", lots.REPEATED),
        ("UPDATE distributions_drawing SET winner_count = 2 WHERE distribution_id = %s", counting.WINNERS),
        (
            'UPDATE distributions_frozenlist SET "order" = substr("order", 5, 4) || substr("order", 1, 4)'
            ' || substr("order", 9) WHERE drawing_id = %s',
            lots.REPEATED,
        ),
        (
            "UPDATE distributions_frozenlist SET weights = set_byte(weights, 0, 3) WHERE drawing_id = %s",
            lots.LISTED,
        ),
        (
            "UPDATE distributions_frozenlist SET weights = set_byte(weights, 4, 1) WHERE drawing_id = %s",
            lots.REPEATED,
        ),
    ],
)
def test_a_draw_that_does_not_repeat_is_found(draw: Distribution, sql: str, promise: str) -> None:
    by_hand(sql, draw.pk)
    assert promise in broken(draw)


def test_another_winner_is_found(draw: Distribution) -> None:
    """Two swap their numbers: the one who won is not whom the draw says."""
    won = Participation.objects.filter(distribution=draw, status="COMPLETED").earliest("id")
    lost = Participation.objects.filter(distribution=draw, status="QUEUED").earliest("id")
    mine, theirs = won.place, lost.place
    for pk, place in ((lost.pk, 100), (won.pk, theirs), (lost.pk, mine)):
        by_hand("UPDATE distributions_participation SET place = %s WHERE id = %s", place, pk)
    assert lots.WON in broken(draw)


def test_a_pre_queue_drawn_by_lot_is_kept_and_judged(world: World, clock: Any) -> None:
    queue = world.queue(opens_in=60, enter_from=time.now(), randomize_before_open=True, admission_rate=60)
    people = make_consumers(world, 8)
    for one in people:
        enter(queue, one)
    leave(queue, people[2])
    clock.shift(61)
    tasks.tick_queues()
    (late,) = make_consumers(world, 1)
    enter(fresh(queue), late)
    for _ in range(6):
        clock.shift(1)
        rules.admit_batch(queue.pk, now=time.now())
    found = weighed(queue)
    assert drawings.of(fresh(queue)) is not None
    assert all(found[name] for name in STATES | {lots.REPEATED, lots.LISTED, order.ORDER, COUNTERS}), found
    first, second = Participation.objects.filter(distribution=queue, admitted_at__isnull=False)[:2]
    for pk, place in ((first.pk, 100), (second.pk, first.place), (first.pk, second.place)):
        by_hand("UPDATE distributions_participation SET place = %s WHERE id = %s", place, pk)
    assert {replay.EQUAL, order.ORDER} & set(broken(queue))


# --- Stock, slots, bids, lists ----------------------------------------------------------------------


def test_a_release_is_kept_and_one_unit_too_many_is_found(world: World, clock: Any) -> None:
    release = world.release(inventory=4, claim_seconds=60, max_per_consumer=2)
    people = claimed(release, world, 4)
    move(world, release, "complete", people[0])
    move(world, release, "deny", people[1])
    people[2].leave(release)
    people[0].enter(release)  # the second unit
    clock.shift(61)
    people[1].enter(release)
    clock.shift(40)
    tasks.expire_admissions()
    found = weighed(release)
    assert all(found[name] for name in STATES | {counting.PLACES, COUNTERS, replay.IN_TIME}), found
    by_hand("UPDATE distributions_tally SET places = 3 WHERE distribution_id = %s", release.pk)
    assert set(broken(release)) == {counting.PLACES}


def test_an_appointment_is_kept_and_a_crowded_slot_is_found(world: World, clock: Any) -> None:
    appointment = world.appointment(places_per_slot=2, max_bookings_per_consumer=2)
    first, second, third = make_consumers(world, 3)
    hour = time.now().replace(minute=0) + 2 * counting.MINUTE * 30
    for one in (first, second):
        calendar.book(appointment, asked(one, hour))
        clock.shift(1)
    calendar.book(appointment, asked(first, hour + counting.MINUTE * 30))
    calendar.rebook(appointment, asked(second, hour + counting.MINUTE * 60), "")
    clock.shift(1)
    calendar.book(appointment, asked(third, hour))
    clock.shift(40)
    found = weighed(appointment)
    assert all(found[name] for name in STATES | {slots.SLOTS, slots.TWICE, COUNTERS}), found
    by_hand(
        "UPDATE distributions_appointment SET places_per_slot = 1 WHERE distribution_id = %s", appointment.pk
    )
    assert set(broken(appointment)) == {slots.SLOTS}
    by_hand(
        "UPDATE distributions_appointment SET places_per_slot = 9 WHERE distribution_id = %s", appointment.pk
    )
    by_hand(
        "UPDATE distributions_booking SET starts_at = %s, ends_at = %s", hour, hour + counting.MINUTE * 30
    )
    assert set(broken(appointment)) == {slots.TWICE}


@pytest.fixture
def auction(world: World, clock: Any) -> Distribution:
    """Three bid, by proxy too; one bid is refused, two win."""
    auction = world.auction(winner_count=2, ends_in=60)
    people = [world.consumer() for _ in range(3)]
    for who, amount, maximum in ((0, "100.00", "200.00"), (1, "110.00", None), (2, "120.00", None)):
        assert people[who].bid(auction, amount, maximum).status_code == 200
        clock.shift(1)
    assert people[1].bid(auction, "111.00").status_code == 400
    assert people[1].bid(auction, "150.00").status_code == 200
    clock.shift(60)
    tasks.tick_auctions()
    clock.shift(40)
    assert Participation.objects.filter(distribution=auction, status="ADMITTED").count() == 2
    return auction


def test_an_auction_is_kept(auction: Distribution) -> None:
    found = weighed(auction)
    names = STATES | {sale.BIDS, sale.STAND, sale.IN_TIME, sale.HIGHEST, counting.WINNERS, COUNTERS}
    assert all(found[name] for name in names), found


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        ({"amount": 9_000}, sale.BIDS),
        ({"high_after": 1}, sale.BIDS),
        ({"refusal": "BID_TOO_LOW"}, sale.BIDS),
        ({"max_amount": 50_000}, sale.STAND),
        ({"at": "2027-01-01T00:00:00Z"}, sale.IN_TIME),
    ],
)
def test_a_bid_against_the_rules_is_found(
    auction: Distribution, change: dict[str, Any], promise: str
) -> None:
    bid = Bid.objects.filter(auction=auction.pk, refusal="").latest("number")
    assert Bid.objects.filter(pk=bid.pk).update(**change)
    assert promise in broken(auction)


def test_another_winner_at_an_auction_is_found(auction: Distribution) -> None:
    by_hand(
        "UPDATE experiences_event SET data = jsonb_set(data, '{winners,0,price}', '1')"
        " WHERE name = 'auction.settled' AND distribution_id = %s",
        auction.pk,
    )
    assert set(broken(auction)) == {sale.HIGHEST}


def test_a_waitlist_is_kept_and_a_lost_place_is_found(world: World, clock: Any) -> None:
    waitlist = world.waitlist(capacity=3)
    people = [world.consumer() for _ in range(3)]
    for one in people:
        assert one.enter(waitlist).status_code == 200
    assert people[0].leave(waitlist).status_code == 200
    assert people[0].enter(waitlist).status_code == 200
    clock.shift(40)
    found = weighed(waitlist)
    assert all(found[name] for name in STATES | {counting.PLACES, COUNTERS, replay.ONE}), found
    by_hand("UPDATE distributions_tally SET places = 2 WHERE distribution_id = %s", waitlist.pk)
    assert set(broken(waitlist)) == {counting.PLACES}


def test_devices_at_the_door_are_no_fault(world: World, clock: Any) -> None:
    """One comes back by another device, one is turned away for theirs, and others enter after them."""
    queue = world.queue(max_entries_per_fingerprint=1)
    first, second = world.consumer(), world.consumer()
    first.enter(queue)
    first.enter(queue, **{"X-Fingerprint": "fp_another_one"})
    assert second.enter(queue).json()["status"] == "DENIED"
    enter(queue, make_consumers(world, 1)[0])
    clock.shift(40)
    assert Event.objects.filter(distribution_id=queue.pk, data__has_key="otherDevice").exists()
    assert weighed(queue)[replay.EQUAL] == 3


# --- People who turn out to be others, or are forgotten --------------------------------------------


def test_a_merger_and_an_erasure_are_no_fault(world: World, clock: Any) -> None:
    queue, release = world.queue(admission_rate=60), world.release(inventory=5)
    guest, member = world.consumer(), world.member(subject="4711")
    for one in (guest, member):
        one.enter(queue)
        one.enter(release)
        clock.shift(1)
    rules.admit_batch(queue.pk, now=time.now())
    named = world.authorize("4711").json()["exchangeCode"]
    assert guest.post("/auth/external/exchange", {"exchangeCode": named}).status_code == 200
    clock.shift(1)
    call_command("consumers", "erase", member.id, yes=True, stdout=io.StringIO())
    clock.shift(40)
    audited(queue, release)
    by_hand("DELETE FROM experiences_event WHERE name = 'consumer.merged' AND distribution_id = %s", queue.pk)
    assert replay.EQUAL in broken(queue)


# --- The command -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "Nothing to audit"),
        (["queue_nope"], "There is no distribution queue_nope"),
        (["--organization=nobody"], "Nothing to audit"),
    ],
)
def test_what_is_not_there(world: World, words: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("audit", *words)


def test_a_file_that_can_not_be_written(queue: Distribution, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("audit", queue.pk, json=tmp_path / "none" / "x.json", stdout=io.StringIO())


def test_the_trace_is_left_as_it_is(queue: Distribution) -> None:
    before = Event.objects.count(), json.dumps(sorted(redis.client().keys()), default=str)
    audited(queue)
    assert before == (Event.objects.count(), json.dumps(sorted(redis.client().keys()), default=str))
