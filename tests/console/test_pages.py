"""Every page of the console, for everybody, and with odd queries: seen, refused, never a crash."""

import datetime as dt
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

from auth_otp.models import OtpChallenge, OutboxMessage
from consumers import signing
from consumers.models import Consumer, Message, Session, Visit
from distributions.appointments import blocks
from distributions.appointments.models import Booking
from distributions.auctions.models import Bid
from distributions.core.models import Participation
from distributions.waitlists import notifying
from experiences import access_codes, audiences
from experiences.models import AccessCode, ApiKey, AudienceMember, Event, Membership
from fanfare import clock, lists
from tests import notices
from tests.console.conftest import Console
from tests.world import World, make_appointment, path_of

MODELS = [
    "experiences_organization", "experiences_membership", "experiences_apikey", "experiences_experience",
    "experiences_sequence", "experiences_event", "consumers_consumer", "consumers_session",
    "distributions_distribution", "distributions_participation", "distributions_queue", "distributions_draw",
    "distributions_auction", "distributions_bid", "distributions_timedrelease",
    "distributions_appointment", "distributions_booking", "distributions_block",
    "distributions_waitlist", "distributions_notification",
    "consumers_visit", "consumers_message",
    "experiences_accesscode", "experiences_audiencemember", "auth_otp_otpchallenge", "auth_otp_outboxmessage",
]  # fmt: skip
SUPER = ["auth_user", "consumers_signingkey"]
ODD = [
    {"q": "\x00"}, {"p": "-1"}, {"p": "zz"}, {"p": "999999999999"}, {"o": "zz"}, {"o": "1.-99"}, {"zz": "1"},
    {"q": "queue_zz"}, {"q": "cons_\x00"}, {"e": "1"}, {"all": ""}, {"status__exact": "zz"},
    {"is_risky__exact": "zz"}, {"distribution__id__exact": "\x00"}, {"id__regex": "("},
    {"digest__startswith": "a"}, {"_to_field": "zz"},
    {"_changelist_filters": "q=%00"}, {"consumer__id__exact": "org_1"}, {"q": "'\"%_\\"}, {"q": "x" * 5000},
    {"_popup": "1"}, {"_facets": "True"}, {"state": "zz"}, {"state": "\x00"}, {"q": "+"}, {"q": "@"},
]  # fmt: skip


@pytest.fixture
def things(world: World, owner: Console) -> dict[str, Any]:
    """One of each model."""
    queue, auction, consumer = world.queue(), world.auction(), world.consumer()
    waitlist = world.waitlist()
    consumer.enter(queue)
    consumer.bid(auction, "100.00")
    consumer.post(f"/experiences/{world.sequence.experience_id}/enter")
    world.shop_front().post("/auth/otp/request", {"phone": "+4915112345678"})
    known: dict[str, Any] = {"now": clock.now(), "actor": "system:test"}
    access_codes.generate(world.sequence, 1, **known)
    audiences.add(world.sequence, ["email:ann@example.com"], **known)
    participation = Participation.objects.get(distribution=queue)
    Consumer.objects.update(phone="+4915112345678")
    assert notices.post(consumer)
    return {
        "experiences_organization": world.organization,
        "experiences_membership": Membership.objects.get(user=owner.user),
        "experiences_apikey": ApiKey.objects.filter(organization=world.organization)[0],
        "experiences_experience": world.sequence.experience,
        "experiences_sequence": world.sequence,
        "experiences_event": Event.objects.filter(organization_id=world.organization.id)[0],
        "consumers_consumer": participation.consumer,
        "consumers_session": Session.objects.filter(consumer=participation.consumer).get(),
        "distributions_distribution": queue,
        "distributions_participation": participation,
        "distributions_queue": queue.queue,
        "distributions_draw": world.draw().draw,
        "distributions_auction": auction.auction,
        "distributions_bid": Bid.objects.get(),
        "distributions_timedrelease": world.release().timed_release,
        **_of_appointments(world),
        "distributions_waitlist": waitlist.waitlist,
        "distributions_notification": notifying.announce(waitlist, "News", **known),
        "consumers_message": Message.objects.get(),
        "consumers_visit": Visit.objects.get(),
        "experiences_accesscode": AccessCode.objects.get(),
        "experiences_audiencemember": AudienceMember.objects.get(),
        "auth_otp_otpchallenge": OtpChallenge.objects.get(),
        "auth_otp_outboxmessage": OutboxMessage.objects.get(),
    }


def _of_appointments(world: World) -> dict[str, Any]:
    """A booking, a blocked time and their appointment's settings."""
    appointment, now = make_appointment(world.sequence_in("calendar")), clock.now()
    start = (now + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    world.consumer().post(f"{path_of(appointment)}/book", {"slotTime": start.isoformat()})
    end = start + dt.timedelta(days=1)
    block = blocks.block(appointment, end, end + dt.timedelta(hours=1), note="", now=now, actor="system:test")
    return {
        "distributions_appointment": appointment.appointment,
        "distributions_booking": Booking.objects.get(),
        "distributions_block": block,
    }


def test_every_model_is_registered() -> None:
    names = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}
    assert names == {*MODELS, *SUPER}


def test_pages_open_for_all_roles(
    things: dict[str, Any], owner: Console, editor: Console, viewer: Console, superuser: Console
) -> None:
    for who in (owner, editor, viewer, superuser):
        assert who.get("/admin/").status_code == 200
        for model, thing in things.items():
            if who is viewer and model == "auth_otp_outboxmessage":
                continue  # see test_people
            assert who.list(model).status_code == 200, model
            assert who.open(model, thing).status_code == 200, model
            assert who.get(reverse(f"admin:{model}_history", args=[thing.pk])).status_code == 200, model


def test_a_stranger_finds_nothing_of_ours(things: dict[str, Any], stranger: Console, world: World) -> None:
    ours = (world.organization.name, world.sequence.experience_id, world.organization.id)
    for model in things:
        page = stranger.list(model).content.decode()
        assert not any(name in page for name in ours), model
    for model, thing in things.items():
        for name in ("change", "history", "delete"):
            url = reverse(f"admin:{model}_{name}", args=[thing.pk])
            missing = url.replace(str(thing.pk), "9" * len(str(thing.pk)))
            for method in (stranger.client.get, stranger.client.post):
                answers = [method(url), method(missing)]
                assert {answer.status_code for answer in answers} in ({302}, {403}), (url, answers)
                assert answers[0].headers.get("Location") == answers[1].headers.get("Location")
        press = reverse(f"admin:{model}_press", args=[thing.pk, "zz"])
        assert stranger.post(press).headers["Location"] == "/admin/"


def test_superusers_pages_are_for_superusers(owner: Console, superuser: Console, world: World) -> None:
    kid = signing.key_set().kid
    for model in SUPER:
        assert owner.list(model).status_code == 403
        assert superuser.list(model).status_code == 200
    assert owner.get(reverse("admin:consumers_signingkey_change", args=[kid])).status_code in (302, 403)
    page = superuser.get(reverse("admin:consumers_signingkey_change", args=[kid])).content.decode()
    assert "BEGIN PUBLIC KEY" in page
    assert "private" not in page.lower()
    assert superuser.get(reverse("admin:auth_user_add")).status_code == 200


def test_odd_queries_are_no_crash(things: dict[str, Any], owner: Console, superuser: Console) -> None:
    for model, thing in things.items():
        for query in ODD:
            answer = superuser.list(model, **query)
            assert answer.status_code in (200, 302, 400), (model, query, answer.content)
        for identity in ("zz", "queue_zz", "-1", "9" * 40, "\x00", "a/b", "%", "_3A"):
            for page in ("change", "history", "delete"):
                answer = owner.get(f"/admin/{model.replace('_', '/')}/{identity}/{page}/")
                assert answer.status_code in (302, 400, 403, 404), (model, identity, answer.content)
        versions = f"/admin/{model.replace('_', '/')}/{thing.pk}/history/"
        for version in ("zz", "9" * 30, "\x00"):
            assert owner.get(f"{versions}{version}/").status_code in (302, 400, 404)


def test_odd_addresses_are_no_crash(owner: Console) -> None:
    for url in (
        "/admin/search/?s=a&page=zz",
        "/admin/r/zz/zz/",
        "/admin/r/1/%00/",
        "/admin/zz/",
        "/admin/jsi18n/",
    ):
        assert owner.get(url).status_code < 500, url
    for query in ("term=%00", "term=a&page=zz", "app_label=zz", ""):
        fields = "&app_label=distributions&model_name=distribution&field_name=sequence&"
        assert owner.get(f"/admin/autocomplete/?{fields}{query}").status_code < 500


def test_other_tenants_are_not_offered(owner: Console, other_world: World) -> None:
    url = "/admin/autocomplete/?app_label=distributions&model_name=distribution&field_name=sequence&term="
    found = [entry["id"] for entry in owner.get(url).json()["results"]]
    assert found
    assert other_world.sequence.pk not in found
    for page in (
        owner.get(reverse("admin:experiences_apikey_add")),
        owner.get(reverse("admin:experiences_experience_add")),
    ):
        assert "Rival" not in page.content.decode()


def test_the_participation_list_asks_few_questions(
    world: World, owner: Console, django_assert_max_num_queries: Any
) -> None:
    queue = world.queue()
    for _ in range(30):
        world.consumer().enter(queue)
    with django_assert_max_num_queries(14):
        page = owner.list("distributions_participation")
    assert page.content.decode().count(queue.name) >= 30


def test_long_lists_are_counted_to_a_limit(world: World, owner: Console, monkeypatch: Any) -> None:
    queue = world.queue()
    for _ in range(6):
        world.consumer().enter(queue)
    assert "6 participations" in owner.list("distributions_participation").content.decode()
    monkeypatch.setattr(lists, "COUNTED", 5)
    assert "more than 5 participations" in owner.list("distributions_participation").content.decode()


def test_big_tables_are_searched_by_whole_values(world: World, owner: Console) -> None:
    queue, consumer, other = world.queue(), world.consumer(), world.consumer()
    for person in (consumer, other):
        person.enter(queue)
    Consumer.objects.filter(pk=consumer.id).update(email="ann@example.com", phone="+4930123456")

    def found(model: str, term: str) -> int:
        return int(owner.list(model, q=term).context["cl"].result_count)

    for term, number in (
        (consumer.id, 1),
        ("ann@EXAMPLE.com", 1),
        ("+4930123456", 1),
        ("ann", 0),
        ("cons_", 0),
    ):
        assert found("consumers_consumer", term) == number, term
        assert found("distributions_participation", term) == number, term
    assert found("distributions_participation", queue.pk) == 2
    assert found("experiences_event", consumer.id) == 3
    assert found("consumers_session", other.id) == 1


def test_signed_out_and_former_staff(world: World, owner: Console) -> None:
    Membership.objects.filter(user=owner.user).delete()
    assert owner.list("distributions_distribution").status_code == 403
    owner.user.is_staff = False
    owner.user.save()
    assert owner.get("/admin/").status_code == 302
    assert owner.client.get("/nowhere").status_code == 404
