"""`manage.py consumers export|erase ID`: what is known of one person. The face of `distributions.privacy`."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consumers.models import Consumer
from distributions import privacy
from experiences import events
from fanfare import clock


class Command(BaseCommand):
    """Exports one consumer as JSON, or erases one."""

    help = (
        "Print everything that is stored of a consumer as JSON, or erase it. Erasing can't be undone: "
        "their places are given up, their sessions end, and what names them is deleted; the trace keeps "
        "their id, which then belongs to nobody."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deed", choices=["export", "erase"])
        parser.add_argument("consumer", help="the id, such as cons_01H…")
        parser.add_argument("--yes", action="store_true", help="erase without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        consumer = Consumer.objects.filter(pk=options["consumer"]).select_related("merged_into").first()
        consumer = consumer and (consumer.merged_into or consumer)
        if consumer is None or consumer.erased_at is not None:
            raise CommandError(f"There is no consumer {options['consumer']}.")
        if options["deed"] == "export":
            self.stdout.write(json.dumps(privacy.export(consumer), indent=2, ensure_ascii=False))
        elif options["yes"] or input(f"Erase {consumer.pk} for good? Type yes: ") == "yes":
            privacy.erase(consumer, now=clock.now(), actor=events.by_system("consumers erase"))
            self.stdout.write(f"{consumer.pk} is erased.")
        else:
            raise CommandError("Nothing was changed.")
