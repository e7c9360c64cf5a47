"""The hosted page of a timed release: the last unit, who has it, who comes too late, and who gets it back."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESKTOP, PHONE, OpenContext
from tests.e2e.hosted import Hosted, heading, launch, open_shop
from tests.e2e.stack import Stack


@pytest.fixture(scope="module")
def release(stack: Stack) -> Hosted:
    """Two units, five minutes each."""
    settings = {"name": "Two pairs", "inventory": 2, "claimSeconds": 300}
    return launch(stack, "releasing", "timedReleases", settings)


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_from_the_link_to_the_end(
    release: Hosted, open_context: OpenContext, device: dict[str, object]
) -> None:
    pages: list[Page] = [open_context(**device).new_page() for _ in range(2)]
    first, late = pages
    open_shop(first)
    release.send_ahead(release.count("available", first) - 1)
    first.goto(release.url)
    heading(first, "Two pairs")
    first.get_by_role("button", name="Get one now").click()
    heading(first, "You have one")
    expect(first.locator("[data-slot=left]")).to_contain_text("4:")
    late.goto(release.url)
    heading(late, "Sold out")
    first.get_by_role("button", name="Give it back").click()
    heading(first, "You gave it back")
    late.get_by_role("button", name="Try once more").click()
    heading(late, "You have one")
    late.get_by_role("button", name="Give it back").click()
    first.get_by_role("button", name="Get one again").click()
    first.get_by_role("link", name="Go on to the shop").click()
    expect(first).to_have_title("Shop")
    assert release.ask("validate", first)["valid"] is True
    first.go_back()
    first.get_by_role("button", name="Give it back").click()
    heading(first, "You gave it back")
