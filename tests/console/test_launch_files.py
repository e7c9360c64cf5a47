"""A launch as a file, in the console: exported, imported after a look at what it would change, copied."""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.urls import reverse

from distributions.blueprint import reading
from distributions.core.models import Distribution, Participation
from experiences.models import AccessCode, ApiKey, AudienceMember, Event, Experience, Organization, Sequence
from fanfare import clock as time
from tests.console.conftest import Console, make_user, messages_of
from tests.console.pages import text_of
from tests.world import World, make_world

ROOT = Path(__file__).resolve().parent.parent.parent
EXPERIENCE = "experiences_experience"
IMPORT = reverse("import")
# What the demo has not: amounts of another currency, a beacon, names in metadata that are names of settings.
MORE = """
organization: {slug: demo}
experiences:
  - slug: sneaker-drop
    theme: {primaryColor: "#123456"}
    timeZone: America/New_York
    sequences:
      - slug: everyone
        next: members
        color: "#ff0000"
        draws:
          - {slug: lit, name: "Lit: #1", openAt: "2026-12-10T10:00:00.123456Z", drawAt: 2026-12-11 10:00,
             winnerCount: 2, beacon: {source: drand}, fallThrough: {queue: members, sequence: members},
             metadata: {openAt: "2026-12-10T10:00:00Z", beacon: {source: x, round: 1}, "2026": ["09:00"]}}
        auctions:
          - {slug: yen, name: Yen, currencyCode: JPY, startingPrice: 100, minimumBidIncrement: 5,
             timeZone: Asia/Tokyo, openAt: 2026-12-10 10:00, closeAt: 2026-12-11 10:00,
             hardEndAt: 2026-12-12 10:00}
"""


def apply(text: str, tmp_path: Path) -> str:
    """By the command."""
    path, out = tmp_path / "drop.yaml", io.StringIO()
    path.write_text(text)
    call_command("apply", str(path), stdout=out)
    return out.getvalue()


def export(who: Console, experience: Experience) -> Any:
    return who.get(reverse(f"admin:{EXPERIENCE}_press", args=[experience.pk, "export"]))


def text_of_export(who: Console, experience: Experience) -> str:
    page = export(who, experience)
    assert (page.status_code, page["Content-Type"]) == (200, "application/yaml; charset=utf-8")
    return str(page.content.decode())


def without_head(text: str) -> Any:
    """What a file says, whoever's it is."""
    return reading.read(text.encode())["experiences"]


@pytest.fixture
def demo(transactional_db: None, clock: Any, tmp_path: Path) -> Experience:
    apply((ROOT / "demo.yaml").read_text(), tmp_path)
    apply(MORE, tmp_path)
    return Experience.objects.get(slug="sneaker-drop")


# --- Export ---------------------------------------------------------------------------------------
def test_what_was_exported_makes_the_same_again(demo: Experience, superuser: Console, tmp_path: Path) -> None:
    text = text_of_export(superuser, demo)
    other = make_world("elsewhere", time_zone="Asia/Tokyo", currency_code="USD").organization
    Experience.objects.filter(organization=other).delete()
    apply(text.replace("{slug: demo}", "{slug: elsewhere}"), tmp_path)
    again = text_of_export(superuser, Experience.objects.get(organization=other))
    assert without_head(again) == without_head(text)
    assert yaml.safe_load(again)["organization"] == {"slug": "elsewhere"}
    # It is whole: every distribution, and what hangs on what.
    assert Distribution.objects.filter(organization=other).count() == 13
    draw = Distribution.objects.get(organization=other, slug="lit")
    losers_go_on = draw.draw.fall_through
    assert losers_go_on is not None
    assert losers_go_on.sequence.slug == "members"
    assert draw.metadata["beacon"] == {"source": "x", "round": 1}
    assert draw.open_at == dt.datetime(2026, 12, 10, 10, 0, 0, 123456, tzinfo=dt.UTC)
    ways = {way.slug: way for way in Sequence.objects.filter(experience__organization=other)}
    assert (ways["everyone"].next, ways["friends"].requires_access_code) == (ways["members"], True)


def test_applying_it_where_it_came_from_changes_nothing(
    demo: Experience, superuser: Console, tmp_path: Path
) -> None:
    events = Event.objects.count()
    printed = apply(text_of_export(superuser, demo), tmp_path)
    assert {line.split()[0] for line in printed.splitlines()} == {"unchanged"}
    assert Event.objects.count() == events


def test_no_secret_is_in_it(demo: Experience, superuser: Console) -> None:
    Sequence.objects.filter(slug="members").update(requires_audience=True)
    AudienceMember.objects.create(sequence=Sequence.objects.get(slug="members"), key="email:ada@example.com")
    text = text_of_export(superuser, demo)
    assert "WELCOME" not in text.upper()
    assert "ada@" not in text
    (members,) = (way for way in without_head(text)[0]["sequences"] if way["slug"] == "members")
    assert (members["requiresAudience"], "audience" in members, "accessCode" in members) == (
        True,
        False,
        False,
    )


def test_an_auction_is_written_with_the_closing_that_was_announced(world: World, owner: Console) -> None:
    auction = world.auction(ends_in=30, extension_window_seconds=60, extension_seconds=60)
    world.consumer().bid(auction, "100.00")
    moved = Distribution.objects.get(pk=auction.pk)
    assert moved.close_at != auction.close_at
    (told,) = without_head(text_of_export(owner, world.sequence.experience))[0]["sequences"][0]["auctions"]
    assert dt.datetime.fromisoformat(told["closeAt"]) == auction.close_at
    assert told["startingPrice"] == "100.00"


def test_who_sees_may_export_and_nobody_else(
    world: World, viewer: Console, stranger: Console, owner: Console
) -> None:
    assert "slug: drop" in text_of_export(viewer, world.sequence.experience)
    assert export(stranger, world.sequence.experience).status_code == 302  # to the home: it is not there
    assert b"rival" not in export(owner, world.sequence.experience).content


# --- Import ---------------------------------------------------------------------------------------
FILE = """
organization: {slug: SLUG, name: Renamed, allowedOrigins: ["https://evil.example.com"]}
experiences:
  - slug: drop
    name: Renamed drop
    sequences:
      - slug: everyone
        queues: [{slug: line, name: The line, openAt: now+1h, admissionRate: 60}]
"""


def send(who: Console, world: World, text: str, **more: str) -> Any:
    body = {"organization": world.organization.pk, "text": text, **more}
    return who.client.post(IMPORT, body, follow=True)


def test_a_plan_comes_before_the_change(editor: Console, world: World) -> None:
    text = FILE.replace("SLUG", "whatever")
    events, keys = Event.objects.count(), ApiKey.objects.count()
    page = send(editor, world, text)
    assert [(row.verdict, row.title, row.name) for row, _ in page.context["rows"]] == [
        ("updated", "experience", "drop"),
        ("unchanged", "sequence", "drop/everyone"),
        ("created", "queue", "drop/everyone/line"),
    ]
    assert "name Drop → Renamed drop" in text_of(page)
    assert (Event.objects.count(), Distribution.objects.count()) == (events, 0)
    done = send(editor, world, page.context["text"], sure="yes")
    assert "1 created, 1 updated, 1 as before" in messages_of(done)
    assert done.redirect_chain[-1][0] == reverse(
        f"admin:{EXPERIENCE}_change", args=[world.sequence.experience_id]
    )
    queue = Distribution.objects.get()
    assert (queue.slug, queue.queue.admission_rate, queue.organization) == ("line", 60, world.organization)
    assert Event.objects.filter(distribution_id=queue.pk).get().actor == editor.actor
    # The settings of the organization are its owners', and its keys stay.
    organization = Organization.objects.get(pk=world.organization.pk)
    assert (organization.name, organization.allowed_origins) == (world.organization.name, [])
    assert ApiKey.objects.count() == keys
    again = send(editor, world, text)
    assert (again.context["changes"], "All of it is so already" in text_of(again)) == (0, True)


def test_what_is_wrong_is_said_by_path_and_changes_nothing(editor: Console, world: World) -> None:
    events = Event.objects.count()
    for text, told in {
        "": "This field is required.",
        "a: [": "Not YAML",
        "- 1": "The file must have organization",
        "experiences: [{slug: new, nmae: x}]": "experiences[0].nmae: Unknown name",
        "experiences: [{slug: 'No slug', name: x}]": "experiences[0].slug: Use lower-case letters",
        "a: &x 1\nb: *x": "aliases are not taken",
        "a: !!timestamp soon": "tags are not taken",
        "a: !!bool perhaps": "tags are not taken",
        'a: !!int ""': "tags are not taken",
        "a: !!set {b}": "tags are not taken",
        'a: "\\UFFFFFFFF"': "Not YAML",
        "x" * 200_001: "at most 200000 characters",
    }.items():
        for more in ({}, {"sure": "yes"}):
            page = send(editor, world, text, **more)
            assert page.status_code == 200
            assert told in str(page.context["form"].errors).replace("&quot;", '"'), (text, told)
    assert (Event.objects.count(), Experience.objects.count()) == (events, 1)


def test_what_looks_like_a_time_is_text() -> None:
    """Not a number to the base of sixty, for which a long one would take minutes of computing."""
    long = ":".join("1" * 100_000)
    assert reading.read(f"a: 10:30\nb: -1:30.5\nc: {long}\nd: 3".encode()) == {
        "a": "10:30", "b": "-1:30.5", "c": long, "d": 3,
    }  # fmt: skip


def test_tenants_are_walls_to_files_too(
    editor: Console, viewer: Console, stranger: Console, world: World, other_world: World
) -> None:
    """Neither the organization that is named in the form nor the one in the file opens another one."""
    text = FILE.replace("SLUG", other_world.organization.slug)
    for who, whose in ((editor, other_world), (stranger, world)):
        page = send(who, whose, text, sure="yes")
        assert "organization" in page.context["form"].errors
    assert send(viewer, world, text, sure="yes").status_code == 403
    assert viewer.get(IMPORT).status_code == 403
    assert not Distribution.objects.exists()
    send(editor, world, text, sure="yes")
    assert Distribution.objects.get().organization == world.organization
    options = [label for _, label in editor.get(IMPORT).context["form"].fields["organization"].choices]
    assert "Rival-Shop" not in options


def test_a_viewer_here_who_edits_there_imports_there_alone(world: World, other_world: World) -> None:
    both = make_user("bea", world.organization, "viewer")
    both.user.memberships.create(organization=other_world.organization, role="editor")
    text = FILE.replace("SLUG", "x")
    assert "organization" in send(both, world, text, sure="yes").context["form"].errors
    send(both, other_world, text, sure="yes")
    assert Distribution.objects.get().organization == other_world.organization


# --- Copy -----------------------------------------------------------------------------------------
def copy(who: Console, experience: Experience, day: str = "", at: str = "", **more: str) -> Any:
    body = {"name": "Again", "slug": "again", "opens_at_0": day, "opens_at_1": at, **more}
    return who.press(EXPERIENCE, experience, "copy", **body)


def test_a_copy_has_it_all_at_its_own_times(demo: Experience, superuser: Console) -> None:
    page = copy(superuser, demo, "2027-07-01", "10:00:00")
    assert "Again was made" in messages_of(page)
    made = Experience.objects.get(slug="again")
    assert page.redirect_chain[-1][0] == reverse(f"admin:{EXPERIENCE}_change", args=[made.pk])
    before, after = (
        {each.slug: each for each in Distribution.objects.filter(sequence__experience=one)}
        for one in (demo, made)
    )
    assert set(before) == set(after)
    assert after["lit"].draw.fall_through == after["members"]
    assert bytes(after["lit"].drawing.seed_box) != bytes(before["lit"].drawing.seed_box)
    # The first to open is the line, at 03:59 in New York; what is there from the start stays so.
    opens = min(each.open_at for each in after.values() if each.open_at)
    assert opens == dt.datetime(2027, 7, 1, 14, 0, tzinfo=dt.UTC)
    assert after["fitting"].open_at is None
    assert after["lit"].metadata == before["lit"].metadata
    # Its beacon's round is one of its own time.
    old, new = before["lit"].draw.beacon, after["lit"].draw.beacon
    assert old is not None
    assert new is not None
    assert new["round"] > old["round"]
    friends = Sequence.objects.get(experience=made, slug="friends")
    assert friends.requires_access_code
    assert not AccessCode.objects.filter(sequence__experience=made).exists()


def test_copied_times_stand_on_the_wall(world: World, owner: Console, clock: Any) -> None:
    """Ten stays ten, and the next day's noon noon, over the night in which the clocks change."""
    Organization.objects.update(time_zone="Europe/Berlin")
    queue = world.queue()
    Distribution.objects.filter(pk=queue.pk).update(
        open_at=dt.datetime(2026, 12, 5, 9, 0, tzinfo=dt.UTC),
        close_at=dt.datetime(2026, 12, 6, 11, 0, tzinfo=dt.UTC),
    )
    copy(owner, world.sequence.experience, "2027-03-27", "10:00:00")
    made = Distribution.objects.get(sequence__experience__slug="again")
    assert made.open_at == dt.datetime(2027, 3, 27, 9, 0, tzinfo=dt.UTC)
    assert made.close_at == dt.datetime(2027, 3, 28, 10, 0, tzinfo=dt.UTC)


def test_people_and_their_places_are_not_copied(world: World, owner: Console) -> None:
    queue = world.queue(opens_in=-60, closes_in=3600)
    world.consumer().enter(queue)
    Distribution.objects.filter(pk=queue.pk).update(message="It is hot in here", proof_of_work=3)
    page = owner.get(reverse(f"admin:{EXPERIENCE}_press", args=[world.sequence.experience_id, "copy"]))
    assert "Not copied: access codes, audiences, who took part" in text_of(page)
    assert page.context["form"]["opens_at"].value() > time.now()  # the next such weekday
    copy(owner, world.sequence.experience)
    made = Distribution.objects.get(sequence__experience__slug="again")
    assert (made.tally.entered, made.open_at, made.close_at) == (0, queue.open_at, queue.close_at)
    assert (made.message, made.proof_of_work) == ("", 3)
    assert Participation.objects.get().distribution == queue


def test_a_copy_that_can_not_be_is_none(
    world: World, owner: Console, viewer: Console, stranger: Console
) -> None:
    experience = world.sequence.experience
    world.queue()
    page = copy(owner, experience, slug="drop")
    assert page.context["form"].errors["slug"] == [
        "There is an experience with this slug; choose another one."
    ]
    page = copy(owner, experience, slug="Not a slug")
    assert "slug" in page.context["form"].errors
    page = copy(owner, experience, "2030-01-01", "10:00:00")
    assert "Nothing in it has an opening" in str(page.context["form"].errors["opens_at"])
    Distribution.objects.update(open_at=time.now(), close_at=time.now() + dt.timedelta(days=9))
    page = copy(owner, experience, "9999-12-31", "23:59:59")
    assert page.context["form"].errors["opens_at"] == ["No calendar goes that far."]
    assert copy(viewer, experience).status_code == 403
    copy(stranger, experience)
    assert Experience.objects.filter(organization=world.organization).count() == 1
    assert Experience.objects.filter(slug="again").count() == 0
