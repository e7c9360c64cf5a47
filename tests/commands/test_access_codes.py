"""`manage.py access_codes`: codes on standard output and nothing else there; or none, and why."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from experiences import access_codes
from experiences.models import AccessCode, Event
from tests.api.servers import postgresql_away
from tests.world import ConsumerClient, World, assert_error

pytestmark = pytest.mark.usefixtures("clock")


def run(*words: str) -> tuple[list[str], str]:
    """The codes, and what was said beside them."""
    out, err = io.StringIO(), io.StringIO()
    call_command("access_codes", *words, stdout=out, stderr=err)
    head, *rows = csv.reader(io.StringIO(out.getvalue()))
    assert head == ["code"]
    return [code for (code,) in rows], err.getvalue()


def refusal(*words: str) -> str:
    """What it said instead; nothing was made, changed or printed."""
    before, out = (AccessCode.objects.count(), Event.objects.count()), io.StringIO()
    with pytest.raises(CommandError) as problem:
        call_command("access_codes", *words, stdout=out, stderr=io.StringIO())
    assert out.getvalue() == ""
    assert (AccessCode.objects.count(), Event.objects.count()) == before
    return str(problem.value)


def enter(world: World, browser: ConsumerClient, code: str) -> Any:
    return browser.post(f"/experiences/{world.sequence.experience_id}/enter", {"accessCode": code})


def test_the_codes_open_the_sequence_once_each(world: World) -> None:
    codes, told = run(world.sequence.pk, "--number", "3")
    assert len(set(codes)) == 3
    assert "3" in told and "Everyone" in told
    for code in codes:
        assert enter(world, world.consumer(), code).status_code == 200
        assert_error(enter(world, world.consumer(), code), 403, "Access code required")
    [event] = Event.objects.filter(name="settings.changed", data__has_key="accessCodes")
    assert event.actor == "system:access_codes"
    assert event.data["accessCodes"]["generated"] == 3


def test_so_many_as_were_asked_for(world: World) -> None:
    codes, _ = run(world.sequence.pk, "--number", "500", "--label", "Newsletter")
    assert len(set(codes)) == 500
    rows = AccessCode.objects.filter(sequence=world.sequence)
    assert {bytes(row.digest) for row in rows} == {access_codes.digest(code) for code in codes}
    assert {(row.label, row.max_uses, row.expires_at) for row in rows} == {("Newsletter", 1, None)}


def test_codes_for_some_and_for_all(world: World) -> None:
    [some], _ = run(world.sequence.pk, "--number", "1", "--uses", "2")
    [all_], _ = run(world.sequence.pk, "--number", "1", "--unlimited")
    answers = [enter(world, world.consumer(), some).status_code for _ in range(3)]
    assert answers == [200, 200, 403]
    assert [enter(world, world.consumer(), all_).status_code for _ in range(4)] == [200] * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-24T18:00", dt.datetime(2026, 12, 24, 17, 0, tzinfo=dt.UTC)),  # Berlin's winter
        ("2027-07-01 18:00:30", dt.datetime(2027, 7, 1, 16, 0, 30, tzinfo=dt.UTC)),  # and summer
        ("2026-12-24T18:00Z", dt.datetime(2026, 12, 24, 18, 0, tzinfo=dt.UTC)),
        ("2026-12-24T18:00-05:00", dt.datetime(2026, 12, 24, 23, 0, tzinfo=dt.UTC)),
    ],
)
def test_when_they_expire(world: World, text: str, expected: dt.datetime) -> None:
    world.organization.time_zone = "Europe/Berlin"
    world.organization.save()
    run(world.sequence.pk, "--number", "1", "--expires", text)
    assert AccessCode.objects.get().expires_at == expected


def test_an_expired_code_opens_nothing(world: World, clock: Any) -> None:
    [code], _ = run(world.sequence.pk, "--number", "1", "--expires", "2026-12-01T09:01")
    clock.shift(59)
    assert enter(world, world.consumer(), code).status_code == 200
    [code], _ = run(world.sequence.pk, "--number", "1", "--expires", "2026-12-01T09:01")
    clock.shift(1)
    assert_error(enter(world, world.consumer(), code), 403, "Access code required")


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--number", "0"], "--number"),
        (["--number", "-1"], "--number"),
        (["--number", "100001"], "--number"),
        (["--number", "1", "--uses", "0"], "--uses"),
        (["--number", "1", "--uses", "1000001"], "--uses"),
        (["--number", "1", "--expires", "2026-12-01T09:00"], "--expires"),  # that is now
        (["--number", "1", "--expires", "2026-12-24"], "--expires"),
        (["--number", "1", "--expires", "tomorrow"], "--expires"),
        (["--number", "1", "--expires", "2026-02-30T10:00"], "--expires"),
        (["--number", "1", "--expires", "9999-12-31T23:59-12:00"], "--expires"),
        (["--number", "1", "--expires", "0001-01-01T00:00+12:00"], "--expires"),
        (["--number", "1", "--expires", "2026-12-24T18:00+25:00"], "--expires"),
        (["--number", "1", "--label", "x" * 101], "--label"),
        (["--number", "1", "--label", "\udcff"], "--label"),
    ],
)
def test_what_makes_no_sense(world: World, words: list[str], option: str) -> None:
    first, *rest = refusal(world.sequence.pk, *words).splitlines()
    assert first == "Nothing was changed."
    assert [line.partition(":")[0] for line in rest] == [option]


@pytest.mark.parametrize("words", [[], ["--number", "x"], ["--number", "1", "--uses", "2", "--unlimited"]])
def test_words_that_do_not_go_together(world: World, words: list[str]) -> None:
    refusal(world.sequence.pk, *words)


def test_a_sequence_that_is_not_there(world: World) -> None:
    told = refusal("seq_01ARZ3NDEKTSV4RRFFQ69G5FAV", "--number", "1")
    assert told.startswith("There is no sequence seq_01ARZ3NDEKTSV4RRFFQ69G5FAV")


class Full(io.StringIO):
    """A disk with no space left."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


class FullWhenFlushed(io.StringIO):
    """The same, behind a buffer."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("kind", [Full, FullWhenFlushed])
def test_codes_that_nobody_could_read_are_not_made(world: World, kind: type[io.StringIO]) -> None:
    events = Event.objects.count()
    with pytest.raises(CommandError) as problem:
        call_command("access_codes", world.sequence.pk, "--number", "5", stdout=kind(), stderr=io.StringIO())
    assert "Nothing was changed" in str(problem.value) and "No space left" in str(problem.value)
    assert (AccessCode.objects.count(), Event.objects.count()) == (0, events)
    world.sequence.refresh_from_db()
    assert not world.sequence.requires_access_code


def test_without_postgresql(world: World) -> None:
    with postgresql_away(), pytest.raises(CommandError) as problem:
        call_command("access_codes", world.sequence.pk, "--number", "1", stdout=io.StringIO())
    assert str(problem.value).startswith("PostgreSQL did not do it, nothing was changed")
    assert "\n" not in str(problem.value)
