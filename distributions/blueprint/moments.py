"""Times in a file: `2026-12-01T09:00:00+01:00`, naive `2026-12-01 09:00`, or relative `now+2h`.

A naive time needs a zone and a relative one an instant, so both are resolved when the file is applied.
"""

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass

_ABSOLUTE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?")
_RELATIVE = re.compile(r"now(?:([+-])(\d{1,9})([smhd]))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
FARTHEST = dt.timedelta(days=3650)
EXPECTED = (
    "A time such as 2026-12-01T09:00:00Z, 2026-12-01T10:00:00+01:00, 2026-12-01 10:00 (in timeZone), "
    "now, now+90s, now-5m, now+2h or now+3d."
)


@dataclass(frozen=True)
class Moment:
    """A time as a file gives it: either `at` (perhaps naive) or `after` now."""

    at: dt.datetime | None = None
    after: dt.timedelta | None = None

    @property
    def is_relative(self) -> bool:
        return self.after is not None

    def resolve(self, *, now: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
        """The instant, in UTC; `zone` is where naive times are read."""
        if self.after is not None:
            return now + self.after
        assert self.at is not None
        aware = self.at if self.at.tzinfo else self.at.replace(tzinfo=zone)
        return aware.astimezone(dt.UTC)


def parse(text: str) -> Moment:
    """Raises ValueError, with what is expected, for anything else and for years before 2000 or after 2199."""
    found = _RELATIVE.fullmatch(text)
    if found is not None:
        sign, number, unit = found.groups(default="0")
        try:
            after = dt.timedelta(**{_UNITS[unit]: int(number)}) if unit in _UNITS else dt.timedelta()
        except OverflowError:
            after = FARTHEST * 2
        if after > FARTHEST:
            raise ValueError(f"At most {FARTHEST.days:,} days from now.")
        return Moment(after=-after if sign == "-" else after)
    if _ABSOLUTE.fullmatch(text) is None:
        raise ValueError(EXPECTED)
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"There is no such time. {EXPECTED}") from None
    if not 2000 <= at.year < 2200:
        raise ValueError("A year from 2000 to 2199.")
    return Moment(at=at)
