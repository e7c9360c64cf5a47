"""What staff may type into settings: zones, currencies, origins, themes, rate limits.

Validators raise Django's ValidationError; the console and `apply` use the same ones through the models.
"""

import re
import zoneinfo
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from fanfare.limits import DEFAULTS

COLORS = ("primaryColor", "secondaryColor", "backgroundColor", "textColor", "accentColor")
URLS = ("logoUrl", "headerImageUrl", "backgroundImageUrl", "faviconUrl")
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_FONT = re.compile(r"[A-Za-z0-9 ,'\"_-]{1,200}")
_RADIUS = re.compile(r"(?:0|\d{1,3}(?:\.\d{1,2})?(?:px|rem|em|%))")
_HOST = re.compile(r"(?:\*\.)?(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
CONTAINER_STYLES = ("card", "full", "plain")


_NOWHERE = {"Factory", "localtime", "posixrules"}  # files beside the zones, and no places


@lru_cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - _NOWHERE


def time_zone(value: str) -> None:
    """An IANA zone name, such as Europe/Berlin."""
    if value not in _zones():
        raise ValidationError(f"“{value}” is not a time zone such as Europe/Berlin.")


def currency(value: str) -> None:
    """Three capital letters, as ISO 4217 codes are."""
    if not re.fullmatch("[A-Z]{3}", value):
        raise ValidationError("A currency is three capital letters, such as EUR.")


def language(value: str) -> None:
    """A language tag such as `en` or `pt-BR`."""
    if not re.fullmatch("[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", value):
        raise ValidationError("A language is a tag such as en or pt-BR.")


def color(value: object) -> None:
    """`#rgb` or `#rrggbb`."""
    if not isinstance(value, str) or not _COLOR.fullmatch(value):
        raise ValidationError("A colour is #rgb or #rrggbb.")


def https_url(value: object) -> None:
    """An https address of at most 500 characters, without credentials."""
    if isinstance(value, str) and len(value) <= 500 and not re.search(r"[\s\"'<>\\]", value):
        parts = urlsplit(value)
        if parts.scheme == "https" and parts.hostname and not parts.username:
            return
    raise ValidationError("An https address, such as https://cdn.example.com/logo.png.")


def host(value: str) -> None:
    """`shop.example.com` or `*.example.com`."""
    if not _HOST.fullmatch(value):
        raise ValidationError("A host name, such as shop.example.com or *.example.com.")


def origin(value: str) -> None:
    """`https://shop.example.com`, with a port if need be, or `*.example.com`."""
    if value.startswith("*."):
        host(value)
        return
    try:
        parts = urlsplit(value)
        rebuilt = f"{parts.scheme}://{parts.netloc}"
        _ = parts.port
    except ValueError:
        rebuilt, parts = "", urlsplit("")
    local = parts.hostname in ("localhost", "127.0.0.1")
    if (
        rebuilt != value
        or not (parts.scheme == "https" or local)
        or not _HOST.fullmatch(parts.hostname or "")
    ):
        raise ValidationError("An origin, such as https://shop.example.com or *.example.com.")


def theme(value: Any) -> None:
    """The twelve keys of the contract, all optional; names of unknown ones are told."""
    if not isinstance(value, dict):
        raise ValidationError("A theme is a set of names and values.")
    for key, entry in value.items():
        try:
            _theme_entry(key, entry)
        except ValidationError as problem:
            raise ValidationError(f"{key}: {problem.messages[0]}") from None


def _theme_entry(key: str, entry: object) -> None:
    if key in COLORS:
        color(entry)
    elif key in URLS:
        https_url(entry)
    elif key == "fontFamily":
        _require(isinstance(entry, str) and _FONT.fullmatch(entry), "A list of font names.")
    elif key == "borderRadius":
        _require(isinstance(entry, str) and _RADIUS.fullmatch(entry), "A length, such as 8px.")
    elif key == "containerStyle":
        _require(entry in CONTAINER_STYLES, f"One of {', '.join(CONTAINER_STYLES)}.")
    else:
        raise ValidationError("unknown name.")


def rate_limits(value: Any) -> None:
    """Whole numbers from 1 to 1,000,000 by category."""
    _require(isinstance(value, dict), "A set of categories and numbers.")
    for key, entry in value.items():
        _require(key in DEFAULTS, f"{key}: unknown category; known are {', '.join(DEFAULTS)}.")
        fits = isinstance(entry, int) and not isinstance(entry, bool) and 1 <= entry <= 1_000_000
        _require(fits, f"{key}: a whole number from 1 to 1,000,000.")


def _require(holds: object, message: str) -> None:
    if not holds:
        raise ValidationError(message)
