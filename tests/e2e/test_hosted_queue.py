"""The hosted waiting room: from the link that was shared to the shop, and back."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESKTOP, PHONE, OpenContext
from tests.e2e.hosted import Hosted, heading, launch, open_shop
from tests.e2e.stack import Stack

LINE = {"name": "The line", "admissionRate": 20, "sessionSeconds": 600}


@pytest.fixture(scope="module")
def line(stack: Stack) -> Hosted:
    """Lets somebody in every three seconds."""
    return launch(stack, "moving", "queues", LINE)


@pytest.fixture(scope="module")
def still(stack: Stack) -> Hosted:
    """Lets nobody in by itself."""
    return launch(stack, "still", "queues", {"name": "The line", "admissionRate": None})


@pytest.fixture(scope="module")
def plain(stack: Stack) -> Hosted:
    """Asks for no fingerprint."""
    return launch(stack, "plainly", "queues", LINE, requireFingerprint=False)


def join(page: Page, hosted: Hosted) -> None:
    page.goto(hosted.url)
    page.get_by_role("button", name="Join the line").click()


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_from_the_link_to_the_end(line: Hosted, open_context: OpenContext, device: dict[str, object]) -> None:
    page = open_context(**device).new_page()
    open_shop(page)
    line.send_ahead(3)
    page.goto(line.url)
    heading(page, "The line")
    assert page.context.cookies() == []
    page.get_by_role("button", name="Join the line").click()
    heading(page, "Your place in line")
    expect(page.get_by_text("You can close this page")).to_be_visible()
    expect(page.locator("[aria-live=polite]")).to_contain_text("You are number")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    heading(page, "It's your turn")
    expect(page).to_have_title("It's your turn · The drop")
    page.get_by_role("link", name="Go on to the shop").click()
    expect(page).to_have_title("Shop")
    assert line.ask("validate", page)["valid"] is True
    line.ask("complete", page)
    page.go_back()
    heading(page, "All done")


def test_a_reload_a_closed_tab_and_a_second_one_keep_one_place(still: Hosted, desktop: Page) -> None:
    still.send_ahead(1)
    join(desktop, still)
    place = desktop.locator("[data-slot=place]")
    expect(place).to_be_visible()
    before, people = place.inner_text(), still.count("consumerCount", desktop)
    desktop.reload()
    expect(place).to_have_text(before)
    second = desktop.context.new_page()
    second.goto(still.url)
    expect(second.locator("[data-slot=place]")).to_have_text(before)
    desktop.close()
    third = second.context.new_page()
    second.close()
    third.goto(still.url)
    expect(third.locator("[data-slot=place]")).to_have_text(before)
    assert still.count("consumerCount", third) == people


def test_leaving_gives_the_place_up_in_both_tabs(still: Hosted, desktop: Page) -> None:
    join(desktop, still)
    second = desktop.context.new_page()
    second.goto(still.url)
    expect(second.get_by_role("heading", name="Your place in line")).to_be_visible()
    people = still.count("consumerCount", desktop)
    desktop.get_by_role("button", name="Give up my place").click()
    heading(desktop, "You have left")
    expect(second.get_by_role("heading", name="You have left")).to_be_visible()
    assert still.count("consumerCount", desktop) == people - 1
    desktop.get_by_role("button", name="Enter again").click()
    expect(second.get_by_role("heading", name="Your place in line")).to_be_visible()


def test_by_keyboard_alone(line: Hosted, desktop: Page) -> None:
    open_shop(desktop)
    desktop.goto(line.url)
    expect(desktop.get_by_role("button", name="Join the line")).to_be_visible()
    tab_to(desktop, lambda: focused(desktop) == "Join the line")
    desktop.keyboard.press("Enter")
    heading(desktop, "It's your turn")
    expect(desktop.get_by_role("heading", level=1)).to_be_focused()
    tab_to(desktop, lambda: focused(desktop) == "Go on to the shop")
    desktop.keyboard.press("Enter")
    expect(desktop).to_have_title("Shop")


def tab_to(page: Page, is_there: Callable[[], bool]) -> None:
    for _ in range(10):
        page.keyboard.press("Tab")
        if is_there():
            return
    pytest.fail("the keyboard leads nowhere")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText")).strip()


def test_without_connection_the_place_is_kept(still: Hosted, desktop: Page) -> None:
    join(desktop, still)
    place = desktop.locator("[data-slot=place]")
    expect(place).to_be_visible()
    before = place.inner_text()
    desktop.context.set_offline(True)
    strip = desktop.get_by_text("No connection.")
    expect(strip).to_be_visible(timeout=60_000)
    expect(place).to_have_text(before)
    desktop.context.set_offline(False)
    expect(strip).to_be_hidden(timeout=60_000)


def test_in_german(still: Hosted, open_context: OpenContext) -> None:
    page = open_context(**PHONE, locale="de-DE").new_page()
    page.goto(still.url)
    page.get_by_role("button", name="In die Schlange stellen").click()
    heading(page, "Ihr Platz in der Schlange")
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_without_javascript(plain: Hosted, open_context: OpenContext) -> None:
    page = open_context(**PHONE, java_script_enabled=False).new_page()
    open_shop(page)
    plain.send_ahead(3)
    page.goto(plain.url)
    page.get_by_role("button", name="Join the line").click()
    expect(page.get_by_role("heading", name="You are in line")).to_be_visible()
    expect(page.get_by_text(re.compile("ahead of you"))).to_be_visible()
    # The page refreshes itself.
    page.get_by_role("link", name="Go on to the shop").click(timeout=60_000)
    expect(page).to_have_title("Shop")
    assert plain.ask("validate", page)["valid"] is True
