"""What an auction adds to its page in the console: settings, numbers, the course of bidding, buttons.

Nothing is edited: staff extend, end, cancel, and take single bids back. What a bidder would go up to is shown
to nobody before the auction is settled.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from distributions.auctions import cards, results, rules, setup, steering, watch
from distributions.auctions.models import Auction
from distributions.core import switch_admin
from distributions.core.admin import FACES, Face, KindAdmin, Setting, actor
from distributions.core.models import Distribution, Kind
from experiences.trace_admin import READERS
from fanfare import clock
from fanfare.console import Button, DateTimeField, TextInput, moment

if TYPE_CHECKING:

    class HistoricalRecordContextHelper:
        def __init__(self, *arguments: Any) -> None: ...
        def context_for_delta_changes(self, delta: Any) -> list[dict[str, Any]]: ...
        def format_delta_change(self, change: Any) -> Any: ...
else:
    from simple_history.template_utils import HistoricalRecordContextHelper


def _read(name: str) -> Callable[[Distribution], Any]:
    """A setting as forms have it: amounts as decimal text."""

    def read(distribution: Distribution) -> Any:
        value = getattr(distribution.auction, name)
        return cards.amount(value, distribution.auction.currency_code) if name in setup.AMOUNTS else value

    return read


def _shown(name: str) -> Callable[[Distribution], Any]:
    """A setting as those read it who may only look: amounts with their currency."""

    def shown(distribution: Distribution) -> Any:
        value = getattr(distribution.auction, name)
        is_amount = name in setup.AMOUNTS
        return cards.priced(value, distribution.auction.currency_code) or "-" if is_amount else value

    return shown


SETTINGS = {
    name: Setting(name, Auction._meta.get_field(name), _read(name), shown=_shown(name))
    for name in setup.OF_AUCTION
}
DEFAULTS = {
    "supports_guest": False, "extension_window_seconds": 120, "extension_seconds": 120,
    "claim_seconds": 86_400,
}  # fmt: skip
GROUPS = [
    ("Prices", ["currency_code", "starting_price", "minimum_bid_increment", "increment_table",
                "reserve_price", "show_reserve", "buy_now_price", "winner_count"]),
    ("Soft close", ["extension_window_seconds", "extension_seconds", "max_extensions", "hard_end_at"]),
    ("Settling", ["settle_at", "claim_seconds", "second_chance"]),
]  # fmt: skip
HELP_TEXTS = {
    "close_at": "Nobody bids from then on; a bid just before may move it. Empty: until it is closed by hand.",
    "supports_guest": "Whether people who did not sign in may bid.",
    "extension_window_seconds": "A bid so shortly before closing moves the closing, so that others can "
    "answer; empty: none does. Such as 2 min.",
    "extension_seconds": "From that bid on it stays open for so long. Such as 2 min.",
    "claim_seconds": "How long a winner has to complete; empty: no limit. Such as 1 d.",
}


# --- Buttons --------------------------------------------------------------------------------------
def is_extensible(distribution: Distribution) -> bool:
    """Whether bids may come, and may come for longer."""
    latest, closes_at = distribution.auction.hard_end_at, distribution.close_at
    is_longest = latest is not None and closes_at is not None and closes_at >= latest
    return not results.is_over(distribution, clock.now()) and not is_longest


def is_open(distribution: Distribution) -> bool:
    """Whether bids are taken now."""
    return rules.phase(distribution, clock.now()) == rules.AuctionPhase.OPEN


def is_unsettled(distribution: Distribution) -> bool:
    """Whether its outcome may still be called off."""
    return distribution.auction.settled_at is None and distribution.auction.cancelled_at is None


class ExtendForm(forms.Form):
    """Until when."""

    close_at = DateTimeField(
        label="Closes at", help_text="Later than now, and than it would close; at most the hard end."
    )


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


class CancelForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        max_length=200, widget=TextInput,
        help_text="Kept with the bids and, for good, in the trace; so don't name anybody.",
    )  # fmt: skip


def cancel(request: HttpRequest, auction: Distribution, values: dict[str, Any]) -> str:
    """Void all bids for good. Raises IllegalMove."""
    voided = steering.cancel(auction.pk, reason=values["reason"], actor=actor(request))
    return f"Cancelled for good: {voided:,} bids are void, nobody wins, and all who bid are being denied."


BUTTONS = [
    Button(
        "extend", "Extend …", "more_time", extend, form=ExtendForm, is_offered=is_extensible,
        initial=lambda auction: {"close_at": auction.close_at},
        question="Bidding goes on until then. It can be extended again, and never shortened: only closed.",
    ),
    Button(
        "close", "Close now …", "gavel", close_now, is_offered=is_open,
        question="Bidding ends at this instant, and the best bids of this instant win. There is no way back.",
    ),
    switch_admin.MESSAGE,
    Button(
        "cancel", "Cancel the auction …", "block", cancel, form=CancelForm, variant="danger",
        is_offered=is_unsettled,
        question="For good: all bids are void, nobody wins, and all who bid are denied.",
    ),
]  # fmt: skip


def links(distribution: Distribution) -> list[tuple[str, str]]:
    """Beside those that all kinds have."""
    bids = (
        f"{reverse('admin:distributions_bid_changelist')}?auction__distribution__id__exact={distribution.pk}"
    )
    return [("Bids", bids)]


FACES[Kind.AUCTION] = Face(
    description="To the highest bidders, with proxy bids, a reserve, and a closing that last bids may move.",
    icon="gavel",
    settings=SETTINGS,
    groups=GROUPS,
    numbers=cards.numbers,
    fixed=setup.fixed,
    create=setup.SETTINGS.create,
    update=setup.SETTINGS.update,
    admit=None,
    buttons=BUTTONS,
    links=links,
    phase=rules.phase,
    waiting=cards.waiting,
    standing_at=rules.standing_at,
    word=cards.word,
    details=cards.details,
    panel=lambda distribution, now: None,
    help_texts=HELP_TEXTS,
    defaults=DEFAULTS,
    adjusting=rules.adjusting,
    watch=watch.watch,
)

READERS["auction"] = cards.read_event


# --- What settings were --------------------------------------------------------------------------
class Changes(HistoricalRecordContextHelper):
    """What changed between two versions of the settings, amounts as text in the currency of each."""

    def context_for_delta_changes(self, delta: Any) -> list[dict[str, Any]]:
        self.currencies = delta.old_record.currency_code, delta.new_record.currency_code
        return super().context_for_delta_changes(delta)

    def format_delta_change(self, change: Any) -> Any:
        if change.field in setup.AMOUNTS:
            before, after = self.currencies
            old, new = cards.priced(change.old, before), cards.priced(change.new, after)
            change = replace(change, old=old or "none", new=new or "none")
        return super().format_delta_change(change)


def _column(name: str) -> Any:
    """A setting in the history: its field, but amounts as text."""
    if name not in setup.AMOUNTS:
        return name

    def column(auction: Auction) -> str:
        return cards.priced(getattr(auction, name), auction.currency_code) or "-"

    column.__name__ = name
    field: Any = Auction._meta.get_field(name)
    column.short_description = field.verbose_name  # type: ignore[attr-defined]
    return column


COLUMNS = ["distribution", *map(_column, setup.OF_AUCTION)]


@admin.register(Auction)
class AuctionAdmin(KindAdmin):
    """The versions of an auction's settings."""

    list_display = fields = readonly_fields = COLUMNS

    def get_historical_record_context_helper(self, request: HttpRequest, version: Any) -> Changes:
        """Called by simple-history."""
        return Changes(self.model, version)
