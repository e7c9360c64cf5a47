"""Amounts of a bid: by the currency's decimals, as text or number; all else is refused and leaves nothing."""

import json
from typing import Any

import pytest
from django.db import models

from distributions.auctions.models import Bid, Bidder
from distributions.core.models import Distribution, Participation
from experiences.models import Event
from tests.api import bids
from tests.world import World, assert_error, path_of

LEFT: list[type[models.Model]] = [Bid, Bidder, Participation]


def left() -> list[int]:
    """What bids leave behind; sessions leave traces too."""
    counts = [model._default_manager.count() for model in LEFT]
    return [*counts, Event.objects.filter(name__startswith="auction").count()]


# --- Accepted -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("currency", "given", "minor", "told"),
    [
        ("EUR", '"150.00"', 15_000, "150.00"),
        ("EUR", '"150.5"', 15_050, "150.50"),
        ("EUR", '"150"', 15_000, "150.00"),
        ("EUR", '"000150.05"', 15_005, "150.05"),
        ("EUR", "150", 15_000, "150.00"),
        ("EUR", "150.5", 15_050, "150.50"),
        ("EUR", "150.05", 15_005, "150.05"),
        ("EUR", "4503599627370.49", 450_359_962_737_049, "4503599627370.49"),
        ("EUR", '"9999999999999.99"', 999_999_999_999_999, "9999999999999.99"),
        ("EUR", '"10000000000000.00"', 10**15, "10000000000000.00"),
        ("JPY", '"15000"', 15_000, "15000"),
        ("JPY", "15000", 15_000, "15000"),
        ("JPY", '"1000000000000000"', 10**15, "1000000000000000"),
        ("KWD", '"15.125"', 15_125, "15.125"),
        ("KWD", '"15.1"', 15_100, "15.100"),
        ("KWD", "15.125", 15_125, "15.125"),
        ("KWD", '"15"', 15_000, "15.000"),
    ],
)
def test_amounts_by_the_currency(
    world: World, clock: Any, currency: str, given: str, minor: int, told: str
) -> None:
    auction, guest = world.auction(currency_code=currency), world.consumer()
    body = bids.taken(guest.send("POST", f"{path_of(auction)}/bid", f'{{"amount": {given}}}'))
    assert (body["lastBidAmount"], body["currentHighBid"], body["currencyCode"]) == (told, told, currency)
    [bid] = bids.rows(auction)
    assert (bid.amount, bid.max_amount) == (minor, None)
    assert bids.highest(world, auction)["amount"] == told


def test_each_currency_shows_its_own_decimals(world: World, clock: Any) -> None:
    found = {}
    for currency in ("JPY", "EUR", "KWD"):
        auction = world.auction(currency_code=currency, starting=1, increment=1)
        shown = bids.shown(world, auction)
        found[currency] = [shown[name] for name in ("startingPrice", "minimumBidIncrement", "minimumNextBid")]
    assert found == {"JPY": ["1"] * 3, "EUR": ["0.01"] * 3, "KWD": ["0.001"] * 3}


# --- Refused --------------------------------------------------------------------------------------
NO_AMOUNTS = {
    # Decimals.
    "too many": '"150.001"',
    "too many noughts": '"150.000"',
    "too many of a number": "150.001",
    "four": '"150.0001"',
    "twenty": '"150.00000000000000000001"',
    "a point alone": '"."',
    "no whole": '".50"',
    "no decimals": '"150."',
    "two points": '"1.500.00"',
    "a comma": '"150,00"',
    "grouped": '"1,500.00"',
    "grouped by points": '"1_500"',
    # Signs.
    "negative": '"-150.00"',
    "a negative number": "-150",
    "a negative decimal": "-150.5",
    "negative nothing": "-0.0",
    "plus": '"+150.00"',
    "a minus sign": '"\u2212150"',
    # Exponents and what is no number.
    "an exponent": '"1e3"',
    "a large exponent": '"1E30"',
    "a large number's exponent": "1e30",
    "a small number's exponent": "1e-7",
    "NaN": '"NaN"',
    "nan": '"nan"',
    "Infinity": '"Infinity"',
    "-Infinity": '"-Infinity"',
    "inf": '"inf"',
    "sNaN": '"sNaN"',
    # Size.
    "nothing": '"0.00"',
    "a number of nothing": "0",
    "more than the most": '"10000000000000.01"',
    "a number more than the most": "10000000000001",
    "10^30": '"1' + "0" * 30 + '"',
    "10^30 as a number": "1" + "0" * 30,
    "2^63": str(2**63),
    "2^64": str(2**64),
    "sixty thousand digits": '"' + "9" * 60_000 + '"',
    "sixty thousand noughts": '"' + "0" * 60_000 + '"',
    "three hundred digits as a number": "9" * 300,
    "more digits than a number keeps": "99999999999999.991",
    # Text.
    "empty": '""',
    "a space": '" "',
    "spaces around": '" 150.00 "',
    "a line feed behind": '"150.00\\n"',
    "a space inside": '"1 500"',
    "a no-break space": '"150\u00a0"',
    "a currency": '"150 EUR"',
    "a sign of one": '"€150"',
    "words": '"a hundred"',
    "hexadecimal": '"0x96"',
    "a fraction": '"300/2"',
    "Arabic digits": '"\u0661\u0665\u0660"',
    "full-width digits": '"\uff11\uff15\uff10"',
    "Devanagari digits": '"\u0967\u096b\u0966"',
    "superscript digits": '"15\u00b2"',
    "SQL": '"150\'; DROP TABLE distributions_bid; --"',
    # Other things.
    "true": "true",
    "false": "false",
    "null": "null",
    "a list": "[150]",
    "an empty list": "[]",
    "an object": '{"value": "150.00"}',
    "a list of text": '["150.00"]',
}


@pytest.fixture(scope="module", params=["amount", "maxAmount"])
def field(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_no_amount(world: World, clock: Any, field: str) -> None:
    """All in one auction, which stays as it is; a null maximum is none, which is no mistake."""
    auction, guest = world.auction(), world.consumer()
    answered = {}
    before = left()
    for name, given in NO_AMOUNTS.items():
        if (field, name) == ("maxAmount", "null"):
            continue
        other = '"amount": "100.00", ' if field == "maxAmount" else ""
        body = f'{{{other}"{field}": {given}}}'
        answer = guest.send("POST", f"{path_of(auction)}/bid", body.encode())
        said = answer.json()
        fields = [detail["field"] for detail in said.get("details", [])]
        answered[name] = (answer.status_code, said.get("error"), fields)
    expected = (400, "Validation failed", [field])
    assert {name: said for name, said in answered.items() if said != expected} == {}
    assert left() == before
    assert bids.price(world, auction) == (None, None, "100.00")


@pytest.mark.parametrize(("currency", "given"), [("JPY", '"150.0"'), ("JPY", "150.5"), ("KWD", '"1.0000"')])
def test_more_decimals_than_the_currency_has(world: World, clock: Any, currency: str, given: str) -> None:
    auction, guest = world.auction(currency_code=currency, starting=1), world.consumer()
    answer = guest.send("POST", f"{path_of(auction)}/bid", f'{{"amount": {given}}}')
    body = assert_error(answer, 400, "Validation failed")
    how = {"JPY": "without decimals", "KWD": "with at most 3 decimals"}[currency]
    assert f"An amount in {currency} {how}" in body["details"][0]["message"]
    assert bids.rows(auction) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"150.00"',
        b'{"amount": NaN}',
        b'{"amount": Infinity}',
        b'{"amount": 0150}',
        b'{"amount": "\xff"}',
        b'{"amount": "\\ud800"}',
        b'{"amount": "150\\u0000"}',
        b'{"maxAmount": "150.00"}',
        b'{"Amount": "150.00"}',
    ],
)
def test_a_body_that_is_none(world: World, clock: Any, body: bytes) -> None:
    auction, guest = world.auction(), world.consumer()
    before = left()
    assert_error(guest.send("POST", f"{path_of(auction)}/bid", body), 400, "Validation failed")
    assert left() == before


def test_both_fields_are_told_at_once(world: World, clock: Any) -> None:
    auction, guest = world.auction(), world.consumer()
    body = assert_error(guest.bid(auction, "x", "y"), 400, "Validation failed")
    assert [detail["field"] for detail in body["details"]] == ["amount", "maxAmount"]


def test_a_maximum_of_null_is_none_and_unknown_fields_are_ignored(world: World, clock: Any) -> None:
    auction: Distribution = world.auction()
    body = json.dumps({"amount": "100.00", "maxAmount": None, "currency": "USD", "bidder": "x"})
    bids.taken(world.consumer().send("POST", f"{path_of(auction)}/bid", body))
    [bid] = bids.rows(auction)
    assert (bid.amount, bid.max_amount) == (10_000, None)
