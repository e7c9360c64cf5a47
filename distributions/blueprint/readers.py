"""What a name in a file takes: each reader turns plain data into a model's value, or raises ValueError with
what is expected. Bounds and shapes that the models check themselves are not repeated here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from distributions.blueprint import moments
from distributions.core.models import Kind
from fanfare import money

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


def name(value: Any) -> str:
    """Text in one line."""
    found: str = text()(value)
    if found and found.splitlines() != [found]:
        raise ValueError("It must be one line.")
    return found


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
class Way:
    """Another sequence of the experience, by its slug."""

    slug: str


def way(value: Any) -> Way | None:
    """The slug of a sequence; or null."""
    return None if value is None else Way(text()(value))
