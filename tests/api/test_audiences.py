"""Audiences: on the list by what was proved, and by nothing that was only said."""

from typing import Any

import pytest

from experiences import audiences
from experiences.models import AudienceMember, Sequence
from fanfare import clock as time
from tests.api.mailbox import ADA, PHONE, get_code, verify
from tests.world import AUTHORIZE, EXCHANGE, SHOP, ConsumerClient, World, assert_error, make_world


def invite(sequence: Sequence, *entries: str) -> None:
    audiences.add(sequence, audiences.read_list(entries), now=time.now(), actor="staff:1")


def enter(world: World, who: ConsumerClient) -> Any:
    return who.post(f"/experiences/{world.sequence.experience_id}/enter")


def may_enter(world: World, who: ConsumerClient) -> bool:
    """Whether the experience and its queue say yes; they agree."""
    answers = [enter(world, who).status_code, who.enter(world.queue()).status_code]
    assert answers in ([200, 200], [403, 403])
    return answers == [200, 200]


def by_code(world: World, address: str, **more: Any) -> ConsumerClient:
    return world.signed_in(verify(world, get_code(world, address), address, **more))


def test_an_address_counts_when_it_is_proved(world: World) -> None:
    invite(world.sequence, "Ada@Example.COM", PHONE)
    said = world.member(email=ADA, email_verified=False, phone=PHONE)
    assert not may_enter(world, said)
    assert may_enter(world, world.member(ADA))
    assert may_enter(world, world.member(phone=PHONE, phone_number_verified=True))
    assert may_enter(world, by_code(world, ADA))
    assert may_enter(world, by_code(world, PHONE))
    assert not may_enter(world, world.member("eve@example.com"))
    assert not may_enter(world, said)


def test_what_the_shop_verifies_later_counts_from_then_on(world: World) -> None:
    invite(world.sequence, ADA)
    who = world.member(ADA, subject="4711", email_verified=False)
    assert not may_enter(world, who)
    world.authorize("4711", email="eve@example.com", email_verified=True)
    assert not may_enter(world, who)
    world.authorize("4711", email=ADA, email_verified=True)
    assert may_enter(world, who)


def test_a_verified_address_elsewhere_does_not_verify_the_profile(world: World) -> None:
    """Somebody's e-mail address is Eve's only word; that Eve proved her own changes nothing."""
    invite(world.sequence, ADA)
    who = world.member(ADA, subject="eve", email_verified=False)
    by_code(world, "eve@example.com", by=world.consumer())
    assert not may_enter(world, who)


def test_an_external_id_counts_as_the_shop_wrote_it(world: World) -> None:
    invite(world.sequence, "Customer-4711", "0815")
    assert may_enter(world, world.member(subject="Customer-4711"))
    assert may_enter(world, world.member(subject="0815"))
    for subject in ("customer-4711", "Customer-4711 ", "815", "0815\u200b", "external:0815"):
        assert not may_enter(world, world.member(subject=subject))


@pytest.mark.parametrize("provider", ["email", "phone"])
def test_a_shops_subject_is_no_address(world: World, provider: str) -> None:
    """Whatever the provider is called: a subject like an address is an external id and no proof."""
    invite(world.sequence, ADA, PHONE)
    for subject in (ADA, PHONE, f"email:{ADA}"):
        body = {**SHOP, "provider": provider, "subject": subject}
        code = world.server().post(AUTHORIZE, body).json()["exchangeCode"]
        who = world.signed_in(world.shop_front().post(EXCHANGE, {"exchangeCode": code}))
        assert not may_enter(world, who)


def test_a_guest_signs_in_first(world: World) -> None:
    invite(world.sequence, ADA)
    guest, queue = world.consumer(), world.queue()
    assert_error(enter(world, guest), 403, "Sign-in required")
    assert_error(guest.enter(queue), 403, "Sign-in required")
    assert may_enter(world, by_code(world, ADA, by=guest))
    stranger = world.member("eve@example.com")
    assert_error(enter(world, stranger), 403, "Not eligible", "NOT_ELIGIBLE")
    assert_error(stranger.enter(queue), 403, "Not eligible", "NOT_ELIGIBLE")


def test_a_list_is_its_sequences_own(world: World) -> None:
    other = make_world()
    invite(other.sequence, ADA)
    invite(world.sequence, "eve@example.com")
    assert not may_enter(world, world.member(ADA))
    assert may_enter(other, other.member(ADA))


def test_whoever_is_taken_off_the_list_may_not_enter_any_more(world: World) -> None:
    invite(world.sequence, ADA)
    who, queue = world.member(ADA), world.queue()
    assert who.enter(queue).status_code == 200
    ids = AudienceMember.objects.values_list("pk", flat=True)
    audiences.remove(world.sequence, ids, now=time.now(), actor="staff:1")
    assert who.status(queue).json()["position"] == 1  # a place that was given stays
    assert not may_enter(world, who)
