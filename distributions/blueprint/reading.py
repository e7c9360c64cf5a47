"""From a file's bytes to plain data: YAML or JSON, bounded in size and depth, without surprises.

Of YAML only what JSON has: no aliases, no tags, no time stamps, no numbers to the base of sixty, every name
once.
"""

import json
from collections.abc import Iterable
from typing import Any

import yaml

from fanfare.errors import Detail, Invalid

MOST_BYTES = 1024 * 1024
MOST_LEVELS = 30


def read(content: bytes) -> Any:
    """The data in a file. Raises Invalid, saying where, when it is not YAML or JSON."""
    if len(content) > MOST_BYTES:
        raise _refusal(f"The file is larger than {MOST_BYTES // 1024:,} KiB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise _refusal(f"Not UTF-8 text: byte {problem.start}.") from None
    try:
        data = _parse(text)
        _require_shallow(data)
    except RecursionError:
        raise _refusal(f"More than {MOST_LEVELS} levels.") from None
    return data


def _parse(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
        except json.JSONDecodeError as not_json:
            return _parse_yaml(text, f"Not JSON: {not_json}. ")
        except ValueError as problem:
            raise _refusal(str(problem)) from None
    return _parse_yaml(text)


def _parse_yaml(text: str, before: str = "") -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506 (built on SafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _refusal(f"{before}Not YAML{where}: {problem.problem}.") from None
    except (yaml.YAMLError, ValueError, OverflowError) as problem:
        raise _refusal(f"{before}Not YAML: {problem}.") from None


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"“{name}” stands twice in one object.")
        found[name] = value
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON.")


class _Loader(yaml.SafeLoader):
    """SafeLoader without aliases, tags and time stamps, and with every name once and as text."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases are not taken", event.start_mark)
        if event.tag is not None:  # their makers crash on values that they don't expect
            raise yaml.composer.ComposerError(None, None, "tags are not taken", event.start_mark)
        return super().compose_node(parent, index)

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """What a value without a tag is. With a colon it is text: `10:30` is no 630, and to reckon a long one
        of that kind takes minutes.
        """
        if kind is yaml.ScalarNode and ":" in value:
            return "tag:yaml.org,2002:str"
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            mark = key.start_mark
            if key.tag != "tag:yaml.org,2002:str":
                raise yaml.constructor.ConstructorError(None, None, "a name must be text", mark)
            if key.value in seen:
                text = f"“{key.value}” stands twice"
                raise yaml.constructor.ConstructorError(None, None, text, mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [entry for entry in entries if entry[0] != "tag:yaml.org,2002:timestamp"]
    for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _require_shallow(data: Any, level: int = 0) -> None:
    if level > MOST_LEVELS:
        raise RecursionError
    for value in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        _require_shallow(value, level + 1)


def _refusal(text: str) -> Invalid:
    return Invalid(Detail("", text))
