"""Every list page of the console: a bounded number of queries, however many rows there are."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distributions.auctions.models import Bid
from tests.appointments import TOMORROW, booked, on
from tests.console.conftest import Console
from tests.waitlists import members, news, wait
from tests.world import World

# By model, how many queries its list may take a superuser, session and user included. An entry for each.
MOST = {
    "auth_user": 6,
    "auth_otp_otpchallenge": 6,
    "auth_otp_outboxmessage": 6,
    "consumers_consumer": 6,
    "consumers_message": 6,
    "consumers_session": 6,
    "consumers_signingkey": 6,
    "consumers_visit": 6,
    "distributions_appointment": 6,
    "distributions_auction": 6,
    "distributions_bid": 6,
    "distributions_block": 6,
    "distributions_booking": 6,
    "distributions_distribution": 7,
    "distributions_draw": 6,
    "distributions_notification": 6,
    "distributions_participation": 6,
    "distributions_queue": 6,
    "distributions_timedrelease": 6,
    "distributions_waitlist": 6,
    "experiences_accesscode": 6,
    "experiences_apikey": 6,
    "experiences_audiencemember": 6,
    "experiences_event": 6,
    "experiences_experience": 6,
    "experiences_membership": 6,
    "experiences_organization": 6,
    "experiences_sequence": 6,
}


def names() -> set[str]:
    return {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}


def fill(world: World, number: int) -> None:
    """So many of everything that a list shows with something beside it."""
    queue, auction, appointment = world.queue(), world.auction(), world.appointment()
    waitlist = World(
        world.organization, world.sequence_with(f"way-{number}"), world.publishable, world.secret
    ).waitlist()
    for index in range(number):
        guest = world.consumer()
        guest.enter(queue)
        guest.enter(world.draw())
        guest.enter(world.release())
        guest.bid(auction, f"{100 + 10 * index}.00")
        booked(appointment, guest, on(TOMORROW, f"{10 + index}:00"))
        guest.post(f"/experiences/{world.sequence.experience_id}/enter")
        wait(waitlist, *members(world, f"ada-{number}-{index}"))
        news(waitlist)
    assert Bid.objects.filter(auction=auction.pk).count() == number


def counted(who: Console) -> dict[str, int]:
    found = {}
    for name in sorted(names()):
        with CaptureQueriesContext(connection) as queries:
            page = who.list(name)
        assert page.status_code in (200, 403), name
        found[name] = len(queries)
    return found


@pytest.mark.usefixtures("clock")
def test_every_list_takes_as_many_queries_for_many_rows_as_for_few(
    superuser: Console, viewer: Console, world: World, settings: Any
) -> None:
    assert set(MOST) == names()  # a new page is listed here
    fill(world, 1)
    few = counted(superuser), counted(viewer)
    fill(world, 5)
    many = counted(superuser), counted(viewer)
    for before, after in zip(few, many, strict=True):
        # One more at most: the count, where there is more than a page.
        assert {name: (before[name], it) for name, it in after.items() if it > before[name] + 1} == {}
    assert {name: number for name, number in many[0].items() if number > MOST[name]} == {}
    assert {name: number for name, number in many[1].items() if number > MOST[name] + 1} == {}
