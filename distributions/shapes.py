"""How each kind looks on the wire, for whoever shows several kinds at once. Stands above the kinds."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from distributions.core.models import Distribution, Kind
from distributions.core.standing import Standing
from distributions.queues import line
from distributions.queues import shape as queues


@dataclass(frozen=True)
class Shape:
    """The functions that fill a kind's serializers."""

    present: Callable[[Distribution, dt.datetime], dict[str, Any]]
    present_standing: Callable[[Distribution, Standing, dt.datetime], dict[str, Any]]
    # Whatever a standing's presentation would have to ask for, for all of a consumer's at once.
    prepare: Callable[[list[tuple[Distribution, Standing]]], list[tuple[Distribution, Standing]]]


SHAPES: dict[Kind, Shape] = {
    Kind.QUEUE: Shape(queues.present_queue, queues.present_standing, line.with_positions),
}
