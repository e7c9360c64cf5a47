"""`manage.py apply`: a sequence's access code and audience, beside its settings."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from experiences import access_codes
from experiences import keys as api_keys
from experiences.models import AccessCode, AudienceMember, Event, KeyKind, Sequence
from fanfare import clock as time
from tests.commands.test_apply import apply
from tests.world import World, assert_error

pytestmark = pytest.mark.usefixtures("transactional_db", "clock")
SEQUENCE = "experiences[0].sequences[0]"


def file(conditions: str) -> str:
    """A file of one sequence with these conditions."""
    return f"""
organization: {{slug: shop, name: Shop}}
experiences: [{{slug: drop, name: Drop, sequences: [{{slug: vip, name: Guests of honour, {conditions}}}]}}]
"""


def keys() -> list[str]:
    return list(AudienceMember.objects.order_by("id").values_list("key", flat=True))


def requires() -> tuple[bool, bool, bool]:
    found = Sequence.objects.get()
    return found.requires_authentication, found.requires_access_code, found.requires_audience


def sequence_line(printed: str) -> str:
    (line,) = [line for line in printed.splitlines() if "drop/vip" in line]
    return " ".join(line.split())


def enters(code: str) -> Any:
    """What somebody new is answered who comes with the code."""
    sequence = Sequence.objects.get()
    organization = sequence.experience.organization
    _, publishable = api_keys.create(organization, KeyKind.PUBLISHABLE, now=time.now(), actor="system:test")
    guest = World(organization, sequence, publishable, "").consumer()
    return guest.post(f"/experiences/{sequence.experience_id}/enter", {"accessCode": code})


def test_the_same_file_again_changes_nothing_and_tells_no_code(tmp_path: Path) -> None:
    text = file("requiresAuthentication: true, accessCode: MIDSUMMER-1, audience: [Ada@Example.com, '4711']")
    printed = apply(tmp_path, text)
    assert sequence_line(printed).startswith("created sequence")
    assert requires() == (True, True, True)
    assert keys() == ["email:ada@example.com", "external:4711"]
    events = Event.objects.count()

    again = apply(tmp_path, text)
    assert sequence_line(again) == "unchanged sequence drop/vip"
    assert (Event.objects.count(), AccessCode.objects.count()) == (events, 1)
    for words in (printed, again, str(list(Event.objects.values())), str(list(Sequence.history.values()))):
        assert "MIDSUMMER" not in words.upper()
        assert "ada@example.com" not in words.lower()


def test_another_code_replaces_the_shared_one_alone(tmp_path: Path) -> None:
    apply(tmp_path, file("accessCode: FIRST-1"))
    sequence = Sequence.objects.get()
    (made,) = access_codes.generate(sequence, 1, now=time.now(), actor="staff:1", max_uses=None)
    assert enters("first 1").status_code == 200
    printed = apply(tmp_path, file("accessCode: SECOND-2"))
    assert sequence_line(printed).startswith("updated sequence drop/vip: accessCode")
    assert "SECOND" not in printed
    assert_error(enters("first 1"), 403, "Access code required")
    assert enters("second2").status_code == enters(made).status_code == 200
    apply(tmp_path, file("accessCode: FIRST-1"))  # and back
    assert enters("first 1").status_code == 200
    assert_error(enters("second2"), 403, "Access code required")


def test_an_audience_grows_and_never_shrinks(tmp_path: Path) -> None:
    apply(tmp_path, file("audience: ['1', '2']"))
    printed = apply(tmp_path, file("audience: ['2', '3', '3']"))
    assert sequence_line(printed) == "updated sequence drop/vip: audience none → 1 more"
    assert keys() == ["external:1", "external:2", "external:3"]
    assert sequence_line(apply(tmp_path, file("audience: []"))) == "unchanged sequence drop/vip"
    assert requires() == (False, False, True)


def test_null_switches_a_condition_off_and_leaving_it_out_does_not(tmp_path: Path) -> None:
    apply(tmp_path, file("accessCode: MIDSUMMER, audience: ['1']"))
    apply(tmp_path, file("priority: 3"))
    assert requires() == (False, True, True)
    printed = apply(tmp_path, file("accessCode: null, audience: null"))
    assert sequence_line(printed).startswith("updated sequence drop/vip")
    assert requires() == (False, False, False)
    assert sequence_line(apply(tmp_path, file("accessCode: null, audience: null"))).startswith("unchanged")
    apply(tmp_path, file("accessCode: MIDSUMMER, audience: []"))
    assert (requires(), keys()) == ((False, True, True), ["external:1"])
    assert enters("midsummer").status_code == 403  # on no list


def test_a_file_may_ask_without_saying_the_code(tmp_path: Path) -> None:
    """As an exported one does; what is asked for twice in one way is no contradiction."""
    apply(tmp_path, file("requiresAccessCode: true, requiresAudience: true"))
    assert requires() == (False, True, True)
    assert not AccessCode.objects.exists()
    apply(
        tmp_path,
        file("requiresAccessCode: true, accessCode: MIDSUMMER, audience: [], requiresAudience: true"),
    )
    assert (requires(), AccessCode.objects.count()) == ((False, True, True), 1)
    apply(tmp_path, file("requiresAccessCode: false, requiresAudience: false"))
    assert requires() == (False, False, False)


@pytest.mark.parametrize(
    ("conditions", "path"),
    [
        ("accessCode: abc", "accessCode"),
        ("accessCode: '----'", "accessCode"),
        ("accessCode: 20262026", "accessCode"),
        (f"accessCode: {'x' * 101}", "accessCode"),
        (f"accessCode: {'x' * 65}", "accessCode"),
        ("accessCode: [a]", "accessCode"),
        ("audience: ada@example.com", "audience"),
        ("audience: [4711]", "audience"),
        ("audience: ['1', nobody@, '+1', ' ']", "audience"),
        ("requiresAuthentication: 'yes'", "requiresAuthentication"),
        ("accessCode: MIDWINTER, requiresAccessCode: false", "requiresAccessCode"),
        ("accessCode: null, requiresAccessCode: true", "requiresAccessCode"),
        ("audience: null, requiresAudience: true", "requiresAudience"),
        ("audience: [], requiresAudience: false", "requiresAudience"),
    ],
)
@pytest.mark.parametrize("is_known", [False, True])
def test_wrong_entries_are_named_by_path(tmp_path: Path, conditions: str, path: str, is_known: bool) -> None:
    if is_known:
        apply(tmp_path, file("accessCode: MIDSUMMER, audience: ['1']"))
    before = (list(Sequence.objects.values()), list(AccessCode.objects.values()), keys())
    with pytest.raises(CommandError) as problem:
        apply(tmp_path, file(conditions))
    first, *lines = str(problem.value).splitlines()
    assert first == "Nothing was changed."
    assert [line.partition(": ")[2].partition(": ")[0] for line in lines] == [f"{SEQUENCE}.{path}"]
    if "nobody@" in conditions:
        assert all(f"[{number}]: " in lines[0] for number in (1, 2, 3))
    assert (list(Sequence.objects.values()), list(AccessCode.objects.values()), keys()) == before


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    apply(tmp_path, file("accessCode: MIDSUMMER"))
    before = list(AccessCode.objects.values())
    printed = apply(tmp_path, file("accessCode: MIDWINTER, audience: ['1']"), "--dry-run")
    assert sequence_line(printed).startswith("updated sequence drop/vip: accessCode")
    assert "MIDWINTER" not in printed
    assert (list(AccessCode.objects.values()), keys(), requires()) == (before, [], (False, True, False))
