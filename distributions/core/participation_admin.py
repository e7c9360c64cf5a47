"""The console's pages of who takes part: never edited, only moved, by a button or for a selection."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from distributions.core import lifecycle
from distributions.core.admin import actor, face_of
from distributions.core.drawing_panel import STATUS_COLORS
from distributions.core.models import ID_PREFIXES, LIVE, Distribution, Kind, Participation, Reason, Status
from distributions.core.standing import Standing
from fanfare import clock, errors, staff
from fanfare.console import Button, TextInput, display, moment, with_reason
from fanfare.export_admin import ExportingAdmin, Row
from fanfare.lists import ScopedFilter

AT_ONCE = 1_000  # participations that one press may deny


def current(participation: Participation) -> Standing:
    """As it is now, also where a clock or a draw has decided it and nobody wrote that down."""
    distribution = participation.distribution
    return face_of(distribution).standing_at(distribution, Standing.of(participation), clock.now())


def is_live(participation: Participation) -> bool:
    """Whether there is anything to take away."""
    return current(participation).status in LIVE


def may_be_admitted(participation: Participation) -> bool:
    """Whether it waits for its turn, and turns are not all there is."""
    may = face_of(participation.distribution).admit is not None
    return may and participation.status == Status.QUEUED


class DenyForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        max_length=200, initial=Reason.ADMIN_ACTION, widget=TextInput,
        help_text="The consumer's page gets to see it.",
    )  # fmt: skip


def deny(request: HttpRequest, participation: Participation, values: dict[str, Any]) -> str:
    """Turn one consumer away. Raises IllegalMove."""
    with face_of(participation.distribution).adjusting(participation.distribution):
        moved = lifecycle.deny_all(
            participation.distribution, [participation.pk],
            reason=values["reason"], now=clock.now(), actor=actor(request),
        )  # fmt: skip
    if not moved:
        raise errors.IllegalMove("The participation is over.")
    return f"{participation.consumer} is denied."


def admit(request: HttpRequest, participation: Participation, values: dict[str, Any]) -> str:
    """Admit one consumer out of turn. Raises NotOpenYet, Closed, IllegalMove."""
    admit_one = face_of(participation.distribution).admit
    assert admit_one is not None  # or the button had not been offered
    admit_one(participation.distribution, participation.consumer_id, now=clock.now(), actor=actor(request))
    return f"{participation.consumer} is admitted, out of turn."


@admin.register(Participation)
class ParticipationAdmin(ExportingAdmin):
    """Who takes part, in which state: to look at, to admit, to deny."""

    organization_path = "distribution__organization_id"
    list_display = [
        "consumer", "distribution", "state", "number", "entered_at", "admitted_at", "ended", "reason", "risk",
    ]  # fmt: skip
    list_filter = ["status", "is_risky", ("distribution", ScopedFilter)]
    list_select_related = [
        "consumer",
        *(f"distribution__{name}" for name in ("tally", "drawing", *map(str, Kind))),
    ]
    more_lookups = frozenset({"consumer__id__exact"})
    exact_search = {
        "cons_": "consumer_id",
        **{f"{prefix}_": "distribution_id" for prefix in ID_PREFIXES.values()},
        "@": "consumer__email", "+": "consumer__phone",
    }  # fmt: skip
    search_help_text = "A whole id of a consumer or distribution, an e-mail address, or a number with its +."
    ordering = ["-id"]
    sortable_by: ClassVar[list[str]] = []
    fields = [
        "consumer", "distribution", "standing", "number", "details", "entered_at", "admitted_at",
        "expires_at", "ended", "reason", "order_id", "risk", "metadata",
    ]  # fmt: skip
    actions = ["deny_selected"]
    buttons = [
        with_reason(Button(
            "admit", "Admit out of turn", "door_open", admit, is_offered=may_be_admitted,
            question="Now, whatever the rate says, ahead of everyone before them. It is recorded as such.",
        )),
        Button(
            "deny", "Deny", "block", deny, form=DenyForm, is_offered=is_live,
            question="The place or the admission is lost for good.", variant="danger",
        ),
    ]  # fmt: skip

    export_columns: ClassVar[dict[str, str]] = {
        "id": "id", "distributionId": "distribution_id", "consumerId": "consumer_id", "status": "status",
        "place": "place", "unit": "unit", "enteredAt": "entered_at", "admittedAt": "admitted_at",
        "expiresAt": "expires_at", "endedAt": "ended_at", "denyReason": "deny_reason", "orderId": "order_id",
        "isRisky": "is_risky", "metadata": "metadata", "email": "consumer__email",
        "organizationId": "distribution__organization_id",
    }  # fmt: skip
    readonly_fields = ["standing", "number", "details", "ended", "reason", "risk"]

    @display(description="Status", label=STATUS_COLORS)
    def state(self, participation: Participation) -> tuple[str, str]:
        """By what it is coloured, and its word."""
        return current(participation).status, self.standing(participation)

    @display(description="Status")
    def standing(self, participation: Participation) -> str:
        """What the kind calls it."""
        distribution = participation.distribution
        return face_of(distribution).word(distribution, current(participation))

    @display(description="Place")
    def number(self, participation: Participation) -> str:
        if participation.place is None:
            return ""
        is_entry = participation.distribution.kind == Kind.DRAW
        return f"entry\N{NO-BREAK SPACE}{participation.place}" if is_entry else str(participation.place)

    @display(description="Details")
    def details(self, participation: Participation) -> str:
        """What only the kind knows; for one participation, since it may ask the database."""
        distribution = participation.distribution
        tell = face_of(distribution).details
        return "-" if tell is None else tell(distribution, current(participation), clock.now())

    @display(description="Ended at")
    def ended(self, participation: Participation) -> str:
        return moment(current(participation).ended_at) or "-"

    @display(description="Deny reason")
    def reason(self, participation: Participation) -> str:
        return current(participation).deny_reason

    @display(description="Risk")
    def risk(self, participation: Participation) -> str:
        return "another device" if participation.is_risky else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participation]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    # --- As a file: as it is written down; what the clock has ended a moment ago may not be yet -------
    def columns_for(self, request: HttpRequest) -> list[str]:
        """People's addresses are for those who steer."""
        hidden = {"organizationId"} if staff.may(request, staff.STEER) else {"organizationId", "email"}
        return [name for name in self.export_columns if name not in hidden]

    def export_row(self, request: HttpRequest, row: Row) -> Row:
        """Also where somebody steers here and only looks there."""
        return row if staff.may(request, staff.STEER, row["organizationId"]) else {**row, "email": None}

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Who gets the list's action at all; whose rows they are is asked when it is pressed."""
        return staff.may(request, staff.STEER)

    @admin.action(description="Deny …", permissions=["steer"])
    def deny_selected(self, request: HttpRequest, rows: QuerySet[Participation]) -> HttpResponse | None:
        """Deny those of the selected that wait or are inside; asks for the reason."""
        mine = self.within(request, rows, staff.STEER).order_by()
        chosen = list(mine.values_list("distribution_id", "id")[: AT_ONCE + 1])
        if len(chosen) > AT_ONCE or len(chosen) < rows.count():
            text = f"At most {AT_ONCE:,} at once, and only where you may steer. Nothing was changed."
            self.message_user(request, text, messages.ERROR)
            return None
        form = DenyForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            hidden = [("action", "deny_selected"), *(("_selected_action", str(pk)) for _, pk in chosen)]
            more = {"hidden": hidden, "variant": "danger"}
            return self.ask(request, f"Deny {len(chosen)}", "Places are lost for good.", form, **more)
        live = [(one.distribution_id, one.pk) for one in mine if is_live(one)]
        denied = self._deny_by_distribution(request, live, form.cleaned_data["reason"])
        over = len(chosen) - denied
        text = f"{denied} denied." + (f" {over} had ended before and stay as they are." if over else "")
        self.message_user(request, text, messages.SUCCESS)
        return None

    def _deny_by_distribution(self, request: HttpRequest, chosen: list[tuple[str, int]], reason: str) -> int:
        found: dict[str, list[int]] = {}
        for distribution_id, identity in chosen:
            found.setdefault(distribution_id, []).append(identity)
        rows = Distribution.objects.select_related("tally").in_bulk(list(found))
        now, by = clock.now(), actor(request)
        denied = 0
        for key, ids in found.items():
            with face_of(rows[key]).adjusting(rows[key]):
                denied += len(lifecycle.deny_all(rows[key], ids, reason=reason, now=now, actor=by))
        return denied
