"""`manage.py apply`: a sequence's waitlist, and what follows a sequence, in a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from distributions.core.models import Distribution, Tally
from distributions.waitlists.models import Waitlist
from experiences.models import Event, Sequence
from tests.commands.test_apply import apply

pytestmark = pytest.mark.usefixtures("transactional_db", "clock")

WAITLIST = "experiences[0].sequences[0].waitlist"
OFFER = "mode: offer, offerSequence: second, offerSeconds: 600"


def with_waitlist(waitlist: str, *, more: str = "", second: str = "") -> str:
    """A file with two sequences, of which the first has this waitlist (`{…}` or null)."""
    return f"""
organization: {{slug: shop, name: Shop}}
experiences: [{{slug: drop, name: Drop, sequences: [
  {{slug: everyone, name: Everyone, waitlist: {waitlist}, {more}}},
  {{slug: second, name: Second, {second}}}]}}]
"""


def the_waitlist() -> Distribution:
    related = ("waitlist__offer_sequence", "tally", "sequence", "organization")
    return Distribution.objects.select_related(*related).get()


def everything() -> list[Any]:
    tables = (Distribution, Tally, Waitlist, Sequence, Event, Waitlist.history.model)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


def refusal(tmp_path: Path, text: str) -> dict[str, str]:
    """What was wrong, by path; nothing may have changed."""
    before = everything()
    with pytest.raises(CommandError) as problem:
        apply(tmp_path, text)
    assert everything() == before
    first, *lines = str(problem.value).splitlines()
    assert first == "Nothing was changed."
    parts = [line.removeprefix(f"{tmp_path}/drop.yaml: ").partition(": ") for line in lines]
    return {path: said for path, _, said in parts}


def lines_of(printed: str) -> dict[str, str]:
    """What is said of each object, by its name."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    return {line.split()[2].rstrip(":"): line for line in lines if len(line.split()) > 2}


# --- The waitlist ---------------------------------------------------------------------------------
def test_the_one_waitlist_of_a_sequence(tmp_path: Path) -> None:
    text = with_waitlist("{slug: later, name: Later, capacity: 500, closeAt: now+1h}")
    assert lines_of(apply(tmp_path, text))["drop/everyone/later"] == "created waitlist drop/everyone/later"
    found = the_waitlist()
    assert (found.kind, found.pk.partition("_")[0], found.name) == ("waitlist", "wl", "Later")
    assert (found.tally.places, found.waitlist.mode, found.supports_guest) == (500, "notify", True)
    printed = json.loads(apply(tmp_path, text, "--json"))
    sequences = printed["experiences"]["drop"]["sequences"]
    assert sequences["everyone"]["waitlist"] == {"later": found.pk}
    assert sequences["second"]["waitlist"] == {}
    again = lines_of(apply(tmp_path, text))
    assert again["drop/everyone/later"].startswith("unchanged")
    changed = lines_of(apply(tmp_path, text.replace("500", "600")))
    assert changed["drop/everyone/later"] == "updated waitlist drop/everyone/later: capacity 500 → 600"


def test_null_is_none_and_takes_nothing_away(tmp_path: Path) -> None:
    apply(tmp_path, with_waitlist("null"))
    assert not Distribution.objects.exists()
    apply(tmp_path, with_waitlist("{slug: later, name: Later}"))
    apply(tmp_path, with_waitlist("null"))
    assert the_waitlist().slug == "later"


def test_offers_ask_for_codes_at_once_and_take_no_guests(tmp_path: Path) -> None:
    apply(tmp_path, with_waitlist(f"{{slug: later, name: Later, {OFFER}}}"))
    found, second = the_waitlist(), Sequence.objects.get(slug="second")
    assert (found.waitlist.mode, found.waitlist.offer_sequence) == ("offer", second)
    assert (found.waitlist.offer_seconds, found.supports_guest) == (600, False)
    assert second.requires_access_code
    events = Event.objects.filter(name="settings.changed", data__object=second.pk).order_by("id")
    assert events.last().data["after"] == {"requiresAccessCode": True}  # type: ignore[union-attr]
    settings = Event.objects.get(name="settings.changed", distribution_id=found.pk)
    assert settings.data["after"]["offerSequence"] == second.pk
    again = apply(tmp_path, with_waitlist(f"{{slug: later, name: Later, {OFFER}}}"))
    assert {line.split()[0] for line in again.splitlines()} == {"unchanged"}


def test_from_telling_to_offering(tmp_path: Path) -> None:
    apply(tmp_path, with_waitlist("{slug: later, name: Later}"))
    assert the_waitlist().supports_guest
    apply(tmp_path, with_waitlist(f"{{slug: later, {OFFER}}}"))
    assert (the_waitlist().waitlist.mode, the_waitlist().supports_guest) == ("offer", False)
    apply(tmp_path, with_waitlist("{slug: later, mode: notify}"))
    assert the_waitlist().waitlist.mode == "notify"


@pytest.mark.parametrize(
    ("waitlist", "path", "said"),
    [
        ("[]", "", "It must be a set of names and values."),
        ("5", "", "It must be a set of names and values."),
        ("{name: Later}", ".slug", "Each one needs a slug."),
        ("{slug: later, name: A, admissionRate: 5}", ".admissionRate", "Unknown name; of waitlist, known"),
        ("{slug: later, name: A, mode: shout}", ".mode", "Value 'shout' is not a valid choice."),
        ("{slug: later, name: A, capacity: -1}", ".capacity", "A whole number from 0"),
        (
            "{slug: later, name: A, mode: offer, offerSeconds: 60}",
            ".offerSequence",
            "Offers need the sequence",
        ),
        (
            "{slug: later, name: A, mode: offer, offerSequence: second}",
            ".offerSeconds",
            "Offers need an end.",
        ),
        (f"{{slug: later, name: A, {OFFER}, supportsGuest: true}}", ".supportsGuest", "Offers are sent"),
        ("{slug: later, name: A, offerSequence: third}", ".offerSequence", "There is no such sequence."),
        ("{slug: later, name: A, offerSequence: everyone}", ".offerSequence", "It must be another sequence"),
        ("{slug: later, name: A, offerSeconds: 9}", ".offerSeconds", "A whole number from 10"),
    ],
)
def test_what_is_wrong_with_a_waitlist(tmp_path: Path, waitlist: str, path: str, said: str) -> None:
    found = refusal(tmp_path, with_waitlist(waitlist))
    assert set(found) == {WAITLIST + path}
    assert found[WAITLIST + path].startswith(said)


def test_a_second_waitlist_is_one_too_many(tmp_path: Path) -> None:
    apply(tmp_path, with_waitlist("{slug: later, name: Later}"))
    found = refusal(tmp_path, with_waitlist("{slug: another, name: Another}"))
    assert found == {WAITLIST: "A sequence has one waitlist at most."}


def test_two_that_offer_the_same(tmp_path: Path) -> None:
    text = with_waitlist(f"{{slug: later, name: Later, {OFFER}}}").replace(
        "{slug: second,",
        f"{{slug: third, name: Third, waitlist: {{slug: b, name: B, {OFFER}}}}}, {{slug: second,",
    )
    found = refusal(tmp_path, text)
    assert set(found.values()) == {"Another waitlist offers what is behind that sequence."}


# --- What follows ---------------------------------------------------------------------------------
def test_what_follows_a_sequence(tmp_path: Path) -> None:
    text = with_waitlist("null", more="next: second")  # which stands later in the file
    apply(tmp_path, text)
    first, second = Sequence.objects.get(slug="everyone"), Sequence.objects.get(slug="second")
    assert (first.next, second.next) == (second, None)
    traced = Event.objects.filter(name="settings.changed", data__object=first.pk).order_by("id")
    assert traced.last().data["after"] == {"next": second.pk}  # type: ignore[union-attr]
    again = apply(tmp_path, text)
    assert {line.split()[0] for line in again.splitlines()} == {"unchanged"}
    printed = lines_of(apply(tmp_path, with_waitlist("null", more="next: null")))
    assert printed["drop/everyone"] == "updated sequence drop/everyone: next Second → none"
    apply(tmp_path, with_waitlist("null", more="next: second"))
    apply(tmp_path, with_waitlist("null"))  # what is not named stays
    assert Sequence.objects.get(slug="everyone").next == second


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("third", "There is no such sequence."),
        ("everyone", "It must be another sequence of the same experience."),
        ("5", "It must be text (in quotes, if it looks like something else)."),
    ],
)
def test_what_can_not_follow(tmp_path: Path, slug: str, said: str) -> None:
    found = refusal(tmp_path, with_waitlist("null", more=f"next: {slug}"))
    assert found == {"experiences[0].sequences[0].next": said}


def test_two_may_follow_each_other(tmp_path: Path) -> None:
    apply(tmp_path, with_waitlist("null", more="next: second", second="next: everyone"))
    assert Sequence.objects.exclude(next=None).count() == 2
