"""A theme as what a page needs of it: colours that can be read on one another, and nothing else.

The organization's theme, then the experience's, over what they leave open. What is not as the validators
want it counts as left open, whoever stored it. Text has WCAG AA's contrast of 4.5 against what it stands
on, and what shows a control 3: where a theme's own pair has less, its colour is moved towards black or
white until it has.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from experiences import validation
from experiences.letters import PLAIN

Rgb = tuple[int, int, int]

TEXT, CONTROL = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
DARK = {"backgroundColor": "#0e1116", "textColor": "#e6e8ec"}  # where nothing says how it is to look
_STEPS = 20
_RAISED = 0.06  # how much lighter than a dark page its card is
_DARK_ENOUGH = 7.0  # of a card's contrast to white: its tint is to carry text as well
_FAMILY = re.compile(r"[A-Za-z0-9 _-]+")
_GENERIC = ("serif", "sans-serif", "monospace", "cursive", "system-ui")


def merged(*themes: Any) -> dict[str, str]:
    """The valid entries of all of them, later ones first."""
    found: dict[str, str] = {}
    for theme in themes:
        for key, entry in theme.items() if isinstance(theme, Mapping) else ():
            try:
                validation.theme({key: entry})
            except ValidationError:
                continue
            found[key] = entry
    return found


def style(theme: dict[str, str]) -> str:
    """Custom properties for a page's style element: one set, and where the theme leaves light and dark open
    another one for who likes it dark.
    """
    sheet = _rule(properties(PLAIN | theme))
    if "backgroundColor" not in theme and "textColor" not in theme:
        dark = properties(PLAIN | theme | DARK)
        sheet += f"\n@media (prefers-color-scheme: dark) {{\n{_rule(dark)}\n}}"
    return sheet


def _rule(named: dict[str, str]) -> str:
    lines = "\n".join(f"  --{name}: {value};" for name, value in named.items())
    return f":root {{\n{lines}\n}}"


def properties(look: Mapping[str, str]) -> dict[str, str]:
    """By name, for a look that leaves nothing open."""
    page = _rgb(look["backgroundColor"])
    is_dark = contrast(page, WHITE) > contrast(page, BLACK)
    card = _card(page) if is_dark else WHITE
    primary = _rgb(look["primaryColor"])
    control = readable(primary, card, CONTROL)
    tint = _mix(card, control, 0.08)
    text = _on_both(_rgb(look["textColor"]), card, tint)
    found = {
        "scheme": "dark" if is_dark else "light",
        "page": _hex(page),
        "on-page": _hex(readable(_rgb(look["textColor"]), page, TEXT)),
        "card": _hex(card),
        "text": _hex(text),
        "muted": _hex(_on_both(_mix(text, card, 0.35), card, tint)),
        "line": _hex(_mix(card, text, 0.14)),
        "track": _hex(_mix(card, control, 0.16)),
        "tint": _hex(tint),
        "accent": _hex(control),
        "on-accent": _hex(WHITE if contrast(WHITE, control) >= TEXT else BLACK),
        "accent-text": _hex(_on_both(primary, card, tint)),
        "radius": look["borderRadius"],
        "font": _font(look.get("fontFamily", "")),
    }
    if "backgroundImageUrl" in look:
        found["image"] = f'url("{look["backgroundImageUrl"]}")'
    return found


def _card(page: Rgb) -> Rgb:
    """On a dark page: a little lighter than it, or where that is too light for text, darker."""
    raised = _mix(page, WHITE, _RAISED)
    return raised if contrast(raised, WHITE) >= _DARK_ENOUGH else _mix(page, BLACK, 0.4)


def _on_both(color: Rgb, card: Rgb, tint: Rgb) -> Rgb:
    """Text that may stand on either."""
    return readable(readable(color, card, TEXT), tint, TEXT)


def readable(color: Rgb, ground: Rgb, least: float) -> Rgb:
    """The colour, or the nearest towards black or white that has the contrast against the ground."""
    pole = BLACK if contrast(BLACK, ground) > contrast(WHITE, ground) else WHITE
    moved = (_mix(color, pole, step / _STEPS) for step in range(_STEPS + 1))
    return next((found for found in moved if contrast(found, ground) >= least), pole)


def contrast(one: Rgb, other: Rgb) -> float:
    """WCAG's contrast ratio, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Rgb) -> float:
    """WCAG's relative luminance."""
    shares = (part / 255 for part in color)
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """The first with a share, from 0 to 1, of the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _rgb(text: str) -> Rgb:
    """Of `#rgb` or `#rrggbb`."""
    digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:])
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def _hex(color: Rgb) -> str:
    return f"#{bytes(color).hex()}"


def _font(families: str) -> str:
    """The named fonts, quoted anew, before the system's own."""
    named = [family.strip(" '\"") for family in families.split(",")]
    own = [family if family in _GENERIC else f'"{family}"' for family in named if _FAMILY.fullmatch(family)]
    return ", ".join([*own, "system-ui", "sans-serif"])
