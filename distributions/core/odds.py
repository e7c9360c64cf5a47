"""How likely an entry of each weight is among the winners: pure arithmetic, for the proof's groups.

The best of k ranks makes an entry k tickets in one hat, of which all are taken out with the first. So the
next winner is of a group with the chance of the group's share in the tickets that are left (weighted
drawing without replacement; Efraimidis and Spirakis, 2006).
"""

from collections import defaultdict
from math import comb, prod

MOST_STATES = 200_000  # of the exact count; above that, the limit for many winners, good to 0.02


def of_groups(groups: dict[int, int], winners: int) -> dict[int, float]:
    """By weight, the chance of each single entry; `groups` says how many entries of each weight there are."""
    groups = {weight: entries for weight, entries in groups.items() if entries}
    total = sum(groups.values())
    if winners >= total:
        return dict.fromkeys(groups, 1.0)
    if len(groups) == 1:
        return dict.fromkeys(groups, winners / total)
    states = comb(winners + len(groups) - 1, len(groups) - 1)
    if winners * min(states, prod(1 + min(entries, winners) for entries in groups.values())) <= MOST_STATES:
        return _exact(groups, winners)
    return _limit(groups, winners)


def _exact(groups: dict[int, int], winners: int) -> dict[int, float]:
    """Follow all ways in which winners can come from the groups: state by state, how many of each are out."""
    weights, sizes = list(groups), list(groups.values())
    states = {(0,) * len(weights): 1.0}
    for _ in range(winners):
        following: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for out, chance in states.items():
            tickets = [w * (n - o) for w, n, o in zip(weights, sizes, out, strict=True)]
            for number, share in enumerate(tickets):
                if share:
                    after = (*out[:number], out[number] + 1, *out[number + 1 :])
                    following[after] += chance * share / sum(tickets)
        states = following
    return {
        weight: sum(out[number] * chance for out, chance in states.items()) / sizes[number]
        for number, weight in enumerate(weights)
    }


def _limit(groups: dict[int, int], winners: int) -> dict[int, float]:
    """With many entries the last winner's rank is nearly certain: the share x of all ranks at which as many
    entries as there are winners have a ticket below, each with the chance 1 - (1 - x)^weight.
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        below = sum(entries * (1 - (1 - share) ** weight) for weight, entries in groups.items())
        low, high = (share, high) if below < winners else (low, share)
    return {weight: 1 - (1 - low) ** weight for weight in groups}
