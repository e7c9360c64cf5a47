"""A staff member's whole evening in the console: set up, open, steer, draw, settle, look back; no shell."""

import csv
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PHONE, OpenContext
from tests.e2e.console import Desk, desk_of, fill, number, open_live, press, save
from tests.e2e.stack import Stack

CROWD = 10
RATE = 12  # a minute: the evening is over before the line is empty
SAID = "The van is late. We go on at nine."
APPLIED_MILLISECONDS = 1_000  # what staff do holds everywhere then


@pytest.fixture(scope="module")
def desk(stack: Stack) -> Desk:
    return desk_of(stack)


def test_a_whole_evening(desk: Desk, desktop: Page, open_context: OpenContext) -> None:
    desk.sign_in(desktop)
    made = set_up(desktop)
    open_the_queue(desktop, made["queue"])
    visitor = open_context(**PHONE).new_page()
    crowd = desk.guests(CROWD)
    steer_the_queue(desk, desktop, visitor, made["queue"], crowd)
    draw(desk, desktop, made["draw"], crowd)
    settle(desk, desktop, made["auction"])
    look_back(desktop, made["queue"])


# --- Setting up -----------------------------------------------------------------------------------
def set_up(page: Page) -> dict[str, str]:
    """From the home to an experience with three distributions; their ids, by kind."""
    page.get_by_role("link", name="Experiences").click()
    page.locator("a[href$='/experience/add/']").first.click()
    name(page, "The evening drop")
    expect(page.locator("#id_slug")).to_have_value("the-evening-drop")
    save(page)
    page.get_by_role("link", name="Add a sequence").click()
    name(page, "Everyone")
    save(page)
    made = {
        "queue": add(page, "Queue", "The line", capacity="100", admission_rate=""),
        "draw": add(page, "Draw", "The raffle", winner_count="2", open_at_0="", open_at_1=""),
        "auction": add(
            page, "Auction", "The last pair", starting_price="100", minimum_bid_increment="5",
            open_at_0="", open_at_1="",
        ),
    }  # fmt: skip
    expect(page.locator("[data-card=the-line]")).to_contain_text("PENDING")
    expect(page.locator("[data-check='Ways in']")).to_have_attribute("data-done", "yes")
    expect(page.locator("[data-check='Pace of The line']")).to_contain_text("by hand")
    return made


def name(page: Page, words: str) -> None:
    """Typed, so that the slug follows."""
    page.locator("#id_name").press_sequentially(words)


def add(page: Page, kind: str, called: str, **values: str) -> str:
    """One more, its kind first; its id."""
    page.locator("[data-lane=everyone] a", has_text=re.compile("Add (another|what)")).click()
    expect(page.get_by_role("heading", name="What is to be added?")).to_be_visible()
    page.get_by_role("link", name=f"{kind} ").click()
    expect(page.get_by_role("heading", name=re.compile(f"Add an? {kind.lower()}"))).to_be_visible()
    assert (page.locator("#id_winner_count").count() == 0) == (kind == "Queue")
    name(page, called)
    fill(page, **values)
    card = page.locator(f"[data-card={called.lower().replace(' ', '-')}] a").first
    found = re.search(r"(queue|draw|auction)_\w+", (card.get_attribute("href") or "").replace("_5F", "_"))
    assert found is not None
    return found[0]


def open_the_queue(page: Page, queue: str) -> None:
    """It was to open tomorrow; now it does."""
    page.locator("[data-card=the-line] a").click()
    expect(page.locator("#id_open_at_0")).not_to_have_value("")
    fill(page, open_at_0="", open_at_1="")
    open_live(page, queue)
    expect(page.locator("[data-part=phase]")).to_have_text("OPEN")


# --- The queue ------------------------------------------------------------------------------------
def steer_the_queue(desk: Desk, page: Page, visitor: Page, queue: str, crowd: list[str]) -> None:
    """What the one does in the console, the other one sees on a phone."""
    page.evaluate("window.isTheSamePage = true")
    in_parallel(desk, f"/queues/{queue}/enter", crowd)
    expect(number(page, "Waiting")).to_have_text(str(CROWD))
    visitor.goto(f"{desk.stack.url}/e/demo/the-evening-drop")
    visitor.get_by_role("button", name="The line").click()
    visitor.get_by_role("button", name="Join the line").click()
    expect(visitor.locator("[data-slot=place]")).to_have_text(str(CROWD + 1))
    expect(number(page, "Waiting")).to_have_text(str(CROWD + 1))
    assert page.evaluate("window.isTheSamePage")  # the figures came by themselves

    press(page, "Change the rate …", "The shop is ready", admission_rate=str(RATE))
    expect(page.get_by_text(f"{RATE} a minute from now on")).to_be_visible()
    expect(number(page, "Admitted")).not_to_have_text("0")
    press(page, "Pause …", "The van is late")
    expect(page.locator("[data-part=phase]")).to_have_text("PAUSED")
    page.wait_for_timeout(APPLIED_MILLISECONDS)
    assert shown(desk, f"/queues/{queue}")["status"] == "PAUSED"
    press(page, "Message …", "To calm them", message=SAID)
    expect(page.locator("#live").get_by_text(SAID)).to_be_visible()
    room = visitor.locator("#room")
    expect(room.get_by_text(SAID)).to_be_visible()
    expect(room.get_by_text("The organizer has paused the line.")).to_be_visible()
    expect(visitor.get_by_role("heading", name="Your place in line")).to_be_visible()

    press(page, "Resume …", "It has come")
    expect(page.locator("[data-part=phase]")).to_have_text("OPEN")
    page.wait_for_timeout(APPLIED_MILLISECONDS)
    assert shown(desk, f"/queues/{queue}")["status"] == "OPEN"
    press(page, "Admit now …", "A guest of the house", number="1")
    expect(page.get_by_text("1 admitted.")).to_be_visible()
    look_up(desk, page, crowd[0])


def look_up(desk: Desk, page: Page, token: str) -> None:
    """By id; and somebody who is not there."""
    somebody = desk.stack.call("GET", "/consumers/me", token)["id"]
    search = page.get_by_label("Look somebody up")
    search.fill(somebody)
    search.press("Enter")
    row = page.locator("#live-found tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(re.compile("Queued|Admitted", re.IGNORECASE))
    expect(row.get_by_role("link")).to_have_attribute("href", re.compile("/participation/"))
    search.fill("nobody@example.com")
    search.press("Enter")
    expect(page.get_by_text("Nobody by “nobody@example.com” takes part here.")).to_be_visible()


# --- The draw and the auction ---------------------------------------------------------------------
def draw(desk: Desk, page: Page, draw_id: str, crowd: list[str]) -> None:
    """Entries close before their time, and two win."""
    open_live(page, draw_id)
    in_parallel(desk, f"/draws/{draw_id}/enter", crowd)
    expect(number(page, "Entries")).to_have_text(str(CROWD))
    press(page, "Freeze now …", "Enough have come")
    expect(page.get_by_text("The list is frozen")).to_be_visible()
    press(page, "Draw now …", "They wait for it")
    expect(page.locator("[data-part=phase]")).to_have_text("DRAWN")
    expect(number(page, "Winners")).to_have_text("2")
    page.get_by_role("link", name="Settings", exact=True).click()
    expect(page.get_by_text("Seed, drawn")).to_be_visible()
    results = [desk.stack.call("GET", f"/draws/{draw_id}/status", one)["drawStatus"] for one in crowd]
    assert results.count("WON") == 2


def settle(desk: Desk, page: Page, auction: str) -> None:
    """The price follows the bids; then it is closed, and the highest wins."""
    open_live(page, auction)
    bidders = [desk.customer(one) for one in range(3)]
    for amount, token in zip(("100.00", "110.00", "120.00"), bidders, strict=True):
        path, body = f"/auctions/{auction}/bid", {"amount": amount}
        desk.stack.call("POST", path, token, body, X_Fingerprint=f"fp_of_{amount[:3]}_euros")
        expect(number(page, "Price")).to_contain_text(amount)
    expect(page.locator("[data-part=table] tbody tr")).to_have_count(3)
    press(page, "Close now …", "The evening ends")
    expect(page.locator("[data-part=phase]")).to_have_text("SETTLED")
    expect(number(page, "Winners")).to_have_text("1")
    won = desk.stack.call("GET", f"/auctions/{auction}/status", bidders[-1])
    assert (won["bidStatus"], won["winningAmount"]) == ("WON", "120.00")


def in_parallel(desk: Desk, path: str, crowd: list[str]) -> None:
    """Everybody at once, each from a device of their own."""

    def enter(numbered: tuple[int, str]) -> Any:
        device, token = numbered
        return desk.stack.call("POST", path, token, X_Fingerprint=f"fp_of_the_evening_{device}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, enumerate(crowd)))


def shown(desk: Desk, path: str) -> Any:
    return desk.stack.call("GET", path, desk.key)


# --- The trace ------------------------------------------------------------------------------------
def look_back(page: Page, queue: str) -> None:
    """Who did what and why, on the page and in both files."""
    open_live(page, queue)
    page.get_by_role("link", name="Trace", exact=True).last.click()
    row = page.locator("#result_list tr", has_text="queue.paused")
    expect(row).to_contain_text("demo (staff:")
    expect(row).to_contain_text("The van is late")
    table = list(csv.DictReader(io.StringIO(taken_away(page, "CSV"))))
    lines = [json.loads(line) for line in taken_away(page, "JSON Lines").splitlines()]
    assert [one["id"] for one in table] == [str(one["id"]) for one in lines]
    assert {one["distributionId"] for one in lines} == {queue}
    by_staff = [one for one in lines if one["actor"].startswith("staff:")]
    why = [one["data"]["reason"] for one in by_staff if "reason" in one["data"]]
    told = ["The shop is ready", "The van is late", "To calm them", "It has come", "A guest of the house"]
    assert why == told
    assert sum(one["name"] == "queue.consumer.entered" for one in lines) == CROWD + 1


def taken_away(page: Page, label: str) -> str:
    """What a link downloads."""
    with page.expect_download() as started:
        page.get_by_role("link", name=label).click()
    return Path(started.value.path()).read_text(encoding="utf-8")
