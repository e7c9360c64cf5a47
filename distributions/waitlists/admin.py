"""What a waitlist adds to its page in the console: settings, numbers, and telling those who wait."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from distributions.core import phases, switch_admin
from distributions.core.admin import FACES, Face, KindAdmin, Setting, actor
from distributions.core.models import Distribution, Kind, Tally
from distributions.core.standing import Standing
from distributions.waitlists import notices, notifying, rules, setup, watch
from distributions.waitlists.models import Outcome, Waitlist
from experiences.models import Sequence
from fanfare import clock
from fanfare.console import Button, NumberInput, Select, TextArea, TextInput, moment
from fanfare.errors import Detail, Invalid

if TYPE_CHECKING:
    _ModelChoiceField = forms.ModelChoiceField[Sequence]
else:
    _ModelChoiceField = forms.ModelChoiceField

HOUR = 3_600  # seconds


class SequenceField(_ModelChoiceField):
    """A choice of a sequence, named with its experience."""

    def label_from_instance(self, obj: Sequence) -> str:
        return f"{obj}, of {obj.experience}"


def _sequences(rows: QuerySet[Sequence], waitlist: Distribution | None) -> QuerySet[Sequence]:
    """Whose free places may be offered."""
    found = rows.select_related("experience").order_by("experience__name", "name")
    if waitlist is None:
        return found
    return found.filter(experience=waitlist.sequence.experience_id).exclude(pk=waitlist.sequence_id)


def _of_waitlist(name: str) -> Callable[[Distribution], Any]:
    return lambda distribution: getattr(distribution.waitlist, name)


SETTINGS = {
    name: Setting(name, Waitlist._meta.get_field(name), _of_waitlist(name)) for name in setup.OF_WAITLIST
}
SETTINGS["offer_sequence"] = Setting(
    "offer_sequence", Waitlist._meta.get_field("offer_sequence"), _of_waitlist("offer_sequence"),
    choices=_sequences, form_field=SequenceField,
)  # fmt: skip
SETTINGS["capacity"] = Setting(
    "capacity", Tally._meta.get_field("places"), lambda distribution: distribution.tally.places, "Capacity"
)
HELP_TEXTS = {
    "offer_seconds": "Then it goes to the next; needed in the mode “offer”. Such as 30 min or 1 d.",
    "capacity": "People on it at most; empty: any number.",
    "close_at": "Nobody enters from then on; who is on it stays. Empty: until it is closed by hand.",
    "supports_guest": "Guests see news on their page alone; offers need people who can be sent one.",
}


def numbers(distribution: Distribution, now: dt.datetime) -> list[tuple[str, str, str]]:
    """Title, number and limit of each card."""
    tally = distribution.tally
    told = watch.notices(distribution)
    found = [
        ("Waiting", f"{tally.taken:,}", "" if tally.places is None else f"of {tally.places:,}"),
        ("Entered", f"{tally.entered:,}", "since the start"),
        ("Notices", f"{sum(told.values()):,}", "one for each who was told something"),
    ]
    outcomes = {outcome: told.get(outcome, 0) for outcome in Outcome}
    if not any(outcomes.values()):
        return found
    return found + [
        ("Open offers", f"{outcomes[Outcome.OPEN]:,}", ""),
        ("Claimed", f"{outcomes[Outcome.CLAIMED]:,}", "of the offers"),
        ("Lapsed", f"{outcomes[Outcome.LAPSED]:,}", "and passed on"),
    ]


def waiting(distribution: Distribution, now: dt.datetime) -> int:
    """Who is on it."""
    return distribution.tally.taken


def word(distribution: Distribution, standing: Standing) -> str:
    """What a standing is called."""
    return str(standing.status.label)


def details(distribution: Distribution, standing: Standing, now: dt.datetime) -> str:
    """When they were told something last, and what became of an offer."""
    told = notices.of(distribution, standing)
    if not told:
        return "Not notified yet"
    until = notices.offered_until(told, now)
    code = f"; the code is good until {moment(until)}" if until else ""
    outcomes = [notice.get_outcome_display().lower() for notice in told if notice.outcome]
    offer = f"; the offer is {outcomes[0]}" if outcomes else ""
    return f"Notified at {moment(told[0].created_at)}{offer}{code}"


def links(distribution: Distribution) -> list[tuple[str, str]]:
    """To what was told."""
    path = reverse("admin:distributions_notification_changelist")
    return [("Notifications", f"{path}?distribution__id__exact={distribution.pk}")]


class NotifyForm(forms.Form):
    """What to tell whom."""

    text = forms.CharField(max_length=1000, widget=TextArea, help_text="As it is sent; blank lines stay.")
    limit = forms.IntegerField(
        label="How many", required=False, min_value=1, max_value=10**9, widget=NumberInput,
        help_text="The first so many who were told nothing yet; empty: everyone who waits.",
    )  # fmt: skip
    metadata_name = forms.CharField(
        required=False, max_length=100, widget=TextInput,
        help_text="Only those whose entry's metadata has this name …",
    )  # fmt: skip
    metadata_value = forms.CharField(
        required=False, max_length=200, widget=TextInput, help_text="… with this value, such as 42 or true."
    )
    sequence = SequenceField(
        label="With a code for", required=False, queryset=Sequence.objects.none(), widget=Select,
        empty_label="No code",
        help_text="Each gets a code of their own, to be used once; only who can be sent one. "
        "The sequence asks for codes from then on.",
    )  # fmt: skip
    hours = forms.IntegerField(
        label="Hours that a code is good for", required=False, min_value=1, max_value=720, initial=24,
        widget=NumberInput,
    )  # fmt: skip

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        ways = Sequence.objects.filter(experience=self.initial["experience"]).select_related("experience")
        self.fields["sequence"].queryset = ways  # type: ignore[attr-defined]


def notify(request: HttpRequest, waitlist: Distribution, values: dict[str, Any]) -> str:
    """Tell those who wait; a worker does. Raises Invalid."""
    hours = values.pop("hours")
    seconds = None if hours is None else hours * HOUR
    try:
        notifying.announce(
            waitlist,
            values.pop("text"),
            now=clock.now(),
            actor=actor(request),
            code_seconds=seconds,
            **values,
        )
    except ValidationError as problem:
        named = {"code_seconds": "hours"}
        raise Invalid(
            *(Detail(named.get(name, name), text) for name, (text, *_) in problem.message_dict.items())
        ) from None
    return "They are being told. The list of notifications shows how far it is."


BUTTONS = [
    Button(
        "notify", "Notify …", "campaign", notify, form=NotifyForm, variant="primary",
        question="By mail or SMS, each once; guests without an address see on their page that there is news.",
        initial=lambda waitlist: {"experience": waitlist.sequence.experience_id},
    ),
    *switch_admin.buttons(
        paused="Paused: nobody enters, nothing is offered; who waits stays.",
        resumed="The waitlist goes on.",
        closed="Closed for good: nobody enters any more. Who waits stays, and can be notified.",
        question="For good: nobody enters any more. Who waits stays, and can be notified.",
    ),
]  # fmt: skip


FACES[Kind.WAITLIST] = Face(
    description="Who wants to know when there is something: told by staff, or offered what comes free.",
    icon="notifications",
    settings=SETTINGS,
    groups=[("The list", ["capacity", "mode"]), ("Offers", ["offer_sequence", "offer_seconds"])],
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
    details=details,
    links=links,
)


@admin.register(Waitlist)
class WaitlistAdmin(KindAdmin):
    """The versions of a waitlist's settings."""

    list_display = ["distribution", *setup.OF_WAITLIST]
    fields = ["distribution", *setup.OF_WAITLIST]
    list_select_related = ["distribution", "offer_sequence"]
