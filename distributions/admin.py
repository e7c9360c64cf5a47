"""The console's pages of distributions (Django looks here); importing them registers them."""

from distributions.appointments import admin as appointments
from distributions.appointments import booking_admin as bookings
from distributions.auctions import admin as auctions
from distributions.auctions import bid_admin as bids
from distributions.core import admin as core
from distributions.core import live_admin as live
from distributions.core import participation_admin as participations
from distributions.draws import admin as draws
from distributions.launches import admin as launches
from distributions.queues import admin as queues
from distributions.timed_releases import admin as timed_releases
from distributions.waitlists import admin as waitlists
from distributions.waitlists import notification_admin as notifications

__all__ = [
    "appointments",
    "auctions",
    "bids",
    "bookings",
    "core",
    "draws",
    "launches",
    "live",
    "notifications",
    "participations",
    "queues",
    "timed_releases",
    "waitlists",
]
