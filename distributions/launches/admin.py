"""The console's home, and what stands on an experience's page: picture, checklist, preview, copy, export."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from distributions.blueprint import copying, writing
from distributions.core.admin import PHASE_COLORS, actor, face_of
from distributions.launches import attention, checklist, picture
from distributions.launches import home as homes
from experiences import looks
from experiences.admin import BOARDS, Board
from experiences.letters import PLAIN
from experiences.models import Experience, Organization
from fanfare import clock, staff
from fanfare.console import Button, DateTimeField, TextInput
from fanfare.fields import SlugField

REFRESH = 5  # seconds after which the home page looks anew
STEPS = [
    ("Create an experience", "Its name, its address, its time zone and its look."),
    ("Add a sequence", "Who may come in: everyone, members, friends with a code."),
    ("Add what it ends in", "A queue, a draw, an auction, a release, appointments, a waitlist."),
    ("Check and share", "The checklist on its page says what is still to do; then share its one address."),
]
WEEK = dt.timedelta(days=7)


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the home page's template is told. Called by unfold."""
    is_superuser = staff.is_superuser(request)
    mine = None if is_superuser else staff.organizations(request, staff.VIEW)
    now = clock.now()
    found = homes.look(mine, now)
    experiences = (
        Experience.objects.all() if mine is None else Experience.objects.filter(organization__in=mine)
    )
    return context | {
        "live": [_drawn(row) for row in found.live],
        "next": [_drawn(row) for row in found.next],
        "home": found,
        "notices": attention.look(mine, now),
        "newest": experiences.order_by("-id").first(),
        "needs_organization": is_superuser and not Organization.objects.exists(),
        "may_steer": staff.may(request, staff.STEER),
        "now": now,
        "refresh": REFRESH,
        "steps": STEPS,
    }


def context(request: HttpRequest, experience: Experience) -> dict[str, Any]:
    """What the page's template is told."""
    now = clock.now()
    ways = list(experience.sequences.select_related("next").order_by("-priority", "id"))
    distributions = picture.distributions_of(experience)
    theme = looks.merged(experience.organization.theme, experience.theme)
    may_steer = staff.may(request, staff.STEER, experience.organization_id)
    checks = checklist.look(checklist.Launch(experience, ways, distributions, now))
    return {
        "lanes": [
            (lane, [_drawn(card) for card in lane.cards], lane.waitlist and _drawn(lane.waitlist))
            for lane in picture.lanes(ways, distributions, now)
        ],
        "checks": [(check, _address(check, may_steer)) for check in checks],
        "open_checks": sum(not check.is_done for check in checks),
        "look": theme,
        "logo": theme.get("logoUrl") or experience.organization.logo_url,
        "properties": ";".join(
            f"--{name}:{value}" for name, value in looks.properties(PLAIN | theme).items()
        ),
        "public_url": settings.PUBLIC_URL,
        "hosted_url": reverse("hosted", args=[experience.organization.slug, experience.slug]),
        "may_steer": may_steer,
    }


def _drawn(thing: picture.Card | homes.Row) -> dict[str, Any]:
    """A distribution with what makes it recognised: its kind's icon, its phase's colour."""
    face = face_of(thing.distribution)
    return {"thing": thing, "icon": face.icon, "color": PHASE_COLORS[thing.phase]}


def _address(check: checklist.Check, may_steer: bool) -> str:
    """Where it is mended; empty where the console has no page for it, or none for those who only look."""
    if not check.page or check.is_done or (check.page.endswith("_add") and not may_steer):
        return ""
    address = reverse(f"admin:{check.page}", args=[check.thing] if check.thing else [])
    return f"{address}?{check.query}" if check.query else address


# --- Once more ------------------------------------------------------------------------------------
class CopyForm(forms.Form):
    """What the copy is called, and when it opens."""

    name = forms.CharField(max_length=200, widget=TextInput)
    slug = forms.CharField(
        max_length=64, widget=TextInput, validators=SlugField().validators,
        help_text="Its part of the address; small letters, digits and hyphens.",
    )  # fmt: skip
    opens_at = DateTimeField(
        required=False, label="Opens at",
        help_text="All its times move along, by the clock on the wall. Empty: the same times again.",
    )  # fmt: skip


def _proposed(experience: Experience) -> dict[str, Any]:
    """At the same hour and weekday, the next time that it comes round."""
    opened, now = copying.opening_of(experience), clock.now()
    zone = ZoneInfo(experience.time_zone or experience.organization.time_zone)
    if opened is not None:
        wall = opened.astimezone(zone).replace(tzinfo=None)
        while wall.replace(tzinfo=zone) <= max(now, opened):
            weeks = max(1, (now - wall.replace(tzinfo=zone)) // WEEK)
            wall += weeks * WEEK
        opened = wall.replace(tzinfo=zone)
    name = f"{experience.name}, again"[:200]
    return {"name": name, "slug": f"{experience.slug[:61]}-2", "opens_at": opened}


def copy(request: HttpRequest, experience: Experience, values: dict[str, Any]) -> HttpResponseBase:
    """Make it once more. Raises Invalid."""
    made = copying.copy(experience, **values, now=clock.now(), actor=actor(request))
    text = f"{made} was made. Look at its checklist: codes and lists of people did not come along."
    messages.success(request, text)
    return redirect("admin:experiences_experience_change", made.pk)


def export(request: HttpRequest, experience: Experience, values: dict[str, Any]) -> HttpResponseBase:
    """The experience as a file."""
    name = f"{experience.organization.slug}-{experience.slug}.yaml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    text = writing.as_text(experience, now=clock.now())
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers=headers)


BUTTONS = [
    Button(
        "copy", "Copy …", "content_copy", copy, form=CopyForm, initial=_proposed,
        question="Copied: the experience, its look, its sequences and what they end in, with all settings. "
        "Not copied: access codes, audiences, who took part, and what was drawn: a draw gets a seed of "
        "its own. A sequence that asks for a code goes on asking, and needs codes of its own.",
    ),
    Button("export", "Export", "download", export, allowed=staff.VIEW, reads=True),
]  # fmt: skip

BOARDS.append(Board(BUTTONS, context))
