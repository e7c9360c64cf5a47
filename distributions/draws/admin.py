"""What a draw adds to its page in the console: settings, numbers, buttons, what can be checked.

Nothing here, and no other page, changes a seed, an entry list or a result: they are made, shown, handed out.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase

from consumers.models import Consumer
from distributions.core import drawing_panel, proof_api, switch_admin, switches
from distributions.core.admin import FACES, Face, KindAdmin, Setting, actor
from distributions.core.drawing_panel import Panel
from distributions.core.models import Distribution, Drawing, Kind, Tally
from distributions.draws import beacon, drawn_order, results, rules, setup, shape, watch
from distributions.draws.models import Draw
from fanfare import clock, errors, staff
from fanfare.console import Button, TextInput, moment


def _of_draw(name: str) -> Callable[[Distribution], Any]:
    return lambda distribution: getattr(distribution.draw, name)


def _queues(rows: QuerySet[Distribution], draw: Distribution | None) -> QuerySet[Distribution]:
    """Where losers may go on."""
    queues = rows.filter(kind=Kind.QUEUE).select_related("sequence__experience")
    queues = queues.order_by("sequence__experience__name", "name")
    return queues if draw is None else queues.filter(sequence__experience=draw.sequence.experience_id)


SETTINGS = {name: Setting(name, Draw._meta.get_field(name), _of_draw(name)) for name in setup.OF_DRAW}
SETTINGS["fall_through"] = Setting(
    "fall_through", Draw._meta.get_field("fall_through"), _of_draw("fall_through"), "Losers go on to", _queues
)
SETTINGS["capacity"] = Setting(
    "capacity", Tally._meta.get_field("places"), lambda distribution: distribution.tally.places, "Capacity"
)
DEFAULTS = {"claim_seconds": 86_400}
GROUPS = [
    ("The draw", ["draw_at", "winner_count", "capacity"]),
    ("Claiming", ["claim_seconds", "alternates", "end_at", "fall_through"]),
    ("Chances, and proof", ["weights", "beacon"]),
]
HELP_TEXTS = {
    "close_at": "Nobody enters from then on; empty: until the draw.",
    "draw_at": "When the winners are drawn; entries close then at the latest.",
    "winner_count": "How many places there are.",
    "capacity": "How many may enter; empty: any number.",
    "claim_seconds": "How long a winner has to claim the place; empty: no limit. Such as 10 min, 1 h or 2 d.",
}


def numbers(distribution: Distribution, now: dt.datetime) -> list[tuple[str, str, str]]:
    """Title, number and limit of each card."""
    tally, draw, drawing = distribution.tally, distribution.draw, distribution.drawing
    is_frozen = drawing.frozen_at is not None
    given, entries = (drawing.numbers, drawing.entries) if is_frozen else (tally.entered, tally.taken)
    winners = drawing.winner_count if is_frozen else draw.winner_count
    left = drawing.entries - draw.offered if drawing.drawn_at and distribution.closed_at is None else 0
    offered = f"; {draw.offered:,} offered" if drawing.drawn_at else ""
    by_hand = "only by hand" if left and rules.is_settled(distribution, now) else ""
    return [
        ("Entries", f"{entries:,}", "" if tally.places is None else f"of {tally.places:,}"),
        ("Removed", f"{given - entries:,}", "before the freeze" if is_frozen else "so far"),
        ("Winners", f"{tally.admitted - tally.returned:,}", f"of {winners:,}{offered}"),
        ("Claimed", f"{tally.completed:,}", f"of {winners:,}"),
        ("Returned", f"{tally.returned:,}", "places not claimed"),
        ("Alternates left", f"{left:,}", by_hand),
    ]


def waiting(distribution: Distribution, now: dt.datetime) -> int:
    """Who may still get a place: until the draw all entries, then the alternates."""
    is_over = distribution.closed_at is not None or rules.is_settled(distribution, now)
    return 0 if is_over else distribution.tally.taken


def panel(distribution: Distribution, now: dt.datetime) -> Panel:
    """What was promised, frozen and drawn."""
    proof = shape.present_proof(distribution)
    return drawing_panel.make(distribution, proof, drawn_order.first(distribution, now))


# --- Buttons --------------------------------------------------------------------------------------
def is_freezable(draw: Distribution) -> bool:
    """Whether entries may be closed now; one that is not open yet would have none."""
    is_pending = draw.open_at is not None and draw.open_at > clock.now()
    return draw.drawing.frozen_at is None and draw.closed_at is None and not is_pending


def is_drawable(draw: Distribution) -> bool:
    """Whether the list stands, and nothing is drawn from it."""
    return draw.drawing.frozen_at is not None and draw.drawing.drawn_at is None and draw.closed_at is None


def is_waiting(draw: Distribution) -> bool:
    """Whether only the beacon's value is missing."""
    return is_drawable(draw) and draw.draw.beacon is not None and not draw.drawing.beacon_signature


def is_drawn(draw: Distribution) -> bool:
    """Whether places may be passed on."""
    return draw.drawing.drawn_at is not None and draw.closed_at is None


def freeze(request: HttpRequest, draw: Distribution, values: dict[str, Any]) -> str:
    """Close entries and write the list down, before its time."""
    if not rules.freeze(draw.pk, now=clock.now(), actor=actor(request), at=clock.now):
        raise errors.IllegalMove("The list is being written down already.")
    return "The list is frozen and its root published: nobody can enter or leave any more."


def draw_now(request: HttpRequest, draw: Distribution, values: dict[str, Any]) -> str:
    """Draw, before its time. Raises IllegalMove, also while the beacon's value is missing."""
    now = clock.now()
    if not results.look_for_beacon(draw.pk, now=now):
        raise errors.IllegalMove(f"It waits for the value of {_round(draw)}, and is never drawn without.")
    won = results.run(draw.pk, now=now, actor=actor(request), at=clock.now)
    if won is None:
        raise errors.IllegalMove("It is being drawn already.")
    return f"Drawn: {won:,} won. The seed is published, anyone can repeat it."


class BeaconForm(forms.Form):
    """A round's value."""

    signature = forms.CharField(
        max_length=1_000, widget=TextInput,
        help_text="The round’s signature as drand’s public record has it, 96 hexadecimal digits.",
    )  # fmt: skip


def enter_beacon(request: HttpRequest, draw: Distribution, values: dict[str, Any]) -> str:
    """Take the value that no relay could be asked for. Raises Invalid, IllegalMove."""
    named, now = results.beacon_of(draw.draw), clock.now()
    if named is not None and now < named.at:
        raise errors.IllegalMove(f"There is no value yet: it waits for {_round(draw)}.")
    results.take_beacon(draw.pk, beacon.read_value(values["signature"]), now=now)
    return f"The network signed this value of {_round(draw)}; it is what the draw hangs on."


def _round(draw: Distribution) -> str:
    """Which round it waits for, and until when."""
    named = results.beacon_of(draw.draw)
    return "its beacon" if named is None else f"round {named.round} of the beacon, due {moment(named.at)}"


def offer(request: HttpRequest, draw: Distribution, values: dict[str, Any]) -> str:
    """One place that came back to the next in the drawn order. Raises Closed, IllegalMove."""
    offered = results.offer_next(draw.pk, now=clock.now(), actor=actor(request))
    return f"{Consumer.objects.get(pk=offered)} is next in the drawn order, and has won."


def close(request: HttpRequest, draw: Distribution, values: dict[str, Any]) -> str:
    """End it for good; the tick that finds it closed denies those who entered in vain."""
    if not switches.close(draw, now=clock.now(), actor=actor(request)):
        raise errors.IllegalMove("It was closed before.")
    if Drawing.objects.filter(pk=draw.pk, drawn_at=None).exists():
        return "Cancelled for good. Nobody wins, and all who entered are being denied."
    return "Closed for good: no place is passed on any more."


def proof(request: HttpRequest, draw: Distribution, values: dict[str, Any]) -> HttpResponseBase:
    """All that it takes to repeat the draw, as a file."""
    return proof_api.as_file(draw, shape)


BUTTONS = [
    Button(
        "freeze", "Freeze now …", "ac_unit", freeze, is_offered=is_freezable,
        question="Before its time: from then on nobody can enter or leave. The list of entries is written "
        "down and its root published; the proof says that staff did it. There is no way back.",
    ),
    Button(
        "draw", "Draw now …", "casino", draw_now, variant="primary", is_offered=is_drawable,
        question="Once, from the frozen list. The winners are told, the seed is published, and nothing of it "
        "can be drawn again.",
    ),
    Button(
        "beacon", "Enter the beacon’s value …", "cell_tower", enter_beacon, form=BeaconForm,
        is_offered=is_waiting,
        question="Where no relay of drand can be asked. It counts only with the network’s signature.",
    ),
    Button(
        "offer", "Offer to the next alternate …", "move_down", offer, is_offered=is_drawn,
        question="A place that came back goes to the next in the drawn order, who may have been told "
        "that they lost.",
    ),
    switch_admin.MESSAGE,
    Button(
        "close", "Close …", "block", close, variant="danger",
        question="For good. Before the draw this cancels it: nobody wins, and all who entered are denied. "
        "After the draw no place is passed on any more; whoever has won keeps the place.",
        is_offered=lambda draw: draw.closed_at is None,
    ),
    Button("proof", "Proof", "verified", proof, allowed=staff.VIEW, reads=True),
]  # fmt: skip


FACES[Kind.DRAW] = Face(
    description="By lot: all who enter in time have their chance, and anyone can check the result.",
    icon="casino",
    settings=SETTINGS,
    groups=GROUPS,
    numbers=numbers,
    watch=watch.watch,
    fixed=setup.fixed,
    create=setup.SETTINGS.create,
    update=setup.SETTINGS.update,
    admit=None,
    buttons=BUTTONS,
    phase=rules.phase,
    waiting=waiting,
    standing_at=rules.standing_at,
    word=drawn_order.fate,
    panel=panel,
    help_texts=HELP_TEXTS,
    defaults=DEFAULTS,
)


@admin.register(Draw)
class DrawAdmin(KindAdmin):
    """The versions of a draw's settings."""

    list_display = ["distribution", *setup.OF_DRAW]
    fields = ["distribution", *setup.OF_DRAW]
    list_select_related = ["distribution", "fall_through"]
