"""Signing in, booking and the shop's moves at once: no deadlock, no place lost, nobody has too many."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from consumers.models import Consumer
from distributions import merging, privacy
from distributions.appointments import rules
from distributions.appointments.models import Booking
from distributions.core.models import Distribution, Participation, Status
from fanfare import clock as time
from fanfare import errors
from tests.bookings import HOLDING, asked, book, cancel, most_held_ever, require_true_bookings, slot
from tests.concurrency.race import race
from tests.lines import complete, make_consumers
from tests.world import World

ROUNDS = 12
REFUSED = (
    errors.BookingLimit,
    errors.IllegalMove,
    errors.Invalid,
    errors.NotAuthenticated,
    errors.NotEntered,
    errors.NotFound,
    errors.SlotFull,
)
Deeds = list[Callable[[], object]]


def merge(guest: str, person: str) -> None:
    with transaction.atomic():
        merging.merge(guest, Consumer.objects.get(pk=person), now=time.now())


def all_at_once(deeds: Deeds) -> None:
    """Each in a thread of its own; what is refused is no error, and a deadlock is."""

    def run(index: int) -> None:
        try:
            deeds[index]()
        except REFUSED:
            return

    race(len(deeds), run).all()


def of_one(appointment: Distribution, who: str, number: int) -> Deeds:
    """What somebody and the shop do at once about slots of this round."""
    return [
        lambda: book(appointment, who, slot(number)),
        lambda: book(appointment, who, slot(number + 1)),
        lambda: rules.rebook(appointment, asked(who, slot(number + 2)), ""),
        lambda: cancel(appointment, who),
        lambda: complete(appointment, who),
    ]


def held_by(appointment: Distribution, who: str) -> int:
    rows = Participation.objects.filter(distribution=appointment, consumer_id=who, status__in=HOLDING)
    return rows.count()


def done_by(appointment: Distribution, who: str) -> int:
    """Whom the shop has checked in twice, as the guest and as themselves, it has: nothing takes that back."""
    rows = Participation.objects.filter(distribution=appointment, consumer_id=who)
    return rows.filter(status=Status.COMPLETED).count()


@pytest.mark.parametrize("limit", [1, 2])
def test_signing_in_while_all_goes_on(world: World, limit: int) -> None:
    """Two appointments, a guest and who they turn out to be: tabs of both, the shop, and two sign-ins."""
    appointments = [world.appointment(max_bookings_per_consumer=limit) for _ in range(2)]
    for number in range(ROUNDS):
        guest, person = make_consumers(world, 2)
        Consumer.objects.filter(pk=person).update(is_guest=False)
        for appointment in appointments:
            book(appointment, guest, slot(3 * number))
        book(appointments[0], person, slot(3 * number + 1))
        deeds: Deeds = [lambda g=guest, p=person: merge(g, p) for _ in range(2)]  # type: ignore[misc]
        for appointment in appointments:
            for who in (guest, person):
                deeds += of_one(appointment, who, 3 * number)
        all_at_once(deeds)
        assert Consumer.objects.get(pk=guest).merged_into_id == person
        for appointment in appointments:
            assert held_by(appointment, guest) == 0
            assert held_by(appointment, person) <= max(limit, done_by(appointment, person))
            require_true_bookings(appointment)
    for appointment in appointments:
        rows = Booking.objects.filter(distribution=appointment, participation__status__in=HOLDING)
        starts = list(rows.values_list("starts_at", flat=True))
        assert len(set(starts)) == len(starts)


def test_two_guests_of_one_person_sign_in_at_once(world: World) -> None:
    """Each brings one along; two are allowed, and these are the ones made first."""
    appointment = world.appointment(max_bookings_per_consumer=2)
    for number in range(ROUNDS):
        *guests, person = make_consumers(world, 4)
        Consumer.objects.filter(pk=person).update(is_guest=False)
        for turn, guest in enumerate(guests):
            book(appointment, guest, slot(3 * number + turn))
        race(3, lambda index, g=guests, p=person: merge(g[index], p)).all()  # type: ignore[misc]
        rows = Participation.objects.filter(distribution=appointment, consumer_id=person)
        assert held_by(appointment, person) == 2
        units = list(rows.values_list("unit", flat=True))
        assert len(set(units)) == len(units)
    require_true_bookings(appointment, limit=2)


def test_erasing_while_all_goes_on(world: World) -> None:
    appointment = world.appointment(max_bookings_per_consumer=2)
    for number, who in enumerate(make_consumers(world, ROUNDS)):
        made = book(appointment, who, slot(3 * number))
        person = Consumer.objects.get(pk=who)
        deeds: Deeds = of_one(appointment, who, 3 * number)
        deeds += [
            lambda p=person: privacy.erase(p, now=time.now(), actor="staff:1"),  # type: ignore[misc]
            lambda w=who, m=made: rules.cancel(  # type: ignore[misc]
                appointment, asked(w, time.now()), Booking.objects.get(participation=m.id).pk, reason="ill"
            ),
        ]
        all_at_once(deeds)
        rows = Participation.objects.filter(consumer_id=who)
        assert not rows.filter(status=Status.ADMITTED).exists()
        assert not Booking.objects.filter(participation__in=rows).exclude(reason="").exists()
    require_true_bookings(appointment)


def test_a_slot_and_its_guests_who_sign_in_or_are_erased(world: World, clock: Any) -> None:
    """Their places go to others at the same time, each once."""
    appointment = world.appointment()
    for number in range(ROUNDS):
        first, person, *others = make_consumers(world, 8)
        Consumer.objects.filter(pk=person).update(is_guest=False)
        book(appointment, person, slot(2 * number))
        book(appointment, first, slot(2 * number + 1))  # the later one: it leaves
        clock.shift(1)
        deeds: Deeds = [lambda f=first, p=person: merge(f, p)]  # type: ignore[misc]
        deeds += [lambda w=who, n=number: book(appointment, w, slot(2 * n + 1)) for who in others]  # type: ignore[misc]
        all_at_once(deeds)
        assert held_by(appointment, person) == 1
        assert sum(held_by(appointment, who) for who in others) <= 1
        if not any(held_by(appointment, who) for who in others):
            book(appointment, others[0], slot(2 * number + 1))
        clock.shift(1)
    assert most_held_ever(appointment) == 1
    require_true_bookings(appointment, limit=1)
