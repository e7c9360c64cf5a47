"""`manage.py apply`: what is wrong with an auction in a file is told, all of it, and nothing is changed."""

from pathlib import Path

import pytest

from tests.commands.test_apply import apply
from tests.commands.test_apply_auctions import AUCTION, PRICES, refusal, with_auction

pytestmark = pytest.mark.usefixtures("transactional_db", "clock")


def two_steps(first: int, small: int, second: int, large: int) -> str:
    return f"incrementTable: [{{from: {first}, increment: {small}}}, {{from: {second}, increment: {large}}}]"


SOFT = "extensionWindowSeconds: 60, extensionSeconds: 60"
WRONG = [
    ("startingPrice: null", "startingPrice", "This field cannot be null."),
    ('startingPrice: "-1"', "startingPrice", "An amount in EUR with at most 2 decimals, such as 150.00."),
    ("startingPrice: -1", "startingPrice", "at most 2 decimals"),
    ('startingPrice: "1.005"', "startingPrice", "at most 2 decimals"),
    ("startingPrice: 1.005", "startingPrice", "at most 2 decimals"),
    ('startingPrice: "1e3"', "startingPrice", "at most 2 decimals"),
    ("startingPrice: 1e-7", "startingPrice", "at most 2 decimals"),
    ("startingPrice: .nan", "startingPrice", "at most 2 decimals"),
    ("startingPrice: .inf", "startingPrice", "at most 2 decimals"),
    ("startingPrice: true", "startingPrice", "It must be an amount such as \"150.00\"."),
    ("startingPrice: [1]", "startingPrice", "It must be an amount such as \"150.00\"."),
    ('startingPrice: ""', "startingPrice", "at most 2 decimals"),
    ('startingPrice: "10000000000000.01"', "startingPrice", "At most 10000000000000.00."),
    ("startingPrice: 10000000000001", "startingPrice", "At most 10000000000000.00."),
    ("currencyCode: JPY, startingPrice: 1.5, minimumBidIncrement: 1", "startingPrice", "without decimals"),
    ('currencyCode: KWD, minimumBidIncrement: "1.0000"', "minimumBidIncrement", "at most 3"),
    ("minimumBidIncrement: null", "minimumBidIncrement", "This field cannot be null."),
    ("minimumBidIncrement: 0", "minimumBidIncrement", "An increment of nothing is none."),
    ("minimumBidIncrement: x", "minimumBidIncrement", "at most 2 decimals"),
    ("reservePrice: 99.99", "reservePrice", "A reserve below the starting price is met by any bid."),
    ("reservePrice: x", "reservePrice", "at most 2 decimals"),
    ("buyNowPrice: 100", "buyNowPrice", "above the starting price, and above the reserve"),
    ("buyNowPrice: 300, reservePrice: 300", "buyNowPrice", "above the starting price, and above the reserve"),
    ("buyNowPrice: 0", "buyNowPrice", "above the starting price"),
    ("showReserve: null", "showReserve", "It must be true or false."),
    ("showReserve: 1", "showReserve", "It must be true or false."),
    ("currencyCode: XXX", "currencyCode", "XXX is not a currency of ISO 4217, such as EUR."),
    ("currencyCode: eur", "currencyCode", "eur is not a currency"),
    ("currencyCode: EURO", "currencyCode", "not a currency"),
    ("currencyCode: 978", "currencyCode", "It must be text"),
    ("incrementTable: {from: 1, increment: 1}", "incrementTable", "It must be a list."),
    ("incrementTable: [5]", "incrementTable", "A list such as"),
    ("incrementTable: [{from: 200}]", "incrementTable", "A list such as"),
    ("incrementTable: [{from: 200, increment: 20, to: 5}]", "incrementTable", "A list such as"),
    ("incrementTable: [{from: 200, increment: x}]", "incrementTable", "at most 2 decimals"),
    ("incrementTable: [{from: 200, increment: 20.005}]", "incrementTable", "at most 2 decimals"),
    ("incrementTable: [{from: 200, increment: 0}]", "incrementTable", "A step of nothing is none."),
    ("incrementTable: [{from: 200, increment: 9.99}]", "incrementTable", "No step may be smaller than"),
    (two_steps(200, 20, 200, 30), "incrementTable", "Each row"),
    (two_steps(300, 20, 200, 30), "incrementTable", "Each row"),
    (two_steps(200, 30, 300, 20), "incrementTable", "Each row"),
    (f"incrementTable: [{', '.join(f'{{from: {n}, increment: 20}}' for n in range(51))}]", "incrementTable",
     "at most 50"),
    ("winnerCount: 0", "winnerCount", "A whole number from 1 to 1,000"),
    ("winnerCount: 1001", "winnerCount", "A whole number from 1 to 1,000"),
    ("winnerCount: null", "winnerCount", "It must be a whole number."),
    ("winnerCount: 1.5", "winnerCount", "It must be a whole number."),
    ("extensionWindowSeconds: 60", "extensionSeconds", "belong together"),
    ("extensionSeconds: 60", "extensionWindowSeconds", "belong together"),
    ("extensionWindowSeconds: 0, extensionSeconds: 60", "extensionWindowSeconds", "A whole number from 1"),
    ("extensionWindowSeconds: 60, extensionSeconds: 86401", "extensionSeconds", "to 86,400"),
    (f"{SOFT}, closeAt: null", "extensionWindowSeconds", "Without a closing there is nothing to extend."),
    (f"{SOFT}, maxExtensions: 0", "maxExtensions", "A whole number from 1 to 10,000"),
    (f"{SOFT}, maxExtensions: 10001", "maxExtensions", "A whole number from 1 to 10,000"),
    (f"{SOFT}, hardEndAt: now+9m", "hardEndAt", "It can't come before the closing."),
    ("hardEndAt: now+1h, closeAt: null", "hardEndAt", "It can't come before the closing."),
    ("hardEndAt: soon", "hardEndAt", "A time such as"),
    ("settleAt: now+9m", "settleAt", "It can't come before the closing, 2026-12-01T09:10:00Z."),
    ("openAt: now+10m", "closeAt", "It must be after the opening"),
    ("claimSeconds: 0", "claimSeconds", "A whole number from 1 to 2,592,000"),
    ("claimSeconds: 2592001", "claimSeconds", "A whole number from 1 to 2,592,000"),
    ("secondChance: null", "secondChance", "It must be true or false."),
    ("secondChance: 'yes'", "secondChance", "It must be true or false."),
    ("supportsGuest: null", "supportsGuest", "It must be true or false."),
    ("capacity: 5", "capacity", "Unknown name"),
    ("drawAt: now", "drawAt", "Unknown name"),
    ("high: 5", "high", "Unknown name"),
    ("announcedCloseAt: now", "announcedCloseAt", "Unknown name"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "name", "said"), WRONG)
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "known"])
def test_one_wrong_setting(tmp_path: Path, given: str, name: str, said: str, is_known: bool) -> None:
    if is_known:
        apply(tmp_path, with_auction())
    found = refusal(tmp_path, with_auction(given))
    assert list(found) == [f"{AUCTION}.{name}"]
    assert said in found[f"{AUCTION}.{name}"]


@pytest.mark.parametrize("name", PRICES)
def test_an_auction_needs_its_prices(tmp_path: Path, name: str) -> None:
    text = with_auction().replace(f"{name}: {PRICES[name]}, ", "")
    assert name not in text
    assert list(refusal(tmp_path, text)) == [f"{AUCTION}.{name}"]


def test_all_that_is_wrong_with_amounts_is_told_at_once(tmp_path: Path) -> None:
    names = ("startingPrice", "minimumBidIncrement", "reservePrice", "buyNowPrice", "incrementTable")
    found = refusal(tmp_path, with_auction(", ".join(f"{name}: x" for name in names)))
    assert set(found) == {f"{AUCTION}.{name}" for name in names}


def test_all_that_does_not_fit_together_is_told_at_once(tmp_path: Path) -> None:
    text = with_auction(
        "reservePrice: 1, buyNowPrice: 2, winnerCount: 0, claimSeconds: 0, hardEndAt: now, settleAt: now, "
        "extensionSeconds: 5, incrementTable: [{from: 1, increment: 1}], foo: 1"
    )
    names = ("reservePrice", "buyNowPrice", "winnerCount", "claimSeconds", "hardEndAt", "settleAt")
    more = ("extensionWindowSeconds", "incrementTable", "foo")
    assert set(refusal(tmp_path, text)) == {f"{AUCTION}.{name}" for name in (*names, *more)}
