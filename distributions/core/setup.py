"""Making a distribution and changing its settings: the three rows of any kind, with rules and trace.

For the console and `apply` alike. Values go by one flat set of names: those of Distribution, those of the
kind's own table, and the tally's limit, which most kinds call `capacity`. Pausing and closing are `switches`.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from distributions.core import catalog, work
from distributions.core.models import Distribution, Kind, Tally
from experiences import setup
from experiences.models import Sequence as Way
from fanfare import durations, ids

OF_DISTRIBUTION = (
    "slug",
    "name",
    "open_at",
    "close_at",
    "time_zone",
    "supports_guest",
    "max_entries_per_fingerprint",
    "proof_of_work",
    "metadata",
    "message",
)
DAY = 86_400  # seconds
# The least and the most of each number that all kinds have; the first is of the tally's limit.
_MOST_PLACES = (0, 10**9)
_BOUNDS = {"max_entries_per_fingerprint": (1, 10**6), "proof_of_work": (0, work.MOST)}
CLOSED = "It has closed for good; make a new one."


@dataclass
class Rows:
    """The three rows of a distribution, spoken to by one set of names; `limit` is the tally's."""

    distribution: Distribution
    tally: Tally
    kind: Any
    names: Sequence[str]
    limit: str | None = "capacity"

    def all(self) -> tuple[models.Model, ...]:
        return self.distribution, self.tally, self.kind

    def find(self, name: str) -> tuple[models.Model, str]:
        """The row that holds this setting, and the column."""
        if name == self.limit:
            return self.tally, "places"
        if name in OF_DISTRIBUTION:
            return self.distribution, name
        if name not in self.names:
            raise TypeError(f"A {self.distribution.kind} has no setting {name}.")
        return self.kind, name

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


Problems = dict[str, str]
"""By a setting's name, what is wrong with it."""


def _as_given(rows: Rows, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values that say all there is to say."""
    return values


@dataclass(frozen=True)
class Settings:
    """What a kind's settings are.

    `names` and `bounds` (least and most) of its own; `problems` with what was given, `late` what can't be
    changed any more (asked before the changes are assigned); `finish` follows a change, in its transaction.
    `complete` fills in what values leave to us, before they are compared with what there is. `limit` is what
    the kind calls the number of its places; None: it has none.
    """

    kind: Kind
    prefix: str
    model: type[models.Model]
    names: Sequence[str]
    bounds: Mapping[str, tuple[int, int]]
    problems: Callable[[Rows], Problems]
    late: Callable[[Rows, setup.Changes, dt.datetime], Problems]
    finish: Callable[[Rows], None]
    complete: Callable[[Rows, Mapping[str, Any]], Mapping[str, Any]] = _as_given
    limit: str | None = "capacity"

    @transaction.atomic
    def create(
        self, sequence: Way, values: Mapping[str, Any], *, now: dt.datetime, actor: str
    ) -> Distribution:
        """A new one in the sequence. Raises ValidationError, by the names of `values`."""
        distribution = Distribution(
            id=ids.new(self.prefix),
            organization_id=sequence.experience.organization_id,
            sequence=sequence,
            kind=self.kind,
            created_at=now,
        )
        tally, own = Tally(distribution=distribution), self.model(distribution=distribution)
        rows = Rows(distribution, tally, own, self.names, self.limit)
        changes = {name: (None, value) for name, value in self.complete(rows, values).items()}
        rows.assign(changes)
        self._require_valid(rows, self._problems(rows))
        for row in rows.all():
            row.save(force_insert=True)
        self._finish(rows, changes, now, actor)
        return distribution

    @transaction.atomic
    def update(
        self, distribution: Distribution, values: Mapping[str, Any], *, now: dt.datetime, actor: str
    ) -> setup.Changes:
        """Save what differs, and say what did. Raises ValidationError, by the names of `values`."""
        own = getattr(distribution, self.kind)
        found = Rows(distribution, distribution.tally, own, self.names, self.limit)
        if not found.differences(self.complete(found, values)):
            return {}
        rows = self._locked(distribution.pk)
        changes = rows.differences(self.complete(rows, values))
        late = self.late(rows, changes, now)
        rows.assign(changes)
        self._require_valid(rows, self._problems(rows) | late)
        rows.save(changes)
        if changes:
            self._finish(rows, changes, now, actor)
        return changes

    def _locked(self, distribution_id: str) -> Rows:
        """All three rows, locked in the order in which admitting and closing take them."""
        own = self.model._default_manager.select_for_update(no_key=True).get(pk=distribution_id)
        tally = Tally.objects.select_for_update(no_key=True).get(pk=distribution_id)
        distribution = Distribution.objects.select_for_update(no_key=True).get(pk=distribution_id)
        return Rows(distribution, tally, own, self.names, self.limit)

    def _finish(self, rows: Rows, changes: setup.Changes, now: dt.datetime, actor: str) -> None:
        self.finish(rows)
        setup.trace(
            rows.distribution,
            changes,
            now=now,
            actor=actor,
            distribution_id=rows.distribution.pk,
            organization_id=rows.distribution.organization_id,
        )
        transaction.on_commit(catalog.forget)

    def _problems(self, rows: Rows) -> Problems:
        """Which numbers are out of bounds and which times don't fit together."""
        problems = setup.time_problems(rows.distribution) | self.problems(rows)
        limit = {self.limit: _MOST_PLACES} if self.limit else {}
        for name, (least, most) in {**limit, **_BOUNDS, **self.bounds}.items():
            value = rows.get(name)
            if value is not None and not least <= value <= most:
                problems[name] = f"A whole number from {least:,} to {most:,}{_said(name, most)}, or empty."
        return problems

    def _require_valid(self, rows: Rows, problems: Problems) -> None:
        """Raise ValidationError with everything that is wrong with the three rows."""
        found: dict[str, list[str]] = {}
        for row in rows.all():
            theirs = {name: text for name, text in problems.items() if rows.find(name)[0] is row}
            try:
                setup.require_valid(row, theirs, exclude=["distribution", "frozen"])
            except ValidationError as problem:
                found |= {
                    (self.limit or n if n == "places" else n): t for n, t in problem.message_dict.items()
                }
        if found:
            raise ValidationError(found)


def _said(name: str, most: int) -> str:
    """What a number of seconds means."""
    return f" seconds ({durations.said(most)})" if name.endswith("_seconds") else ""


def is_changed(names: Sequence[str], changes: setup.Changes, text: str) -> Problems:
    """The same objection to each of these settings that is to be changed."""
    return {name: text for name in names if name in changes}
