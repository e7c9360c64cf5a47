"""Where Django looks for this app's models: the packages define them."""

from distributions.core.models import Distribution, Drawing, FrozenList, Participation, Tally
from distributions.draws.models import Draw, EntryWeight
from distributions.queues.models import Queue

__all__ = [
    "Distribution",
    "Draw",
    "Drawing",
    "EntryWeight",
    "FrozenList",
    "Participation",
    "Queue",
    "Tally",
]
