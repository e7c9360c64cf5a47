"""The odds that a proof states of each weight, against closed forms, other ways to count, and draws."""

import itertools
from collections import Counter
from hashlib import sha256
from math import comb, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from distributions.core import odds, selection
from tests.pure.test_selection import DRAW, SALT


@given(some.dictionaries(some.integers(1, 100), some.integers(1, 10**6), min_size=1, max_size=20))
def test_one_winner(groups: dict[int, int]) -> None:
    """Of all tickets one is drawn."""
    tickets = sum(weight * entries for weight, entries in groups.items())
    found = odds.of_groups(groups, 1)
    if sum(groups.values()) > 1:
        assert found == pytest.approx({weight: weight / tickets for weight in groups})


def enumerated(groups: dict[int, int], winners: int) -> dict[int, float]:
    """Over all orders in which winners may come, each with its chance."""
    entries = [weight for weight, number in groups.items() for _ in range(number)]
    found = dict.fromkeys(groups, 0.0)
    for order in itertools.permutations(range(len(entries)), winners):
        left, chance = sum(entries), 1.0
        for one in order:
            chance *= entries[one] / left
            left -= entries[one]
        for one in order:
            found[entries[one]] += chance
    return {weight: chance / groups[weight] for weight, chance in found.items()}


@pytest.mark.parametrize(
    ("groups", "winners"),
    [
        ({1: 9, 3: 4}, 2),
        ({1: 5, 2: 3, 100: 2}, 2),
        ({weight: 1 for weight in (1, 2, 3, 5, 8, 13, 21, 34)}, 2),
        ({1: 4, 7: 3}, 3),
        ({1: 2, 2: 2, 3: 2, 50: 1}, 4),
    ],
)
def test_some_winners_by_enumeration(groups: dict[int, int], winners: int) -> None:
    assert odds.of_groups(groups, winners) == pytest.approx(enumerated(groups, winners), abs=1e-12)


@pytest.mark.parametrize(
    ("entries", "winners"), [(1, 1), (100, 10), (7, 3), (10**6, 1000), (10**7, 9_999_999)]
)
@pytest.mark.parametrize("weight", [1, 3, 100])
def test_all_equal(entries: int, winners: int, weight: int) -> None:
    assert odds.of_groups({weight: entries}, winners) == {weight: pytest.approx(winners / entries)}


def test_nobody_and_everybody() -> None:
    assert odds.of_groups({}, 5) == {}
    assert odds.of_groups({1: 3, 2: 0, 5: 2}, 5) == {1: 1.0, 5: 1.0}
    assert odds.of_groups({1: 3, 5: 2}, 6) == {1: 1.0, 5: 1.0}


def integrated(groups: dict[int, int], winners: int, steps: int = 200) -> dict[int, float]:
    """In another way: an entry whose rank is the share x of all wins when fewer than `winners` others have a
    smaller one, each with the chance 1 - (1-x)^weight; summed over x (by its root, since winners' are small).
    """

    def fewer(x: float, others: dict[int, int]) -> float:
        chances = [1.0] + [0.0] * (winners - 1)  # of how many are below
        for weight, entries in others.items():
            p = 1 - (1 - x) ** weight
            most = range(min(entries + 1, winners))
            each = [comb(entries, k) * p**k * (1 - p) ** (entries - k) for k in most]
            each += [0.0] * (winners - len(each))
            chances = [sum(chances[i] * each[k - i] for i in range(k + 1)) for k in range(winners)]
        return sum(chances)

    found = {}
    for weight in groups:
        others = {**groups, weight: groups[weight] - 1}
        roots = [(step + 0.5) / steps for step in range(steps)]
        below = [weight * (1 - r * r) ** (weight - 1) * fewer(r * r, others) * 2 * r for r in roots]
        found[weight] = sum(below) / steps
    return found


@pytest.mark.parametrize(
    ("groups", "winners"),
    [({1: 60, 3: 30, 10: 9}, 12), ({1: 500, 2: 100}, 25), ({weight: 2 for weight in range(1, 9)}, 4)],
)
def test_more_winners_by_integration(groups: dict[int, int], winners: int) -> None:
    assert odds.of_groups(groups, winners) == pytest.approx(integrated(groups, winners), abs=1e-4)


LARGE: list[tuple[dict[int, int], int]] = [
    ({1: 900, 3: 90, 100: 10}, 50),
    ({1: 10**5, 2: 10**4, 100: 50}, 72),
    ({1: 3_000, 5: 40}, 400),
    ({1: 300, 3: 200}, 440),
]


@pytest.mark.parametrize(("groups", "winners"), LARGE)
def test_the_limit_is_close_for_larger_numbers(groups: dict[int, int], winners: int) -> None:
    exact, limit = odds._exact(groups, winners), odds._limit(groups, winners)
    assert limit == pytest.approx(exact, abs=2e-3, rel=2e-2)
    for found in (exact, limit):
        assert sum(entries * found[weight] for weight, entries in groups.items()) == pytest.approx(winners)


AWAY: list[tuple[dict[int, int], int]] = [
    (dict.fromkeys(range(1, 21), 1), 5),
    (dict.fromkeys(range(1, 21), 5), 5),
    ({1: 5, 2: 1, 4: 30, 8: 1, 16: 3, 32: 1, 64: 3, 100: 5}, 15),
    ({1: 2, 2: 1, 4: 2, 8: 5, 16: 5, 32: 5, 64: 3, 100: 2}, 24),
]


@pytest.mark.parametrize(("groups", "winners"), AWAY)
def test_the_limit_where_it_is_least_at_home(groups: dict[int, int], winners: int) -> None:
    """Few entries of many weights, and already too many states to follow: two per cent at most."""
    found = odds.of_groups(groups, winners)
    assert found == odds._limit(groups, winners)
    assert found == pytest.approx(integrated(groups, winners, 100), abs=2e-2)


def test_few_entries_are_followed_one_by_one_though_many_win() -> None:
    """The limit would be off by five per cent."""
    groups, winners = {1: 1, 2: 1, 4: 1, 8: 5, 16: 1, 32: 1, 40: 1, 64: 1}, 11
    found = odds.of_groups(groups, winners)
    assert found == pytest.approx(integrated(groups, winners), abs=1e-3)
    limit = odds._limit(groups, winners)
    assert max(abs(limit[weight] - found[weight]) for weight in groups) > 0.05


@pytest.mark.parametrize(
    ("groups", "winners", "number"), [({1: 30, 3: 10, 10: 3}, 8, 3_000), ({1: 20, 2: 20, 100: 1}, 3, 3_000)]
)
def test_simulated(groups: dict[int, int], winners: int, number: int) -> None:
    """So often does each group win in draws as they are done, with a fixed list of seeds."""
    weights = bytes(weight for weight, entries in groups.items() for _ in range(entries))
    root, won = selection.root(selection.leaves(DRAW, weights, SALT)), Counter[int]()
    for at in range(number):
        key = selection.draw_key(sha256(b"%d" % at).digest(), root, len(weights), winners)
        won.update(weights[one - 1] for _, one in selection.order(weights, key, winners))
    for weight, chance in odds.of_groups(groups, winners).items():
        expected = number * groups[weight] * chance
        deviation = sqrt(expected * (1 - chance))  # at most: who wins is taken out
        assert abs(won[weight] - expected) < 4 * deviation
    assert won.total() == number * winners
