"""What opens a sequence, set up in the console: conditions, access codes, audiences."""

import csv
import datetime as dt
import io
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from experiences import access_codes, audiences, conditions_admin
from experiences.models import AccessCode, AudienceMember, Event, Organization, Sequence
from fanfare import clock as time
from tests.console.conftest import Console, messages_of
from tests.world import ConsumerClient, World, assert_error

SEQUENCE, CODE, MEMBER = "experiences_sequence", "experiences_accesscode", "experiences_audiencemember"
GENERATE, IMPORT = "generate-codes", "import-audience"


def generate(who: Console, sequence: Sequence, **values: str) -> list[str]:
    """Press the button, and read the file; without its header."""
    body = {"number": "3", "max_uses": "1", "expires_at": "", "label": "", **values}
    answer = who.press(SEQUENCE, sequence, GENERATE, **body)
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8", answer.context["form"].errors
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[0] == ["code"]
    return [code for (code,) in rows[1:]]


def enter(world: World, consumer: ConsumerClient, code: str = "") -> Any:
    body = {"accessCode": code} if code else {}
    return consumer.post(f"/experiences/{world.sequence.experience_id}/enter", body)


def rows(who: Console, model: str, **query: Any) -> list[Any]:
    page = who.list(model, **query)
    assert page.status_code == 200, page.content
    return list(page.context["cl"].result_list)


def act(who: Console, model: str, action: str, chosen: list[Any], **more: Any) -> Any:
    """Choose an action for some rows of a list."""
    body = {"action": action, "_selected_action": [str(row.pk) for row in chosen], **more}
    return who.client.post(reverse(f"admin:{model}_changelist"), body, follow=True)


def test_the_form_says_who_may_take_a_sequence(editor: Console, world: World) -> None:
    page = unescape(editor.open(SEQUENCE, world.sequence).content.decode())
    for text in ("Guests can't come in.", "one of the sequence's codes", "on the sequence's list"):
        assert text in page
    editor.save(
        SEQUENCE,
        world.sequence,
        requires_authentication="on",
        requires_access_code="on",
        requires_audience="on",
    )
    changed = Sequence.objects.get()
    assert (changed.requires_authentication, changed.requires_access_code, changed.requires_audience) == (
        True,
        True,
        True,
    )
    assert Event.objects.latest("id").data["after"]["requiresAudience"] is True
    assert "sign-in, access code, audience" in editor.list(SEQUENCE).content.decode()


# --- Access codes ---------------------------------------------------------------------------------
def test_codes_are_handed_out_once_and_open_the_sequence(editor: Console, world: World) -> None:
    assert enter(world, world.consumer()).status_code == 200
    body = {"number": "2", "max_uses": "1", "expires_at": "", "label": "Fans"}
    answer = editor.press(SEQUENCE, world.sequence, GENERATE, **body)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="access-codes-everyone.csv"'
    assert "no-store" in answer.headers["Cache-Control"]
    one, two = answer.content.decode().split()[1:]
    assert_error(enter(world, world.consumer()), 403, "Access code required")
    assert enter(world, world.consumer(), one).status_code == 200
    assert_error(enter(world, world.consumer(), one), 403, "Access code required")
    assert "2 codes for Everyone were made" in messages_of(editor.open(SEQUENCE, world.sequence))
    listed = editor.list(CODE, sequence__id__exact=world.sequence.pk)
    pages = [listed, *(editor.open(CODE, code) for code in AccessCode.objects.all())]
    for page in pages:
        text = page.content.decode()
        assert "Fans" in text
        for secret in (one, two, one.replace("-", ""), access_codes.digest(one).hex()):
            assert secret not in text
    assert {code.hint for code in rows(editor, CODE)} == {one[-2:], two[-2:]}
    assert [row.uses for row in rows(editor, CODE, state="used up")] == [1]
    told = Event.objects.filter(actor=editor.actor, name="settings.changed").latest("id")
    assert told.data["accessCodes"] == {"generated": 2, "label": "Fans"}
    assert one not in str(list(Event.objects.values_list("data", flat=True)))


def test_codes_for_several_and_for_any_number(editor: Console, world: World) -> None:
    (three,) = generate(editor, world.sequence, number="1", max_uses="3")
    (any_number,) = generate(editor, world.sequence, number="1", max_uses="")
    for code, answers in ((three, [200, 200, 200, 403]), (any_number, [200] * 4)):
        assert [enter(world, world.consumer(), code).status_code for _ in range(4)] == answers
    assert len(generate(editor, world.sequence, number="10000")) == 10_000
    texts = rows(editor, CODE)[0], editor.list(CODE).content.decode()
    assert "0 of 1" in texts[1]


def test_a_code_expires_at_a_time_in_the_launchs_zone(editor: Console, world: World, clock: Any) -> None:
    Organization.objects.update(time_zone="America/New_York")
    url = reverse(f"admin:{SEQUENCE}_press", args=[world.sequence.pk, GENERATE])
    assert "Time zone: America/New_York." in editor.get(url).content.decode()
    (code,) = generate(editor, world.sequence, number="1", expires_at="2026-12-01T05:00")
    assert AccessCode.objects.get().expires_at == dt.datetime(2026, 12, 1, 10, tzinfo=dt.UTC)
    assert [row.hint for row in rows(editor, CODE, state="good")] == [code[-2:]]
    clock.shift(3600)
    assert_error(enter(world, world.consumer(), code), 403, "Access code required")
    assert rows(editor, CODE, state="good") == []
    assert [row.hint for row in rows(editor, CODE, state="expired")] == [code[-2:]]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("number", ["", "0", "-1", "10001", "1e3", "x", "9" * 40]),
        ("max_uses", ["0", "-1", "1000001", "1.5", "x"]),
        ("expires_at", ["x", "2026-12-01T08:59", "0001-01-01T00:00", "9999-12-31T23:59", "2026-13-01T00:00"]),
        ("label", ["x" * 101]),
    ],
)
def test_odd_wishes_make_no_codes(
    name: str, texts: list[str], editor: Console, world: World, clock: Any
) -> None:
    for text in texts:
        body = {"number": "1", "max_uses": "1", "expires_at": "", "label": "", name: text}
        page = editor.press(SEQUENCE, world.sequence, GENERATE, **body)
        assert name in page.context["form"].errors, text
    assert editor.press(SEQUENCE, world.sequence, GENERATE, number="1", label="\x00").status_code == 400
    assert not AccessCode.objects.exists()
    assert not Sequence.objects.get().requires_access_code


def test_codes_are_found_by_state_label_and_sequence(editor: Console, world: World) -> None:
    other = world.sequence_with("fans")
    generate(editor, world.sequence, label="Winter")
    generate(editor, other, label="Fan club", number="2")
    access_codes.share(other, "FRIENDS", now=time.now(), actor="system:test")
    assert len(rows(editor, CODE, q="Winter")) == 3
    assert len(rows(editor, CODE, q="Fan club")) == 2
    assert rows(editor, CODE, q="Fan") == []
    assert len(rows(editor, CODE, q=other.pk)) == 3
    assert len(rows(editor, CODE, is_shared__exact="1")) == 1
    editor.press(CODE, AccessCode.objects.filter(label="Winter")[0], "revoke")
    counts = {name: len(rows(editor, CODE, state=name)) for name in conditions_admin.STATE_COLORS}
    assert counts == {"good": 5, "used up": 0, "expired": 0, "revoked": 1}
    assert len(rows(editor, CODE, state="good", sequence__id__exact=other.pk)) == 3
    link = f"{reverse(f'admin:{CODE}_changelist')}?sequence__id__exact={other.pk}"
    assert link in editor.open(SEQUENCE, other).content.decode()


def test_a_revoked_code_opens_nothing(editor: Console, world: World) -> None:
    first, *others = generate(editor, world.sequence)
    code = AccessCode.objects.get(digest=access_codes.digest(first))
    assert "revoked" in messages_of(editor.press(CODE, code, "revoke"))
    assert "no longer possible" in messages_of(editor.press(CODE, code, "revoke"))
    assert_error(enter(world, world.consumer(), first), 403, "Access code required")
    page = act(editor, CODE, "revoke_selected", list(AccessCode.objects.all()))
    assert dict(page.context["hidden"])["action"] == "revoke_selected"
    assert enter(world, world.consumer(), others[0]).status_code == 200
    done = act(editor, CODE, "revoke_selected", list(AccessCode.objects.all()), sure="yes")
    assert "2 of 3 revoked." in messages_of(done)
    assert_error(enter(world, world.consumer(), others[1]), 403, "Access code required")
    told = Event.objects.filter(actor=editor.actor, data__accessCodes__revoked=1)
    assert told.count() == 3


# --- Audiences ------------------------------------------------------------------------------------
def test_an_audience_is_imported_whole(editor: Console, world: World) -> None:
    text = "email;phone;externalId\r\nAda@Example.com;+49 30 901820;customer-1\r\nbob@example.com;;\r\n"
    page = editor.press(SEQUENCE, world.sequence, IMPORT, text=text)
    assert "4 added to the audience. 0 were on it already." in messages_of(page)
    assert set(AudienceMember.objects.values_list("key", flat=True)) == {
        "email:ada@example.com", "phone:+4930901820", "external:customer-1", "email:bob@example.com",
    }  # fmt: skip
    assert enter(world, world.member("ada@example.com")).status_code == 200
    assert_error(enter(world, world.member("eve@example.com")), 403, "Not eligible")
    again = editor.press(
        SEQUENCE, world.sequence, IMPORT, text="bob@example.com\nzoe@example.com\nBOB@example.com"
    )
    assert "1 added to the audience. 1 were on it already." in messages_of(again)
    told = Event.objects.filter(actor=editor.actor, data__has_key="audience").order_by("id")
    assert [event.data["audience"] for event in told] == [{"added": 4}, {"added": 1}]


def test_a_list_with_a_wrong_line_is_not_imported(editor: Console, world: World) -> None:
    wrong = "\n".join(["ada@example.com", *(f"x@y@{number}" for number in range(12))])
    page = editor.press(SEQUENCE, world.sequence, IMPORT, text=wrong)
    errors = list(page.context["form"].errors["text"])
    assert errors[0].startswith("Line 2, “x@y@0”: ")
    assert errors[10:] == ["And 2 more.", "Nothing was imported."]
    assert "x@y@11" in page.context["form"]["text"].value()
    for text in (
        "",
        " \n",
        ";;;\n;;",
        "email\n",
        '"',
        "+1",
        "é@example.com",
        "x" * 400,
        "<b>@</b>",
        "=1+1@x",
    ):
        page = editor.press(SEQUENCE, world.sequence, IMPORT, text=text)
        assert "text" in page.context["form"].errors, text
        assert "<b>@</b>" not in page.content.decode()
    assert editor.press(SEQUENCE, world.sequence, IMPORT, text="a\x00b").status_code == 400
    assert editor.press(SEQUENCE, world.sequence, IMPORT, text="x" * 1_100_000).status_code == 413
    assert not AudienceMember.objects.exists()
    assert not Sequence.objects.get().requires_audience


def test_a_list_as_long_as_the_page_promises_fits(editor: Console, world: World) -> None:
    text = "\r\n".join(f"somebody-{number:05}@example.com" for number in range(30_000))
    page = editor.press(SEQUENCE, world.sequence, IMPORT, text=text)
    assert "30,000 added" in messages_of(page)
    assert "more than 10000 audience members" in editor.list(MEMBER).content.decode()


def test_the_server_takes_no_file(editor: Console, world: World) -> None:
    url = reverse(f"admin:{SEQUENCE}_press", args=[world.sequence.pk, IMPORT])
    page = editor.get(url).content.decode()
    chooser = page[page.index('<input type="file"') :].partition(">")[0]
    assert "name=" not in chooser
    answer = editor.client.post(url, {"text": io.BytesIO(b"ada@example.com")})
    assert "text" in answer.context["form"].errors


def test_members_are_found_and_removed(editor: Console, world: World) -> None:
    other = world.sequence_with("fans")
    known: dict[str, Any] = {"now": time.now(), "actor": "system:test"}
    keys = ["email:ada@example.com", "phone:+4930901820", "external:1"]
    audiences.add(world.sequence, keys, **known)
    audiences.add(other, keys[:1], **known)
    for term, number in (
        ("ADA@example.com", 2),
        ("+49 30 901820", 1),
        ("1", 1),
        ("ada", 0),
        ("+1", 0),
        ("@", 0),
    ):
        assert len(rows(editor, MEMBER, q=term)) == number, term
    assert len(rows(editor, MEMBER, sequence__id__exact=world.sequence.pk)) == 3
    ada = world.member("ada@example.com")
    assert enter(world, ada).status_code == 200
    one = AudienceMember.objects.get(sequence=world.sequence, key="email:ada@example.com")
    page = editor.press(MEMBER, one, "remove")
    assert "is off the list" in messages_of(page)
    assert len(page.context["cl"].result_list) == 2
    chosen = list(AudienceMember.objects.all())
    assert "Remove 3" in act(editor, MEMBER, "remove_selected", chosen).content.decode()
    assert AudienceMember.objects.count() == 3
    assert "3 removed." in messages_of(act(editor, MEMBER, "remove_selected", chosen, sure="yes"))
    assert_error(enter(world, world.member("ada@example.com")), 403, "Not eligible")
    told = Event.objects.filter(actor=editor.actor).values_list("data__audience__removed", flat=True)
    assert sorted(told) == [1, 1, 2]


# --- Who may --------------------------------------------------------------------------------------
@pytest.fixture
def both(world: World) -> tuple[AccessCode, AudienceMember]:
    """A code and a member of our sequence."""
    known: dict[str, Any] = {"now": time.now(), "actor": "system:test"}
    access_codes.generate(world.sequence, 1, **known)
    audiences.add(world.sequence, ["email:ada@example.com"], **known)
    return AccessCode.objects.get(), AudienceMember.objects.get()


def test_a_viewer_only_looks_and_a_stranger_does_not(
    both: tuple[AccessCode, AudienceMember], viewer: Console, stranger: Console, world: World
) -> None:
    code, member = both
    page = viewer.open(SEQUENCE, world.sequence).content.decode()
    assert GENERATE not in page
    assert IMPORT not in page
    deeds = [
        (SEQUENCE, world.sequence, GENERATE, {"number": "1"}),
        (SEQUENCE, world.sequence, IMPORT, {"text": "eve@example.com"}),
        (CODE, code, "revoke", {}),
        (MEMBER, member, "remove", {}),
    ]
    for model, thing, button, body in deeds:
        assert viewer.press(model, thing, button, **body).status_code == 403
        assert "doesn’t exist" in messages_of(stranger.press(model, thing, button, **body))
    for who in (viewer, stranger):
        act(who, CODE, "revoke_selected", [code], sure="yes")
        act(who, MEMBER, "remove_selected", [member], sure="yes")
    assert rows(stranger, CODE) == rows(stranger, MEMBER) == []
    assert (len(rows(viewer, CODE)), len(rows(viewer, MEMBER))) == (1, 1)
    assert (AccessCode.objects.get().revoked_at, AudienceMember.objects.get()) == (None, member)


def test_a_selection_is_ended_whole_or_not_at_all(
    both: tuple[AccessCode, AudienceMember],
    editor: Console,
    world: World,
    other_world: World,
    monkeypatch: Any,
) -> None:
    editor.user.memberships.create(organization=other_world.organization, role="viewer")
    known: dict[str, Any] = {"now": time.now(), "actor": "system:test"}
    access_codes.generate(other_world.sequence, 1, **known)
    audiences.add(other_world.sequence, ["email:bob@example.com"], **known)
    for model, action in ((CODE, "revoke_selected"), (MEMBER, "remove_selected")):
        page = act(editor, model, action, rows(editor, model), sure="yes")
        assert "only where you may steer. Nothing was changed" in messages_of(page)
    monkeypatch.setattr(conditions_admin, "AT_ONCE", 0)
    page = act(editor, CODE, "revoke_selected", [both[0]], sure="yes")
    assert "At most 0 at once" in messages_of(page)
    assert not AccessCode.objects.filter(revoked_at__isnull=False).exists()
    assert AudienceMember.objects.count() == 2


@pytest.mark.parametrize("model", [CODE, MEMBER])
def test_lists_ask_few_questions(
    model: str, owner: Console, world: World, django_assert_max_num_queries: Any
) -> None:
    known: dict[str, Any] = {"now": time.now(), "actor": "system:test"}
    for number in range(10):
        sequence = world.sequence_with(f"way-{number}")
        access_codes.generate(sequence, 4, **known)
        audiences.add(sequence, [f"external:{member}" for member in range(4)], **known)
    with django_assert_max_num_queries(14):
        page = owner.list(model)
    assert len(page.context["cl"].result_list) == 40
