"""`manage.py crowd`: many people at a queue or an auction, over HTTP. The face of `distributions.crowd`."""

import asyncio
import json
import logging
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from distributions.crowd import outing, report
from distributions.crowd.wire import Refused
from fanfare import demo


def _within(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], Any]:
    """An argument's type: a number with bounds."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ArgumentTypeError(f"a number from {least:,} to {most:,}, not {text!r}")
        return value

    return read


class Command(BaseCommand):
    """Needs no database: whatever it knows, the API said."""

    help = (
        "Send a crowd to a distribution of any kind but a draw over its public API. They sign in and enter; "
        "at a queue they poll as advised and some leave, at an auction they bid, by proxy too, as long as it "
        "is worth it to them, at an appointment they book free slots, and some move or cancel, at a waitlist "
        "they enter, twice, and stay there; whoever is "
        "admitted is validated and completed with the secret key. Runs until everyone is done (Ctrl-C: a "
        "report of what happened so far), then reports, and fails if a promise was broken: order, position "
        "and rate; prices, closing and who won; stock and slots; nobody twice, tokens. "
        "The keys are the running demo's unless given."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "distribution_id", metavar="ID", help="of a queue, auction, release, appointment or waitlist"
        )
        parser.add_argument("--people", type=_within(int, 1, 1_000_000), default=2000)
        parser.add_argument(
            "--concurrency", type=_within(int, 1, 2_000), default=200, help="requests in flight at most"
        )
        parser.add_argument(
            "--leave", type=_within(float, 0, 100), default=5.0, help="percent who leave while in line"
        )
        parser.add_argument(
            "--arrive-within",
            type=_within(float, 0, 86_400),
            default=10.0,
            metavar="SECONDS",
            help="all arrive in this time",
        )
        parser.add_argument(
            "--think",
            type=_within(float, 0, 3_600),
            default=2.0,
            metavar="SECONDS",
            help="from admission to completion, on average",
        )
        parser.add_argument(
            "--for",
            dest="limit",
            type=_within(float, 1, 604_800),
            metavar="SECONDS",
            help="stop after so long; who still waits leaves",
        )
        parser.add_argument("--base-url", default=f"http://127.0.0.1:{settings.PORT}")
        parser.add_argument("--publishable-key")
        parser.add_argument("--secret-key")
        parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the report there as well")

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request
        chosen = _options(options)
        try:
            found = asyncio.run(outing.run(chosen))
        except Refused as problem:
            raise CommandError(f"{chosen.base_url}: {problem}") from None
        except KeyboardInterrupt:
            raise CommandError("Stopped.") from None
        for line in report.as_lines(found):
            self.stdout.write(line)
        if options["report"] is not None:
            _write(options["report"], found)
        if not report.is_kept(found):
            raise CommandError("A promise was broken: see above.")


def _options(options: dict[str, Any]) -> outing.Options:
    known = demo.read()
    publishable = options["publishable_key"] or (known and known.publishable_key)
    secret = options["secret_key"] or (known and known.secret_key)
    if not publishable or not secret:
        raise CommandError(
            f"There is no demo in {settings.DATA_DIR}: give --publishable-key and --secret-key."
        )
    return outing.Options(
        base_url=options["base_url"].rstrip("/"),
        distribution_id=options["distribution_id"],
        publishable_key=publishable,
        secret_key=secret,
        people=options["people"],
        concurrency=options["concurrency"],
        arrive_within=options["arrive_within"],
        think=options["think"],
        leave_percent=options["leave"],
        limit=options["limit"],
    )


def _write(path: Path, found: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(found, indent=2) + "\n")
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}.") from None
