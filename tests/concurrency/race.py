"""`race`: the same thing done by many at the same instant, each with a database connection of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.db import connections

T = TypeVar("T")
TOGETHER_SECONDS = 30  # until all are at the barrier


@dataclass
class Outcome(Generic[T]):
    """What came back, in the order of the runners; who raised stands in `errors` instead."""

    results: list[T] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def all(self) -> list[T]:
        """The results, when nobody raised; otherwise the first error."""
        if self.errors:
            raise self.errors[0]
        return self.results


def race(number: int, run: Callable[[int], T]) -> Outcome[T]:
    """`run(0)` … `run(number - 1)` in real threads that all start behind one barrier."""
    barrier = threading.Barrier(number)

    def runner(index: int) -> T | Exception:
        try:
            barrier.wait(TOGETHER_SECONDS)
            return run(index)
        except Exception as problem:
            return problem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        found = list(pool.map(runner, range(number)))
    outcome: Outcome[T] = Outcome()
    for one in found:
        if isinstance(one, Exception):
            outcome.errors.append(one)
        else:
            outcome.results.append(one)
    return outcome
