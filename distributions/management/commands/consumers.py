"""`manage.py consumers export|erase ID`: what is known of one person. The face of `distributions.privacy`."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consumers.models import Consumer
from distributions import privacy
from experiences import events
from experiences.management.shared import database_explained
from fanfare import clock


class Command(BaseCommand):
    """Exports one consumer as JSON, or erases one. What is not JSON goes to standard error."""

    help = (
        "Print everything that is stored of a consumer as JSON, or erase it. Erasing can't be undone: "
        "their places are given up, their sessions end, and what names them is deleted; the trace keeps "
        "their id, which then belongs to nobody. Erasing again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=["export", "erase"])
        parser.add_argument("consumer", help="the id, such as cons_01H…")
        parser.add_argument("--yes", action="store_true", help="erase without asking")
        parser.add_argument(
            "--claimed-too",
            action="store_true",
            help="also delete list entries and codes of addresses that they named but never proved",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with database_explained():
            consumer = _find(options["consumer"])
            if options["deed"] == "erase":
                self._erase(consumer, is_sure=options["yes"], also_claimed=options["claimed_too"])
            elif consumer.erased_at is None:
                self._tell_namesakes(consumer)
                self.stdout.write(json.dumps(privacy.export(consumer), indent=2, ensure_ascii=False))
            else:
                raise CommandError(f"{consumer.pk} is erased: nothing is known of them.")

    def _erase(self, consumer: Consumer, *, is_sure: bool, also_claimed: bool) -> None:
        self._tell_namesakes(consumer)
        if not is_sure and not _asks(f"Erase {consumer.pk} ({consumer}) for good? Type yes: "):
            raise CommandError("Nothing was changed.")
        actor = events.by_system("consumers erase")
        is_first = privacy.erase(consumer, now=clock.now(), actor=actor, also_claimed=also_claimed)
        self.stdout.write(f"{consumer.pk} {'is' if is_first else 'was'} erased.")

    def _tell_namesakes(self, consumer: Consumer) -> None:
        for other in privacy.namesakes(consumer):
            text = f"{other} has an address or a customer number of {consumer.pk}: see whether they are one."
            self.stderr.write(text, style_func=str)


def _find(consumer_id: str) -> Consumer:
    """The consumer, or whom a guest turned out to be. Raises CommandError."""
    found = Consumer.objects.filter(pk=consumer_id).select_related("merged_into").first()
    if found is None:
        raise CommandError(f"There is no consumer {consumer_id}.")
    return found.merged_into or found


def _asks(question: str) -> bool:
    try:
        return input(question) == "yes"
    except EOFError:  # nobody is there to be asked
        return False
