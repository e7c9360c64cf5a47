"""The console's pages of the tenant: organization, keys, experiences, sequences.

Staff and their roles are in `experiences.staff_admin`, the trace is in `experiences.trace_admin`.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from experiences import conditions_admin, events, keys, setup, staff_admin, trace_admin
from experiences.models import ApiKey, Experience, KeyKind, KeyMode, Organization, Sequence
from fanfare import clock, memo, staff
from fanfare.console import Button, ConsoleAdmin, HistoryAdmin, SettingsForm, TextInput, display
from fanfare.lists import ScopedFilter

__all__ = ["conditions_admin", "staff_admin", "trace_admin"]  # imported so that their pages are registered


class SettingsAdmin(HistoryAdmin):
    """Settings of a launch: staff with a hand in it change them, through `experiences.setup`."""

    form = SettingsForm
    add_roles = change_roles = staff.STEER

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
    fieldsets = [
        (None, {"fields": ["organization", "name", "slug", "id", "description"]}),
        ("Times", {"fields": ["time_zone", "open_at", "close_at"]}),
        ("Look", {"fields": ["theme", "created_at"]}),
    ]

    def zone_of(self, request: HttpRequest, thing: Experience | None) -> str:
        if thing is not None:
            return thing.time_zone or thing.organization.time_zone
        return _zone_where_added(self, request)


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

    def zone_of(self, request: HttpRequest, thing: Sequence | None) -> str:
        return conditions_admin.zone_of(thing) if thing else "UTC"

    def context_of(self, request: HttpRequest, thing: Sequence | None) -> dict[str, Any]:
        found = super().context_of(request, thing)
        return found | {"links": conditions_admin.links(thing)} if thing else found


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a new key is for."""

    class Meta:
        model = ApiKey
        fields = ["organization", "kind", "mode", "name"]


SHOWN_ONCE = (
    "Copy it now. The secret is stored nowhere: neither we nor you can see it again. Whoever has it can "
    "admit, deny and complete anyone; keep it on the shop's server."
)
SHOWN = "It may stand in the shop's pages and apps; you find it again in the list of keys."


@admin.register(ApiKey)
class ApiKeyAdmin(ConsoleAdmin):
    """Keys: made, rotated and revoked by owners; the text of a secret one is shown once."""

    organization_path = "organization_id"
    form = KeyForm
    add_roles = staff.OWN
    list_display = ["hint", "name", "kind", "mode", "organization", "is_alive", "last_used_at", "created_at"]
    list_filter = ["kind", "mode", ("organization", ScopedFilter)]
    list_select_related = ["organization"]
    search_fields = ["id", "name", "hint"]
    ordering = ["-id"]
    fields = [
        "organization", "name", "kind", "mode", "hint", "text", "created_at", "last_used_at", "revoked_at",
        "id",
    ]  # fmt: skip

    @display(description="Alive", boolean=True)
    def is_alive(self, key: ApiKey) -> bool:
        return key.revoked_at is None

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return super().get_fields(request, obj) if obj else KeyForm.Meta.fields

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        kind, mode = KeyKind(obj.kind), KeyMode(obj.mode)
        made, text = keys.create(
            obj.organization,
            kind,
            now=clock.now(),
            actor=events.by_staff(staff.user_id(request)),
            mode=mode,
            name=obj.name,
        )
        obj.__dict__.update(made.__dict__)
        request.key_text = text  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.show_key(request, obj, request.key_text)  # type: ignore[attr-defined]

    def show_key(self, request: HttpRequest, key: ApiKey, text: str) -> HttpResponse:
        """The page with a new key's text."""
        explanation = SHOWN_ONCE if key.kind == KeyKind.SECRET else SHOWN
        return self.show_once(request, f"New {key.kind} key of {key.organization}", text, explanation)

    def revoke(self, request: HttpRequest, key: ApiKey, values: dict[str, Any]) -> str:
        """End the key."""
        keys.revoke(key, now=clock.now(), actor=events.by_staff(staff.user_id(request)))
        return f"{key.hint} is revoked. Requests with it are refused from now on."

    def rotate(self, request: HttpRequest, key: ApiKey, values: dict[str, Any]) -> HttpResponse:
        """Make the key's successor."""
        made, text = keys.rotate(key, now=clock.now(), actor=events.by_staff(staff.user_id(request)))
        return self.show_key(request, made, text)

    def buttons_of(self, thing: ApiKey) -> list[Button]:
        return [
            Button(
                "rotate", "Rotate", "autorenew", self.rotate, allowed=staff.OWN, is_offered=self.is_alive,
                question="A new key like this one is made. The old one goes on working until it is revoked.",
            ),
            Button(
                "revoke", "Revoke", "block", self.revoke, allowed=staff.OWN, is_offered=self.is_alive,
                question="Every request with this key is refused from then on, for good.",
                variant="danger",
            ),
        ]  # fmt: skip
