"""What to look at before a launch opens: each thing done, or to be looked at, and where it is mended."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q

from distributions.core.models import Distribution, Kind
from distributions.launches import figures
from experiences.models import AccessCode, ApiKey, AudienceMember, Experience, KeyMode, Sequence
from fanfare import durations, health, limits

CROWD = 10_000  # people at the door, where nothing says how many there will be
PATIENCE = 120  # seconds in which a crowd should be through the door
SOME = 3  # names of things, before the rest is counted
POLLS = 2  # status checks of one who waits, in a minute: at least each 30 s
IN_LIFE = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Check:
    """One line: `page` and `thing` lead to where it is mended; both empty: not in the console."""

    title: str
    text: str
    is_done: bool
    page: str = ""
    thing: str = ""
    query: str = ""


@dataclass(frozen=True)
class Launch:
    """An experience with all that is in it, read once."""

    experience: Experience
    ways: list[Sequence]
    distributions: list[Distribution]
    now: dt.datetime

    @property
    def queues(self) -> list[Distribution]:
        return [each for each in self.distributions if each.kind == Kind.QUEUE]

    @property
    def ahead(self) -> list[Distribution]:
        """What has not closed."""
        return [
            each
            for each in self.distributions
            if figures.phase(each, self.now) in ("PENDING", "OPEN", "PAUSED")
        ]


def look(launch: Launch) -> list[Check]:
    """All of them, in the order in which one sets a launch up."""
    return [
        *_whole(launch),
        *_conditions(launch),
        *_times(launch),
        *(_pace(queue, launch.now) for queue in launch.queues if queue in launch.ahead),
        *_door(launch),
        *_keys(launch),
        *_pages(launch),
        *_letters(launch),
        _worker(launch.now),
    ]


def _names(things: list[Distribution] | list[Sequence]) -> str:
    shown = ", ".join(str(thing) for thing in things[:SOME])
    return f"{shown} and {len(things) - SOME:,} more" if len(things) > SOME else shown


def _whole(launch: Launch) -> Iterator[Check]:
    """Every way in ends in something, and can be taken."""
    filled = {each.sequence_id for each in launch.distributions if each.kind != Kind.WAITLIST}
    empty = [way for way in launch.ways if way.pk not in filled]
    if not launch.ways:
        query = f"experience={launch.experience.pk}"
        yield Check(
            "Ways in", "There is none yet. Add a sequence.", False, "experiences_sequence_add", query=query
        )
    elif empty:
        text = f"{_names(empty)}: add what it ends in, such as a queue."
        query = f"sequence={empty[0].pk}"
        yield Check("Ways in", text, False, "distributions_distribution_add", query=query)
    else:
        yield Check("Ways in", f"{len(launch.ways):,}, and each ends in something.", True)


def _conditions(launch: Launch) -> Iterator[Check]:
    """Whoever is asked for something can have it."""
    good = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=launch.now))
    left = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
    here = Q(sequence=OuterRef("pk"))
    ways = Sequence.objects.filter(experience=launch.experience).values_list("pk", flat=True)
    asking = [way for way in launch.ways if way.requires_access_code]
    # A waitlist makes the codes of what it offers.
    waits = [each.waitlist for each in launch.distributions if each.kind == Kind.WAITLIST]
    offered = {str(waitlist.offer_sequence_id) for waitlist in waits}
    coded = set(ways.filter(Exists(AccessCode.objects.filter(here, good, left)))) if asking else set()
    yield from _opened("Access codes", "codes", asking, coded | offered)
    listed = [way for way in launch.ways if way.requires_audience]
    known = set(ways.filter(Exists(AudienceMember.objects.filter(here)))) if listed else set()
    yield from _opened("Audiences", "people on its list", listed, known)


def _opened(title: str, what: str, asking: list[Sequence], able: set[str]) -> Iterator[Check]:
    closed = [way for way in asking if way.pk not in able]
    if closed:
        text = f"{_names(closed)}: there are no {what}, so nobody could come in."
        yield Check(title, text, False, "experiences_sequence_change", closed[0].pk)
    elif asking:
        yield Check(title, f"{_names(asking)}: there are {what}.", True)


def _times(launch: Launch) -> Iterator[Check]:
    """Nothing opens by accident, nothing outside the experience's own times."""
    experience, change = launch.experience, "distributions_distribution_change"
    by_accident = [each for each in launch.ahead if each.open_at is None and each.kind not in _ALWAYS]
    begun = [each for each in launch.ahead if each.open_at is not None and each.open_at <= launch.now]
    coming = [each for each in launch.ahead if each.open_at is not None and each.open_at > launch.now]
    if by_accident:
        text = f"{_names(by_accident)}: without an opening, and so open from now on. Set when it opens."
        yield Check("Openings", text, False, change, by_accident[0].pk)
    elif begun and coming:
        text = f"Open already: {_names(begun)}. Others are still to open."
        yield Check("Openings", text, False, change, begun[0].pk)
    elif coming:
        first = min(coming, key=lambda each: each.open_at or launch.now)
        assert first.open_at is not None
        at = figures.when(first.open_at, first.zone)
        yield Check("Openings", f"The first is {first}, {at}. Nothing opens in the past.", True)
    elif begun:
        yield Check("Openings", f"Open: {_names(begun)}.", True)
    outside = [each for each in launch.ahead if _is_outside(each, experience)]
    if outside:
        text = f"{_names(outside)}: outside the times that the experience announces."
        yield Check("Times in order", text, False, "experiences_experience_change", experience.pk)
    elif launch.ahead:
        yield Check("Times in order", "Each closes after it opens, within the experience's own times.", True)


_ALWAYS = (Kind.WAITLIST, Kind.APPOINTMENT)  # which one may well leave open from the start


def _is_outside(distribution: Distribution, experience: Experience) -> bool:
    opens, closes = distribution.open_at, distribution.close_at
    is_early = opens is not None and experience.open_at is not None and opens < experience.open_at
    is_late = closes is not None and experience.close_at is not None and closes > experience.close_at
    return is_early or is_late


def _pace(queue: Distribution, now: dt.datetime) -> Check:
    """How long the last one waits, and whether the queue is open for so long."""
    own, people = queue.queue, queue.tally.places or CROWD
    told = {"page": "distributions_distribution_change", "thing": queue.pk}
    title = f"Pace of {queue}"
    if own.admission_rate is None:
        return Check(title, "It has no rate: nobody is admitted but by hand.", False, **told)
    if own.max_active is not None and own.session_seconds is None:
        text = f"An admission never ends: once {own.max_active:,} are inside, whoever stays blocks the line."
        return Check(title, text, False, **told)
    admitted = min(people, own.max_admissions or people)
    seconds = -(-admitted * 60 // own.admission_rate)
    of = f"the last of {admitted:,} waits {durations.said(seconds, 2)}"
    opens = max(queue.open_at or now, now)
    if queue.close_at is not None and opens + dt.timedelta(seconds=seconds) > queue.close_at:
        lasts = durations.between(opens, queue.close_at)
        text = f"At this rate {of}, but it closes after {lasts}: the others are turned away."
        return Check(title, text, False, **told)
    inside = _inside(queue)
    if inside:
        return Check(title, inside, False, **told)
    limit = "" if queue.tally.places else " It takes any number."
    return Check(title, f"At {own.admission_rate:,} a minute, {of}.{limit}", True, **told)


def _inside(queue: Distribution) -> str:
    """Whether “max active” slows the rate down, where each stays for the whole of their time."""
    own = queue.queue
    if own.max_active is None or own.session_seconds is None or own.admission_rate is None:
        return ""
    possible = own.max_active * 60 // own.session_seconds
    if possible >= own.admission_rate:
        return ""
    stay = durations.said(own.session_seconds)
    return (
        f"If each takes the whole {stay}, {own.max_active:,} inside let {possible:,} a minute in, "
        f"and not {own.admission_rate:,}. Whoever completes sooner makes room sooner."
    )


def _door(launch: Launch) -> Iterator[Check]:
    """Whether the organization's rate limits let the crowd in, and let it ask how it stands."""
    if not launch.ahead:
        return
    organization = launch.experience.organization
    crowd = max((queue.tally.places or CROWD for queue in launch.queues), default=CROWD)
    told = {"page": "experiences_organization_change", "thing": organization.pk}
    entry = "queueEntry" if launch.queues else "drawEntry"
    entered, asked, signed_in = (
        limits.limit_for(name, organization.rate_limits) for name in (entry, "statusCheck", "authentication")
    )
    slowest, least = min((("authentication", signed_in), (entry, entered)), key=lambda pair: pair[1])
    seconds = crowd * 60 // least
    if seconds > PATIENCE:
        text = (
            f"{slowest} is limited to {least:,} a minute: {crowd:,} people need {durations.said(seconds, 2)} "
            "to get through the door."
        )
        yield Check("Rate limits", text, False, **told)
    elif launch.queues and crowd * POLLS > asked:
        text = f"{crowd:,} who wait ask {crowd * POLLS:,} times a minute; statusCheck allows {asked:,}."
        yield Check("Rate limits", text, False, **told)
    else:
        yield Check(
            "Rate limits",
            f"{crowd:,} people are through the door in {durations.said(seconds, 2)}.",
            True,
            **told,
        )


def _keys(launch: Launch) -> Iterator[Check]:
    organization = launch.experience.organization
    living = ApiKey.objects.filter(organization=organization, mode=KeyMode.LIVE, revoked_at=None)
    kinds = set(living.values_list("kind", flat=True))
    missing = [kind for kind in ("publishable", "secret") if kind not in kinds]
    if missing:
        text = f"No live {' and no '.join(missing)} key."
        query = f"organization__id__exact={organization.pk}"
        yield Check("Keys", text, False, "experiences_apikey_changelist", query=query)
    else:
        yield Check("Keys", "A publishable and a secret one are alive.", True)


def _pages(launch: Launch) -> Iterator[Check]:
    """Where the shop's pages are, and where waiting rooms send people back to."""
    organization = launch.experience.organization
    told = {"page": "experiences_organization_change", "thing": organization.pk}
    origins, hosts = organization.allowed_origins, organization.return_hosts
    if origins:
        yield Check("Allowed origins", ", ".join(origins[:SOME]), True)
    else:
        text = "None: browsers on the shop's pages can't reach Fanfare. The hosted page can."
        yield Check("Allowed origins", text, False, **told)
    if hosts:
        yield Check("Return hosts", ", ".join(hosts[:SOME]), True)
    else:
        text = "None: the hosted page can't send people on to the shop when it is their turn."
        yield Check("Return hosts", text, False, **told)


def _letters(launch: Launch) -> Iterator[Check]:
    """How codes reach people, where they must sign in."""
    asking = [way for way in launch.ways if way.requires_authentication or way.requires_audience]
    closed = [each for each in launch.distributions if not each.supports_guest]
    if not asking and not closed:
        return
    back_end = settings.EMAIL_BACKEND
    if back_end == "fanfare.mail.Nowhere":
        text = "People must sign in, and no mail server is set: FANFARE_EMAIL_URL."
        yield Check("Mail", text, False)
    elif back_end.startswith("auth_otp.outbox"):
        text = "People must sign in, and mail is shown in the outbox instead of sent: fine for trying out."
        yield Check("Mail", text, False, "auth_otp_outboxmessage_changelist")
    else:
        yield Check("Mail", "A provider is set, for the codes that people sign in with.", True)


def _worker(now: dt.datetime) -> Check:
    seen = health.worker_seen()
    if seen is not None and now - seen <= IN_LIFE:
        return Check("Worker", "Alive.", True)
    return Check("Worker", "None was seen for a minute: nothing is admitted or drawn by itself.", False)
