"""The console's pages of bids: every one as it was decided, to look at and to take back.

What a bidder would go up to is shown to nobody before the auction is settled.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from distributions.auctions import shape, steering
from distributions.auctions.book import BidKind
from distributions.auctions.cards import priced
from distributions.auctions.models import Bid
from distributions.auctions.watch import STATE_COLORS
from distributions.core.admin import actor
from distributions.core.models import Distribution
from fanfare.console import Button, ConsoleAdmin, TextInput, display
from fanfare.lists import ScopedFilter


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        max_length=200, widget=TextInput, help_text="Kept with the bid, for staff to see."
    )


def may_be_voided(bid: Bid) -> bool:
    """Whether it counts, and its auction's outcome does not stand yet."""
    counts = shape.state_of(bid) == "VALID" and bid.kind != BidKind.BUY_NOW
    return counts and bid.auction.settled_at is None and bid.auction.cancelled_at is None


def void(request: HttpRequest, bid: Bid, values: dict[str, Any]) -> str:
    """Take one bid back. Raises IllegalMove."""
    before, after = steering.void(bid.pk, reason=values["reason"], actor=actor(request))
    currency = bid.auction.currency_code
    now = priced(after, currency) or "none: no bid is left"
    return f"The bid is void. The price was {priced(before, currency)}; it is {now}."


@admin.register(Bid)
class BidAdmin(ConsoleAdmin):
    """Every bid as it was decided: to look at, and to take back."""

    organization_path = "auction__distribution__organization_id"
    list_display = ["numbered", "at", "consumer", "bidder", "kind", "asked", "price", "state", "reason", "id"]
    list_display_links = ["numbered"]
    list_filter = ["kind", ("auction__distribution", ScopedFilter)]
    list_select_related = ["auction__distribution__sequence__experience", "consumer", "participation"]
    more_lookups = frozenset({"auction__distribution__id__exact"})
    exact_search = {"bid_": "id", "cons_": "consumer_id", "auction_": "auction_id", "@": "consumer__email"}
    search_help_text = "A whole id of a bid, consumer or auction, or an e-mail address."
    ordering = ["-at", "-number"]
    sortable_by: ClassVar[list[str]] = []
    fields = [
        "id", "auction", "numbered", "at", "consumer", "bidder", "kind", "asked", "most", "price",
        "closes_at", "outcome", "reason", "voided_at",
    ]  # fmt: skip
    readonly_fields = ["numbered", "bidder", "asked", "most", "price", "outcome", "reason"]
    buttons = [
        Button(
            "void", "Void …", "undo", void, form=ReasonForm, variant="danger", is_offered=may_be_voided,
            question="As if it had never been made: price and winners follow from the bids that remain. "
            "There is no way back, and the trace shows it.",
        ),
    ]  # fmt: skip

    @display(description="No.")
    def numbered(self, bid: Bid) -> str:
        return f"{bid.number:,}"

    @display(description="Known as")
    def bidder(self, bid: Bid) -> str:
        return "" if bid.participation is None else shape.pseudonym(bid.participation.place)

    @display(description="Amount")
    def asked(self, bid: Bid) -> str:
        return priced(bid.amount, bid.auction.currency_code)

    @display(description="By proxy up to")
    def most(self, bid: Bid) -> str:
        """Only once nobody can use it any more."""
        if bid.auction.cancelled_at is not None:
            return "never shown: the auction was cancelled"
        if bid.auction.settled_at is None:
            return "hidden until the auction is settled"
        return priced(bid.max_amount, bid.auction.currency_code) or "-"

    @display(description="Price after")
    def price(self, bid: Bid) -> str:
        return priced(bid.high_after, bid.auction.currency_code)

    @display(description="State", label=STATE_COLORS)
    def state(self, bid: Bid) -> tuple[str, str]:
        found = shape.state_of(bid)
        return found, found.lower()

    @display(description="State")
    def outcome(self, bid: Bid) -> str:
        return shape.state_of(bid).capitalize()

    @display(description="Reason")
    def reason(self, bid: Bid) -> str:
        return bid.refusal or bid.void_reason

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bid]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def zone_of(self, request: HttpRequest, thing: Bid | None) -> str:
        """The auction's."""
        if thing is None:
            return "UTC"
        pages: Any = admin.site.get_model_admin(Distribution)
        found: str = pages.zone_of(request, thing.auction.distribution)
        return found
