"""`/admin/account/`: a second factor for staff, who must have one, and where they are signed in."""

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken

from experiences import two_factor
from experiences.models import Authenticator, Event, Membership, Organization, StaffSession
from fanfare import clock as time
from tests.console.conftest import PASSWORD, Console, make_user, messages_of
from tests.console.test_staff import sign_in
from tests.world import World

ACCOUNT, SET_UP, VERIFY = "/admin/account/", "/admin/account/two-factor/", "/admin/account/verify/"
RENEW, OFF = "/admin/account/recovery-codes/", "/admin/account/turn-off/"
HOME = "/admin/"


def code_of(user: User, steps: int = 0) -> str:
    """What the user's app shows now, or so many half minutes later."""
    device = Authenticator.objects.filter(user=user).latest("id")
    totp = TOTP(device.bin_key, drift=steps)
    totp.time = time.now().timestamp()
    return f"{totp.token():06d}"


def turn_on(console: Console, clock: Any) -> list[str]:
    """Set the app up, as a person does; the recovery codes. The next code is another one."""
    page = console.get(SET_UP)
    assert page.status_code == 200
    shown = console.post(SET_UP, code=code_of(console.user)).content.decode()
    clock.shift(60)
    return re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", shown)


def browser_of(console: Console) -> Client:
    """Another browser, in which the password was given."""
    client = Client(raise_request_exception=False)
    assert sign_in(client, console.user.username, PASSWORD).status_code == 302
    return client


def passes(client: Client) -> bool:
    """Whether the console opens, instead of asking for a factor."""
    return client.get(HOME).status_code == 200


def test_it_is_offered(viewer: Console, clock: Any) -> None:
    page = viewer.get(ACCOUNT).content.decode()
    assert "is <strong" in page
    assert "Set it up" in page
    shown = viewer.get(SET_UP).content.decode()
    key = bytes.fromhex(Authenticator.objects.get().key)
    assert "<svg" in shown
    # What is scanned is not what is stored.
    secret = re.search(r"select-all[^>]*>([A-Z2-7 ]+)<", shown)
    assert secret is not None
    assert two_factor.begin(viewer.user).bin_key != key
    # Nothing counts before a code was shown.
    assert passes(browser_of(viewer))


def test_then_signing_in_takes_a_code(viewer: Console, clock: Any) -> None:
    codes = turn_on(viewer, clock)
    assert len(set(codes)) == two_factor.RECOVERY_CODES
    assert passes(viewer.client)
    client = browser_of(viewer)
    asked = client.get("/admin/experiences/experience/?q=x")
    assert asked.headers["Location"] == f"{VERIFY}?next=%2Fadmin%2Fexperiences%2Fexperience%2F%3Fq%3Dx"
    assert client.post("/admin/experiences/experience/add/", {}).status_code == 302
    page = client.get(asked.headers["Location"])
    assert 'name="code"' in page.content.decode()
    done = client.post(VERIFY, {"code": code_of(viewer.user), "next": "/admin/experiences/experience/?q=x"})
    assert done.headers["Location"] == "/admin/experiences/experience/?q=x"
    assert passes(client)


def test_a_code_works_once(viewer: Console, clock: Any) -> None:
    turn_on(viewer, clock)
    code = code_of(viewer.user)
    assert browser_of(viewer).post(VERIFY, {"code": code}).status_code == 302
    again = browser_of(viewer)
    assert "wrong, was used before" in again.post(VERIFY, {"code": code}).content.decode()
    assert not passes(again)


def test_a_recovery_code_works_once_however_it_is_typed(viewer: Console, clock: Any) -> None:
    first, second, *_ = turn_on(viewer, clock)
    assert not StaticToken.objects.filter(token__in=[first, first.replace("-", "")]).exists()
    client = browser_of(viewer)
    assert client.post(VERIFY, {"code": f" {first.upper()} "}).status_code == 302
    assert passes(client)
    assert f"{two_factor.RECOVERY_CODES - 1} recovery codes left" in client.get(ACCOUNT).content.decode()
    assert browser_of(viewer).post(VERIFY, {"code": first}).status_code == 200
    clock.shift(10)
    assert browser_of(viewer).post(VERIFY, {"code": second.replace("-", "")}).status_code == 302


@pytest.mark.parametrize("code", ["", "000000", "12345", "x" * 21, "٣٣٣٣٣٣", "-1", "1e5", "' OR 1=1"])
def test_what_is_no_code(viewer: Console, clock: Any, code: str) -> None:
    turn_on(viewer, clock)
    client = browser_of(viewer)
    assert client.post(VERIFY, {"code": code}).status_code == 200
    assert not passes(client)


def test_guessing_gets_slower_and_slower(viewer: Console, clock: Any) -> None:
    turn_on(viewer, clock)
    client = browser_of(viewer)
    for _ in range(10):
        client.post(VERIFY, {"code": "000000"})
    # The right one comes too soon now, for the device and for the limit of the minute.
    assert "Too many tries" in client.post(VERIFY, {"code": code_of(viewer.user)}).content.decode()
    assert not passes(client)
    clock.shift(3_600)
    assert client.post(VERIFY, {"code": code_of(viewer.user)}).status_code == 302


def test_another_users_code_is_none(viewer: Console, editor: Console, clock: Any) -> None:
    turn_on(viewer, clock)
    turn_on(editor, clock)
    client = browser_of(viewer)
    assert client.post(VERIFY, {"code": code_of(editor.user)}).status_code == 200
    assert not passes(client)


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/admin/", "javascript:alert(1)", "/\\evil.example", "/api/"],
)
def test_it_leads_to_no_other_place(viewer: Console, clock: Any, target: str) -> None:
    turn_on(viewer, clock)
    done = browser_of(viewer).post(VERIFY, {"code": code_of(viewer.user), "next": target})
    assert done.headers["Location"] == HOME


# --- An organization asks for it ------------------------------------------------------------------
def ask(world: World) -> None:
    Organization.objects.filter(pk=world.organization.pk).update(require_two_factor=True)


def test_an_owner_asks_for_it_and_begins_with_themselves(owner: Console, viewer: Console, clock: Any) -> None:
    organization = Organization.objects.get(memberships__user=owner.user)
    page = owner.save("experiences_organization", organization, require_two_factor="on")
    assert page.redirect_chain[-1][0].startswith(SET_UP)
    assert "asks its staff for a second factor" in html.unescape(page.content.decode())
    assert Organization.objects.get(pk=organization.pk).require_two_factor
    for console in (owner, viewer):
        assert not passes(console.client)
        turn_on(console, clock)
        assert passes(console.client)


def test_who_works_elsewhere_is_not_asked(stranger: Console, superuser: Console, world: World) -> None:
    ask(world)
    assert passes(stranger.client)
    assert not passes(superuser.client)  # who reaches every organization


def test_nobody_gets_round_it(viewer: Console, world: World) -> None:
    ask(world)
    for url in (ACCOUNT, RENEW, OFF, "/admin/password_change/", "/admin/experiences/event/", "/admin/zz/"):
        assert viewer.get(url).headers["Location"].startswith(SET_UP), url
    assert viewer.get("/admin/jsi18n/").status_code == 200
    assert viewer.post("/admin/logout/").status_code == 200


def test_it_cannot_be_turned_off_there(viewer: Console, world: World, clock: Any) -> None:
    ask(world)
    turn_on(viewer, clock)
    page = viewer.client.post(OFF, {"code": code_of(viewer.user)}, follow=True)
    assert "asks its staff" in messages_of(page)
    assert Authenticator.objects.filter(confirmed=True).exists()


# --- One's own account ----------------------------------------------------------------------------
def test_turning_it_off_takes_a_code(viewer: Console, clock: Any) -> None:
    turn_on(viewer, clock)
    assert viewer.post(OFF, code="000000").status_code == 200
    clock.shift(60)
    assert viewer.post(OFF, code=code_of(viewer.user)).status_code == 302
    assert not Authenticator.objects.exists()
    assert not StaticToken.objects.exists()
    assert passes(browser_of(viewer))


def test_new_recovery_codes_replace_the_old_ones(viewer: Console, clock: Any) -> None:
    old = turn_on(viewer, clock)
    shown = viewer.post(RENEW, code=code_of(viewer.user)).content.decode()
    new = re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", shown)
    assert len(new) == two_factor.RECOVERY_CODES
    assert not set(old) & set(new)
    assert browser_of(viewer).post(VERIFY, {"code": old[0]}).status_code == 200
    clock.shift(10)
    assert browser_of(viewer).post(VERIFY, {"code": new[0]}).status_code == 302


def test_another_app_replaces_the_first_once_it_works(viewer: Console, clock: Any) -> None:
    turn_on(viewer, clock)
    first = Authenticator.objects.get()
    viewer.get(SET_UP)
    assert two_factor.of(viewer.user) == first
    turn_on(viewer, clock)
    assert two_factor.of(viewer.user) != first
    assert Authenticator.objects.count() == 1


def test_half_signed_in_nobody_sets_up_another_app(viewer: Console, clock: Any) -> None:
    turn_on(viewer, clock)
    client = browser_of(viewer)
    assert client.get(SET_UP).headers["Location"] == VERIFY
    assert client.post(SET_UP, {"code": "000000"}).headers["Location"] == VERIFY
    for url in (ACCOUNT, RENEW, OFF, f"{ACCOUNT}sessions/end/"):
        assert client.post(url).headers["Location"].startswith(VERIFY), url


def test_browsers_are_listed_and_signed_out(viewer: Console, editor: Console, clock: Any) -> None:
    viewer.get(HOME)
    editor.get(HOME)
    clock.shift(120)
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1"
    phone = Client(headers={"User-Agent": agent})
    assert sign_in(phone, "vera", PASSWORD).status_code == 302
    phone.get(HOME, REMOTE_ADDR="10.9.8.7")
    page = viewer.get(ACCOUNT).content.decode()
    assert "Safari on iPhone" in page
    assert "10.9.8.7" in page
    assert page.count("last seen") == 2
    assert StaffSession.objects.count() == 3
    done = viewer.client.post(f"{ACCOUNT}sessions/end/", follow=True)
    assert messages_of(done) == "1 other browser is signed out."
    assert phone.get(HOME).status_code == 302
    assert passes(viewer.client)
    assert passes(editor.client)
    assert Session.objects.count() == 2
    assert viewer.get(f"{ACCOUNT}sessions/end/").status_code == 405


def test_strange_browsers_have_no_long_names(viewer: Console) -> None:
    viewer.client.get(HOME, headers={"User-Agent": "<b>" * 200})
    assert len(StaffSession.objects.get().agent) == 200
    assert "A program" in viewer.get(ACCOUNT).content.decode()


def test_the_librarys_pages_are_not_there(superuser: Console) -> None:
    for page in ("otp_totp/totpdevice/", "otp_static/staticdevice/"):
        assert superuser.get(f"/admin/{page}").status_code in (302, 404)


def test_nobody_else_gets_to_the_account(world: World) -> None:
    for url in (ACCOUNT, SET_UP, VERIFY):
        assert Client().get(url).headers["Location"].startswith("/admin/login/")
    customer = make_user("carl", is_staff=False)
    assert customer.get(SET_UP).headers["Location"].startswith("/admin/login/")


# --- Of others ------------------------------------------------------------------------------------
MEMBERSHIP = "experiences_membership"


def test_owners_see_who_has_it_and_sign_them_out(owner: Console, viewer: Console, clock: Any) -> None:
    turn_on(viewer, clock)
    viewer.get(HOME)
    hers = Membership.objects.get(user=viewer.user)
    listed = owner.list(MEMBERSHIP)
    assert {one.user.username: one.has_two_factor for one in listed.context["cl"].result_list} == {
        "olga": False,
        "vera": True,
    }
    done = owner.press(MEMBERSHIP, hers, "sign-out")
    assert messages_of(done) == "vera is signed out everywhere."
    assert viewer.get(HOME).headers["Location"].startswith("/admin/login/")
    assert passes(owner.client)
    event = Event.objects.latest("id")
    assert (event.name, event.actor, event.data["user"]) == ("staff.signed_out", owner.actor, viewer.user.pk)


def test_only_administrators_take_it_away(
    owner: Console, viewer: Console, superuser: Console, clock: Any
) -> None:
    turn_on(viewer, clock)
    hers = Membership.objects.get(user=viewer.user)
    owner.press(MEMBERSHIP, hers, "reset-two-factor")
    assert two_factor.of(viewer.user) is not None
    superuser.press(MEMBERSHIP, hers, "reset-two-factor")
    assert two_factor.of(viewer.user) is None
    assert Event.objects.latest("id").name == "staff.two_factor.reset"
    assert passes(browser_of(viewer))


def test_strangers_sign_nobody_out(stranger: Console, editor: Console, viewer: Console) -> None:
    viewer.get(HOME)
    hers = Membership.objects.get(user=viewer.user)
    for console in (stranger, editor):
        console.press(MEMBERSHIP, hers, "sign-out")
    assert passes(viewer.client)
    assert not Event.objects.filter(name="staff.signed_out").exists()
