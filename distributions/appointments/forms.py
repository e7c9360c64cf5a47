"""Opening hours as staff type them, a line a day or span of days: `mon-fri 09:00-12:30, 13:30-17:00`."""

import re
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from distributions.appointments import validation
from distributions.appointments.validation import WEEKDAYS
from fanfare.console import TextArea

CLOSED = "closed"
MOST = 40_000  # characters
_SPAN = re.compile(r"(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d)")
_EXPECTED = "Times such as 09:00-12:30, 13:30-17:00, or closed."


class LinesField(forms.CharField):
    """A setting as lines of text, each a name and hours; `write` and `read` turn one into the other."""

    def __init__(self, **options: Any) -> None:
        known = {name: options[name] for name in ("label", "help_text", "initial") if name in options}
        super().__init__(required=False, max_length=MOST, widget=TextArea(attrs={"rows": 8}), **known)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else self.write(value)

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in (super().to_python(value) or "").splitlines()]
        pairs = [line.replace(": ", " ", 1).partition(" ") for line in lines if line]
        return self.read([(name.lower(), _read(hours)) for name, _, hours in pairs])

    def run_validators(self, value: Any) -> None:
        """The model's own validators say whether it makes sense."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True

    def write(self, value: Any) -> str:
        """The lines of a value."""
        raise NotImplementedError

    def read(self, lines: list[tuple[str, list[list[str]]]]) -> Any:
        """The value of lines, each by its name and hours. Raises ValidationError."""
        raise NotImplementedError


class HoursField(LinesField):
    """Opening hours of the weekdays; a day that is not named is closed."""

    def write(self, value: Any) -> str:
        days = [(day, _write(value.get(day, []))) for day in WEEKDAYS]
        spans = [(hours, [day for day, _ in same]) for hours, same in groupby(days, key=lambda pair: pair[1])]
        return "\n".join(f"{_days(names)} {hours}" for hours, names in spans if hours != CLOSED)

    def read(self, lines: list[tuple[str, list[list[str]]]]) -> Any:
        found: dict[str, list[list[str]]] = {}
        for names, hours in lines:
            for day in _read_days(names):
                if day in found:
                    raise ValidationError(f"{day} is there twice.")
                found[day] = hours
        return {day: hours for day, hours in found.items() if hours}


class ExceptionsField(LinesField):
    """Days that are different: `2026-12-24 closed`, or with hours of their own."""

    def write(self, value: Any) -> str:
        return "\n".join(f"{entry['date']} {_write(entry['hours'])}" for entry in value)

    def read(self, lines: list[tuple[str, list[list[str]]]]) -> Any:
        return [{"date": validation.read_date(date) and date, "hours": hours} for date, hours in lines]


def _days(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"


def _read_days(text: str) -> list[str]:
    """`mon`, `mon-fri` or `mon,wed`. Raises ValidationError."""
    found: list[str] = []
    for part in text.rstrip(":").split(","):
        first, _, last = part.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise ValidationError(f"“{part}” is not one of {', '.join(WEEKDAYS)}, or a span such as mon-fri.")
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1
        found += WEEKDAYS[start:end] if start < end else WEEKDAYS[start:] + WEEKDAYS[:end]
    return found


def _write(hours: list[list[str]]) -> str:
    return ", ".join("-".join(pair) for pair in hours) or CLOSED


def _read(text: str) -> list[list[str]]:
    """Pairs of times. Raises ValidationError."""
    if text.strip().lower() == CLOSED:
        return []
    found = [_SPAN.fullmatch(part.strip()) for part in text.split(",")]
    hours = [list(match.groups()) for match in found if match]
    if not hours or len(hours) < len(found):
        raise ValidationError(_EXPECTED)
    validation.read_hours(hours)
    return hours
