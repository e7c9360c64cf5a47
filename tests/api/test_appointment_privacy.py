"""What is known of somebody's bookings: handed out whole; given up and emptied when they are erased."""

from typing import Any

import pytest

from consumers.models import Consumer, Message
from distributions import privacy
from distributions.appointments.models import Booking
from fanfare import clock as time
from tests.api.servers import redis_away
from tests.bookings import booked, bookings_of, move, require_true_bookings, slot
from tests.traces import redis_keys_with, tables_with
from tests.world import ConsumerClient, World, path_of

REASON = "my grandmother Ottilie is ill"


def export(who: ConsumerClient) -> dict[str, Any]:
    return privacy.export(Consumer.objects.get(pk=who.id))


def erase(who: ConsumerClient) -> bool:
    return privacy.erase(Consumer.objects.get(pk=who.id), now=time.now(), actor="staff:1")


def test_an_export_has_all_their_bookings(world: World, clock: Any) -> None:
    """Those of the guest they were, and those they gave up, with the reason; nobody else's."""
    appointment = world.appointment(max_bookings_per_consumer=3)
    guest, other = world.consumer(), world.consumer()
    first = booked(appointment, guest, slot(1))
    booked(appointment, guest, slot(2))
    guest.delete(f"{path_of(appointment)}/cancel?bookingId={first['bookingId']}&reason={REASON}")
    theirs = booked(appointment, other, slot(3))
    who = world.member("ada@example.com", guest=guest)
    third = booked(appointment, who, slot(4))
    found = {row["id"]: row for row in export(who)["bookings"]}
    assert len(found) == 3
    given_up = found[first["bookingId"]]
    assert (given_up["code"], given_up["reason"]) == (first["confirmationCode"], REASON)
    made = found[third["bookingId"]]
    assert (made["startsAt"], made["endsAt"]) == (third["startTime"], third["endTime"])
    assert made["distributionId"] == appointment.pk
    known = {row["id"] for row in export(who)["participations"]}
    assert {row["participationId"] for row in found.values()} <= known
    assert theirs["bookingId"] not in str(export(who))
    assert export(other)["bookings"][0]["id"] == theirs["bookingId"]


def test_erasing_gives_up_what_is_live(world: World, clock: Any) -> None:
    """The place is free at once; what was completed stays as a number; nothing names them any more."""
    appointment = world.appointment(max_bookings_per_consumer=4)
    who, late = world.member("ada@example.com"), world.consumer()
    numbers = {number: booked(appointment, who, slot(number))["bookingId"] for number in (1, 2, 3, 4)}
    who.delete(f"{path_of(appointment)}/cancel?bookingId={numbers[1]}&reason={REASON}")
    move(world, appointment, "complete", who, bookingId=numbers[2])
    move(world, appointment, "deny", who, bookingId=numbers[3], reason=f"{REASON}, she says")
    assert Message.objects.filter(consumer=who.id).exists()
    assert erase(who)
    assert [what for _, what in bookings_of(appointment, who.id)] == ["LEFT", "COMPLETED", "DENIED", "LEFT"]
    booked(appointment, late, slot(4))
    assert set(Booking.objects.values_list("reason", flat=True)) == {""}
    for text in ("Ottilie", "ada@example.com"):
        assert (tables_with(text), redis_keys_with(text)) == (set(), set())
    assert not Message.objects.filter(consumer=who.id).exists()
    require_true_bookings(appointment)
    assert not erase(who)


@pytest.mark.parametrize("hours", [26, 72])
def test_erasing_after_the_time_is_over(world: World, clock: Any, hours: int) -> None:
    """Whom nobody checked in within a day has missed it; before that they give it up."""
    appointment, who = world.appointment(), world.member("ada@example.com")
    booked(appointment, who, slot())
    clock.shift(hours * 3600)
    assert erase(who)
    expected = "LEFT" if hours == 26 else "ADMISSION_EXPIRED"
    assert [what for _, what in bookings_of(appointment, who.id)] == [expected]
    require_true_bookings(appointment)


def test_erasing_without_redis(world: World, clock: Any) -> None:
    appointment, who, late = world.appointment(), world.member("ada@example.com"), world.consumer()
    booked(appointment, who, slot())
    with redis_away():
        assert erase(who)
        booked(appointment, late, slot())
    require_true_bookings(appointment)
