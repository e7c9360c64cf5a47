"""Access codes: how often, how long, in which spelling, for whom; and that guessing does not pay."""

import datetime as dt
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from consumers.models import Redemption, Visit
from experiences import access_codes
from experiences.models import AccessCode, Event, Sequence
from fanfare import clock as time
from fanfare import redis
from tests.resilience.test_outages import NOBODY
from tests.world import ConsumerClient, World, assert_error, make_world


def enter(who: ConsumerClient, sequence: Sequence, code: str) -> Any:
    return who.post(f"/experiences/{sequence.experience_id}/enter", {"accessCode": code})


def make(sequence: Sequence, number: int = 1, **more: Any) -> list[str]:
    return access_codes.generate(sequence, number, now=time.now(), actor="staff:1", **more)


def refused(answer: Any) -> None:
    assert_error(answer, 403, "Access code required", "ACCESS_CODE_REQUIRED")


def test_a_single_use_code_lets_one_in(world: World) -> None:
    first, second = world.consumer(), world.consumer()
    (code,) = make(world.sequence)
    assert enter(first, world.sequence, code).status_code == 200
    refused(enter(second, world.sequence, code))
    assert [enter(first, world.sequence, code).status_code for _ in range(3)] == [200] * 3
    assert first.enter(world.queue()).status_code == 200
    assert AccessCode.objects.get().uses == Redemption.objects.count() == 1


def test_a_code_for_several_and_one_for_all(world: World) -> None:
    (some,) = make(world.sequence, max_uses=3)
    (many,) = make(world.sequence, max_uses=None)
    answers = [enter(world.consumer(), world.sequence, some).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 403, 403]
    assert {enter(world.consumer(), world.sequence, many).status_code for _ in range(5)} == {200}


def test_a_code_that_expires(world: World, clock: Any) -> None:
    (code,) = make(world.sequence, expires_at=time.now() + dt.timedelta(seconds=60))
    early, late = world.consumer(), world.consumer()
    clock.shift(59)
    assert enter(early, world.sequence, code).status_code == 200
    clock.shift(1)
    refused(enter(late, world.sequence, code))
    assert enter(early, world.sequence, code).status_code == 200  # who is in stays in
    assert early.enter(world.queue()).status_code == 200


def test_a_revoked_code(world: World) -> None:
    codes = make(world.sequence, 2, max_uses=None)
    early = world.consumer()
    assert enter(early, world.sequence, codes[0]).status_code == 200
    row = Redemption.objects.get().access_code
    assert access_codes.revoke(row, now=time.now(), actor="staff:1") is True
    assert access_codes.revoke(row, now=time.now(), actor="staff:1") is False
    refused(enter(world.consumer(), world.sequence, codes[0]))
    assert enter(world.consumer(), world.sequence, codes[1]).status_code == 200
    assert enter(early, world.sequence, "").status_code == 200
    assert early.enter(world.queue()).status_code == 200


@pytest.mark.parametrize(
    "form", ["{}", " {} ", "lower", "no hyphens", "spaces", "dots", "en dash", "no-break", "tab", "wide"]
)
def test_case_spaces_and_hyphens_do_not_count(world: World, form: str) -> None:
    (code,) = make(world.sequence)
    typed = {
        "lower": code.lower(),
        "no hyphens": code.replace("-", ""),
        "spaces": " ".join(code.replace("-", "")),
        "dots": code.replace("-", "."),
        "en dash": code.replace("-", "–"),
        "no-break": code.replace("-", "\u00a0"),
        "tab": code.replace("-", "\t"),
        "wide": code.replace("-", "-" * 20),
    }.get(form, form.format(code))
    assert enter(world.consumer(), world.sequence, typed).status_code == 200


def test_a_code_opens_its_own_sequence_alone(world: World) -> None:
    """Not another one, not one of another experience, not one of another organization."""
    other, stranger = world.sequence_with("other", priority=-1), make_world()
    elsewhere = world.sequence_in("elsewhere")
    (own,) = make(world.sequence)
    for sequence in (other, elsewhere, stranger.sequence):
        make(sequence)
    who = world.consumer()
    refused(enter(who, elsewhere, own))
    refused(enter(stranger.consumer(), stranger.sequence, own))
    assert enter(who, world.sequence, own).json()["sequenceId"] == world.sequence.id
    Sequence.objects.filter(pk=other.pk).update(priority=9)
    assert enter(who, world.sequence, own).json()["sequenceId"] == world.sequence.id


def test_one_text_for_two_sequences_opens_the_higher_one(world: World) -> None:
    high = world.sequence_with("high", priority=5)
    for sequence in (world.sequence, high):
        access_codes.share(sequence, "TWICE", now=time.now(), actor="staff:1")
    who = world.consumer()
    assert enter(who, high, "twice").json()["sequenceId"] == high.id
    assert {code.sequence_id: code.uses for code in AccessCode.objects.all()} == {
        high.id: 1,
        world.sequence.id: 0,
    }


@pytest.mark.parametrize(
    "code", ["", " ", "-", "---", "WRONG", "🦊", "' OR 1=1 --", "%", "x" * 100, "ﬁ" * 99]
)
def test_what_is_no_code(world: World, code: str) -> None:
    make(world.sequence)
    refused(enter(world.consumer(), world.sequence, code))
    assert not Visit.objects.exists()


# --- guessing ---


def browse(world: World, address: str) -> ConsumerClient:
    """A guest who comes from that network address."""
    who = world.consumer()
    who.client.defaults["REMOTE_ADDR"] = address
    return who


def test_ten_wrong_guesses_of_one_consumer(world: World, clock: Any) -> None:
    """Whoever stands beside them is not kept out."""
    (code,) = make(world.sequence, max_uses=None)
    guesser, friend = browse(world, "203.0.113.7"), browse(world, "203.0.113.7")
    answers = [enter(guesser, world.sequence, f"WRONG-{n}") for n in range(11)]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429]
    assert_error(enter(guesser, world.sequence, code), 429, "Rate limit exceeded")
    assert enter(friend, world.sequence, code).status_code == 200
    clock.shift(answers[-1].json()["retryAfter"] + 1)
    assert enter(guesser, world.sequence, code).status_code == 200


def test_a_hundred_wrong_guesses_of_one_address(world: World, clock: Any) -> None:
    (code,) = make(world.sequence, max_uses=None)
    answers = [enter(browse(world, "203.0.113.7"), world.sequence, f"WRONG-{n}") for n in range(101)]
    assert [answer.status_code for answer in answers] == [403] * 100 + [429]
    body = assert_error(answers[-1], 429, "Rate limit exceeded")
    assert 1 <= body["retryAfter"] <= 600
    right = browse(world, "203.0.113.7")
    assert_error(enter(right, world.sequence, code), 429, "Rate limit exceeded")
    assert enter(browse(world, "203.0.113.8"), world.sequence, code).status_code == 200
    clock.shift(body["retryAfter"] + 1)
    assert enter(right, world.sequence, code).status_code == 200


def test_who_guesses_in_one_shop_is_not_kept_from_another(world: World, clock: Any) -> None:
    other = make_world()
    (code,) = make(other.sequence)
    make(world.sequence)
    for number in range(101):
        enter(browse(world, "203.0.113.7"), world.sequence, f"WRONG-{number}")
    assert enter(browse(other, "203.0.113.7"), other.sequence, code).status_code == 200


def test_right_codes_and_used_up_ones_are_no_guesses(world: World, clock: Any) -> None:
    """A crowd behind one address comes in, and those who are late are told so."""
    codes = make(world.sequence, 25)
    for code in codes:
        assert enter(browse(world, "203.0.113.7"), world.sequence, code).status_code == 200
        refused(enter(browse(world, "203.0.113.7"), world.sequence, code))


def test_without_redis_codes_work_and_nobody_is_limited(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = make(world.sequence)
    monkeypatch.setattr(settings, "REDIS_URL", NOBODY)
    redis.reset()
    who = browse(world, "203.0.113.7")
    for number in range(25):
        refused(enter(who, world.sequence, f"WRONG-{number}"))
    assert enter(who, world.sequence, code).status_code == 200
    monkeypatch.undo()
    redis.reset()


# --- what is kept ---


def test_no_table_holds_a_code(world: World) -> None:
    (made,) = make(world.sequence)
    access_codes.share(world.sequence, "MIDSUMMER", now=time.now(), actor="staff:1")
    assert enter(world.consumer(), world.sequence, made).status_code == 200
    assert enter(world.consumer(), world.sequence, "midsummer").status_code == 200
    for text in (made, access_codes.normalised(made), "MIDSUMMER"):
        for name in connection.introspection.table_names():
            with connection.cursor() as cursor:
                cursor.execute(f'SELECT t::text FROM "{name}" AS t')  # noqa: S608 (our own tables)
                assert not [row for (row,) in cursor.fetchall() if text.lower() in row.lower()], name
    told = Event.objects.filter(name="settings.changed")
    assert "generated" in str([event.data for event in told])


def test_generated_codes_are_many_and_different(world: World) -> None:
    codes = make(world.sequence, 12_000)
    assert len(set(codes)) == AccessCode.objects.count() == 12_000
    assert {len(access_codes.normalised(code)) for code in codes} == {10}
    assert set("".join(codes)) == set(access_codes.ALPHABET) | {"-"}
    assert enter(world.consumer(), world.sequence, codes[-1]).status_code == 200
