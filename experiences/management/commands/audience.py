"""`manage.py audience`: puts people on a sequence's list. The face of `experiences.audiences`."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from experiences import audiences, events
from experiences.audiences import Members
from experiences.management.shared import database_explained, find_sequence
from fanfare import clock

MOST_BYTES = 100_000_000


class Command(BaseCommand):
    """All of a file or nothing of it."""

    help = (
        "Put the people of a CSV file on a sequence's list: e-mail addresses, telephone numbers in E.164, "
        "and the shop's own customer numbers, in columns with or without a first line of names (email, "
        "phone, externalId). From then on the sequence asks for its list. Nobody is taken off it; with "
        "one line wrong, nobody is put on it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sequence_id", metavar="SEQUENCE_ID")
        parser.add_argument("file", metavar="FILE", help="the file; - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["file"]
        keys = _require_right(_members(name), "standard input" if name == "-" else name)
        with database_explained():
            sequence = find_sequence(options["sequence_id"])
            new = audiences.add(sequence, keys, now=clock.now(), actor=events.by_system("audience"))
        known = len(set(keys)) - new
        self.stdout.write(f"{new:,} new on the list of {sequence}; {known:,} were on it.")


def _members(name: str) -> Members:
    try:
        return audiences.read_csv(_content(name).decode("utf-8-sig"))
    except OSError as problem:
        raise CommandError(f"{name}: {problem.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{name}: it is not UTF-8. Save it as CSV in UTF-8.") from None


def _content(name: str) -> bytes:
    if name == "-":
        content = sys.stdin.buffer.read(MOST_BYTES + 1)
    else:
        with Path(name).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise CommandError(f"{name}: at most {MOST_BYTES // 1_000_000} MB at once. Nothing was changed.")
    return content


def _require_right(found: Members, shown: str) -> list[str]:
    """The members' keys. Raises CommandError with what is wrong."""
    problems = found.problems[: audiences.TOLD]
    more = len(found.problems) - len(problems)
    if more:
        problems.append(f"… and {more:,} more.")
    if not problems and not found.keys:
        problems = ["Nobody is in it."]
    if not problems and len(found.keys) > audiences.MOST_AT_ONCE:
        problems = [f"At most {audiences.MOST_AT_ONCE:,} entries at once."]
    if problems:
        raise CommandError("Nothing was changed.\n" + "\n".join(f"{shown}: {text}" for text in problems))
    return found.keys
