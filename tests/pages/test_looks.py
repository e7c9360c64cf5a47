"""A theme on the page: what is valid of it, readable whatever was chosen, and nothing that breaks out."""

import re
from typing import Any

import pytest

from experiences import looks
from experiences.letters import PLAIN
from experiences.models import Experience, Organization
from tests.pages.visitor import page
from tests.world import World

# What stands on what, and the contrast that WCAG AA asks for.
PAIRS = [
    ("text", "card", 4.5),
    ("text", "tint", 4.5),
    ("muted", "card", 4.5),
    ("on-page", "page", 4.5),
    ("accent-text", "card", 4.5),
    ("accent-text", "tint", 4.5),
    ("on-accent", "accent", 4.5),
    ("accent", "card", 3.0),
]


def sheet(theme: dict[str, Any], own: dict[str, Any] | None = None) -> str:
    """The style element's text, for what is stored without anybody's validation."""
    Organization.objects.update(theme=theme)
    Experience.objects.update(theme=own or {})
    found = re.search(r"<style[^>]*>(.*?)</style>", page("/e/drop").content.decode(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_experience_over_the_organization_over_what_is_left_open(world: World) -> None:
    css = sheet({"primaryColor": "#0a0", "borderRadius": "4px"}, {"primaryColor": "#00f"})
    assert "--accent: #0000ff;" in css
    assert "--radius: 4px;" in css
    assert "--page: #f4f5f7;" in css
    assert "prefers-color-scheme: dark" in css
    assert "prefers-color-scheme" not in sheet({"backgroundColor": "#111"})
    assert "--scheme: dark;" in sheet({"backgroundColor": "#111"})


@pytest.mark.parametrize(
    "theme",
    [
        {"primaryColor": "red;} body{display:none"},
        {"primaryColor": "#fff</style><script>alert(1)</script>"},
        {"backgroundColor": "url(https://evil.example/x)"},
        {"borderRadius": "8px;background:url(//evil.example)"},
        {"fontFamily": "x}</style><script>"},
        {"backgroundImageUrl": 'https://cdn.example/a.png") ; } body { color: red'},
        {"backgroundImageUrl": "javascript:alert(1)"},
        {"faviconUrl": "data:text/html,x"},
        {"containerStyle": '"><script>'},
        {"textColor": ["#fff"]},
        {"unknown": "</style>"},
        ["no", "theme"],
    ],
)
def test_a_hostile_theme_counts_as_left_open(world: World, theme: Any) -> None:
    plain = sheet({})
    assert sheet(theme) == plain
    html = page("/e/drop").content.decode()
    assert "evil.example" not in html and "alert(1)" not in html and "display:none" not in html


def test_a_font_is_quoted_anew(world: World) -> None:
    assert '--font: "Inter", "Open Sans", serif, system-ui' in sheet(
        {"fontFamily": "Inter, 'Open Sans', serif"}
    )
    assert '--font: "a", "b", system-ui' in sheet({"fontFamily": "a\", 'b"})


@pytest.mark.parametrize("background", ["#ffffff", "#000000", "#777777", "#7f0000", "#ffee00", "#123456"])
@pytest.mark.parametrize("primary", ["#ffffff", "#000000", "#777", "#ffee00", "#0f766e", "#ff0000"])
def test_readable_whatever_was_chosen(background: str, primary: str) -> None:
    for text in ("#fff", "#000", background):
        theme = {"backgroundColor": background, "primaryColor": primary, "textColor": text}
        found = looks.properties({**PLAIN, **theme})
        for over, under, least in PAIRS:
            one, other = (looks._rgb(found[name]) for name in (over, under))
            assert looks.contrast(one, other) >= least, (theme, over, under, found)


def test_a_pair_that_is_good_stays_as_it_is() -> None:
    theme = {"backgroundColor": "#ffffff", "primaryColor": "#0f766e", "textColor": "#1f2937"}
    found = looks.properties({**PLAIN, **theme})
    assert (found["page"], found["accent"], found["text"]) == ("#ffffff", "#0f766e", "#1f2937")
