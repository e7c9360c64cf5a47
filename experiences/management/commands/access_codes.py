"""`manage.py access_codes`: new codes as CSV, to be redirected. The face of `experiences.access_codes`."""

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from experiences import access_codes, events
from experiences.management.shared import database_explained, find_sequence
from experiences.models import AccessCode, Sequence
from fanfare import clock
from fanfare.forms import YEARS

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?")
_OPTIONS = {"number": "--number", "max_uses": "--uses", "expires_at": "--expires", "label": "--label"}


class Command(BaseCommand):
    """Codes go to standard output, everything else to standard error."""

    help = (
        "Make access codes for a sequence and print them as CSV: their text is stored nowhere, so redirect "
        "it to a file. From then on the sequence asks for a code. Should printing fail, none is made."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sequence_id", metavar="SEQUENCE_ID")
        parser.add_argument("--number", type=int, required=True, help="how many")
        uses = parser.add_mutually_exclusive_group()
        uses.add_argument("--uses", type=int, default=1, help="consumers that one code lets in (1)")
        uses.add_argument("--unlimited", action="store_true", help="a code lets in all who have it")
        parser.add_argument(
            "--expires",
            metavar="TIME",
            help="such as 2026-12-24T18:00 (in the organization's time zone) or 2026-12-24T17:00Z",
        )
        parser.add_argument("--label", default="", help="what the codes are for")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with database_explained():
                sequence = find_sequence(options["sequence_id"])
                self._make(sequence, options)
        except ValidationError as problem:
            told = [f"{_OPTIONS[name]}: {' '.join(texts)}" for name, texts in problem.message_dict.items()]
            raise CommandError("Nothing was changed.\n" + "\n".join(told)) from None
        except OSError as problem:
            raise CommandError(f"Nothing was changed: the codes can't be written: {problem}.") from None
        text = f"{options['number']:,} made for {sequence}; it asks for an access code."
        self.stderr.write(text, style_func=str)

    def _make(self, sequence: Sequence, options: dict[str, Any]) -> None:
        """Make and print them in one transaction: codes that nobody has seen are good for nothing."""
        with transaction.atomic():
            texts = access_codes.generate(
                sequence,
                options["number"],
                now=clock.now(),
                actor=events.by_system("access_codes"),
                max_uses=None if options["unlimited"] else options["uses"],
                expires_at=_read_time(options["expires"], sequence),
                label=_read_label(options["label"]),
            )
            self.stdout.write("\n".join(["code", *texts]))
            self.stdout.flush()


def _read_time(text: str | None, sequence: Sequence) -> dt.datetime | None:
    """An instant; a naive one is the organization's. Raises ValidationError."""
    if text is None:
        return None
    expected = ValidationError({"expires_at": "A time such as 2026-12-24T18:00 or 2026-12-24T17:00Z."})
    if _TIME.fullmatch(text) is None:
        raise expected
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise expected from None
    if at.year not in YEARS:
        raise ValidationError({"expires_at": "A time between the years 2000 and 2200."})
    zone = ZoneInfo(sequence.experience.organization.time_zone)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(dt.UTC)


def _read_label(text: str) -> str:
    """Raises ValidationError for what the column can't hold."""
    try:
        return str(AccessCode._meta.get_field("label").clean(text.encode().decode(), None))
    except UnicodeError:
        raise ValidationError({"label": "It is not text."}) from None
    except ValidationError as problem:
        raise ValidationError({"label": problem.messages}) from None
