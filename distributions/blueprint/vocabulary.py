"""The names that a file may use and what each takes: part of the contract, as one table a level.

A reader turns plain data into a model's value or raises ValueError with what is expected. Bounds and
shapes that the models check themselves are not repeated here. A new kind of distribution is an entry
in `KINDS` (its level here, its settings there) instead of its name in `LATER`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from distributions.appointments import setup as appointments
from distributions.auctions import setup as auctions
from distributions.blueprint import moments
from distributions.core.models import Kind
from distributions.core.setup import Settings
from distributions.draws import setup as draws
from distributions.kinds import KINDS as ALL_KINDS
from distributions.queues import setup as queues
from distributions.timed_releases import setup as timed_releases
from fanfare import money
from fanfare.wire import camel

Reader = Callable[[Any], Any]
MOST_JSON_BYTES = 16 * 1024
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def text(most: int = 500, *, null: str | None = None) -> Reader:
    """Text of at most so many characters; `null` is what null stands for, where it is allowed."""

    def read(value: Any) -> str:
        if value is None and null is not None:
            return null
        if not isinstance(value, str):
            raise ValueError("It must be text (in quotes, if it looks like something else).")
        if len(value) > most:
            raise ValueError(f"At most {most:,} characters.")
        if _NOT_TEXT.search(value):
            raise ValueError("Control characters and lone surrogates are not taken.")
        return value

    return read


def number(value: Any) -> int | None:
    """A whole number or null."""
    return None if value is None else whole(value)


def whole(value: Any) -> int:
    """A whole number; how large it may be is the model's business, within 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise ValueError("It must be a whole number.")
    return value


def flag(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError("It must be true or false.")
    return value


def time(value: Any) -> moments.Moment | None:
    """A time or null."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(moments.EXPECTED)
    return moments.parse(value)


def mapping(value: Any) -> dict[str, Any]:
    """A set of names and values that JSON and PostgreSQL can hold; null: an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("It must be a set of names and values.")
    try:
        size = len(orjson.dumps(value))
    except (TypeError, orjson.JSONEncodeError):
        raise ValueError("Only text, numbers, true, false, null, lists and sets of these.") from None
    if size > MOST_JSON_BYTES:
        raise ValueError(f"At most {MOST_JSON_BYTES:,} bytes.")
    _require_storable(value)
    return value


def _require_storable(value: Any) -> None:
    """Raise ValueError for what PostgreSQL's jsonb does not hold as it is."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("The character NUL is not taken.")
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise ValueError("Only finite numbers.")
    if isinstance(value, dict):
        for name, entry in value.items():
            _require_storable(name)
            _require_storable(entry)
    if isinstance(value, list):
        for entry in value:
            _require_storable(entry)


def texts(value: Any) -> list[str]:
    """A list of texts; null: an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError("It must be a list.")
    return [text()(entry) for entry in value]


def texts_or_none(value: Any) -> list[str] | None:
    """A list of texts, or null."""
    return None if value is None else texts(value)


def rows(value: Any) -> list[Any]:
    """A list; what is in it, the model knows."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError("It must be a list.")
    return value


def numbers(value: Any) -> list[int]:
    """A list of whole numbers; null: an empty one."""
    return [whole(entry) for entry in rows(value)]


def amount(value: Any) -> str | None:
    """An amount of money, as text; how many decimals it may have is its currency's business. Or null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError('It must be an amount such as "150.00".')
    return money.written(value)


def mapping_or_none(value: Any) -> dict[str, Any] | None:
    """A set of names and values, or null."""
    return None if value is None else mapping(value)


@dataclass(frozen=True)
class Reference:
    """Another distribution of the experience, by slugs; `sequence` is empty for the same one."""

    kind: Kind
    slug: str
    sequence: str = ""


def reference(value: Any) -> Reference | None:
    """`{queue: <slug>}`, with the slug of its sequence if it is in another one; or null."""
    if value is None:
        return None
    if not isinstance(value, dict) or not {"queue"} <= set(value) <= {"queue", "sequence"}:
        raise ValueError("{queue: its slug}, and sequence: the slug of its sequence where it is another one.")
    return Reference(Kind.QUEUE, text()(value["queue"]), text()(value.get("sequence", "")))


@dataclass(frozen=True)
class Level:
    """One kind of object in a file: its settings, the lists of objects in it, and what comes later."""

    title: str
    settings: Mapping[str, Reader]
    lists: Mapping[str, "Level"] = field(default_factory=dict)
    later: frozenset[str] = frozenset()


@dataclass(frozen=True)
class KindOf:
    """How a file's entry becomes a distribution of that kind."""

    level: Level
    settings: Settings


EVERY_DISTRIBUTION: dict[str, Reader] = {
    "slug": text(),
    "name": text(),
    "openAt": time,
    "closeAt": time,
    "timeZone": text(null=""),
    "supportsGuest": flag,
    "maxEntriesPerFingerprint": number,
    "metadata": mapping,
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
# In the order in which they are made: a draw may name a queue.
KINDS: dict[Kind, KindOf] = {
    Kind.QUEUE: KindOf(QUEUE, queues.SETTINGS),
    Kind.DRAW: KindOf(DRAW, draws.SETTINGS),
    Kind.AUCTION: KindOf(AUCTION, auctions.SETTINGS),
    Kind.TIMED_RELEASE: KindOf(TIMED_RELEASE, timed_releases.SETTINGS),
    Kind.APPOINTMENT: KindOf(APPOINTMENT, appointments.SETTINGS),
}


def plural(kind: Kind) -> str:
    """What a sequence's list of that kind is called in a file."""
    return camel(ALL_KINDS[kind].plural)


# What the contract has and this version does not.
LATER = frozenset(
    [
        "waitlist", "next",
    ]
)  # fmt: skip
SEQUENCE = Level(
    "sequence",
    {
        "slug": text(),
        "name": text(),
        "color": text(null=""),
        "priority": whole,
        "requiresAuthentication": flag,
        "accessCode": text(100, null=""),
        "audience": texts_or_none,
    },
    {plural(kind): entry.level for kind, entry in KINDS.items()},
    LATER,
)
EXPERIENCE = Level(
    "experience",
    {
        "slug": text(),
        "name": text(),
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
        "name": text(),
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
