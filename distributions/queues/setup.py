"""Making a queue and changing its settings: three rows at once, with their rules and their trace.

For the console and `apply` alike. Values go by one flat set of names (`NAMES`): those of Distribution
and of Queue, and `capacity`, which is the tally's limit. Pausing and closing are `core.switches`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from distributions.core import catalog
from distributions.core.models import Distribution, Kind, Tally
from distributions.queues import shuffle
from distributions.queues.models import Queue
from experiences import setup
from experiences.models import Sequence
from fanfare import ids

OF_DISTRIBUTION = (
    "slug",
    "name",
    "open_at",
    "close_at",
    "time_zone",
    "supports_guest",
    "max_entries_per_fingerprint",
    "metadata",
)
OF_QUEUE = (
    "admission_rate",
    "max_active",
    "max_admissions",
    "session_seconds",
    "enter_from",
    "randomize_before_open",
    "recycle_expired",
)
NAMES = (*OF_DISTRIBUTION, *OF_QUEUE, "capacity")
DAY = 86_400  # seconds
# The least and the most of each number.
BOUNDS = {
    "capacity": (0, 10**9),
    "admission_rate": (1, 10**6),
    "max_active": (0, 10**9),
    "max_admissions": (0, 10**9),
    "session_seconds": (1, 30 * DAY),
    "max_entries_per_fingerprint": (1, 10**6),
}


@transaction.atomic
def create_queue(
    sequence: Sequence, values: Mapping[str, Any], *, now: dt.datetime, actor: str
) -> Distribution:
    """A new queue in the sequence. Raises ValidationError, by the names of `values`."""
    distribution = Distribution(
        id=ids.new("queue"),
        organization_id=sequence.experience.organization_id,
        sequence=sequence,
        kind=Kind.QUEUE,
        created_at=now,
    )
    rows = _Rows(distribution, Tally(distribution=distribution), Queue(distribution=distribution))
    changes = {name: (None, value) for name, value in values.items()}
    rows.assign(changes)
    _require_valid(rows, _problems(rows))
    for row in rows.all():
        row.save(force_insert=True)
    _finish(rows, changes, now, actor)
    return distribution


@transaction.atomic
def update_queue(
    distribution: Distribution, values: Mapping[str, Any], *, now: dt.datetime, actor: str
) -> setup.Changes:
    """Save what differs, and say what did. Raises ValidationError, by the names of `values`.

    A closed queue keeps its times; how the pre-queue's order comes about can't change once somebody
    has entered, or after the opening.
    """
    rows = _Rows(distribution, distribution.tally, distribution.queue)
    if not rows.differences(values):
        return {}
    rows = _locked(distribution.pk)
    changes = rows.differences(values)
    late = _late(rows, changes, now)
    rows.assign(changes)
    _require_valid(rows, _problems(rows) | late)
    rows.save(changes)
    if changes:
        _finish(rows, changes, now, actor)
    return changes


@dataclass
class _Rows:
    """The three rows of a queue, spoken to by one set of names."""

    distribution: Distribution
    tally: Tally
    queue: Queue

    def all(self) -> tuple[models.Model, ...]:
        return self.distribution, self.tally, self.queue

    def find(self, name: str) -> tuple[models.Model, str]:
        """The row that holds this setting, and the column."""
        if name not in NAMES:
            raise TypeError(f"A queue has no setting {name}.")
        if name == "capacity":
            return self.tally, "places"
        return (self.distribution if name in OF_DISTRIBUTION else self.queue), name

    def get(self, name: str) -> Any:
        return getattr(*self.find(name))

    def assign(self, changes: setup.Changes) -> None:
        for name, (_, after) in changes.items():
            setattr(*self.find(name), after)

    def differences(self, values: Mapping[str, Any]) -> setup.Changes:
        before = {name: self.get(name) for name in values}
        return {name: (before[name], value) for name, value in values.items() if before[name] != value}

    def save(self, changes: setup.Changes) -> None:
        for row in self.all():
            columns = [column for holder, column in map(self.find, changes) if holder is row]
            if columns:
                row.save(update_fields=columns)


def _locked(distribution_id: str) -> _Rows:
    """All three rows, locked in the order in which admitting and closing take them."""
    queue = Queue.objects.select_for_update(no_key=True).get(pk=distribution_id)
    tally = Tally.objects.select_for_update(no_key=True).get(pk=distribution_id)
    distribution = Distribution.objects.select_for_update(no_key=True).get(pk=distribution_id)
    return _Rows(distribution, tally, queue)


def _finish(rows: _Rows, changes: setup.Changes, now: dt.datetime, actor: str) -> None:
    shuffle.commit(rows.queue)
    setup.trace(
        rows.distribution,
        changes,
        now=now,
        actor=actor,
        distribution_id=rows.distribution.pk,
        organization_id=rows.distribution.organization_id,
    )
    transaction.on_commit(catalog.forget)


def _problems(rows: _Rows) -> dict[str, str]:
    """By name, which numbers are out of bounds and which times don't fit together."""
    distribution, queue = rows.distribution, rows.queue
    problems = setup.time_problems(distribution)
    opens, enters = distribution.open_at, queue.enter_from
    if enters is not None and (opens is None or enters > opens):
        problems["enter_from"] = "Entering before the opening needs an opening, not earlier than this."
    if queue.randomize_before_open and opens is None:
        problems["randomize_before_open"] = "It needs an opening: without one, nobody enters before."
    for name, (least, most) in BOUNDS.items():
        value = rows.get(name)
        if value is not None and not least <= value <= most:
            problems[name] = f"A whole number from {least:,} to {most:,}, or empty."
    return problems


def _late(rows: _Rows, changes: setup.Changes, now: dt.datetime) -> dict[str, str]:
    """By name, what can't be changed any more; asked before the changes are assigned."""
    problems: dict[str, str] = {}
    distribution = rows.distribution
    if distribution.closed_at is not None:
        late = "The queue has closed for good; make a new one."
        problems |= {name: late for name in ("open_at", "close_at", "enter_from") if name in changes}
    is_open = distribution.open_at is None or distribution.open_at <= now
    if "randomize_before_open" in changes and (rows.tally.entered or is_open):
        late = "This can't change once somebody has entered, or after the opening."
        problems["randomize_before_open"] = late
    return problems


def _require_valid(rows: _Rows, problems: Mapping[str, str]) -> None:
    """Raise ValidationError with everything that is wrong with the three rows."""
    found: dict[str, list[str]] = {}
    for row in rows.all():
        theirs = {name: text for name, text in problems.items() if rows.find(name)[0] is row}
        try:
            setup.require_valid(row, theirs, exclude=["distribution", "frozen"])
        except ValidationError as problem:
            found |= {("capacity" if n == "places" else n): t for n, t in problem.message_dict.items()}
    if found:
        raise ValidationError(found)
