"""What is measured against: queues of 1,000, 100,000 and 1,000,000 waiting, a draw of a million entries, and
consumers' tokens.

Rows are written by SQL, not by the API, and Redis by the product's own rebuild.
"""

import datetime as dt
import secrets
from dataclasses import dataclass

from django.db import connection

from consumers import access_tokens
from consumers.models import Consumer
from distributions.auctions.models import Auction
from distributions.core import drawings
from distributions.core.models import Distribution, Kind, Tally
from distributions.draws.models import Draw
from distributions.queues.models import Queue
from experiences import keys
from experiences.models import Experience, KeyKind, Organization, Sequence
from fanfare import clock, ids

LIMITS = dict.fromkeys(("queueEntry", "statusCheck", "authentication"), 1_000_000)


@dataclass(frozen=True)
class Shop:
    """A tenant with its publishable key."""

    organization: Organization
    sequence: Sequence
    publishable: str


def make_shop(slug: str = "bench") -> Shop:
    """A tenant whose rate limits count but don't refuse."""
    organization = Organization.objects.create(slug=slug, name=slug.title(), rate_limits=LIMITS)
    _, text = keys.create(organization, KeyKind.PUBLISHABLE, now=clock.now(), actor="system:bench")
    experience = Experience.objects.create(organization=organization, slug="drop", name="Drop")
    sequence = Sequence.objects.create(experience=experience, slug="everyone", name="Everyone")
    return Shop(organization, sequence, text)


def make_queue(shop: Shop, slug: str, waiting: int) -> Distribution:
    """A queue with that many waiting in PostgreSQL; admission by hand, so that they stay."""
    distribution = _make(shop, Kind.QUEUE, slug, waiting)
    Queue.objects.create(distribution=distribution)
    return Distribution.objects.select_related("queue", "tally").get(pk=distribution.pk)


def make_draw(shop: Shop, slug: str, entries: int, winners: int) -> Distribution:
    """A draw with that many entries, whose time has come."""
    distribution = _make(shop, Kind.DRAW, slug, entries)
    Draw.objects.create(distribution=distribution, draw_at=clock.now(), winner_count=winners)
    drawings.commit(distribution)
    return Distribution.objects.select_related("draw", "tally").get(pk=distribution.pk)


def make_auction(shop: Shop, slug: str) -> Distribution:
    """An auction without end, in whose currency the least unit is the increment."""
    distribution = _make(shop, Kind.AUCTION, slug, 0)
    Auction.objects.create(
        distribution=distribution, currency_code="JPY", starting_price=1, minimum_bid_increment=1
    )
    return distribution


def _make(shop: Shop, kind: Kind, slug: str, waiting: int) -> Distribution:
    """What all kinds have, with consumers 1 to `waiting` in it."""
    distribution = Distribution.objects.create(
        id=ids.new(kind),
        organization=shop.organization,
        sequence=shop.sequence,
        kind=kind,
        slug=slug,
        name=slug,
    )
    Tally.objects.create(distribution=distribution, taken=waiting, entered=waiting)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO distributions_participation (distribution_id, consumer_id, status, place,
                entered_at, deny_reason, order_id, is_risky, fingerprint)
            SELECT %s, 'cons_' || lpad(n::text, 26, '0'), 'QUEUED', n, %s, '', '', FALSE,
                decode(md5(n::text), 'hex')
            FROM generate_series(1, %s) AS n
            """,
            [distribution.pk, clock.now(), waiting],
        )
    return distribution


def make_consumers(shop: Shop, number: int) -> None:
    """Consumers cons_000…1 to cons_000…<number>."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO consumers_consumer (id, organization_id, is_guest, full_name, created_at)
            SELECT 'cons_' || lpad(n::text, 26, '0'), %s, TRUE, '', %s FROM generate_series(1, %s) AS n
            """,
            [shop.organization.pk, clock.now(), number],
        )


def tokens(shop: Shop, first: int, last: int, at_most: int) -> list[str]:
    """Access tokens of up to `at_most` consumers spread evenly over the range, in random order."""
    now: dt.datetime = clock.now()
    numbers = range(first, last + 1, max(1, (last - first + 1) // at_most))
    chosen = secrets.SystemRandom().sample(numbers, min(at_most, len(numbers)))
    return [_token(shop, number, now) for number in chosen]


def _token(shop: Shop, number: int, now: dt.datetime) -> str:
    consumer = Consumer(id=f"cons_{number:026d}", organization=shop.organization)
    return access_tokens.issue(consumer, ids.new("sess"), now=now)[0]
