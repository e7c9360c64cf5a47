"""The audit of one distribution: reads in one snapshot, lets the checkers weigh, sums up."""

import copy
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Q

from distributions.appointments.models import Booking
from distributions.auctions.models import Bid, Bidder
from distributions.audit import figures, lots, order, projections, replay, sale, slots, trace
from distributions.audit.counting import Counting
from distributions.audit.findings import Ledger
from distributions.audit.order import ByHand
from distributions.core.models import HOLDING, Distribution, Drawing, Kind, Participation, Status, Tally
from distributions.kinds import RELATED
from experiences.models import Event
from fanfare.wire import camel

COUNTERS = "the counters are what is counted"
_LIMITS = {Kind.TIMED_RELEASE: "inventory"}
_OUT = (Status.DENIED, Status.LEFT)


@dataclass
class Audit:
    """What was found about one distribution; `figures` are for the report."""

    distribution: Distribution
    ledger: Ledger = field(default_factory=Ledger)
    by_hand: ByHand = field(default_factory=ByHand)
    figures: dict[str, Any] = field(default_factory=dict)


def run(distribution_id: str, *, now: dt.datetime) -> Audit:
    """Audit one distribution. Raises Distribution.DoesNotExist."""
    with trace.snapshot():
        distribution = Distribution.objects.select_related(*RELATED).get(pk=distribution_id)
        found = Audit(distribution)
        counted = _replay(found)
        if distribution.kind == Kind.QUEUE:
            admissions = order.admissions(distribution.pk, Kind.QUEUE)
            found.by_hand = order.check(admissions, found.ledger)
        elif distribution.kind == Kind.APPOINTMENT:
            slots.check(_bookings(distribution), found.ledger)
        elif distribution.kind == Kind.AUCTION:
            _sell(found)
        _draw(found)
        found.figures = figures.of(distribution, counted)
    projections.check(distribution, found.ledger, now=now)
    return found


def _replay(found: Audit) -> Counting:
    """Each person's course, then all moves in order, then the counters."""
    distribution, ledger = found.distribution, found.ledger
    kind, drawing = Kind(distribution.kind), _drawing(distribution)
    is_drawn = kind == Kind.QUEUE and drawing is not None and drawing.drawn_at is not None
    drawn = lots.order_of(drawing) if is_drawn and drawing else None

    def ticket_of(place: int) -> int:
        return place if drawing is None else lots.ticket(place, drawing, drawn)

    for name in (replay.EQUAL, replay.KNOWN, replay.LEGAL, replay.ONCE, replay.ONE):
        ledger.of(name)
    for rows, told in trace.people(distribution.pk, kind):
        replay.check(kind, rows, told, ledger, ticket_of)
    winners = drawing.winner_count if kind == Kind.DRAW and drawing and drawing.frozen_at else None
    counted = Counting(kind, settings_of(distribution), ledger, winners)
    for one in trace.in_order(distribution.pk, kind):
        counted.see(one)
    counted.finish()
    _check_counters(distribution, counted, ledger)
    return counted


def settings_of(distribution: Distribution) -> trace.Settings:
    """Those that anything is judged by, by the trace's names, as they were from the start on."""
    kind, own = Kind(distribution.kind), getattr(distribution, distribution.kind)
    current = {camel(column.name): getattr(own, column.attname) for column in own._meta.concrete_fields}
    current[_LIMITS.get(kind, "capacity")] = distribution.tally.places
    return trace.settings_of(distribution.pk, current)


def _drawing(distribution: Distribution) -> Drawing | None:
    found = Drawing.objects.select_related("frozen_list").filter(pk=distribution.pk).first()
    return None if found is None or found.frozen_at is None or not hasattr(found, "frozen_list") else found


def _check_counters(distribution: Distribution, counted: Counting, ledger: Ledger) -> None:
    """The tally, the rows and the trace agree."""
    rows = Participation.objects.filter(distribution=distribution)
    stored = rows.aggregate(
        taken=Count("id", filter=Q(status__in=HOLDING[Kind(distribution.kind)])),
        entered=Count("id", filter=Q(place__isnull=False)),
        admitted=Count("id", filter=Q(admitted_at__isnull=False)),
        completed=Count("id", filter=Q(status=Status.COMPLETED)),
        returned=Count("id", filter=Q(status__in=_OUT, admitted_at__isnull=False)),
        last=Max("place"),
    )
    tally = Tally.objects.get(pk=distribution.pk)
    # A pre-queue's numbers are set aside once more, for the places that are drawn.
    aside = (tally.frozen or 0) if distribution.kind == Kind.QUEUE else 0
    promise = ledger.of(COUNTERS)
    for name in ("taken", "entered", "admitted", "completed", "returned"):
        said = getattr(tally, name) - (aside if name == "entered" else 0)
        told = f"{name}: {said} by the tally, {stored[name]} rows, {getattr(counted, name)} by the trace"
        is_equal = said == stored[name] == getattr(counted, name)
        promise.require(is_equal, told, distribution=distribution.pk)
    last = stored["last"] or 0
    promise.require(last <= tally.entered, f"place {last} of {tally.entered}", distribution=distribution.pk)


def _draw(found: Audit) -> None:
    """A drawing of any kind, as far as it has come."""
    distribution, drawing = found.distribution, _drawing(found.distribution)
    if drawing is None:
        return
    lots.check(distribution, drawing, found.ledger)
    if distribution.kind == Kind.DRAW and drawing.drawn_at is not None:
        admissions = order.admissions(distribution.pk, Kind.DRAW)
        lots.check_winners(distribution, drawing, admissions, found.ledger)


def _bookings(distribution: Distribution) -> Iterator[slots.Booked]:
    """All that were ever made, by their start, with the places that a slot had when they were."""
    course = settings_of(distribution)
    changed = list(Event.objects.filter(pk__in=[pk for pk, _ in course.changes]).values_list("pk", "at"))
    at_of = dict(changed)
    rows = Booking.objects.filter(distribution=distribution).select_related("participation")
    for one in rows.order_by("starts_at", "pk").iterator(trace.CHUNK):
        row, places = one.participation, course.get("placesPerSlot")
        # Changed at that very instant, either may have come first: the larger number is allowed.
        for pk, values in course.changes:
            if "placesPerSlot" in values and at_of[pk] <= row.entered_at:
                new = values["placesPerSlot"]
                places = max(places, new) if at_of[pk] == row.entered_at else new
        freed = row.ended_at if row.status in _OUT else None
        times = (one.starts_at, one.ends_at, row.entered_at, freed)
        is_done = row.status == Status.COMPLETED
        yield slots.Booked(one.pk, row.pk, row.consumer_id, *times, places, is_done)


def _sell(found: Audit) -> None:
    """Bids, prices and winners; bids and bidders of one auction are held in memory."""
    distribution, ledger = found.distribution, found.ledger
    auction = distribution.auction
    bids = list(Bid.objects.filter(auction=auction).defer("answer").order_by("number"))
    bidders = list(Bidder.objects.filter(auction=auction).select_related("participation"))
    sale.check_times(bids, ledger)
    if auction.cancelled_at is None:
        sale.check_bidders(bidders, bids, ledger)
        sale.check_winners(bidders, bids, ledger)
    events = Event.objects.filter(distribution_id=distribution.pk).order_by("id")
    owners = {bid.pk: bid.consumer_id for bid in bids}
    told_of = events.filter(name="auction.bid.placed").values_list("data__bid", "consumer_id")
    # A bid that was somebody else's when it was placed: they have been merged since.
    if any(owners.get(bid, who) != who for bid, who in told_of.iterator(trace.CHUNK)):
        ledger.skip(sale.BIDS, sale.MERGED)
        return
    replayed = sale.Sale(copy.copy(auction), settings_of(distribution), {bid.pk: bid for bid in bids}, ledger)
    for step in events.values_list("id", "name", "consumer_id", "data").iterator(trace.CHUNK):
        replayed.see(step)
    is_open = auction.settled_at is None and auction.cancelled_at is None
    if is_open and replayed.book.terms.places:
        high = replayed.book.high
        told = f"the auction's price is {auction.high}, by the rules {high}"
        ledger.of(sale.BIDS).require(auction.high == high, told, distribution=distribution.pk)
    placed = events.filter(name="auction.bid.placed").count()
    accepted = sum(not bid.refusal for bid in bids)
    told = f"{accepted} accepted bids, {placed} in the trace"
    ledger.of(sale.BIDS).require(placed == accepted, told, distribution=distribution.pk)


def chosen(ids: list[str], organization: str | None) -> list[str]:
    """The ids of what to audit: those named, and all of an organization (by its slug), in order."""
    wanted = Q(pk__in=ids) | (Q(organization__slug=organization) if organization else Q())
    if not ids and not organization:
        return []
    found = Distribution.objects.filter(wanted).order_by("open_at", "pk")
    return list(found.values_list("pk", flat=True))


def title_of(distribution: Distribution) -> str:
    """As a report calls it."""
    return f"{distribution.title} “{distribution.name}”, {distribution.sequence.experience.name}"
