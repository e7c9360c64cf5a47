"""`python -m bench console`: how long the console takes with a million participations, two million events.

Server time and number of queries of every list page, of the live page when it looks anew, and of the exports,
whose memory is told as well. Pages are asked for by Django's own client, so there is no network in it.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402

from bench import data  # noqa: E402
from distributions.core import figures  # noqa: E402
from distributions.core.models import Distribution  # noqa: E402
from experiences.models import Membership  # noqa: E402
from fanfare import clock, memo  # noqa: E402

MOST = 0.3  # seconds that a list page may take


def main() -> None:
    """Make the data, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench console")
    parser.add_argument("--million", type=int, default=1_000_000, help="participations")
    parser.add_argument("--exports", action="store_true", help="nothing but the exports")
    options = parser.parse_args()
    shop = data.make_shop()
    data.make_consumers(shop, options.million)
    queue = data.make_queue(shop, "line", options.million)
    _tell(queue, options.million)
    other = data.make_shop("quiet")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    who = {
        "superuser": _client("root"),
        "editor": _client("edgar", shop),
        "of another": _client("eve", other),
    }
    print("| page | who | server time | queries | |")
    print("|---|---|---|---|---|")
    if not options.exports:
        for name, url in [*_lists(), *_filtered(queue)]:
            for role, client in who.items():
                _line(name, role, client, url)
        _live(queue, who["editor"])
    _exports(queue, who["editor"])


def _tell(queue: Distribution, million: int) -> None:
    """What those in line did in the last hour: half of them are gone, and each has left a trace."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE distributions_participation SET ended_at = %s, deny_reason = '',
                status = CASE place %% 4 WHEN 0 THEN 'LEFT' ELSE 'DENIED' END
            WHERE distribution_id = %s AND place %% 2 = 0
            """,
            [clock.now(), queue.pk],
        )
        for name, offset in (("queue.consumer.entered", 0), ("queue.consumer.denied", 1)):
            cursor.execute(
                """
                INSERT INTO experiences_event (at, name, organization_id, distribution_id, consumer_id, actor,
                    data)
                SELECT %s - interval '1 hour' * (1 - n / %s::float) + interval '1 second' * %s, %s, %s, %s,
                    'cons_' || lpad(n::text, 26, '0'), 'consumer:cons_' || lpad(n::text, 26, '0'),
                    jsonb_build_object('to', 'QUEUED', 'place', n)
                FROM generate_series(1, %s) AS n
                """,
                [clock.now(), million, offset, name, queue.organization_id, queue.pk, million],
            )


def _client(name: str, shop: data.Shop | None = None) -> Client:
    """A signed-in browser: of an editor of the shop, or of a superuser."""
    user = User.objects.create_user(name, is_staff=True, is_superuser=shop is None)
    if shop is not None:
        Membership.objects.create(user=user, organization=shop.organization, role="editor")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client


def _lists() -> Iterable[tuple[str, str]]:
    """Every list page there is."""
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        yield str(model._meta.verbose_name_plural), reverse(f"admin:{name}_changelist")


def _filtered(queue: Distribution) -> Iterable[tuple[str, str]]:
    """The lists that staff come to from elsewhere, and what they look for there."""
    people = reverse("admin:distributions_participation_changelist")
    trace = reverse("admin:experiences_event_changelist")
    yield "participations of one queue", f"{people}?distribution__id__exact={queue.pk}"
    yield "… that were denied", f"{people}?distribution__id__exact={queue.pk}&status__exact=DENIED"
    yield "… that were admitted: none", f"{people}?distribution__id__exact={queue.pk}&status__exact=ADMITTED"
    yield "participations of a consumer", f"{people}?q=cons_{7:026d}"
    yield "trace of one queue", f"{trace}?distribution_id__exact={queue.pk}"
    yield "… by staff: nothing", f"{trace}?distribution_id__exact={queue.pk}&by=staff"
    yield "… of a name: nothing", f"{trace}?distribution_id__exact={queue.pk}&event=queue.paused"
    today = f"{clock.now():%Y-%m-%d}"
    yield "… of today", f"{trace}?distribution_id__exact={queue.pk}&at_from_0={today}"
    yield "trace of a consumer", f"{trace}?consumer_id__exact=cons_{7:026d}"


def _line(name: str, role: str, client: Client, url: str, most: float = MOST) -> None:
    seconds, queries, status = _measured(client, url)
    verdict = (
        "" if seconds <= most and status in (200, 403) else "SLOW" if status == 200 else f"status {status}"
    )
    print(f"| {name} | {role} | {seconds * 1000:.0f} ms | {queries} | {verdict} |", flush=True)


def _measured(client: Client, url: str) -> tuple[float, int, int]:
    """The best of three, since the first one warms up."""
    best, queries, status = 9e9, 0, 0
    for _ in range(3):
        memo.forget_all()
        with CaptureQueriesContext(connection) as found:
            began = time.perf_counter()
            status = client.get(url).status_code
            best = min(best, time.perf_counter() - began)
        queries = len(found)
    return best, queries, status


def _live(queue: Distribution, client: Client) -> None:
    url = reverse("admin:distributions_distribution_press", args=[queue.pk, "live"]) + "?part=1"
    cold = _seconds(lambda: client.get(url))
    print(f"| live page, nobody has looked before | editor | {cold * 1000:.0f} ms | | |")
    _line("live page, looking anew", "editor", client, url)
    _line("… with somebody looked up", "editor", client, f"{url}&who=cons_{7:026d}")
    for since in ("a minute", "an hour"):
        figures._counted.pop(queue.pk, None) if since == "an hour" else None
        spent = _seconds(lambda: figures.of(queue.pk, clock.now()))
        print(f"| … its figures, counting {since} | | {spent * 1000:.0f} ms | | |")


def _exports(queue: Distribution, client: Client) -> None:
    for model, key in (
        ("distributions_participation", "distribution__id"),
        ("experiences_event", "distribution_id"),
    ):
        for kind in ("csv", "jsonl"):
            url = reverse(f"admin:{model}_export", args=[kind]) + f"?{key}__exact={queue.pk}"
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began, size = time.perf_counter(), sum(map(len, _read(client, url)))
            spent = time.perf_counter() - began
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            told = f"{size / 1e6:.0f} MB, memory grew by {grown:.0f} MB"
            print(f"| export of {model} as {kind} | editor | {spent:.1f} s | | {told} |", flush=True)


def _read(client: Client, url: str) -> Iterable[bytes]:
    answer: Any = client.get(url)
    yield from answer.streaming_content
    answer.close()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
