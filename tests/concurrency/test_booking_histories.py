"""Invariant 17, by machine: any history of an appointment comes to what a plain model of the rules says.

Booking, rebooking, cancelling, check-ins, denials, changes of hours, places and terms, blocks, and time that
passes, in any order, against PostgreSQL; after each step all bookings and all slots are compared.
"""

import datetime as dt
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from distributions import tasks
from distributions.appointments import blocks, openings, rules, setup
from distributions.appointments.models import Block, Booking
from distributions.appointments.validation import WEEKDAYS
from distributions.core.models import Distribution, Reason
from distributions.core.standing import Standing
from fanfare import clock as time
from fanfare import errors
from tests.audits import audited
from tests.bookings import asked, require_true_bookings
from tests.concurrency.plain_calendar import DAY, DENIED, DONE, MISSED, PlainBooking, PlainCalendar
from tests.conftest import START
from tests.lines import make_consumers
from tests.world import World, loaded, path_of

PEOPLE = 3
MIDNIGHT = START.replace(hour=0)
BY: dict[str, Any] = {"actor": "staff:1"}
Told = tuple[str, PlainBooking | None]
anybody = some.integers(0, PEOPLE - 1)
nth = some.integers(0, 9)
wishes = some.lists(some.tuples(anybody, nth), min_size=2, max_size=5)
which = some.none() | some.integers(0, 3)
HOURS = [[(0, DAY)], [(540, 1_020)], [(480, 720), (780, 1_080)], [(600, 840)]]
calendars = some.fixed_dictionaries(
    {
        "hours": some.sampled_from(HOURS),
        "minutes": some.sampled_from([60, 90, 180]),
        "buffer": some.sampled_from([0, 0, 30]),
    }
)
terms = some.fixed_dictionaries(
    {
        "places": some.integers(1, 2),
        "limit": some.integers(1, 3),
        "notice": some.sampled_from([0, 0, 60, 300]),
        "days_ahead": some.integers(1, 2),
        "cancellation": some.sampled_from([0, 0, 60, 300]),
    }
)
NAMES = {
    "minutes": "slot_minutes",
    "buffer": "buffer_minutes",
    "places": "places_per_slot",
    "limit": "max_bookings_per_consumer",
    "notice": "least_notice_minutes",
    "days_ahead": "furthest_ahead_days",
    "cancellation": "latest_cancellation_minutes",
}


def at(minute: int) -> dt.datetime:
    return MIDNIGHT + dt.timedelta(minutes=minute)


def minute_of(instant: dt.datetime) -> int:
    return int((instant - MIDNIGHT).total_seconds()) // 60


def stored_as(plain: dict[str, Any]) -> dict[str, Any]:
    """The model's settings by their names and in their form in the product."""
    found = {NAMES[name]: value for name, value in plain.items() if name in NAMES}
    if "hours" in plain:
        pairs = [[f"{m // 60:02}:{m % 60:02}" for m in pair] for pair in plain["hours"]]
        found["opening_hours"] = {day: pairs for day in WEEKDAYS}
    return found


def has_bookings(machine: Any) -> bool:
    return bool(machine.ids)


class Histories(RuleBasedStateMachine):
    """One appointment and everything that may befall it, and the same in the model."""

    world: ClassVar[World]
    clock: ClassVar[Any]
    people: ClassVar[list[str]]
    plain: PlainCalendar
    appointment: Distribution

    @initialize(calendar=calendars, more=terms, wishes=wishes)
    def announce(self, calendar: dict[str, Any], more: dict[str, Any], wishes: list[tuple[int, int]]) -> None:
        self.clock.move_to(START)
        self.plain = PlainCalendar(**calendar, **more)
        self.appointment = self.world.appointment(**stored_as(calendar | more))
        self.ids: dict[str, PlainBooking] = {}  # by the product's ids
        self.blocks: list[Block] = []
        self.book_some(wishes)

    @property
    def now(self) -> int:
        return minute_of(time.now())

    # --- People ---

    @rule(who=anybody, number=nth)
    def book(self, who: int, number: int) -> None:
        start = self._start(number)
        expected = self.plain.book(str(who), start, self.now)
        self._compare(lambda: rules.book(self.appointment, asked(self.people[who], at(start))), expected)

    @rule(wishes=wishes)
    def book_some(self, wishes: list[tuple[int, int]]) -> None:
        for who, number in wishes:
            self.book(who, number)

    @precondition(has_bookings)
    @rule(who=anybody, number=nth, which=which)
    def rebook(self, who: int, number: int, which: int | None) -> None:
        start, (named, identity) = self._start(number), self._named(who, which)
        expected = self.plain.rebook(str(who), start, self.now, named)
        ask = asked(self.people[who], at(start))
        self._compare(lambda: rules.rebook(self.appointment, ask, identity), expected)

    @precondition(has_bookings)
    @rule(who=anybody, which=which)
    def cancel(self, who: int, which: int | None) -> None:
        named, identity = self._named(who, which)
        expected = self.plain.cancel(str(who), self.now, named)
        ask = asked(self.people[who], time.now())
        self._compare(
            lambda: Standing.of(rules.cancel(self.appointment, ask, identity).participation), expected
        )

    # --- The shop ---

    @precondition(has_bookings)
    @rule(who=anybody, which=which)
    def complete(self, who: int, which: int | None) -> None:
        self._move("complete", DONE, who, which)

    @precondition(has_bookings)
    @rule(who=anybody, which=which, is_meant=some.sampled_from([False, False, False, True]))
    def deny(self, who: int, which: int | None, is_meant: bool) -> None:
        """Now and then: nobody books after it."""
        if is_meant:
            self._move("deny", DENIED, who, which)

    def _move(self, verb: str, to: str, who: int, which: int | None) -> None:
        named, identity = self._named(who, which)
        code, one = self.plain.move(to, str(who), self.now, named)
        body = {"consumerId": self.people[who], **({"bookingId": identity} if identity else {})}
        body |= {"reason": "ADMIN_ACTION"} if verb == "deny" else {}
        told = self.world.server().post(f"{path_of(self.appointment)}/{verb}", body).json()
        assert told.get("code", told.get("status")) == code, told
        if one is not None:
            assert self.ids[told["bookingId"]] is one

    # --- Staff and time ---

    @rule(values=calendars | terms)
    def change(self, values: dict[str, Any]) -> None:
        """Other hours or other terms; what is booked stays as it is."""
        trail: Any = {**BY, "now": time.now()}
        setup.SETTINGS.update(loaded(self.appointment), stored_as(values), **trail)
        for name, value in values.items():
            setattr(self.plain, name, value)

    @rule(number=nth, minutes=some.sampled_from([30, 120, 600]))
    def block(self, number: int, minutes: int) -> None:
        start = self._start(number) - 15
        trail: Any = {**BY, "now": time.now(), "note": ""}
        self.blocks.append(blocks.block(self.appointment, at(start), at(start + minutes), **trail))
        self.plain.blocked.append((start, start + minutes))

    @rule(number=nth)
    def unblock(self, number: int) -> None:
        if not self.blocks:
            return
        found = self.blocks.pop(number % len(self.blocks))
        assert blocks.unblock(found, now=time.now(), **BY)
        self.plain.blocked.remove((minute_of(found.starts_at), minute_of(found.ends_at)))

    @rule(minutes=some.sampled_from([1, 60, 180, 600]), is_swept=some.booleans())
    def pass_time(self, minutes: int, is_swept: bool) -> None:
        self.clock.shift(60 * minutes)
        if is_swept:
            tasks.expire_admissions()

    # --- Comparing ---

    def _start(self, number: int) -> int:
        """Where one of the next slots begins that may be asked for, so that people meet; now and then one
        that may not, or no slot at all.
        """
        if number < 7 and (offered := sorted(self.plain.offered(self.now))):
            return offered[number % min(4, len(offered))]
        found = [start for start, _ in self.plain.slots(self.now // DAY, 4) if start > self.now - 180]
        return found[-number] if number < len(found) else self.now + 30 * number

    def _named(self, who: int, which: int | None) -> tuple[PlainBooking | None, str]:
        """A booking of theirs, or the last one of all whosever it is; in the model and by its id."""
        mine = [pair for pair in self.ids.items() if pair[1].who == str(who)]
        pairs = mine if which != 3 else list(self.ids.items())[-1:]
        if which is None or not pairs:
            return None, ""
        identity, named = pairs[which % len(pairs)]
        return named, identity

    def _compare(self, deed: Any, expected: Told) -> None:
        """The product says what the model says, and of the same booking."""
        code, one = expected
        try:
            standing: Standing = deed()
        except errors.FanfareError as refusal:
            assert refusal.code == code
            return
        assert str(standing.status) == code
        made = Booking.objects.get(participation_id=standing.id)
        assert one is not None
        assert self.ids.setdefault(made.pk, one) is one

    @invariant()
    def all_bookings_are_so(self) -> None:
        rows = Booking.objects.filter(distribution=self.appointment).select_related("participation")
        found = {row.pk: (row.starts_at, row.ends_at, state_of(row)) for row in rows}
        assert found == {
            identity: (at(one.start), at(one.end), one.state_at(self.now))
            for identity, one in self.ids.items()
        }
        assert len(self.ids) == len(self.plain.bookings)

    @invariant()
    def all_slots_are_so(self) -> None:
        now, today = time.now(), time.now().date()
        days = today, today + dt.timedelta(days=3)
        found = openings.between(loaded(self.appointment), *days, now=now)
        told = {opening.slot.start: opening.available for opening in found}
        assert told == {at(start): left for start, left in self.plain.offered(self.now).items()}

    def teardown(self) -> None:
        if hasattr(self, "appointment"):
            require_true_bookings(self.appointment)
            audited(self.appointment)


def state_of(row: Booking) -> str:
    standing = Standing.of(row.participation).at(time.now())
    return MISSED if standing.deny_reason == Reason.ADMISSION_EXPIRED else str(standing.status)


def test_any_history_comes_to_what_the_plain_rules_say(world: World, clock: Any) -> None:
    Histories.world, Histories.clock = world, clock
    Histories.people = make_consumers(world, PEOPLE)
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
