"""The calendar of an appointment: from opening hours to slots, right across changes of the clocks. Pure.

A day's hours are all the instants at which the clocks of the zone show a time within them: an hour that the
clocks skip has none, one that they show twice is there twice, a day that they skip is not there at all.
A slot lies whole within such a stretch; the next one begins when the slot and its buffer are over, by the
time that passes. A buffer may reach past the end of a stretch, but not into the next one, be it of the next
day: the slot before it is left out then. So a day's slots never hang on those of the days before. Times of
day are minutes from midnight, 0 to 1,440; instants are in UTC.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

Hours = Sequence[tuple[int, int]]
"""From when until when it is open, minutes of the day, in order and apart."""

DAY = dt.timedelta(days=1)
_FOLLOWING = 3  # days in which a buffer may end, of which the clocks may skip one
_LOOK = dt.timedelta(hours=12)  # no zone changes its clocks there and back within this
_SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True, order=True)
class Slot:
    """From when until when, in UTC."""

    start: dt.datetime
    end: dt.datetime

    def overlaps(self, start: dt.datetime, end: dt.datetime) -> bool:
        """Whether any of it lies between these."""
        return self.start < end and start < self.end


@dataclass(frozen=True)
class Plan:
    """What slots follow from: hours of the seven weekdays (Monday first) and of days that are different."""

    zone: ZoneInfo
    weekly: Sequence[Hours]
    exceptions: Mapping[dt.date, Hours]
    length: dt.timedelta
    buffer: dt.timedelta

    def hours(self, day: dt.date) -> Hours:
        """When it is open on a day of the zone's calendar."""
        return self.exceptions.get(day, self.weekly[day.weekday()])


@dataclass(frozen=True)
class _Period:
    """A time in which the clocks are not changed: `offset` is what they show less UTC."""

    start: dt.datetime
    end: dt.datetime
    offset: dt.timedelta


def between(plan: Plan, first: dt.date, last: dt.date) -> list[Slot]:
    """The slots of these days of the zone's calendar, both included, in order."""
    days = [first + number * DAY for number in range((last - first).days + 1 + _FOLLOWING)]
    periods = list(_periods(plan.zone, _midnight(first) - DAY, _midnight(days[-1]) + 2 * DAY))
    stretches = sorted(
        (stretch, day)
        for day in days
        for hours in plan.hours(day)
        for stretch in _stretches(periods, _midnight(day), hours)
    )
    starts = [stretch.start for stretch, _ in stretches] + [periods[-1].end]
    return [
        slot
        for (stretch, day), following in zip(stretches, starts[1:], strict=True)
        if day <= last
        for slot in _fill(stretch, plan)
        if slot.end + plan.buffer <= following
    ]


def at(plan: Plan, start: dt.datetime) -> Slot | None:
    """The slot that starts at this instant; None: there is none, as on the first and last days of all."""
    try:
        day = start.astimezone(plan.zone).date()
        found = between(plan, day, day)
    except OverflowError:
        return None
    return next((slot for slot in found if slot.start == start), None)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _periods(zone: ZoneInfo, start: dt.datetime, end: dt.datetime) -> Iterator[_Period]:
    """The time between these, cut where the clocks are changed."""
    began, seen, offset = start, start, _offset(zone, start)
    while seen < end:
        ahead = min(seen + _LOOK, end)
        if _offset(zone, ahead) == offset:
            seen = ahead
            continue
        seen = _change(zone, seen, ahead)
        yield _Period(began, seen, offset)
        began, offset = seen, _offset(zone, seen)
    yield _Period(began, end, offset)


def _offset(zone: ZoneInfo, at: dt.datetime) -> dt.timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _change(zone: ZoneInfo, before: dt.datetime, after: dt.datetime) -> dt.datetime:
    """The first second with new clocks; `before` has the old ones, `after` others."""
    old = _offset(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // (2 * _SECOND) * _SECOND
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


def _stretches(periods: Sequence[_Period], midnight: dt.datetime, hours: tuple[int, int]) -> list[Slot]:
    """When the clocks show these hours of the day: once, twice, in parts or never.

    `midnight` is the day's, as if its clocks showed UTC.
    """
    opens, closes = (midnight + dt.timedelta(minutes=minute) for minute in hours)
    found: list[Slot] = []
    for period in periods:
        start = max(period.start, opens - period.offset)
        end = min(period.end, closes - period.offset)
        if start >= end:
            continue
        if found and found[-1].end == start:
            start = found.pop().start
        found.append(Slot(start, end))
    return found


def _fill(stretch: Slot, plan: Plan) -> Iterator[Slot]:
    start = stretch.start
    while start + plan.length <= stretch.end:
        yield Slot(start, start + plan.length)
        start += plan.length + plan.buffer
