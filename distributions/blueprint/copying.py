"""A launch once more: its file with another name, slug and opening, applied beside it.

All times move along by the same hours and minutes of the clock on the wall, so that what began at ten begins
at ten, whatever the clocks do in between. What is written for days of the calendar (an appointment's
exceptions) stays on its days.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from distributions.blueprint import applying, parsing, vocabulary, writing
from distributions.blueprint.readers import time
from distributions.core.models import Distribution
from experiences.models import Experience
from fanfare.errors import Detail, Invalid

TAKEN = "There is an experience with this slug; choose another one."
TOO_FAR = "No calendar goes that far."


def opening_of(experience: Experience) -> dt.datetime | None:
    """When it opens: as set, else when the first thing in it does; None where nothing says so."""
    if experience.open_at is not None:
        return experience.open_at
    rows = Distribution.objects.filter(sequence__experience=experience, open_at__isnull=False)
    return rows.order_by("open_at").values_list("open_at", flat=True).first()


@transaction.atomic
def copy(
    experience: Experience,
    *,
    name: str,
    slug: str,
    opens_at: dt.datetime | None,
    now: dt.datetime,
    actor: str,
) -> Experience:
    """A new experience with all that is in this one, opening at `opens_at` (None: at the same times).

    Raises Invalid, by the names of the arguments; nothing was made then.
    """
    told = {**writing.as_data(experience), "name": name, "slug": slug}
    opened = opening_of(experience)
    if opens_at is not None and opened is None:
        raise Invalid(
            Detail("opens_at", "Nothing in it has an opening that could be moved. Leave this empty.")
        )
    if opens_at is not None and opened is not None:
        zone = ZoneInfo(experience.time_zone or experience.organization.time_zone)
        try:
            _move(told, _wall(opens_at, zone) - _wall(opened, zone), zone)
        except OverflowError:
            raise Invalid(Detail("opens_at", TOO_FAR)) from None
    _forget(told)
    file = {"organization": {"slug": experience.organization.slug}, "experiences": [told]}
    applying.lock_out_others()
    if Experience.objects.filter(organization=experience.organization_id, slug=slug).exists():
        raise Invalid(Detail("slug", TAKEN))
    plan = parsing.parse(file)
    try:
        applying.apply(plan, now=now, actor=actor)
    except Invalid as problem:
        raise Invalid(*map(_at_the_form, problem.details)) from None
    return Experience.objects.get(organization=experience.organization_id, slug=slug)


def _at_the_form(detail: Detail) -> Detail:
    """What is wrong somewhere in the copy, at the field that it came from."""
    for name in ("slug", "name"):
        if detail.field == f"experiences[0].{name}":
            return Detail(name, detail.message)
    return Detail("opens_at", f"{detail.field}: {detail.message}")


_TIMES = {
    name
    for level in (vocabulary.EXPERIENCE, *(entry.level for entry in vocabulary.KINDS.values()))
    for name, reader in level.settings.items()
    if reader is time
}


def _objects(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The experience, its sequences, and what is behind them."""
    yield told
    for sequence in told["sequences"]:
        yield sequence
        for kind in vocabulary.KINDS:
            found = sequence.get(vocabulary.plural(kind), [])
            yield from [found] if kind in vocabulary.SINGLE and found else found


def _move(told: dict[str, Any], by: dt.timedelta, zone: ZoneInfo) -> None:
    """Put all times off by so much on the wall's clock."""
    for entry in _objects(told):
        for name in _TIMES & set(entry):
            if entry[name] is not None:
                wall = _wall(dt.datetime.fromisoformat(entry[name]), zone) + by
                entry[name] = wall.replace(tzinfo=zone).isoformat()


def _wall(instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """What the clock on the wall shows then, without its zone."""
    return instant.astimezone(zone).replace(tzinfo=None)


def _forget(told: dict[str, Any]) -> None:
    """What was said to those who wait is nothing to others. The beacon's round that a draw waits for is
    chosen anew, after the copy's own closing.
    """
    for entry in _objects(told):
        if "message" in entry:
            entry["message"] = ""
        if entry.get("beacon"):
            entry["beacon"] = {"source": entry["beacon"]["source"]}
