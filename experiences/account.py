"""`/admin/account/…`, a staff user's own account: the second factor, recovery codes, browsers signed in.

Whoever sits at somebody's open console can't take the second factor away: that asks for a code.
"""

import re
from typing import Any

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login

from experiences import gate, two_factor
from experiences.models import StaffSession
from fanfare import clock, staff, throttling
from fanfare.console import TextInput

CODES = "10/m"  # tries of one user, besides the waits that the library makes grow
WRONG = "This code is wrong, was used before, or came too late. Wait a moment and try the next one."
_BROWSERS = ("Edg", "OPR", "SamsungBrowser", "Firefox", "Chrome", "Safari")
_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Mac OS X", "CrOS", "Linux")
_NAMES = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
}


class CodeForm(forms.Form):
    """A code, however it is typed."""

    code = forms.CharField(
        max_length=20,
        widget=TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True}),
        help_text="Six digits from your authenticator app, or one of your recovery codes.",
    )


# --- Signing in -----------------------------------------------------------------------------------
@staff_member_required
@never_cache
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """The second half of signing in."""
    user = _user(request)
    if two_factor.of(user) is None:
        return redirect(_next(request))
    form = CodeForm(request.POST or None)
    if _is_right(request, form, user):
        return redirect(_next(request))
    return _page(request, "admin/account/verify.html", "Two-factor sign-in", form=form, next=_next(request))


def _is_right(request: HttpRequest, form: CodeForm, user: User) -> bool:
    """Whether the form has a code of the user's, which this session has shown from then on."""
    if request.method != "POST" or not form.is_valid():
        return False
    counted = throttling.usage_of(request, "second-factor", str(user.pk), CODES)
    if counted and counted["should_limit"]:
        form.add_error("code", "Too many tries. Wait a minute.")
        return False
    device = two_factor.check(user, form.cleaned_data["code"])
    if device is None:
        form.add_error("code", WRONG)
        return False
    login(request, device)
    return True


# --- The second factor ----------------------------------------------------------------------------
@staff_member_required
@never_cache
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Show the app's key; take it into use once a code of it is shown, and give recovery codes."""
    user = _user(request)
    if two_factor.of(user) is not None and not _is_verified(request):
        return redirect(reverse("account-verify"))
    device, form = two_factor.begin(user), CodeForm(request.POST or None)
    form.fields["code"].help_text = "Six digits that the app shows now."
    if request.method == "POST" and form.is_valid():
        codes = two_factor.confirm(user, "".join(form.cleaned_data["code"].split()))
        if codes is not None:
            login(request, two_factor.of(user))
            return _shown_once(request, codes, _next(request))
        form.add_error("code", WRONG)
    address = device.config_url
    context = {
        "form": form,
        "next": _next(request),
        "picture": segno.make(address, error="m").svg_inline(scale=5, border=2, dark="#000", light="#fff"),
        "key": re.sub(r"(.{4})", r"\1 ", _secret_of(address)).strip(),
        "asking": gate.asking(request),
    }
    return _page(request, "admin/account/set_up.html", "Two-factor sign-in", **context)


@staff_member_required
@never_cache
@require_http_methods(["GET", "POST"])
def renew(request: HttpRequest) -> HttpResponse:
    """New recovery codes, for a code."""
    return _with_code(
        request,
        "New recovery codes",
        "The old ones are worth nothing from then on.",
        lambda user: _shown_once(request, two_factor.renew_recovery_codes(user), reverse("account")),
    )


@staff_member_required
@never_cache
@require_http_methods(["GET", "POST"])
def turn_off(request: HttpRequest) -> HttpResponse:
    """Sign in by password alone again, where no organization asks for more."""
    if asking := gate.asking(request).first():
        messages.error(request, f"{asking} asks its staff for a second factor.")
        return redirect("account")

    def forget(user: User) -> HttpResponse:
        two_factor.turn_off(user)
        messages.success(request, "Two-factor sign-in is off.")
        return redirect("account")

    question = "From then on your password is all that it takes to be you."
    return _with_code(request, "Turn two-factor sign-in off", question, forget)


def _with_code(request: HttpRequest, title: str, question: str, do: Any) -> HttpResponse:
    user = _user(request)
    if not _is_verified(request):
        return redirect("account")
    form = CodeForm(request.POST or None)
    if _is_right(request, form, user):
        return do(user)  # type: ignore[no-any-return]
    return _page(request, "admin/ask.html", title, form=form, question=question, back=reverse("account"))


# --- The account ----------------------------------------------------------------------------------
@staff_member_required
@never_cache
@require_http_methods(["GET"])
def overview(request: HttpRequest) -> HttpResponse:
    """What there is to know and to do."""
    user = _user(request)
    own = request.session.session_key
    sessions = [{"what": browser(one.agent), "is_own": one.pk == own, "one": one} for one in _alive(user)]
    context = {
        "device": two_factor.of(user),
        "codes_left": two_factor.recovery_codes_left(user),
        "asking": gate.asking(request),
        "sessions": sessions,
        "roles": user.memberships.select_related("organization").order_by("organization__name"),
    }
    return _page(request, "admin/account/overview.html", "Your account", **context)


@staff_member_required
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Sign all other browsers out."""
    user = _user(request)
    others = [one.pk for one in _alive(user) if one.pk != request.session.session_key]
    Session.objects.filter(pk__in=others).delete()
    noun = "browser is" if len(others) == 1 else "browsers are"
    messages.success(request, f"{len(others)} other {noun} signed out.")
    return redirect("account")


def browser(agent: str) -> str:
    """`Firefox on Windows`, or what can be said."""
    found = [
        _NAMES.get(name, name)
        for names in (_BROWSERS, _SYSTEMS)
        for name in [next((name for name in names if name in agent), "")]
        if name
    ]
    return " on ".join(found) or "A program"


def _alive(user: User) -> QuerySet[StaffSession]:
    """The browsers in which the user is signed in, this one among them, the latest first."""
    theirs = StaffSession.objects.filter(user=user, session__expire_date__gt=clock.now())
    return theirs.select_related("session").order_by("-seen_at")


# --- What all pages here need ---------------------------------------------------------------------
def _user(request: HttpRequest) -> User:
    """Who is signed in."""
    return User.objects.get(pk=staff.user_id(request))


def _is_verified(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.is_verified())


def _next(request: HttpRequest) -> str:
    """Where to go on: a page of ours, whatever the address says."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(asked, None) and asked.startswith("/admin/")
    return asked if is_ours else reverse("admin:index")


def _secret_of(address: str) -> str:
    """The key in an authenticator's address, for whoever types it in."""
    found = re.search(r"secret=([A-Z2-7]+)", address)
    assert found is not None
    return found[1]


def _shown_once(request: HttpRequest, codes: list[str], go_on: str) -> HttpResponse:
    return _page(request, "admin/account/recovery_codes.html", "Your recovery codes", codes=codes, next=go_on)


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    return render(request, template, {**admin.site.each_context(request), "title": title, **context})


urlpatterns = [
    path("", overview, name="account"),
    path("two-factor/", set_up, name="account-two-factor"),
    path("verify/", verify, name="account-verify"),
    path("recovery-codes/", renew, name="account-recovery-codes"),
    path("turn-off/", turn_off, name="account-turn-off"),
    path("sessions/end/", end_sessions, name="account-sessions"),
]
