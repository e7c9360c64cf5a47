"""`/e/…`: the page with its script, and the one without."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_http_methods

from distributions.core.models import Kind
from distributions.pages import finding, hosting, plain, words
from experiences import looks, returning
from experiences.models import Experience
from fanfare import clock


@require_http_methods(["GET", "HEAD", "POST"])
@hosting.hosted
def page(request: HttpRequest, name: str, organization: str | None = None) -> HttpResponse:
    """The experience's page; 404 where nothing, or nothing unambiguous, has that name."""
    if "\0" in request.path:  # PostgreSQL's text has none
        raise Http404
    experience = finding.by_names(organization, name) if organization else finding.by_name(name)
    if experience is None:
        raise Http404
    if hosting.preferred(request) is None:
        translation.activate(_own_language(experience))
    context = _context(request, experience)
    if request.method == "POST" or request.GET.get("plain"):
        return plain.answer(request, experience, context)
    return _with_script(request, experience, context)


def _with_script(request: HttpRequest, experience: Experience, context: dict[str, Any]) -> HttpResponse:
    key = finding.publishable_key(experience.organization)
    if key is None:
        return hosting.unready(request)
    told = {
        "now": int(clock.now().timestamp() * 1000),
        "language": context["language"],
        "organizationId": experience.organization_id,
        "experienceId": experience.pk,
        "publishableKey": key,
        "returnUrl": context["return_url"],
        "thumbmarkUrl": context["assets"]["thumbmark"],
        "verifyUrl": context["assets"]["verify"],
        "altcha": hosting.altcha(),
    }
    templates = [f"hosted/kinds/{kind}.html" for kind in Kind]
    plainly = request.GET.copy()
    plainly["plain"] = "1"
    more = {"told": told, "kinds": templates, "reasons": words.REASONS, "plain_query": plainly.urlencode()}
    return render(request, "hosted/page.html", context | more)


def _context(request: HttpRequest, experience: Experience) -> dict[str, Any]:
    """What both pages show: whose they are, and how they look."""
    organization = experience.organization
    theme = looks.merged(organization.theme, experience.theme)
    return {
        "experience": experience,
        "organization": organization,
        "theme": theme,
        "logo": theme.get("logoUrl") or organization.logo_url,
        "style": looks.style(theme),
        "language": translation.get_language(),
        "assets": hosting.assets(),
        "return_url": returning.allowed(request.GET.get("returnUrl", ""), organization.return_hosts),
    }


def _own_language(experience: Experience) -> str:
    """The organization's, for who asks for none that there is."""
    code = experience.organization.language_code.partition("-")[0]
    return code if code in hosting.LANGUAGES else translation.get_language()
