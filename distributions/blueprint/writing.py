"""An experience as a file: what `apply` reads, written from the database. Applied where nothing is yet, it
makes the same again.

Of the organization only its slug, so that whoever applies the file changes no other setting of theirs.
Secrets stay here: that a sequence asks for a code or has an audience is said, and no code and no address.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from distributions.blueprint import conditions, vocabulary
from distributions.blueprint.vocabulary import KindOf, Level
from distributions.core.models import Distribution, Kind
from distributions.core.setup import Rows
from distributions.kinds import RELATED
from experiences.models import Experience, Sequence
from fanfare import money
from fanfare.fields import MoneyField
from fanfare.wire import snake

HEAD = """\
# {name}, as of {at}. Apply it in the console, or with `manage.py apply`.
# It names its organization and nothing of that: for a new one, add at least its name.
# Access codes and audiences are not in it: give every sequence that asks for them some of its own.
"""


def as_text(experience: Experience, *, now: dt.datetime) -> str:
    """The file, in YAML."""
    zone = _zone(experience)
    head = HEAD.format(name=" ".join(experience.name.split()), at=_local(now.replace(microsecond=0), zone))
    told = {"organization": {"slug": experience.organization.slug}, "experiences": [as_data(experience)]}
    options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "default_flow_style": None}
    return head + str(yaml.dump(told, Dumper=_Dumper, width=110, **options))


class _Dumper(yaml.SafeDumper):
    """Without aliases, which `reading` does not take."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_data(experience: Experience) -> dict[str, Any]:
    """The file's entry of one experience."""
    behind: dict[str, list[Distribution]] = {}
    rows = Distribution.objects.filter(sequence__experience=experience).select_related(
        *RELATED, "draw__fall_through__sequence", "waitlist__offer_sequence"
    )
    for distribution in rows.order_by("open_at", "slug"):  # by what they are: made again, in the same order
        behind.setdefault(distribution.sequence_id, []).append(distribution)
    ways = experience.sequences.select_related("next").order_by("-priority", "slug")
    told = _settings(vocabulary.EXPERIENCE, vars(experience), _zone(experience))
    return told | {"sequences": [_sequence(way, behind.get(way.pk, []), experience) for way in ways]}


def _sequence(sequence: Sequence, behind: list[Distribution], experience: Experience) -> dict[str, Any]:
    values = {**vars(sequence), "next": sequence.next}
    told = _settings(vocabulary.SEQUENCE, values, _zone(experience))
    for kind, entry in vocabulary.KINDS.items():
        entries = [_distribution(each, entry) for each in behind if each.kind == kind]
        if entries:
            told[vocabulary.plural(kind)] = entries[0] if kind in vocabulary.SINGLE else entries
    return told


def _distribution(distribution: Distribution, entry: KindOf) -> dict[str, Any]:
    own, settings = getattr(distribution, distribution.kind), entry.settings
    rows = Rows(distribution, distribution.tally, own, settings.names, settings.limit)
    values = {snake(name): rows.get(snake(name)) for name in entry.level.settings}
    if distribution.kind == Kind.AUCTION:
        values |= _of_auction(distribution)
    if distribution.kind == Kind.DRAW and (queue := own.fall_through):
        far = {} if queue.sequence_id == distribution.sequence_id else {"sequence": queue.sequence.slug}
        values["fall_through"] = {"queue": queue.slug, **far}
    return _settings(entry.level, values, ZoneInfo(distribution.zone))


def _of_auction(distribution: Distribution) -> dict[str, Any]:
    """Amounts as text, and the closing that was announced: bids may have moved the one it has."""
    auction = distribution.auction
    amounts = {
        column.name: money.text(value, auction.currency_code)
        for column in auction._meta.fields
        if isinstance(column, MoneyField) and (value := getattr(auction, column.name)) is not None
    }
    announced = auction.announced_close_at if distribution.tally.entered else None
    return amounts | ({"close_at": announced} if announced else {})


def _settings(level: Level, values: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """What a file says of one object, in the vocabulary's order."""
    names = [name for name in level.settings if snake(name) not in conditions.NAMES]
    return {name: _plain(values[snake(name)], zone) for name in names}


def _plain(value: Any, zone: ZoneInfo) -> Any:
    """As YAML and JSON have it; of another object its slug, of an instant the time where it counts."""
    if isinstance(value, dt.datetime):
        return _local(value, zone)
    return value.slug if isinstance(value, Sequence) else value


def _local(instant: dt.datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).isoformat()


def _zone(experience: Experience) -> ZoneInfo:
    return ZoneInfo(experience.time_zone or experience.organization.time_zone)
