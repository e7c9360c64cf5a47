"""The names that a file may use and what each takes: part of the contract, as one table a level.

A new kind of distribution is an entry in `KINDS` (its level here, its settings there).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from distributions.appointments import setup as appointments
from distributions.auctions import setup as auctions
from distributions.blueprint.readers import (
    Reader,
    amount,
    flag,
    mapping,
    mapping_or_none,
    name,
    number,
    numbers,
    reference,
    rows,
    text,
    texts,
    texts_or_none,
    time,
    way,
    whole,
)
from distributions.core.models import Kind
from distributions.core.setup import Settings
from distributions.draws import setup as draws
from distributions.kinds import KINDS as ALL_KINDS
from distributions.queues import setup as queues
from distributions.timed_releases import setup as timed_releases
from distributions.waitlists import setup as waitlists
from fanfare.wire import camel


@dataclass(frozen=True)
class Level:
    """One kind of object in a file: its settings, the lists of objects in it, those of which there is one at
    most.
    """

    title: str
    settings: Mapping[str, Reader]
    lists: Mapping[str, "Level"] = field(default_factory=dict)
    singles: Mapping[str, "Level"] = field(default_factory=dict)


@dataclass(frozen=True)
class KindOf:
    """How a file's entry becomes a distribution of that kind."""

    level: Level
    settings: Settings


EVERY_DISTRIBUTION: dict[str, Reader] = {
    "slug": text(),
    "name": name,
    "openAt": time,
    "closeAt": time,
    "timeZone": text(null=""),
    "supportsGuest": flag,
    "maxEntriesPerFingerprint": number,
    "proofOfWork": whole,
    "metadata": mapping,
    "message": text(null=""),
}
QUEUE = Level(
    "queue",
    {
        **EVERY_DISTRIBUTION,
        "capacity": number,
        "admissionRate": number,
        "maxActive": number,
        "maxAdmissions": number,
        "sessionSeconds": number,
        "enterFrom": time,
        "randomizeBeforeOpen": flag,
        "recycleExpired": flag,
    },
)
DRAW = Level(
    "draw",
    {
        **EVERY_DISTRIBUTION,
        "drawAt": time,
        "winnerCount": whole,
        "capacity": number,
        "claimSeconds": number,
        "alternates": flag,
        "endAt": time,
        "weights": rows,
        "beacon": mapping_or_none,
        "fallThrough": reference,
    },
)
AUCTION = Level(
    "auction",
    {
        **EVERY_DISTRIBUTION,
        "currencyCode": text(null=""),
        "startingPrice": amount,
        "minimumBidIncrement": amount,
        "incrementTable": rows,
        "reservePrice": amount,
        "showReserve": flag,
        "buyNowPrice": amount,
        "winnerCount": whole,
        "extensionWindowSeconds": number,
        "extensionSeconds": number,
        "maxExtensions": number,
        "hardEndAt": time,
        "settleAt": time,
        "claimSeconds": number,
        "secondChance": flag,
    },
)
TIMED_RELEASE = Level(
    "timed release",
    {**EVERY_DISTRIBUTION, "inventory": number, "claimSeconds": number, "maxPerConsumer": whole},
)
APPOINTMENT = Level(
    "appointment",
    {
        **EVERY_DISTRIBUTION,
        "slotMinutes": whole,
        "bufferMinutes": whole,
        "placesPerSlot": whole,
        "openingHours": mapping,
        "exceptions": rows,
        "maxBookingsPerConsumer": whole,
        "leastNoticeMinutes": whole,
        "furthestAheadDays": whole,
        "latestCancellationMinutes": whole,
        "reminderHoursBefore": numbers,
        "location": mapping_or_none,
    },
)
WAITLIST = Level(
    "waitlist",
    {
        **EVERY_DISTRIBUTION,
        "capacity": number,
        "mode": text(),
        "offerSequence": way,
        "offerSeconds": number,
    },
)
# In the order in which they are made: a draw may name a queue.
KINDS: dict[Kind, KindOf] = {
    Kind.QUEUE: KindOf(QUEUE, queues.SETTINGS),
    Kind.DRAW: KindOf(DRAW, draws.SETTINGS),
    Kind.AUCTION: KindOf(AUCTION, auctions.SETTINGS),
    Kind.TIMED_RELEASE: KindOf(TIMED_RELEASE, timed_releases.SETTINGS),
    Kind.APPOINTMENT: KindOf(APPOINTMENT, appointments.SETTINGS),
    Kind.WAITLIST: KindOf(WAITLIST, waitlists.SETTINGS),
}


SINGLE = (Kind.WAITLIST,)  # of which a sequence has one at most


def plural(kind: Kind) -> str:
    """What a sequence's list of that kind is called in a file, or its one object."""
    return camel(kind if kind in SINGLE else ALL_KINDS[kind].plural)


SEQUENCE = Level(
    "sequence",
    {
        "slug": text(),
        "name": name,
        "color": text(null=""),
        "priority": whole,
        "requiresAuthentication": flag,
        "requiresAccessCode": flag,
        "requiresAudience": flag,
        "accessCode": text(100, null=""),
        "audience": texts_or_none,
        "next": way,
    },
    {plural(kind): entry.level for kind, entry in KINDS.items() if kind not in SINGLE},
    {plural(kind): KINDS[kind].level for kind in SINGLE},
)
EXPERIENCE = Level(
    "experience",
    {
        "slug": text(),
        "name": name,
        "description": text(5000, null=""),
        "theme": mapping,
        "timeZone": text(null=""),
        "openAt": time,
        "closeAt": time,
    },
    {"sequences": SEQUENCE},
)
ORGANIZATION = Level(
    "organization",
    {
        "slug": text(),
        "name": name,
        "timeZone": text(),
        "currencyCode": text(),
        "languageCode": text(),
        "logoUrl": text(null=""),
        "theme": mapping,
        "allowedOrigins": texts,
        "returnHosts": texts,
        "requireFingerprint": flag,
        "rateLimits": mapping,
    },
)
