"""What `apply` prints: readable lines, or one JSON object with the ids."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from distributions.blueprint import vocabulary
from distributions.blueprint.applying import Applied, Outcome
from distributions.blueprint.parsing import Node, Plan
from distributions.core.models import Kind
from fanfare.wire import camel, iso


@dataclass(frozen=True)
class Told:
    """What became of one object (created, updated, unchanged); its slugs from the top; what changed in it."""

    verdict: str
    title: str
    name: str
    changes: list[str]


def as_rows(applied: Applied) -> Iterator[Told]:
    """One for each object of the file."""
    names: dict[str, str] = {}
    for outcome in applied.outcomes:
        parent = names.get(_parent(outcome.node.path), "")
        names[outcome.node.path] = name = f"{parent}/{outcome.node.slug}".lstrip("/")
        yield Told(outcome.verdict, outcome.node.level.title, name, list(_changes(outcome)))


def as_lines(applied: Applied) -> Iterator[str]:
    """One line an object: what became of it, and what changed."""
    for row in as_rows(applied):
        line = f"{row.verdict:9}  {row.title:12}  {row.name}"
        yield f"{line}: {', '.join(row.changes)}" if row.changes else line
    if any(outcome.kept for outcome in applied.outcomes):
        yield "Relative times (now…) of what was there stay as they are; --reset-times sets them anew."


def _parent(path: str) -> str:
    """`experiences[0].sequences[1]` → `experiences[0]`."""
    return path.rpartition(".")[0]


def _changes(outcome: Outcome) -> Iterator[str]:
    for name, (before, after) in outcome.changes.items():
        yield f"{camel(name)} {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "none"
    return iso(value) if isinstance(value, dt.datetime) else str(value)


def as_tree(plan: Plan, applied: Applied, *, dry_run: bool) -> dict[str, Any]:
    """The ids of all that the file names, by slug; null for what a dry run would create."""
    ids = {
        outcome.node.path: None if dry_run and outcome.verdict == "created" else outcome.id
        for outcome in applied.outcomes
    }
    organization: dict[str, Any] = {
        "id": ids[plan.organization.path],
        "slug": applied.organization.slug,
        "publishableKey": applied.publishable,
    }
    if applied.secret is not None:
        organization["secretKey"] = applied.secret
    experiences = {node.slug: _experience(node, ids) for node in plan.experiences}
    return {"organization": organization, "experiences": experiences}


def ids_of(applied: Applied, kind: Kind) -> dict[str, str]:
    """The ids of the file's queues, draws, … by slug, in its order; of equal slugs the first."""
    found: dict[str, str] = {}
    for outcome in applied.outcomes:
        if outcome.node.level is vocabulary.KINDS[kind].level:
            found.setdefault(outcome.node.slug, outcome.id)
    return found


def _experience(node: Node, ids: dict[str, str | None]) -> dict[str, Any]:
    sequences = node.lists.get("sequences", [])
    return {
        "id": ids[node.path],
        "sequences": {sequence.slug: _sequence(sequence, ids) for sequence in sequences},
    }


def _sequence(node: Node, ids: dict[str, str | None]) -> dict[str, Any]:
    plurals = [vocabulary.plural(kind) for kind in vocabulary.KINDS]
    known = {plural: _by_slug(node.lists.get(plural, []), ids) for plural in plurals}
    return {"id": ids[node.path], **known}


def _by_slug(nodes: Iterable[Node], ids: dict[str, str | None]) -> dict[str, str | None]:
    return {node.slug: ids[node.path] for node in nodes}
