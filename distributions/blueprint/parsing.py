"""Checks a file's data against the vocabulary: names, types, slugs. All that is wrong at once.

What the models know (lengths, shapes, what fits together) and what the database knows is found when
the plan is applied.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from distributions.blueprint import vocabulary
from distributions.blueprint.vocabulary import Level
from fanfare.errors import Detail, Invalid
from fanfare.wire import snake


class Problems:
    """What is wrong, by path such as `experiences[0].sequences[1].openAt`; the first word counts."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def note(self, path: str, text: str) -> None:
        self._found.setdefault(path, text)

    def refusal(self) -> Invalid:
        """All of them as one error."""
        return Invalid(*(Detail(path, text) for path, text in self._found.items()))


@dataclass
class Node:
    """An object of the file: values by the models' names, and the lists of objects in it."""

    path: str
    level: Level
    slug: str
    values: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, list["Node"]] = field(default_factory=dict)
    number: int = field(default_factory=itertools.count().__next__)  # in the order of the file


@dataclass
class Plan:
    """What a file asks for. With problems, applying it only finds more of them."""

    organization: Node
    experiences: list[Node]
    problems: Problems


def parse(data: Any) -> Plan:
    """The plan in a file's data. Raises Invalid when there is not even an organization."""
    problems = Problems()
    if not isinstance(data, dict):
        problems.note("", "The file must have organization and, if you like, experiences.")
        raise problems.refusal()
    for name in data:
        if name not in ("organization", "experiences"):
            problems.note(name, "Unknown name; known are organization and experiences.")
    given = data.get("organization")
    if not isinstance(given, dict) or not isinstance(given.get("slug"), str):
        problems.note("organization", "It must be a set of names and values, with a slug.")
        raise problems.refusal()
    organization = _node("organization", vocabulary.ORGANIZATION, given, problems)
    lists = _list("experiences", vocabulary.EXPERIENCE, data.get("experiences"), problems)
    return Plan(organization, lists, problems)


def _node(path: str, level: Level, given: dict[str, Any], problems: Problems) -> Node:
    node = Node(path, level, "")
    for name, value in given.items():
        if name in level.settings:
            _read(node, name, value, problems)
        elif name in level.lists:
            node.lists[name] = _list(f"{path}.{name}", level.lists[name], value, problems)
        elif name in level.singles:
            node.lists[name] = _single(f"{path}.{name}", level.singles[name], value, problems)
        else:
            problems.note(f"{path}.{name}", _unknown(level, name))
    if "slug" not in node.values:
        problems.note(f"{path}.slug", "Each one needs a slug.")
        node.values["slug"] = f"without-{abs(hash(path))}"
    node.slug = node.values["slug"]
    return node


def _read(node: Node, name: str, value: Any, problems: Problems) -> None:
    try:
        node.values[snake(name)] = node.level.settings[name](value)
    except ValueError as problem:
        problems.note(f"{node.path}.{name}", str(problem))


def _unknown(level: Level, name: str) -> str:
    known = ", ".join([*level.settings, *level.lists, *level.singles])
    return f"Unknown name; of {level.title}, known are {known}."


def _single(path: str, level: Level, given: Any, problems: Problems) -> list[Node]:
    """A list of the one object that there is, or of none."""
    if given is None or isinstance(given, dict):
        return [] if given is None else [_node(path, level, given, problems)]
    problems.note(path, "It must be a set of names and values.")
    return []


def _list(path: str, level: Level, given: Any, problems: Problems) -> list[Node]:
    if given is None:
        return []
    if not isinstance(given, list):
        problems.note(path, "It must be a list.")
        return []
    nodes = []
    for number, entry in enumerate(given):
        if isinstance(entry, dict):
            nodes.append(_node(f"{path}[{number}]", level, entry, problems))
        else:
            problems.note(f"{path}[{number}]", "It must be a set of names and values.")
    return list(_distinct(nodes, problems))


def _distinct(nodes: list[Node], problems: Problems) -> Iterator[Node]:
    first: dict[str, Node] = {}
    for node in nodes:
        if first.setdefault(node.slug, node) is node:
            yield node
        else:
            problems.note(f"{node.path}.slug", f"“{node.slug}” is the slug of {first[node.slug].path} too.")
