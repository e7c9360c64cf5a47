"""What an auction adds to its page in the console: settings, numbers, the course of bidding, buttons.

Nothing is edited: staff extend, end, cancel, and take single bids back. What a bidder would go up to is shown
to nobody before the auction is settled.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from distributions.auctions import results, rules, setup, shape, state, steering
from distributions.auctions.book import BidKind
from distributions.auctions.models import Auction, Bid
from distributions.core.admin import FACES, PHASE_COLORS, Face, Setting, actor
from distributions.core.models import Distribution, Kind, Reason, Status
from distributions.core.standing import Standing
from fanfare import clock, money, staff
from fanfare.console import Button, DateTimeField, HistoryAdmin, TextInput, moment

SHOWN = 20  # bids of the live page


def _of_auction(name: str) -> Callable[[Distribution], Any]:
    """A setting as staff read it: amounts as decimal text."""

    def read(distribution: Distribution) -> Any:
        value = getattr(distribution.auction, name)
        return amount(distribution.auction, value) if name in setup.AMOUNTS else value

    return read


def amount(auction: Auction, minor: int | None) -> str:
    """As forms have it: without the currency; empty for none."""
    return "" if minor is None else money.text(minor, auction.currency_code)


def priced(auction: Auction, minor: int | None) -> str:
    """As pages show it: `150.00 EUR`."""
    return "" if minor is None else f"{amount(auction, minor)} {auction.currency_code}"


SETTINGS = {
    name: Setting(name, Auction._meta.get_field(name), _of_auction(name)) for name in setup.OF_AUCTION
}
GROUPS = [
    ("Prices", ["currency_code", "starting_price", "minimum_bid_increment", "increment_table",
                "reserve_price", "show_reserve", "buy_now_price", "winner_count"]),
    ("Soft close", ["extension_window_seconds", "extension_seconds", "max_extensions", "hard_end_at"]),
    ("Settling", ["settle_at", "claim_seconds", "second_chance"]),
]  # fmt: skip
HELP_TEXTS = {
    "close_at": "Nobody bids from then on; a bid just before may move it. Empty: until it is closed by hand.",
}


def numbers(distribution: Distribution, now: dt.datetime) -> list[tuple[str, str, str]]:
    """Title, number and limit of each card."""
    auction, tally = distribution.auction, distribution.tally
    least = shape.minimum_next(distribution, now)
    leader = "" if auction.leader is None else shape.pseudonym(auction.leader)
    refused = Bid.objects.filter(auction=auction).exclude(refusal="").count()
    most = "" if auction.max_extensions is None else f"of {auction.max_extensions:,}"
    return [
        ("Price", priced(auction, auction.high) or "no bid", leader),
        ("Next bid", priced(auction, least) or "none", "at least" if least else "it is over"),
        ("Reserve", _reserve(auction), priced(auction, auction.reserve_price)),
        ("Bidders", f"{tally.entered:,}", f"{auction.bids:,} bids, {refused:,} refused"),
        ("Closes", moment(distribution.close_at) or "by hand", f"{auction.extensions:,} extensions {most}"),
        ("Winners", f"{tally.admitted - tally.returned:,}", f"of {auction.winner_count:,}; "
                    f"{tally.completed:,} completed, {tally.returned:,} returned"),
    ]  # fmt: skip


def _reserve(auction: Auction) -> str:
    if auction.reserve_price is None:
        return "none"
    is_met = auction.high is not None and state.terms_of(auction).meets_reserve(auction.high)
    return "met" if is_met else "not met"


def waiting(distribution: Distribution, now: dt.datetime) -> int:
    """Who may still win."""
    auction = distribution.auction
    if auction.cancelled_at is not None:
        return 0
    if auction.settled_at is None:
        return distribution.tally.taken
    return 0 if results.is_final(auction, distribution.tally) else auction.chances


_WORDS: dict[str, str] = {
    Reason.OUTBID: "Outbid",
    Reason.RESERVE_NOT_MET: "Below the reserve",
    Reason.ADMISSION_EXPIRED: "Not completed",
}


def word(distribution: Distribution, standing: Standing) -> str:
    """What a standing is called."""
    if standing.status == Status.QUEUED:
        return "Next in turn" if distribution.auction.settled_at is not None else "Bidding"
    won = {Status.ADMITTED: "Won", Status.COMPLETED: "Completed"}
    return _WORDS.get(standing.deny_reason) or won.get(standing.status) or str(standing.status.label)


# --- Buttons --------------------------------------------------------------------------------------
def is_running(distribution: Distribution) -> bool:
    """Whether bids may come."""
    return not results.is_over(distribution, clock.now()) and distribution.auction.cancelled_at is None


def is_open(distribution: Distribution) -> bool:
    """Whether bids are taken now."""
    return rules.phase(distribution, clock.now()) == rules.AuctionPhase.OPEN


def is_unsettled(distribution: Distribution) -> bool:
    """Whether its outcome may still be called off."""
    return distribution.auction.settled_at is None and distribution.auction.cancelled_at is None


class ExtendForm(forms.Form):
    """Until when."""

    close_at = DateTimeField(label="Closes at", help_text="Later than now, at most the hard end.")


def extend(request: HttpRequest, auction: Distribution, values: dict[str, Any]) -> str:
    """Move the closing to a later time. Raises Closed, Invalid."""
    steering.extend(auction.pk, values["close_at"], actor=actor(request))
    return f"It closes at {moment(values['close_at'])}; everybody sees that from now on."


def close_now(request: HttpRequest, auction: Distribution, values: dict[str, Any]) -> str:
    """End bidding at this instant. Raises Closed, NotOpenYet."""
    won = steering.close_now(auction.pk, actor=actor(request))
    if won is None:
        return f"Closed: nobody bids any more. Winners are admitted at {moment(auction.auction.settle_at)}."
    return f"Closed and settled: {won:,} won."


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        max_length=200, widget=TextInput, help_text="Kept with the bids, for staff to see."
    )


def cancel(request: HttpRequest, auction: Distribution, values: dict[str, Any]) -> str:
    """Void all bids for good. Raises IllegalMove."""
    voided = steering.cancel(auction.pk, reason=values["reason"], actor=actor(request))
    return f"Cancelled for good: {voided:,} bids are void, nobody wins, and all who bid are being denied."


def live(request: HttpRequest, auction: Distribution, values: dict[str, Any]) -> HttpResponseBase:
    """The course of bidding, by itself on a page that looks anew every few seconds."""
    now = clock.now()
    bids = Bid.objects.filter(auction=auction.pk, refusal="").exclude(kind=BidKind.RAISE)
    found = bids.select_related("auction", "participation", "consumer").order_by("-number")[:SHOWN]
    pages: Any = admin.site.get_model_admin(Distribution)
    phase = rules.phase(auction, now)
    context = {
        "auction": auction, "phase": phase, "phase_color": PHASE_COLORS[phase], "now": now,
        "numbers": numbers(auction, now), "back": pages.address("change", auction.pk),
        "bids": [(bid, shape.pseudonym(bid.participation.place if bid.participation else None),
                  priced(bid.auction, bid.amount), priced(bid.auction, bid.high_after), shape.state_of(bid))
                 for bid in found],
        "titles": ["No.", "Time", "Bidder", "Consumer", "Amount", "Price after", "State"],
        "refresh": 2 if phase in (rules.AuctionPhase.OPEN, rules.AuctionPhase.CLOSED) else 10,
    }  # fmt: skip
    answer: HttpResponse = pages.page(request, "admin/auction_live.html", f"{auction}, live", **context)
    return answer


BUTTONS = [
    Button("live", "Live", "monitoring", live, allowed=staff.VIEW, reads=True, variant="primary"),
    Button(
        "extend", "Extend …", "more_time", extend, form=ExtendForm, is_offered=is_running,
        question="Bidding goes on until then. It can be extended again, and never shortened: only closed.",
    ),
    Button(
        "close", "Close now …", "gavel", close_now, is_offered=is_open,
        question="Bidding ends at this instant, and the best bids of this instant win. There is no way back.",
    ),
    Button(
        "cancel", "Cancel …", "block", cancel, form=ReasonForm, variant="danger", is_offered=is_unsettled,
        question="For good: all bids are void, nobody wins, and all who bid are denied.",
    ),
]  # fmt: skip


def links(distribution: Distribution) -> list[tuple[str, str]]:
    """Beside those that all kinds have."""
    bids = (
        f"{reverse('admin:distributions_bid_changelist')}?auction__distribution__id__exact={distribution.pk}"
    )
    history = reverse("admin:distributions_auction_history", args=[distribution.pk])
    return [("Bids", bids), ("History of the settings", history)]


FACES[Kind.AUCTION] = Face(
    description="To the highest bidders, with proxy bids, a reserve, and a closing that last bids may move.",
    icon="gavel",
    settings=SETTINGS,
    groups=GROUPS,
    numbers=numbers,
    fixed=setup.fixed,
    create=setup.SETTINGS.create,
    update=setup.SETTINGS.update,
    admit=None,
    buttons=BUTTONS,
    links=links,
    phase=rules.phase,
    waiting=waiting,
    standing_at=rules.standing_at,
    word=word,
    panel=lambda distribution, now: None,
    help_texts=HELP_TEXTS,
    defaults={"supports_guest": False},
    adjusting=rules.adjusting,
)


@admin.register(Auction)
class AuctionAdmin(HistoryAdmin):
    """Only for the history of an auction's settings; they are edited on the distribution's page."""

    organization_path = "distribution__organization_id"
    list_display = ["distribution", *setup.OF_AUCTION]
    list_select_related = ["distribution"]
    fields = ["distribution", *setup.OF_AUCTION]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False
