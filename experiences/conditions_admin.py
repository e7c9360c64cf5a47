"""The console's pages of what opens a sequence: access codes and audiences.

Codes are made, and lists filled, by buttons on the sequence's page; `experiences.admin` hangs them there.
"""

import csv
import datetime as dt
import io
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import FieldListFilter
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from experiences import access_codes, audiences, events
from experiences.conditions_forms import GenerateForm, ImportForm
from experiences.models import AccessCode, AudienceMember, Sequence
from fanfare import clock, memo, staff
from fanfare.console import Button, ConsoleAdmin, display
from fanfare.errors import Detail, Invalid
from fanfare.lists import ScopedFilter

AT_ONCE = 1_000  # codes or members that one press may end
STATE_COLORS = {"good": "success", "used up": "info", "expired": "warning", "revoked": "danger"}


def actor(request: HttpRequest) -> str:
    """The staff user, as the trace names them."""
    return events.by_staff(staff.user_id(request))


def zone_of(sequence: Sequence) -> str:
    """The time zone in which a sequence's times are shown and read."""
    return sequence.experience.time_zone or sequence.experience.organization.time_zone


def links(sequence: Sequence) -> list[tuple[str, str]]:
    """From a sequence to what opens it."""
    launch = reverse("admin:experiences_experience_change", args=[sequence.experience_id])
    lists = [
        (title, f"{reverse(f'admin:experiences_{model}_changelist')}?sequence__id__exact={sequence.pk}")
        for title, model in (("Access codes", "accesscode"), ("Audience", "audiencemember"))
    ]
    return [("Experience", launch), *lists]


# --- The buttons of a sequence --------------------------------------------------------------------
def generate(request: HttpRequest, sequence: Sequence, values: dict[str, Any]) -> HttpResponse:
    """Make codes, and hand them out as a file, this once. Raises Invalid."""
    try:
        texts = access_codes.generate(
            sequence, values["number"], now=clock.now(), actor=actor(request),
            max_uses=values["max_uses"], expires_at=values["expires_at"], label=values["label"],
        )  # fmt: skip
    except ValidationError as problem:
        raise Invalid(*(Detail(name, text) for name, (text, *_) in problem.message_dict.items())) from None
    memo.forget_all()
    messages.success(request, f"{len(texts):,} codes for {sequence} were made; their file was handed out.")
    return _download(f"access-codes-{sequence.slug}.csv", texts)


def _download(name: str, texts: list[str]) -> HttpResponse:
    file = io.StringIO()
    csv.writer(file).writerows([["code"], *([text] for text in texts)])
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def import_audience(request: HttpRequest, sequence: Sequence, values: dict[str, Any]) -> str:
    """Put people on the sequence's list."""
    keys = values["text"]
    added = audiences.add(sequence, keys, now=clock.now(), actor=actor(request))
    memo.forget_all()
    return f"{added:,} added to the audience. {len(set(keys)) - added:,} were on it already."


BUTTONS = [
    Button(
        "generate-codes", "Generate access codes", "password", generate, form=GenerateForm,
        question="You get them as a CSV file, this once: they are not stored and can't be shown again. "
        "From then on the sequence asks for a code.",
    ),
    Button(
        "import-audience", "Import audience", "group_add", import_audience, form=ImportForm,
        question="Whoever is on the list, and has signed in as such, may come in. From then on nobody else.",
    ),
]  # fmt: skip


# --- Access codes ---------------------------------------------------------------------------------
def state(code: AccessCode, now: dt.datetime) -> str:
    """Whether a code still opens anything."""
    if code.revoked_at is not None:
        return "revoked"
    if code.expires_at is not None and code.expires_at <= now:
        return "expired"
    return "used up" if code.max_uses is not None and code.uses >= code.max_uses else "good"


def _in_state(name: str, now: dt.datetime) -> Q:
    """The same for the rows of a list."""
    revoked, expired = Q(revoked_at__isnull=False), Q(expires_at__lte=now)
    used_up = Q(max_uses__isnull=False, uses__gte=F("max_uses"))
    lasts, has_uses = Q(expires_at=None) | Q(expires_at__gt=now), Q(max_uses=None) | Q(uses__lt=F("max_uses"))
    return {
        "revoked": revoked,
        "expired": ~revoked & expired,
        "used up": ~revoked & lasts & used_up,
        "good": ~revoked & lasts & has_uses,
    }[name]


class StateFilter(FieldListFilter):
    """Codes by their state."""

    lookup_kwarg = "state"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.title = "state"
        self.lookup_val: list[str] = self.used_parameters.get(self.lookup_kwarg, [])  # type: ignore[assignment]

    def expected_parameters(self) -> list[str | None]:
        return [self.lookup_kwarg]

    def choices(self, changelist: Any) -> Any:
        chosen = next(iter(self.lookup_val), "")
        for name in ("", *STATE_COLORS):
            query = changelist.get_query_string(
                {self.lookup_kwarg: name} if name else {}, [] if name else [self.lookup_kwarg]
            )
            yield {"selected": name == chosen, "query_string": query, "display": name.capitalize() or "All"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = next(iter(self.lookup_val), "")
        return queryset.filter(_in_state(name, clock.now())) if name in STATE_COLORS else queryset


class Chosen(ConsoleAdmin):
    """What hangs on a sequence, and can be ended for a selection, whole or not at all."""

    organization_path = "sequence__experience__organization_id"
    list_select_related: ClassVar[list[str]] = ["sequence__experience__organization"]
    more_lookups = frozenset({"sequence__id__exact", "state"})
    sortable_by: ClassVar[list[str]] = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def zone_of(self, request: HttpRequest, thing: Any) -> str:
        return zone_of(thing.sequence) if thing else "UTC"

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Who gets the list's action at all; whose rows they are is asked when it is pressed."""
        return staff.may(request, staff.STEER)

    def chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> list[Any]:
        """The selected, or none, with a message, where they are too many or not all the user's to end."""
        mine = list(self.within(request, rows, staff.STEER).order_by("sequence_id", "pk")[: AT_ONCE + 1])
        if len(mine) <= AT_ONCE and len(mine) == rows.count():
            return mine
        text = f"At most {AT_ONCE:,} at once, and only where you may steer. Nothing was changed."
        self.message_user(request, text, messages.ERROR)
        return []

    def ask_first(
        self, request: HttpRequest, chosen: list[Any], action: str, title: str, question: str
    ) -> HttpResponse | None:
        """The page between the action and its deed; None when it has been answered."""
        if "sure" in request.POST:
            return None
        selected = [("_selected_action", str(row.pk)) for row in chosen]
        hidden = [("action", action), ("sure", "yes"), *selected]
        return self.ask(request, title, question, forms.Form(), hidden=hidden, variant="danger")


def revoke(request: HttpRequest, code: AccessCode, values: dict[str, Any]) -> str:
    """End one code."""
    access_codes.revoke(code, now=clock.now(), actor=actor(request))
    return f"The code {code} is revoked. Whom it let in stays in."


@admin.register(AccessCode)
class AccessCodeAdmin(Chosen):
    """Codes, by what is left of them: two characters."""

    list_display = ["hint", "label", "sequence", "is_shared", "used", "state", "expires_at", "created_at"]
    list_filter = [("revoked_at", StateFilter), "is_shared", ("sequence", ScopedFilter)]
    exact_search = {"seq_": "sequence_id", "cons_": "consumer_id", "": "label"}
    search_help_text = "A whole id of a sequence, of a consumer it was made for, or a whole label."
    ordering = ["-id"]
    fields = [
        "hint", "label", "sequence", "is_shared", "consumer_id", "state", "used", "expires_at", "created_at",
        "revoked_at",
    ]  # fmt: skip
    readonly_fields = ["state", "used"]
    actions = ["revoke_selected"]
    buttons = [
        Button(
            "revoke", "Revoke", "block", revoke, is_offered=lambda code: code.revoked_at is None,
            question="It opens the sequence to nobody any more. Whom it let in stays in.", variant="danger",
        )
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessCode]:
        return super().get_queryset(request).defer("digest")

    @display(description="State", label=STATE_COLORS)
    def state(self, code: AccessCode) -> str:
        return state(code, clock.now())

    @display(description="Used by")
    def used(self, code: AccessCode) -> str:
        return f"{code.uses:,} of {'any number' if code.max_uses is None else f'{code.max_uses:,}'}"

    @admin.action(description="Revoke …", permissions=["steer"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[AccessCode]) -> HttpResponse | None:
        """End those of the selected that are not."""
        codes = self.chosen(request, rows)
        question = "They open their sequences to nobody any more. Whom they let in stays in."
        title = f"Revoke {len(codes):,}"
        if codes and (page := self.ask_first(request, codes, "revoke_selected", title, question)):
            return page
        now, by = clock.now(), actor(request)
        with transaction.atomic():
            ended = sum(access_codes.revoke(code, now=now, actor=by) for code in codes)
        if codes:
            self.message_user(request, f"{ended:,} of {len(codes):,} revoked.", messages.SUCCESS)
        return None


# --- Audiences ------------------------------------------------------------------------------------
def remove(request: HttpRequest, member: AudienceMember, values: dict[str, Any]) -> HttpResponse:
    """Take one off the list."""
    audiences.remove(member.sequence, [member.pk], now=clock.now(), actor=actor(request))
    messages.success(request, f"{member} is off the list.")
    return redirect(links(member.sequence)[-1][1])


@admin.register(AudienceMember)
class AudienceMemberAdmin(Chosen):
    """Who is on the list of a sequence."""

    list_display = ["key", "sequence"]
    list_filter = [("sequence", ScopedFilter)]
    search_fields = ["key"]
    search_help_text = "A whole e-mail address, telephone number with its +, or external id."
    ordering = ["sequence_id", "key"]
    fields = ["key", "sequence"]
    actions = ["remove_selected"]
    buttons = [
        Button(
            "remove", "Remove", "person_remove", remove, variant="danger",
            question="They can't come in by this list any more. Places that they have stay as they are.",
        )
    ]  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(key=audiences.key(audiences.guess(term), term)), False
        except ValueError:
            return queryset.none(), False

    @admin.action(description="Remove …", permissions=["steer"])
    def remove_selected(self, request: HttpRequest, rows: QuerySet[AudienceMember]) -> HttpResponse | None:
        """Take the selected off their lists."""
        members = self.chosen(request, rows)
        question = "They can't come in by this list any more. Places that they have stay as they are."
        title = f"Remove {len(members):,}"
        if members and (page := self.ask_first(request, members, "remove_selected", title, question)):
            return page
        found: dict[Sequence, list[int]] = {}
        for member in members:
            found.setdefault(member.sequence, []).append(member.pk)
        with transaction.atomic():
            for sequence, ids in found.items():
                audiences.remove(sequence, ids, now=clock.now(), actor=actor(request))
        if members:
            self.message_user(request, f"{len(members):,} removed.", messages.SUCCESS)
        return None
