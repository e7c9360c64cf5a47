"""Everybody at once: from the first look at where they go to the report, or until it is cut short."""

import asyncio
import datetime as dt
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from distributions.crowd import bid_checks, booker, checks, report
from distributions.crowd.bidder import Bidder
from distributions.crowd.booker import Booker
from distributions.crowd.checks import Terms
from distributions.crowd.claimer import Claimer
from distributions.crowd.person import Person, Venue, make_plan
from distributions.crowd.shop import Shop
from distributions.crowd.waiter import WAITING, Waiter
from distributions.crowd.wire import Wire

FAREWELL_SECONDS = 30.0
BAR = 30  # characters
STEPS = 200  # increments above the starting price that it is worth to the keenest bidder
_chance = random.SystemRandom()


@dataclass(frozen=True)
class Options:
    """What to try; `arrive_within`, `think` and `limit` in seconds, `limit` None: until all are done."""

    base_url: str
    distribution_id: str
    publishable_key: str
    secret_key: str
    people: int
    concurrency: int
    arrive_within: float
    think: float
    leave_percent: float
    limit: float | None


async def run(options: Options) -> dict[str, Any]:
    """The report. Raises Refused when there is nothing to look at."""
    kind = options.distribution_id.partition("_")[0]
    plural, go = _KINDS.get(kind, _KINDS["queue"])
    path = f"/api/v1/{plural}/{options.distribution_id}"
    async with Wire(options.base_url, options.concurrency) as wire:
        headers = {"X-Publishable-Key": options.publishable_key}
        before = await wire.ask("look", "GET", path, headers)
        tenant = await wire.ask("organization", "GET", "/api/v1/organizations/current", headers)
        shop = Shop(wire, path, tenant["id"], options.secret_key)
        await shop.learn_keys()
        venue = Venue(wire, shop, path, options.publishable_key, takes_guests=before["supportsGuest"])
        return await go(venue, before, options)


async def _queue(venue: Venue, queue: dict[str, Any], options: Options) -> dict[str, Any]:
    people = [Person(venue, _plan(options)) for _ in range(options.people)]
    seconds = await _timed(people, options)
    records, terms = [person.record for person in people], Terms.of(queue)
    found = report.make(records, checks.all_checks(records, terms), venue.wire, seconds)
    return found | report.of_queue(records, terms)


async def _auction(venue: Venue, auction: dict[str, Any], options: Options) -> dict[str, Any]:
    stay = replace(options, leave_percent=0)  # nobody leaves an auction
    people = [Bidder(venue, _plan(stay), _chance.randint(1, STEPS)) for _ in range(options.people)]
    seconds = await _timed(people, options)
    records = [person.record for person in people]
    headers = {"X-Publishable-Key": options.publishable_key}
    after = await venue.wire.ask("look", "GET", venue.path, headers)
    close_at = after["closeAt"] and dt.datetime.fromisoformat(after["closeAt"])
    found = bid_checks.all_checks(records, auction["winnerCount"], close_at)
    return report.make(records, found, venue.wire, seconds) | report.of_auction(records, auction, after)


async def _release(venue: Venue, release: dict[str, Any], options: Options) -> dict[str, Any]:
    people = [Claimer(venue, _plan(options)) for _ in range(options.people)]
    seconds = await _timed(people, options)
    records = [person.record for person in people]
    found = [
        checks.stock_kept(records, release["inventory"]),
        checks.nobody_twice(records),
        checks.tokens_hold(records),
    ]
    return report.make(records, found, venue.wire, seconds) | {"inventory": release["inventory"]}


async def _appointment(venue: Venue, appointment: dict[str, Any], options: Options) -> dict[str, Any]:
    people = [Booker(venue, _plan(options)) for _ in range(options.people)]
    seconds = await _timed(people, options)
    records = [person.record for person in people]
    found = [booker.places_kept(records), checks.nobody_twice(records), checks.tokens_hold(records)]
    return report.make(records, found, venue.wire, seconds) | booker.course(records)


async def _waitlist(venue: Venue, waitlist: dict[str, Any], options: Options) -> dict[str, Any]:
    people = [Waiter(venue, _plan(options)) for _ in range(options.people)]
    seconds = await _timed(people, options)
    records = [person.record for person in people]
    found = [checks.one_entry_each(records), checks.entries_hold(records)]
    waiting = sum(record.outcome == WAITING for record in records)
    return report.make(records, found, venue.wire, seconds) | {"waiting": waiting}


_KINDS = {
    "queue": ("queues", _queue),
    "auction": ("auctions", _auction),
    "release": ("timed-releases", _release),
    "appt": ("appointments", _appointment),
    "wl": ("waitlists", _waitlist),
}


async def _timed(people: Sequence[Person], options: Options) -> float:
    """Let them all live; how many seconds that took."""
    began = time.monotonic()
    await _live(people, options.limit)
    return time.monotonic() - began


def _plan(options: Options) -> Any:
    return make_plan(
        arrive_within=options.arrive_within, think=options.think, leave_percent=options.leave_percent
    )


async def _live(people: Sequence[Person], limit: float | None) -> None:
    """Until all are done, the limit is over, or Ctrl-C (which cancels); who is not done by then leaves."""
    lives = [asyncio.create_task(person.live()) for person in people]
    progress = asyncio.create_task(_show_progress(people))
    try:
        await asyncio.wait(lives, timeout=limit)
    except asyncio.CancelledError:
        sys.stderr.write("\nCut short: those who wait leave (Ctrl-C again: at once) …\n")
    progress.cancel()
    for life in lives:
        life.cancel()
    ended = await asyncio.gather(*lives, progress, return_exceptions=True)
    farewells = [asyncio.create_task(person.give_up()) for person in people]
    _, late = await asyncio.wait(farewells, timeout=FAREWELL_SECONDS)
    for farewell in late:
        farewell.cancel()
    for problem in ended:
        if isinstance(problem, Exception):
            raise problem


async def _show_progress(people: Sequence[Person]) -> None:
    """A bar on a terminal, a line now and then elsewhere; on standard error."""
    terminal = sys.stderr.isatty()
    try:
        while True:
            await asyncio.sleep(0.5 if terminal else 10)
            sys.stderr.write(
                ("\r\x1b[K" if terminal else "") + _progress(people) + ("" if terminal else "\n")
            )
            sys.stderr.flush()
    finally:
        if terminal:
            sys.stderr.write("\r\x1b[K")


def _progress(people: Sequence[Person]) -> str:
    found = Counter(person.record.outcome for person in people)
    arrived = len(people) - found[""]
    going = found["QUEUED"] + found["ADMITTED"]
    done = arrived - going
    filled = BAR * done // len(people)
    return (
        f"[{'#' * filled}{'·' * (BAR - filled)}] {done:,} of {len(people):,} done: "
        f"{found['QUEUED']:,} waiting, {found['ADMITTED']:,} inside, {found['COMPLETED']:,} completed, "
        f"{found['LEFT']:,} left"
    )
