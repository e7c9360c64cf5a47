"""The table of kinds: what their ids begin with and where their URLs are. Above all of them.

What needs several kinds at once asks here; the kinds never import each other.
"""

from dataclasses import dataclass
from types import ModuleType

from distributions.core.models import Distribution, Kind
from distributions.queues import rules as queues


@dataclass(frozen=True)
class Entry:
    """A kind: the prefix of its ids, its part of the URL, its list's name in files and answers, its rules."""

    prefix: str
    path: str
    plural: str
    rules: ModuleType


KINDS: dict[Kind, Entry] = {Kind.QUEUE: Entry("queue", "queues", "queues", queues)}


def running_ids() -> list[str]:
    """All distributions that are not over for good."""
    return list(Distribution.objects.filter(closed_at=None).values_list("id", flat=True))
