"""`/unsubscribe/…`: the page behind the link in a waitlist's messages.

Looking at it changes nothing, since mail scanners do; its button, and the one of a mail program (RFC 8058,
which knows neither cookies nor tokens of forms), end the waiting.
"""

from contextlib import suppress

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from distributions.core.models import Distribution, Kind
from distributions.waitlists import notifying, rules
from experiences import events
from experiences.letters import PLAIN
from fanfare import clock, errors


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, or do it; doing it again changes nothing."""
    named = notifying.read_token(token)
    if named is None:
        raise Http404
    distribution_id, consumer_id = named
    related = Distribution.objects.select_related("tally", "organization")
    distribution = related.filter(pk=distribution_id, kind=Kind.WAITLIST).first()
    if distribution is None:
        raise Http404
    if request.method == "POST":
        # Who never entered, or was denied, waits as little.
        with suppress(errors.NotEntered, errors.IllegalMove):
            rules.leave(distribution, consumer_id, now=clock.now(), actor=events.by_consumer(consumer_id))
    organization = distribution.organization
    context = {
        "organization": organization,
        "waitlist": distribution,
        "look": PLAIN | organization.theme,
        "logo": organization.theme.get("logoUrl") or organization.logo_url,
        "is_done": request.method == "POST",
    }
    response = render(request, "unsubscribe.html", context)
    response["Cache-Control"] = "no-store"
    return response
