"""The gate of the console: nobody passes with half a sign-in, and each browser that passes is listed."""

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models import Exists, QuerySet, Subquery
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from experiences.models import Authenticator, Organization, StaffSession
from fanfare import clock, staff

SEEN_EVERY = dt.timedelta(minutes=1)
_AGENT_CHARACTERS = 200
# What one needs on the way through.
_OPEN = frozenset(["account-verify", "account-two-factor", "logout", "login", "jsi18n"])


class StaffGate:
    """Middleware: a page of the console is for who has shown all factors that they have or must have."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, options: object
    ) -> HttpResponseBase | None:
        """To the page that is missing; None: go on."""
        if not request.path.startswith("/admin/") or not staff.is_staff(request):
            return None
        has_app, is_asked = _pass(request)
        user: Any = request.user
        assert request.resolver_match is not None
        if user.is_verified() or request.resolver_match.url_name in _OPEN or not (has_app or is_asked):
            return None
        where = reverse("account-verify" if has_app else "account-two-factor")
        return redirect(f"{where}?{urlencode({'next': request.get_full_path()})}")


def asking(request: HttpRequest) -> QuerySet[Organization]:
    """Which organizations ask a second factor of the user: of a superuser, who reaches them all, any."""
    found = Organization.objects.filter(require_two_factor=True).order_by("name")
    return found if staff.is_superuser(request) else found.filter(memberships__user=request.user.pk)


def _pass(request: HttpRequest) -> tuple[bool, bool]:
    """Whether the user has an app, and whether an organization asks for one; the browser is noted."""
    user_id = staff.user_id(request)
    session = StaffSession.objects.filter(pk=request.session.session_key)
    seen_at, has_app, is_asked = (
        User.objects.filter(pk=user_id)
        .annotate(
            seen_at=Subquery(session.values("seen_at")),
            has_app=Exists(Authenticator.objects.filter(user=user_id, confirmed=True)),
            is_asked=Exists(asking(request)),
        )
        .values_list("seen_at", "has_app", "is_asked")
        .get()
    )
    now = clock.now()
    if seen_at is None or now - seen_at >= SEEN_EVERY:
        _note(request, now)
    return has_app, is_asked


def _note(request: HttpRequest, now: dt.datetime) -> None:
    """That this browser was here. One that is signed out at this very moment is not noted."""
    noted = StaffSession(
        pk=request.session.session_key,
        user_id=staff.user_id(request),
        started_at=now,
        seen_at=now,
        address=staff.client_address(request),
        agent=request.headers.get("User-Agent", "")[:_AGENT_CHARACTERS],
    )
    with suppress(IntegrityError):
        StaffSession.objects.bulk_create(
            [noted],
            update_conflicts=True,
            unique_fields=["session"],
            update_fields=["user", "seen_at", "address", "agent"],
        )
