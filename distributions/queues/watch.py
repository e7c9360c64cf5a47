"""A queue on its live page: who waits, how fast it goes, what became of those who came."""

import datetime as dt

from distributions.core import figures, watching
from distributions.core.models import Distribution, Status
from distributions.core.standing import Standing
from distributions.core.watching import Chart, Watched
from distributions.queues import line


def watch(distribution: Distribution, now: dt.datetime) -> Watched:
    """The line, the rate, and both directions of traffic over the last hour."""
    tally, queue, gone = distribution.tally, distribution.queue, watching.gone(distribution)
    wait = line.wait_seconds(distribution, tally.taken + 1, now)
    rate = "by hand" if queue.admission_rate is None else f"at {queue.admission_rate:,} a minute"
    hour = figures.of(distribution.pk, now)
    came, admitted = hour.of("queue.consumer.entered"), hour.of("queue.consumer.admitted")
    cards = [
        ("Waiting", f"{tally.taken:,}", watching.of(tally.places)),
        ("Wait now", watching.spelled(wait), "of who comes now"),
        ("Came", f"{came[-2]:,}", "in the last whole minute"),
        ("Let in", f"{admitted[-2]:,}", f"in that minute, {rate}"),
        ("Admitted", f"{tally.admitted:,}", watching.of(queue.max_admissions) or "since the start"),
        ("Inside", f"{tally.inside:,}", watching.of(queue.max_active)),
        ("Completed", f"{tally.completed:,}", ""),
        ("No-shows", f"{tally.returned:,}", "admissions not used"),
        ("Denied", f"{gone.get(Status.DENIED, 0):,}", "ever"),
        ("Left", f"{gone.get(Status.LEFT, 0):,}", "of their own accord"),
    ]
    ended = [("Completed", hour.of("queue.consumer.completed")), ("Left", hour.of("queue.consumer.left"))]
    charts = [
        Chart("Inflow and admissions a minute", [("Came", came), ("Admitted", admitted)]),
        Chart("Completed and left a minute", ended),
    ]
    return Watched(cards, hour.minutes, charts)


def details(distribution: Distribution, standing: Standing, now: dt.datetime) -> str:
    """How far somebody is who waits, and until when somebody is inside."""
    if standing.status == Status.ADMITTED and standing.expires_at is not None:
        return f"inside for another {watching.spelled((standing.expires_at - now).total_seconds())}"
    if standing.status != Status.QUEUED:
        return "-"
    position = line.find_position(distribution, standing)
    wait = line.wait_seconds(distribution, position, now)
    return f"position {position:,}" + ("" if wait is None else f", about {watching.spelled(wait)} to go")
