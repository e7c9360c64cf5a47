"""What an entry is answered with: a receipt that anyone may check, and that tells nobody who it is."""

import datetime as dt
import hashlib
from typing import Any

import pytest
from django.conf import settings

from consumers import signing
from distributions import tasks
from distributions.core import catalog
from distributions.draws import rules
from distributions.draws.setup import SETTINGS
from experiences.models import AudienceMember
from fanfare import clock as time
from tests.api.lots import enter_all, freeze_and_draw, proof, read_offline
from tests.api.mailbox import ADA
from tests.world import FINGERPRINT, World, loaded, make_queue


def test_a_receipt_is_checked_by_the_published_keys(world: World, clock: Any) -> None:
    draw = world.draw(winner_count=3)
    _, guest = enter_all(world, draw, 2)
    clock.shift(7)
    body = guest.status(draw).json()
    receipt = dict(body["receipt"])
    header, claims = read_offline(receipt.pop("token"), world.organization.id)
    assert (header["typ"], header["alg"]) == ("receipt+jwt", "EdDSA")
    assert claims == {
        **receipt,
        "iss": "http://localhost:8000",
        "aud": world.organization.id,
        "iat": int((time.now() - dt.timedelta(seconds=7)).timestamp()),
        "distributionId": draw.pk,
        "commitment": world.shop_front().get(f"/draws/{draw.pk}").json()["commitment"],
        "winnerCount": 3,
    }
    mark = hashlib.sha256(b"fanfare/mark/1" + bytes.fromhex(receipt["entryId"])).digest()
    said = draw.pk.encode() + (2).to_bytes(8, "big") + (1).to_bytes(8, "big") + mark
    assert receipt["leaf"] == hashlib.sha256(b"\0fanfare/leaf/1" + said).hexdigest()


def test_a_receipt_tells_nothing_about_who_it_is(world: World, clock: Any) -> None:
    """Two that entered at once differ in what belongs to the number alone; nothing of theirs is in it."""
    draw = world.draw()
    ada, grace = world.member(ADA, name="Ada", subject="customer-4711"), world.member("grace@example.com")
    first, second = (one.enter(draw).json()["receipt"] for one in (ada, grace))
    _, claims = read_offline(first["token"], world.organization.id)
    _, others = read_offline(second["token"], world.organization.id)
    assert {name for name in claims if claims[name] != others[name]} == {"entryNumber", "entryId", "leaf"}
    assert not {"sub", "sid", "jti", "email"} & set(claims)
    for known in (ada.id, ada.id.partition("_")[2], ADA, "Ada", "4711", FINGERPRINT):
        assert known not in str({**first, **claims, "token": ""})


def test_a_receipt_is_no_other_token_and_no_other_token_is_one(world: World, clock: Any) -> None:
    """What it opens (nothing) stands in the contract's tests; here what passes for a receipt."""
    draw, guest = world.draw(), world.consumer()
    receipt = guest.enter(draw).json()["receipt"]["token"]
    freeze_and_draw(draw)
    admission = guest.status(draw).json()["admissionToken"]
    assert signing.verify("receipt+jwt", receipt)["entryNumber"] == 1
    for typ, token in (
        ("receipt+jwt", admission),
        ("receipt+jwt", guest.token),
        ("admission+jwt", receipt),
        ("JWT", receipt),
    ):
        with pytest.raises(signing.TokenInvalid):
            signing.verify(typ, token)
    asked = {"consumerId": guest.id, "token": receipt}
    verdict = world.server().post(f"/draws/{draw.pk}/validate", asked).json()
    assert (verdict["valid"], verdict["code"]) == (False, "TOKEN_INVALID")
    asked["token"] = admission
    assert world.server().post(f"/draws/{draw.pk}/validate", asked).json()["valid"] is True


def test_more_tickets_stand_in_the_receipt(world: World, clock: Any) -> None:
    listed = world.sequence_with("listed", requires_audience=True)
    AudienceMember.objects.create(sequence=listed, key=f"email:{ADA}")
    world.sequence_with("members", requires_authentication=True)
    weights = [{"sequence": name, "weight": weight} for name, weight in (("members", 2), ("listed", 5))]
    draw = world.draw(weights=weights)
    guest, ada, grace = world.consumer(), world.member(ADA), world.member("grace@example.com")
    told = {one.id: one.enter(draw).json()["receipt"] for one in (guest, ada, grace)}
    assert [receipt["weight"] for receipt in told.values()] == [1, 5, 2]
    AudienceMember.objects.all().delete()  # it counts as it was at the entry
    clock.shift(1)
    for one in (guest, ada, grace):
        assert one.enter(draw).json()["receipt"] == told[one.id]
        assert one.status(draw).json()["receipt"] == told[one.id]
    mark = hashlib.sha256(b"fanfare/mark/1" + bytes.fromhex(told[ada.id]["entryId"])).digest()
    said = draw.pk.encode() + (2).to_bytes(8, "big") + (5).to_bytes(8, "big") + mark
    assert told[ada.id]["leaf"] == hashlib.sha256(b"\0fanfare/leaf/1" + said).hexdigest()


def test_the_ticket_of_a_pre_queue_has_a_receipt_too(world: World, clock: Any) -> None:
    """As long as its order is not drawn; a queue without a lot gives none."""
    queue = make_queue(
        world.sequence, opens_in=60, enter_from=time.now(), randomize_before_open=True, admission_rate=60
    )
    plain, guest = world.queue(), world.consumer()
    receipt = guest.enter(queue).json()["receipt"]
    assert guest.status(queue).json()["receipt"] == receipt
    _, claims = read_offline(receipt["token"], world.organization.id)
    assert (claims["distributionId"], claims["entryNumber"]) == (queue.pk, 1)
    assert "winnerCount" not in claims  # all of them are put in order
    assert "receipt" not in guest.enter(plain).json()
    clock.shift(60)
    tasks.open_queue(queue.pk)
    assert "receipt" not in guest.status(queue).json()


@pytest.mark.parametrize("enters_here", [True, False])
def test_a_receipt_says_what_stands_though_the_process_remembers_what_was(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch, enters_here: bool
) -> None:
    """Staff changed terms by another process, a moment before the first entry, which fixed them."""
    draw, people = world.draw(), [world.consumer() for _ in range(2)]
    monkeypatch.setattr(settings, "MEMO_SECONDS", 1)
    assert world.shop_front().get(f"/draws/{draw.pk}").json()["winnerCount"] == 1  # remembered from now on
    monkeypatch.setattr(catalog, "forget", lambda: None)
    terms = {"winner_count": 2, "weights": [{"sequence": "everyone", "weight": 3}]}
    assert set(SETTINGS.update(draw, terms, now=time.now(), actor="staff:1")) == set(terms)
    if not enters_here:
        for one in people:
            actor = f"consumer:{one.id}"
            rules.enter(loaded(draw), one.id, now=time.now(), actor=actor, fingerprint=None)
    told = [(one.enter if enters_here else one.status)(draw).json()["receipt"] for one in people]
    for _ in range(2):
        assert [one.status(draw).json()["receipt"] for one in people] == told
        clock.shift(1)
    for receipt in told:
        _, claims = read_offline(receipt["token"], world.organization.id)
        assert (claims["weight"], claims["winnerCount"]) == (3, 2)
    freeze_and_draw(draw)
    clock.shift(1)
    body = proof(world, draw)
    assert (body["winnerCount"], body["groups"]) == (2, [{"weight": 3, "entries": 2, "odds": 1.0}])
