"""Audiences: the lists of e-mail addresses, telephone numbers and external ids that open a sequence.

An external id is the subject that the shop's server names when it signs a consumer in.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction

from experiences import setup
from experiences.models import AudienceMember, Sequence
from fanfare import contacts

EMAIL, PHONE, EXTERNAL = "email", "phone", "external"
MOST_CHARACTERS = 320  # of an external id
MOST_AT_ONCE = 1_000_000
TOLD = 10  # wrong lines are told up to here
_CHUNK = 5_000
# A list's first line may name its columns, in these words; only their letters count.
_COLUMNS = {
    "email": EMAIL, "mail": EMAIL, "emailaddress": EMAIL, "mailadresse": EMAIL, "emailadresse": EMAIL,
    "phone": PHONE, "phonenumber": PHONE, "telephone": PHONE, "mobile": PHONE, "telefon": PHONE,
    "telefonnummer": PHONE, "handynummer": PHONE, "externalid": EXTERNAL, "id": EXTERNAL,
    "customerid": EXTERNAL, "customernumber": EXTERNAL, "kundennummer": EXTERNAL,
}  # fmt: skip


@dataclass
class Members:
    """What was read from a list: keys, and what is wrong with which line."""

    keys: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def key(kind: str, text: str) -> str:
    """How one member is stored. Raises ValueError."""
    if kind == EMAIL:
        return f"{EMAIL}:{contacts.email(text).address}"
    if kind == PHONE:
        return f"{PHONE}:{contacts.phone(text).address}"
    if not 1 <= len(text) <= MOST_CHARACTERS or "\0" in text:
        raise ValueError(f"It must have 1 to {MOST_CHARACTERS} characters.")
    return f"{EXTERNAL}:{text}"


def guess(text: str) -> str:
    """An e-mail address if it has an @, a number if it begins with +, else an external id."""
    return EMAIL if "@" in text else PHONE if text.startswith("+") else EXTERNAL


def read_csv(text: str) -> Members:
    """The members in a CSV text: one or more columns, with a line of names or without.

    Without names, each cell is taken for what it looks like. Comma, semicolon or tab.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    head = lines.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    found = Members()
    columns: list[str | None] = []
    try:
        for number, row in enumerate(csv.reader(io.StringIO(lines), delimiter=separator, strict=True), 1):
            named = [_column(cell) for cell in row]
            if number == 1 and any(named):
                columns = named
            elif number == 1 and _needs_names(row):
                found.problems.append("Line 1: of several columns, name them: email, phone, externalId.")
                return found
            else:
                _read_row(found, number, row, columns)
    except csv.Error as problem:
        found.problems.append(f"Not CSV: {problem}.")
    return found


def _column(cell: str) -> str | None:
    """What a column holds, by its name in any spelling: `E-Mail`, `external_id`, `Customer number`."""
    return _COLUMNS.get("".join(character for character in cell.lower() if character.isalpha()))


def _needs_names(row: list[str]) -> bool:
    """Whether the first of several columns' lines could be anything: names of people, say."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return len(cells) > 1 and any(guess(cell) == EXTERNAL for cell in cells)


def _read_row(found: Members, number: int, row: list[str], columns: list[str | None]) -> None:
    for place, cell in enumerate(row):
        text = cell.strip()
        kind = (columns[place] if place < len(columns) else None) if columns else guess(text)
        if not text or kind is None:
            continue
        try:
            found.keys.append(key(kind, text))
        except ValueError as problem:
            found.problems.append(f"Line {number}, “{text[:50]}”: {problem}")


def read_list(entries: Iterable[str]) -> list[str]:
    """The keys of plain entries. Raises ValidationError, as `audience`."""
    keys, problems = [], []
    for number, entry in enumerate(entries):
        try:
            keys.append(key(guess(entry.strip()), entry.strip()))
        except ValueError as problem:
            problems.append(f"[{number}]: {problem}")
    if problems:
        raise ValidationError({"audience": problems[:TOLD]})
    return keys


@transaction.atomic
def add(sequence: Sequence, keys: Iterable[str], *, now: dt.datetime, actor: str) -> int:
    """Put them on the list; how many were not on it. From then on the sequence asks for its audience."""
    distinct = list(dict.fromkeys(keys))
    Sequence.objects.select_for_update(no_key=True).get(pk=sequence.pk)
    new = 0
    for start in range(0, len(distinct), _CHUNK):
        chunk = distinct[start : start + _CHUNK]
        known = set(
            AudienceMember.objects.filter(sequence=sequence, key__in=chunk).values_list("key", flat=True)
        )
        rows = [AudienceMember(sequence=sequence, key=entry) for entry in chunk if entry not in known]
        AudienceMember.objects.bulk_create(rows)
        new += len(rows)
    setup.update(sequence, {"requires_audience": True}, now=now, actor=actor)
    if new:  # how many and not who: the trace outlives the list
        setup.trace_change(sequence, {"audience": {"added": new}}, now=now, actor=actor)
    return new


@transaction.atomic
def remove(sequence: Sequence, member_ids: Iterable[int], *, now: dt.datetime, actor: str) -> int:
    """Take them off the list; how many were on it. The sequence goes on asking for its audience."""
    number, _ = AudienceMember.objects.filter(sequence=sequence, pk__in=list(member_ids)).delete()
    if number:
        setup.trace_change(sequence, {"audience": {"removed": number}}, now=now, actor=actor)
    return number
