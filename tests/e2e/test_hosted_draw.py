"""A draw from the shared link to the end, as it stands on a phone and on a desktop; and the check of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESKTOP, PHONE, OpenContext
from tests.e2e.hosted import SHOP, Hosted, heading, launch, require_accessible
from tests.e2e.stack import Stack

GUESTS = 4  # beside the two who come by the page


def raffle(stack: Stack, slug: str, draws_in: int) -> Hosted:
    """A draw so many seconds ahead, with entries of others."""
    settings = {"name": "The raffle", "winnerCount": 1, "claimSeconds": 600, "alternates": False}
    hosted = launch(stack, slug, "draws", {**settings, "drawAt": f"now+{draws_in}s"})
    hosted.send_ahead(GUESTS)
    return hosted


def enter(page: Page, url: str) -> None:
    page.goto(url)
    button = page.get_by_role("button", name="Enter the draw")
    expect(button).to_be_visible()
    require_accessible(page)
    button.click()
    heading(page, "You are in the draw")
    expect(page.get_by_role("main").get_by_text("your entry is kept")).to_be_visible()


def check(page: Page) -> None:
    """Check it in the page, and by the program and the files that the page offers."""
    page.get_by_role("button", name="Check the draw yourself").click()
    expect(page.get_by_role("main").get_by_text("the result is the one that was published")).to_be_visible()
    page.get_by_text("What was checked").click()
    require_accessible(page)
    findings = page.get_by_role("listitem")
    expect(findings.filter(has_text="winners is what the drawn order begins with")).to_contain_text("ok")
    expect(findings.filter(has_text="is in the frozen list")).to_contain_text("ok")
    expect(findings.filter(has_text="FAIL")).to_have_count(0)


def saved(page: Page, role: Any, name: str, folder: Path) -> Path:
    with page.expect_download() as told:
        page.get_by_role(role, name=name, exact=True).click()
    path = folder / told.value.suggested_filename
    told.value.save_as(path)
    return path


def test_two_enter_and_see_how_it_went_and_that_it_was_right(
    stack: Stack, open_context: OpenContext, tmp_path: Path
) -> None:
    hosted = raffle(stack, "raffle", 30)
    phone, desktop = (open_context(**size).new_page() for size in (PHONE, DESKTOP))
    for page in (phone, desktop):
        enter(page, hosted.url)
    kept = saved(phone, "button", "Download my receipt", tmp_path)
    assert json.loads(kept.read_text())["entryNumber"] in (GUESTS + 1, GUESTS + 2)
    phone.reload()  # the entry is kept
    expect(phone.get_by_role("heading", name="You are in the draw")).to_be_visible()
    for page in (phone, desktop):
        expect(
            page.locator("h1")
            .filter(has_text="You have won")
            .or_(page.get_by_role("heading", name="Not this time"))
        ).to_be_visible(timeout=60_000)
        if page.get_by_role("heading", name="You have won").is_visible():
            require_accessible(page)
            way_on = page.get_by_role("link", name="Go on to the shop").get_attribute("href") or ""
            assert way_on.startswith(f"{SHOP}?fanfareToken=")
        check(page)
    proof, receipt = (saved(phone, "button", name, tmp_path) for name in ("Proof", "Receipt"))
    program = saved(phone, "link", "verify_draw.py", tmp_path)
    command = [sys.executable, "-I", str(program), str(proof), "--receipt", str(receipt)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0 and ran.stdout.endswith("\nVERIFIED\n"), ran.stdout + ran.stderr


def test_a_proof_that_was_tampered_with_is_found_out(stack: Stack, desktop: Page) -> None:
    hosted = raffle(stack, "tampered", 12)

    def tamper(route: Any) -> None:
        answer = route.fetch()
        proof = answer.json()
        proof["winners"][0]["number"] = proof["winners"][0]["number"] % GUESTS + 1
        route.fulfill(response=answer, json=proof)

    desktop.route("**/proof?*", tamper)
    desktop.goto(hosted.url)
    button = desktop.get_by_role("button", name="Check the draw yourself")
    expect(button).to_be_visible(timeout=60_000)
    button.click()
    expect(desktop.get_by_role("main").get_by_text("Something is wrong")).to_be_visible()
    expect(desktop.get_by_role("main").get_by_text("the result is the one that was published")).to_be_hidden()
