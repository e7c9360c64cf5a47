"""An experience's page: the picture of what is in it, the checklist before it opens, the hosted page's look;
and the forms by which it is filled.
"""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consumers.models import Consumer
from distributions.core.models import Distribution, Kind
from experiences import access_codes, audiences
from experiences.models import AccessCode, ApiKey, Experience, Organization, Sequence
from fanfare import clock as time
from fanfare import redis
from tests.console.conftest import Console, fields_of, messages_of
from tests.console.pages import DISTRIBUTION, text_of, wrong
from tests.world import World, loaded, make_queue, make_release, make_waitlist

EXPERIENCE, SEQUENCE = "experiences_experience", "experiences_sequence"
ADD = reverse(f"admin:{DISTRIBUTION}_add")


def look(who: Console, world: World) -> Any:
    page = who.open(EXPERIENCE, world.sequence.experience)
    assert page.status_code == 200
    return page


def checks(page: Any) -> dict[str, tuple[bool, str, str]]:
    """By title: whether it is done, what is said, where it is mended."""
    return {check.title: (check.is_done, check.text, url) for check, url in page.context["checks"]}


def lanes(page: Any) -> list[tuple[str, list[str], list[str], str]]:
    """Slug, conditions, slugs of what it ends in, and that of its waitlist."""
    return [
        (
            lane.sequence.slug,
            [words for _, words in lane.conditions],
            [card["thing"].distribution.slug for card in cards],
            waitlist["thing"].distribution.slug if waitlist else "",
        )
        for lane, cards, waitlist in page.context["lanes"]
    ]


# --- The picture ----------------------------------------------------------------------------------
def test_the_picture_has_ways_ends_and_what_follows(world: World, viewer: Console, clock: Any) -> None:
    last = world.sequence
    first = world.sequence_with(
        "vip", priority=5, requires_authentication=True, requires_audience=True, next=last
    )
    friends = world.sequence_with("friends", priority=9, requires_access_code=True)
    later, queue = make_queue(first, opens_in=7200), make_queue(first, opens_in=3600, closes_in=90_000)
    waits = make_waitlist(last, capacity=10)
    page = look(viewer, world)
    assert lanes(page) == [
        (friends.slug, ["with a code"], [], ""),
        (first.slug, ["signed in", "on the list"], [queue.slug, later.slug], ""),
        (last.slug, ["anyone"], [], waits.slug),
    ]
    cards = page.context["lanes"][1][1]
    assert [card["thing"].times.replace("\N{NO-BREAK SPACE}", " ") for card in cards] == [
        "Tue 1 Dec, 10:00 UTC → Wed 2 Dec, 10:00 UTC, in 1 h",
        "Tue 1 Dec, 11:00 UTC → no end, in 2 h",
    ]
    text = text_of(page)
    assert "on to <a" in text
    assert reverse(f"admin:{DISTRIBUTION}_change", args=[queue.pk]) in text


def test_an_editor_is_led_to_the_right_place_and_a_viewer_only_looks(
    world: World, editor: Console, viewer: Console
) -> None:
    way = world.sequence
    adds = [
        f"{reverse(f'admin:{SEQUENCE}_add')}?experience={way.experience_id}",
        f"{ADD}?sequence={way.pk}",
        f"{ADD}?kind=waitlist&amp;sequence={way.pk}",
    ]
    page = text_of(look(editor, world))
    assert all(address in page for address in adds)
    page = look(viewer, world)
    assert not any(address in text_of(page) for address in adds)
    assert [button.name for button, _ in page.context["buttons"]] == ["export"]


def test_what_is_added_there_belongs_there(world: World, editor: Console) -> None:
    """From the picture: a sequence, then its kind is asked for, then only what a queue has; and back."""
    experience = world.sequence.experience
    query = f"?experience={experience.pk}"
    page = editor.add(SEQUENCE, query, name="Members", slug="members")
    back = reverse(f"admin:{EXPERIENCE}_change", args=[experience.pk])
    assert page.redirect_chain[-1][0] == back
    way = Sequence.objects.get(slug="members")
    asked = text_of(editor.get(ADD, sequence=way.pk))
    assert f"?kind=queue&amp;sequence={way.pk}" in asked
    form = editor.get(ADD, kind="queue", sequence=way.pk).context["adminform"].form
    assert "admission_rate" in form.fields
    assert not {"draw_at", "starting_price", "inventory", "slot_minutes"} & set(form.fields)
    page = editor.add(DISTRIBUTION, f"?kind=queue&sequence={way.pk}", name="Line", slug="line")
    assert page.redirect_chain[-1][0] == back
    assert Distribution.objects.get(slug="line").sequence == way


def test_it_is_read_with_the_same_few_questions(world: World, viewer: Console) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            look(viewer, world)
        return len(asked)

    def fill(number: int) -> None:
        for index in range(number):
            way = world.sequence_with(f"way-{Sequence.objects.count()}", requires_access_code=True)
            way.requires_audience = bool(index % 2)
            way.save()
            make_queue(way, opens_in=60), make_release(way), make_waitlist(way)
            world.draw(), world.auction(), world.appointment()

    fill(2)
    look(viewer, world)
    few = queries()
    fill(8)
    assert queries() == few


def test_tenants_are_walls(world: World, stranger: Console, owner: Console, other_world: World) -> None:
    assert stranger.open(EXPERIENCE, world.sequence.experience).status_code == 302
    other_world.queue()
    assert [slug for slug, *_ in lanes(look(owner, world))] == ["everyone"]


# --- The checklist --------------------------------------------------------------------------------
def test_a_bare_launch_has_it_all_to_do(world: World, editor: Console) -> None:
    ApiKey.objects.all().delete()
    Organization.objects.update(rate_limits={})
    found = checks(look(editor, world))
    for title, model in (
        ("Ways in", f"{ADD}?sequence={world.sequence.pk}"),
        (
            "Keys",
            f"{reverse('admin:experiences_apikey_changelist')}?organization__id__exact={world.organization.pk}",
        ),
        ("Allowed origins", reverse("admin:experiences_organization_change", args=[world.organization.pk])),
        ("Return hosts", reverse("admin:experiences_organization_change", args=[world.organization.pk])),
        ("Worker", ""),
    ):
        is_done, _, url = found[title]
        assert not is_done, title
        assert url.startswith(model), (title, url)
    Sequence.objects.all().delete()
    is_done, text, url = checks(look(editor, world))["Ways in"]
    assert (is_done, "Add a sequence" in text) == (False, True)
    assert url.endswith(f"?experience={world.sequence.experience_id}")


def test_a_launch_that_is_ready_has_nothing_to_do(world: World, editor: Console) -> None:
    Organization.objects.update(
        allowed_origins=["https://shop.example.com"], return_hosts=["shop.example.com"]
    )
    redis.client().set(redis.HEARTBEAT, time.now().isoformat())
    queue = world.queue(opens_in=3600, closes_in=90_000, admission_rate=60, capacity=10_000)
    page = look(editor, world)
    found = checks(page)
    assert [title for title, (is_done, _, _) in found.items() if not is_done] == []
    assert found[f"Pace of {queue}"][1] == "At 60 a minute, the last of 10,000 waits 2 h 46 min."
    assert "all done" in text_of(page)
    assert page.context["open_checks"] == 0


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "It has no rate"),
        ({"admission_rate": 60, "max_active": 5, "capacity": 10}, "An admission never ends"),
        ({"admission_rate": 60, "capacity": 10_000, "closes_in": 7200}, "closes after 1 h"),
        ({"admission_rate": 60, "max_active": 5, "session_seconds": 60, "capacity": 10}, "let 5 a minute in"),
    ],
)
def test_a_pace_that_will_not_do(world: World, editor: Console, settings: dict[str, Any], told: str) -> None:
    queue = world.queue(opens_in=3600, **settings)
    is_done, text, url = checks(look(editor, world))[f"Pace of {queue}"]
    assert not is_done
    assert told in text, text
    assert url == reverse(f"admin:{DISTRIBUTION}_change", args=[queue.pk])


def test_the_last_of_those_admitted_counts(world: World, editor: Console) -> None:
    queue = world.queue(opens_in=3600, admission_rate=60, capacity=10_000, max_admissions=600)
    assert "the last of 600 waits 10 min" in checks(look(editor, world))[f"Pace of {queue}"][1]


def test_times_are_looked_at(world: World, editor: Console, clock: Any) -> None:
    experience = world.sequence.experience
    open_at_once = world.queue(admission_rate=5)
    assert "without an opening" in checks(look(editor, world))["Openings"][1]
    open_at_once.delete()
    world.release(opens_in=-60)
    assert checks(look(editor, world))["Openings"][0]
    world.queue(opens_in=60)
    is_done, text, _ = checks(look(editor, world))["Openings"]
    assert (is_done, "Open already" in text) == (False, True)
    assert checks(look(editor, world))["Times in order"][0]
    Experience.objects.filter(pk=experience.pk).update(open_at=time.now() + dt.timedelta(hours=1))
    assert "outside the times" in checks(look(editor, world))["Times in order"][1]


def test_rate_limits_are_held_against_the_crowd(world: World, editor: Console) -> None:
    world.queue(opens_in=60, admission_rate=60, capacity=10_000)
    assert checks(look(editor, world))["Rate limits"][0]
    Organization.objects.update(rate_limits={})
    is_done, text, _ = checks(look(editor, world))["Rate limits"]
    assert not is_done
    assert text.startswith("authentication is limited to 100 a minute: 10,000 people need 1 h 40 min")
    many = {"authentication": 100_000, "queueEntry": 100_000}
    Organization.objects.update(rate_limits={**many, "statusCheck": 5000})
    assert "statusCheck allows 5,000" in checks(look(editor, world))["Rate limits"][1]


def test_what_is_asked_for_must_be_there(world: World, editor: Console, settings: Any) -> None:
    way = world.sequence_with("vip", requires_access_code=True, requires_audience=True)
    settings.EMAIL_BACKEND = "fanfare.mail.Nowhere"
    found = checks(look(editor, world))
    for title in ("Access codes", "Audiences"):
        assert not found[title][0]
        assert found[title][2] == reverse(f"admin:{SEQUENCE}_change", args=[way.pk])
    assert "FANFARE_EMAIL_URL" in found["Mail"][1]
    known: dict[str, Any] = {"now": time.now(), "actor": "system:test"}
    access_codes.generate(way, 1, **known)
    audiences.add(way, ["email:ann@example.com"], **known)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    found = checks(look(editor, world))
    assert [found[title][0] for title in ("Access codes", "Audiences", "Mail")] == [True, True, True]
    AccessCode.objects.update(uses=1)  # used up
    assert not checks(look(editor, world))["Access codes"][0]
    # A waitlist makes codes for what it offers by itself.
    make_waitlist(world.sequence, mode="offer", offer_sequence=way, offer_seconds=60)
    assert checks(look(editor, world))["Access codes"][0]


# --- The hosted page ------------------------------------------------------------------------------
def test_the_preview_is_in_the_launchs_own_look(world: World, viewer: Console, settings: Any) -> None:
    Organization.objects.update(theme={"primaryColor": "#112233", "textColor": "#445566"})
    Experience.objects.update(theme={"primaryColor": "#778899"}, description="<b>Bold</b>")
    page = text_of(look(viewer, world))
    assert "--accent:#778899" in page
    assert "--text:#445566" in page
    assert "#112233" not in page.partition("Settings</h2>")[0]
    assert "&lt;b&gt;Bold" in page
    assert f'href="/e/{world.organization.slug}/drop"' in page
    assert f"{settings.PUBLIC_URL}/e/{world.organization.slug}/drop" in page


# --- Forms that need no manual --------------------------------------------------------------------
@pytest.mark.parametrize("kind", list(Kind))
def test_each_kinds_form_explains_itself(kind: Kind, world: World, editor: Console) -> None:
    page = editor.get(ADD, kind=kind, sequence=world.sequence.pk)
    fields = page.context["adminform"].form.fields
    # What is a date, a number or a choice of ours is explained; names speak for themselves.
    silent = {name for name, field in fields.items() if not field.help_text}
    assert silent <= {"sequence", "mode"}
    assert page.context["title"].startswith("Add a")
    assert page.context["adminform"].prepopulated_fields


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("queue", {}),
        ("draw", {}),
        ("auction", {"starting_price": "10.00", "minimum_bid_increment": "1.00"}),
        ("timed_release", {"inventory": "5"}),
        ("appointment", {}),
        ("waitlist", {}),
    ],
)
def test_a_name_and_what_only_staff_know_is_enough(
    kind: str, more: dict[str, str], world: World, editor: Console
) -> None:
    query = f"?kind={kind}&sequence={world.sequence.pk}"
    page = editor.add(DISTRIBUTION, query, name="Thing", slug="thing", **more)
    assert "was added successfully" in messages_of(page), wrong(page)


def test_times_are_proposed_in_the_launchs_zone(world: World, editor: Console, clock: Any) -> None:
    Experience.objects.update(time_zone="Asia/Tokyo")

    def proposed(kind: str) -> dict[str, str]:
        """As the page shows them."""
        page = text_of(editor.get(ADD, kind=kind, sequence=world.sequence.pk))
        inputs = [tag for tag in re.findall("<input [^>]*>", page) if "_at_" in tag]
        pairs = [(re.search('name="([^"]*)"', tag), re.search('value="([^"]*)"', tag)) for tag in inputs]
        return {name[1]: value[1] if value else "" for name, value in pairs if name}

    found = proposed("draw")
    assert (found["open_at_0"], found["open_at_1"]) == ("2026-12-02", "10:00:00")
    assert (found["draw_at_0"], found["draw_at_1"]) == ("2026-12-03", "10:00:00")
    assert proposed("waitlist")["open_at_0"] == ""
    world.queue(opens_in=3600)  # what else is in it opens at 19:00
    assert proposed("queue")["open_at_1"] == "19:00:00"
    ends = time.now() + dt.timedelta(days=3)
    Experience.objects.update(open_at=time.now() + dt.timedelta(hours=2), close_at=ends)
    found = proposed("queue")
    assert (found["open_at_1"], found["close_at_0"]) == ("20:00:00", "2026-12-04")


def test_lengths_of_time_are_written_as_people_say_them(world: World, editor: Console) -> None:
    queue = world.queue(session_seconds=5400)
    assert fields_of(editor.open(DISTRIBUTION, queue))["session_seconds"] == "1 h 30 min"
    editor.save(DISTRIBUTION, queue)
    assert loaded(queue).queue.session_seconds == 5400
    for text, seconds in {"90": 90, "2 min": 120, "1h 5m": 3900, "1 day, 1 hour": 90_000, "": None}.items():
        editor.save(DISTRIBUTION, queue, session_seconds=text)
        assert loaded(queue).queue.session_seconds == seconds, text
    for text in ("soon", "1.5 h", "10 lightyears", "-5", "99999999999999999999", "31 d", "0"):
        assert wrong(editor.save(DISTRIBUTION, queue, session_seconds=text)) == ["session_seconds"], text
    assert loaded(queue).queue.session_seconds is None


def test_a_wrong_combination_says_what_to_do(world: World, editor: Console) -> None:
    query = f"?kind=waitlist&sequence={world.sequence.pk}"
    page = editor.add(DISTRIBUTION, query, name="W", slug="w", mode="offer", supports_guest="on")
    told = {name: str(texts[0]) for name, texts in page.context["adminform"].form.errors.items()}
    assert told == {
        "offer_sequence": "Offers need the sequence whose free places they are of: choose it.",
        "offer_seconds": "Offers need an end. Say how long one lasts, such as half an hour.",
        "supports_guest": "Offers are sent, and guests can't be reached: switch this off.",
    }
    assert not Consumer.objects.exists()


def test_the_only_organization_is_chosen(world: World, other_world: World, editor: Console) -> None:
    form = fields_of(editor.get(reverse(f"admin:{EXPERIENCE}_add")))
    assert form["organization"] == world.organization.pk
    page = editor.add(EXPERIENCE, name="Spring", slug="spring")
    made = Experience.objects.get(slug="spring")
    assert page.redirect_chain[-1][0] == reverse(f"admin:{EXPERIENCE}_change", args=[made.pk])
