"""What a timed release adds to its page in the console: settings, live stock, buttons."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import admin

from distributions.core import phases, switch_admin
from distributions.core.admin import FACES, Face, KindAdmin, Setting
from distributions.core.models import Distribution, Kind, Tally
from distributions.core.standing import Standing
from distributions.timed_releases import rules, setup, watch
from distributions.timed_releases.models import TimedRelease


def _of_release(name: str) -> Callable[[Distribution], Any]:
    return lambda distribution: getattr(distribution.timed_release, name)


SETTINGS = {
    name: Setting(name, TimedRelease._meta.get_field(name), _of_release(name)) for name in setup.OF_RELEASE
}
SETTINGS["inventory"] = Setting(
    "inventory", Tally._meta.get_field("places"), lambda distribution: distribution.tally.places, "Inventory"
)
HELP_TEXTS = {
    "inventory": "Units in all; empty: any number.",
    "claim_seconds": "A unit that is not completed by then comes back; empty: never. Such as 10 min.",
}
DEFAULTS = {"claim_seconds": 600}


def numbers(distribution: Distribution, now: dt.datetime) -> list[tuple[str, str, str]]:
    """Title, number and limit of each card."""
    tally, left = distribution.tally, rules.available(distribution)
    return [
        ("Available", "any number" if left is None else f"{left:,}",
         "" if tally.places is None else f"of {tally.places:,}"),
        ("Claimed", f"{tally.inside:,}", "and not completed yet"),
        ("Completed", f"{tally.completed:,}", ""),
        ("Returned", f"{tally.returned:,}", "claims not used"),
        ("Claims", f"{tally.admitted:,}", "since the start"),
    ]  # fmt: skip


def waiting(distribution: Distribution, now: dt.datetime) -> int:
    """Who has a unit and has not completed; nobody waits here."""
    return distribution.tally.inside


def word(distribution: Distribution, standing: Standing) -> str:
    """What a standing is called."""
    return str(standing.status.label)


BUTTONS = switch_admin.buttons(
    paused="Paused: nobody claims a unit, and whoever has one keeps it.",
    resumed="The release goes on.",
    closed="Closed for good. Whoever has a unit keeps it until the claim ends.",
    question="For good: nobody claims a unit any more. Whoever has one keeps it until the claim ends.",
)


FACES[Kind.TIMED_RELEASE] = Face(
    description="Whoever comes while it is open and in stock has a unit at once.",
    icon="timer",
    settings=SETTINGS,
    groups=[("Stock", ["inventory", "max_per_consumer", "claim_seconds"])],
    numbers=numbers,
    watch=watch.watch,
    fixed=setup.fixed,
    create=setup.SETTINGS.create,
    update=setup.SETTINGS.update,
    admit=None,
    buttons=BUTTONS,
    phase=phases.phase,
    waiting=waiting,
    standing_at=rules.standing_at,
    word=word,
    panel=lambda distribution, now: None,
    help_texts=HELP_TEXTS,
    defaults=DEFAULTS,
)


@admin.register(TimedRelease)
class TimedReleaseAdmin(KindAdmin):
    """The versions of a release's settings."""

    list_display = ["distribution", *setup.OF_RELEASE]
    fields = ["distribution", *setup.OF_RELEASE]
