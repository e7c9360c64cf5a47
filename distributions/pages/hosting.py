"""What surrounds each hosted page: its language, its headers, and pages for what goes wrong."""

import hashlib
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, cast

from csp.constants import NONCE, NONE, SELF
from csp.decorators import csp
from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from experiences import looks
from fanfare import errors

LANGUAGES = dict(settings.LANGUAGES)
RETRY_AFTER = 10  # seconds, while PostgreSQL is away
POLICY = {
    "default-src": [NONE],
    "script-src": [NONCE],
    "style-src": [NONCE],
    "img-src": [SELF, "data:", "https:"],  # logos and pictures of themes
    "connect-src": [SELF],
    "worker-src": [SELF],  # of the proof of work
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
View = Callable[..., HttpResponse]


def hosted(view: View) -> View:
    """A view whose page is in the visitor's language, under a strict policy, kept by no cache and framed by
    nobody; where there is nothing, or PostgreSQL is away, a page that says so.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(preferred(request) or settings.LANGUAGE_CODE):
            try:
                response = view(request, *args, **kwargs)
            except Http404:
                response = _apart(request, "hosted/gone.html", 404)
            except (OperationalError, InterfaceError, errors.Busy):
                response = _apart(request, "hosted/busy.html", 503)
                response["Retry-After"] = str(RETRY_AFTER)
            response["Content-Language"] = translation.get_language()
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "same-origin"  # the address holds where to return to
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

    return cast(View, csp(POLICY)(wrapped))


def preferred(request: HttpRequest) -> str | None:
    """The first language of Accept-Language that there is; None without one."""
    wanted = parse_accept_lang_header(request.headers.get("Accept-Language", "")[:200])
    short = (code.partition("-")[0] for code, quality in wanted if quality)
    return next((code for code in short if code in LANGUAGES), None)


def unready(request: HttpRequest) -> HttpResponse:
    """The page of an experience that staff have not finished setting up."""
    return _apart(request, "hosted/unready.html", 503)


def _apart(request: HttpRequest, template: str, status: int) -> HttpResponse:
    """A page without an organization: nothing is asked of any server."""
    context = {"language": translation.get_language(), "style": looks.style({}), "assets": assets()}
    return render(request, template, {**context, "retry_after": RETRY_AFTER}, status=status)


@lru_cache
def assets() -> dict[str, str]:
    """The addresses of script and style; each changes with what is in the file."""
    return {name: _versioned(f"hosted/{name}.{kind}") for name, kind in
            (("page", "js"), ("thumbmark", "js"), ("verify", "js"), ("style", "css"))}  # fmt: skip


@lru_cache
def altcha() -> dict[str, str]:
    """The widget's parts, which the script loads only where entering costs a proof of work."""
    return {name: _versioned(f"hosted/altcha/{file}") for name, file in
            (("script", "altcha.js"), ("style", "altcha.css"), ("worker", "pbkdf2.js"))}  # fmt: skip


def _versioned(name: str) -> str:
    path = finders.find(name)
    assert isinstance(path, str), f"{name} is not there"
    with open(path, "rb") as file:
        return f"{static(name)}?v={hashlib.sha256(file.read()).hexdigest()[:12]}"
