"""What tests read off the pages of distributions."""

from typing import Any

from distributions.auctions.models import Bid
from distributions.core.models import Distribution

DISTRIBUTION = "distributions_distribution"
PARTICIPATION = "distributions_participation"
AUCTION = "distributions_auction"
BID = "distributions_bid"
ALWAYS = ("live", "message")


def text_of(page: Any) -> str:
    """A page, with spaces that break lines."""
    return str(page.content.decode().replace("\N{NO-BREAK SPACE}", " "))


def offered(page: Any) -> list[str]:
    """The names of the buttons on a page, but for the two that every kind always has."""
    return [name for button, _ in page.context["buttons"] if (name := button.name) not in ALWAYS]


def numbers(page: Any) -> dict[str, str]:
    return {title: number.replace("\N{NO-BREAK SPACE}", " ") for title, number, _ in page.context["numbers"]}


def notes(page: Any) -> dict[str, str]:
    """What stands below the numbers."""
    return {title: note.replace("\N{NO-BREAK SPACE}", " ") for title, _, note in page.context["numbers"]}


def locked(page: Any) -> set[str]:
    """The settings on a page that can't change any more."""
    return {name for name, field in page.context["adminform"].form.fields.items() if field.disabled}


def wrong(page: Any) -> list[str]:
    """The fields at which something is said to be wrong."""
    return list(page.context["adminform"].form.errors)


def bid_on(auction: Distribution, number: int) -> Bid:
    """The bid that was decided as this one."""
    return Bid.objects.get(auction=auction.pk, number=number)
