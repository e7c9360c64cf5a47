#!/usr/bin/env python
"""Django's command line, with Fanfare's settings."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from fanfare.stack.addresses import data_dir
from fanfare.stack.secret import keep_secret_key


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fanfare.settings")
    if sys.argv[1:2] == ["up"]:
        # Settings, read before any command, need the key that a first run makes.
        keep_secret_key(data_dir())
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
