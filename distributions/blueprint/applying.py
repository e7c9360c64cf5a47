"""Compares a plan with the database and writes what differs, in one transaction: all of it or nothing.

Each object is created, updated or left as it is, through the functions that the console uses too.
"""

import datetime as dt
import secrets
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection, models, transaction

from distributions.blueprint import conditions, readers, vocabulary
from distributions.blueprint.moments import Moment
from distributions.blueprint.parsing import Node, Plan
from distributions.core.models import Distribution, Kind
from experiences import keys, setup
from experiences.models import ApiKey, Experience, KeyKind, KeyMode, Organization, Sequence
from fanfare.wire import camel

T = TypeVar("T", bound=models.Model)


@dataclass(frozen=True)
class Outcome:
    """What became of one object of the file; `kept` are relative times that were left as they are."""

    node: Node
    verdict: str  # created, updated, unchanged
    id: str
    changes: setup.Changes = field(default_factory=dict)
    kept: tuple[str, ...] = ()


@dataclass
class Applied:
    """What became of a file; `secret` is the text of a secret key, to be had this once."""

    organization: Organization
    outcomes: list[Outcome] = field(default_factory=list)
    publishable: str | None = None
    secret: str | None = None


def lock_out_others() -> None:
    """One file at a time, until the transaction ends: two that make the same organization don't collide."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('fanfare.apply'))")


@transaction.atomic
def apply(
    plan: Plan,
    *,
    now: dt.datetime,
    actor: str,
    new_keys: bool = False,
    reset_times: bool = False,
    dry_run: bool = False,
) -> Applied:
    """Write what differs. Raises Invalid with all that is wrong, and then has changed nothing.

    Relative times are resolved when an object is made; later they only fill what is empty, unless
    `reset_times`: applying a file again must not move a launch that is under way. A new organization
    gets a live key of each kind, an old one with `new_keys`.
    """
    lock_out_others()
    applied = _Application(plan, now, actor, reset_times).run()
    if plan.problems:
        raise plan.problems.refusal()
    if new_keys or applied.outcomes[0].verdict == "created":
        for kind in (KeyKind.PUBLISHABLE, KeyKind.SECRET):
            _, applied.secret = keys.create(applied.organization, kind, now=now, actor=actor)
    applied.publishable = _newest_publishable(applied.organization)
    if dry_run:
        transaction.set_rollback(True)
    return applied


def _newest_publishable(organization: Organization) -> str | None:
    living = ApiKey.objects.filter(
        organization=organization, kind=KeyKind.PUBLISHABLE, mode=KeyMode.LIVE, revoked_at=None
    )
    return living.order_by("-created_at", "-id").values_list("text", flat=True).first()


class _Application:
    """One run over a plan; collects outcomes, and problems into the plan's."""

    def __init__(self, plan: Plan, now: dt.datetime, actor: str, reset_times: bool) -> None:
        self._plan = plan
        self._now = now
        self._trail: dict[str, Any] = {"now": now, "actor": actor}
        self._reset_times = reset_times
        self._outcomes: list[Outcome] = []

    def run(self) -> Applied:
        node = self._plan.organization
        found = Organization.objects.filter(slug=node.slug).first()
        organization = self._settle(node, found, Organization(created_at=self._now), [])
        for experience in self._plan.experiences:
            self._experience(experience, organization)
        return Applied(organization, sorted(self._outcomes, key=lambda outcome: outcome.node.number))

    def _experience(self, node: Node, organization: Organization) -> None:
        found = Experience.objects.filter(organization=organization, slug=node.slug).first()
        draft = Experience(organization=organization, created_at=self._now)
        experience = self._settle(node, found, draft, [organization.time_zone])
        # All sequences first: what is behind them may name another one, or something behind another one.
        nodes = node.lists.get("sequences", [])
        following = {each.path: each.values.pop("next") for each in nodes if "next" in each.values}
        ways = [self._sequence(each, experience) for each in nodes]
        for each, sequence in zip(nodes, ways, strict=True):
            if each.path in following:
                self._follow(each, sequence, following[each.path])
        for kind, entry in vocabulary.KINDS.items():
            for each, sequence in zip(nodes, ways, strict=True):
                for distribution in each.lists.get(vocabulary.plural(kind), []):
                    self._distribution(distribution, sequence, kind, entry)

    def _sequence(self, node: Node, experience: Experience) -> Sequence:
        found = experience.sequences.filter(slug=node.slug).first()
        for name, text in conditions.contradictions(node.values).items():
            self._plan.problems.note(f"{node.path}.{camel(name)}", text)
        given = {name: node.values.pop(name) for name in conditions.NAMES if name in node.values}
        sequence = self._settle(node, found, Sequence(experience=experience), [])
        self._conditions(node, sequence, given)
        return sequence

    def _conditions(self, node: Node, sequence: Sequence, given: Mapping[str, Any]) -> None:
        try:
            changes = conditions.apply(sequence, given, **self._trail)
        except ValidationError as problem:
            self._note(node, problem)
            return
        self._also_changed(node, changes)

    def _follow(self, node: Node, sequence: Sequence, way: readers.Way | None) -> None:
        """Let the sequence of this slug come next, or none."""
        found = None if way is None else self._way(node, "next", way, sequence)
        try:
            changes = setup.update(sequence, {"next": found}, **self._trail)
        except ValidationError as problem:
            self._note(node, problem)
            return
        self._also_changed(node, changes)

    def _also_changed(self, node: Node, changes: setup.Changes) -> None:
        """What was changed beside the settings of an object that was settled before."""
        for number, outcome in enumerate(self._outcomes):
            if changes and outcome.node is node and outcome.verdict != "created":
                both = outcome.changes | changes
                self._outcomes[number] = replace(outcome, verdict="updated", changes=both)

    def _way(self, node: Node, name: str, way: readers.Way, sequence: Sequence) -> Sequence | None:
        """The sequence that a setting names."""
        found = Sequence.objects.filter(experience=sequence.experience_id, slug=way.slug).first()
        if found is None:
            self._plan.problems.note(f"{node.path}.{camel(name)}", "There is no such sequence.")
        return found

    def _distribution(self, node: Node, sequence: Sequence, kind: Kind, entry: vocabulary.KindOf) -> None:
        experience = sequence.experience
        related = Distribution.objects.select_related("tally", "sequence", kind)
        found = related.filter(sequence=sequence, kind=kind, slug=node.slug).first()
        before = {**vars(getattr(found, kind)), **vars(found)} if found else None
        values, kept = self._resolve(node, before, [experience.time_zone, experience.organization.time_zone])
        values |= self._look_up(node, values, sequence)
        try:
            if found is None:
                made = entry.settings.create(sequence, values, **self._trail)
                self._outcomes.append(Outcome(node, "created", made.pk))
            else:
                self._updated(node, found, entry.settings.update(found, values, **self._trail), kept)
        except ValidationError as problem:
            self._note(node, problem)

    def _look_up(self, node: Node, values: Mapping[str, Any], sequence: Sequence) -> dict[str, Any]:
        """The distributions that values name, by the values' names."""
        found: dict[str, Any] = {}
        for name, value in values.items():
            if isinstance(value, readers.Way):
                found[name] = self._way(node, name, value, sequence)
            if isinstance(value, readers.Reference):
                rows = Distribution.objects.filter(kind=value.kind, slug=value.slug)
                if value.sequence:
                    near = rows.filter(
                        sequence__experience=sequence.experience_id, sequence__slug=value.sequence
                    )
                else:
                    near = rows.filter(sequence=sequence)
                found[name] = near.first()
                if found[name] is None:
                    self._plan.problems.note(f"{node.path}.{camel(name)}", "There is no such distribution.")
        return found

    def _settle(self, node: Node, found: T | None, draft: T, zones: list[str]) -> T:
        """The object of this node, created or brought up to date; if it is wrong, a stand-in."""
        values, kept = self._resolve(node, vars(found) if found else None, zones)
        try:
            if found is None:
                setup.create(draft, values, **self._trail)
                self._outcomes.append(Outcome(node, "created", draft.pk))
            else:
                self._updated(node, found, setup.update(found, values, **self._trail), kept)
        except ValidationError as problem:
            self._note(node, problem)
            return _stand_in(draft, problem) if found is None else _as_before(found)
        return draft if found is None else found

    def _updated(
        self, node: Node, thing: models.Model, changes: setup.Changes, kept: tuple[str, ...]
    ) -> None:
        verdict = "updated" if changes else "unchanged"
        self._outcomes.append(Outcome(node, verdict, thing.pk, changes, kept))

    def _resolve(
        self, node: Node, before: Mapping[str, Any] | None, zones: list[str]
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The node's values with its times resolved, and the names of relative times left as they are."""
        named = [node.values.get("time_zone"), (before or {}).get("time_zone"), *zones]
        zone = _zone(next((name for name in named if name), "UTC"))
        values: dict[str, Any] = {}
        kept = []
        for name, value in node.values.items():
            if not isinstance(value, Moment):
                values[name] = value
            elif value.is_relative and before and before[name] and not self._reset_times:
                kept.append(camel(name))
            else:
                values[name] = value.resolve(now=self._now, zone=zone)
        return values, tuple(kept)

    def _note(self, node: Node, problem: ValidationError) -> None:
        for name, texts in problem.message_dict.items():
            path = node.path if name == NON_FIELD_ERRORS else f"{node.path}.{camel(name)}"
            self._plan.problems.note(path, " ".join(texts))


def _zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone of that name; for a wrong one, which its object's validator reports, UTC."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return zoneinfo.ZoneInfo("UTC")


def _stand_in(draft: T, problem: ValidationError) -> T:
    """Saved with defaults for what is wrong, so that what is in it can be checked as well.

    Never kept: there is a problem, so the transaction is rolled back.
    """
    for column in draft._meta.fields:
        if column.name in problem.message_dict:
            setattr(draft, column.name, column.get_default())
    draft.slug = f"stand-in-{secrets.token_hex(8)}"  # type: ignore[attr-defined]
    draft.save(force_insert=True)
    return draft


def _as_before(found: T) -> T:
    found.refresh_from_db()
    return found
