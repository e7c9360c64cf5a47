"""`POST /draws/:id/enter`: one entry, its number and its receipt, until entries close."""

from typing import Any

import pytest

from distributions import tasks
from distributions.core import switches
from distributions.core.models import Distribution, Participation, Tally
from distributions.draws import rules
from experiences.models import AudienceMember, Event
from fanfare import clock as time
from tests.api.lots import enter_all, how, without_advice
from tests.api.mailbox import ADA
from tests.api.test_rate_limits import NAMES, START, numbers, set_limits
from tests.world import FINGERPRINT, World, assert_error, make_draw

RECEIPT = {"entryNumber", "entryId", "weight", "leaf", "token"}


def test_a_first_entry_has_a_number_and_a_receipt(world: World, clock: Any) -> None:
    draw, first, second = world.draw(), world.consumer(), world.consumer()
    first.enter(draw)
    answer = second.post(f"/draws/{draw.pk}/enter", {"metadata": {"size": 42, "from": ["a", {"b": None}]}})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert 2 <= body.pop("pollAfterSeconds") <= 30
    receipt = body.pop("receipt")
    assert body == {
        "status": "QUEUED",
        "drawStatus": "ENTERED",
        "consumerId": second.id,
        "drawId": draw.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
        "entryNumber": 2,
    }
    assert set(receipt) == RECEIPT
    assert (receipt["entryNumber"], receipt["weight"]) == (2, 1)
    row = Participation.objects.get(consumer_id=second.id)
    assert row.metadata == {"size": 42, "from": ["a", {"b": None}]}
    trace = Event.objects.get(name="draw.consumer.entered", consumer_id=second.id)
    assert (trace.actor, trace.distribution_id) == (f"consumer:{second.id}", draw.pk)


def test_entering_again_is_the_same_entry_with_the_same_receipt(world: World, clock: Any) -> None:
    draw = world.draw(capacity=2, draws_in=3600)
    _, guest = enter_all(world, draw, 2)
    first = without_advice(guest.status(draw))
    for _ in range(2):
        clock.shift(600)
        again = guest.post(f"/draws/{draw.pk}/enter", {"metadata": {"new": True}})
        assert without_advice(again) == first
        assert without_advice(guest.status(draw)) == first
    row = Participation.objects.get(consumer_id=guest.id)
    assert row.metadata is None
    assert Tally.objects.get(pk=draw.pk).entered == 2
    assert Event.objects.filter(name="draw.consumer.entered").count() == 2


def test_who_left_comes_back_with_a_new_number(world: World, clock: Any) -> None:
    draw = world.draw()
    first, _ = enter_all(world, draw, 2)
    before = first.enter(draw).json()
    assert first.leave(draw).json()["status"] == "LEFT"
    clock.shift(5)
    after = first.enter(draw).json()
    assert (after["entryNumber"], after["enteredAt"]) == (3, "2026-12-01T09:00:05Z")
    for name in ("entryId", "leaf", "token", "entryNumber"):
        assert before["receipt"][name] != after["receipt"][name]
    assert without_advice(first.status(draw))["receipt"] == after["receipt"]


def test_a_full_draw_says_when_to_ask_again_and_a_freed_place_is_taken(world: World, clock: Any) -> None:
    draw, outside = world.draw(capacity=2), world.consumer()
    inside, _ = enter_all(world, draw, 2)
    refused = outside.enter(draw)
    body = assert_error(refused, 429, "Draw is full", "DRAW_FULL")
    assert refused.headers["Retry-After"] == str(body["retryAfter"])
    assert body["retryAfter"] > 0
    assert inside.enter(draw).status_code == 200  # who is in stays in
    assert Tally.objects.get(pk=draw.pk).entered == 2
    inside.leave(draw)
    assert outside.enter(draw).json()["entryNumber"] == 3
    assert_error(inside.enter(draw), 429, "Draw is full")


def test_before_the_opening_it_says_when(world: World, clock: Any) -> None:
    draw, guest = world.draw(opens_in=90.5, draws_in=200), world.consumer()
    refused = guest.enter(draw)
    body = assert_error(refused, 423, "Draw is not open yet", "DRAW_NOT_OPEN")
    assert body["openAt"] == "2026-12-01T09:01:30.500000Z"
    assert body["message"] == "It opens at 2026-12-01T09:01:30Z."
    assert (body["retryAfter"], refused.headers["Retry-After"]) == (91, "91")
    clock.shift(90.5)
    assert guest.enter(draw).status_code == 200


def _close_by_hand(draw: Distribution) -> None:
    switches.close(draw, now=time.now(), actor="staff:1")


def _freeze_by_hand(draw: Distribution) -> None:
    assert rules.freeze(draw.pk, now=time.now(), actor="staff:1")


def _draw_by_hand(draw: Distribution) -> None:
    _freeze_by_hand(draw)
    tasks.run_draw(draw.pk)


@pytest.mark.parametrize("how_it_ends", [_close_by_hand, _freeze_by_hand, _draw_by_hand])
def test_nobody_enters_what_staff_closed_froze_or_drew(world: World, clock: Any, how_it_ends: Any) -> None:
    draw, guest = world.draw(), world.consumer()
    (inside,) = enter_all(world, draw, 1)
    how_it_ends(draw)
    for one in (guest, inside):
        assert_error(one.enter(draw), 400, "Draw is closed", "DRAW_CLOSED")
    assert Participation.objects.filter(distribution=draw).count() == 1


@pytest.mark.parametrize(
    ("closes_in", "ends_in"),
    [(None, 60), (30, 30), (60, 60), (90, 60)],
    ids=["drawn alone", "closes before it is drawn", "at once", "would close after it is drawn"],
)
def test_closes_at_the_earlier_of_closing_and_drawing(
    world: World, clock: Any, closes_in: float | None, ends_in: float
) -> None:
    draw = world.draw(closes_in=closes_in, draws_in=60)
    clock.shift(ends_in - 0.001)
    (inside,) = enter_all(world, draw, 1)
    assert inside.enter(draw).status_code == 200
    clock.shift(0.001)
    assert_error(world.consumer().enter(draw), 400, "Draw is closed", "DRAW_CLOSED")
    assert_error(inside.enter(draw), 400, "Draw is closed", "DRAW_CLOSED")
    assert how(inside.status(draw)) == ("QUEUED", "ENTERED", None)


def test_nobody_enters_while_it_is_paused(world: World, clock: Any) -> None:
    draw, guest = world.draw(), world.consumer()
    row = Distribution.objects.filter(pk=draw.pk)
    row.update(paused_at=time.now())
    assert_error(guest.enter(draw), 400, "Draw is closed", "DRAW_PAUSED")
    assert not Participation.objects.exists()
    row.update(paused_at=None)
    assert guest.enter(draw).status_code == 200


def test_guests_where_it_takes_none(world: World, clock: Any) -> None:
    draw = world.draw(supports_guest=False)
    assert_error(world.consumer().enter(draw), 403, "Sign-in required", "SIGN_IN_REQUIRED")
    assert not Participation.objects.exists()
    assert world.member().enter(draw).json()["status"] == "QUEUED"


def test_the_conditions_of_its_sequence(world: World, clock: Any) -> None:
    signed_in = make_draw(world.sequence_with("signed-in", requires_authentication=True))
    with_code = make_draw(world.sequence_with("coded", requires_access_code=True))
    listed = world.sequence_with("listed", requires_audience=True)
    AudienceMember.objects.create(sequence=listed, key=f"email:{ADA}")
    for_the_listed = make_draw(listed)
    guest, ada, grace = world.consumer(), world.member(ADA), world.member("grace@example.com")
    assert_error(guest.enter(signed_in), 403, "Sign-in required", "SIGN_IN_REQUIRED")
    assert grace.enter(signed_in).status_code == 200
    assert_error(grace.enter(with_code), 403, "Access code required", "ACCESS_CODE_REQUIRED")
    assert_error(grace.enter(for_the_listed), 403, "Not eligible", "NOT_ELIGIBLE")
    assert ada.enter(for_the_listed).json()["status"] == "QUEUED"
    assert Participation.objects.count() == 2


@pytest.mark.parametrize("metadata", [None, 5, "text", [1], {"long": "x" * 2048}])
def test_metadata_is_a_small_object(world: World, metadata: object) -> None:
    draw, guest = world.draw(), world.consumer()
    answer = guest.post(f"/draws/{draw.pk}/enter", {"metadata": metadata})
    body = assert_error(answer, 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["metadata"]
    assert not Participation.objects.exists()


# --- Devices --------------------------------------------------------------------------------------
@pytest.mark.parametrize("header", [None, "", "fp_123456789", "fp_" + "x" * 65])
def test_a_device_is_asked_for(world: World, header: str | None) -> None:
    draw, guest = world.draw(), world.consumer()
    del guest.headers["X-Fingerprint"]
    refused = guest.enter(draw, **({} if header is None else {"X-Fingerprint": header}))
    assert_error(refused, 400, "FINGERPRINT_REQUIRED", "FP001")
    assert refused.headers["X-Fingerprint-Error"] == "true"
    assert not Participation.objects.exists()


def test_one_device_brings_in_so_many_and_no_more(world: World, clock: Any) -> None:
    draw, third = world.draw(max_entries_per_fingerprint=2), world.consumer()
    inside = enter_all(world, draw, 2)
    denied = {
        "status": "DENIED",
        "drawStatus": "LOST",
        "denyReason": "DEVICE_LIMIT",
        "consumerId": third.id,
        "drawId": draw.pk,
        "enteredAt": "2026-12-01T09:00:00Z",
    }
    assert third.enter(draw).json() == denied  # no number, so no receipt
    assert third.enter(draw, **{"X-Fingerprint": "fp_another-device"}).json() == denied
    assert third.status(draw).json() == denied
    assert inside[0].enter(draw).json()["entryNumber"] == 1
    other = world.consumer(**{"X-Fingerprint": "fp_another-device"})
    assert other.enter(draw).json()["entryNumber"] == 3
    assert world.shop_front().get(f"/draws/{draw.pk}").json()["entrantCount"] == 3


def test_another_device_on_a_repeated_entry_is_flagged(world: World) -> None:
    draw, guest = world.draw(), world.consumer()
    guest.enter(draw)
    guest.enter(draw, **{"X-Fingerprint": FINGERPRINT})
    assert not Participation.objects.get().is_risky
    again = guest.enter(draw, **{"X-Fingerprint": "fp_another-device"})
    assert (again.status_code, again.json()["entryNumber"]) == (200, 1)
    assert Participation.objects.get().is_risky


# --- The rate -------------------------------------------------------------------------------------
def test_entries_are_counted_down_refused_and_given_anew(world: World, clock: Any) -> None:
    draw, queue, guest = world.draw(draws_in=3600), world.queue(), world.consumer()
    clock.move_to(START + 121)
    set_limits(world, drawEntry=3)
    assert [numbers(guest.enter(draw)) for _ in range(3)] == [(3, 2), (3, 1), (3, 0)]
    refused = guest.enter(draw)
    body = assert_error(refused, 429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED")
    assert numbers(refused) == (3, 0)
    assert (
        int(refused.headers["Retry-After"])
        == body["retryAfter"]
        == int(refused.headers[NAMES[2]]) - (START + 121)
    )
    assert guest.enter(queue).status_code == guest.status(draw).status_code == 200  # counted apart
    clock.shift(body["retryAfter"])
    assert numbers(guest.enter(draw)) == (3, 2)


def test_a_queues_entries_do_not_count_here(world: World, clock: Any) -> None:
    draw, queue, guest = world.draw(), world.queue(), world.consumer()
    set_limits(world, queueEntry=1)
    assert [guest.enter(queue).status_code for _ in range(2)] == [200, 429]
    assert numbers(guest.enter(draw)) == (1000, 999)  # the contract's own number
    assert numbers(guest.status(draw)) == (5000, 4999)


def test_every_refusal_has_the_headers(world: World, clock: Any) -> None:
    draw, pending, guest = world.draw(), world.draw(opens_in=30), world.consumer()
    unknown = "/draws/draw_00000000000000000000000000"
    refusals = [
        guest.status(draw),
        guest.get(f"{unknown}/status"),
        guest.post(f"{unknown}/enter"),
        guest.enter(pending),
        guest.enter(draw, **{"X-Fingerprint": ""}),
        guest.send("POST", f"/draws/{draw.pk}/enter", b"{"),
        world.shop_front().post(f"/draws/{draw.pk}/enter"),
    ]
    assert [answer.status_code for answer in refusals] == [404, 404, 404, 423, 400, 400, 400]
    for answer in refusals:
        numbers(answer)
    left = world.consumer()
    left.enter(draw)
    for answer in (left.leave(draw), world.shop_front().get(f"/draws/{draw.pk}/proof")):
        assert not set(NAMES) & set(answer.headers)
