"""Handing out what is known of somebody, and forgetting them: the owners' business."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consumers.models import Consumer, Identity
from distributions.core.models import Participation
from experiences.models import Event
from tests.api.mailbox import ADA, get_code, verify
from tests.console.conftest import Console, messages_of
from tests.world import ConsumerClient, World, assert_error

CONSUMER = "consumers_consumer"


@pytest.fixture
def ada(world: World) -> ConsumerClient:
    """Signed in by a code, and in line."""
    browser = world.signed_in(verify(world, get_code(world)))
    assert browser.enter(world.queue()).status_code == 200
    return browser


def row(consumer: ConsumerClient) -> Consumer:
    return Consumer.objects.get(pk=consumer.id)


def test_an_owner_exports_somebody(owner: Console, world: World, ada: ConsumerClient) -> None:
    world.member("bob@example.com")
    answer = owner.press(CONSUMER, row(ada), "export")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{ada.id}.json"'
    assert "no-store" in answer.headers["Cache-Control"]
    told = json.loads(answer.content)
    assert told["consumers"][0]["email"] == ADA
    assert [identity["subject"] for identity in told["identities"]] == [ADA]
    assert len(told["participations"]) == 1
    text = answer.content.decode()
    for other in ("bob@example.com", ada.token, ada.refresh_token, "digest", "salt"):
        assert other not in text


def test_an_owner_erases_somebody(owner: Console, world: World, ada: ConsumerClient) -> None:
    page = owner.get(reverse(f"admin:{CONSUMER}_press", args=[ada.id, "erase"]))
    assert "For good" in page.content.decode()
    assert row(ada).erased_at is None
    page = owner.press(CONSUMER, row(ada), "erase")
    assert "is erased" in messages_of(page)
    assert ADA not in page.content.decode()
    erased = row(ada)
    assert (erased.email, erased.email_verified_at) == (None, None)
    assert erased.erased_at is not None
    assert not Identity.objects.exists()
    assert Participation.objects.get().status == "LEFT"
    assert_error(ada.get("/consumers/me"), 401, "Authentication required")
    event = Event.objects.get(name="consumer.erased")
    assert (event.actor, event.consumer_id) == (owner.actor, ada.id)
    for term in (ADA, "cons_"):
        assert len(owner.list(CONSUMER, q=term).context["cl"].result_list) == 0
    for button in ("erase", "export"):
        assert "no longer possible" in messages_of(owner.press(CONSUMER, erased, button))


@pytest.mark.parametrize("button", ["export", "erase"])
def test_only_owners_do(
    button: str, editor: Console, viewer: Console, stranger: Console, superuser: Console, ada: ConsumerClient
) -> None:
    for who in (editor, viewer):
        page = who.open(CONSUMER, row(ada)).content.decode()
        assert f"/press/{button}/" not in page
        answer = who.press(CONSUMER, row(ada), button)
        assert answer.status_code == 403
        assert ADA not in answer.content.decode()
    refused = stranger.press(CONSUMER, row(ada), button)
    assert "doesn’t exist" in messages_of(refused)
    assert ADA not in refused.content.decode()
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(superuser.user)
    assert careful.post(reverse(f"admin:{CONSUMER}_press", args=[ada.id, button])).status_code == 403
    assert row(ada).erased_at is None
    assert superuser.press(CONSUMER, row(ada), button).status_code == 200


def test_an_owner_elsewhere_who_edits_here_does_not(
    stranger: Console, world: World, ada: ConsumerClient
) -> None:
    stranger.user.memberships.create(organization=world.organization, role="editor")
    assert stranger.open(CONSUMER, row(ada)).status_code == 200
    for button in ("export", "erase"):
        assert stranger.press(CONSUMER, row(ada), button).status_code == 403
    assert row(ada).erased_at is None


def test_a_guest_goes_with_whom_they_turned_out_to_be(owner: Console, world: World) -> None:
    guest = world.consumer()
    ada: Any = world.member("ada@example.com", guest=guest)
    page = owner.open(CONSUMER, row(guest)).content.decode()
    assert "/press/erase/" not in page
    assert "no longer possible" in messages_of(owner.press(CONSUMER, row(guest), "erase"))
    owner.press(CONSUMER, row(ada), "erase")
    assert {consumer.erased_at is None for consumer in Consumer.objects.all()} == {False}


def test_who_may_be_the_same_is_named(owner: Console, world: World, ada: ConsumerClient) -> None:
    namesake, other = world.member(ADA), world.member("bob@example.com")
    told = messages_of(owner.press(CONSUMER, row(ada), "erase"))
    assert namesake.id in told
    assert other.id not in told
    assert row(namesake).email == ADA
