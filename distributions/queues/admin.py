"""What a queue adds to its page in the console: settings, numbers, buttons."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase

from distributions.core import drawing_panel, drawings, phases, proof_api, switch_admin, switches
from distributions.core.admin import FACES, Face, KindAdmin, Setting, actor
from distributions.core.drawing_panel import Panel
from distributions.core.models import Distribution, Kind, Tally
from distributions.core.standing import Standing
from distributions.queues import rules, setup, shape, watch
from distributions.queues.models import Queue
from fanfare import clock, errors, staff
from fanfare.console import Button, NumberInput, TextInput


def _of_queue(name: str) -> Callable[[Distribution], Any]:
    return lambda distribution: getattr(distribution.queue, name)


SETTINGS = {name: Setting(name, Queue._meta.get_field(name), _of_queue(name)) for name in setup.OF_QUEUE}
SETTINGS["capacity"] = Setting(
    "capacity", Tally._meta.get_field("places"), lambda distribution: distribution.tally.places, "Capacity"
)
HELP_TEXTS = {
    "open_at": "Nobody is admitted before. Empty: open from the start.",
    "capacity": "People in line at once; empty: any number. The checklist says how long the last one waits.",
    "session_seconds": "How long whoever was admitted has in the shop; empty: no end. Such as 10 min.",
    "max_active": "In the shop at once: admitted, and neither done nor over; empty: any number.",
    "enter_from": "A waiting room: people enter from then on, and wait for the opening. Empty: only then.",
    "randomize_before_open": "Whoever entered before the opening is put in an order drawn by lot, which "
    "anyone can check; else first come, first served.",
}
DEFAULTS = {"admission_rate": 60, "session_seconds": 600}
GROUPS = [
    ("The line", ["capacity", "enter_from", "randomize_before_open"]),
    ("Admitting", ["admission_rate", "max_active", "max_admissions", "session_seconds", "recycle_expired"]),
]


def numbers(distribution: Distribution, now: dt.datetime) -> list[tuple[str, str, str]]:
    """Title, number and limit of each card."""
    tally, queue = distribution.tally, distribution.queue
    rate = "by hand" if queue.admission_rate is None else f"{queue.admission_rate:,} a minute"
    return [
        ("Waiting", f"{tally.taken:,}", _of(tally.places)),
        ("Entered", f"{tally.entered - (tally.frozen or 0):,}", "since the start"),
        ("Admitted", f"{tally.admitted:,}", _of(queue.max_admissions) or rate),
        ("Inside", f"{tally.inside:,}", _of(queue.max_active)),
        ("Completed", f"{tally.completed:,}", ""),
        ("Returned", f"{tally.returned:,}", "admissions not used"),
    ]


def _of(limit: int | None) -> str:
    return "" if limit is None else f"of {limit:,}"


def fixed(distribution: Distribution, now: dt.datetime) -> set[str]:
    """The settings that can't change any more; `setup` refuses them as well."""
    found = {"open_at", "close_at", "enter_from"} if distribution.closed_at else set()
    is_open = distribution.open_at is None or distribution.open_at <= now
    return found | ({"randomize_before_open"} if is_open or distribution.tally.entered else set())


def waiting(distribution: Distribution, now: dt.datetime) -> int:
    """Who is in line."""
    return distribution.tally.taken


def word(distribution: Distribution, standing: Standing) -> str:
    """What a standing is called."""
    return str(standing.status.label)


def panel(distribution: Distribution, now: dt.datetime) -> Panel | None:
    """The drawing of a pre-queue's order."""
    if not has_drawing(distribution):
        return None
    return drawing_panel.make(distribution, shape.present_proof(distribution))


def has_drawing(distribution: Distribution) -> bool:
    """Whether the order of those who entered before the opening is, or was, drawn by lot."""
    return distribution.queue.randomize_before_open and drawings.of(distribution) is not None


def proof(request: HttpRequest, queue: Distribution, values: dict[str, Any]) -> HttpResponseBase:
    """All that it takes to repeat the drawing, as a file."""
    return proof_api.as_file(queue, shape)


class AdmitForm(forms.Form):
    """How many."""

    number = forms.IntegerField(
        label="How many", min_value=1, max_value=10_000, initial=1, widget=NumberInput,
        help_text="The next in line.",
    )  # fmt: skip


def admit_some(request: HttpRequest, queue: Distribution, values: dict[str, Any]) -> str:
    """Admit the next in line by hand. Raises NotOpenYet, Closed."""
    admitted = rules.admit_some(queue.pk, values["number"], now=clock.now(), actor=actor(request))
    return f"{admitted:,} admitted." + ("" if admitted == values["number"] else " Nobody else could be.")


class PaceForm(forms.Form):
    """How fast, and how many at once."""

    admission_rate = forms.IntegerField(
        label="Admissions a minute", required=False, min_value=1, max_value=10**6, widget=NumberInput,
        help_text="Empty: by hand.",
    )  # fmt: skip
    max_active = forms.IntegerField(
        label="Inside at once, at most", required=False, min_value=1, max_value=10**9, widget=NumberInput,
        help_text="Empty: any number.",
    )  # fmt: skip


def set_pace(request: HttpRequest, queue: Distribution, values: dict[str, Any]) -> str:
    """Change the rate and how many may be inside. Raises Invalid."""
    try:
        setup.SETTINGS.update(queue, values, now=clock.now(), actor=actor(request))
    except ValidationError as problem:
        told = problem.message_dict.items()
        raise errors.Invalid(*(errors.Detail(name, text) for name, (text, *_) in told)) from None
    rate, most = values["admission_rate"], values["max_active"]
    inside = "any number" if most is None else f"{most:,}"
    return f"{'By hand' if rate is None else f'{rate:,} a minute'} from now on, {inside} inside at most."


class SoldOutForm(forms.Form):
    """What the page says from then on."""

    message = forms.CharField(
        max_length=switch_admin.LONGEST, initial="Sold out. Thank you for waiting.", widget=TextInput,
        help_text="Stands on the queue’s page from then on.",
    )  # fmt: skip


def close_sold_out(request: HttpRequest, queue: Distribution, values: dict[str, Any]) -> str:
    """End it, and say that there is nothing left. Raises IllegalMove."""
    now, by = clock.now(), actor(request)
    if not switches.close(queue, now=now, actor=by):
        raise errors.IllegalMove("It was closed before.")
    setup.SETTINGS.update(queue, values, now=now, actor=by)
    return "Closed as sold out. Those who still wait are being denied."


BUTTONS = [
    Button(
        "pace", "Change the rate …", "speed", set_pace, form=PaceForm,
        question="At once, for everybody who waits; nobody inside is sent away.",
        initial=lambda queue: {
            "admission_rate": queue.queue.admission_rate, "max_active": queue.queue.max_active
        },
        is_offered=lambda queue: queue.closed_at is None,
    ),
    Button(
        "admit", "Admit now …", "door_open", admit_some, form=AdmitForm, variant="primary",
        question="At once, beside the rate and over “max active”, within the total.",
        is_offered=lambda queue: queue.closed_at is None,
    ),
    *switch_admin.buttons(
        paused="Paused: nobody enters, nobody is admitted, everybody keeps their place.",
        resumed="The queue goes on.",
        closed="Closed for good. Those who still wait are being denied.",
        question="For good: nobody enters any more, and everybody who still waits is denied.",
    ),
    Button(
        "sold-out", "Close as sold out …", "production_quantity_limits", close_sold_out, form=SoldOutForm,
        question="For good: nobody enters any more, everybody who still waits is denied.",
        initial=lambda queue: {"reason": "Sold out"},
        is_offered=lambda queue: queue.closed_at is None, variant="danger",
    ),
    Button("proof", "Proof", "verified", proof, allowed=staff.VIEW, reads=True, is_offered=has_drawing),
]  # fmt: skip


FACES[Kind.QUEUE] = Face(
    description="First come, first served: everybody gets a place in line and is admitted in order.",
    icon="groups",
    settings=SETTINGS,
    groups=GROUPS,
    numbers=numbers,
    watch=watch.watch,
    fixed=fixed,
    create=setup.SETTINGS.create,
    update=setup.SETTINGS.update,
    admit=rules.admit,
    buttons=BUTTONS,
    phase=phases.phase,
    waiting=waiting,
    standing_at=rules.standing_at,
    word=word,
    panel=panel,
    help_texts=HELP_TEXTS,
    defaults=DEFAULTS,
    details=watch.details,
)


@admin.register(Queue)
class QueueAdmin(KindAdmin):
    """The versions of a queue's settings."""

    list_display = ["distribution", *setup.OF_QUEUE]
    fields = ["distribution", *setup.OF_QUEUE]
