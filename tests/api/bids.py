"""Auctions as the API's tests need them: bidders, what they are answered, and what is stored of it."""

import datetime as dt
from typing import Any

from distributions import tasks
from distributions.auctions.models import Auction, Bid, Bidder
from distributions.core.models import Distribution, Participation, Tally
from experiences.models import Event
from tests.world import ConsumerClient, World, path_of

Bidders = list[ConsumerClient]


def bidders(world: World, number: int) -> Bidders:
    """So many guests, who have not bid yet."""
    return [world.consumer() for _ in range(number)]


def taken(answer: Any) -> dict[str, Any]:
    """What was answered to a bid that was accepted."""
    assert answer.status_code == 200, answer.json()
    body: dict[str, Any] = answer.json()
    return body


def how(answer: Any) -> tuple[str, str, str | None]:
    """Status, bidStatus, and why it is over."""
    body = taken(answer)
    return body["status"], body["bidStatus"], body.get("denyReason")


def refused(answer: Any) -> tuple[str, str]:
    """Code and least acceptable amount of a bid that the price refused."""
    body = answer.json()
    assert answer.status_code == 400, body
    least: str = body["minimumNextBid"]
    assert body["details"] == [{"field": "amount", "message": f"At least {least}."}]
    return body["code"], least


def shown(world: World, auction: Distribution) -> dict[str, Any]:
    """The auction as anyone sees it."""
    return taken(world.shop_front().get(path_of(auction)))


def highest(world: World, auction: Distribution) -> dict[str, Any]:
    return taken(world.shop_front().get(f"{path_of(auction)}/highest-bid"))


def price(world: World, auction: Distribution) -> tuple[str | None, str | None, str | None]:
    """Price, whose it is, and what the next bid must be."""
    body = highest(world, auction)
    return body["amount"], body["bidder"], body["minimumNextBid"]


def sweep() -> None:
    """What a second does: admissions end, then auctions go on."""
    tasks.expire_admissions()
    tasks.tick_auctions()


def rows(auction: Distribution) -> list[Bid]:
    """All bids that were decided, in order."""
    return list(Bid.objects.filter(auction=auction.pk).order_by("number"))


def reasons(auction: Distribution) -> list[str]:
    """Of each bid why it was refused; empty where it was not."""
    return [bid.refusal for bid in rows(auction)]


def trace(auction: Distribution) -> list[str]:
    """The names of the trace's rows, in order."""
    return list(
        Event.objects.filter(distribution_id=auction.pk).order_by("id").values_list("name", flat=True)
    )


def last_event(auction: Distribution, name: str) -> Event:
    return Event.objects.filter(distribution_id=auction.pk, name=name).order_by("-id")[0]


def state(auction: Distribution) -> Any:
    """All that is stored of an auction but its bids' rows, their number and the trace, to be compared."""
    own = dict(Auction.objects.filter(pk=auction.pk).values().get())
    del own["number"]
    found: list[Any] = [own, Distribution.objects.filter(pk=auction.pk).values().get()]
    for model, key in ((Tally, "pk"), (Participation, "distribution"), (Bidder, "auction")):
        found += model._default_manager.filter(**{key: auction.pk}).order_by("pk").values()
    return found


def closing(world: World, auction: Distribution) -> dt.datetime:
    """When it closes: the same as shown, as applied, and as the last accepted bid left it."""
    told = dt.datetime.fromisoformat(shown(world, auction)["closeAt"])
    assert told == Distribution.objects.get(pk=auction.pk).close_at
    assert told == Bid.objects.filter(auction=auction.pk, refusal="").order_by("-number")[0].closes_at
    return told


def ended(world: World, clock: Any, *amounts: str, **settings: Any) -> tuple[Any, list[ConsumerClient]]:
    """An auction whose time is over, and who bid what in it; nobody has written down yet who won."""
    auction, people = world.auction(**settings), bidders(world, len(amounts))
    for person, amount in zip(people, amounts, strict=True):
        taken(person.bid(auction, amount))
    clock.shift(600)
    return auction, people


def move(world: World, auction: Any, verb: str, person: ConsumerClient, **more: Any) -> Any:
    """The shop's server says what became of a consumer."""
    body = {"consumerId": person.id, **({"reason": "ADMIN_ACTION"} if verb == "deny" else {}), **more}
    return world.server().post(f"{path_of(auction)}/{verb}", body)
