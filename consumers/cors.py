"""Which origins a browser may call from (CORS).

django-cors-headers sets the headers and asks here, by its signal, whether to. A preflight carries no
key, and a refused request no organization: for both, any organization's origin will do, since the
answer holds nothing of anybody's. Secret keys belong to servers: their endpoints allow no origin.
"""

import re
from collections.abc import Iterable
from typing import Any

from corsheaders.signals import check_request_enabled
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from experiences.models import KeyMode, Organization
from fanfare.api import ApiViewSet
from fanfare.memo import Memo

_HTTPS = re.compile(r"https://([a-z0-9.-]+)")
_LOCAL = re.compile(r"http://localhost(?::\d{1,5})?")


@receiver(check_request_enabled)
def may_read(sender: object, request: HttpRequest, **_: object) -> bool:
    """Whether the page that sent the request may read the answer."""
    origin = request.headers.get("Origin", "")
    if not origin or not _is_for_browsers(request):
        return False
    organization: Organization | None = getattr(request, "organization", None)
    if organization is None:
        return _is_local(origin) or _allows(_all_origins(), origin)
    is_test = getattr(request, "key_mode", None) == KeyMode.TEST
    return (is_test and _is_local(origin)) or _allows(organization.allowed_origins, origin)


def _is_for_browsers(request: HttpRequest) -> bool:
    """Whether the address and method are an endpoint that needs something else than the secret key."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return False
    view_class = getattr(match.func, "cls", None)
    if view_class is None or not issubclass(view_class, ApiViewSet):
        return False
    method = request.headers.get("Access-Control-Request-Method", request.method or "")
    view: Any = view_class()
    view.action = match.func.actions.get(method.lower().replace("head", "get"))  # type: ignore[attr-defined]
    return view.is_verb and all(permission.needs != "S" for permission in view.get_permissions())


def _is_local(origin: str) -> bool:
    return _LOCAL.fullmatch(origin) is not None


def _allows(allowed: Iterable[str], origin: str) -> bool:
    """Whether the origin is listed, or is https and lies under a listed `*.example.com`."""
    known = set(allowed)
    host = _HTTPS.fullmatch(origin)
    labels = host[1].split(".") if host else []
    wider = (f"*.{'.'.join(labels[start:])}" for start in range(1, len(labels)))
    return ("://" in origin and origin in known) or any(pattern in known for pattern in wider)


def _all_origins() -> frozenset[str]:
    return _origins.get("all") or frozenset()


def _load(_: str) -> frozenset[str]:
    """The origins of all organizations: one query a second at most, whatever strangers ask."""
    lists = Organization.objects.exclude(allowed_origins=[]).values_list("allowed_origins", flat=True)
    return frozenset(origin for allowed in lists for origin in allowed)


_origins: Memo[str, frozenset[str]] = Memo(_load)
