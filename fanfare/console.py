"""The base of every console page, and with `filters` the only module that knows django-unfold.

A page shows what belongs to the staff user's organizations; what they may do there comes from their
role (`fanfare.staff`). Settings are written by the domain's own functions, people's states by buttons
that call the same functions as the API. Tables have millions of rows: nothing counts or sorts them all.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget as NumberInput
from unfold.widgets import UnfoldAdminPasswordWidget as PasswordInput
from unfold.widgets import UnfoldAdminSelectWidget as Select
from unfold.widgets import UnfoldAdminSplitDateTimeWidget
from unfold.widgets import UnfoldAdminTextareaWidget as TextArea
from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

from fanfare import staff
from fanfare.buttons import Button, Buttons
from fanfare.fields import MoneyField
from fanfare.forms import AmountField, JsonField, SecondsField, SettingsForm, extended
from fanfare.lists import CappedPaginator, Changes

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm

    _ModelAdmin = admin.ModelAdmin[Any]
    _Inline = admin.TabularInline[Any, Any]
    _Method = TypeVar("_Method", bound=Callable[..., Any])

    class _SimpleHistoryAdmin:
        def history_view(self, *arguments: Any) -> HttpResponse: ...
        def history_form_view(self, *arguments: Any) -> HttpResponse: ...

    def display(
        *, description: str, boolean: bool = False, label: Any = None
    ) -> Callable[[_Method], _Method]: ...
else:
    from simple_history.admin import SimpleHistoryAdmin as _SimpleHistoryAdmin
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import TabularInline as _Inline
    from unfold.decorators import display
    from unfold.forms import AuthenticationForm as AdminAuthenticationForm

__all__ = [
    "AdminPasswordChangeForm", "Button", "ConsoleAdmin", "DateTimeField", "HistoryAdmin", "NumberInput",
    "PasswordInput", "PlainAdmin", "ReadOnlyInline", "Select", "SettingsForm", "SignInForm", "TextArea",
    "TextInput", "UserChangeForm", "UserCreationForm", "display", "is_seconds", "moment",
    "with_reason",
]  # fmt: skip

PlainAdmin = _ModelAdmin  # for what belongs to no organization
_VERSION = re.compile(r"[0-9]{1,9}")


def moment(at: dt.datetime | None) -> str:
    """A time as pages show it, in their own time zone."""
    return "" if at is None else date_format(timezone.localtime(at), "DATETIME_FORMAT")


def is_seconds(column: Any) -> bool:
    """Whether a model's field is a length of time, as its name says."""
    return isinstance(column, models.PositiveIntegerField) and column.name.endswith("_seconds")


class DateTimeField(forms.SplitDateTimeField):
    """A time in the form of a button, read in the page's time zone."""

    widget = UnfoldAdminSplitDateTimeWidget

    def prepare_value(self, value: Any) -> Any:
        """A time that an address has filled in, as ISO 8601."""
        return parse_datetime(value) if isinstance(value, str) else value

    def get_bound_field(self, form: Any, field_name: str) -> Any:
        bound = super().get_bound_field(form, field_name)
        bound.help_text = f"{bound.help_text} Time zone: {timezone.get_current_timezone_name()}.".strip()
        return bound


@cache
def with_reason(button: Button) -> Button:
    """The same button, asking why before it does anything, for the trace (`fanfare.reasons`).

    What takes something away needs an answer. One that asks for a reason of its own, which a consumer
    gets to see, asks for no second one.
    """
    if button.reads or "reason" in button.form.base_fields:
        return button
    is_required = button.variant == "danger"
    told = "Stands in the trace for good, beside your name; so don't name anybody."
    field = forms.CharField(
        max_length=200,
        required=is_required,
        help_text=told if is_required else f"May stay empty. {told}",
        widget=TextInput,
    )
    asking = type("AskedWhy", (button.form,), {"reason": field, "is_reason_traced": True})
    return replace(button, label=f"{button.deed} …", form=asking)


class SignInForm(AdminAuthenticationForm):
    """The console's sign-in, counted by name and address."""

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        if staff.is_sign_in_limited(self.request, self.cleaned_data.get("username") or ""):
            raise ValidationError("Too many attempts to sign in. Wait a minute, then try again.")
        return dict(super().clean())


class ConsoleAdmin(Buttons, _ModelAdmin):
    """A model in the console. Without roles to the contrary it can only be looked at.

    `organization_path` leads from the model to its organization's id; `parents` are foreign keys that
    are chosen once; `exact_search` tells by the prefix of a search term which column it is.
    """

    add_roles: ClassVar[frozenset[str]] = staff.NOBODY
    change_roles: ClassVar[frozenset[str]] = staff.NOBODY
    delete_roles: ClassVar[frozenset[str]] = staff.NOBODY
    parents: ClassVar[tuple[str, ...]] = ()
    exact_search: ClassVar[Mapping[str, str]] = {}
    more_lookups: ClassVar[frozenset[str]] = frozenset()
    actions: Any = None
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count the whole table
    list_per_page = 50
    list_max_show_all = 50
    change_form_outer_before_template = "admin/buttons.html"
    formfield_overrides = {
        models.JSONField: {"form_class": JsonField},
        ArrayField: {"widget": TextInput},
        models.URLField: {"assume_scheme": "https"},
        MoneyField: {"form_class": AmountField, "widget": TextInput},
    }

    # --- Whose things these are --------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.within(request, super().get_queryset(request), staff.VIEW)

    def within(self, request: HttpRequest, rows: QuerySet[Any], allowed: frozenset[str]) -> QuerySet[Any]:
        """Those rows in whose organization the staff user has one of these roles."""
        if staff.is_superuser(request):
            return rows
        return rows.filter(**{f"{self.organization_path}__in": staff.organizations(request, allowed)})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return staff.may(request, staff.VIEW)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, staff.VIEW, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(self.add_roles) and staff.may(request, self.add_roles)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.change_roles) and self.may(request, self.change_roles, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.delete_roles) and self.may(request, self.delete_roles, obj)

    # --- Lists ------------------------------------------------------------------------------------
    def get_changelist(self, request: HttpRequest, **options: Any) -> type[Any]:
        return Changes

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the page itself offers: any other would let a column be guessed or scanned."""
        entries: Sequence[Any] = self.list_filter or ()
        named = [entry for entry in entries if not isinstance(entry, type)]  # the others name their own
        names = [entry if isinstance(entry, str) else entry[0] for entry in named]
        endings = ("__exact", "__id__exact", "__isnull")
        if lookup in self.more_lookups or lookup in {name + ending for name in names for ending in endings}:
            return True
        raise IncorrectLookupParameters(lookup)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...] | list[str]:
        return tuple(self.exact_search.values()) or super().get_search_fields(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """In big tables one exact value: an id, an e-mail address, a telephone number."""
        term = search_term.strip()
        if not self.exact_search or not term:
            return super().get_search_results(request, queryset, search_term)
        if term.startswith("+") and "@" not in term:  # however it is written
            term = "+" + "".join(character for character in term if character.isdigit())
        for prefix, column in self.exact_search.items():
            if term.startswith(prefix) or (prefix == "@" and "@" in term):
                value = term.lower() if prefix == "@" else term  # addresses are stored in lower case
                return queryset.filter(**{column: value}), False
        return queryset.none(), False

    # --- Pages ------------------------------------------------------------------------------------
    def zone_of(self, request: HttpRequest, thing: Any) -> str:
        """The time zone in which a page shows and reads times; `thing` is None when adding."""
        return "UTC"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A SettingsForm has written already."""
        if not isinstance(form, SettingsForm):
            super().save_model(request, obj, form, change)

    def write(self, request: HttpRequest, thing: Any, values: dict[str, Any]) -> Any:
        """Save the values of a form, and give what was saved. Raises ValidationError."""
        raise PermissionDenied

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = options.pop("form", self.form)
        attributes = {"request": request, "model_admin": self}
        return super().get_form(request, obj, change, form=extended(form, attributes), **options)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(self.parents if obj else ())]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Seconds are written as a length of time. An emptied field of JSON is what the column is by default,
        where that can't be null.
        """
        if is_seconds(db_field) and "form_class" not in options:
            options |= {"form_class": SecondsField, "widget": TextInput}
        field = super().formfield_for_dbfield(db_field, request, **options)
        if isinstance(field, SecondsField):
            field.label = str(field.label).removesuffix(" seconds")
        if isinstance(field, JsonField) and not db_field.null:
            field.when_empty = db_field.get_default()
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offers, and takes, only things of organizations in which the staff user may add."""
        pages = self.admin_site._registry.get(db_field.remote_field.model)
        if isinstance(pages, ConsoleAdmin):
            rows = db_field.remote_field.model._default_manager.all()
            options["queryset"] = pages.within(request, rows, self.add_roles)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """In the thing's own time zone, with its buttons."""
        thing = self.get_object(request, unquote(object_id)) if object_id else None
        with timezone.override(self.zone_of(request, thing)):
            context = {**(extra_context or {}), **self.context_of(request, thing)}
            response = super().changeform_view(request, object_id, form_url, context)
            return response.render() if isinstance(response, TemplateResponse) else response

    def press(self, request: HttpRequest, object_id: str, button: str) -> HttpResponseBase:
        """What a button asks is answered in the thing's own time zone."""
        thing = self.get_object(request, unquote(object_id))
        with timezone.override(self.zone_of(request, thing)):
            response = super().press(request, object_id, button)
            return response.render() if isinstance(response, TemplateResponse) else response


class ReadOnlyInline(_Inline):
    """Rows inside another page, to look at."""

    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class HistoryAdmin(_SimpleHistoryAdmin, ConsoleAdmin):
    """A model whose earlier versions are kept: who changed what, to look at and not to go back to."""

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.get_object(request, unquote(object_id)) is None:
            return self.not_there(request, object_id)
        return super().history_view(request, object_id, extra_context)

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """simple-history would save what is posted here, whatever `revert_disabled` says."""
        if self.get_object(request, unquote(object_id)) is None:
            return self.not_there(request, object_id)
        if request.method not in ("GET", "HEAD") or not _VERSION.fullmatch(version_id):
            raise Http404
        return super().history_form_view(request, unquote(object_id), version_id, extra_context)
