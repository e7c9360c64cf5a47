"""An experience as one picture: who may come in by which way, what it ends in, what follows."""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from distributions.core.models import Distribution, Kind
from distributions.kinds import RELATED
from distributions.launches import figures
from experiences.models import Experience, Sequence
from fanfare import durations


@dataclass(frozen=True)
class Card:
    """One distribution: how it stands, or what it was set up to do before it opens, and its times."""

    distribution: Distribution
    phase: StrEnum
    line: str
    times: str


@dataclass(frozen=True)
class Lane:
    """One sequence: icon and words of what it asks for, what it ends in, and its waitlist."""

    sequence: Sequence
    number: int
    conditions: list[tuple[str, str]]
    cards: list[Card] = field(default_factory=list)
    waitlist: Card | None = None


def distributions_of(experience: Experience) -> list[Distribution]:
    """All that is in it, the first to open first: one question."""
    rows = Distribution.objects.filter(sequence__experience=experience)
    related = rows.select_related(*RELATED, "waitlist__offer_sequence")
    return list(related.order_by("open_at", "slug"))


def lanes(ways: list[Sequence], distributions: list[Distribution], now: dt.datetime) -> list[Lane]:
    """One for each sequence, in the order in which they are tried."""
    found = []
    for number, way in enumerate(ways, 1):
        mine = [each for each in distributions if each.sequence_id == way.pk]
        cards = [card(each, now) for each in mine if each.kind != Kind.WAITLIST]
        waits = next((card(each, now) for each in mine if each.kind == Kind.WAITLIST), None)
        found.append(Lane(way, number, _conditions(way), cards, waits))
    return found


def card(distribution: Distribution, now: dt.datetime) -> Card:
    """One distribution as the picture has it."""
    phase = figures.phase(distribution, now)
    line = figures.setup(distribution) if phase == "PENDING" else figures.line(distribution)
    return Card(distribution, phase, line, _times(distribution, now))


def _conditions(way: Sequence) -> list[tuple[str, str]]:
    """Icon and words of what is asked of those who want to come in this way."""
    asked = [
        (way.requires_authentication, "verified_user", "signed in"),
        (way.requires_access_code, "password", "with a code"),
        (way.requires_audience, "groups_2", "on the list"),
    ]
    return [(icon, words) for is_asked, icon, words in asked if is_asked] or [("public", "anyone")]


def _times(distribution: Distribution, now: dt.datetime) -> str:
    """When it opens and closes, in its zone."""
    opens, closes, zone = distribution.open_at, distribution.close_at, distribution.zone
    if distribution.kind == Kind.DRAW:
        closes = distribution.draw.draw_at
    first = "From the start" if opens is None else figures.when(opens, zone)
    last = "no end" if closes is None else figures.when(closes, zone)
    if opens is not None and opens > now:
        return f"{first} → {last}, in {durations.between(now, opens)}"
    return f"{first} → {last}"
