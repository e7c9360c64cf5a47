"""Where Django looks for this app's models: the packages define them."""

from distributions.appointments.models import Appointment, Block, Booking
from distributions.auctions.models import Auction, Bid, Bidder
from distributions.core.models import Distribution, Drawing, FrozenList, Participation, Tally
from distributions.draws.models import Draw, EntryWeight
from distributions.queues.models import Queue
from distributions.timed_releases.models import TimedRelease
from distributions.waitlists.models import Notice, Notification, Waitlist

__all__ = [
    "Appointment",
    "Auction",
    "Bid",
    "Bidder",
    "Block",
    "Booking",
    "Distribution",
    "Draw",
    "Drawing",
    "EntryWeight",
    "FrozenList",
    "Notice",
    "Notification",
    "Participation",
    "Queue",
    "Tally",
    "TimedRelease",
    "Waitlist",
]
