"""The console's page of API keys: made, rotated and revoked by owners."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from experiences import events, keys
from experiences.models import ApiKey, KeyKind, KeyMode
from fanfare import clock, staff
from fanfare.console import Button, ConsoleAdmin, display
from fanfare.lists import ScopedFilter


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
