"""The table of kinds: what their ids begin with and where their URLs are. Above all of them.

What needs several kinds at once asks here; the kinds never import each other.
"""

from dataclasses import dataclass
from types import ModuleType

from distributions.appointments import rules as appointments
from distributions.auctions import rules as auctions
from distributions.core.models import Kind
from distributions.draws import rules as draws
from distributions.queues import rules as queues
from distributions.timed_releases import rules as timed_releases
from distributions.waitlists import rules as waitlists


@dataclass(frozen=True)
class Entry:
    """A kind: the prefix of its ids, its part of the URL, its list's name (in snake case), its rules."""

    prefix: str
    path: str
    plural: str
    rules: ModuleType


KINDS: dict[Kind, Entry] = {
    Kind.QUEUE: Entry("queue", "queues", "queues", queues),
    Kind.DRAW: Entry("draw", "draws", "draws", draws),
    Kind.AUCTION: Entry("auction", "auctions", "auctions", auctions),
    Kind.TIMED_RELEASE: Entry("release", "timed-releases", "timed_releases", timed_releases),
    Kind.APPOINTMENT: Entry("appt", "appointments", "appointments", appointments),
    Kind.WAITLIST: Entry("wl", "waitlists", "waitlists", waitlists),
}
# What to load with a distribution of any kind that is to be shown.
RELATED = ("tally", "drawing", "organization", "sequence__experience", *map(str, KINDS))
