"""The product's settings, with one more address: the yardstick."""

from fanfare.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
LOG_LEVEL = "WARNING"
