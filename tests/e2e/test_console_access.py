"""The console by axe-core's eye (WCAG 2.2 AA), in the light and in the dark; and two factors in a browser."""

import base64
import secrets
from collections.abc import Iterator

import pytest
from django_otp.oath import TOTP
from playwright.sync_api import Page, expect

from fanfare import clock
from tests.e2e.conftest import DESKTOP, OpenContext
from tests.e2e.console import DISTRIBUTION, Desk, desk_of, sign_in
from tests.e2e.hosted import WCAG, require_accessible
from tests.e2e.stack import Stack

# So tall that the bar of buttons, which sticks to the window's lower edge, covers no field of a form.
TALL = {**DESKTOP, "viewport": {"width": 1280, "height": 4000}}
ADDED = ("queue", "draw", "auction", "timed_release", "appointment", "waitlist")


@pytest.fixture(scope="module")
def desk(stack: Stack) -> Desk:
    return desk_of(stack)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(desk: Desk, open_context: OpenContext, scheme: str) -> None:
    page = open_context(**TALL, color_scheme=scheme).new_page()
    page.goto(f"{desk.stack.url}/admin/")
    expect(page.get_by_label("Password")).to_be_visible()
    require_accessible(page, *WCAG)
    desk.sign_in(page)
    expect(page.get_by_role("heading", name="Live now")).to_be_visible()
    for path in addresses(desk, page):
        page.goto(f"{desk.stack.url}{path}")
        expect(page.locator("#main, main").first).to_be_visible()
        require_accessible(page, *WCAG)


def addresses(desk: Desk, page: Page) -> Iterator[str]:
    """The console's own pages; those that Django makes of a model stand for one another."""
    page.goto(f"{desk.stack.url}/admin/experiences/experience/?q=sneaker-drop")
    experience = str(
        page.locator("#result_list a[href*='/experience/exp']").first.get_attribute("href")
    ).split("?")[0]
    page.goto(f"{desk.stack.url}{experience}")
    adding = str(page.locator("a[href*='/distribution/add/?sequence=']").first.get_attribute("href"))
    yield from (
        "/admin/",
        "/admin/import/",
        "/admin/experiences/event/",
        "/admin/distributions/participation/",
    )
    yield from (experience, experience.replace("/change/", "/press/copy/"))
    yield from ("/admin/experiences/experience/add/", "/admin/experiences/sequence/add/", adding)
    yield from (f"{adding}&kind={kind}" for kind in ADDED)
    yield from (f"{DISTRIBUTION}/{one}/change/" for one in desk.distributions.values())
    yield from (f"{DISTRIBUTION}/{one}/press/live/?who=somebody" for one in desk.distributions.values())
    queue, appointment = desk.distributions["queue"], desk.distributions["appointment"]
    yield from (f"{DISTRIBUTION}/{queue}/press/{button}/" for button in ("pace", "message", "sold-out"))
    yield f"{DISTRIBUTION}/{appointment}/press/calendar/"
    yield from ("/admin/account/", "/admin/account/two-factor/", "/admin/password_change/")


# --- Two factors ----------------------------------------------------------------------------------
def test_a_second_factor(desk: Desk, desktop: Page, open_context: OpenContext) -> None:
    """An owner adds a colleague, who chooses a password, sets an app up, and signs in by both."""
    desk.sign_in(desktop)
    colleague = f"colleague-{secrets.token_hex(4)}@example.com"
    link = invite(desk, desktop, colleague)
    page = open_context(**DESKTOP).new_page()
    password = secrets.token_urlsafe(16)
    page.goto(link)
    for name in ("new_password1", "new_password2"):
        page.locator(f"#id_{name}").fill(password)
    page.locator("form button[type=submit]").last.click()
    expect(page.locator("#id_new_password1")).to_have_count(0)
    sign_in(page, desk.stack, colleague, password)
    expect(page.get_by_role("heading", name="Live now")).to_be_visible()

    page.goto(f"{desk.stack.url}/admin/account/")
    page.get_by_role("link", name="Set it up").click()
    key = page.locator("li span.select-all").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(code_of(key))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    require_accessible(page, *WCAG)
    page.get_by_role("link", name="I have them").click()
    page.context.clear_cookies()

    sign_in(page, desk.stack, colleague, password)
    expect(page.get_by_role("heading", name="Two-factor sign-in")).to_be_visible()
    require_accessible(page, *WCAG)
    page.get_by_role("textbox", name="Code").fill(
        code_of(key, later=1)
    )  # each works once; the clock may be a little off
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Live now")).to_be_visible()


def invite(desk: Desk, page: Page, colleague: str) -> str:
    """The link with which they choose a password."""
    page.goto(f"{desk.stack.url}/admin/experiences/organization/")
    page.get_by_role("link", name="Demo Shop").click()
    page.get_by_role("link", name="Add staff").click()
    page.get_by_label("E-mail address").fill(colleague)
    page.get_by_role("button", name="Add staff").click()
    link = page.get_by_text(f"{desk.stack.url}/admin/")
    expect(link).to_be_visible()
    require_accessible(page, *WCAG)
    return link.inner_text().strip()


def code_of(key: str, later: int = 0) -> str:
    """What an app with this key shows, or will, so many half minutes from now."""
    totp = TOTP(base64.b32decode(key), drift=later)
    totp.time = clock.now().timestamp()
    return f"{totp.token():06d}"
