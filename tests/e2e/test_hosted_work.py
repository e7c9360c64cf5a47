"""Entering that costs a proof of work: the page does it, says so, and asks nothing of the visitor."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack


@pytest.fixture(scope="module", autouse=True)
def launch(stack: Stack) -> dict[str, Any]:
    """A line that costs something, and one that doesn't."""
    line = {"slug": "line", "name": "The line", "admissionRate": 1, "maxActive": 1, "capacity": 100}
    experiences = [
        {"slug": slug, "name": slug, "sequences": [{"slug": "all", "name": "All", "queues": [line | more]}]}
        for slug, more in (("priced", {"proofOfWork": 5}), ("free", {"proofOfWork": 0}))
    ]
    return stack.apply({"organization": {"slug": "e2e-work", "name": "E2E"}, "experiences": experiences})


def parts_asked_for(stack: Stack, page: Page, slug: str) -> set[str]:
    """Join the line; which parts of the widget the page loaded for it."""
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.partition("?")[0].rpartition("/")[2]))
    page.goto(f"{stack.url}/e/e2e-work/{slug}")
    page.get_by_role("button", name="Join the line").click()
    expect(
        page.get_by_role("button", name="Give up my place").or_(page.get_by_text("It's your turn").first)
    ).to_be_visible()
    return asked & {"altcha.js", "altcha.css", "pbkdf2.js"}


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_page_pays_for_entering(stack: Stack, size: str, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(size)
    page.emulate_media(reduced_motion="reduce")
    assert parts_asked_for(stack, page, "priced") == {"altcha.js", "altcha.css", "pbkdf2.js"}
    expect(page.locator("altcha-widget")).to_have_count(0)


def test_nothing_of_it_is_loaded_where_entering_is_free(stack: Stack, desktop: Page) -> None:
    assert parts_asked_for(stack, desktop, "free") == set()


def test_it_says_what_goes_on_and_what_to_do_where_it_fails(stack: Stack, desktop: Page) -> None:
    desktop.route("**/pbkdf2.js*", lambda route: route.abort())
    desktop.goto(f"{stack.url}/e/e2e-work/priced")
    desktop.get_by_role("button", name="Join the line").click()
    expect(desktop.get_by_text("Your browser could not do the piece of work").first).to_be_visible()
    desktop.unroute("**/pbkdf2.js*")
    desktop.get_by_role("button", name="Try once more").click()
    expect(
        desktop.get_by_role("heading", name="Your place in line").or_(
            desktop.get_by_role("heading", name="It's your turn")
        )
    ).to_be_visible()
