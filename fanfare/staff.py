"""Who sits at the console: their roles by organization, how often they may try to sign in, and a gate.

Permissions come from memberships, never from Django's permission tables. A superuser may do all. The
memberships are reached through the user, since their model lives one floor up.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from fanfare import throttling

NOBODY: frozenset[str] = frozenset()
OWN = frozenset({"owner"})
STEER = OWN | {"editor"}
VIEW = STEER | {"viewer"}

SIGN_IN_BY_NAME = "5/m"  # for one user name from one address
SIGN_IN_BY_ADDRESS = "20/m"


def roles(request: HttpRequest) -> dict[str, str]:
    """The staff user's role by organization id, read once a request."""
    found: dict[str, str] | None = getattr(request, "staff_roles", None)
    if found is None:
        user: Any = request.user
        found = dict(user.memberships.values_list("organization_id", "role")) if is_staff(request) else {}
        request.staff_roles = found  # type: ignore[attr-defined]
    return found


def is_staff(request: HttpRequest) -> bool:
    """Whether somebody is signed in who may use the console."""
    return bool(request.user.is_active and request.user.is_staff)


def is_superuser(request: HttpRequest) -> bool:
    """Whether the user may do everything, in every organization."""
    return is_staff(request) and bool(request.user.is_superuser)


def user_id(request: HttpRequest) -> int:
    """Who is signed in, for the trace."""
    assert request.user.pk is not None
    return request.user.pk


def organizations(request: HttpRequest, allowed: frozenset[str]) -> list[str]:
    """Ids of the organizations in which the user has one of these roles; a superuser has none."""
    return [organization for organization, role in roles(request).items() if role in allowed]


def may(request: HttpRequest, allowed: frozenset[str], organization_id: str | None = None) -> bool:
    """Whether the user has one of these roles in that organization, or, without one, in any."""
    if is_superuser(request):
        return True
    if organization_id is None:
        return bool(organizations(request, allowed))
    return roles(request).get(organization_id) in allowed


def client_address(request: HttpRequest) -> str:
    """Where a request comes from: an IPv4 address, or a /64 of IPv6, of which everyone has many.

    Behind our proxy the last entry of `X-Forwarded-For` is the one that it wrote itself.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        text = request.headers.get("X-Forwarded-For", text).rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:  # as a socket for both kinds writes an IPv4 address
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return str(address)


def is_sign_in_limited(request: HttpRequest, name: str) -> bool:
    """Count one attempt to sign in; whether it is one too many. Without Redis nobody is limited."""
    address = client_address(request)
    both = [
        _is_over(request, "name", SIGN_IN_BY_NAME, f"{name.casefold()}|{address}"),
        _is_over(request, "address", SIGN_IN_BY_ADDRESS, address),
    ]
    return any(both)


def _is_over(request: HttpRequest, group: str, rate: str, key: str) -> bool:
    counted = throttling.usage_of(request, f"sign-in-{group}", key, rate)
    return bool(counted and counted["should_limit"])


class RefuseNul:
    """Middleware: PostgreSQL stores no NUL character, so one in a console request is refused (400)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, options: object) -> None:
        """Runs after the CSRF check, before the view."""
        if request.path.startswith("/admin/") and _has_nul(request):
            raise SuspiciousOperation("A NUL character in a console request.")


def _has_nul(request: HttpRequest) -> bool:
    texts = [request.path]
    for query in (request.GET, request.POST):
        for name, values in query.lists():
            texts += [name, *map(str, values)]
    return any("\x00" in text for text in texts)
