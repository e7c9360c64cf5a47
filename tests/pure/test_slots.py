"""The slots of an appointment, for any zone, day, hours, length and buffer: laws, and values by hand.

What a clock shows is asked of `zoneinfo` tick by tick, so that nothing here knows how slots are reckoned.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from distributions.appointments.slots import Hours, Plan, Slot, at, between

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
ALWAYS: Hours = [(0, 1440)]
NIGHT: Hours = [(0, 185), (1380, 1440)]  # what a change of the clocks may touch
CHANGES = [  # a zone, and a day on which its clocks are changed, or the day before
    ("America/Asuncion", "2023-10-01"),  # 0:00 → 1:00
    ("America/Asuncion", "2023-03-25"),  # 24:00 → 23:00
    ("Asia/Beirut", "2024-03-31"),  # 0:00 → 1:00
    ("Asia/Beirut", "2024-10-26"),  # 24:00 → 23:00
    ("America/Havana", "2024-03-10"),  # 0:00 → 1:00
    ("America/Havana", "2024-11-03"),  # 1:00 → 0:00
    ("Africa/Cairo", "2024-04-26"),  # 0:00 → 1:00
    ("Africa/Cairo", "2024-10-31"),  # 24:00 → 23:00
    ("America/St_Johns", "2006-04-02"),  # 0:01 → 1:01
    ("America/St_Johns", "2006-10-29"),  # 0:01 → 23:01 of the day before
    ("Australia/Lord_Howe", "2024-10-06"),  # by 30 minutes
    ("Australia/Lord_Howe", "2024-04-07"),
    ("Antarctica/Troll", "2024-03-31"),  # by two hours
    ("Antarctica/Troll", "2024-10-27"),
    ("Pacific/Apia", "2011-12-29"),  # the 30th is not there
    ("Pacific/Kwajalein", "1993-08-20"),  # the 21st is not there
    ("Pacific/Kwajalein", "1969-09-29"),  # nearly all of the 30th is there twice
    ("Africa/Casablanca", "2024-03-10"),  # before Ramadan
    ("Africa/Casablanca", "2024-04-14"),  # after it
    ("Africa/Monrovia", "1972-01-06"),  # from an offset with seconds, by 44:30
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
]


def minutes(number: int) -> dt.timedelta:
    return dt.timedelta(minutes=number)


def plan_of(
    zone: str,
    hours: Hours = ALWAYS,
    *,
    length: int = 30,
    buffer: int = 0,
    exceptions: Mapping[dt.date, Hours] | None = None,
) -> Plan:
    """These hours on all days; `length` and `buffer` in minutes."""
    return Plan(zoneinfo.ZoneInfo(zone), [hours] * 7, exceptions or {}, minutes(length), minutes(buffer))


# --- What the clocks show -------------------------------------------------------------------------
def hours_on(plan: Plan, day: dt.date) -> Hours:
    return plan.exceptions[day] if day in plan.exceptions else plan.weekly[day.isoweekday() - 1]


def stretches(plan: Plan, first: dt.date, last: dt.date) -> Iterator[Slot]:
    """The longest times without a break in which the clocks show the same hours of the same day."""
    start = dt.datetime.combine(first, dt.time(), dt.UTC) - 2 * DAY
    tick = (
        MINUTE if (start.astimezone(plan.zone).utcoffset() or DAY) % MINUTE == dt.timedelta() else MINUTE / 2
    )
    before, began = None, start
    for number in range(((last - first) + 5 * DAY) // tick):
        now = start + number * tick
        shown = _shown(plan, now, first, last)
        if shown != before:
            if before is not None:
                yield Slot(began, now)
            before, began = shown, now


def _shown(plan: Plan, now: dt.datetime, first: dt.date, last: dt.date) -> tuple[dt.date, int] | None:
    local = now.astimezone(plan.zone)
    if not first <= local.date() <= last:
        return None
    minute = local.hour * 60 + local.minute
    for number, (opens, closes) in enumerate(hours_on(plan, local.date())):
        if opens <= minute < closes:
            return local.date(), number
    return None


# --- Laws -----------------------------------------------------------------------------------------
def require_lawful(plan: Plan, first: dt.date, last: dt.date) -> list[Slot]:
    found, days = between(plan, first, last), (last - first).days + 1
    assert found == sorted(found)
    assert {slot.end - slot.start for slot in found} <= {plan.length}
    for slot, following in zip(found, found[1:], strict=False):
        assert following.start >= slot.end + plan.buffer
    left = list(found)
    for stretch in stretches(plan, first, last):
        inside = [slot for slot in left if stretch.start <= slot.start < stretch.end]
        require_filled(plan, stretch, inside)
        left = [slot for slot in left if slot not in inside]
    assert left == []  # outside the hours
    parts = [between(plan, first + number * DAY, first + number * DAY) for number in range(days)]
    assert sorted(slot for part in parts for slot in part) == found
    require_found(plan, found)
    return found


def require_filled(plan: Plan, stretch: Slot, inside: list[Slot]) -> None:
    """One after the other from the start on, until no slot with its buffer is left room for."""
    room = stretch.start
    for slot in inside:
        assert slot.start == room
        assert slot.end <= stretch.end
        room = slot.end + plan.buffer
    assert stretch.end - room < plan.length + plan.buffer


def require_found(plan: Plan, found: Sequence[Slot]) -> None:
    starts = {slot.start: slot for slot in found}
    for slot in found:
        assert at(plan, slot.start) == slot
        for near in (slot.start + dt.timedelta(microseconds=1), slot.start + MINUTE, slot.end - MINUTE):
            assert near in starts or at(plan, near) is None


@some.composite
def any_hours(draw: some.DrawFn) -> Hours:
    """Some of the spans between some times of a day; they may touch."""
    points = sorted(draw(some.sets(some.integers(0, 288), max_size=6)))
    spans = [(5 * start, 5 * end) for start, end in zip(points, points[1:], strict=False)]
    return [span for span in spans if draw(some.booleans())]


@some.composite
def any_day(draw: some.DrawFn) -> tuple[str, dt.date]:
    """Mostly one about which the clocks of the zone are changed, where they are."""
    zone = draw(some.sampled_from(sorted(zoneinfo.available_timezones())))
    day = draw(some.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1)))
    if draw(some.integers(0, 3)):
        day = next((day + n * DAY for n in range(366) if is_changed(zone, day + n * DAY)), day)
    return zone, day - draw(some.integers(0, 1)) * DAY


def is_changed(zone: str, day: dt.date) -> bool:
    noon = dt.datetime.combine(day, dt.time(12), dt.UTC)
    offsets = {(noon + n * DAY).astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() for n in (-1, 0)}
    return len(offsets) > 1


@settings(deadline=None, max_examples=150)
@given(any_day(), some.lists(any_hours(), min_size=7, max_size=7), some.data())
def test_any_calendar_keeps_the_laws(
    where: tuple[str, dt.date], weekly: list[Hours], data: some.DataObject
) -> None:
    zone, first = where
    length = data.draw(some.integers(1, 24).map(lambda n: 5 * n) | some.integers(5, 1440))
    buffer = data.draw(some.just(0) | some.integers(0, 90) | some.integers(0, 1440))
    days = data.draw(some.integers(1, 3))
    others = some.dictionaries(
        some.integers(-1, days).map(lambda n: first + n * DAY), any_hours(), max_size=2
    )
    plan = Plan(zoneinfo.ZoneInfo(zone), weekly, data.draw(others), minutes(length), minutes(buffer))
    require_lawful(plan, first, first + (days - 1) * DAY)


@pytest.mark.parametrize("hours", [ALWAYS, NIGHT, [(15, 45), (45, 100), (1425, 1440)]])
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_changes_of_the_clocks_keep_the_laws(zone: str, day: str, hours: Hours) -> None:
    first = dt.date.fromisoformat(day)
    for length, buffer in ((15, 0), (30, 10), (60, 45), (150, 0)):
        found = require_lawful(plan_of(zone, hours, length=length, buffer=buffer), first, first + DAY)
        assert found or length > 30


@given(
    some.sampled_from(sorted(zoneinfo.available_timezones())),
    some.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1)),
)
@settings(deadline=None)
def test_an_instant_is_in_one_slot_where_it_is_always_open(zone: str, day: dt.date) -> None:
    """Of a calendar that has no gaps, whatever the clocks do: none is lost, none is there twice."""
    assume(
        (dt.datetime.combine(day, dt.time(), dt.UTC).astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() or DAY)
        % minutes(15)
        == dt.timedelta()
    )
    found = between(plan_of(zone, length=15), day, day + 3 * DAY)
    edges = [edge for slot in found for edge in (slot.start, slot.end)]
    assert all(end == start for end, start in zip(edges[1::2], edges[2::2], strict=False))


# --- By hand --------------------------------------------------------------------------------------
def starts(zone: str, day: str, hours: Hours, *, length: int = 30, buffer: int = 0) -> list[str]:
    """When the slots of a day start, in UTC."""
    plan, wanted = plan_of(zone, hours, length=length, buffer=buffer), dt.date.fromisoformat(day)
    return [f"{slot.start:%d %H:%M}" for slot in between(plan, wanted, wanted)]


def test_the_hour_that_is_skipped_in_berlin() -> None:
    day = "2026-03-29"  # 2:00 → 3:00, 01:00 UTC
    assert starts("Europe/Berlin", day, [(60, 240)]) == ["29 00:00", "29 00:30", "29 01:00", "29 01:30"]
    assert starts("Europe/Berlin", day, [(120, 180)]) == []
    assert starts("Europe/Berlin", day, [(150, 210)]) == ["29 01:00"]
    assert starts("Europe/Berlin", day, [(150, 210)], length=60) == []
    assert starts("Europe/Berlin", day, [(60, 240)], length=60) == ["29 00:00", "29 01:00"]
    assert len(starts("Europe/Berlin", day, ALWAYS, length=60)) == 23


def test_the_hour_that_is_doubled_in_berlin() -> None:
    day = "2026-10-25"  # 3:00 → 2:00, 01:00 UTC
    assert starts("Europe/Berlin", day, [(60, 240)], length=60) == [
        "24 23:00",
        "25 00:00",
        "25 01:00",
        "25 02:00",
    ]
    assert starts("Europe/Berlin", day, [(120, 180)]) == ["25 00:00", "25 00:30", "25 01:00", "25 01:30"]
    assert starts("Europe/Berlin", day, [(120, 150)]) == ["25 00:00", "25 01:00"]
    assert starts("Europe/Berlin", day, [(150, 210)], length=60) == ["25 01:30"]
    assert starts("Europe/Berlin", day, [(120, 180)], length=120) == ["25 00:00"]
    assert len(starts("Europe/Berlin", day, ALWAYS, length=60)) == 25


def test_the_days_beside_them_are_like_any_other() -> None:
    for day, hour in (("2026-03-28", 8), ("2026-03-30", 7), ("2026-10-24", 7), ("2026-10-26", 8)):
        assert starts("Europe/Berlin", day, [(540, 600)])[0] == f"{day[-2:]} {hour:02}:00"
        assert len(starts("Europe/Berlin", day, ALWAYS)) == 48


@pytest.mark.parametrize(
    ("zone", "day", "number"),
    [
        ("Pacific/Apia", "2011-12-30", 0), ("Pacific/Kwajalein", "1993-08-21", 0),
        ("Pacific/Apia", "2011-12-31", 48), ("Pacific/Kwajalein", "1969-09-30", 94),
        ("Australia/Lord_Howe", "2024-10-06", 47), ("Australia/Lord_Howe", "2024-04-07", 49),
        ("America/Asuncion", "2023-10-01", 46), ("America/Asuncion", "2023-03-25", 50),
        ("America/Havana", "2024-11-03", 50), ("Antarctica/Troll", "2024-03-31", 44),
    ],
)  # fmt: skip
def test_days_of_another_length(zone: str, day: str, number: int) -> None:
    assert len(starts(zone, day, ALWAYS)) == number


def test_a_buffer_comes_after_each_slot() -> None:
    assert starts("UTC", "2026-12-01", [(540, 660)], buffer=10) == ["01 09:00", "01 09:40", "01 10:20"]
    assert starts("UTC", "2026-12-01", [(540, 650)], buffer=10) == ["01 09:00", "01 09:40", "01 10:20"]
    assert starts("UTC", "2026-12-01", [(540, 649)], buffer=10) == ["01 09:00", "01 09:40"]


def test_a_buffer_does_not_reach_into_what_follows() -> None:
    """Not into hours that follow at once, nor into the next day, nor into a day that is an exception."""
    touching: Hours = [(540, 600), (600, 660)]
    assert starts("UTC", "2026-12-01", touching, length=60) == ["01 09:00", "01 10:00"]
    assert starts("UTC", "2026-12-01", touching, length=60, buffer=5) == ["01 10:00"]
    assert starts("UTC", "2026-12-01", [(0, 60), (1380, 1440)], length=60, buffer=5) == ["01 00:00"]
    closed = plan_of("UTC", NIGHT, length=60, buffer=5, exceptions={dt.date(2026, 12, 2): []})
    late = dt.datetime(2026, 12, 1, 23, 0, tzinfo=dt.UTC)
    assert at(closed, late) is not None
    assert at(plan_of("UTC", NIGHT, length=60, buffer=5), late) is None


def test_an_exception_takes_the_place_of_the_weekdays_hours() -> None:
    christmas = {dt.date(2026, 12, 24): [(540, 600)], dt.date(2026, 12, 25): []}
    plan = plan_of("Europe/Berlin", [(540, 720)], exceptions=christmas)
    numbers = [len(between(plan, dt.date(2026, 12, day), dt.date(2026, 12, day))) for day in (23, 24, 25, 26)]
    assert numbers == [6, 2, 0, 6]


def test_each_weekday_has_its_own_hours() -> None:
    weekly: list[Hours] = [[(0, 30 * number)] if number else [] for number in range(7)]
    plan = Plan(zoneinfo.ZoneInfo("UTC"), weekly, {}, minutes(30), minutes(0))
    monday = dt.date(2026, 11, 30)
    found = [len(between(plan, monday + n * DAY, monday + n * DAY)) for n in range(7)]
    assert found == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_at_both_ends_of_all_time_there_is_none(zone: str) -> None:
    for end in (dt.datetime.min, dt.datetime.max.replace(minute=30, second=0, microsecond=0)):
        assert at(plan_of(zone), end.replace(tzinfo=dt.UTC)) is None


def test_a_slot_overlaps_what_it_shares_an_instant_with() -> None:
    noon = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
    slot = Slot(noon, noon + minutes(30))
    near = [(-30, 0), (-30, 1), (0, 30), (29, 60), (30, 60)]
    assert [slot.overlaps(noon + minutes(a), noon + minutes(b)) for a, b in near] == [
        False,
        True,
        True,
        True,
        False,
    ]
