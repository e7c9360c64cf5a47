"""One line of the speed table: a figure beside its yardstick, and whether the goal is reached."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench import load


@dataclass(frozen=True)
class Row:
    """One line of the table; the ratios are one a round. `goal` is read with `at_least`."""

    name: str
    yardstick: str
    figures: list[str]
    ratios: list[float]
    goal: float
    at_least: bool

    def __str__(self) -> str:
        ratio = statistics.median(self.ratios)
        reached = ratio >= self.goal if self.at_least else ratio <= self.goal
        sign = "≥" if self.at_least else "≤"
        spread = f"{min(self.ratios):.2f}–{max(self.ratios):.2f}"
        verdict = "reached" if reached else "MISSED"
        return (
            f"| {self.name} | {self.figures[0]} | {self.yardstick} | {self.figures[1]} "
            f"| {ratio:.2f} ({spread}) | {sign} {self.goal} | {verdict} |"
        )


def rate_row(
    name: str, yardstick: str, row: list[load.Figures], other: list[load.Figures], goal: float
) -> Row:
    """Requests a second, one figure a round."""
    ratios = [a.rate / b.rate for a, b in zip(row, other, strict=True)]
    figures = [f"{statistics.median(f.rate for f in found):,.0f}/s" for found in (row, other)]
    return Row(name, yardstick, figures, ratios, goal, True)


def time_row(name: str, yardstick: str, times: list[tuple[float, float]], goal: float) -> Row:
    """Seconds, a pair a round."""
    figures = [f"{statistics.median(column):.2f} s" for column in zip(*times, strict=True)]
    return Row(name, yardstick, figures, [row / other for row, other in times], goal, False)


def seconds(work: Callable[[], object]) -> float:
    """How long something took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
