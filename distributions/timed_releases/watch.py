"""A timed release on its live page: the stock, who takes from it and how fast, what comes back."""

import datetime as dt

from distributions.core import figures, watching
from distributions.core.models import Distribution
from distributions.core.watching import Chart, Watched
from distributions.timed_releases import rules

_LOOKED_BACK = 5  # minutes whose pace foretells when the stock is gone


def watch(distribution: Distribution, now: dt.datetime) -> Watched:
    """The stock, and its course over the last hour."""
    tally, left = distribution.tally, rules.available(distribution)
    hour = figures.of(distribution.pk, now)
    claims, completed = hour.of("timed_release.consumer.entered"), hour.of("timed_release.consumer.completed")
    names = ("expired", "left", "denied")
    back = hour.of(*(f"timed_release.consumer.{name}" for name in names))
    cards = [
        ("Available", "any number" if left is None else f"{left:,}", watching.of(tally.places)),
        ("Claims", f"{claims[-2]:,}", "in the last whole minute"),
        ("Gone in", _gone_in(left, claims, back), f"at the pace of {_LOOKED_BACK} minutes"),
        ("Claimed", f"{tally.inside:,}", "and not completed yet"),
        ("Completed", f"{tally.completed:,}", ""),
        ("Returned", f"{tally.returned:,}", "claims not used"),
        ("Closes in", watching.until(distribution.close_at, now), ""),
    ]
    charts = [
        Chart("Claims and completions a minute", [("Claimed", claims), ("Completed", completed)]),
        Chart("Returned a minute", [("Returned", back)]),
    ]
    return Watched(cards, hour.minutes, charts)


def _gone_in(left: int | None, claims: list[int], back: list[int]) -> str:
    """How long the stock lasts if it goes on like that."""
    if left == 0:
        return "sold out"
    pace = (sum(claims[-1 - _LOOKED_BACK : -1]) - sum(back[-1 - _LOOKED_BACK : -1])) / _LOOKED_BACK
    return "not soon" if left is None or pace <= 0 else watching.spelled(60 * left / pace)
