"""What staff may type into an auction's currency and table of steps. Validators raise ValidationError."""

from typing import Any

from django.core.exceptions import ValidationError

from fanfare import money

MOST_STEPS = 50
_TABLE = 'A list such as [{"from": "1000.00", "increment": "50.00"}].'


def currency(value: str) -> None:
    """A currency of ISO 4217."""
    if not money.is_currency(value):
        raise ValidationError("A currency of ISO 4217, such as EUR.")


def amount(value: Any, currency_code: str) -> int:
    """Minor units of what staff typed, or a file says. Raises ValidationError."""
    try:
        return money.parse(value, currency_code)
    except ValueError as problem:
        raise ValidationError(str(problem)) from None


def increment_table(value: Any, currency_code: str) -> list[dict[str, str]]:
    """The steps with their amounts as text, as they are stored. Raises ValidationError.

    Prices and steps must both rise: otherwise the next bid could be less than the one before.
    """
    if not isinstance(value, list) or len(value) > MOST_STEPS:
        raise ValidationError(f"{_TABLE[:-1]} of at most {MOST_STEPS}.")
    if any(not isinstance(row, dict) or set(row) != {"from", "increment"} for row in value):
        raise ValidationError(_TABLE)
    rows = [(amount(row["from"], currency_code), amount(row["increment"], currency_code)) for row in value]
    for before, after in zip(rows, rows[1:], strict=False):
        if after[0] <= before[0] or after[1] < before[1]:
            raise ValidationError("Each row from a higher price than the one before, by no smaller a step.")
    if any(step < 1 for _, step in rows):
        raise ValidationError("A step of nothing is none.")
    return [
        {"from": money.text(start, currency_code), "increment": money.text(step, currency_code)}
        for start, step in rows
    ]


def steps(table: list[dict[str, str]], currency_code: str) -> tuple[tuple[int, int], ...]:
    """A stored table in minor units: from which price, by how much."""
    return tuple(
        (money.parse(row["from"], currency_code), money.parse(row["increment"], currency_code))
        for row in table
    )
