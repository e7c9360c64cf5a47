"""An auction's settings: their names and bounds, what fits together, and what can't change any more.

Faces give amounts as text, which is read by the auction's currency; inside they are minor units.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from distributions.auctions import validation
from distributions.auctions.models import Auction
from distributions.core.models import Distribution, Kind
from distributions.core.setup import CLOSED, DAY, Problems, Rows, Settings
from experiences.setup import Changes
from fanfare import money
from fanfare.wire import iso

AMOUNTS = ("starting_price", "minimum_bid_increment", "reserve_price", "buy_now_price")
OF_AUCTION = (
    "currency_code",
    *AMOUNTS,
    "increment_table",
    "show_reserve",
    "winner_count",
    "extension_window_seconds",
    "extension_seconds",
    "max_extensions",
    "hard_end_at",
    "settle_at",
    "claim_seconds",
    "second_chance",
)
BOUNDS = {
    "winner_count": (1, 1_000),
    "extension_window_seconds": (1, DAY),
    "extension_seconds": (1, DAY),
    "max_extensions": (1, 10_000),
    "claim_seconds": (1, 30 * DAY),
}
# What bidders were told: fixed as soon as somebody has bid. Closing is moved by buttons then.
OF_THE_BIDS = (
    "currency_code",
    *AMOUNTS,
    "increment_table",
    "winner_count",
    "extension_window_seconds",
    "extension_seconds",
    "max_extensions",
    "hard_end_at",
    "open_at",
    "close_at",
    "settle_at",
    "claim_seconds",
)
_BID = "Somebody has bid; this can't change any more."


def _complete(rows: Rows, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Amounts in minor units of the currency, which is the organization's where none is given; no guests,
    unless said; the closing that was announced is the one it has, however often it was extended since.
    """
    is_new = rows.distribution._state.adding
    found = {**({"supports_guest": False, "increment_table": []} if is_new else {}), **values}
    currency = found.get("currency_code", rows.kind.currency_code)
    if not currency:
        currency = found["currency_code"] = rows.distribution.organization.currency_code
    if not isinstance(currency, str) or not money.is_currency(currency):
        raise ValidationError({"currency_code": f"{currency} is not a currency of ISO 4217, such as EUR."})
    is_other = not is_new and currency != rows.kind.currency_code
    amounts = (_kept(rows) if is_other else {}) | {name: found[name] for name in _MONEY if name in found}
    announced = rows.kind.announced_close_at
    if "close_at" in found and announced is not None and found["close_at"] == announced:
        found["close_at"] = rows.distribution.close_at
    return found | _read(amounts, currency)


_MONEY = (*AMOUNTS, "increment_table")


def _kept(rows: Rows) -> dict[str, Any]:
    """The amounts there are, as text that another currency may read: without decimals that say nothing."""

    def shorter(text: str) -> str:
        return text.rstrip("0").rstrip(".") if "." in text else text

    currency = rows.kind.currency_code
    found: dict[str, Any] = {
        name: shorter(money.text(value, currency))
        for name in AMOUNTS
        if (value := rows.get(name)) is not None
    }
    table = rows.kind.increment_table
    return found | {"increment_table": [{key: shorter(row[key]) for key in row} for row in table]}


def _read(amounts: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The amounts as they are stored. Raises ValidationError with all that are none."""
    found: dict[str, Any] = {}
    problems: dict[str, list[str]] = {}
    for name, value in amounts.items():
        read: Callable[[Any, str], Any] = (
            validation.increment_table if name == "increment_table" else validation.amount
        )
        try:
            found[name] = value if value is None or _is_minor(name, value) else read(value, currency)
        except ValidationError as problem:
            problems[name] = problem.messages
    if problems:
        raise ValidationError(problems)
    return found


def _is_minor(name: str, value: Any) -> bool:
    """Whether it is an amount in minor units already, which is what code gives; faces give text."""
    return name in AMOUNTS and isinstance(value, int)


def _problems(rows: Rows) -> Problems:
    auction = rows.kind
    problems = _amount_problems(auction) | _closing_problems(rows)
    steps = validation.steps(auction.increment_table, auction.currency_code)
    if steps and auction.minimum_bid_increment is not None and steps[0][1] < auction.minimum_bid_increment:
        problems["increment_table"] = "No step may be smaller than the minimum bid increment."
    return problems


def _amount_problems(auction: Auction) -> Problems:
    starts, reserve, buys = auction.starting_price, auction.reserve_price, auction.buy_now_price
    problems: Problems = {}
    if starts is None or auction.minimum_bid_increment is None:
        return problems  # the fields' own check says so
    if auction.minimum_bid_increment < 1:
        problems["minimum_bid_increment"] = "An increment of nothing is none."
    if reserve is not None and reserve < starts:
        problems["reserve_price"] = "A reserve below the starting price is met by any bid."
    if buys is not None and buys <= max(starts, reserve or 0):
        problems["buy_now_price"] = "It must be above the starting price, and above the reserve."
    return problems


def _closing_problems(rows: Rows) -> Problems:
    auction, closes = rows.kind, rows.distribution.close_at
    problems: Problems = {}
    window, lasts = auction.extension_window_seconds, auction.extension_seconds
    if (window is None) != (lasts is None):
        missing = "extension_seconds" if lasts is None else "extension_window_seconds"
        problems[missing] = (
            "The window and the seconds of an extension belong together: set both, or neither."
        )
    elif window is not None and closes is None:
        problems["extension_window_seconds"] = (
            "Without a closing there is nothing to extend. Set one, or leave this empty."
        )
    if auction.hard_end_at is not None and (closes is None or auction.hard_end_at < closes):
        problems["hard_end_at"] = "It can't come before the closing. Set it later, or leave it empty."
    if auction.second_chance and auction.claim_seconds is None:
        problems["second_chance"] = (
            "Without a time to complete, no place comes back by itself. Set one, or switch this off."
        )
    if auction.settle_at is not None and closes is not None and auction.settle_at < _announced(rows):
        problems["settle_at"] = f"It can't come before the closing, {iso(_announced(rows))}."
    return problems


def _announced(rows: Rows) -> Any:
    """The closing as set; that it was extended since moves nothing else."""
    return rows.kind.announced_close_at if rows.tally.entered else rows.distribution.close_at


def _late(rows: Rows, changes: Changes, now: dt.datetime) -> Problems:
    return {name: text for name, text in _fixed(rows).items() if name in changes}


def _fixed(rows: Rows) -> Problems:
    """The settings that can't change any more, and why."""
    fixed: Problems = {}
    if rows.tally.entered:
        fixed |= dict.fromkeys(OF_THE_BIDS, _BID)
    if rows.distribution.closed_at is not None:
        fixed |= dict.fromkeys(OF_THE_BIDS, CLOSED)
    is_final = rows.kind.settled_at is not None or rows.kind.cancelled_at is not None
    if is_final and not rows.kind.second_chance:
        fixed["second_chance"] = "It is settled: whoever lost was told so."
    return fixed


def fixed(distribution: Distribution, now: dt.datetime) -> set[str]:
    """The settings that can't change any more."""
    return set(_fixed(Rows(distribution, distribution.tally, distribution.auction, OF_AUCTION)))


def _finish(rows: Rows) -> None:
    """What was set is what was announced; bids may move it from here."""
    auction, closes = rows.kind, rows.distribution.close_at
    if not rows.tally.entered and auction.announced_close_at != closes:
        Auction.objects.filter(pk=auction.pk).update(announced_close_at=closes)
        auction.announced_close_at = closes


SETTINGS = Settings(
    Kind.AUCTION, "auction", Auction, OF_AUCTION, BOUNDS, _problems, _late, _finish, _complete
)
