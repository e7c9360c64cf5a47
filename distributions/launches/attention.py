"""What staff ought to look at: few things, and each of them true."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q

from auth_otp.models import OtpChallenge
from consumers.models import Message
from distributions.core.models import Distribution, Kind
from distributions.draws import results
from distributions.draws import rules as draws
from distributions.launches import figures, home
from fanfare import durations, health, outgoing

AWAY = dt.timedelta(minutes=1)  # a worker that was not seen for so long does not work
LATE = dt.timedelta(minutes=1)  # what a worker should have done by then, it did not do
NEAR = dt.timedelta(hours=1)  # before an auction closes
LATELY = dt.timedelta(days=7)  # what came back longer ago is known by now
MOST = 20
MANY = 99  # counted up to here


@dataclass(frozen=True)
class Notice:
    """One thing: `distribution` where it is about one, `page` the name of a list of the console's."""

    title: str
    text: str
    icon: str
    is_urgent: bool = False
    distribution: Distribution | None = None
    page: str = ""


def look(organizations: Sequence[str] | None, now: dt.datetime) -> list[Notice]:
    """All of them, the urgent ones first."""
    found = [*_workers(now), *_of_distributions(organizations, now), *_messages(organizations, now)]
    return sorted(found, key=lambda notice: not notice.is_urgent)


def _workers(now: dt.datetime) -> Iterator[Notice]:
    if not health.redis_answers():
        yield Notice(
            "Redis is away", "Waits are told late, and nothing is done by itself.", "cloud_off", True
        )
        return
    seen = health.worker_seen()
    if seen is None or now - seen > AWAY:
        since = "since the start" if seen is None else f"for {durations.between(seen, now)}"
        text = f"No worker was seen {since}: nobody is admitted, drawn or written to by itself."
        yield Notice("No worker", text, "running_with_errors", True)


def _of_distributions(organizations: Sequence[str] | None, now: dt.datetime) -> Iterator[Notice]:
    """One question for all of them; which of the reasons it is, each row says by itself."""
    begun = Q(open_at=None) | Q(open_at__lte=now)
    lasts = Q(close_at=None) | Q(close_at__gt=now)
    reasons = (
        Q(paused_at__isnull=False) & lasts
        | Q(kind=Kind.QUEUE, queue__admission_rate=None) & begun & lasts
        | Q(kind=Kind.DRAW, drawing__drawn_at=None, draw__draw_at__lte=now - LATE)
        | Q(kind=Kind.AUCTION, auction__bids=0, close_at__gt=now, close_at__lte=now + NEAR) & begun
        | Q(kind=Kind.AUCTION, close_at__lte=now - LATE, auction__settled_at=None, auction__cancelled_at=None)
        & (Q(auction__settle_at=None) | Q(auction__settle_at__lte=now - LATE))
        | Q(
            kind=Kind.DRAW, drawing__drawn_at__gt=now - LATELY, tally__returned__gt=0,
            drawing__entries__gt=F("draw__offered"),
            drawing__winner_count__gt=F("tally__admitted") - F("tally__returned"),
        )
    )  # fmt: skip
    rows = (
        home.of(organizations)
        .filter(reasons, closed_at=None)
        .order_by(F("close_at").asc(nulls_last=True), "id")
    )
    for distribution in rows[:MOST]:
        yield from (notice for say in _REASONS if (notice := say(distribution, now)) is not None)


def _paused(distribution: Distribution, now: dt.datetime) -> Notice | None:
    if distribution.paused_at is None:
        return None
    text = f"Paused for {durations.between(distribution.paused_at, now)}. {figures.line(distribution)}"
    return Notice(f"{distribution} is paused", text, "pause_circle", distribution=distribution)


def _no_rate(queue: Distribution, now: dt.datetime) -> Notice | None:
    if queue.kind != Kind.QUEUE or queue.queue.admission_rate is not None or queue.paused_at is not None:
        return None
    waits = f"{queue.tally.taken:,} wait, and nobody is admitted but by hand."
    is_urgent = queue.tally.taken > 0
    return Notice(f"{queue} is open without a rate", waits, "speed", is_urgent, queue)


def _not_drawn(draw: Distribution, now: dt.datetime) -> Notice | None:
    if draw.kind != Kind.DRAW or draw.drawing.drawn_at is not None:
        return None
    due = draw.draw.draw_at
    if due > now:
        return None
    beacon = results.beacon_of(draw.draw)
    if beacon is not None and not draw.drawing.beacon_signature:
        if now < beacon.at + LATE:
            return None
        at = figures.when(beacon.at, draw.zone)
        text = f"It waits for round {beacon.round} of its beacon, due {at}. Staff can enter the value."
        return Notice(f"{draw} waits for its beacon", text, "cell_tower", True, draw)
    text = f"It was due {durations.between(due, now)} ago."
    return Notice(f"{draw} is not drawn", text, "casino", True, draw)


def _no_bids(auction: Distribution, now: dt.datetime) -> Notice | None:
    if auction.kind != Kind.AUCTION or auction.close_at is None or auction.close_at <= now:
        return None
    if auction.auction.bids or auction.paused_at is not None:
        return None
    text = f"It closes in {durations.between(now, auction.close_at)}."
    return Notice(f"{auction} has no bid", text, "gavel", distribution=auction)


def _not_settled(auction: Distribution, now: dt.datetime) -> Notice | None:
    if auction.kind != Kind.AUCTION or auction.close_at is None or auction.close_at > now:
        return None
    text = f"It closed {durations.between(auction.close_at, now)} ago, and its winners are not told."
    return Notice(f"{auction} is not settled", text, "gavel", True, auction)


def _unclaimed(draw: Distribution, now: dt.datetime) -> Notice | None:
    """Places came back that nobody is offered by itself, while others still could have them."""
    if draw.kind != Kind.DRAW or draw.drawing.drawn_at is None or not draws.is_settled(draw, now):
        return None
    free = draw.drawing.winner_count - (draw.tally.admitted - draw.tally.returned)
    text = f"{free:,} of {draw.drawing.winner_count:,} came back. Offer them to the next in the drawn order."
    return Notice(f"{draw} has places left", text, "move_down", distribution=draw)


_REASONS: tuple[Callable[[Distribution, dt.datetime], Notice | None], ...] = (
    _paused, _no_rate, _not_drawn, _no_bids, _not_settled, _unclaimed,
)  # fmt: skip


def _messages(organizations: Sequence[str] | None, now: dt.datetime) -> Iterator[Notice]:
    """Mail and SMS that nobody tries any more, though they are still good."""
    pages: dict[str, Any] = {"consumers_message": Message, "auth_otp_otpchallenge": OtpChallenge}
    for page, model in pages.items():
        rows = outgoing.given_up(model.objects.all(), now)
        mine = rows if organizations is None else rows.filter(organization__in=organizations)
        number = len(mine.values_list("pk")[: MANY + 1])
        if number:
            told = f"More than {MANY}" if number > MANY else f"{number:,}"
            what = "Messages" if page == "consumers_message" else "One-time codes"
            text = f"{what} that could not be sent, and are not tried again by themselves: {told.lower()}."
            yield Notice("Messages fail", text, "unsubscribe", True, page=page)
