"""One consumer at a timed release: arrives, signs in, claims a unit, and buys it or gives it back."""

import asyncio

from distributions.crowd.person import Person
from distributions.crowd.wire import Refused


class Claimer(Person):
    """Whoever is to leave gives the unit back instead of buying it."""

    async def live(self) -> None:
        """The whole way; ends when the unit is bought or given back, or the API refuses."""
        await asyncio.sleep(self._plan.arrives_after)
        try:
            await self._sign_in()
            answer = await self._ask("enter", "POST", span=self.record.entry)
            if answer["status"] != "ADMITTED":
                return
            if self._plan.leaves_after is None:
                await self._buy(answer)
            else:
                await asyncio.sleep(self._plan.thinks_for)
                await self._ask("leave", "POST")
        except Refused as refusal:
            self.record.outcome = refusal.code
