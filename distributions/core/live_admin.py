"""The live page of every kind: numbers, charts, what to do about them, and how one consumer stands.

It looks anew by itself (`static/fanfare/live.js`) and puts in its place what has changed. What a kind shows
is its `watch`, counted once a second in a process, however many are looking.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from distributions.core import looking_up
from distributions.core.admin import EVERY_KIND, PHASE_COLORS, face_of
from distributions.core.drawing_panel import STATUS_COLORS
from distributions.core.models import Distribution, Kind, Participation
from distributions.core.standing import Standing
from distributions.core.watching import Chart, Watched
from fanfare import clock, staff
from fanfare.console import Button
from fanfare.memo import Memo

_TITLES = ["Consumer", "State", "How far", "Place", "Entered at"]
_RELATED = ("sequence__experience", "organization", "tally", "drawing", *map(str, Kind))


@dataclass(frozen=True)
class Found:
    """One participation of somebody who was looked up."""

    participation: Participation
    word: str
    color: str
    details: str


def _watch(distribution_id: str) -> Watched | None:
    found = Distribution.objects.select_related(*_RELATED).filter(pk=distribution_id).first()
    return None if found is None else face_of(found).watch(found, clock.now())


_watched: Memo[str, Watched] = Memo(_watch, size=200)


def live(request: HttpRequest, distribution: Distribution, values: dict[str, Any]) -> HttpResponseBase:
    """The page, or with `part` what of it may change by itself."""
    pages: Any = admin.site.get_model_admin(Distribution)
    face, now, who = face_of(distribution), clock.now(), request.GET.get("who", "").strip()[:254]
    watched = _watched.get(distribution.pk)
    assert watched is not None  # it was there a moment ago, and is never deleted alone
    phase = face.phase(distribution, now)
    offered = [
        (button, f"{url}?from=live")
        for button, url in pages.context_of(request, distribution)["buttons"]
        if button.name != "live"
    ]
    context = {
        "distribution": distribution, "object": distribution, "kind": distribution.title, "phase": phase,
        "phase_color": PHASE_COLORS[phase], "now": now, "watched": watched, "numbers": watched.cards,
        "columns": min((5, 4, 3), key=lambda columns: -len(watched.cards) % columns),
        "charts": [_shown(chart, watched) for chart in watched.charts], "buttons": offered, "who": who,
        "found": _look_up(distribution, who) if who else None, "titles": _TITLES,
        "links": _links(distribution), "is_part": "part" in request.GET,
    }  # fmt: skip
    if context["is_part"]:
        answer: HttpResponse = TemplateResponse(request, "admin/live_now.html", context)
    else:
        answer = pages.page(request, "admin/live.html", f"{distribution}, live", **context)
    answer["Cache-Control"] = "no-store"
    return answer


def _shown(chart: Chart, watched: Watched) -> dict[str, Any]:
    """A chart for the page's script, and in words and as a table for who can't see it."""
    times = [f"{timezone.localtime(minute):%H:%M}" for minute in watched.minutes]
    lines = [{"name": name, "values": list(values)} for name, values in chart.lines]
    told = [f"{name}: {values[-2]:,} in the last whole minute, {sum(values):,} in the hour"
            for name, values in chart.lines]  # fmt: skip
    return {
        "title": chart.title,
        "json": json.dumps({"times": times, "lines": lines}),
        "told": "; ".join(told),
        "names": [name for name, _ in chart.lines],
        "rows": list(zip(times, *(values for _, values in chart.lines), strict=True))[::-1],
    }


def _look_up(distribution: Distribution, who: str) -> list[Found]:
    face, now = face_of(distribution), clock.now()
    found = []
    for one in looking_up.find(distribution, who, face.by_code(distribution, who)):
        standing = face.standing_at(distribution, Standing.of(one), now)
        details = face.details(distribution, standing, now) if face.details else ""
        word = face.word(distribution, standing)
        found.append(Found(one, word, STATUS_COLORS[standing.status], details.strip("-")))
    return found


def _links(distribution: Distribution) -> list[tuple[str, str]]:
    """Where there is more."""
    change = reverse("admin:distributions_distribution_change", args=[distribution.pk])
    trace = f"{reverse('admin:experiences_event_changelist')}?distribution_id__exact={distribution.pk}"
    people = reverse("admin:distributions_participation_changelist")
    return [
        ("Settings", change),
        ("Participations", f"{people}?distribution__id__exact={distribution.pk}"),
        ("Trace", trace),
        *face_of(distribution).links(distribution),
    ]


EVERY_KIND.append(
    Button("live", "Live", "monitoring", live, allowed=staff.VIEW, reads=True, variant="primary")
)
