"""`manage.py apply`: a drop as a file. The face of `distributions.blueprint`."""

import json
import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from distributions.blueprint import applying, parsing, reading, telling
from experiences import events
from experiences.management.shared import database_explained
from fanfare import clock
from fanfare.errors import Invalid


class Command(BaseCommand):
    """Reads a file, makes the database agree with it, and tells what that took."""

    help = """\
Make the database agree with a YAML or JSON file that describes an organization, its experiences,
sequences, queues and draws, each named by its slug. What differs is changed, in one transaction; what
the file leaves out stays as it is; nothing is deleted.

Times are ISO 8601 (naive ones in timeZone: its own, else the experience's, else the
organization's) or relative: now, now+90s, now-5m, now+2h, now+3d. A relative time counts from the
moment its object is made. Applying the file again does not move it, so that a launch that is under
way stays where it is; --reset-times does.

A new organization gets a publishable and a secret key; the secret one is shown this once."""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **options
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the file; - for standard input")
        parser.add_argument("--json", action="store_true", help="print one JSON object with all ids")
        parser.add_argument("--dry-run", action="store_true", help="tell what would change; change nothing")
        parser.add_argument("--new-keys", action="store_true", help="make new keys; the old ones stay valid")
        parser.add_argument("--reset-times", action="store_true", help="count relative times from now anew")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["file"]
        dry_run = options["dry_run"]
        try:
            plan = parsing.parse(reading.read(_content(name)))
            with database_explained():
                applied = applying.apply(
                    plan,
                    now=clock.now(),
                    actor=events.by_system("apply"),
                    new_keys=options["new_keys"],
                    reset_times=options["reset_times"],
                    dry_run=dry_run,
                )
        except Invalid as problem:
            raise CommandError(_explain(name, problem)) from None
        if dry_run:
            applied.secret = None
        if options["json"]:
            self.stdout.write(json.dumps(telling.as_tree(plan, applied, dry_run=dry_run)))
        else:
            self._tell(applied, dry_run)

    def _tell(self, applied: applying.Applied, dry_run: bool) -> None:
        if dry_run:
            self.stdout.write("Dry run: nothing was changed. It would be:")
        for line in telling.as_lines(applied):
            self.stdout.write(line)
        if applied.secret is not None:
            self.stdout.write(f"\nPublishable key  {applied.publishable}")
            self.stdout.write(f"Secret key       {applied.secret}  (shown this once)")


def _content(name: str) -> bytes:
    """The file's bytes, one more than are allowed at most. Raises CommandError."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(reading.MOST_BYTES + 1)
        with Path(name).open("rb") as file:
            return file.read(reading.MOST_BYTES + 1)
    except OSError as problem:
        raise CommandError(f"{name}: {problem.strerror}.") from None


def _explain(name: str, problem: Invalid) -> str:
    shown = "standard input" if name == "-" else name
    lines = [": ".join(part for part in (shown, d.field, d.message) if part) for d in problem.details]
    return "Nothing was changed.\n" + "\n".join(lines)
