"""The rules of appointments once more, as they are announced: plain, slow, from the list of bookings alone.

Nothing is shared with the product. Times are minutes since some midnight, in a zone whose clocks never
change; people are any names.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

DAY = 1_440
HELD, DONE, DENIED, LEFT, MISSED = "ADMITTED", "COMPLETED", "DENIED", "LEFT", "MISSED"


@dataclass(eq=False)
class PlainBooking:
    """One of somebody's; `ended` is when it was given up or taken away."""

    who: str
    start: int
    end: int
    state: str = HELD
    ended: int | None = None

    def state_at(self, now: int) -> str:
        """Whom nobody checked in within a day of the end has missed it."""
        return MISSED if self.state == HELD and now >= self.end + DAY else self.state

    def was_ahead_until(self) -> int:
        return self.end if self.ended is None else min(self.ended, self.end)

    def distance(self, now: int) -> int:
        return max(self.start - now, now - self.end, 0)


@dataclass
class PlainCalendar:
    """Settings, what is blocked, and all bookings that there ever were."""

    hours: list[tuple[int, int]]
    minutes: int
    buffer: int = 0
    places: int = 1
    limit: int = 1
    notice: int = 0
    days_ahead: int = 1
    cancellation: int = 0
    blocked: list[tuple[int, int]] = field(default_factory=list)
    bookings: list[PlainBooking] = field(default_factory=list)

    # --- What there is ---

    def slots(self, first_day: int, days: int) -> Iterator[tuple[int, int]]:
        openings = [
            DAY * day + opens for day in range(first_day, first_day + days + 2) for opens, _ in self.hours
        ]
        for day in range(first_day, first_day + days):
            for opens, closes in self.hours:
                start = DAY * day + opens
                while start + self.minutes <= DAY * day + closes:
                    busy = range(start + 1, start + self.minutes + self.buffer)
                    if not any(opening in busy for opening in openings):  # the buffer reaches into the next
                        yield start, start + self.minutes
                    start += self.minutes + self.buffer

    def taken(self, start: int, end: int) -> int:
        return sum(one.state in (HELD, DONE) and one.start < end and start < one.end for one in self.bookings)

    def offered(self, now: int) -> dict[int, int]:
        """By their starts, the slots that can be asked for, and how many places each has left."""
        found = {}
        for start, end in self.slots(now // DAY, self.days_ahead + 1):
            is_early_enough = start > now and start >= now + self.notice
            is_blocked = any(first < end and start < last for first, last in self.blocked)
            if is_early_enough and start <= now + DAY * self.days_ahead and not is_blocked:
                found[start] = max(0, self.places - self.taken(start, end))
        return found

    def of(self, who: str) -> list[PlainBooking]:
        return [one for one in self.bookings if one.who == who]

    def ahead(self, who: str, now: int) -> list[PlainBooking]:
        return [one for one in self.of(who) if one.state in (HELD, DONE) and one.end > now]

    # --- What people do: a code, and the booking that it is about ---

    def book(self, who: str, start: int, now: int) -> tuple[str, PlainBooking | None]:
        for one in self.ahead(who, now):
            if one.start == start:
                return one.state, one
        denied = [one for one in self.of(who) if one.state == DENIED]
        if denied:
            return DENIED, denied[0]
        refused = self._refusal(start, now)
        if not refused and len(self.ahead(who, now)) >= self.limit:
            refused = "BOOKING_LIMIT_REACHED"
        return (refused, None) if refused else self._add(who, start)

    def rebook(
        self, who: str, start: int, now: int, named: PlainBooking | None
    ) -> tuple[str, PlainBooking | None]:
        there = [one for one in self.ahead(who, now) if one.start == start]
        if there and named is None:
            return there[0].state, there[0]
        code, old = self._meant(who, now, named)
        if old is None:
            return code, None
        if there and (old.state == LEFT or old is there[0]):
            return there[0].state, there[0]
        refused = self._why_it_stays(old, now)
        if not refused and not there:
            others = [one for one in self.ahead(who, now) if one is not old]
            refused = self._refusal(start, now)
            if len(others) >= self.limit:
                refused = "BOOKING_LIMIT_REACHED"
            if any(one.state == DENIED for one in self.of(who)):
                refused = "ILLEGAL_TRANSITION"
        if refused:
            return refused, None
        told = (there[0].state, there[0]) if there else self._add(who, start)
        old.state, old.ended = LEFT, now
        return told

    def cancel(self, who: str, now: int, named: PlainBooking | None) -> tuple[str, PlainBooking | None]:
        code, old = self._meant(who, now, named)
        if old is None or old.state == LEFT:
            return (LEFT, old) if old else (code, None)
        refused = self._why_it_stays(old, now)
        if refused:
            return refused, None
        old.state, old.ended = LEFT, now
        return LEFT, old

    def move(
        self, to: str, who: str, now: int, named: PlainBooking | None
    ) -> tuple[str, PlainBooking | None]:
        """The shop's word on a booking: done or denied."""
        if named is not None and named.who != who:
            return "BOOKING_NOT_FOUND", None
        mine = [one for one in self.of(who) if one.state != LEFT]
        if named is None and not mine:
            return ("ILLEGAL_TRANSITION" if self.of(who) else "CONSUMER_NOT_IN_APPOINTMENT"), None
        one = named or self._nearest(mine, now)
        state = one.state_at(now)
        if state not in (HELD, to):
            return "ILLEGAL_TRANSITION", None
        if state == HELD:
            one.state = to
            one.ended = now if to == DENIED else None
        return to, one

    # --- How it is decided ---

    def _refusal(self, start: int, now: int) -> str:
        left = self.offered(now).get(start)
        return "SLOT_NOT_FOUND" if left is None else "SLOT_FULL" if left == 0 else ""

    def _add(self, who: str, start: int) -> tuple[str, PlainBooking]:
        made = PlainBooking(who, start, start + self.minutes)
        self.bookings.append(made)
        return HELD, made

    def _meant(self, who: str, now: int, named: PlainBooking | None) -> tuple[str, PlainBooking | None]:
        if named is not None:
            return ("", named) if named.who == who else ("BOOKING_NOT_FOUND", None)
        ahead = self.ahead(who, now)
        if len(ahead) > 1:
            return "VALIDATION_FAILED", None
        if ahead:
            return "", ahead[0]
        if not self.of(who):
            return "BOOKING_NOT_FOUND", None
        return "", max(reversed(self.of(who)), key=PlainBooking.was_ahead_until)

    def _why_it_stays(self, one: PlainBooking, now: int) -> str:
        if one.state_at(now) != HELD:
            return "ILLEGAL_TRANSITION"
        return "TOO_LATE_TO_CANCEL" if now > one.start - self.cancellation else ""

    def _nearest(self, mine: list[PlainBooking], now: int) -> PlainBooking:
        """Of the last that has begun and the next one, the one that is less far away."""
        before = [one for one in mine if one.start <= now]
        after = [one for one in mine if one.start > now]
        found = [max(before, key=lambda one: one.start)] if before else []
        found += [min(after, key=lambda one: one.start)] if after else []
        return min(found, key=lambda one: one.distance(now))
