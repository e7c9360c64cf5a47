"""Amounts of money: whole minor units inside, decimal text outside, and nothing in between.

How many decimals a currency has is ISO 4217's word (JPY 0, EUR 2, KWD 3), by the library `iso4217`;
no amount is ever computed as a float.
"""

import re
from functools import lru_cache

from iso4217 import Currency

MOST = 10**15  # minor units; exact also as a JSON number in every browser
_TEXT = re.compile(r"([0-9]{1,16})(?:\.([0-9]{1,4}))?")
_EXACT_DIGITS = 15  # of a JSON number with decimals: beyond, a double may be another number


def is_currency(code: str) -> bool:
    """Whether ISO 4217 has it, and as money: gold and test codes have no minor unit."""
    return _decimals(code) is not None


def decimals(code: str) -> int:
    """How many decimals the currency has. Raises ValueError for what is no currency."""
    found = _decimals(code)
    if found is None:
        raise ValueError(f"{code} is not a currency of ISO 4217.")
    return found


@lru_cache(maxsize=512)
def _decimals(code: str) -> int | None:
    try:
        found: int | None = Currency(code).exponent
    except ValueError:
        return None
    return found


def parse(value: object, currency: str) -> int:
    """Minor units from `"150.00"`, or from a JSON number. Raises ValueError with what is expected.

    No sign, no exponent, no grouping, at most as many decimals as the currency has, at most `MOST`.
    """
    places = decimals(currency)
    found = _TEXT.fullmatch(written(value))
    if found is None or len(found[2] or "") > places:
        how = f"with at most {places} decimals" if places else "without decimals"
        raise ValueError(f"An amount in {currency} {how}, such as {text(15000, currency)}.")
    whole, part = found[1], (found[2] or "").ljust(places, "0")
    minor = int(whole + part)
    if minor > MOST:
        raise ValueError(f"At most {text(MOST, currency)}.")
    return minor


def written(value: object) -> str:
    """The value as it was written; a number by its shortest exact text. Empty for what is no amount."""
    if isinstance(value, str):
        return value
    if isinstance(text := getattr(value, "written", None), str):  # by a parser that keeps it
        return text
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) <= MOST:
        return str(int(value)) if value >= 0 else ""
    written = str(value)
    is_exact = isinstance(value, int) or len(written.replace(".", "").lstrip("0")) <= _EXACT_DIGITS
    return written if is_exact else ""


def text(minor: int, currency: str) -> str:
    """`15000` of EUR as `"150.00"`: always with all of the currency's decimals."""
    places = decimals(currency)
    digits = str(minor).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits
