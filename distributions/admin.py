"""The console's pages of distributions (Django looks here); importing them registers them."""

from distributions.core import admin as core
from distributions.core import participation_admin as participations
from distributions.draws import admin as draws
from distributions.queues import admin as queues

__all__ = ["core", "draws", "participations", "queues"]
