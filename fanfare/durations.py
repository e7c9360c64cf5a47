"""Lengths of time in words: `10 min`, `1 h 30 min`, `2 d`; said to staff and read from them."""

import datetime as dt
import re

_UNITS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
# What people write for them.
_NAMES = {
    "d": "d", "day": "d", "days": "d",
    "h": "h", "hour": "h", "hours": "h", "hr": "h", "hrs": "h",
    "m": "min", "min": "min", "mins": "min", "minute": "min", "minutes": "min",
    "": "s", "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
}  # fmt: skip
_PART = re.compile(r"\s*(\d{1,10})(?!\d)\s*([a-z]*)\s*,?")
EXPECTED = "A length of time, such as 10 min, 1 h 30 min or 2 d; a number alone is seconds."


def said(seconds: int, parts: int = len(_UNITS)) -> str:
    """`5400` as `1 h 30 min`; of long ones the largest `parts` units alone, rounded down."""
    words, rest = [], seconds
    for unit, size in _UNITS.items():
        number, rest = divmod(rest, size)
        if number:
            words.append(f"{number:,} {unit}")
    return " ".join(words[:parts]) or "0 s"


def between(earlier: dt.datetime, later: dt.datetime) -> str:
    """How long it is from one instant to another, in two units: for a countdown."""
    return said(max(0, int((later - earlier).total_seconds())), 2)


def read(text: str) -> int:
    """Seconds of what somebody wrote. Raises ValueError with what is expected."""
    found, place = 0, 0
    lowered = text.lower().strip()
    while place < len(lowered):
        part = _PART.match(lowered, place)
        if part is None or part[2] not in _NAMES:
            raise ValueError(EXPECTED)
        found += int(part[1]) * _UNITS[_NAMES[part[2]]]
        place = part.end()
    if not lowered:
        raise ValueError(EXPECTED)
    return found
