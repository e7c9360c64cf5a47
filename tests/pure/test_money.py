"""Amounts of money: text and numbers to minor units and back, exactly, by each currency's decimals."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fanfare import money

DECIMALS = {"JPY": 0, "KRW": 0, "EUR": 2, "USD": 2, "CHF": 2, "KWD": 3, "BHD": 3, "CLF": 4}
currencies = some.sampled_from(sorted(DECIMALS))


@pytest.mark.parametrize(("currency", "places"), DECIMALS.items())
def test_decimals_are_iso_4217s(currency: str, places: int) -> None:
    assert (money.decimals(currency), money.is_currency(currency)) == (places, True)


@pytest.mark.parametrize("code", ["", "EU", "EURO", "eur", "ABC", "XAU", "XXX", "XTS", "€", "EUR ", "\x00"])
def test_what_is_no_money(code: str) -> None:
    assert not money.is_currency(code)
    with pytest.raises(ValueError, match="not a currency"):
        money.decimals(code)
    with pytest.raises(ValueError, match="not a currency"):
        money.parse("1", code)


@given(currencies, some.integers(0, money.MOST))
def test_there_and_back(currency: str, minor: int) -> None:
    shown = money.text(minor, currency)
    assert money.parse(shown, currency) == minor
    assert Decimal(shown) * 10 ** DECIMALS[currency] == minor
    assert len(shown.partition(".")[2]) == DECIMALS[currency]


@given(currencies, some.integers(0, money.MOST))
def test_a_number_of_json_is_the_same_amount(currency: str, minor: int) -> None:
    """By the shortest text of the float, of which fifteen digits are exact."""
    assert money.parse(float(money.text(minor, currency)), currency) == minor


@given(currencies, some.floats())
def test_any_float_is_that_amount_or_none(currency: str, value: float) -> None:
    try:
        minor = money.parse(value, currency)
    except ValueError:
        return
    assert value >= 0
    assert float(money.text(minor, currency)) == value


@given(currencies, some.text())
def test_any_text_is_that_amount_or_none(currency: str, value: str) -> None:
    try:
        minor = money.parse(value, currency)
    except ValueError:
        return
    assert set(value) <= set("0123456789.")
    assert Decimal(value) * 10 ** DECIMALS[currency] == minor


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("0", "EUR", 0),
        ("0.01", "EUR", 1),
        ("150", "EUR", 15_000),
        ("150.5", "EUR", 15_050),
        ("0000000000000150", "EUR", 15_000),
        (150, "EUR", 15_000),
        (150.0, "EUR", 15_000),
        (0.1, "EUR", 10),
        (0.29, "EUR", 29),  # of which binary floats make 28.999999999999996
        (4.35, "EUR", 435),
        (1.005, "KWD", 1_005),
        (9_999_999_999_999.99, "EUR", 999_999_999_999_999),
        (10**13, "EUR", money.MOST),
        (10**15, "JPY", money.MOST),
        (1e15, "JPY", money.MOST),
        ("10000000000000.00", "EUR", money.MOST),
    ],
)
def test_amounts(value: object, currency: str, minor: int) -> None:
    assert money.parse(value, currency) == minor


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "1 ", " 1", "1\n", "-1", "+1", "1e2", "1E2", "1,00", "1.", ".1", "1.2.3", "1.234", "0x1",
        "1_0", "NaN", "Infinity", "\u0661", "\uff11", "\u00b2", "1\u00a0", "10000000000000.01",
        "1" + "0" * 30,
        "0" * 17, None, True, False, [], {}, b"1", Decimal(1), -1, -0.5, 1.234, 1e-7, 1e22, 1e30, 10**30,
        10**13 + 1, float("nan"), float("inf"), float("-inf"), 123456789012.1234,
    ],
)  # fmt: skip
def test_what_is_no_amount(value: object) -> None:
    with pytest.raises(
        ValueError, match="An amount in EUR with at most 2 decimals|At most 10000000000000.00"
    ):
        money.parse(value, "EUR")


def test_what_is_said_of_it() -> None:
    examples = {"JPY": "without decimals, such as 15000", "EUR": "2 decimals, such as 150.00"}
    for currency, said in {**examples, "KWD": "3 decimals, such as 15.000"}.items():
        with pytest.raises(ValueError, match=rf"{re.escape(said)}\.$"):
            money.parse("x", currency)
    with pytest.raises(ValueError, match=r"^At most 1000000000000\.000\.$"):
        money.parse("1000000000000.001", "KWD")


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (0, "JPY", "0"),
        (0, "EUR", "0.00"),
        (5, "EUR", "0.05"),
        (50, "EUR", "0.50"),
        (100, "EUR", "1.00"),
        (5, "KWD", "0.005"),
        (15_000, "JPY", "15000"),
        (money.MOST, "EUR", "10000000000000.00"),
    ],
)
def test_text_has_all_decimals(minor: int, currency: str, shown: str) -> None:
    assert money.text(minor, currency) == shown
