"""The console's pages of those who use it: users (a superuser's work) and their roles (the owners').

Nobody gives away what they don't have: a role is given by an owner of that organization, or by a
superuser, and only the latter makes superusers.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import PasswordResetConfirmView
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse, reverse_lazy
from django.utils.encoding import force_bytes
from django.utils.html import format_html
from django.utils.http import urlsafe_base64_encode
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from experiences import events, setup, two_factor
from experiences.models import Authenticator, Membership, Organization, Role
from fanfare import clock, staff
from fanfare.console import (
    AdminPasswordChangeForm,
    Button,
    ConsoleAdmin,
    PasswordInput,
    PlainAdmin,
    ReadOnlyInline,
    Select,
    SettingsForm,
    TextInput,
    UserChangeForm,
    UserCreationForm,
    display,
)
from fanfare.errors import Detail, Invalid
from fanfare.lists import ScopedFilter

if TYPE_CHECKING:
    _SetPasswordForm = SetPasswordForm[User]
    _UserAdmin = DjangoUserAdmin[User]
else:
    _SetPasswordForm, _UserAdmin = SetPasswordForm, DjangoUserAdmin

admin.site.index_title = "Console"
admin.site.unregister(Group)
admin.site.unregister(User)
for device in (StaticDevice, TOTPDevice):  # the library's pages show what nobody is to see
    admin.site.unregister(device)


class SuperusersOnly(PlainAdmin):
    """What belongs to the whole installation and to no organization."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return staff.is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return staff.is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return staff.is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return staff.is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return staff.is_superuser(request)


class NewPasswordForm(_SetPasswordForm):
    """Twice the same, and a good one."""

    new_password1 = forms.CharField(label="New password", strip=False, widget=PasswordInput)
    new_password2 = forms.CharField(label="The same again", strip=False, widget=PasswordInput)


class SetPassword(PasswordResetConfirmView):
    """Where a new staff user's link leads; it works once."""

    form_class = NewPasswordForm
    template_name = "admin/set_password.html"
    success_url = reverse_lazy("admin:index")

    def get_context_data(self, **options: Any) -> dict[str, Any]:
        found = super().get_context_data(**options)
        return {**admin.site.each_context(self.request), **found, "title": "Choose your password"}


@admin.register(User)
class UserAdmin(_UserAdmin, SuperusersOnly):
    """Staff users. Django's own permissions and groups play no part: roles are memberships."""

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ["username", "email", "first_name", "last_name", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    filter_horizontal = ()
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May do", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )

    def get_urls(self) -> list[Any]:
        link = path("set-password/<uidb64>/<token>/", SetPassword.as_view(), name="set_password")
        return [link, *super().get_urls()]


class StaffForm(forms.Form):
    """Who is to work in an organization, and as what."""

    who = forms.CharField(
        label="E-mail address",
        max_length=150,
        widget=TextInput,
        help_text="Or the user name of somebody who has an account already.",
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER, widget=Select)


def add_staff(request: HttpRequest, organization: Organization, values: dict[str, Any]) -> str | HttpResponse:
    """Give somebody a role in the organization; a new user is made when there is none of that name.

    Raises Invalid. A new user gets no password but a link to set one.
    """
    with transaction.atomic():
        user, is_new = _find_or_make(request, values["who"])
        membership, made = Membership.objects.get_or_create(
            user=user, organization=organization, defaults={"role": values["role"]}
        )
        if not made:
            raise Invalid(Detail("who", f"{user} has a role here: change it in the list of staff"))
        _trace(request, membership, None, membership.role)
    if not is_new:
        return f"{user} is now {membership.role} of {organization}."
    identity = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    link = request.build_absolute_uri(reverse("admin:set_password", args=[identity, token]))
    explanation = f"Send it to {user}. Whoever opens it chooses the password; it works once, for three days."
    page: ConsoleAdmin = admin.site.get_model_admin(Organization)  # type: ignore[assignment]
    return page.show_once(request, f"{user} is now {membership.role} of {organization}", link, explanation)


def _find_or_make(request: HttpRequest, who: str) -> tuple[User, bool]:
    """The user of that name or address, and whether they are new. Raises Invalid.

    An account that only strangers made is no proof of who holds it: whoever makes one for somebody's
    address keeps its link. So an owner adds people whom an organization of theirs knows already, or
    new ones; only a superuser joins two organizations by one account.
    """
    found = User.objects.filter(username=who).first() or User.objects.filter(email__iexact=who).first()
    if found is not None:
        if not (found.is_active and found.is_staff):
            raise Invalid(Detail("who", "this account may not use the console; ask an administrator"))
        if not (staff.is_superuser(request) or _is_known(request, found)):
            raise Invalid(Detail("who", "an account of other organizations; ask an administrator"))
        return found, False
    try:
        validate_email(who)
    except ValidationError:
        raise Invalid(Detail("who", "there is no such user; somebody new needs an e-mail address")) from None
    user = User(username=who, email=who, is_staff=True)
    user.set_unusable_password()
    user.save()
    return user, True


def _is_known(request: HttpRequest, user: User) -> bool:
    """Whether an organization that the asking owner owns has this user among its staff."""
    owned = Membership.objects.filter(user_id=staff.user_id(request), role=Role.OWNER).values("organization")
    return Membership.objects.filter(user=user, organization__in=owned).exists()


ADD_STAFF = Button(
    "add-staff", "Add staff", "person_add", add_staff, allowed=staff.OWN, form=StaffForm,
    question="Somebody new gets an account, and you a link for them, shown once.",
)  # fmt: skip


def _trace(request: HttpRequest, membership: Membership, before: str | None, after: str | None) -> None:
    setup.trace(
        membership,
        {"user": (membership.user_id, membership.user_id), "role": (before, after)},
        now=clock.now(),
        actor=events.by_staff(staff.user_id(request)),
        organization_id=membership.organization_id,
    )


def _with_two_factor(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    """With the users, and whether they sign in by two factors."""
    apps = Authenticator.objects.filter(user=OuterRef("user"), confirmed=True)
    return memberships.select_related("user").annotate(has_two_factor=Exists(apps))


class TwoFactorColumn:
    """A column of memberships read by `_with_two_factor`."""

    @display(description="Two-factor sign-in", boolean=True)
    def two_factor(self, membership: Any) -> bool:
        return bool(membership.has_two_factor)


class MembershipInline(TwoFactorColumn, ReadOnlyInline):
    """Who works in an organization, on its page."""

    model = Membership
    fields = readonly_fields = ("who", "role", "two_factor")
    hide_title = True
    verbose_name_plural = "Staff"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return _with_two_factor(super().get_queryset(request))

    @display(description="Who")
    def who(self, membership: Membership) -> str:
        """The name, leading to the role; a user's own page is a superuser's."""
        url = reverse("admin:experiences_membership_change", args=[membership.pk])
        classes = "font-medium text-primary-600 dark:text-primary-500"
        return format_html('<a class="{}" href="{}">{}</a>', classes, url, membership.user)


def _sign_out(request: HttpRequest, membership: Membership, values: dict[str, Any]) -> str:
    """End all console sessions of the user."""
    with transaction.atomic():
        sessions = Session.objects.filter(staffsession__user=membership.user_id)
        number = sessions.count()
        sessions.delete()
        _note(request, "staff.signed_out", membership, sessions=number)
    return f"{membership.user} is signed out everywhere."


def _reset_two_factor(request: HttpRequest, membership: Membership, values: dict[str, Any]) -> str:
    """For somebody who lost both the app and the recovery codes."""
    with transaction.atomic():
        two_factor.turn_off(membership.user)
        _note(request, "staff.two_factor.reset", membership)
    return f"{membership.user} signs in by password alone, and may set an app up anew."


def _note(request: HttpRequest, name: str, membership: Membership, **more: object) -> None:
    events.record(
        name,
        membership.organization_id,
        at=clock.now(),
        actor=events.by_staff(staff.user_id(request)),
        data={"user": membership.user_id, **more},
    )


STAFF_BUTTONS = [
    Button(
        "sign-out", "Sign out everywhere", "logout", _sign_out, allowed=staff.OWN,
        question="All their browsers are signed out of the console at once.",
    ),
    Button(
        "reset-two-factor", "Reset two-factor", "phonelink_erase", _reset_two_factor, allowed=staff.NOBODY,
        is_offered=lambda membership: membership.has_two_factor, variant="danger",
        question="Their app and recovery codes are forgotten. Make sure that it is them who ask.",
    ),
]  # fmt: skip


@admin.register(Membership)
class MembershipAdmin(TwoFactorColumn, ConsoleAdmin):
    """Roles. They are given by the organization's button, changed and taken back here."""

    organization_path = "organization_id"
    form = SettingsForm
    change_roles = delete_roles = staff.OWN
    buttons = STAFF_BUTTONS
    list_display = ["user", "organization", "role", "two_factor"]
    list_filter = ["role", ("organization", ScopedFilter)]
    list_select_related = ["user", "organization"]
    search_fields = ["user__username", "user__email"]
    ordering = ["organization__name", "user__username"]
    readonly_fields = ["who", "organization"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return _with_two_factor(super().get_queryset(request))

    @display(description="Who")
    def who(self, membership: Membership) -> str:
        return str(membership.user)

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        return ["who", "organization", "role"]

    def write(self, request: HttpRequest, thing: Membership, values: dict[str, Any]) -> Membership:
        Organization.objects.select_for_update(no_key=True).get(pk=thing.organization_id)
        found = Membership.objects.get(pk=thing.pk)
        if values["role"] != found.role:
            if _is_last_owner(found) and not staff.is_superuser(request):
                raise ValidationError(
                    {"role": "An organization keeps an owner: make somebody else one first."}
                )
            _trace(request, found, found.role, values["role"])
            found.role = values["role"]
            found.save(update_fields=["role"])
        return found

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        if obj is None or not allowed or staff.is_superuser(request):
            return allowed
        return not _is_last_owner(obj)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        _trace(request, obj, obj.role, None)
        super().delete_model(request, obj)


def _is_last_owner(membership: Membership) -> bool:
    others = Membership.objects.filter(organization_id=membership.organization_id, role=Role.OWNER)
    return membership.role == Role.OWNER and not others.exclude(pk=membership.pk).exists()
