"""Makers and readers for tests of timed releases: claims, the shop's moves, what is stored."""

from typing import Any

from django.db.models import Q

from distributions.core.models import Distribution, Participation, Status, Tally
from experiences.models import Event
from tests.world import ConsumerClient, World, assert_error, path_of

HOLDING = (Status.ADMITTED, Status.COMPLETED)


def move(world: World, release: Distribution, verb: str, who: ConsumerClient, **more: Any) -> Any:
    """The shop's server moves somebody."""
    body = {"consumerId": who.id, **({"reason": "ADMIN_ACTION"} if verb == "deny" else {}), **more}
    return world.server().post(f"{path_of(release)}/{verb}", body)


def claim(release: Distribution, who: ConsumerClient) -> dict[str, Any]:
    """They have a unit; the answer."""
    answer = who.enter(release)
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body.get("status")) == (200, "ADMITTED"), body
    return body


def claimed(release: Distribution, world: World, number: int) -> list[ConsumerClient]:
    """So many guests with a unit each."""
    people = [world.consumer() for _ in range(number)]
    for one in people:
        claim(release, one)
    return people


def require_sold_out(answer: Any, retry_after: int | None) -> None:
    """429, with the time after which a unit may come back, or with none."""
    body = assert_error(answer, 429, "Timed release is sold out", "TIMED_RELEASE_SOLD_OUT")
    assert body.get("retryAfter") == retry_after
    assert answer.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))


def shown(world: World, release: Distribution) -> dict[str, Any]:
    """The release as anybody sees it."""
    answer = world.shop_front().get(path_of(release))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def units(release: Distribution, consumer_id: str) -> list[tuple[int, str]]:
    """All that somebody ever had: which unit, and what became of it."""
    rows = Participation.objects.filter(distribution=release, consumer_id=consumer_id).order_by("id")
    return [(row.unit, row.deny_reason or row.status) for row in rows]


def trace(release: Distribution, consumer_id: str) -> list[str]:
    """What the trace tells of somebody, without what all names begin with."""
    rows = Event.objects.filter(distribution_id=release.pk, consumer_id=consumer_id).order_by("id")
    return [name.removeprefix("timed_release.consumer.") for name in rows.values_list("name", flat=True)]


def require_true_stock(release: Distribution) -> Tally:
    """The counters say what the rows say, and no more is held than there is; the tally."""
    tally = Tally.objects.get(pk=release.pk)
    rows = Participation.objects.filter(distribution_id=release.pk)
    by_status = {status: rows.filter(status=status).count() for status in Status}
    assert by_status[Status.QUEUED] == 0
    assert tally.taken == by_status[Status.ADMITTED] + by_status[Status.COMPLETED]
    assert tally.completed == by_status[Status.COMPLETED]
    assert tally.inside == by_status[Status.ADMITTED]
    assert tally.admitted == tally.entered == rows.filter(admitted_at__isnull=False).count()
    returned = Q(admitted_at__isnull=False, status__in=[Status.LEFT, Status.DENIED])
    assert tally.returned == rows.filter(returned).count()
    assert tally.places is None or tally.taken <= tally.places
    return tally
