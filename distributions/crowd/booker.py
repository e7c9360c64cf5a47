"""One consumer at an appointment: books a free slot, and keeps the booking, moves or cancels it."""

import asyncio
import datetime as dt
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from distributions.crowd.checks import Check
from distributions.crowd.person import Person, Plan, Record, Venue
from distributions.crowd.wire import Refused
from fanfare import clock

MOST_TRIES = 5  # slots that somebody else took while one was looking
DAYS = 6  # after today, in which somebody looks
MOVES = 0.2  # of those who keep their booking, how many move it first
NO_SLOT = "NO_FREE_SLOT"  # an outcome
_chance = random.SystemRandom()


@dataclass
class BookRecord(Record):
    """What one person saw and did; `slot` is the one held at the end."""

    slot: str = ""
    places: int = 0
    codes: int = 0  # confirmation codes seen, of bookings made
    too_late: int = 0  # slots that were full by the time they were asked for


class Booker(Person):
    """Whoever is to leave cancels the booking; others are checked in, some after moving it."""

    record: BookRecord

    def __init__(self, venue: Venue, plan: Plan) -> None:
        super().__init__(venue, plan)
        self.record = BookRecord()

    async def live(self) -> None:
        """The whole way; ends when the booking is used or given up, nothing is free, or the API refuses."""
        await asyncio.sleep(self._plan.arrives_after)
        try:
            await self._sign_in()
            answer = await self._take("book")
            if answer is None or answer["status"] != "ADMITTED":
                return
            await asyncio.sleep(self._plan.thinks_for)
            if self._plan.leaves_after is not None:
                await self._cancel()
                return
            if _chance.random() < MOVES:
                answer = await self._take("rebook") or answer
            await self._buy(answer)
        except Refused as refusal:
            self.record.outcome = refusal.code

    async def give_up(self) -> None:
        """Cancel when the outing is cut short."""
        if self.record.outcome == "ADMITTED":
            with suppress(Refused):
                await self._cancel()
            self.record.outcome = "ADMITTED"

    async def _take(self, verb: str) -> Any:
        """Book or rebook some free slot; None: there is none, or others were always faster."""
        record = self.record
        for _ in range(MOST_TRIES):
            free = [slot for slot in await self._look() if slot["available"] and slot["id"] != record.slot]
            if not free:
                break
            chosen = _chance.choice(free)
            try:
                answer = await self._send(verb, "POST", {"slotId": chosen["id"]}, record.entry)
            except Refused as refusal:
                if refusal.code != "SLOT_FULL":
                    raise
                record.too_late += 1
                continue
            self._note(answer)
            record.slot, record.places = chosen["id"], chosen["capacity"]
            record.codes += 1
            if verb == "rebook":  # another booking, and so another admission
                record.admissions, record.tokens = {max(record.admissions)}, set()
            return answer
        record.outcome = record.outcome or NO_SLOT
        return None

    async def _look(self) -> Any:
        """The slots of the next days, full ones too."""
        first = clock.now().date()
        query = f"startDate={first}&endDate={first + dt.timedelta(days=DAYS)}"
        return (await self._send(f"slots?{query}", "GET"))["slots"]

    async def _cancel(self) -> None:
        await self._send("cancel", "DELETE")
        self.record.outcome, self.record.slot = "LEFT", ""


def places_kept(records: Sequence[BookRecord]) -> Check:
    """No slot is held by more people than it has places."""
    held: dict[str, list[BookRecord]] = {}
    for record in records:
        if record.slot and record.outcome in ("COMPLETED", "ADMITTED"):
            held.setdefault(record.slot, []).append(record)
    broken = [
        f"{slot} has {len(people)} in {people[0].places} places"
        for slot, people in held.items()
        if len(people) > people[0].places
    ]
    return Check("no slot has more bookings than places", len(held), tuple(broken))


def course(records: Sequence[BookRecord]) -> dict[str, Any]:
    """How booking went, for the report."""
    return {
        "bookings": sum(record.codes for record in records),
        "slotsTakenMeanwhile": sum(record.too_late for record in records),
    }
