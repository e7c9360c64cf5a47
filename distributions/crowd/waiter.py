"""One consumer at a waitlist: arrives, signs in, enters, enters again, looks once, and stays or leaves."""

import asyncio
from dataclasses import dataclass
from typing import Any

from distributions.crowd.person import Person, Plan, Record, Venue
from distributions.crowd.wire import Refused

WAITING = "WAITING"  # the outcome of who stays on the list


@dataclass
class WaitRecord(Record):
    """What one of them saw and did; `names` are those that the API gave their entry, one if all is well."""

    names: frozenset[str] = frozenset()


class Waiter(Person):
    """Whoever does not leave is still on the list when the outing is over."""

    record: WaitRecord

    def __init__(self, venue: Venue, plan: Plan) -> None:
        super().__init__(venue, plan)
        self.record = WaitRecord()

    async def live(self) -> None:
        """The whole way; ends when they wait or have left, or the API refuses."""
        await asyncio.sleep(self._plan.arrives_after)
        try:
            await self._sign_in()
            first = await self._ask("enter", "POST", span=self.record.entry)
            if first["status"] != "QUEUED":
                return
            again = await self._ask("enter", "POST")
            self.record.names = frozenset([first["id"], again["id"]])
            await asyncio.sleep(self._plan.thinks_for)
            self._compare(first, again, "entering again")
            self._compare(first, await self._send("status", "GET"), "the status")
            self.record.outcome = WAITING
            if self._plan.leaves_after is not None:
                await self._ask("leave", "DELETE")
                if (await self._send("status", "GET"))["isEntered"]:
                    self.record.problems.append("who left is still on the list")
        except Refused as refusal:
            self.record.outcome = refusal.code

    async def give_up(self) -> None:
        """Who waits here waits on: nobody is held up by them."""

    def _compare(self, first: dict[str, Any], later: dict[str, Any], what: str) -> None:
        if not later["isEntered"] or later.get("enteredAt") != first["enteredAt"]:
            self.record.problems.append(f"{what} tells of another entry than the first one")
