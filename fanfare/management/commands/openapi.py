"""`manage.py openapi`: the API's description as JSON, the same that `/api/v1/openapi.json` answers."""

from typing import Any

from django.core.management.base import BaseCommand

from fanfare import schema


class Command(BaseCommand):
    """Reads the code alone: no database, no Redis."""

    help = "Print the OpenAPI description of the Consumer API."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(schema.document().decode())
