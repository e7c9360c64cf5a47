"""Writing what staff set: compare, check, save what differs, trace it (invariant 6).

For the console and `apply` alike. Values go by the models' names; the trace has the contract's
(camelCase). Who may change something is the faces' business; a kind's own rules are in its package.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from experiences import events
from experiences.models import Experience, Organization, Sequence
from fanfare.wire import camel, iso

Changes = dict[str, tuple[Any, Any]]
"""What differs, by name: the value before and the one after."""


def create(thing: models.Model, values: Mapping[str, Any], *, now: dt.datetime, actor: str) -> None:
    """Save a new organization, experience or sequence. Raises ValidationError, by the models' names."""
    for name, value in values.items():
        setattr(thing, name, value)
    require_valid(thing, time_problems(thing))
    with transaction.atomic():
        thing.save(force_insert=True)
        trace(thing, {name: (None, value) for name, value in values.items()}, now=now, actor=actor)


def update(thing: models.Model, values: Mapping[str, Any], *, now: dt.datetime, actor: str) -> Changes:
    """Save what differs, and say what did. Raises ValidationError, by the models' names."""
    changes = differences(thing, values)
    if changes:
        assign(thing, changes)
        require_valid(thing, time_problems(thing))
        with transaction.atomic():
            thing.save(update_fields=list(changes))
            trace(thing, changes, now=now, actor=actor)
    return changes


def differences(thing: models.Model, values: Mapping[str, Any]) -> Changes:
    """Those of the values that are not the thing's already."""
    before = {name: getattr(thing, name) for name in values}
    return {name: (before[name], value) for name, value in values.items() if before[name] != value}


def assign(thing: models.Model, changes: Changes) -> None:
    """Set the new values; nothing is saved."""
    for name, (_, after) in changes.items():
        setattr(thing, name, after)


def time_problems(thing: models.Model) -> dict[str, str]:
    """By name, what is wrong with the order of opening and closing."""
    opens, closes = getattr(thing, "open_at", None), getattr(thing, "close_at", None)
    if opens is not None and closes is not None and closes <= opens:
        return {"close_at": f"It must be after the opening, {iso(opens)}; this is {iso(closes)}."}
    return {}


def require_valid(
    thing: models.Model, problems: Mapping[str, str] | None = None, *, exclude: Iterable[str] = ()
) -> None:
    """Raise ValidationError with what the model's validators find, and `problems` beside it."""
    found: dict[str, list[str]] = {name: [text] for name, text in (problems or {}).items()}
    try:
        # With a problem known, the database's constraints would only repeat it, less clearly.
        thing.full_clean(exclude=exclude, validate_constraints=not found)
    except ValidationError as problem:
        found = problem.message_dict | found
    if found:
        raise ValidationError(found)


def trace(
    thing: models.Model,
    changes: Changes,
    *,
    now: dt.datetime,
    actor: str,
    distribution_id: str | None = None,
    organization_id: str = "",
) -> None:
    """Write `settings.changed`; the caller is inside the transaction that makes the change."""
    data = {
        "object": thing.pk,
        "before": {camel(name): _plain(before) for name, (before, _) in changes.items()},
        "after": {camel(name): _plain(after) for name, (_, after) in changes.items()},
    }
    events.record(
        "settings.changed",
        organization_id or _organization_of(thing),
        at=now,
        actor=actor,
        distribution_id=distribution_id,
        data=data,
    )


def trace_change(sequence: Sequence, told: Mapping[str, Any], *, now: dt.datetime, actor: str) -> None:
    """Write `settings.changed` of what hangs on a sequence; the caller is inside the transaction."""
    data = {"object": sequence.pk, **told}
    events.record("settings.changed", _organization_of(sequence), at=now, actor=actor, data=data)


def _organization_of(thing: models.Model) -> str:
    if isinstance(thing, Sequence):
        return str(thing.experience.organization_id)
    if isinstance(thing, Experience):
        return str(thing.organization_id)
    assert isinstance(thing, Organization)
    return str(thing.pk)


def _plain(value: Any) -> Any:
    if isinstance(value, models.Model):
        return value.pk
    return iso(value) if isinstance(value, dt.datetime) else value
