"""The console's pages of the tenant: organization, experiences, sequences.

Staff and their roles are in `experiences.staff_admin`, API keys in `experiences.key_admin`, the trace in
`experiences.trace_admin`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect

from experiences import conditions_admin, events, key_admin, setup, staff_admin, trace_admin
from experiences.models import Experience, Organization, Sequence
from fanfare import clock, memo, staff
from fanfare.console import Button, ConsoleAdmin, HistoryAdmin, SettingsForm, TextInput, display
from fanfare.lists import ScopedFilter

# Imported so that their pages are registered.
__all__ = ["conditions_admin", "key_admin", "staff_admin", "trace_admin"]


@dataclass(frozen=True)
class Board:
    """What stands on an experience's page from one floor up: buttons, and what its template is told of it."""

    buttons: list[Button]
    context: Callable[[HttpRequest, Experience], dict[str, Any]]


BOARDS: list[Board] = []


class SettingsAdmin(HistoryAdmin):
    """Settings of a launch: staff with a hand in it change them, through `experiences.setup`."""

    form = SettingsForm
    add_roles = change_roles = staff.STEER
    help_texts: ClassVar[dict[str, str]] = {}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field and db_field.name in self.help_texts:
            field.help_text = self.help_texts[db_field.name]
        return field

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new thing's slug follows from its name, until somebody types another one."""
        return {} if obj else {"slug": ["name"]}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is being added has neither an id nor an age yet."""
        groups = super().get_fieldsets(request, obj)
        if obj is not None:
            return groups
        kept = [
            (title, [name for name in group["fields"] if name not in self.readonly_fields])
            for title, group in groups
        ]
        return [(title, {"fields": fields}) for title, fields in kept]

    def write(self, request: HttpRequest, thing: Any, values: dict[str, Any]) -> Any:
        now = clock.now()
        if thing._state.adding:
            setup.create(thing, values, now=now, actor=events.by_staff(staff.user_id(request)))
        else:
            thing = type(thing)._default_manager.get(
                pk=thing.pk
            )  # the form has put its values into the other
            setup.update(thing, values, now=now, actor=events.by_staff(staff.user_id(request)))
        transaction.on_commit(memo.forget_all)
        return thing


@admin.register(Organization)
class OrganizationAdmin(SettingsAdmin):
    """A tenant's own settings: its owners'."""

    organization_path = "id"
    add_roles = staff.NOBODY
    change_roles = staff.OWN
    list_display = ["name", "slug", "id", "time_zone", "currency_code", "created_at"]
    search_fields = ["name", "slug", "id"]
    ordering = ["name"]
    readonly_fields = ["id", "created_at"]
    inlines = [staff_admin.MembershipInline]
    buttons = [staff_admin.ADD_STAFF]
    fieldsets = [
        (None, {"fields": ["name", "slug", "id", "time_zone", "currency_code", "language_code", "logo_url"]}),
        ("Where it is shown", {"fields": ["allowed_origins", "return_hosts", "theme"]}),
        (
            "Protection",
            {"fields": ["require_two_factor", "require_fingerprint", "rate_limits", "created_at"]},
        ),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return staff.is_superuser(request)

    def zone_of(self, request: HttpRequest, thing: Organization | None) -> str:
        return thing.time_zone if thing else "UTC"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field and db_field.name in ("allowed_origins", "return_hosts"):
            field.widget = TextInput()
            field.help_text = "Separated by commas, such as https://shop.example.com,*.example.com."
            if db_field.name == "return_hosts":
                field.help_text = "Where a waiting room may send people back to; host names, by commas."
        return field


@admin.register(Experience)
class ExperienceAdmin(SettingsAdmin):
    """A launch."""

    organization_path = "organization_id"
    parents = ("organization",)
    list_display = ["name", "slug", "organization", "open_at", "close_at", "id"]
    list_filter = [("organization", ScopedFilter)]
    list_select_related = ["organization"]
    search_fields = ["name", "slug", "id"]
    ordering = ["-id"]
    readonly_fields = ["id", "created_at"]
    change_form_outer_before_template = "admin/experience.html"
    help_texts: ClassVar[dict[str, str]] = {
        "name": "What people read.",
        "slug": "The last part of its address, /e/organization/slug; small letters, digits and hyphens.",
        "description": "Shown below the name.",
        "time_zone": "Such as Europe/Berlin. Empty: the organization’s.",
        "open_at": "What is announced; what is in it has its own. Empty: when the first of that opens.",
        "close_at": "Likewise. Empty: when the last of that closes.",
        "theme": 'Where it differs from the organization’s: {"primaryColor": "#0f766e", "textColor": '
        '"#111827", "logoUrl": "https://cdn.example.com/logo.png", "borderRadius": "8px"}.',
    }
    list_before_template = "admin/import_link.html"
    fieldsets = [
        (None, {"fields": ["organization", "name", "slug", "id", "description"]}),
        ("Times", {"fields": ["time_zone", "open_at", "close_at"]}),
        ("Look", {"fields": ["theme", "created_at"]}),
    ]

    def response_post_save_add(self, request: HttpRequest, obj: Experience) -> HttpResponseRedirect:
        return redirect("admin:experiences_experience_change", obj.pk)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The organization, where there is only one to choose."""
        pages: Any = self.admin_site.get_model_admin(Organization)
        mine = list(pages.within(request, Organization.objects.all(), staff.STEER)[:2])
        only = {"organization": mine[0].pk} if len(mine) == 1 else {}
        return {**only, **super().get_changeform_initial_data(request)}

    def zone_of(self, request: HttpRequest, thing: Experience | None) -> str:
        if thing is not None:
            return thing.time_zone or thing.organization.time_zone
        return _zone_where_added(self, request)

    def buttons_of(self, thing: Experience) -> list[Button]:
        return [button for board in BOARDS for button in board.buttons]

    def context_of(self, request: HttpRequest, thing: Experience | None) -> dict[str, Any]:
        found = super().context_of(request, thing)
        if thing is not None:
            for board in BOARDS:
                found |= board.context(request, thing)
        return found


def _zone_where_added(pages: ConsoleAdmin, request: HttpRequest) -> str:
    """The zone of the organization that was chosen, or of the only one there is."""
    mine = pages.admin_site.get_model_admin(Organization).get_queryset(request)
    chosen = (request.POST or request.GET).get("organization")
    found = list((mine.filter(pk=chosen) if chosen else mine).values_list("time_zone", flat=True)[:2])
    return str(found[0]) if len(found) == 1 else "UTC"


@admin.register(Sequence)
class SequenceAdmin(SettingsAdmin):
    """A way into a launch."""

    organization_path = "experience__organization_id"
    parents = ("experience",)
    autocomplete_fields = ["experience"]
    help_texts: ClassVar[dict[str, str]] = {
        "name": "Who comes in this way, such as Members.",
        "slug": "What files call it; small letters, digits and hyphens.",
        "color": "#rgb or #rrggbb; marks it in the console and on pages.",
        "priority": "The sequence with the highest number is tried first.",
    }
    list_display = ["name", "slug", "experience", "priority", "requires", "id"]
    list_filter = [
        "requires_authentication", "requires_access_code", "requires_audience", ("experience", ScopedFilter),
    ]  # fmt: skip
    list_select_related = ["experience"]
    search_fields = ["name", "slug", "id", "experience__name"]
    ordering = ["-id"]
    readonly_fields = ["id"]
    fieldsets = [
        (None, {"fields": ["experience", "name", "slug", "id", "color", "next"]}),
        (
            "Who may take it",
            {"fields": ["priority", "requires_authentication", "requires_access_code", "requires_audience"]},
        ),
    ]
    buttons = conditions_admin.BUTTONS

    @display(description="Requires")
    def requires(self, sequence: Sequence) -> str:
        """What is asked of those who want to take it, in words."""
        asked = {
            "sign-in": sequence.requires_authentication,
            "access code": sequence.requires_access_code,
            "audience": sequence.requires_audience,
        }
        return ", ".join(name for name, is_asked in asked.items() if is_asked)

    def get_form(
        self, request: HttpRequest, obj: Sequence | None = None, change: bool = False, **options: Any
    ) -> Any:
        """What follows is another one of the same experience."""
        made = super().get_form(request, obj, change, **options)
        if "next" in made.base_fields:
            field = made.base_fields["next"]
            field.widget = field.widget.widget  # without buttons to add and change what it offers
            field.label = "Followed by"
            field.label_from_instance = lambda way: f"{way}, of {way.experience}"
            field.queryset = field.queryset.select_related("experience")
            if obj is not None:
                field.queryset = field.queryset.filter(experience=obj.experience_id).exclude(pk=obj.pk)
        return made

    def response_post_save_add(self, request: HttpRequest, obj: Sequence) -> HttpResponseRedirect:
        return redirect("admin:experiences_experience_change", obj.experience_id)

    def zone_of(self, request: HttpRequest, thing: Sequence | None) -> str:
        return conditions_admin.zone_of(thing) if thing else "UTC"

    def context_of(self, request: HttpRequest, thing: Sequence | None) -> dict[str, Any]:
        found = super().context_of(request, thing)
        return found | {"links": conditions_admin.links(thing)} if thing else found
