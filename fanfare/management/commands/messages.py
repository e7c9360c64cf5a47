"""`manage.py messages`: compile the translations, and say what is missing or no longer used."""

from typing import Any

from django.core.management.base import BaseCommand

from fanfare import catalogs


class Command(BaseCommand):
    """Writes a `.mo` beside each `.po`."""

    help = "Compile the translations; say what is missing in them, and what nothing uses any more."

    def handle(self, *args: Any, **options: Any) -> None:
        used = catalogs.used()
        for path in catalogs.paths():
            messages = catalogs.read(path)
            path.with_suffix(".mo").write_bytes(catalogs.compiled(messages))
            done = {keys for keys, texts in messages.items() if all(texts)}
            for keys in sorted(used - done):
                self.stdout.write(f"missing: {' | '.join(keys)}")
            for keys in sorted(messages.keys() - used - {("",)}):
                self.stdout.write(f"unused: {' | '.join(keys)}")
