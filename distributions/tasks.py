"""Every task of Celery: what happens by itself. The schedule is in `fanfare.celery`.

Two shapes: a finder asks PostgreSQL what is due and sends one task an id; a doer makes one domain call.
All may run twice, late, or at once on two workers: the domain call is guarded. A lost message is found
again by the next tick, since "due" is a query.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import structlog

from consumers import sessions
from distributions import falling_through, offering
from distributions.appointments import reminders
from distributions.auctions import results as auctions
from distributions.auctions import steering
from distributions.core import finding, lifecycle, reconcile, switches
from distributions.core.models import Distribution, Kind, Reason
from distributions.draws import results
from distributions.draws import rules as draws
from distributions.queues import line, rules, shuffle
from distributions.waitlists import notifying
from experiences import events
from fanfare import clock, redis
from fanfare.celery import app

log = structlog.get_logger(__name__)


@app.task
def tick_queues() -> None:
    """Each second: what is due in queues."""
    now = clock.now()
    _send(open_queue, rules.due_to_open(now))
    _send(close_queue, rules.due_to_close(now))
    _send(admit_queue, rules.due_to_admit(now))


@app.task
def admit_queue(distribution_id: str) -> None:
    """Admit whoever is due."""
    admitted = rules.admit_batch(distribution_id, now=clock.now())
    if admitted:
        log.info("queue.admitted", queue=distribution_id, admitted=admitted)


@app.task
def open_queue(distribution_id: str) -> None:
    """Trace the opening, and draw the order of the pre-queue where there is one."""
    now = clock.now()
    distribution = _find(distribution_id)
    if distribution is None:
        return
    switches.mark_opened(distribution, now=now)
    if rules.is_draw_due(distribution, now):
        drawn = shuffle.draw(distribution, now=now)
        if drawn:
            log.info("queue.shuffled", queue=distribution_id, entries=drawn)
            redis.attempt("rebuild", lambda: line.rebuild(distribution))


@app.task
def close_queue(distribution_id: str) -> None:
    """Close what is over, and deny those who still wait."""
    now = clock.now()
    distribution = _find(distribution_id)
    if distribution is None:
        return
    actor = events.by_system("close_queue")
    switches.close(distribution, now=now, actor=actor)
    denied = switches.deny_waiting(distribution, reason=Reason.QUEUE_CLOSED, now=now, actor=actor)
    log.info("queue.closed", queue=distribution_id, denied=denied)


@app.task
def tick_draws() -> None:
    """Each second: what is due in draws."""
    now = clock.now()
    _send(freeze_draw, draws.due_to_freeze(now))
    _send(run_draw, results.due_to_draw(now))
    _send(pass_on_places, results.due_to_pass_on(now))
    _send(deny_entrants, draws.due_to_deny())
    _send(fall_through, falling_through.due(now))


@app.task
def freeze_draw(distribution_id: str) -> None:
    """Write down who takes part, and publish the root."""
    actor = events.by_system("freeze_draw")
    if draws.freeze(distribution_id, now=clock.now(), actor=actor, at=clock.now):
        log.info("draw.frozen", draw=distribution_id)


@app.task
def run_draw(distribution_id: str) -> None:
    """Draw, as soon as the beacon's value is here where one was named."""
    now = clock.now()
    if results.look_for_beacon(distribution_id, now=now):
        actor = events.by_system("run_draw")
        won = results.run(distribution_id, now=now, actor=actor, at=clock.now)
        if won is not None:
            log.info("draw.drawn", draw=distribution_id, won=won)


@app.task
def pass_on_places(distribution_id: str) -> None:
    """Offer what was not claimed to the next in the drawn order."""
    given = results.pass_on(distribution_id, now=clock.now(), actor=events.by_system("pass_on_places"))
    if given:
        log.info("draw.passed_on", draw=distribution_id, places=given)


@app.task
def deny_entrants(distribution_id: str) -> None:
    """Write down that a draw which staff closed has no winners."""
    denied = draws.deny_entrants(distribution_id, now=clock.now(), actor=events.by_system("deny_entrants"))
    if denied:
        log.info("draw.cancelled", draw=distribution_id, denied=denied)


@app.task
def fall_through(distribution_id: str) -> None:
    """Let the next losers go on into the queue that the draw names."""
    gone_on = falling_through.run(distribution_id, now=clock.now())
    if gone_on:
        log.info("draw.fell_through", draw=distribution_id, losers=gone_on)


@app.task
def tick_auctions() -> None:
    """Each second: what is due in auctions."""
    now = clock.now()
    _send(settle_auction, auctions.due_to_end(now))
    _send(offer_second_chances, auctions.due_to_pass_on())
    _send(deny_bidders, auctions.due_to_deny())


@app.task
def settle_auction(distribution_id: str) -> None:
    """Close what is over, and admit the winners when they are due."""
    won = auctions.end(distribution_id, actor=events.by_system("settle_auction"))
    if won is not None:
        log.info("auction.settled", auction=distribution_id, won=won)


@app.task
def offer_second_chances(distribution_id: str) -> None:
    """Offer what a winner did not complete to the next bidder."""
    given = auctions.pass_on(distribution_id, actor=events.by_system("offer_second_chances"))
    if given:
        log.info("auction.passed_on", auction=distribution_id, places=given)


@app.task
def deny_bidders(distribution_id: str) -> None:
    """Write down that nobody wins an auction that staff cancelled."""
    actor = events.by_system("deny_bidders")
    denied = steering.deny_bidders(distribution_id, now=clock.now(), actor=actor)
    if denied:
        log.info("auction.cancelled", auction=distribution_id, denied=denied)


@app.task
def tick_doors() -> None:
    """Each second: what opened or closed by the clock, of the kinds in which nothing else happens by that."""
    now = clock.now()
    for kind in (Kind.TIMED_RELEASE, Kind.APPOINTMENT, Kind.WAITLIST):
        _send(open_doors, finding.due_to_open(kind, now))
        _send(close_doors, finding.due_to_close(kind, now))


@app.task
def open_doors(distribution_id: str) -> None:
    """Trace the opening."""
    distribution = _find(distribution_id)
    if distribution is not None:
        switches.mark_opened(distribution, now=clock.now())


@app.task
def close_doors(distribution_id: str) -> None:
    """Close what is over; whoever has a unit or a booking keeps it, and who is on a waitlist stays there."""
    distribution = _find(distribution_id)
    if distribution is not None:
        switches.close(distribution, now=clock.now(), actor=events.by_system("close_doors"))


@app.task
def tick_reminders() -> None:
    """Each half minute: reminders of bookings that are due."""
    for booking_id, hours in reminders.due(clock.now()):
        remind_booking.apply_async(args=[booking_id, hours], expires=60)


@app.task
def remind_booking(booking_id: str, hours: int) -> None:
    """Post one reminder."""
    if reminders.remind(booking_id, hours, now=clock.now()):
        log.info("booking.reminded", booking=booking_id, hours=hours)


@app.task
def tick_waitlists() -> None:
    """Each second: news to tell, places to offer."""
    _send(notify, notifying.unfinished())
    _send(pass_on_offers, offering.due())


@app.task
def notify(notification_id: int) -> None:
    """Tell whoever is still to be told."""
    told = notifying.run(notification_id, at=clock.now)
    if told:
        log.info("waitlist.notified", notification=notification_id, told=told)


@app.task
def pass_on_offers(distribution_id: str) -> None:
    """Offer what is free, claimed offers and lapsed ones ended."""
    offered = offering.run(distribution_id, now=clock.now())
    if offered:
        log.info("waitlist.offered", waitlist=distribution_id, offered=offered)


@app.task
def expire_admissions() -> None:
    """Each second: end the admissions whose time is over, of all kinds."""
    now = clock.now()
    for distribution, ids in lifecycle.expired(now).items():
        lifecycle.expire(distribution, ids, now=now)


@app.task
def watch_redis() -> None:
    """Each second: a sign of life, and whether Redis missed something or lost a line."""
    now = clock.now()
    seen = reconcile.look(now=now)
    if seen is None:
        return
    if seen.is_empty:
        sessions.rebuild_ended(now=now)
    elif seen.missed_since is not None:
        _repeat(seen.missed_since, now)
    sessions.publish_ended(now - reconcile.REMEMBERED, now=now)
    reconcile.remember(seen, now=now)
    _send(rebuild_line, reconcile.incomplete(rules.running_ids()))


@app.task
def reconcile_redis() -> None:
    """Each few seconds: repeat the last moves to Redis, should it have missed one."""
    now = clock.now()
    reconcile.repush(since=now - reconcile.REMEMBERED)
    _send(rebuild_line, rules.drawn_since(now - reconcile.UNWATCHED))


def _repeat(since: dt.datetime, now: dt.datetime) -> None:
    sessions.publish_ended(since, now=now)
    reconcile.repush(since=since)
    _send(rebuild_line, rules.drawn_since(since))


@app.task
def rebuild_line(distribution_id: str) -> None:
    """Write Redis' copy of one line anew, one worker at a time."""
    distribution = _find(distribution_id)
    if distribution is None or not reconcile.begin_rebuild(distribution_id):
        return
    number = line.rebuild(distribution)
    reconcile.end_rebuild(distribution_id)
    log.info("line.rebuilt", distribution=distribution_id, standings=number)


def _send(task: Any, ids: Iterable[str | int]) -> None:
    for one in ids:
        task.apply_async(args=[one], expires=10)


def _find(distribution_id: str) -> Distribution | None:
    return Distribution.objects.select_related("queue", "tally").filter(pk=distribution_id).first()
