"""`manage.py audit`: whether every promise was kept, by the trace. The face of `distributions.audit`."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from distributions.audit import checking, report
from distributions.core.models import Distribution
from experiences.management.shared import database_explained
from fanfare import clock


class Command(BaseCommand):
    """Changes nothing; fails when a promise was broken."""

    help = (
        "Replay the trace of distributions and compare it with the tables and with Redis: states, capacity, "
        "order, rate, draws, prices, counters. Prints a report, and fails (exit code 1) if a promise was "
        "broken. It reads one snapshot and may run while all goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("distributions", nargs="*", metavar="ID", help="of distributions of any kind")
        parser.add_argument("--organization", metavar="SLUG", help="all distributions of this organization")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there as JSON")
        parser.add_argument("--html", type=Path, metavar="FILE", help="write it there as a page to publish")

    def handle(self, *args: Any, **options: Any) -> None:
        with database_explained():
            ids = _chosen(options["distributions"], options["organization"])
            audits = [checking.run(one, now=clock.now()) for one in ids]
        found = report.make(audits, at=clock.now())
        for line in report.as_lines(found):
            self.stdout.write(line)
        if options["json"] is not None:
            _write(options["json"], json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        if options["html"] is not None:
            _write(options["html"], report.as_page(found))
        if not found["kept"]:
            raise CommandError("A promise was broken: see above.")


def _chosen(ids: list[str], organization: str | None) -> list[str]:
    """What to audit. Raises CommandError where there is nothing, or an id is unknown."""
    known = set(Distribution.objects.filter(pk__in=ids).values_list("pk", flat=True))
    for missing in [one for one in ids if one not in known]:
        raise CommandError(f"There is no distribution {missing}; its page in the console shows its id.")
    found = checking.chosen(ids, organization)
    if not found:
        raise CommandError("Nothing to audit: name distributions, or an organization that has some.")
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}.") from None
