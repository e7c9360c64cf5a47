"""Where Django looks for this app's models: the packages define them."""

from distributions.core.models import Distribution, Participation, Tally
from distributions.queues.models import Queue

__all__ = ["Distribution", "Participation", "Queue", "Tally"]
