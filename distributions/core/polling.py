"""When a consumer who waits should ask again: soon if something may happen soon, and not all at once."""

import random

NEAR, FAR = 2, 30  # seconds
SPREAD = 0.2  # of the advice, each way


def advise(seconds: float) -> int:
    """About so many seconds, within the bounds, spread by some jitter."""
    spread = random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 (nothing depends on it)
    return max(NEAR, min(FAR, round(seconds * spread)))
