"""A draw on its live page: entries and how long they are taken, then the result and its claims."""

import datetime as dt

from distributions.core import figures, watching
from distributions.core.models import Distribution
from distributions.core.watching import Card, Chart, Watched
from distributions.draws import results, rules


def watch(distribution: Distribution, now: dt.datetime) -> Watched:
    """Before the draw who enters, after it who claims."""
    tally, drawing = distribution.tally, distribution.drawing
    hour = figures.of(distribution.pk, now)
    entered, left = hour.of("draw.consumer.entered"), hour.of("draw.consumer.left")
    won = drawing.winner_count if drawing.frozen_at else distribution.draw.winner_count
    given, entries = (drawing.numbers, drawing.entries) if drawing.frozen_at else (tally.entered, tally.taken)
    cards = [
        ("Entries", f"{entries:,}", watching.of(tally.places)),
        ("Came", f"{entered[-2]:,}", "in the last whole minute"),
        _due(distribution, now),
        ("Removed", f"{given - entries:,}", "before the freeze" if drawing.frozen_at else "so far"),
        ("Winners", f"{tally.admitted - tally.returned:,}", f"of {won:,}"),
        ("Claimed", f"{tally.completed:,}", f"of {won:,}"),
        ("Returned", f"{tally.returned:,}", "places not claimed"),
    ]
    charts = [Chart("Entries a minute", [("Entered", entered), ("Left", left)])]
    if drawing.drawn_at is not None:
        claimed, given_back = hour.of("draw.consumer.completed"), hour.of("draw.consumer.denied")
        charts.insert(0, Chart("Claims a minute", [("Claimed", claimed), ("Denied", given_back)]))
    return Watched(cards, hour.minutes, charts)


def _due(distribution: Distribution, now: dt.datetime) -> Card:
    """What happens next, and when."""
    drawing, closes_at = distribution.drawing, rules.closes_at(distribution)
    if distribution.closed_at is not None:
        return "Over", "closed", "by hand" if drawing.drawn_at is None else ""
    if drawing.drawn_at is not None:
        return "Drawn", f"{watching.spelled((now - drawing.drawn_at).total_seconds())} ago", ""
    if drawing.frozen_at is None and now < closes_at:
        return "Entries close in", watching.until(closes_at, now), ""
    named = results.beacon_of(distribution.draw)
    if named is not None and not drawing.beacon_signature:
        return "Beacon in", watching.until(named.at, now), f"round {named.round}"
    return "Draw in", watching.until(distribution.draw.draw_at, now), ""
