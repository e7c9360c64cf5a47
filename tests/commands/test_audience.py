"""`manage.py audience`: a whole list or nothing of it, and every wrong line by its number."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from experiences.management.commands import audience
from experiences.models import AudienceMember, Event
from tests.api.servers import postgresql_away
from tests.world import World, assert_error

pytestmark = pytest.mark.usefixtures("clock")
LIST = "email,phone,externalId\nAda@Example.com,+49 30 901820,4711\nbob@example.com,,4712\n"


def run(tmp_path: Path, world: World, content: str | bytes, *, sequence_id: str = "") -> str:
    """What it printed on standard output."""
    path, out = tmp_path / "list.csv", io.StringIO()
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    call_command("audience", sequence_id or world.sequence.pk, str(path), stdout=out)
    return out.getvalue()


def refusal(tmp_path: Path, world: World, content: str | bytes, **more: str) -> list[str]:
    """What it said instead, line by line; nothing was changed."""
    before = (list(AudienceMember.objects.values()), Event.objects.count())
    with pytest.raises(CommandError) as problem:
        run(tmp_path, world, content, **more)
    assert (list(AudienceMember.objects.values()), Event.objects.count()) == before
    world.sequence.refresh_from_db()
    assert world.sequence.requires_audience is bool(before[0])
    return str(problem.value).replace(f"{tmp_path}/", "").splitlines()


def members() -> set[str]:
    return set(AudienceMember.objects.values_list("key", flat=True))


def test_a_list_opens_the_sequence_to_who_is_on_it(tmp_path: Path, world: World) -> None:
    assert run(tmp_path, world, LIST) == "5 new on the list of Everyone; 0 were on it.\n"
    assert members() == {
        "email:ada@example.com", "phone:+4930901820", "external:4711", "email:bob@example.com",
        "external:4712",
    }  # fmt: skip
    queue = world.queue()
    assert world.member("ada@example.com").enter(queue).status_code == 200
    assert world.member(subject="4712").enter(queue).status_code == 200
    assert_error(world.member("eve@example.com").enter(queue), 403, "Not eligible")
    [event] = Event.objects.filter(name="settings.changed", data__has_key="audience")
    assert (event.actor, event.data["audience"]) == ("system:audience", {"added": 5})


def test_again_and_with_more(tmp_path: Path, world: World) -> None:
    run(tmp_path, world, LIST)
    events = Event.objects.count()
    assert run(tmp_path, world, LIST) == "0 new on the list of Everyone; 5 were on it.\n"
    assert Event.objects.count() == events
    again = run(tmp_path, world, "eve@example.com\nADA@example.com\neve@EXAMPLE.com\n")
    assert again == "1 new on the list of Everyone; 1 were on it.\n"


def test_as_spreadsheets_write_it(tmp_path: Path, world: World) -> None:
    run(tmp_path, world, b'\xef\xbb\xbfE-Mail;Name\r\n"ada@example.com";Ada\r\n')
    assert members() == {"email:ada@example.com"}


def test_standard_input(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LIST.encode())))
    out = io.StringIO()
    call_command("audience", world.sequence.pk, "-", stdout=out)
    assert out.getvalue().startswith("5 new")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a@b\n")))
    with pytest.raises(CommandError) as problem:
        call_command("audience", world.sequence.pk, "-", stdout=out)
    assert "\nstandard input: Line 1, “a@b”: " in str(problem.value)


def test_every_wrong_line_by_its_number(tmp_path: Path, world: World) -> None:
    content = "email,phone\nada@example.com,\nnot one,\n,+49 30 901820\n,0301\n"
    first, *wrong = refusal(tmp_path, world, content)
    assert first == "Nothing was changed."
    assert [line.partition(":")[2][:12] for line in wrong] == [" Line 3, “no", " Line 5, “03"]
    assert all(line.startswith("list.csv: ") for line in wrong)


def test_very_many_wrong_lines(tmp_path: Path, world: World) -> None:
    _, *wrong = refusal(tmp_path, world, "email\n" + "no\n" * 1234)
    assert len(wrong) == 11
    assert wrong[-1] == "list.csv: … and 1,224 more."


def test_what_is_on_it_stays_on_it(tmp_path: Path, world: World) -> None:
    run(tmp_path, world, LIST)
    refusal(tmp_path, world, "eve@example.com\nno@\n")
    assert "email:eve@example.com" not in members() and len(members()) == 5


@pytest.mark.parametrize("content", ["", "\n\n", "email\n", "email,phone\n,\n", "\ufeff"])
def test_an_empty_list_shuts_nobody_out(tmp_path: Path, world: World, content: str) -> None:
    assert refusal(tmp_path, world, content) == ["Nothing was changed.", "list.csv: Nobody is in it."]


@pytest.mark.parametrize(
    "content", [b"\xff\xfea\x00@\x00", b"ad\xe4@example.com\n", b"\x89PNG\r\n\x1a\n\xff"]
)
def test_a_file_that_is_no_text(tmp_path: Path, world: World, content: bytes) -> None:
    [told] = refusal(tmp_path, world, content)
    assert told == "list.csv: it is not UTF-8. Save it as CSV in UTF-8."


@pytest.mark.parametrize(
    "content", ["4711\0\n", "x" * 321 + "\n", '"' + "x" * 200_000 + '"\n', '"4711\n4712\n']
)
def test_what_no_list_holds(tmp_path: Path, world: World, content: str) -> None:
    assert len(refusal(tmp_path, world, content)) == 2


def test_a_file_that_is_too_long(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "MOST_BYTES", 10)
    [told] = refusal(tmp_path, world, LIST)
    assert told.startswith("list.csv: at most 0 MB at once")
    monkeypatch.undo()
    monkeypatch.setattr("experiences.audiences.MOST_AT_ONCE", 4)
    assert refusal(tmp_path, world, LIST)[1] == "list.csv: At most 4 entries at once."


@pytest.mark.parametrize(("name", "told"), [("gone.csv", "No such file"), ("", "Is a directory")])
def test_a_file_that_cannot_be_read(tmp_path: Path, world: World, name: str, told: str) -> None:
    with pytest.raises(CommandError) as problem:
        call_command("audience", world.sequence.pk, str(tmp_path / name))
    assert told in str(problem.value)


def test_a_sequence_that_is_not_there(tmp_path: Path, world: World) -> None:
    [told] = refusal(tmp_path, world, LIST, sequence_id="seq_nope")
    assert told.startswith("There is no sequence seq_nope")


def test_without_postgresql(tmp_path: Path, world: World) -> None:
    with postgresql_away(), pytest.raises(CommandError) as problem:
        run(tmp_path, world, LIST)
    assert str(problem.value).startswith("PostgreSQL did not do it, nothing was changed")


def test_a_long_list_in_few_queries(tmp_path: Path, world: World, django_assert_max_num_queries: Any) -> None:
    content = "externalId\n" + "".join(f"{number}\n" for number in range(12_000))
    with django_assert_max_num_queries(20):
        assert run(tmp_path, world, content).startswith("12,000 new")
