"""The waiting room without JavaScript: a page that refreshes itself, and forms.

It knows its visitor by a signed cookie that names a guest's session, and decides nothing: the same
functions as behind the API say who may enter and how somebody stands, and the same limits count. What takes
a sign-in, a code, a device's fingerprint or a proof of work needs JavaScript, and says so.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from consumers import conditions, sessions, visits
from consumers.models import Session
from distributions.core import fingerprints, following, lifecycle, live, work
from distributions.core.models import Distribution, Kind, Status
from distributions.core.phases import Phase
from distributions.core.standing import Standing
from distributions.core.status import present
from distributions.kinds import KINDS, RELATED
from distributions.pages import words
from distributions.shapes import SHAPES
from experiences import events, returning
from experiences.models import Experience
from fanfare import clock, errors, throttling
from fanfare.limits import limit_for

OFFERED = (Kind.QUEUE, Kind.TIMED_RELEASE)  # kinds that one enters by a button and no more
ENTRY, STATUS, SIGN_IN = "queueEntry", "statusCheck", "authentication"  # categories of rate limits
ENTER, LEAVE = "enter", "leave"  # what the forms' buttons say
VISITS = "60/m"  # of one consumer, as through the API
LOW, HIGH = 0.9, 1.25  # the range in which a wait is told, of what is to be expected
REFRESH = (5, 60)  # seconds, at least and at most, until the page asks again
IDLE = 20  # seconds, where nothing says when
_SALT = "hosted page"


@dataclass(frozen=True)
class Visitor:
    """Who asks, by the cookie."""

    consumer_id: str
    session_id: str

    @property
    def actor(self) -> str:
        """Who stands in the trace."""
        return events.by_consumer(self.consumer_id)


@dataclass(frozen=True)
class Room:
    """What one request is about."""

    request: HttpRequest
    experience: Experience
    now: dt.datetime
    offered: list[Distribution]
    distribution: Distribution | None

    @property
    def rules(self) -> Any:
        """What the distribution's kind decides."""
        assert self.distribution is not None
        return KINDS[Kind(self.distribution.kind)].rules


def answer(request: HttpRequest, experience: Experience, context: dict[str, Any]) -> HttpResponse:
    """The page, or after a form was sent the way back to it; with the cookie, for a new guest."""
    room = _room(request, experience)
    known = _visitor(room)
    visitor, refusal, told = known, None, {}
    try:
        if request.method == "POST":
            visitor = visitor or _sign_in(room)
            _act(room, visitor)
        else:
            told = _look(room, visitor)
    except errors.FanfareError as problem:
        if problem.status >= 500:
            raise
        refusal = problem
    if request.method == "POST" and refusal is None:
        response: HttpResponse = HttpResponseRedirect(f"{request.path}?{_query(room)}")
        response.status_code = 303
    else:
        context |= {"room": room, "query": _query(room), "refusal": refusal, **told}
        context["refresh"] = _refresh(told, refusal)
        response = render(request, "hosted/plain.html", context, status=refusal.status if refusal else 200)
    if visitor is not None and visitor is not known:
        _remember(room, visitor, response)
    return response


def _room(request: HttpRequest, experience: Experience) -> Room:
    """With what the first sequence offers that asks for nothing; `at` names one of them."""
    now = clock.now()
    sequences = experience.sequences.order_by("-priority", "id")
    sequence = next((found for found in sequences if not conditions.of(found)), None)
    related = Distribution.objects.select_related(*RELATED).order_by("id")
    found = related.filter(sequence=sequence, kind__in=OFFERED, supports_guest=True) if sequence else []
    offered = list(found)
    wanted = request.GET.get("at", "")
    chosen = next((one for one in offered if one.pk == wanted), None)
    only = offered[0] if len(offered) == 1 else None
    distribution = chosen or only
    if distribution is not None:
        distribution = KINDS[Kind(distribution.kind)].rules.current(distribution, now)
    return Room(request, experience, now, offered, distribution)


def _cookie(room: Room) -> str:
    return f"fanfare_{room.experience.organization_id}"


def _visitor(room: Room) -> Visitor | None:
    """Whom the cookie names, while their session is alive."""
    text = room.request.COOKIES.get(_cookie(room), "")
    try:
        session_id = str(signing.loads(text, salt=_SALT)) if text else ""
    except signing.BadSignature:
        return None
    organization_id = room.experience.organization_id
    alive = Session.objects.filter(organization_id=organization_id, ended_at=None, expires_at__gt=room.now)
    consumer_id = alive.filter(pk=session_id).values_list("consumer_id", flat=True).first()
    return Visitor(consumer_id, session_id) if consumer_id and session_id else None


def _sign_in(room: Room) -> Visitor | None:
    """A new guest, where the form is to enter by. Raises FingerprintRequired, which no form can give, and
    RateLimited.
    """
    if room.request.POST.get("verb") != ENTER or room.distribution is None:
        return None
    organization = room.experience.organization
    fingerprints.read(None, organization)
    limit = limit_for(SIGN_IN, organization.rate_limits)
    throttling.require(room.request, SIGN_IN, organization.pk, f"{limit}/m")
    session = sessions.open_guest(organization, now=room.now).session
    return Visitor(session.consumer_id, session.pk)


def _remember(room: Room, visitor: Visitor, response: HttpResponse) -> None:
    """Set the cookie that names the session."""
    response.set_cookie(
        _cookie(room),
        signing.dumps(visitor.session_id, salt=_SALT),
        max_age=settings.REFRESH_TOKEN_SECONDS,
        path="/e/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _act(room: Room, visitor: Visitor | None) -> None:
    """Do what the form says. Raises what the API would."""
    distribution, verb = room.distribution, room.request.POST.get("verb")
    if distribution is None or visitor is None:
        return
    if verb == ENTER:
        _enter(room, distribution, visitor, fingerprints.read(None, room.experience.organization))
    elif verb == LEAVE:
        _leave(room, distribution, visitor)


def _enter(room: Room, distribution: Distribution, visitor: Visitor, device: bytes | None) -> None:
    """Into the experience, and into the line. Raises what the API would."""
    _pass_gate(room, distribution, visitor, ENTRY)
    throttling.require(room.request, "visits", visitor.consumer_id, VISITS)
    who: Any = {"now": room.now, "actor": visitor.actor}
    visits.enter(room.experience, visitor.consumer_id, is_guest=True, access_code="", **who)
    conditions.require(distribution.sequence, visitor.consumer_id, is_guest=True)
    work.require(distribution, visitor.consumer_id, None)
    room.rules.enter(distribution, visitor.consumer_id, fingerprint=device, **who)


def _leave(room: Room, distribution: Distribution, visitor: Visitor) -> None:
    """Give up the place; where there is none any more, the page says so by itself."""
    found = lifecycle.latest(distribution, visitor.consumer_id)
    if room.rules.standing_at(distribution, found, room.now).status == found.status:
        room.rules.leave(distribution, visitor.consumer_id, now=room.now, actor=visitor.actor)


def _pass_gate(room: Room, distribution: Distribution, visitor: Visitor, category: str) -> Standing | None:
    """Count the request, as the API's gate does; the standing that Redis knows. Raises RateLimited."""
    organization = room.experience.organization
    gate = live.pass_gate(
        session_id=visitor.session_id,
        consumer_id=visitor.consumer_id,
        distribution_id=distribution.pk,
        frozen=distribution.tally.frozen or 0,
        rate_key=(organization.pk, category),
        limit=limit_for(category, organization.rate_limits),
        now=room.now,
    )
    if gate.usage is not None:
        gate.usage.require(room.now)
    return gate.standing


def _look(room: Room, visitor: Visitor | None) -> dict[str, Any]:
    """What the template shows of the distribution and of the visitor in it."""
    distribution = room.distribution
    if distribution is None:
        return {}
    kind = Kind(distribution.kind)
    shown = SHAPES[kind].present(distribution, room.now)
    early = shown.get("enter_from")
    is_open = shown["status"] == Phase.OPEN or (
        shown["status"] == Phase.PENDING and early is not None and early <= room.now
    )
    told: dict[str, Any] = {"shown": shown, "is_open": is_open}
    standing = _standing(room, distribution, visitor) if visitor else None
    if standing is None:
        return told
    more = SHAPES[kind].present_standing(distribution, standing, room.now)
    follows = following.of_standing(distribution, standing, room.rules, now=room.now)
    status = present(distribution, standing, **follows, **more)
    return told | {
        "status": status,
        "wait": _range(status.get("estimated_wait_time_in_seconds")),
        "ahead": status.get("position", 1) - 1,
        "reason": words.REASONS.get(standing.deny_reason, standing.deny_reason),
        "may_enter": standing.may_enter_again,
        "way_on": _way_on(room, status),
    }


def _standing(room: Room, distribution: Distribution, visitor: Visitor) -> Standing | None:
    """How they stand now; None where they never entered."""
    found = _pass_gate(room, distribution, visitor, STATUS)
    if found is None or found.at(room.now).may_enter_again:
        try:
            found = lifecycle.republish(distribution, lifecycle.latest(distribution, visitor.consumer_id))
        except errors.NotEntered:
            return None
    current: Standing = room.rules.standing_at(distribution, found, room.now)
    return current


def _range(seconds: int | None) -> tuple[int, int] | None:
    """Minutes between which the wait is expected to be."""
    if seconds is None:
        return None
    low, high = int(seconds * LOW / 60), -int(-seconds * HIGH // 60)
    return max(1, low), max(1, high)


def _way_on(room: Room, status: dict[str, Any]) -> str | None:
    """To the shop with the admission, where the link named the shop."""
    organization = room.experience.organization
    address = returning.allowed(room.request.GET.get("returnUrl", ""), organization.return_hosts)
    if address is None or status["status"] != Status.ADMITTED:
        return None
    return returning.with_parameters(address, fanfareToken=status["admission_token"])


def _refresh(told: dict[str, Any], refusal: errors.FanfareError | None) -> int:
    """Seconds until the page asks again."""
    advised = (refusal.retry_after if refusal else told.get("status", {}).get("poll_after_seconds")) or IDLE
    least, most = REFRESH
    return int(min(most, max(least, advised)))


def _query(room: Room) -> str:
    """The page's own parameters, to come back by."""
    kept = room.request.GET.copy()
    kept["plain"] = "1"
    if room.distribution is not None:
        kept["at"] = room.distribution.pk
    return kept.urlencode()
