"""What staff may write as opening hours: read into minutes of the day, or refused with what is expected."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError

from distributions.appointments.slots import Hours

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_A_DAY = 24  # pairs of times
MOST_EXCEPTIONS = 1_000
MOST_REMINDERS = 10
MOST_REMINDER_HOURS = 30 * 24
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PAIR = 'A pair of times such as ["09:00", "17:00"], the second one later, "24:00" at most.'


def opening_hours(value: Any) -> None:
    """`{"mon": [["09:00", "17:00"]], …}`; days that are not there are closed. Raises ValidationError."""
    if not isinstance(value, dict):
        raise ValidationError('Weekdays and their hours, such as {"mon": [["09:00", "17:00"]]}.')
    unknown = [name for name in value if name not in WEEKDAYS]
    if unknown:
        raise ValidationError(f"“{unknown[0]}” is not one of {', '.join(WEEKDAYS)}.")
    for hours in value.values():
        read_hours(hours)


def exceptions(value: Any) -> None:
    """`[{"date": "2026-12-24", "hours": [["09:00", "12:00"]]}, …]`; no hours: closed.

    Raises ValidationError.
    """
    if not isinstance(value, list) or len(value) > MOST_EXCEPTIONS:
        raise ValidationError(f"A list of at most {MOST_EXCEPTIONS:,} days.")
    days = [_read_exception(entry) for entry in value]
    if len(set(days)) < len(days):
        raise ValidationError("A date may be there once.")


def _read_exception(entry: Any) -> dt.date:
    if not isinstance(entry, dict) or set(entry) != {"date", "hours"}:
        raise ValidationError('Each is {"date": "2026-12-24", "hours": [["09:00", "12:00"]]}.')
    read_hours(entry["hours"])
    return read_date(entry["date"])


def read_date(value: Any) -> dt.date:
    """A day as `2026-12-24`. Raises ValidationError."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise ValidationError("A date such as 2026-12-24.")


def read_hours(value: Any) -> Hours:
    """Pairs of times as minutes of the day, in order. Raises ValidationError."""
    if not isinstance(value, list) or len(value) > MOST_A_DAY:
        raise ValidationError(f"A day's hours are a list of at most {MOST_A_DAY} pairs of times.")
    hours = sorted(_read_pair(pair) for pair in value)
    if any(later[0] < earlier[1] for earlier, later in zip(hours, hours[1:], strict=False)):
        raise ValidationError("Hours of one day that overlap.")
    return hours


def _read_pair(pair: Any) -> tuple[int, int]:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ValidationError(_PAIR)
    start, end = (_read_time(text) for text in pair)
    if start >= end:
        raise ValidationError(_PAIR)
    return start, end


def _read_time(text: Any) -> int:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValidationError(_PAIR)
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def location(value: Any) -> None:
    """`{"name": "…", "address": "…"}`, or nothing. Raises ValidationError."""
    if value is None:
        return
    is_text = isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    if not is_text or not {"name"} <= set(value) <= {"name", "address"}:
        raise ValidationError('A place such as {"name": "Room 4", "address": "Hauptstraße 1, Berlin"}.')
    if any(len(text) > 300 for text in value.values()):
        raise ValidationError("At most 300 characters each.")


def reminders(value: Sequence[int]) -> None:
    """Hours before the start, each once. Raises ValidationError."""
    if len(set(value)) < len(value):
        raise ValidationError("Each number of hours once.")
