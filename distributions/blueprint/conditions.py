"""A sequence's access code and audience, as a file gives them: beside its settings, not among them.

The file's code is the one shared code; codes that were generated stay as they are. Its audience is
added to the list, from which nobody is taken. Null asks for none any more. A file that is to say neither may
say that one is asked for: `requiresAccessCode`, `requiresAudience`.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from experiences import access_codes, audiences, setup
from experiences.models import Sequence
from fanfare.wire import camel

NAMES = ("access_code", "audience")


def contradictions(values: Mapping[str, Any]) -> dict[str, str]:
    """By name, what both asks and doesn't ask for the same thing."""
    asked = {"access_code": bool(values.get("access_code")), "audience": values.get("audience") is not None}
    return {
        f"requires_{name}": f"It says the opposite of {camel(name)}."
        for name in NAMES
        if name in values and values.get(f"requires_{name}", asked[name]) != asked[name]
    }


def apply(sequence: Sequence, given: Mapping[str, Any], *, now: dt.datetime, actor: str) -> setup.Changes:
    """Write what differs, and say what did, never with a code in it. Raises ValidationError."""
    changes: setup.Changes = {}
    if "access_code" in given:
        changes |= _share(sequence, given["access_code"], now, actor)
    if "audience" in given:
        changes |= _invite(sequence, given["audience"], now, actor)
    return changes


def _share(sequence: Sequence, text: str | None, now: dt.datetime, actor: str) -> setup.Changes:
    if not text:
        return setup.update(sequence, {"requires_access_code": False}, now=now, actor=actor)
    is_new = access_codes.share(sequence, text, now=now, actor=actor)
    return {"access_code": ("another or none", "the file's")} if is_new else {}


def _invite(sequence: Sequence, entries: list[str] | None, now: dt.datetime, actor: str) -> setup.Changes:
    if entries is None:
        return setup.update(sequence, {"requires_audience": False}, now=now, actor=actor)
    asked = sequence.requires_audience
    keys = audiences.read_list(entries)
    added = audiences.add(sequence, keys, now=now, actor=actor)
    return {"audience": ("", f"{added} more")} if added or not asked else {}
