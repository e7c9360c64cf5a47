"""Prefixed ids: `queue_01HXYZ…`, a prefix, an underscore and a ULID.

The prefixed string is the primary key and the same in database, URL, token, Redis, log and console.
Ids are not secrets: secrets come from `secrets` and are stored hashed.
"""

import re

from ulid import ULID

PREFIXES = frozenset(
    [
        "org",
        "key",
        "exp",
        "seq",
        "queue",
        "draw",
        "auction",
        "release",
        "appt",
        "slot",
        "booking",
        "wl",
        "cons",
        "sess",
        "bid",
        "evt",
    ]
)
# Crockford base32 without I, L, O, U; the first character is at most 7 (128 bits).
ULID_PATTERN = "[0-7][0-9A-HJKMNP-TV-Z]{25}"
_ULID = re.compile(ULID_PATTERN)


def new(prefix: str) -> str:
    """A fresh id with this prefix."""
    assert prefix in PREFIXES, prefix
    return f"{prefix}_{ULID()}"


def is_id(text: object, prefix: str) -> bool:
    """Whether `text` is a well-formed id of that prefix.

    Anything else is refused before the database sees it, and answered like an unknown id.
    """
    return (
        isinstance(text, str)
        and len(text) == len(prefix) + 27
        and text.startswith(f"{prefix}_")
        and _ULID.fullmatch(text, len(prefix) + 1) is not None
    )
