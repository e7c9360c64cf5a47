"""The console's pages of all kinds of distribution, and of who takes part.

What a kind adds (its settings, buttons and numbers) it puts into `FACES`. Settings are written by the
kind's own functions; a participation is never edited, only moved, by a button.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from distributions.core import lifecycle
from distributions.core.adding_admin import Adding
from distributions.core.drawing_panel import Panel
from distributions.core.models import Distribution, Kind
from distributions.core.standing import Standing
from distributions.core.watching import Watched
from experiences import events
from experiences.models import Sequence as Way
from fanfare import clock, durations, staff
from fanfare.console import Button, HistoryAdmin, SettingsForm, display, is_seconds, with_reason
from fanfare.forms import extended
from fanfare.lists import ScopedFilter

if TYPE_CHECKING:
    _ModelChoiceField = forms.ModelChoiceField[Distribution]
else:
    _ModelChoiceField = forms.ModelChoiceField

PHASE_COLORS = {
    "PENDING": "info", "OPEN": "success", "PAUSED": "warning", "CLOSED": "danger", "DRAWN": "primary",
    "SETTLED": "primary",
}  # fmt: skip


HELP_TEXTS = {
    "name": "What people read.",
    "slug": "What files call it; small letters, digits and hyphens.",
    "time_zone": "Such as Europe/Berlin. Empty: the experience’s, else the organization’s.",
    # Measured in Chromium with two workers on a busy machine of two cores, nine times each.
    "proof_of_work": "What entering costs a device in computing time, 1 to 50; 0: nothing. On a computer, 1 "
    "takes about 0.1 seconds, 5 takes 0.3 and 10 takes 0.4, by bad luck 2 and more; a phone takes longer. "
    "A price and no wall: bots that pay it come in.",
    "supports_guest": "Whether people who did not sign in may enter.",
    "metadata": 'Names and values for the shop, such as {"sku": "4711"}.',
}


class DistributionField(_ModelChoiceField):
    """A choice of a distribution, named with its experience."""

    def label_from_instance(self, obj: Distribution) -> str:
        return f"{obj}, of {obj.sequence.experience}"


@dataclass(frozen=True)
class Setting:
    """One setting of a kind that is not a column of Distribution: its model field, and where it is read.

    `choices` of a foreign key narrows what is offered, for this distribution or one that is being added;
    `shown` is what those read who may only look, where it is not what forms have; `form_field` is the form's,
    where it is not the model field's own.
    """

    name: str
    field: Any
    read: Callable[[Distribution], Any]
    label: str = ""
    choices: Callable[[QuerySet[Any], Distribution | None], QuerySet[Any]] | None = None
    shown: Callable[[Distribution], Any] | None = None
    form_field: type[forms.Field] | None = None


@dataclass(frozen=True)
class Face:
    """What a kind shows and does in the console.

    `fixed` names the settings that can't change any more. `create` and `update` raise ValidationError.
    `word` is what the kind calls a standing, which is `standing_at` some instant; `admit` is None where
    nobody is admitted out of turn; `panel` is there for what is drawn by lot; `help_texts` and `defaults`
    (of a new one) are the kind's own, by setting; `adjusting` surrounds taking somebody out; `details` says
    more about one standing, on its own page; `watch` is what the live page shows; `by_code` finds
    participations by a code of the kind's own; `links` are there beside those that all kinds have.
    """

    description: str
    icon: str
    settings: Mapping[str, Setting]
    groups: Sequence[tuple[str, Sequence[str]]]
    numbers: Callable[[Distribution, dt.datetime], Sequence[tuple[str, str, str]]]
    fixed: Callable[[Distribution, dt.datetime], set[str]]
    create: Callable[..., Distribution]
    update: Callable[..., object]
    admit: Callable[..., Standing] | None
    buttons: Sequence[Button]
    phase: Callable[[Distribution, dt.datetime], StrEnum]
    waiting: Callable[[Distribution, dt.datetime], int]
    standing_at: Callable[[Distribution, Standing, dt.datetime], Standing]
    word: Callable[[Distribution, Standing], str]
    panel: Callable[[Distribution, dt.datetime], Panel | None]
    watch: Callable[[Distribution, dt.datetime], Watched]
    help_texts: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    adjusting: Callable[[Distribution], AbstractContextManager[Distribution]] = lifecycle.unadjusted
    details: Callable[[Distribution, Standing, dt.datetime], str] | None = None
    by_code: Callable[[Distribution, str], Sequence[int]] = lambda distribution, code: ()
    links: Callable[[Distribution], Sequence[tuple[str, str]]] = lambda distribution: ()


FACES: dict[Kind, Face] = {}
EVERY_KIND: list[Button] = []
"""The buttons that all kinds have before their own; modules that stand on this one add theirs."""


def face_of(distribution: Distribution) -> Face:
    """The face of its kind."""
    return FACES[Kind(distribution.kind)]


def actor(request: HttpRequest) -> str:
    """The staff user, as the trace names them."""
    return events.by_staff(staff.user_id(request))


@admin.register(Distribution)
class DistributionAdmin(Adding):
    """Everything that sequences end in. Adding asks for the kind first."""

    organization_path = "organization_id"
    faces = FACES
    form = SettingsForm
    add_roles = change_roles = staff.STEER
    parents = ("sequence",)
    autocomplete_fields = ["sequence"]
    readonly_fields = ["id"]
    change_form_outer_before_template = "admin/distribution.html"
    list_display = ["name", "kind_label", "phase", "sequence", "open_at", "close_at", "waiting", "id"]
    list_filter = ["kind", ("sequence", ScopedFilter), ("organization", ScopedFilter)]
    list_select_related = [
        "sequence__experience", "organization", "tally", "drawing", *map(str, Kind),
    ]  # fmt: skip
    search_fields = ["name", "slug", "id", "sequence__name", "sequence__experience__name"]
    ordering = ["-id"]

    @display(description="Kind")
    def kind_label(self, distribution: Distribution) -> str:
        return distribution.title

    @display(description="Phase", label=PHASE_COLORS)
    def phase(self, distribution: Distribution) -> StrEnum:
        return face_of(distribution).phase(distribution, clock.now())

    @display(description="Waiting")
    def waiting(self, distribution: Distribution) -> int:
        return face_of(distribution).waiting(distribution, clock.now())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Distribution]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    # --- Adding and changing ----------------------------------------------------------------------
    def face_for(self, request: HttpRequest, distribution: Distribution | None) -> Face:
        """The face of this distribution's kind, or of the kind that is being added."""
        return face_of(distribution) if distribution else FACES[Kind(request.GET["kind"])]

    def get_fieldsets(self, request: HttpRequest, obj: Distribution | None = None) -> Any:
        face = self.face_for(request, obj)
        editable = self.has_change_permission(request, obj) if obj else True
        groups: list[tuple[str | None, Sequence[str]]] = [
            (None, ["sequence", "name", "slug", *(["id"] if obj else [])]),
            ("Times", ["time_zone", "open_at", "close_at"]),
            *face.groups,
            ("Who may enter", ["supports_guest", "max_entries_per_fingerprint", "proof_of_work", "metadata"]),
        ]

        # To those who may only look, a setting of the kind is a column that is computed.
        def shown(name: str) -> Any:
            return name if editable or name not in face.settings else _column(face.settings[name])

        return [(title, {"fields": [shown(name) for name in names]}) for title, names in groups]

    def get_form(
        self, request: HttpRequest, obj: Distribution | None = None, change: bool = False, **options: Any
    ) -> Any:
        """Distribution's own fields, and its kind's beside them; what can't change any more is locked."""
        if obj is not None and not self.has_change_permission(request, obj):
            return super().get_form(request, obj, change, **options)
        face = self.face_for(request, obj)
        help_texts = {**HELP_TEXTS, **face.help_texts}
        fields = {name: self._field_of(setting, request, obj) for name, setting in face.settings.items()}
        made = super().get_form(request, obj, change, form=extended(self.form, fields), **options)
        for name, text in help_texts.items():
            made.base_fields[name].help_text = text
        if obj is None:
            for name, value in face.defaults.items():
                made.base_fields[name].initial = value
        for name in face.fixed(obj, clock.now()) if obj else ():
            made.base_fields[name].disabled = True
            made.base_fields[name].help_text = "Can't change any more."
        return made

    def _field_of(self, setting: Setting, request: HttpRequest, obj: Distribution | None) -> Any:
        """The form's field of a kind's setting."""
        special = setting.form_field or (DistributionField if setting.choices else None)
        options = {"form_class": special} if special else {}
        found: Any = self.formfield_for_dbfield(setting.field, request, **options)
        found.label = setting.label or found.label
        found.initial = setting.read(obj) if obj else setting.field.get_default()
        if setting.choices:
            found.widget = found.widget.widget  # without buttons to add and change what it offers
            found.queryset = setting.choices(found.queryset, obj)
        return found

    def write(self, request: HttpRequest, thing: Distribution, values: dict[str, Any]) -> Distribution:
        face, now = self.face_for(request, None if thing._state.adding else thing), clock.now()
        if thing._state.adding:
            return face.create(thing.sequence, values, now=now, actor=actor(request))
        found = self.get_queryset(request).get(pk=thing.pk)  # the form has put its values into the other
        face.update(found, values, now=now, actor=actor(request))
        return self.get_queryset(request).get(pk=thing.pk)

    def zone_of(self, request: HttpRequest, thing: Distribution | None) -> str:
        """Its own, else its experience's, else its organization's."""
        if thing is not None:
            return thing.zone
        chosen = (request.POST or request.GET).get("sequence")
        mine = (
            self.admin_site.get_model_admin(Way)
            .get_queryset(request)
            .select_related("experience__organization")
        )
        found = list((mine.filter(pk=chosen) if chosen else mine)[:2])
        if len(found) != 1:
            return "UTC"
        return found[0].experience.time_zone or found[0].experience.organization.time_zone

    # --- Its page ---------------------------------------------------------------------------------
    def buttons_of(self, thing: Distribution) -> Sequence[Button]:
        return [with_reason(button) for button in (*EVERY_KIND, *face_of(thing).buttons)]

    def context_of(self, request: HttpRequest, thing: Distribution | None) -> dict[str, Any]:
        found = super().context_of(request, thing)
        if thing is None:
            return found
        face, now = face_of(thing), clock.now()
        people = (
            f"{reverse('admin:distributions_participation_changelist')}?distribution__id__exact={thing.pk}"
        )
        trace = f"{reverse('admin:experiences_event_changelist')}?distribution_id__exact={thing.pk}"
        return found | {
            "phase": face.phase(thing, now),
            "phase_color": PHASE_COLORS[face.phase(thing, now)],
            "numbers": face.numbers(thing, now),
            "panel": face.panel(thing, now),
            "participations_url": people,
            "links": [
                ("Experience", reverse("admin:experiences_experience_change", args=[_launch_of(thing)])),
                ("Participations", people),
                ("Trace", trace),
                *face.links(thing),
                ("History of the settings", _history(thing)),
            ],
        }


def _launch_of(distribution: Distribution) -> str:
    return str(distribution.sequence.experience_id)


def _history(distribution: Distribution) -> str:
    """Where the versions of its kind's settings are."""
    name = getattr(distribution, distribution.kind)._meta.model_name
    return reverse(f"admin:distributions_{name}_history", args=[distribution.pk])


class KindAdmin(HistoryAdmin):
    """Only for the history of a kind's settings; they are edited on the distribution's page."""

    organization_path = "distribution__organization_id"
    list_select_related = ["distribution"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


def _column(setting: Setting) -> Callable[[Distribution], Any]:
    def column(distribution: Distribution) -> Any:
        value = (setting.shown or setting.read)(distribution)
        return durations.said(value) if is_seconds(setting.field) and value is not None else value

    column.__name__ = setting.name
    label = setting.label or setting.field.verbose_name.removesuffix(" seconds")
    column.short_description = label  # type: ignore[attr-defined]
    column.boolean = isinstance(setting.field, models.BooleanField)  # type: ignore[attr-defined]
    return column
