"""`manage.py up`: all of Fanfare on one machine. The face of `fanfare.stack.machine`."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from fanfare.stack import machine


class Command(BaseCommand):
    """Starts servers and processes and ends with them; itself never opens the database."""

    help = "Run everything on this machine until Ctrl-C: what `make run` does."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(machine.main())
