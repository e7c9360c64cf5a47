"""An appointment from the shared link to the end: chosen, booked, kept, moved, given up."""

import datetime as dt
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.hosted import heading
from tests.e2e.stack import Stack

FREE = re.compile(r"times? free$")  # of a day
HOURS = {day: [["09:00", "12:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


@pytest.fixture(scope="module")
def launch(stack: Stack) -> dict[str, Any]:
    """A calendar with one place for each time."""
    fitting = {"slug": "fitting", "name": "A fitting", "slotMinutes": 60, "openingHours": HOURS}
    place = {"location": {"name": "The shop", "address": "Hauptstraße 1, Berlin"}, "supportsGuest": True}
    sequence = {"slug": "all", "name": "All", "appointments": [{**fitting, **place}]}
    experiences = [{"slug": "fittings", "name": "Fittings", "sequences": [sequence]}]
    return stack.apply(
        {
            "organization": {"slug": "e2e-fittings", "name": "E2E", "timeZone": "UTC"},
            "experiences": experiences,
        }
    )


def take(page: Page, number: int) -> str:
    """Choose a time of the second day with free ones, and come to the question; the time."""
    page.get_by_role("button", name=FREE).nth(1).click()
    button = page.locator("ul.slots button:enabled").nth(number)
    told = button.inner_text().strip()
    button.click()
    expect(page.get_by_role("button", name="Another time")).to_be_visible()
    return told


def test_a_visitor_books_moves_and_cancels(stack: Stack, launch: dict[str, Any], phone: Page) -> None:
    phone.goto(f"{stack.url}/e/e2e-fittings/fittings")
    heading(phone, "Choose a time")
    first = take(phone, 0)
    heading(phone, "Is that right?")
    phone.get_by_role("button", name="Book it").click()
    heading(phone, "You are booked")
    ticket = phone.get_by_role("listitem")
    expect(ticket).to_contain_text(first.split()[0])
    expect(ticket).to_contain_text("Hauptstraße 1, Berlin")
    code = ticket.locator("dd").inner_text()

    with phone.expect_download() as download:
        phone.get_by_role("button", name="Put it into my calendar").click()
    assert download.value.suggested_filename == f"{code}.ics"
    assert "BEGIN:VCALENDAR" in download.value.path().read_text()

    phone.get_by_role("button", name="Change the time").click()
    moved = take(phone, 0)  # the own one is not to be chosen again
    assert moved != first
    phone.get_by_role("button", name="Move it here").click()
    expect(ticket).to_contain_text(moved.split()[0])
    phone.reload()
    expect(ticket).to_contain_text(moved.split()[0])

    phone.get_by_role("button", name="Cancel it").click()
    heading(phone, "Cancel this appointment?")
    phone.get_by_label("Reason").fill("ill")
    phone.get_by_role("button", name="Cancel the appointment").click()
    heading(phone, "Choose a time")


def test_a_time_that_is_taken_meanwhile_is_said_and_the_list_renewed(
    stack: Stack, launch: dict[str, Any], desktop: Page
) -> None:
    desktop.goto(f"{stack.url}/e/e2e-fittings/fittings")
    told = take(desktop, 1)
    key = launch["organization"]["publishableKey"]
    fitting = launch["experiences"]["fittings"]["sequences"]["all"]["appointments"]["fitting"]
    day = desktop.evaluate("new Date().toISOString().slice(0, 10)")
    span = f"startDate={day}&endDate={dt.date.fromisoformat(day) + dt.timedelta(2)}"
    slots = stack.call("GET", f"/appointments/{fitting}/slots?{span}", key)["slots"]
    days = sorted({slot["startTime"][:10] for slot in slots if slot["available"]})
    wanted = [slot["id"] for slot in slots if slot["startTime"][:10] == days[1] and slot["available"]][1]
    token = stack.call("POST", "/auth/guest", key)["accessToken"]
    stack.call("POST", f"/appointments/{fitting}/book", token, {"slotId": wanted})
    desktop.get_by_role("button", name="Book it").click()
    expect(desktop.get_by_text("Somebody was faster").first).to_be_visible()
    taken = desktop.locator("ul.slots button:disabled", has_text=told.split()[0])
    expect(taken).to_contain_text("full")
