"""Ten thousand draws of ten from a hundred, with a fixed list of seeds: as uniform as chance would have it.

Winners are taken out of the hat, so counts of them are not independent; each statistic is divided by how much
such counts vary, so that it is distributed as chi-square.
"""

import itertools
import random
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from math import comb, sqrt

import pytest

from distributions.core import selection
from tests.pure.test_selection import DRAW, SALT

DRAWS, ENTRIES, PLACES = 10_000, 100, 10
Z = 3.0902  # of the normal distribution at 0.999


def critical(df: int, z: float) -> float:
    """Of chi-square, by Wilson and Hilferty (1931), good to a per mille for so many degrees."""
    return df * (1 - 2 / (9 * df) + z * sqrt(2 / (9 * df))) ** 3


def test_the_critical_values_are_those_of_the_tables() -> None:
    for df, upper, lower in [(100, 149.449, 61.918), (1_000, 1143.917, 867.476)]:
        assert critical(df, Z) == pytest.approx(upper, rel=1e-3)
        assert critical(df, -Z) == pytest.approx(lower, rel=1e-3)


def drawn(weights: bytes = bytes([1] * ENTRIES), number: int = DRAWS) -> list[list[int]]:
    """The winners of so many draws, counted from 0, in order; draw i has the seed SHA-256(i)."""
    root = selection.root(selection.leaves(DRAW, weights, SALT))
    found = []
    for at in range(number):
        key = selection.draw_key(sha256(b"%d" % at).digest(), root, len(weights), PLACES)
        found.append([number - 1 for _, number in selection.order(weights, key, PLACES)])
    return found


def of_wins(draws: list[list[int]]) -> tuple[float, int]:
    """How often each entry won. Winners are taken out of the hat, so counts vary less than free ones:
    their covariance is K p (1-p) N/(N-1) times the projection that takes the mean away.
    """
    counts = Counter(itertools.chain.from_iterable(draws))
    share = PLACES / ENTRIES
    expected = len(draws) * share
    variance = expected * (1 - share) * ENTRIES / (ENTRIES - 1)
    return sum((counts[one] - expected) ** 2 for one in range(ENTRIES)) / variance, ENTRIES - 1


def of_places(draws: list[list[int]]) -> tuple[float, int]:
    """Which entry got which place, beyond how often it won at all: a table of places by entries.

    Within it two places vary together as 1 to -1/(N-1), so all contrasts of places have K/N · N/(N-1).
    """
    counts = Counter((place, one) for winners in draws for place, one in enumerate(winners))
    expected = len(draws) / ENTRIES
    total = 0.0
    for one in range(ENTRIES):
        off = [counts[place, one] - expected for place in range(PLACES)]
        total += sum(each**2 for each in off) - sum(off) ** 2 / PLACES
    return total / (expected * ENTRIES / (ENTRIES - 1)), (PLACES - 1) * (ENTRIES - 1)


def of_pairs(draws: list[list[int]]) -> tuple[float, int]:
    """Which two won together, of 4,950 pairs, beyond how often each won: the counts of pairs without what
    a[i] + a[j] explains vary as K (p2 - 2 p3 + p4), p3 being the chance that three given entries all win.
    """
    counts = Counter(pair for winners in draws for pair in itertools.combinations(sorted(winners), 2))
    p2, p3, p4 = (comb(PLACES, k) / comb(ENTRIES, k) for k in (2, 3, 4))
    expected = len(draws) * p2
    rows = [0.0] * ENTRIES
    total = 0.0
    for i, j in itertools.combinations(range(ENTRIES), 2):
        off = counts[i, j] - expected
        total += off**2
        rows[i] += off
        rows[j] += off
    explained = sum((row / (ENTRIES - 2)) ** 2 for row in rows) * (ENTRIES - 2)
    return (total - explained) / (len(draws) * (p2 - 2 * p3 + p4)), ENTRIES * (ENTRIES - 3) // 2


TESTS: list[Callable[[list[list[int]]], tuple[float, int]]] = [of_wins, of_places, of_pairs]


def verdicts(draws: list[list[int]]) -> dict[str, bool]:
    """Whether each statistic is as chance would have it, at p > 0.001 on either side."""
    found = {}
    for test in TESTS:
        statistic, df = test(draws)
        found[test.__name__] = critical(df, -Z) < statistic < critical(df, Z)
    return found


def test_ten_thousand_draws_of_ten_from_a_hundred_are_uniform() -> None:
    assert verdicts(drawn()) == {"of_wins": True, "of_places": True, "of_pairs": True}


def fair(dice: random.Random) -> list[int]:
    return dice.sample(range(ENTRIES), PLACES)


def ends_with_the_best(dice: random.Random) -> list[int]:
    """Half of the time the winners come sorted."""
    winners = fair(dice)
    return sorted(winners) if dice.random() < 0.5 else winners


def in_couples(dice: random.Random) -> list[int]:
    """Now and then two neighbours win together."""
    winners = fair(dice)
    if dice.random() < 0.3 and winners[0] ^ 1 not in winners:
        winners[1] = winners[0] ^ 1
    return winners


@pytest.mark.parametrize(
    ("draw", "caught"),
    [(fair, set()), (ends_with_the_best, {"of_places"}), (in_couples, {"of_pairs"})],
)
def test_the_controls_are_caught_by_what_should_catch_them(
    draw: Callable[[random.Random], list[int]], caught: set[str]
) -> None:
    """Python's own dice pass; draws that are unfair in one respect fail in that one alone."""
    dice = random.Random(5)
    found = verdicts([draw(dice) for _ in range(DRAWS)])
    assert {name for name, is_fine in found.items() if not is_fine} == caught


def test_the_control_with_one_heavier_entry_is_caught() -> None:
    weights = bytes([2, *[1] * (ENTRIES - 1)])
    statistic, df = of_wins(drawn(weights, 2_000))
    assert statistic > critical(df, Z)
